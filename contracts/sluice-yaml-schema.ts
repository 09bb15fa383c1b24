import { Type, type Static, type TProperties } from 'typebox';
import { formatDuration, readDurationMs } from '../domain/duration.js';
import { decidingRoles } from '../domain/actor.js';
import { reaches } from '../domain/reach.js';
import { autonomies } from '../domain/policy.js';
import { units } from '../domain/signal.js';
import { isSafeToFetch } from './oidc-yaml.js';

const Exact = <Properties extends TProperties>(properties: Properties) => Type.Object(properties, { additionalProperties: false });
const DAY_MS = 86_400_000;
const Between = (minMs: number, maxMs: number) =>
  Type.Refine(
    Type.String({ description: 'Like 500ms, 20s, 5m, 24h or 30d.' }),
    (text) => {
      const durationMs = readDurationMs(text);
      return durationMs !== undefined && durationMs >= minMs && durationMs <= maxMs;
    },
    () => `must be a duration like 500ms, 20s, 5m, 24h or 30d, from ${minMs < 1_000 ? `${minMs}ms` : formatDuration(minMs)} to ${formatDuration(maxMs)}`,
  );
const Duration = Between(1, 3_650 * DAY_MS);
const Name = Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,62})$', description: 'Lower case letters, digits and dashes.' });
const Count = Type.Number({ exclusiveMinimum: 0, maximum: 1e12 });
const Column = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_.]{0,120}$' });
const Reference = Type.Union([Exact({ env: Type.String({ minLength: 1 }) }), Exact({ file: Type.String({ minLength: 1 }) })]);

/** What is told to people says what is wrong and where. */
const Address = Type.Refine(Type.String(), isSafeToFetch, () => 'must be an https address; http only for this machine itself');

const Approvals = (minimum: number) => Type.Optional(Type.Integer({ minimum, maximum: 5 }));

const PostgresThresholds = Exact({
  queryLatency: Type.Optional(Duration),
  lockWait: Type.Optional(Duration),
  blockedSessions: Type.Optional(Count),
  idleInTransaction: Type.Optional(Duration),
  longQuery: Type.Optional(Duration),
  connectionsPercent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
});

const KubernetesThresholds = Exact({
  waitingPods: Type.Optional(Count),
  restarts: Type.Optional(Count),
  oomKills: Type.Optional(Count),
  pendingPods: Type.Optional(Count),
  unavailableReplicas: Type.Optional(Count),
  emptyServices: Type.Optional(Count),
  window: Type.Optional(Duration),
});
const Absolute = Type.String({ pattern: '^/[^\\0]+$', description: 'An absolute path.' });
const ObjectName = Type.String({ pattern: '^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$' });
const SecretName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$' });
// As a word of a command line, and never an option.
const Unit = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._:@-]{0,252}$' });

const TargetSchema = Exact({
  kind: Type.Enum(['postgres', 'http', 'config-file', 'kubernetes', 'host', 'workspace']),
  connection: Type.Optional(Reference),
  url: Type.Optional(Type.Union([Type.String({ pattern: '^https?://' }), Reference])),
  path: Type.Optional(Type.Union([Type.String({ pattern: '^/.+\\.(json|jsonc|yaml|yml)$' }), Reference])),
  executor: Type.Optional(Type.Enum(['sql', 'config-patch', 'kubernetes', 'host'])),
  serves: Type.Optional(Type.Array(Name, { minItems: 1 })),
  kubeconfig: Type.Optional(Type.Union([Absolute, Reference])),
  context: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  namespace: Type.Optional(Name),
  kubernetes: Type.Optional(KubernetesThresholds),
  jobs: Type.Optional(
    Exact({
      image: Type.String({ minLength: 1, maxLength: 500 }),
      serviceAccount: Type.Optional(Name),
      api: Type.String({ pattern: '^https?://', description: 'Where the pods reach the API of Sluice.' }),
      secrets: Type.Optional(Type.Record(SecretName, Exact({ secret: ObjectName, key: Type.String({ pattern: '^[-._A-Za-z0-9]{1,253}$' }) }), { additionalProperties: false })),
    }),
  ),
  queue: Type.Optional(Name),
  units: Type.Optional(Type.Array(Unit)),
  containers: Type.Optional(Type.Array(Unit)),
  paths: Type.Optional(Type.Array(Absolute)),
  secrets: Type.Optional(Type.Record(SecretName, Reference, { additionalProperties: false })),
  postgres: Type.Optional(PostgresThresholds),
  auditLog: Type.Optional(
    Exact({
      table: Column,
      actionColumn: Type.Optional(Column),
      actorColumn: Type.Optional(Column),
      timeColumn: Type.Optional(Column),
      window: Duration,
      maxDeletes: Count,
    }),
  ),
  probe: Type.Optional(
    Exact({
      path: Type.Optional(Type.String({ pattern: '^/' })),
      // Below what an attempt to measure may take as a whole.
      timeout: Type.Optional(Between(1, 30_000)),
      availabilityPercent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
      latency: Type.Optional(Duration),
      readings: Type.Optional(
        Type.Array(
          Exact({ name: Name, title: Type.String({ minLength: 1, maxLength: 100 }), field: Type.String({ minLength: 1 }), unit: Type.Enum([...units]), threshold: Count }),
        ),
      ),
    }),
  ),
  activeIncidents: Type.Optional(Exact({ max: Count })),
});

