import { type TypeBoxTypeProvider, registerAjvFormats, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { Format } from 'typebox/format';
import type { Database, RequestDatabase } from '../db/database.js';
import type { SignDecision } from '../db/decisions.js';
import type { TailListener } from '../db/tail-listener.js';
import { findActor, TOKEN_PREFIX } from '../db/tokens.js';
import type { Inspector } from '../inspection/inspector.js';
import type { Keyring } from '../keys/keyring.js';
import type { Checkpoints } from './checkpoints.js';
import type { TemporalUi } from './incident-view.js';
import type { FindOidcActor } from './oidc.js';
import { authorize } from './plugins/authorization.js';
import { describeRoutes } from './plugins/openapi.js';
import { answerWithProblems, refuseUnreadable, sendProblem } from './plugins/problems.js';
import { scopeRequests } from './plugins/request-database.js';
import { sendSecurityHeaders } from './plugins/security-headers.js';
import { serveWebPage } from './plugins/web-page.js';
import { limitWork } from './plugins/work-limit.js';
import { approveRoute } from './routes/approve.js';
import { auditRoutes } from './routes/audit.js';
import { decisionRoutes } from './routes/decisions.js';
import { executorCallRoutes } from './routes/executor-calls.js';
import { executionClaimRoute } from './routes/execution-claims.js';
import { healthRoutes } from './routes/health.js';
import { incidentRoutes } from './routes/incidents.js';
import { keyRoutes } from './routes/keys.js';
import { killSwitchRoutes } from './routes/kill-switch.js';
import { meRoute } from './routes/me.js';
import { peopleRoutes } from './routes/people.js';
import { policyRoutes } from './routes/policy.js';
import { remediateRoute } from './routes/remediate.js';
import { reportRoute } from './routes/report.js';
import { rollbackRoute } from './routes/rollback.js';
import { scriptRoutes } from './routes/scripts.js';
import { slackActionsRoute } from './routes/slack-actions.js';
import { tailRoute } from './routes/tail.js';
import { tokenRoutes } from './routes/tokens.js';
import { alertmanagerWebhook } from './webhooks/alertmanager.js';
import { jsonAlertsWebhook } from './webhooks/json-alerts.js';

const HANDLER_TIMEOUT_MS = 15_000;
// Receiving a whole request; a sender that dawdles longer holds a connection for nothing.
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_AT_WORK = 200;
const MAX_STREAMS = 500;

export interface AppDeps {
  /** All of it, for what the API does on its own account. */
  readonly db: Database;
  /** What requests see of it. */
  readonly requests: Pick<RequestDatabase, 'in'>;
  readonly listener: TailListener;
  readonly keyring: Keyring;
  readonly checkpoints: Checkpoints;
  readonly inspector: Inspector;
  readonly bodyLimitBytes: number;
  readonly temporalUi: TemporalUi | null;
  /** The signing secret of the Slack app whose buttons decide; without it none does. */
  readonly slackSigningSecret?: string | undefined;
  /** Where people open the page; without it no links. */
  readonly publicUrl?: string;
  /** Whose JWTs count beside our own tokens; without it nobody's. */
  readonly oidc?: FindOidcActor | undefined;
  readonly webFolder: string;
  readonly logger: NonNullable<FastifyServerOptions['logger']>;
  readonly heartbeatMs?: number;
  readonly maxAtWork?: number;
  readonly maxStreams?: number;
  readonly handlerTimeoutMs?: number;
}

/** Builds the app without listening, so that a test can inject requests. A route without a rule who may call it is refused here. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { db, listener, keyring, checkpoints, inspector, temporalUi, heartbeatMs = 15_000 } = deps;
  registerAjvFormats();
  // Ajv's also takes `urn:uuid:…`, which Postgres does not.
  Format.Set('uuid', Format.IsUuid);
  const app = fastify({
    logger: deps.logger,
    bodyLimit: deps.bodyLimitBytes,
    handlerTimeout: deps.handlerTimeoutMs ?? HANDLER_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // An open event stream would otherwise keep the app from closing.
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    // A person's name in any script; the route's schema says how long it may be.
    routerOptions: { maxParamLength: 2_000 },
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
  authorize(app, async (token, wantedWorkspace) => {
    if (token.startsWith(TOKEN_PREFIX)) return findActor(db, token);
    return isJwt(token) ? deps.oidc?.(token, wantedWorkspace) : undefined;
  });
  scopeRequests(app, deps.requests);
  await sendSecurityHeaders(app);
  await describeRoutes(app);
  await serveWebPage(app, deps.webFolder);

  const source = { listener, heartbeatMs };
  const sign: SignDecision = (decision) => keyring.sign('decision', decision);
  // What is about every workspace has the whole database; all else goes by request.db.
  await app.register(healthRoutes, { db, checkpoints });
  await app.register(keyRoutes, { db, keyring, checkpoints });
  await app.register(killSwitchRoutes, { db });
  await app.register(executionClaimRoute, { db });

  await app.register(meRoute);
  await app.register(peopleRoutes);
  await app.register(tokenRoutes);
  await app.register(alertmanagerWebhook);
  await app.register(jsonAlertsWebhook);
  await app.register(incidentRoutes, { temporalUi });
  await app.register(tailRoute, { source });
  await app.register(reportRoute);
  await app.register(decisionRoutes, { sign });
  await app.register(slackActionsRoute, { requests: deps.requests, sign, signingSecret: deps.slackSigningSecret, publicUrl: deps.publicUrl ?? '' });
  await app.register(rollbackRoute, { sign });
  await app.register(remediateRoute, { source });
  await app.register(approveRoute, { sign });
  await app.register(scriptRoutes, { inspector });
  await app.register(policyRoutes, { keyring });
  await app.register(executorCallRoutes, { listener });
  await app.register(auditRoutes, { checkpoints });
  await app.ready();
  return app;
}

const isJwt = (token: string): boolean => token.split('.').length === 3;
