import type { Trigger } from './postgres-tap.js';

export const stepTypes = ['session', 'data', 'config', 'rollout', 'script'] as const;
export type StepType = (typeof stepTypes)[number];
export const moments = ['before', 'after'] as const;
export type Moment = (typeof moments)[number];
export const victims = ['worker', 'api', 'postgres', 'temporal', 'runner'] as const;
export type Victim = (typeof victims)[number];
/** What runs all the time. A runner is there only while its script runs. */
export type Living = Exclude<Victim, 'runner'>;
export const isLiving = (victim: Victim): victim is Living => victim !== 'runner';

/** Where the moment shows: in what is said to Sluice's own Postgres or to the target's, or in the target itself, which was changed. */
export type Spot = { readonly on: 'record' | 'target'; readonly trigger: Trigger } | { readonly on: 'change' };

export interface Point {
  /** Whose message is held. */
  readonly speaker: 'api' | 'worker';
  /** Before what the harness does the trap is set; a rollback writes the same as what it takes back. */
  readonly armBefore: 'alert' | 'rollback';
  readonly spots: (stepType: StepType, seed: number) => Readonly<Record<Moment, Spot>> | null;
}

type Tested = Pick<Trigger, 'within' | 'answer'>;

/** Before and after what a statement writes is durable. */
const written = (statement: RegExp, more: Tested = {}, on: 'record' | 'target' = 'record'): Readonly<Record<Moment, Spot>> => ({
  before: { on, trigger: { statement, ...more, until: 'durable', hold: 'request' } },
  after: { on, trigger: { statement, ...more, until: 'durable', hold: 'answer' } },
});

/** Before: the worker holds the row that says what to tell Temporal. After: Temporal was told, and for every other seed that is noted, too. */
const delivered = (message: RegExp) => (_stepType: StepType, seed: number): Readonly<Record<Moment, Spot>> => ({
  before: { on: 'record', trigger: { statement: /^select [^]* from "outbox"/, answer: message, until: 'itself', hold: 'answer' } },
  after: {
    on: 'record',
    trigger: { statement: /^update "outbox" set [^]*"delivered_at" = now\(\)/, within: message, until: 'durable', hold: seed % 2 === 0 ? 'answer' : 'request' },
  },
});

const begun = written(/^update "executions" set "state" = \$1[^\n]*\nstarted\n/);
const ended = written(/^update "executions" set "state" = \$1[^\n]*\nsucceeded\n/);
const always = (spots: Readonly<Record<Moment, Spot>>) => () => spots;
/** Session control keeps no snapshot and has no way back. */
const unlessSession = (spots: Readonly<Record<Moment, Spot>>) => (stepType: StepType) => (stepType === 'session' ? null : spots);

const terminate: Trigger = { statement: /pg_terminate_backend/, until: 'itself', hold: 'request' };
/** The change itself, as the target sees it. */
const change: Readonly<Record<StepType, Readonly<Record<Moment, Spot>>>> = {
  session: { before: { on: 'target', trigger: terminate }, after: { on: 'target', trigger: { ...terminate, hold: 'answer' } } },
  data: written(/^update app\.actors/i, {}, 'target'),
  config: { before: begun.after, after: { on: 'change' } },
  rollout: { before: begun.after, after: { on: 'change' } },
  script: { before: begun.after, after: { on: 'change' } },
};

/** The points of an incident's life at which something is killed, in order. */
export const points = {
  alertCommit: { speaker: 'api', armBefore: 'alert', spots: always(written(/^insert into "incidents"/)) },
  workflowStart: { speaker: 'worker', armBefore: 'alert', spots: delivered(/"kind": "start"/) },
  gateRowSettled: { speaker: 'api', armBefore: 'alert', spots: always(written(/^update "gates" set "state"/, { within: /insert into "decisions"/ })) },
  signalSent: { speaker: 'worker', armBefore: 'alert', spots: delivered(/"kind": "decision"/) },
  claim: { speaker: 'worker', armBefore: 'alert', spots: always(written(/^insert into "executions"/)) },
  snapshot: { speaker: 'worker', armBefore: 'alert', spots: unlessSession(written(/^update "executions" set [^\n]*"snapshot" = /)) },
  launch: { speaker: 'worker', armBefore: 'alert', spots: always(begun) },
  midRun: { speaker: 'worker', armBefore: 'alert', spots: (stepType) => change[stepType] },
  exitWritten: { speaker: 'worker', armBefore: 'alert', spots: always(ended) },
  resultReported: { speaker: 'worker', armBefore: 'alert', spots: always(written(/^insert into "tail"[^]*\nexecute:/)) },
  verification: { speaker: 'worker', armBefore: 'alert', spots: always(written(/^insert into "tail"[^]*\nverify:/)) },
  rollbackStart: { speaker: 'worker', armBefore: 'rollback', spots: unlessSession(begun) },
  rollbackEnd: { speaker: 'worker', armBefore: 'rollback', spots: unlessSession(ended) },
} as const satisfies Record<string, Point>;
export type PointName = keyof typeof points;
export const pointNames = Object.keys(points) as readonly PointName[];

/** Why nothing can be killed there; null where something can. */
export function whyNone(point: PointName, moment: Moment, victim: Victim, stepType: StepType): string | null {
  if (points[point].spots(stepType, 1) === null) return 'session control keeps no snapshot and has no way back';
  if (victim !== 'runner') return null;
  if (stepType !== 'script') return 'only scripts have a runner';
  return point === 'midRun' && moment === 'after' ? null : 'its runner is there only while it runs';
}