const ChannelSchema = Exact({
  kind: Type.Enum(['webhook', 'slack']),
  url: Type.Optional(Type.Union([Address, Reference])),
  secret: Type.Optional(Reference),
  token: Type.Optional(Reference),
  channel: Type.Optional(Type.String({ pattern: '^[CG][A-Z0-9]{2,30}$', description: 'The id of the channel, like C0123ABCD.' })),
  api: Type.Optional(Address),
  groups: Type.Array(Name, { minItems: 1 }),
});

/** A sluice.yaml as it is written. */
export const SluiceYaml = Exact({
  version: Type.Literal(1),
  workspaces: Type.Record(
    Name,
    Exact({
      stabilization: Type.Optional(Duration),
      executionGate: Type.Optional(Exact({ wait: Type.Optional(Duration), remind: Type.Optional(Duration) })),
      verificationGate: Type.Optional(Exact({ escalate: Type.Optional(Duration), skipAutomatic: Type.Optional(Type.Boolean()) })),
      autonomy: Type.Optional(Type.Enum([...autonomies])),
      approvers: Type.Optional(Type.Partial(Type.Record(Type.Enum([...reaches]), Type.Enum([...decidingRoles])), { additionalProperties: false })),
      breakGlass: Type.Optional(Type.Boolean()),
      escalation: Type.Optional(Exact({ after: Type.Optional(Duration), groups: Type.Optional(Type.Array(Name, { minItems: 1, maxItems: 10, uniqueItems: true })) })),
      evidence: Type.Optional(Exact({ valid: Duration })),
      cooldown: Type.Optional(Duration),
      breaker: Type.Optional(Exact({ tries: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })), within: Type.Optional(Duration) })),
      maxRounds: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
      // By the risk of the plan. A CRITICAL one never runs on one person's word.
      approvals: Type.Optional(Exact({ LOW: Approvals(1), MEDIUM: Approvals(1), HIGH: Approvals(1), CRITICAL: Approvals(2) })),
      onFailedVerification: Type.Optional(Type.Enum(['ask', 'rollBack'])),
      snapshots: Type.Optional(Exact({ keep: Duration })),
      // Temporal's schedules count in seconds.
      sweep: Type.Optional(Exact({ every: Between(1_000, 3_650 * DAY_MS) })),
      channels: Type.Optional(Type.Record(Name, ChannelSchema)),
      targets: Type.Record(Name, TargetSchema),
      alertRules: Type.Optional(
        Type.Array(Exact({ match: Type.Record(Type.String(), Type.String()), targets: Type.Array(Name, { minItems: 1 }) })),
      ),
    }),
    { minProperties: 1 },
  ),
});
export type SluiceYaml = Static<typeof SluiceYaml>;
export type WrittenWorkspace = SluiceYaml['workspaces'][string];
export type WrittenTarget = WrittenWorkspace['targets'][string];
export type WrittenChannel = NonNullable<WrittenWorkspace['channels']>[string];
