import type { Role } from '../../../domain/actor.js';
import type { Incident } from '../incident.js';
import { approval, approve, decisionsUrl, type DoorKind, type Knock, sayWith, toDoorKind, waitingAt } from '../knock.js';
import type { Lane } from '../lane.js';
import type { Caller } from '../shapes.js';

/** ana has approved, and one more has to. */
const pairHalfApproved = (lane: Lane): Promise<Incident> => lane.exhibit('half approved pair', 'paired', (incident) => incident.answer('execution', 'ana'));

const within = (ms: number) => ({ expiresAt: new Date(Date.now() + ms) });
/** Comes with a token that was made for this try. */
async function sayAs(knock: Knock, person: string, role: Role, options = {}) {
  return sayWith(knock, `Bearer ${await knock.incident.desk.mint(person, role, options)}`);
}
const claimsOf = ({ incident: { desk } }: Knock, person: string, role: Role) => ({ preferred_username: person, groups: [desk.groupOf(role)] });
const revoke = ({ incident: { desk } }: Knock, id: string) => desk.send(`Bearer ${desk.tokenOf('adam')}`, `/api/tokens/${id}`, undefined, {}, 'DELETE');

/** A desk of another workspace, and somebody there who may do all of it at home. */
const elsewhere = ({ lane, chance, incident }: Knock) => ({ desk: lane.desks[incident.desk.shape === 'paired' ? 'plain' : 'paired'], caller: chance.pick(['ana', 'sam', 'sue', 'adam'] as const satisfies readonly Caller[]) });

