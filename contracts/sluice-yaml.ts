import { Type, type Static, type TProperties } from 'typebox';
import { Value } from 'typebox/value';
import { LineCounter, parseDocument, isNode, type Document } from 'yaml';
import { formatDuration, readDurationMs } from '../domain/duration.js';
import { units } from '../domain/signal.js';
import type { Detector, PostgresSignal, Target, Workspace } from '../domain/watch.js';

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
const Secret = Type.Union([Exact({ env: Type.String({ minLength: 1 }) }), Exact({ file: Type.String({ minLength: 1 }) })]);

const PostgresThresholds = Exact({
  queryLatency: Type.Optional(Duration),
  lockWait: Type.Optional(Duration),
  blockedSessions: Type.Optional(Count),
  idleInTransaction: Type.Optional(Duration),
  longQuery: Type.Optional(Duration),
  connectionsPercent: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 100 })),
});

const TargetSchema = Exact({
  kind: Type.Enum(['postgres', 'http', 'workspace']),
  connection: Type.Optional(Secret),
  url: Type.Optional(Type.Union([Type.String({ pattern: '^https?://' }), Secret])),
  executor: Type.Optional(Type.Literal('sql')),
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

const SluiceYaml = Exact({
  version: Type.Literal(1),
  workspaces: Type.Record(
    Name,
    Exact({
      stabilization: Type.Optional(Duration),
      executionGate: Type.Optional(Exact({ wait: Type.Optional(Duration), remind: Type.Optional(Duration) })),
      verificationGate: Type.Optional(Exact({ escalate: Type.Optional(Duration) })),
      maxRounds: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
      // Temporal's schedules count in seconds.
      sweep: Type.Optional(Exact({ every: Between(1_000, 3_650 * DAY_MS) })),
      targets: Type.Record(Name, TargetSchema),
      alertRules: Type.Optional(
        Type.Array(Exact({ match: Type.Record(Type.String(), Type.String()), targets: Type.Array(Name, { minItems: 1 }) })),
      ),
    }),
    { minProperties: 1 },
  ),
});
type SluiceYaml = Static<typeof SluiceYaml>;

export class WrongSluiceYaml extends Error {
  override readonly name = 'WrongSluiceYaml';
}

const MAX_ALIASES = 100;

type Path = readonly (string | number)[];
interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** Reads the text of a sluice.yaml. Throws `WrongSluiceYaml` that names every mistake with its line. */
export function readSluiceYaml(text: string, file = 'sluice.yaml'): readonly Workspace[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const lineOf = (path: Path): number => lines.linePos(findOffset(document, path)).line;
  const fail = (mistakes: readonly string[]): never => {
    throw new WrongSluiceYaml(`${file} is wrong:\n  ${[...new Set(mistakes)].join('\n  ')}`);
  };
  if (document.errors.length > 0) {
    fail(document.errors.map((error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? ''}`));
  }
  let content: unknown;
  try {
    // Aliases are looked up only here, and a few that name each other could grow without end.
    content = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    return fail([error instanceof Error ? error.message : String(error)]);
  }
  if (!Value.Check(SluiceYaml, content)) {
    // A key that no schema has is reported twice: at its object, and as a value that no schema allows.
    const errors = Value.Errors(SluiceYaml, content)
      .filter(({ keyword }) => keyword !== 'additionalProperties')
      .map(({ instancePath, keyword, message }): Mistake => ({ path: instancePath.split('/').slice(1), message: keyword === 'boolean' ? 'is unknown here' : message }));
    return fail(errors.map(({ path, message }) => `line ${lineOf(path)}: ${path.join('.') || 'the document'} ${message}`));
  }
  const mistakes = findMistakes(content);
  if (mistakes.length > 0) fail(mistakes.map(({ path, message }) => `line ${lineOf(path)}: ${path.join('.')} ${message}`));
  return Object.entries(content.workspaces).map(([id, workspace]) => toWorkspace(id, workspace));
}

function findOffset(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/** What a schema cannot say: that each kind has what it needs, and that rules name targets that exist. */
function findMistakes({ workspaces }: SluiceYaml): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  for (const [id, workspace] of Object.entries(workspaces)) {
    for (const [name, target] of Object.entries(workspace.targets)) {
      const path = ['workspaces', id, 'targets', name];
      const needs = { postgres: 'connection', http: 'url', workspace: 'activeIncidents' } as const;
      const needed = needs[target.kind];
      if (target[needed] === undefined) mistakes.push({ path, message: `is of kind ${target.kind} and needs ${needed}` });
      const allowed: readonly string[] = {
        postgres: ['connection', 'executor', 'postgres', 'auditLog'],
        http: ['url', 'probe'],
        workspace: ['activeIncidents'],
      }[target.kind];
      for (const key of Object.keys(target)) {
        if (key !== 'kind' && !allowed.includes(key)) mistakes.push({ path: [...path, key], message: `does not belong to kind ${target.kind}` });
      }
    }
    for (const [index, rule] of (workspace.alertRules ?? []).entries()) {
      for (const name of rule.targets) {
        if (!Object.hasOwn(workspace.targets, name)) mistakes.push({ path: ['workspaces', id, 'alertRules', index, 'targets'], message: `names ${name}, which is no target` });
      }
    }
  }
  return mistakes;
}

const ms = (text: string | undefined, fallback: string): number => readDurationMs(text ?? fallback) ?? 0;

function toWorkspace(id: string, workspace: SluiceYaml['workspaces'][string]): Workspace {
  const { executionGate = {}, verificationGate = {} } = workspace;
  return {
    id,
    targets: Object.entries(workspace.targets).map(([name, target]) => toTarget(name, target)),
    alertRules: workspace.alertRules ?? [],
    sweepEveryMs: workspace.sweep === undefined ? null : ms(workspace.sweep.every, '1m'),
    policy: {
      stabilizationMs: ms(workspace.stabilization, '60s'),
      gateWaitMs: ms(executionGate.wait, '24h'),
      gateRemindMs: ms(executionGate.remind, '1h'),
      verificationEscalateMs: ms(verificationGate.escalate, '24h'),
      maxRounds: workspace.maxRounds ?? 3,
    },
  };
}

function toTarget(name: string, target: Static<typeof TargetSchema>): Target {
  const detectors = toDetectors(target);
  switch (target.kind) {
    case 'postgres':
      return { kind: 'postgres', name, connection: target.connection ?? { env: '' }, executor: target.executor ?? null, detectors };
    case 'http':
      return { kind: 'http', name, url: target.url ?? '', detectors };
    case 'workspace':
      return { kind: 'workspace', name, detectors };
  }
}

function toDetectors({ kind, postgres, auditLog, probe, activeIncidents }: Static<typeof TargetSchema>): readonly Detector[] {
  const detectors: Detector[] = [];
  if (kind === 'postgres' && postgres !== undefined) {
    const { connectionsPercent, blockedSessions, ...durations } = postgres;
    const thresholds: Partial<Record<PostgresSignal, number>> = {};
    for (const signal of ['queryLatency', 'lockWait', 'idleInTransaction', 'longQuery'] as const) {
      const text = durations[signal];
      if (text !== undefined) thresholds[signal] = ms(text, '1s');
    }
    if (blockedSessions !== undefined) thresholds.blockedSessions = blockedSessions;
    if (connectionsPercent !== undefined) thresholds.connections = connectionsPercent;
    detectors.push({ kind: 'postgres', thresholds });
  }
  if (auditLog !== undefined) {
    const { table, actionColumn = 'action', actorColumn = 'actor', timeColumn = 'created_at', window, maxDeletes } = auditLog;
    detectors.push({ kind: 'audit-log', table, actionColumn, actorColumn, timeColumn, windowMs: ms(window, '1m'), maxDeletes });
  }
  if (kind === 'http') {
    detectors.push({
      kind: 'http-probe',
      path: probe?.path ?? '/',
      timeoutMs: ms(probe?.timeout, '5s'),
      availabilityPercent: probe?.availabilityPercent ?? 99,
      latencyMs: ms(probe?.latency, '2s'),
      readings: probe?.readings ?? [],
    });
  }
  if (activeIncidents !== undefined) detectors.push({ kind: 'active-incidents', maxIncidents: activeIncidents.max });
  return detectors;
}
