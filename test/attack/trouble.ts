import type { Detectors } from '../../activities/ports.js';
import type { RootCauseCategory, ScriptParameter } from '../../domain/root-cause.js';
import type { Fact, Signal } from '../../domain/signal.js';
import type { Target } from './target.js';

/** An actor deletes too much for as long as its row lets it; or a session that bears its name is idle or busy, and holds what others wait for. */
export const troubles = {
  deletes: { category: 'massDeletion', parameter: 'actor' },
  idle: { category: 'idleTransaction', parameter: 'backendStart' },
  busy: { category: 'longRunningQuery', parameter: 'backendStart' },
} as const satisfies Readonly<Record<string, { readonly category: RootCauseCategory; readonly parameter: ScriptParameter }>>;
export type Trouble = keyof typeof troubles;

export const createDetectors = (target: Target, actors: ReadonlyMap<string, string>, kinds: ReadonlyMap<string, Trouble>): Detectors => ({
  async measure(targets, { workspaceId, incidentId }) {
    const actor = actors.get(incidentId ?? '') ?? '';
    const isOn = await target.mayDelete(actor);
    const trouble = kinds.get(workspaceId) ?? 'deletes';
    const measured = targets.map(({ name }) => describe(trouble, name, actor, isOn));
    return { measuredAt: new Date().toISOString(), signals: measured.map(({ signal }) => signal), facts: measured.flatMap(({ facts }) => facts) };
  },
  readConfiguration: async () => ({ kind: 'unreadable', because: 'there is no such file' }),
});

function describe(trouble: Trouble, target: string, actor: string, isOn: boolean): { readonly signal: Signal; readonly facts: readonly Fact[] } {
  if (trouble === 'deletes') {
    const deletes = isOn ? 900 : 2;
    return {
      signal: { target, name: 'deletes', title: 'rows deleted', unit: 'count', value: deletes, threshold: 100, better: 'lower' },
      facts: [{ kind: 'deletesByActor', id: `${target}/deletes/${actor}`, target, actor, deletes }],
    };
  }
  const state = trouble === 'idle' ? 'idle in transaction' : 'active';
  const session = { kind: 'session', id: `${target}/session/1`, target, pid: 1, backendStart: actor, state, stateAgeMs: 90_000, applicationName: 'report', userName: 'shop', blocks: 9, isBlocked: false } as const;
  return { signal: { target, name: 'lockWait', title: 'longest lock wait', unit: 'ms', value: isOn ? 900 : 2, threshold: 100, better: 'lower' }, facts: isOn ? [session] : [] };
}
