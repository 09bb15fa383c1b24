import type { GateRow, Incident } from '../incident.js';
import { approval, approve, type DoorKind, halfApproved, type Knock, ran, sayWith, spoil, toDoorKind, waitingAt } from '../knock.js';
import type { Lane } from '../lane.js';

const rejected = (lane: Lane): Promise<Incident> => lane.exhibit('rejected', 'plain', (incident) => incident.answer('execution', 'ana', 'reject').then(() => incident.handle.result()));
const expired = (lane: Lane): Promise<Incident> => lane.exhibit('expired', 'hasty', (incident) => incident.handle.result());
const resolve = async (incident: Incident): Promise<void> => {
  await incident.run();
  await incident.answer('verification', 'ana');
  await incident.handle.result();
};
const resolved = (lane: Lane): Promise<Incident> => lane.exhibit('resolved', 'plain', resolve);
const forgotten = (lane: Lane): Promise<Incident> => lane.exhibit('forgotten', 'forgetful', resolve);
const takenBack = (lane: Lane): Promise<Incident> =>
  lane.exhibit('taken back', 'plain', async (incident) => {
    await incident.run();
    await incident.answer('verification', 'ana', 'reject');
    await incident.handle.result();
  });
/** Its first plan was given back, so it waits with its second. */
const revised = (lane: Lane): Promise<Incident> =>
  lane.exhibit('revised', 'plain', async (incident) => {
    const gate = await incident.answer('execution', 'ana', 'requestChanges');
    await incident.next(gate);
  });
const cancelled = (lane: Lane): Promise<Incident> =>
  lane.exhibit('cancelled', 'plain', async (incident) => {
    const reply = await incident.desk.send(`Bearer ${incident.desk.tokenOf('ana')}`, `/api/incidents/${incident.id}/cancel`, { reason: 'not now' });
    await incident.handle.signal('cancel', { decisionId: reply.json<{ decisionId: string }>().decisionId });
    await incident.handle.result();
  });

const askRollback = ({ incident: { id, desk }, chance }: Knock) => desk.send(`Bearer ${desk.tokenOf(chance.pick(['sam', 'sue']))}`, `/api/incidents/${id}/rollback`, { reason: 'so' });

