import type { GateRow, Incident } from '../incident.js';
import { Breach, type Attempt, type Kind } from '../kind.js';
import type { Lane } from '../lane.js';
import { readRefusal } from '../meddle.js';
import { claimRaw, resetToGate, runRaw } from '../raw.js';
import { until } from '../../harness/until.js';
import type { Chance } from '../chance.js';

interface Reuse {
  readonly name: string;
  readonly refusals: readonly string[];
  /** What is tried once the plan ran; answers with the name of the refusal. */
  readonly again: (reused: { readonly lane: Lane; readonly chance: Chance; readonly incident: Incident; readonly gate: GateRow }) => Promise<string>;
}

async function resetAndRead(lane: Lane, incident: Incident): Promise<string> {
  const seq = await incident.seq();
  await resetToGate(lane, incident);
  return readRefusal(incident, seq);
}
const claimOf = async (lane: Lane, { id }: Incident): Promise<string> => (await lane.arena.sql<{ claim_id: string }>("select claim_id from executions where incident_id = $1 and kind = 'execute'", [id]))[0]?.claim_id ?? '';
const breakAgain = ({ lane, incident }: { readonly lane: Lane; readonly incident: Incident }) => lane.arena.target.set(incident.actor, 'all');

const reuses: readonly Reuse[] = [
  { name: 'reset with signals re-applied, after the run', refusals: ['alreadyUsed'], again: ({ lane, incident }) => resetAndRead(lane, incident) },
  {
    name: 'reset after the run, with the trouble back',
    refusals: ['alreadyUsed'],
    async again(it) {
      await breakAgain(it);
      return resetAndRead(it.lane, it.incident);
    },
  },
  {
    name: 'ledger row deleted, trouble back, reset',
    refusals: ['alreadyUsed'],
    async again(it) {
      await it.lane.arena.sql('delete from executions where incident_id = $1', [it.incident.id]);
      await breakAgain(it);
      return resetAndRead(it.lane, it.incident);
    },
  },
  {
    name: 'ledger row renamed, trouble back, claimed again',
    refusals: ['alreadyUsed'],
    async again(it) {
      const { lane, chance, incident, gate } = it;
      await lane.arena.sql('update executions set key = $2, grant_id = $3, digest = $4, incident_id = $5 where incident_id = $1', [incident.id, chance.hex(32), chance.uuid(), chance.pick([gate.digest, chance.hex(64)]), chance.uuid()]);
      await breakAgain(it);
      return claimRaw(lane, incident, gate);
    },
  },
  {
    name: 'ledger row set back, trouble back, run again',
    refusals: ['it was called off before it began'],
    async again(it) {
      await it.lane.arena.sql("update executions set state = 'claimed', handle = null, started_at = null, ended_at = null where incident_id = $1", [it.incident.id]);
      await breakAgain(it);
      return runRaw(it.lane, it.incident, it.gate, await claimOf(it.lane, it.incident));
    },
  },
  { name: 'claimed again under another id', refusals: ['alreadyUsed'], again: ({ lane, incident, gate }) => claimRaw(lane, incident, gate) },
  {
    name: 'run again under the claim that ran',
    refusals: ['executed'],
    async again(it) {
      await breakAgain(it);
      return runRaw(it.lane, it.incident, it.gate, await claimOf(it.lane, it.incident));
    },
  },
  {
    name: 'terminated after the run and started again, with the trouble back',
    refusals: ['a person is asked'],
    async again(it) {
      await it.incident.handle.terminate('attack');
      await breakAgain(it);
      await it.incident.start();
      await it.incident.gate('needsHuman');
      return 'a person is asked';
    },
  },
];

const afterTheRun: readonly Kind[] = reuses.map(({ name, refusals, again }) => ({
  name,
  weight: 1,
  refusals,
  async attempt(lane, chance): Promise<Attempt> {
    const incident = await lane.take('plain');
    const gate = await incident.gate('execution');
    await incident.run();
    return { incident, refusedAs: await again({ lane, chance, incident, gate }), effects: 1 };
  },
}));

