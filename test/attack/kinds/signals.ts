import { randomUUID } from 'node:crypto';
import { cancelSignal, signalNameOf } from '../../../contracts/messages.js';
import type { Chance } from '../chance.js';
import type { Incident } from '../incident.js';
import type { Kind } from '../kind.js';
import type { Lane } from '../lane.js';
import { readRefusal } from '../meddle.js';

const names = { execution: 'execution gate', verification: 'verification gate', needsHuman: 'needsHuman gate', cancel: 'cancel' } as const;

interface Signal {
  readonly name: string;
  readonly refusals: readonly string[];
  readonly send: (incident: Incident, chance: Chance, lane: Lane) => Promise<unknown>;
}

const signals: readonly Signal[] = [
  {
    name: 'raw signal with a random id',
    refusals: [names.execution],
    send: ({ handle }, chance) => handle.signal(chance.pick(Object.values(signalNameOf)), { decisionId: chance.pick([chance.uuid(), chance.hex(8), '', "' or true --"]) }),
  },
  {
    name: 'raw signal that is malformed',
    refusals: [names.execution, names.verification, names.needsHuman],
    send: ({ handle }, chance) => handle.signal(chance.pick(Object.values(signalNameOf)), ...chance.pick([[], [null], ['approved'], [{ approved: true }], [{ decisionId: 1 }], [{ decisionId: [randomUUID()] }], [[{ decisionId: chance.uuid() }]]])),
  },
  {
    name: "raw signal with another incident's decision",
    refusals: [names.execution],
    async send({ handle }, _chance, lane) {
      const other = await lane.exhibit('half approved', 'grave', (incident) => incident.answer('execution', 'sam'));
      const [said] = await lane.arena.sql<{ id: string }>('select id from decisions where incident_id = $1', [other.id]);
      await handle.signal(signalNameOf.execution, { decisionId: said?.id });
    },
  },
  { name: 'raw cancel', refusals: [names.cancel], send: ({ handle }, chance) => handle.signal(cancelSignal.name, ...chance.pick([[{ decisionId: chance.uuid() }], [{ decisionId: 'x' }], [{}]])) },
];

/** Whoever has access to the Temporal namespace and says something there. */
export const signalKinds: readonly Kind[] = signals.map(({ name, refusals, send }) => ({
  name,
  weight: 8,
  refusals,
  async attempt(lane, chance) {
    const incident = await lane.waiting('plain');
    const seq = await incident.seq();
    await send(incident, chance, lane);
    return { incident, refusedAs: await readRefusal(incident, seq), effects: 0 };
  },
}));
