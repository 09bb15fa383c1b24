import { Ajv } from 'ajv';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

interface Operation {
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

/** Returns a check that an answer is as /openapi.json promises for its address and status. */
export function createSchemaCheck(app: FastifyInstance) {
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  const { paths } = JSON.parse(JSON.stringify(app.swagger())) as { paths: Record<string, Record<string, Operation>> };
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, operation, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`) })),
  );
  return (method: string, url: string, reply: LightMyRequestResponse): void => {
    const path = url.split('?')[0] ?? '';
    const operation = operations.find((candidate) => candidate.method === method.toLowerCase() && candidate.pattern.test(path))?.operation;
    const type = String(reply.headers['content-type']).split(';')[0] ?? '';
    if (operation === undefined || !type.endsWith('json')) return;
    const status = `${reply.statusCode}`;
    const schema = (operation.responses[status] ?? operation.responses[`${status[0]}XX`])?.content?.[type]?.schema;
    if (schema === undefined) throw new Error(`${method} ${path} answered ${status} ${type}, which /openapi.json does not promise`);
    if (!ajv.validate(schema, reply.json())) throw new Error(`${method} ${path} answered other than /openapi.json says: ${ajv.errorsText()}`);
  };
}
