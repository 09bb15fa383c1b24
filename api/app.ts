import { type TypeBoxTypeProvider, registerAjvFormats, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import type { Database } from '../db/database.js';
import type { SignDecision } from '../db/decisions.js';
import type { TailListener } from '../db/tail-listener.js';
import { findActor } from '../db/tokens.js';
import type { Keyring } from '../keys/keyring.js';
import type { Checkpoints } from './checkpoints.js';
import type { TemporalUi } from './incident-view.js';
import { authorize } from './plugins/authorization.js';
import { describeRoutes } from './plugins/openapi.js';
import { answerWithProblems, refuseUnreadable, sendProblem } from './plugins/problems.js';
import { sendSecurityHeaders } from './plugins/security-headers.js';
import { serveWebPage } from './plugins/web-page.js';
import { limitWork } from './plugins/work-limit.js';
import { approveRoute } from './routes/approve.js';
import { auditRoutes } from './routes/audit.js';
import { decisionRoutes } from './routes/decisions.js';
import { healthRoutes } from './routes/health.js';
import { incidentRoutes } from './routes/incidents.js';
import { keyRoutes } from './routes/keys.js';
import { killSwitchRoutes } from './routes/kill-switch.js';
import { meRoute } from './routes/me.js';
import { remediateRoute } from './routes/remediate.js';
import { rollbackRoute } from './routes/rollback.js';
import { scriptRoutes } from './routes/scripts.js';
import { tailRoute } from './routes/tail.js';
import { alertmanagerWebhook } from './webhooks/alertmanager.js';
import { jsonAlertsWebhook } from './webhooks/json-alerts.js';

const HANDLER_TIMEOUT_MS = 15_000;
// Receiving a whole request; a sender that dawdles longer holds a connection for nothing.
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_AT_WORK = 200;
const MAX_STREAMS = 500;

export interface AppDeps {
  readonly db: Database;
  readonly listener: TailListener;
  readonly keyring: Keyring;
  readonly checkpoints: Checkpoints;
  readonly bodyLimitBytes: number;
  readonly temporalUi: TemporalUi | null;
  readonly webFolder: string;
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  readonly heartbeatMs?: number;
  readonly maxAtWork?: number;
  readonly maxStreams?: number;
  readonly handlerTimeoutMs?: number;
}

/** Builds the app without listening, so that a test can inject requests. A route without a rule who may call it is refused here. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { db, listener, keyring, checkpoints, temporalUi, heartbeatMs = 15_000 } = deps;
  registerAjvFormats();
  const app = fastify({
    logger: deps.logger,
    bodyLimit: deps.bodyLimitBytes,
    handlerTimeout: deps.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // An open event stream would otherwise keep the app from closing.
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    frameworkErrors: sendProblem,
    clientErrorHandler: refuseUnreadable,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  // What is sent is built by hand and checked by the compiler; a second serializer would only guess at unions.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  app.removeContentTypeParser('text/plain');

  answerWithProblems(app);
  // First, because to look a token up is work too.
  limitWork(app, { work: deps.maxAtWork ?? MAX_AT_WORK, streams: deps.maxStreams ?? MAX_STREAMS });
  authorize(app, (token) => findActor(db, token));
  await sendSecurityHeaders(app);
  await describeRoutes(app);
  await serveWebPage(app, deps.webFolder);

  const source = { db, listener, heartbeatMs };
  const sign: SignDecision = (decision) => keyring.sign('decision', decision);
  await app.register(healthRoutes, { db, checkpoints });
  await app.register(meRoute);
  await app.register(alertmanagerWebhook, { db });
  await app.register(jsonAlertsWebhook, { db });
  await app.register(incidentRoutes, { db, temporalUi });
  await app.register(tailRoute, { source });
  await app.register(decisionRoutes, { db, sign });
  await app.register(rollbackRoute, { db, sign });
  await app.register(remediateRoute, { source });
  await app.register(approveRoute, { db, sign });
  await app.register(scriptRoutes, { db });
  await app.register(auditRoutes, { db, checkpoints });
  await app.register(keyRoutes, { db, keyring, checkpoints });
  await app.register(killSwitchRoutes, { db });
  await app.ready();
  return app;
}
