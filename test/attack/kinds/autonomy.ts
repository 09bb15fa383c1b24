import type { Chance } from '../chance.js';
import type { GateRow, Incident } from '../incident.js';
import { Breach, type Kind } from '../kind.js';
import type { Lane } from '../lane.js';
import type { Shape } from '../shapes.js';

interface Refused {
  readonly name: string;
  readonly shape: Shape;
  readonly meddle: (it: { readonly lane: Lane; readonly chance: Chance; readonly incident: Incident; readonly gate: GateRow }) => Promise<unknown>;
}
const swapPlan = (lane: Lane, incident: Incident, canonical: string) => lane.arena.sql('update plans set canonical = $2 where incident_id = $1', [incident.id, canonical]);
const canonicalOf = async (lane: Lane, { id }: Incident): Promise<string> => (await lane.arena.sql<{ canonical: string }>('select canonical from plans where incident_id = $1', [id]))[0]?.canonical ?? '';

const unsigned: readonly Refused[] = [
  { name: 'a gate for people that the record gives to the policy', shape: 'plain', meddle: ({ lane, gate }) => lane.arena.sql("update gates set mode = 'policy' where id = $1", [gate.id]) },
  {
    name: 'a gate for people that the record gives to the policy, and autonomy',
    shape: 'grave',
    async meddle({ lane, gate, incident }) {
      await incident.desk.changePolicy({ autonomy: 'confidence' });
      await lane.arena.sql("update gates set mode = 'policy' where id = $1", [gate.id]);
    },
  },
  {
    name: 'an observed gate that the record gives to the policy, and autonomy',
    shape: 'observed',
    async meddle({ lane, gate, incident }) {
      await incident.desk.changePolicy({ autonomy: 'confidence' });
      await lane.arena.sql("update gates set mode = 'policy' where id = $1", [gate.id]);
    },
  },
  {
    name: 'autonomy that the record has without a signature, or with that of an older policy',
    shape: 'auto',
    async meddle({ incident: { desk }, chance }) {
      await desk.changePolicy({ autonomy: 'supervised' });
      await desk.forgePolicy({}, chance.below(2) === 0);
    },
  },
  { name: 'a signed policy that the record loosens', shape: 'auto', meddle: ({ incident: { desk }, chance }) => desk.rewritePolicy({ maxTries: 1_000_001 + chance.below(100) }) },
  { name: 'autonomy revoked before the policy signs', shape: 'auto', meddle: ({ incident, chance }) => incident.desk.changePolicy({ autonomy: chance.pick(['supervised', 'observe']) }) },
  { name: 'kill switch before the policy signs', shape: 'auto', meddle: ({ lane, incident }) => lane.throwKillSwitch(incident.desk) },
  { name: 'gate expired before the policy signs', shape: 'auto', meddle: ({ lane, gate }) => lane.arena.sql("update gates set expires_at = now() - interval '1 second' where id = $1", [gate.id]) },
  { name: 'another text of the plan before the policy signs', shape: 'auto', meddle: async ({ lane, incident }) => swapPlan(lane, incident, (await canonicalOf(lane, incident)).replace('WHERE name = $1', 'WHERE true')) },
  { name: "another incident's plan before the policy signs", shape: 'auto', meddle: async ({ lane, incident }) => swapPlan(lane, incident, await canonicalOf(lane, await lane.take('auto'))) },
  {
    name: "another incident's plan and digest before the policy signs",
    shape: 'auto',
    async meddle({ lane, incident, gate }) {
      const other = await lane.take('auto');
      await swapPlan(lane, incident, await canonicalOf(lane, other));
      const { digest } = await other.gate('execution');
      for (const [table, id] of [['plans', 'incident_id'], ['gates', 'incident_id']] as const) await lane.arena.sql(`update ${table} set digest = $2 where ${id} = $1`, [incident.id, digest]);
      if (gate.digest === digest) throw new Error('two plans have one digest');
    },
  },
  { name: 'verification given to the policy', shape: 'auto', meddle: ({ lane, gate }) => lane.arena.sql("update gates set kind = 'verification' where id = $1", [gate.id]) },
];

/** Whoever wants the API to let run by policy what the policy does not let run: it signs nothing, and people are left to decide. */
export const autonomyKinds: readonly Kind[] = unsigned.map(
  ({ name, shape, meddle }): Kind => ({
    name,
    weight: 1,
    refusals: ['left to people'],
    async attempt(lane, chance) {
      const incident = await lane.take(shape);
      const gate = await incident.gate('execution');
      await meddle({ lane, chance, incident, gate });
      if (await lane.arena.approveByPolicy(gate.id)) throw new Breach('the policy signed for it');
      const said = await lane.arena.sql('select from decisions where gate_id = $1', [gate.id]);
      if (said.length > 0) throw new Breach('a decision was written, and nobody decided');
      return { incident, refusedAs: 'left to people', effects: 0 };
    },
  }),
);
