import type { Incident } from '../incident.js';
import { approve, type DoorKind, halfApproved, type Knock, ran, toDoorKind, waitingAt } from '../knock.js';
import type { Lane } from '../lane.js';
import type { Caller } from '../shapes.js';

/** A supervisor has looked at it; nobody has approved it. */
const reviewed = (lane: Lane): Promise<Incident> => lane.exhibit('reviewed', 'unsure', (incident) => incident.answer('execution', 'sue', 'review'));
/** sam let it run alone. */
const broken = (lane: Lane): Promise<Incident> =>
  lane.exhibit('broken glass', 'plain', async (incident) => {
    await incident.answer('execution', 'sam', 'breakGlass');
    await incident.gate('verification');
  });

const breakGlass = (knock: Knock, caller: Caller, change: object = {}) => approve(knock, caller, { verdict: 'breakGlass', reason: 'it burns', ...change });
const review = (knock: Knock, caller: Caller, change: object = {}) => approve(knock, caller, { verdict: 'review', reason: 'looks right', ...change });
const responders = ['ana', 'bo'] as const;
const supervisors = ['sam', 'sue', 'adam'] as const;
/** As somebody might write a name to be taken for somebody else. */
const spellings = ['Wim', 'WIM', 'wIm'] as const;

const kinds: readonly DoorKind[] = [
  { name: 'observe mode, approved', refusals: ['observe-only'], at: waitingAt('observed'), audited: ['observeOnly'], knock: (knock) => approve(knock, knock.chance.pick([...responders, ...supervisors])) },
  {
    name: 'observe mode, approved once the policy lets people approve',
    refusals: ['observe-only'],
    at: waitingAt('observed'),
    audited: ['observeOnly'],
    async knock(knock) {
      await knock.incident.desk.changePolicy({ autonomy: knock.chance.pick(['supervised', 'confidence']) });
      return approve(knock, knock.chance.pick([...responders, ...supervisors]));
    },
  },
  { name: 'observe mode, the glass broken', refusals: ['observe-only'], at: waitingAt('observed'), audited: ['observeOnly'], knock: (knock) => breakGlass(knock, knock.chance.pick(supervisors)) },
  { name: 'the glass broken by a responder', refusals: ['not-allowed'], audited: ['notAllowed'], knock: (knock) => breakGlass(knock, knock.chance.pick(responders)) },
  { name: 'the glass broken where two supervisors are needed, by a responder', refusals: ['not-allowed'], at: halfApproved, audited: ['notAllowed'], knock: (knock) => breakGlass(knock, knock.chance.pick(responders)) },
  {
    name: 'the glass broken where the plan was denied',
    refusals: ['break-glass-off'],
    at: waitingAt('denied'),
    audited: ['breakGlassOff'],
    knock: (knock) => breakGlass(knock, knock.chance.pick(supervisors)),
  },
  {
    name: 'the glass broken where the plan was denied, under the digest of another plan',
    refusals: ['stale-digest'],
    at: waitingAt('denied'),
    audited: ['staleDigest'],
    knock: async (knock) => breakGlass(knock, knock.chance.pick(supervisors), { digest: knock.chance.pick([(await (await knock.lane.waiting('plain')).gate('execution')).digest, knock.chance.hex(64)]) }),
  },
  { name: 'the glass broken at a verification gate', refusals: ['break-glass-off'], at: ran, audited: ['breakGlassOff'], knock: (knock) => breakGlass(knock, knock.chance.pick(supervisors)) },
  { name: 'the glass broken without a reason', refusals: ['reason-needed', 'invalid-request'], knock: (knock) => breakGlass(knock, knock.chance.pick(supervisors), knock.chance.pick([{ reason: undefined }, { reason: undefined }, { reason: '' }, { reason: ' ' }, { reason: '\n' }])) },
  {
    name: 'the glass broken without the typed confirmation',
    refusals: ['confirmation-needed'],
    at: waitingAt('grave'),
    audited: ['confirmationNeeded'],
    knock: (knock) => breakGlass(knock, knock.chance.pick(supervisors), knock.chance.pick([{ confirmation: undefined }, ...['', 'yes', knock.incident.desk.title.toUpperCase()].map((confirmation) => ({ confirmation }))])),
  },
  {
    name: 'the glass broken where the policy has none',
    refusals: ['break-glass-off'],
    audited: ['breakGlassOff'],
    async knock(knock) {
      await knock.incident.desk.changePolicy({ breakGlass: false });
      return breakGlass(knock, knock.chance.pick(supervisors));
    },
  },
  { name: 'what one let run alone, found good by the same', refusals: ['own-bytes'], at: broken, audited: ['ownBytes'], knock: (knock) => approve(knock, 'sam') },
  { name: 'what one let run alone, found good by a responder', refusals: ['not-allowed'], at: broken, audited: ['notAllowed'], knock: (knock) => approve(knock, knock.chance.pick(responders)) },
  {
    name: 'own bytes',
    refusals: ['own-bytes'],
    at: (lane) => lane.waiting('grave'),
    audited: ['ownBytes'],
    knock: (knock) => approve(knock, 'wim'),
  },
  { name: 'own bytes, as the second of two', refusals: ['own-bytes'], at: halfApproved, audited: ['ownBytes'], knock: (knock) => approve(knock, 'wim') },
  {
    name: 'own bytes, with another token',
    refusals: ['own-bytes'],
    audited: ['ownBytes'],
    async knock(knock) {
      const { desk, id } = knock.incident;
      const token = await desk.mint('wim', knock.chance.pick(['responder', 'supervisor', 'admin']));
      return desk.send(`Bearer ${token}`, `/api/incidents/${id}/decisions`, { gateId: knock.gate.id, digest: knock.gate.digest, verdict: 'approve' });
    },
  },
  {
    name: 'own bytes, under another spelling',
    refusals: ['own-bytes'],
    audited: ['ownBytes'],
    async knock(knock) {
      const { desk, id } = knock.incident;
      const token = await desk.mint(knock.chance.pick(spellings), 'supervisor');
      return desk.send(`Bearer ${token}`, `/api/incidents/${id}/decisions`, { gateId: knock.gate.id, digest: knock.gate.digest, verdict: 'approve' });
    },
  },
  {
    name: "own bytes, with another's name in the body",
    refusals: ['wrong-person'],
    knock: ({ incident: { desk }, gate, chance }) =>
      desk.send(`Bearer ${desk.tokenOf('wim')}`, '/api/ai/sre/approve', { updateId: gate.update_id, approved: true, userId: chance.pick(['sam', 'ana', ...spellings, 'wim ', ' wim', 'wіm', 'SYSTEM']) }),
  },
  { name: 'not reviewed, and approved', refusals: ['review-needed'], at: waitingAt('unsure'), audited: ['reviewNeeded'], knock: (knock) => approve(knock, knock.chance.pick(supervisors)) },
  { name: 'a review by a responder', refusals: ['not-allowed'], at: waitingAt('unsure'), audited: ['notAllowed'], knock: (knock) => review(knock, knock.chance.pick(responders)) },
  { name: 'a review by the author', refusals: ['own-bytes'], at: waitingAt('unsure'), audited: ['ownBytes'], knock: (knock) => review(knock, 'wim') },
  { name: 'a review without a reason', refusals: ['reason-needed'], at: waitingAt('unsure'), audited: ['reasonNeeded'], knock: (knock) => review(knock, knock.chance.pick(supervisors), { reason: undefined }) },
  { name: 'a second review', refusals: ['already-decided'], at: reviewed, audited: ['nothingToReview'], knock: (knock) => review(knock, knock.chance.pick(supervisors)) },
  { name: 'a review where none is asked for', refusals: ['already-decided'], audited: ['nothingToReview'], knock: (knock) => review(knock, knock.chance.pick(supervisors)) },
  { name: 'reviewed, and approved by the author', refusals: ['own-bytes'], at: reviewed, audited: ['ownBytes'], knock: (knock) => approve(knock, 'wim') },
  { name: 'reviewed, and approved by a responder', refusals: ['not-allowed'], at: reviewed, audited: ['notAllowed'], knock: (knock) => approve(knock, knock.chance.pick(responders)) },
  {
    name: 'people, tokens and policy by somebody who may not',
    refusals: ['not-allowed'],
    knock({ incident: { desk }, chance }) {
      const caller = chance.pick(['ana', 'sam', 'vic', 'rob'] as const);
      const [method, url, payload] = chance.pick([
        ['POST', '/api/tokens', { person: 'eve', role: 'admin', name: 'mine', expiresAt: new Date(Date.now() + 3_600_000).toISOString() }],
        ['PUT', '/api/people/ana', { role: 'admin', slackUser: 'T1/UANA' }],
        ['DELETE', '/api/people/sam', undefined],
        ['PUT', '/api/policy', { policy: { ...desk.policy, autonomy: 'confidence' }, seen: 1, reason: 'mine' }],
      ] as const);
      return desk.send(`Bearer ${desk.tokenOf(caller)}`, url, payload, {}, method);
    },
  },
];

/** Whoever may do something here, and not this: by role, by what they wrote themselves, by what the policy leaves to nobody. */
export const authorityKinds = kinds.map(toDoorKind);