const kinds: readonly DoorKind[] = [
  {
    name: 'revoked token',
    refusals: ['not-authenticated'],
    async knock(knock) {
      const id = knock.chance.uuid();
      const token = await knock.incident.desk.mint(knock.chance.pick(['ana', 'sam', 'eve']), knock.chance.pick(['responder', 'supervisor', 'admin']), { id });
      await revoke(knock, id);
      return sayWith(knock, `Bearer ${token}`);
    },
  },
  { name: 'expired token', refusals: ['not-authenticated'], knock: (knock) => sayAs(knock, knock.chance.pick(['ana', 'sam']), 'supervisor', within(-1 - knock.chance.below(100_000))) },
  {
    name: 'token of somebody whose role was lowered',
    refusals: ['not-authenticated', 'not-allowed'],
    at: waitingAt('grave'),
    async knock(knock) {
      const id = knock.chance.uuid();
      const before = await knock.incident.desk.mint('sam', 'supervisor', { id });
      await revoke(knock, id);
      const after = await knock.incident.desk.mint('sam', 'responder');
      return sayWith(knock, `Bearer ${knock.chance.pick([before, after])}`);
    },
  },
  { name: 'the same person with two tokens', refusals: ['already-decided'], at: pairHalfApproved, audited: ['alreadyDecided'], knock: (knock) => sayAs(knock, 'ana', knock.chance.pick(['responder', 'supervisor', 'admin'])) },
  { name: 'the same person under another spelling', refusals: ['already-decided'], at: pairHalfApproved, audited: ['alreadyDecided'], knock: (knock) => sayAs(knock, knock.chance.pick(['Ana', 'ANA', 'aNa']), 'responder') },
  {
    name: 'the same person with a token and a JWT',
    refusals: ['already-decided'],
    at: pairHalfApproved,
    audited: ['alreadyDecided'],
    knock: async (knock) => sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign(claimsOf(knock, knock.chance.pick(['ana', 'Ana']), knock.chance.pick(['responder', 'supervisor'])))}`),
  },
  { name: 'own bytes, by JWT', refusals: ['own-bytes'], at: waitingAt('paired'), audited: ['ownBytes'], knock: async (knock) => sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign(claimsOf(knock, knock.chance.pick(['wim', 'Wim']), 'admin'))}`) },
  {
    name: 'a lower role than is needed, by JWT',
    refusals: ['not-allowed'],
    at: waitingAt('grave'),
    knock: async (knock) => sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign(claimsOf(knock, 'sam', knock.chance.pick(['viewer', 'agent', 'responder'])))}`),
  },
  {
    name: 'token of the right role of another workspace, with tricks',
    refusals: ['unknown-incident', 'unknown-gate', 'not-allowed', 'invalid-request'],
    at: waitingAt('paired'),
    async knock(knock) {
      const { desk, caller } = elsewhere(knock);
      const { workspace } = knock.incident.desk;
      const own = await knock.lane.waiting(desk.shape);
      const authorization = `Bearer ${desk.tokenOf(caller)}`;
      const body = approval(knock);
      return knock.chance.pick([
        () => desk.send(authorization, decisionsUrl(knock.incident), body),
        () => desk.send(authorization, decisionsUrl(knock.incident), body, { 'sluice-workspace': workspace.id }),
        () => desk.send(authorization, decisionsUrl(knock.incident), body, { 'x-workspace-id': workspace.id, 'x-forwarded-user': 'ana' }),
        () => desk.send(authorization, decisionsUrl(knock.incident), { ...body, workspaceId: workspace.id }),
        () => desk.send(authorization, `${decisionsUrl(knock.incident)}?workspaceId=${workspace.id}`, body),
        () => desk.send(authorization, decisionsUrl(own), body),
        () => desk.send(authorization, decisionsUrl(own), { ...body, incidentId: knock.incident.id }),
        () => desk.send(authorization, '/api/ai/sre/approve', { updateId: knock.gate.update_id, approved: true }),
        () => desk.send(authorization, '/api/ai/sre/approve', { updateId: knock.gate.update_id, approved: true, workspaceId: workspace.id }),
      ])();
    },
  },
  {
    name: 'JWT for another workspace',
    refusals: ['not-allowed', 'unknown-incident', 'unknown-gate', 'workspace-needed'],
    at: waitingAt('paired'),
    async knock(knock) {
      const { desk } = elsewhere(knock);
      const { workspace } = knock.incident.desk;
      const viewer = knock.incident.desk.groupOf('viewer');
      const [groups, headers] = knock.chance.pick([
        [[desk.groupOf('admin')], {}],
        [[desk.groupOf('admin')], { 'sluice-workspace': workspace.id }],
        [[desk.groupOf('admin'), viewer], {}],
        [[desk.groupOf('admin'), viewer], { 'sluice-workspace': workspace.id }],
        [desk.groupOf('admin'), {}],
      ] as const);
      return sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign({ preferred_username: 'sam', groups })}`, headers);
    },
  },
  {
    name: 'JWT without a group that may do anything',
    refusals: ['not-allowed'],
    async knock(knock) {
      const { desk } = knock.incident;
      const group = desk.groupOf('admin');
      const groups: unknown = knock.chance.pick([null, [], {}, [[group]], { [group]: true }, ['__proto__'], ['constructor', 'toString'], [group.toUpperCase()], [` ${group}`], `${group},${group}`, 1, ['admin'], 'admin', [`${group}\0`]]);
      return sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign({ preferred_username: 'sam', groups, role: 'admin', workspaceId: desk.workspace.id })}`);
    },
  },
  {
    name: 'JWT of nobody whom one could name',
    refusals: ['not-allowed'],
    async knock(knock) {
      const person: unknown = knock.chance.pick([null, '', ' ', 'SYSTEM', 'system', 'System ', 'ＳＹＳＴＥＭ', 'sam ', 'sa\u200bm', 'sam\n', 7, ['sam'], { name: 'sam' }, 'x'.repeat(201)]);
      return sayWith(knock, `Bearer ${await knock.lane.arena.issuer.sign({ ...claimsOf(knock, '', 'supervisor'), sub: 'sam', email: 'sam', preferred_username: person })}`);
    },
  },
  {
    name: 'somebody named SYSTEM',
    refusals: ['wrong-name', 'invalid-request'],
    async knock({ incident: { desk }, chance }) {
      const name = chance.pick(['SYSTEM', 'system', 'System', 'SYSTEM ', 'ＳＹＳＴＥＭ', 'SYS\u200bTEM', 'ſystem']);
      const authorization = `Bearer ${desk.tokenOf('adam')}`;
      return chance.below(2) === 0
        ? desk.send(authorization, '/api/tokens', { person: name, role: 'supervisor', name: 'ci', expiresAt: new Date(Date.now() + 3_600_000).toISOString() })
        : desk.send(authorization, `/api/people/${encodeURIComponent(name)}`, { role: 'supervisor', slackUser: 'T1/USYSTEM' }, {}, 'PUT');
    },
  },
  {
    name: 'agent or viewer, at any gate',
    refusals: ['not-allowed'],
    async knock(knock) {
      const { chance, lane } = knock;
      const incident = await lane.waiting(chance.pick(['paired', 'grave', 'unsure', 'auto', 'observed']));
      const gate = await incident.gate('execution');
      return approve({ ...knock, incident, gate }, chance.pick(['vic', 'rob']), { verdict: chance.pick(['approve', 'breakGlass', 'review', 'reject', 'requestChanges', 'rollBack']), reason: 'so' });
    },
  },
];

/** Whoever is not who they seem to be: tokens and JWTs that count no more, elsewhere, or twice. */
export const identityKinds = kinds.map(toDoorKind);
