import { createHmac } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import { decisionButton } from '../../../contracts/slack.js';
import { slackUserOf } from '../desk.js';
import { inSeconds } from '../issuer.js';
import type { Incident } from '../incident.js';
import { type DoorKind, type Knock, spoil, toDoorKind, waitingAt } from '../knock.js';
import type { Lane } from '../lane.js';

interface Click {
  readonly user?: string;
  /** What its value has besides, or instead. */
  readonly button?: Readonly<Record<string, unknown>>;
  readonly action?: string;
  /** `action_ts`: which click of this person it is. */
  readonly at?: string;
}

/** What Slack posts when somebody clicks on Approve. */
function toBody({ incident, gate }: Pick<Knock, 'incident' | 'gate'>, { user = 'ana', button = {}, action = `${decisionButton}approve`, at = `${Date.now()}.000100` }: Click): string {
  const [team, id] = slackUserOf(user).split('/');
  const value = { verdict: 'approve', workspaceId: incident.desk.workspace.id, incidentId: incident.id, gateId: gate.id, digest: gate.digest, channel: 'ops', ...button };
  const payload = { type: 'block_actions', user: { id, team_id: team }, team: { id: team }, actions: [{ action_id: action, action_ts: at, value: JSON.stringify(value) }] };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

const signBody = (secret: string, body: string, timestamp: string): string => `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
const now = (): string => `${inSeconds(0)}`;

function post({ lane, incident }: Pick<Knock, 'lane' | 'incident'>, body: string, timestamp = now(), signature = signBody(lane.arena.slackSecret, body, timestamp)): Promise<LightMyRequestResponse> {
  return incident.desk.send(undefined, '/api/slack/actions', body, { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature });
}

const REPLIES: readonly (readonly [RegExp, string])[] = [
  [/^Not counted: nobody in the workspace/, 'nobody here'],
  [/^Not counted: this is not decided in Slack/, 'not in chat'],
  [/^Not counted: (.+?)(\. See|$)/, ''],
  [/^(Approved|Rejected)/, 'counted'],
];

/** A click that Slack signed; answers with what whoever clicked is told. */
export async function click(knock: Pick<Knock, 'lane' | 'incident' | 'gate'>, change: Click = {}): Promise<string> {
  const readAnswers = () => knock.lane.arena.sql<{ text: string }>("select text from notifications where kind = 'answer' and incident_id = $1 order by created_at desc", [knock.incident.id]);
  const before = await readAnswers();
  const { statusCode, body } = await post(knock, toBody(knock, change));
  if (statusCode !== 200) return `status ${statusCode}: ${body}`;
  const after = await readAnswers();
  if (after.length === before.length) return 'nothing said';
  const [text = ''] = after.map((answer) => answer.text);
  const [words, name] = REPLIES.find(([pattern]) => pattern.test(text)) ?? [/^(.*)/, ''];
  return name === '' ? (words.exec(text)?.[1] ?? text) : name;
}

/** ana has clicked on Approve, and one more has to approve. */
const clicked = (lane: Lane): Promise<Incident> =>
  lane.exhibit('clicked', 'paired', async (incident) => {
    const said = await click({ lane, incident, gate: await incident.gate('execution') }, { at: 'first' });
    if (said !== 'counted') throw new Error(`an honest click was not counted: ${said}`);
  });

const kinds: readonly DoorKind[] = [
  {
    name: 'click, not signed by Slack',
    refusals: ['not-authenticated'],
    knock(knock) {
      const body = toBody(knock, {});
      const good = signBody(knock.lane.arena.slackSecret, body, now());
      return post(knock, body, now(), knock.chance.pick(['', 'v0=', `v0=${knock.chance.hex(64)}`, signBody('', body, now()), good.slice(0, -1), `v0=${spoil(good.slice(3), knock.chance)}`, good.replace('v0', 'v1'), good.toUpperCase()]));
    },
  },
  {
    name: 'click, replayed with a new timestamp and the old signature',
    refusals: ['not-authenticated'],
    knock(knock) {
      const body = toBody(knock, {});
      return post(knock, body, now(), signBody(knock.lane.arena.slackSecret, body, `${inSeconds(-301 - knock.chance.below(10_000))}`));
    },
  },
  {
    name: 'click, outside the window',
    refusals: ['not-authenticated'],
    knock(knock) {
      const seconds = 302 + knock.chance.below(100_000);
      return post(knock, toBody(knock, {}), knock.chance.pick([`${inSeconds(-seconds)}`, `${inSeconds(seconds)}`, '0', '', '-1', `${now()}e0`, ` ${now()}`, '9'.repeat(20)]));
    },
  },
  {
    name: "click, with another gate's value under its signature",
    refusals: ['not-authenticated'],
    at: waitingAt('paired'),
    async knock(knock) {
      const other = await knock.lane.waiting('plain');
      const signed = toBody({ incident: other, gate: await other.gate('execution') }, {});
      return post(knock, toBody(knock, {}), now(), signBody(knock.lane.arena.slackSecret, signed, now()));
    },
  },
  // It is answered as the first time; the gate is not another for it.
  { name: 'click, replayed within the window', refusals: ['counted', 'nothing said'], at: clicked, knock: (knock) => click(knock, { at: 'first' }) },
  { name: 'click, once more by the same person', refusals: ['You have approved this already'], at: clicked, audited: ['alreadyDecided'], knock: (knock) => click(knock, { at: knock.chance.hex(8) }) },
  {
    name: 'the same person with a click and a token',
    refusals: ['already-decided'],
    at: clicked,
    audited: ['alreadyDecided'],
    knock: ({ incident, gate }) => incident.desk.decide('ana', incident, { gateId: gate.id, digest: gate.digest, verdict: 'approve' }),
  },
  { name: 'click by somebody whom nobody knows', refusals: ['nobody here'], at: waitingAt('paired'), knock: (knock) => click(knock, { user: knock.chance.pick(['eve', 'rob', 'mallory', 'ana2']) }) },
  { name: 'click by somebody who may not', refusals: ['You may not do this'], at: waitingAt('paired'), audited: ['notAllowed'], knock: (knock) => click(knock, { user: 'vic' }) },
  { name: 'click by the author', refusals: ['Somebody else has to approve this'], at: clicked, audited: ['ownBytes'], knock: (knock) => click(knock, { user: 'wim' }) },
  {
    name: 'click by somebody whose role was lowered, or who was removed',
    refusals: ['You may not do this', 'nobody here'],
    at: waitingAt('paired'),
    async knock(knock) {
      const { desk } = knock.incident;
      const authorization = `Bearer ${desk.tokenOf('adam')}`;
      const setBo = (role: string) => desk.send(authorization, '/api/people/bo', { role, slackUser: slackUserOf('bo') }, {}, 'PUT');
      await (knock.chance.below(2) === 0 ? setBo('viewer') : desk.send(authorization, '/api/people/bo', undefined, {}, 'DELETE'));
      const said = await click(knock, { user: 'bo' });
      await setBo('responder');
      return said;
    },
  },
  { name: 'click for a grave plan', refusals: ['not in chat'], at: waitingAt('grave'), knock: (knock) => click(knock, { user: knock.chance.pick(['sam', 'sue']) }) },
  {
    name: 'click at a gate that is not for chat',
    refusals: ['not in chat'],
    async knock(knock) {
      const incident = await knock.lane.waiting(knock.chance.pick(['observed', 'unsure', 'auto']));
      return click({ ...knock, incident, gate: await incident.gate('execution') }, { user: knock.chance.pick(['sam', 'sue', 'adam']) });
    },
  },
  {
    name: "click with a button for another incident's gate",
    refusals: ['nothing said'],
    at: waitingAt('paired'),
    async knock(knock) {
      const other = await knock.lane.waiting('plain');
      const gate = await other.gate('execution');
      const { chance, lane, incident } = knock;
      return click(knock, { user: 'sam', button: chance.pick([{ gateId: gate.id }, { incidentId: other.id }, { workspaceId: lane.desks.plain.workspace.id }, { gateId: gate.id, digest: gate.digest }, { workspaceId: lane.desks.plain.workspace.id, gateId: gate.id }, { incidentId: other.id, gateId: gate.id, workspaceId: incident.desk.workspace.id }]) });
    },
  },
  { name: 'click for another plan', refusals: ['This is not the plan at the gate'], at: waitingAt('paired'), audited: ['staleDigest'], knock: (knock) => click(knock, { button: { digest: knock.chance.pick([knock.chance.hex(64), null]) } }) },
  {
    name: 'click on a button that is none of ours',
    refusals: ['nothing said'],
    at: waitingAt('paired'),
    knock: (knock) =>
      click(
        knock,
        knock.chance.pick<Click>([
          { button: { verdict: 'breakGlass' }, action: `${decisionButton}breakGlass` },
          { button: { verdict: 'approve' }, action: `${decisionButton}reject` },
          { button: { verdict: 'reject' }, action: `${decisionButton}approve` },
          { button: { gateId: "x' or true --" } },
          { button: { workspaceId: '*' } },
          { button: { reason: 'mine' } },
          { action: 'other.approve' },
        ]),
      ),
  },
];

/** Whoever clicks in Slack, or posts as if somebody had. */
export const chatKinds = kinds.map((kind) => toDoorKind({ weight: 8, ...kind }));
