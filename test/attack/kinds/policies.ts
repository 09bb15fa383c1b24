import { until } from '../../harness/until.js';
import type { Policy } from '../../../domain/policy.js';
import type { Chance } from '../chance.js';
import type { GateRow, Incident } from '../incident.js';
import { Breach, type Kind } from '../kind.js';
import type { Lane } from '../lane.js';
import { readRefusal } from '../meddle.js';
import type { Shape } from '../shapes.js';
import { approversWith } from '../../builders.js';

interface Overtaken {
  readonly name: string;
  readonly refusals: readonly string[];
  readonly shape: Shape;
  /** How it was approved; honestly, as far as it goes. Answers with the last decision. */
  readonly approve?: (incident: Incident, gate: GateRow) => Promise<string>;
  /** What is different before the workflow hears of it. */
  readonly meanwhile: (overtaken: { readonly lane: Lane; readonly chance: Chance; readonly incident: Incident; readonly gate: GateRow }) => Promise<unknown>;
  /** Whether this is what the incident has to wait for after the refusal; null where it tries the same again. */
  readonly goesOn: null | ((gate: GateRow & { readonly mode: string; readonly approvals_needed: number; readonly role_needed: string }) => boolean);
}

const stricter = (change: Partial<Policy>) => ({ incident }: { readonly incident: Incident }) => incident.desk.changePolicy(change);
const all = (count: number): Policy['approvals'] => ({ LOW: count, MEDIUM: count, HIGH: count, CRITICAL: count });
const breakGlass = (incident: Incident, gate: GateRow) => incident.decide(gate, 'sam', 'breakGlass');
const runs = async (lane: Lane, shape: Shape): Promise<void> => void (await (await lane.take(shape)).run());