/** An approval that the workflow did not hear, for a gate that is asked no more. */
async function outlive(lane: Lane, again: (incident: Incident) => Promise<unknown>): Promise<Attempt> {
  const incident = await lane.take('plain');
  const gate = await incident.gate('execution');
  const decisionId = await incident.decide(gate, 'ana');
  await again(incident);
  const asked = await until('another gate', async () => {
    const open = await incident.gate('execution');
    return open.id !== gate.id && open;
  });
  const handle = lane.arena.client.workflow.getHandle(incident.handle.workflowId);
  await incident.signal('execution', decisionId, handle);
  // Answered after the signal was heard.
  await handle.query('view');
  if ((await incident.gate('execution')).id !== asked.id) throw new Breach('an approval of an older gate closed the new one');
  return { incident, refusedAs: 'asked again', effects: 0 };
}

/** Approvals used twice, or for another run of the workflow than the one that asked. */
export const reuseKinds: readonly Kind[] = [
  ...afterTheRun,
  {
    name: 'reset before the run, approved by the gate that is gone',
    weight: 1,
    refusals: ['asked again'],
    attempt: (lane) =>
      outlive(lane, async (incident) => {
        // To the very beginning, where no gate was open yet.
        await resetToGate(lane, incident);
      }),
  },
  { name: 'terminated before the run and started again', weight: 1, refusals: ['asked again'], attempt: (lane) => outlive(lane, async (incident) => {
    await incident.handle.terminate('attack');
    await incident.start();
  }) },
  {
    name: 'claimed by whoever may call activities, without an approval',
    weight: 4,
    refusals: ['gateNotApproved', 'gateMissing', 'planMissing', 'alreadyUsed'],
    async attempt(lane, chance) {
      const incident = await lane.waiting('plain');
      const gate = await incident.gate('execution');
      const other = await lane.exhibit('ran', 'plain', (ran) => ran.run());
      const approved = (await lane.arena.sql<GateRow>("select * from gates where incident_id = $1 and state = 'approved'", [other.id]))[0];
      const asked = chance.pick([gate, { ...gate, id: approved?.id ?? '' }, { ...gate, digest: approved?.digest ?? '' }, { ...gate, digest: chance.hex(64) }, { ...gate, id: chance.uuid() }]);
      return { incident, refusedAs: await claimRaw(lane, incident, asked), effects: 0 };
    },
  },
  {
    name: 'run by whoever may call activities, without a claim',
    weight: 4,
    refusals: ['ClaimMissing', 'the plan in the record is not the one that was approved'],
    async attempt(lane, chance) {
      const incident = await lane.waiting('plain');
      const gate = await incident.gate('execution');
      return { incident, refusedAs: await runRaw(lane, incident, chance.pick([gate, gate, { ...gate, digest: chance.hex(64) }]), chance.uuid()), effects: 0 };
    },
  },
  {
    name: 'run twice at once under one claim',
    weight: 1,
    refusals: ['executed', 'recovered', 'changed since it was rehearsed', 'is not as it was when the plan was approved', 'another worker has begun a step meanwhile'],
    async attempt(lane) {
      const incident = await lane.take('plain');
      const gate = await incident.gate('execution');
      let second: Promise<string> | undefined;
      lane.arena.ambushes.set(incident.id, {
        afterClaim: async () => {
          second ??= claimOf(lane, incident).then((claimId) => runRaw(lane, incident, gate, claimId));
        },
      });
      await incident.signal('execution', await incident.decide(gate, 'ana'));
      await incident.next(gate);
      const said = (await second) ?? 'nothing';
      const [row] = await lane.arena.sql<{ state: string }>("select state from executions where incident_id = $1 and kind = 'execute'", [incident.id]);
      if (row?.state !== 'succeeded') throw new Breach(`it ran, and the ledger says ${row?.state}; the second was told: ${said}`);
      return { incident, refusedAs: /changed since it was rehearsed|is not as it was when the plan was approved|another worker has begun a step meanwhile/.exec(said)?.[0] ?? said, effects: 1 };
    },
  },
];