const kinds: readonly DoorKind[] = [
  { name: 'no token', refusals: ['not-authenticated'], knock: (knock) => sayWith(knock, undefined) },
  {
    name: 'malformed token',
    refusals: ['not-authenticated'],
    knock: (knock) => {
      const token = knock.incident.desk.tokenOf('ana');
      return sayWith(knock, knock.chance.pick(['', 'Bearer', `Basic ${token}`, token, `Bearer ${token} x`, `Bearer ${token.slice(0, -1)}`, `Bearer "${token}"`, `Token ${token}`]));
    },
  },
  { name: 'unknown token', refusals: ['not-authenticated'], knock: (knock) => sayWith(knock, `Bearer ${knock.chance.pick([`sluice_${knock.chance.hex(43)}`, `sluice_${spoil(knock.incident.desk.tokenOf('sam').slice(7), knock.chance)}`])}`) },
  {
    name: 'token of another workspace',
    refusals: ['unknown-incident', 'unknown-gate'],
    knock: (knock) => sayWith(knock, `Bearer ${knock.lane.desks.grave.tokenOf(knock.chance.pick(['ana', 'sam', 'sue']))}`),
  },
  { name: 'a role that decides nothing', refusals: ['not-allowed'], knock: (knock) => sayWith(knock, `Bearer ${knock.incident.desk.tokenOf(knock.chance.pick(['vic', 'rob']))}`) },
  { name: 'a responder where a supervisor is needed', refusals: ['not-allowed'], at: waitingAt('grave'), audited: ['notAllowed'], knock: (knock) => sayWith(knock, `Bearer ${knock.incident.desk.tokenOf(knock.chance.pick(['ana', 'bo']))}`) },
  {
    name: "somebody else's userId",
    refusals: ['wrong-person'],
    knock: ({ incident, gate, chance }) =>
      incident.desk.send(`Bearer ${incident.desk.tokenOf('ana')}`, '/api/ai/sre/approve', { updateId: gate.update_id, approved: true, userId: chance.pick(['bo', 'sam', 'ANA', 'ana ', 'sluice', chance.hex(8)]) }),
  },
  {
    name: 'fields that a decision does not have',
    refusals: ['invalid-request'],
    knock: (knock) => approve(knock, 'ana', knock.chance.pick([{ role: 'admin' }, { person: 'sam' }, { workspaceId: 'x' }, { approvalsNeeded: 0 }, { verdict: 'APPROVE' }, { verdict: ['approve'] }, { verdict: 'approved' }, { gateId: `${knock.gate.id}' or true --` }, { signature: 'x' }, { confirmation: 1 }])),
  },
  { name: 'wrong digest', refusals: ['stale-digest'], audited: ['staleDigest'], knock: (knock) => approve(knock, 'ana', { digest: knock.chance.pick([spoil(knock.gate.digest, knock.chance), knock.chance.hex(64), null]) }) },
  { name: 'a digest that is none', refusals: ['invalid-request'], knock: (knock) => approve(knock, 'ana', { digest: knock.chance.pick([knock.gate.digest.toUpperCase(), knock.gate.digest.slice(1), `${knock.gate.digest}0`, ` ${knock.gate.digest}`, '', '%']) }) },
  {
    name: 'digest of an older plan version',
    refusals: ['stale-digest'],
    at: revised,
    audited: ['staleDigest'],
    async knock(knock) {
      const [older] = await knock.lane.arena.sql<{ digest: string }>('select digest from plans where incident_id = $1 and version < $2', [knock.incident.id, knock.gate.plan_version]);
      return approve(knock, 'ana', { digest: older?.digest });
    },
  },
  {
    name: 'gate of an older plan version',
    refusals: ['gate-closed'],
    at: revised,
    audited: ['gateClosed'],
    async knock(knock) {
      const [older] = await knock.lane.arena.sql<GateRow>("select * from gates where incident_id = $1 and state = 'changesRequested'", [knock.incident.id]);
      return approve(knock, 'ana', { gateId: older?.id, digest: knock.chance.pick([older?.digest, knock.gate.digest]) });
    },
  },
  {
    name: "another incident's gate",
    refusals: ['unknown-gate'],
    async knock(knock) {
      const other = await revised(knock.lane);
      const gate = knock.chance.below(2) === 0 ? await other.gate('execution') : { id: knock.chance.uuid(), digest: knock.gate.digest };
      return approve(knock, 'ana', { gateId: gate.id, digest: knock.chance.pick([gate.digest, knock.gate.digest]) });
    },
  },
  {
    name: 'replayed decision id with other content',
    refusals: ['id-reused'],
    at: halfApproved,
    async knock(knock) {
      const [said] = await knock.lane.arena.sql<{ id: string }>('select id from decisions where gate_id = $1', [knock.gate.id]);
      const elsewhere = await knock.lane.arena.sql<{ id: string }>('select id from decisions where workspace_id <> $1 limit 20', [knock.incident.desk.workspace.id]);
      const decisionId = knock.chance.below(3) === 0 && elsewhere.length > 0 ? knock.chance.pick(elsewhere).id : said?.id;
      return approve(knock, 'sue', { decisionId, reason: knock.chance.hex(6) });
    },
  },
  {
    name: 'replayed Idempotency-Key with other content',
    refusals: ['id-reused'],
    at: (lane) => lane.exhibit('half approved with a key', 'grave', async (incident) => {
      const gate = await incident.gate('execution');
      await incident.desk.decide('sam', incident, { ...approval({ incident, gate }) }, { 'idempotency-key': 'first' });
    }),
    knock: (knock) => approve(knock, 'sam', knock.chance.pick([{ verdict: 'requestChanges' }, { reason: knock.chance.hex(6) }, { digest: null }]), { 'idempotency-key': 'first' }),
  },
  {
    name: 'the same person twice',
    refusals: ['already-decided'],
    at: halfApproved,
    audited: ['alreadyDecided'],
    knock: (knock) => approve(knock, 'sam', { decisionId: knock.chance.uuid() }),
  },
  {
    name: 'grave, without the typed confirmation',
    refusals: ['confirmation-needed'],
    at: waitingAt('grave'),
    audited: ['confirmationNeeded'],
    knock: (knock) => {
      const { title } = knock.incident.desk;
      return approve(knock, knock.chance.pick(['sam', 'sue']), knock.chance.pick([{ confirmation: undefined }, ...['', 'yes', title.toLowerCase(), title.slice(1), `${title}!`].map((confirmation) => ({ confirmation }))]));
    },
  },
  { name: 'after expiry', refusals: ['gate-closed', 'gate-expired'], at: expired, audited: ['gateClosed', 'gateExpired'], knock: (knock) => approve(knock, knock.chance.pick(['ana', 'sam'])) },
  { name: 'after reject', refusals: ['gate-closed'], at: rejected, audited: ['gateClosed'], knock: (knock) => approve(knock, knock.chance.pick(['ana', 'bo', 'sam'])) },
  { name: 'after cancel', refusals: ['gate-closed'], at: cancelled, audited: ['gateClosed'], knock: (knock) => approve(knock, knock.chance.pick(['ana', 'sam'])) },
  { name: 'after closing', refusals: ['gate-closed'], at: resolved, audited: ['gateClosed'], knock: (knock) => approve(knock, knock.chance.pick(['bo', 'sam'])) },
  { name: 'rollBack where nothing ran', refusals: ['nothing-to-roll-back', 'not-allowed'], audited: ['noWayBack', 'notAllowed'], knock: (knock) => approve(knock, knock.chance.pick(['ana', 'sam']), { verdict: 'rollBack' }) },
  { name: 'rollback of an open incident, by call', refusals: ['incident-open'], at: ran, knock: askRollback },
  { name: 'rollback of what never ran, by call', refusals: ['nothing-to-roll-back'], at: rejected, knock: askRollback },
  {
    name: 'rollback by somebody who may not, by call',
    refusals: ['not-allowed', 'unknown-incident'],
    at: resolved,
    knock: ({ incident, lane, chance }) => incident.desk.send(`Bearer ${chance.pick([incident.desk.tokenOf('ana'), incident.desk.tokenOf('vic'), incident.desk.tokenOf('rob'), lane.desks.grave.tokenOf('sam')])}`, `/api/incidents/${incident.id}/rollback`, { reason: 'so' }),
  },
  { name: 'rollback after its snapshot expired, by call', refusals: ['snapshot-expired'], at: forgotten, knock: askRollback },
  { name: 'rollback of what was taken back, by call', refusals: ['nothing-to-roll-back'], at: takenBack, knock: askRollback },
  { name: 'rollBack at the gate, by a responder', refusals: ['not-allowed'], at: ran, audited: ['notAllowed'], knock: (knock) => approve(knock, knock.chance.pick(['ana', 'bo']), { verdict: 'rollBack' }) },
  {
    name: 'keys and kill switch by somebody who may not',
    refusals: ['not-allowed'],
    knock({ incident: { desk }, lane, chance }) {
      const [caller, method, url, payload] = chance.pick([
        ['ana', 'PUT', '/api/kill-switch', { scope: 'workspace', on: false, reason: 'mine' }],
        ['ana', 'POST', '/api/keys/rotate', {}],
        ['sam', 'POST', '/api/keys/rotate', {}],
        ['sam', 'POST', `/api/keys/${lane.arena.publicKey.kid}/revoke`, { reason: 'mine' }],
      ] as const);
      return lane.arena.app.inject({ method, url, payload, headers: { authorization: `Bearer ${desk.tokenOf(caller)}` } });
    },
  },
];

/** Whoever comes to the door of the API with what they have no right to. */
export const doorKinds = kinds.map(toDoorKind);