const overtaken: readonly Overtaken[] = [
  { name: 'more approvals by the policy of today', refusals: ['tooFewApprovals'], shape: 'plain', meanwhile: stricter({ approvals: all(2) }), goesOn: (gate) => gate.approvals_needed === 2 },
  { name: 'a higher role by the policy of today', refusals: ['roleTooLow'], shape: 'plain', meanwhile: stricter({ approvers: approversWith({ session: 'admin', row: 'supervisor', file: 'admin' }) }), goesOn: (gate) => gate.role_needed === 'supervisor' },
  { name: 'observed by the policy of today', refusals: ['observeOnly'], shape: 'plain', meanwhile: stricter({ autonomy: 'observe' }), goesOn: (gate) => gate.mode === 'nobody' },
  { name: 'observed by the policy of today, approved by two who typed it', refusals: ['observeOnly'], shape: 'grave', meanwhile: stricter({ autonomy: 'observe' }), goesOn: (gate) => gate.mode === 'nobody' },
  { name: 'the glass broken, and then the policy has none', refusals: ['breakGlassOff'], shape: 'grave', approve: breakGlass, meanwhile: stricter({ breakGlass: false }), goesOn: (gate) => gate.mode === 'people' && gate.approvals_needed === 2 },
  { name: 'the glass broken, and then it is only observed', refusals: ['observeOnly'], shape: 'plain', approve: breakGlass, meanwhile: stricter({ autonomy: 'observe' }), goesOn: (gate) => gate.mode === 'nobody' },
  { name: 'autonomy revoked between approval and claim', refusals: ['autonomyRevoked'], shape: 'auto', meanwhile: stricter({ autonomy: 'supervised' }), goesOn: (gate) => gate.kind === 'execution' && gate.mode === 'people' },
  {
    name: 'autonomy revoked between approval and claim, and put back in the record',
    refusals: ['autonomyRevoked'],
    shape: 'auto',
    async meanwhile({ incident: { desk }, chance }) {
      await desk.changePolicy({ autonomy: 'supervised' });
      await desk.forgePolicy({}, chance.below(2) === 0);
    },
    goesOn: (gate) => gate.kind === 'execution' && gate.mode === 'people',
  },
  { name: 'autonomy made to observe between approval and claim', refusals: ['observeOnly'], shape: 'auto', meanwhile: stricter({ autonomy: 'observe' }), goesOn: (gate) => gate.mode === 'nobody' },
  {
    name: 'autonomy in the cooldown after another fix',
    refusals: ['autonomyRevoked'],
    shape: 'auto',
    async meanwhile({ lane, incident }) {
      await runs(lane, 'auto');
      await incident.desk.changePolicy({ autonomy: 'confidence', cooldownMs: 3_600_000 });
    },
    goesOn: (gate) => gate.mode === 'people' && gate.role_needed === 'supervisor',
  },
  {
    name: 'approved by a responder, and then in the cooldown',
    refusals: ['roleTooLow'],
    shape: 'plain',
    async meanwhile({ lane, incident }) {
      await runs(lane, 'plain');
      await incident.desk.changePolicy({ cooldownMs: 3_600_000 });
    },
    goesOn: (gate) => gate.role_needed === 'supervisor',
  },
  {
    name: 'more tries than the breaker allows',
    refusals: ['forbidden'],
    shape: 'plain',
    async meanwhile({ lane, incident }) {
      await runs(lane, 'plain');
      await incident.desk.changePolicy({ maxTries: 1 });
    },
    goesOn: (gate) => gate.kind === 'needsHuman',
  },
  {
    name: 'more tries than the breaker allows, the glass broken',
    refusals: ['forbidden'],
    shape: 'plain',
    approve: breakGlass,
    async meanwhile({ lane, incident }) {
      await runs(lane, 'plain');
      await incident.desk.changePolicy({ maxTries: 1 });
    },
    goesOn: (gate) => gate.kind === 'needsHuman',
  },
  {
    name: 'a second incident while another changes the target',
    refusals: ['targetBusy'],
    shape: 'plain',
    async meanwhile({ lane, chance }) {
      const other = await lane.take('plain');
      await new Promise<void>((claimed, failed) => {
        const hold = async (): Promise<void> => {
          claimed();
          // What is still claimed when the try is over is called off.
          await until('the end of the try', async () => (await lane.arena.sql("select from executions where incident_id = $1 and state = 'claimed'", [other.id])).length === 0);
        };
        lane.arena.ambushes.set(other.id, chance.pick([{ afterClaim: hold }, { beforeRun: hold }]));
        other.approve().then((decisionId) => other.signal('execution', decisionId)).catch(failed);
      });
    },
    goesOn: null,
  },
];

/** The new gate, with all that it asks for, once the plan was made anew. */
async function readNext(lane: Lane, incident: Incident, gate: GateRow) {
  const next = await incident.next(gate);
  const [row] = await lane.arena.sql<GateRow & { readonly mode: string; readonly approvals_needed: number; readonly role_needed: string }>('select * from gates where id = $1', [next?.id]);
  return row;
}

/** What was approved by the policy of then and is claimed under that of now: nothing runs, and people are asked anew. */
export const policyKinds: readonly Kind[] = overtaken.map(({ name, refusals, shape, approve, meanwhile, goesOn }) => ({
  name,
  weight: 1,
  refusals,
  async attempt(lane, chance) {
    const incident = await lane.take(shape);
    const gate = await incident.gate('execution');
    const decisionId = await (approve === undefined ? incident.approve() : approve(incident, gate));
    const seq = await incident.seq();
    await meanwhile({ lane, chance, incident, gate });
    await incident.signal('execution', decisionId);
    const refusedAs = await readRefusal(incident, seq);
    if (goesOn === null) {
      // What was approved honestly would run as soon as the other is done.
      await incident.end();
      return { incident, refusedAs, effects: 0 };
    }
    const next = await readNext(lane, incident, gate);
    if (next === undefined || !goesOn(next)) throw new Breach(`refused as ${refusedAs}, and then it waits for ${JSON.stringify(next ?? null)}`);
    return { incident, refusedAs, effects: 0 };
  },
}));
