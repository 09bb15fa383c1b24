import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** Describes every route at /openapi.json and, for people, at /docs. Call it before the routes are registered. */
export async function describeRoutes(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: '1',
        description: 'Remediation that waits for people. Errors are problem documents (RFC 9457) with a stable `type`.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'A token of Sluice, or a JWT of the configured OIDC issuer; whose groups are for several workspaces names one in the header `Sluice-Workspace`.' } } },
      security: [{ bearer: [] }],
    },
    transform: ({ schema, url, route }) => ({ url, schema: route.config?.minimumRole === 'everyone' ? { ...schema, security: [] } : schema }),
  });
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, minimumRole: 'everyone' };
    });
    await docs.register(swaggerUi, { routePrefix: '/docs' });
    docs.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  });
}
