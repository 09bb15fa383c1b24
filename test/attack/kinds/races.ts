import { setTimeout as wait } from 'node:timers/promises';
import type { LightMyRequestResponse } from 'fastify';
import type { Chance } from '../chance.js';
import type { GateRow, Incident } from '../incident.js';
import { Breach, type Kind, problemOf } from '../kind.js';
import { readRefusal } from '../meddle.js';
import type { Caller } from '../shapes.js';

const say = async (incident: Incident, gate: GateRow, caller: Caller, chance: Chance, verdict = 'approve'): Promise<LightMyRequestResponse> => {
  await wait(chance.below(6));
  return incident.desk.decide(caller, incident, { gateId: gate.id, digest: gate.digest, verdict, confirmation: incident.desk.title, reason: 'seen' });
};
const isCounted = ({ statusCode }: LightMyRequestResponse): boolean => statusCode === 200;
const idOf = (reply: LightMyRequestResponse): string => reply.json<{ readonly decisionId: string }>().decisionId;

/** Tells the workflow of all that counted, in an order by chance, and waits until it has run. */
async function runWith(incident: Incident, replies: readonly LightMyRequestResponse[], chance: Chance): Promise<void> {
  const told = replies.filter(isCounted);
  for (const reply of chance.below(2) === 0 ? told : told.toReversed()) await incident.signal('execution', idOf(reply));
  await incident.gate('verification');
}

function theOther(replies: readonly LightMyRequestResponse[]): string {
  const refused = replies.filter((reply) => !isCounted(reply));
  if (refused.length !== 1 || refused[0] === undefined) throw new Breach(`${refused.length} of ${replies.length} were refused: ${replies.map(({ body }) => body).join(' ')}`);
  return problemOf(refused[0]);
}

/** Two things at the same moment: what people are told is what comes true. */
export const raceKinds: readonly Kind[] = [
  {
    name: 'expiry racing approval',
    weight: 2,
    refusals: ['gate-expired', 'gate-closed', 'approved in time'],
    async attempt(lane, chance) {
      const incident = await lane.take('hasty');
      const gate = await incident.gate('execution');
      await wait(Math.max(0, gate.expires_at.getTime() - Date.now() - 60 + chance.below(120)));
      const reply = await say(incident, gate, 'ana', chance);
      if (!isCounted(reply)) {
        const outcome: unknown = await incident.handle.result();
        if (outcome !== 'EXPIRED') throw new Breach(`somebody was told that it has expired, and it ended as ${String(outcome)}`);
        return { incident, refusedAs: problemOf(reply), effects: 0 };
      }
      await wait(chance.below(400));
      await incident.signal('execution', idOf(reply));
      await incident.gate('verification');
      return { incident, refusedAs: 'approved in time', effects: 1 };
    },
  },
  {
    name: 'two approvals racing where one is needed',
    weight: 1,
    refusals: ['gate-closed'],
    async attempt(lane, chance) {
      const incident = await lane.take('plain');
      const gate = await incident.gate('execution');
      const replies = await Promise.all([say(incident, gate, 'ana', chance), say(incident, gate, 'bo', chance)]);
      const refusedAs = theOther(replies);
      await runWith(incident, replies, chance);
      return { incident, refusedAs, effects: 1 };
    },
  },
  {
    name: 'two approvals racing where two are needed, and a third',
    weight: 1,
    refusals: ['gate-closed', 'already-decided'],
    async attempt(lane, chance) {
      const incident = await lane.take('grave');
      const gate = await incident.gate('execution');
      const replies = await Promise.all((['sam', 'sue', chance.pick(['sam', 'sue'] as const)] as const).map((caller) => say(incident, gate, caller, chance)));
      const refusedAs = theOther(replies);
      await runWith(incident, replies, chance);
      return { incident, refusedAs, effects: 1 };
    },
  },
  {
    name: 'one person racing herself where two are needed',
    weight: 1,
    refusals: ['already-decided'],
    async attempt(lane, chance) {
      const incident = await lane.take('grave');
      const gate = await incident.gate('execution');
      const replies = await Promise.all([say(incident, gate, 'sam', chance), say(incident, gate, 'sam', chance)]);
      const refusedAs = theOther(replies);
      for (const reply of replies.filter(isCounted)) await incident.signal('execution', idOf(reply));
      await incident.handle.query('view');
      if ((await incident.gate('execution')).id !== gate.id) throw new Breach('the gate did not go on waiting for somebody else');
      return { incident, refusedAs, effects: 0 };
    },
  },
  {
    name: 'one person racing herself with two tokens, a JWT and another spelling',
    weight: 1,
    refusals: ['already-decided'],
    async attempt(lane, chance) {
      const incident = await lane.take('paired');
      const gate = await incident.gate('execution');
      const { desk, id } = incident;
      const tokens = [desk.tokenOf('ana'), await desk.mint('ana', 'supervisor'), await desk.mint('Ana', 'responder'), await lane.arena.issuer.sign({ preferred_username: 'ana', groups: [desk.groupOf('responder')] })];
      const replies = await Promise.all(
        tokens.map(async (token) => {
          await wait(chance.below(6));
          return desk.send(`Bearer ${token}`, `/api/incidents/${id}/decisions`, { gateId: gate.id, digest: gate.digest, verdict: 'approve' });
        }),
      );
      const counted = replies.filter(isCounted);
      const [refused] = replies.filter((reply) => !isCounted(reply));
      if (counted.length !== 1 || refused === undefined) throw new Breach(`${counted.length} of her approvals counted: ${replies.map(({ body }) => body).join(' ')}`);
      for (const reply of counted) await incident.signal('execution', idOf(reply));
      await incident.handle.query('view');
      if ((await incident.gate('execution')).id !== gate.id) throw new Breach('the gate did not go on waiting for somebody else');
      return { incident, refusedAs: problemOf(refused), effects: 0 };
    },
  },
  {
    name: 'approval racing rejection',
    weight: 1,
    refusals: ['gate-closed'],
    async attempt(lane, chance) {
      const incident = await lane.take('plain');
      const gate = await incident.gate('execution');
      const replies = await Promise.all([say(incident, gate, 'ana', chance), say(incident, gate, 'bo', chance, 'reject')]);
      const refusedAs = theOther(replies);
      const [approval] = replies;
      if (isCounted(approval)) await runWith(incident, replies, chance);
      else {
        for (const reply of replies.filter(isCounted)) await incident.signal('execution', idOf(reply));
        const outcome: unknown = await incident.handle.result();
        if (outcome !== 'REJECTED') throw new Breach(`somebody was told that it is rejected, and it ended as ${String(outcome)}`);
      }
      return { incident, refusedAs, effects: isCounted(approval) ? 1 : 0 };
    },
  },
  {
    name: 'kill switch racing the run',
    weight: 2,
    refusals: ['killSwitch', 'the kill switch is on', 'begun before'],
    async attempt(lane, chance) {
      const incident = await lane.take('plain');
      const gate = await incident.gate('execution');
      const decisionId = await incident.decide(gate, 'ana');
      const seq = await incident.seq();
      await incident.signal('execution', decisionId);
      await wait(chance.below(500));
      await lane.throwKillSwitch(incident.desk);
      // Thrown for good: whatever has not begun by now never will.
      const begun = (await incident.audit()).filter(({ kind }) => kind === 'execution.started').length;
      const next = await incident.next(gate);
      return { incident, refusedAs: next?.kind === 'verification' ? 'begun before' : await readRefusal(incident, seq), effects: begun };
    },
  },
];
