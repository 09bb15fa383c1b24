import { createHash } from 'node:crypto';
import { Fault } from '../../activities/faults.js';
import type { Change, ChangeOptions, ChangeResult, Executor } from '../../activities/ports.js';
import type { Step } from '../../domain/plan.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One value on one target, in memory. A step sets it; taking it back puts back what was there. */
export interface FakeValue {
  value: string;
  /** How often it was changed, by whomever. */
  changes: number;
}

export const openValue = (value: string): FakeValue => ({ value, changes: 0 });

interface Handle {
  readonly transaction: number;
  readonly left: string;
}

/** Changes a value like a database does: in transactions that commit or never will. `toValue` says what a step makes of it. */
export function createFakeExecutor(store: FakeValue, toValue: (step: Pick<Step, 'parameters'>) => string): Executor {
  const committed = new Set<number>();
  const given = new Set<number>();
  let transactions = 0;
  const readHandle = (handle: string): Handle => JSON.parse(handle);

  async function set(left: string, { begin, onOutput }: ChangeOptions): Promise<ChangeResult> {
    const before = store.value;
    const transaction = (transactions += 1);
    await begin(JSON.stringify({ transaction, left } satisfies Handle));
    // Somebody has settled it meanwhile, or somebody else was here.
    if (given.has(transaction) || store.value !== before) return { kind: 'failed', summary: 'the transaction is gone', changed: false };
    store.value = left;
    store.changes += 1;
    committed.add(transaction);
    onOutput(`set to ${left}`);
    return { kind: 'done', summary: `set to ${left}` };
  }

  return {
    async rehearse(_workspaceId, step) {
      return {
        found: true,
        lines: [`${store.value} → ${toValue(step)}`],
        wayBack: { kind: 'snapshot', of: 'rows' },
        pins: { before: sha256(store.value), after: null },
      };
    },
    async snapshot(_workspaceId, step) {
      if (sha256(store.value) !== step.pins?.before) throw new Fault('targetChanged', 'somebody changed the value');
      return store.value;
    },
    async run(_workspaceId, change, options) {
      if (change.kind === 'execute') {
        return store.value === change.snapshot ? set(toValue(change.step), options) : { kind: 'conflict', summary: 'somebody changed the value' };
      }
      const { snapshot, step, left } = change;
      if (sha256(snapshot) !== step.pins?.before) return { kind: 'failed', summary: 'the snapshot is another one', changed: false };
      if (store.value === snapshot) return { kind: 'done', summary: 'it is as it was' };
      return store.value === readHandle(left).left ? set(snapshot, options) : { kind: 'conflict', summary: 'somebody changed the value since' };
    },
    async settle(_workspaceId: string, _change: Change, handle) {
      const { transaction, left } = readHandle(handle);
      if (committed.has(transaction)) return { kind: 'done', summary: `set to ${left}` };
      given.add(transaction);
      return { kind: 'notDone' };
    },
  };
}
