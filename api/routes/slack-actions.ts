import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { decisionButton, SlackButton, SlackClick } from '../../contracts/slack.js';
import type { RequestDatabase } from '../../db/database.js';
import type { SignDecision } from '../../db/decisions.js';
import { addNotifications, readAsked } from '../../db/notifications.js';
import { findBySlackUser } from '../../db/people.js';
import { mayDecideInChat, toIncidentUrl } from '../../domain/notification.js';
import { decideOrThrow } from '../decide-or-throw.js';
import { ApiError, NotAuthenticated, UnknownRoute } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toDerivedId } from '../request-id.js';
import { isSignedBySlack } from '../slack-signature.js';

const FORM = 'application/x-www-form-urlencoded';

/** Hears what people click in Slack. Slack's signature over the raw body stands for a token; who the clicker is, the workspace's people say. */
export const slackActionsRoute: FastifyPluginAsyncTypebox<{
  requests: Pick<RequestDatabase, 'in'>;
  sign: SignDecision;
  signingSecret: string | undefined;
  publicUrl: string;
}> = async (app, { requests, sign, signingSecret, publicUrl }) => {
  // Nothing but the form, whose bytes are what is signed.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.addHook('preValidation', async (request) => {
    if (signingSecret === undefined) throw new UnknownRoute('Nothing is decided in Slack here. Set SLUICE_SLACK_SIGNING_SECRET_FILE and restart the API.');
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = request.headers;
    if (!isSignedBySlack(signingSecret, { body, timestamp, signature }, new Date())) {
      throw new NotAuthenticated('Slack did not sign this request within the last five minutes. Check the signing secret of the app, and the clock of this machine.');
    }
    request.body = Object.fromEntries(new URLSearchParams(body.toString()));
  });

  app.post(
    '/api/slack/actions',
    {
      config: { minimumRole: 'everyone' },
      schema: {
        operationId: 'receiveSlackAction',
        tags: ['incidents'],
        description: 'Takes in a click on a button of a Slack message, signed by Slack. What it came to is told to the person in Slack.',
        consumes: [FORM],
        headers: Type.Object({ 'x-slack-signature': Type.Optional(Type.String()), 'x-slack-request-timestamp': Type.Optional(Type.String()) }),
        body: Type.Object({ payload: Type.String({ description: 'JSON of a `block_actions` interaction.' }) }),
        response: { 200: { description: 'Taken in. Empty, which is what Slack asks for.', content: { 'text/plain': { schema: Type.Literal('') } } }, ...problems },
      },
    },
    async (request, reply) => {
      const click = readClick(request.body.payload);
      if (click === undefined) request.log.info('a message of Slack that is no click on a button of ours');
      else await hearClick(click);
      return reply.code(200).type('text/plain').send('');
    },
  );

  async function hearClick({ button, user, team, at }: Click): Promise<void> {
    const { workspaceId, incidentId, gateId, channel } = button;
    const db = requests.in(workspaceId);
    const asked = await readAsked(db, button);
    if (asked === undefined) return;
    const id = toDerivedId(['slack', workspaceId, gateId, team, user, button.verdict, at]);
    const text = await answer(id, { button, user, team, at }, asked);
    await addNotifications(db, { workspaceId, incidentId, key: `answer:${id}`, kind: 'answer', gateId, channels: [channel], text, onlyFor: user });
  }

  /** What the click comes to, in words for whoever clicked. */
  async function answer(id: string, { button, user, team }: Click, { gate, plan }: NonNullable<Awaited<ReturnType<typeof readAsked>>>): Promise<string> {
    const { workspaceId, incidentId, gateId, digest, verdict } = button;
    const db = requests.in(workspaceId);
    const url = toIncidentUrl(publicUrl, incidentId);
    const actor = await findBySlackUser(db, workspaceId, `${team}/${user}`);
    if (actor === undefined) return `Not counted: nobody in the workspace ${workspaceId} is the Slack user ${team}/${user}. Ask an admin to add you.`;
    if (!mayDecideInChat(gate, plan?.plan.risk ?? null)) return `Not counted: this is not decided in Slack. Decide at ${url ?? 'the page of the incident'}`;
    try {
      const { gateState, approvals, approvalsNeeded } = await decideOrThrow(db, sign, incidentId, { id, gateId, digest, verdict, reason: null, actor });
      const what = verdict === 'approve' ? 'Approved' : 'Rejected';
      return `${what} as ${actor.person}: ${plan?.plan.title ?? 'the gate'}${gateState === 'open' ? `. ${approvals} of ${approvalsNeeded} approvals` : ''}`;
    } catch (error) {
      // What is not a refusal is weather: Slack tells the person that it did not work.
      if (!(error instanceof ApiError) || error.status >= 500) throw error;
      return `Not counted: ${error.title}${url === null ? '' : `. See ${url}`}`;
    }
  }
};

interface Click {
  readonly button: SlackButton;
  readonly user: string;
  readonly team: string;
  readonly at: string;
}

/** A click on a button that decides; undefined for anything else that Slack sends, such as one on a link. */
function readClick(payload: string): Click | undefined {
  const click = readJson(SlackClick, payload);
  const [action] = click?.actions ?? [];
  const team = click?.team?.id ?? click?.user.team_id;
  if (click === undefined || action === undefined || team === undefined) return undefined;
  const button = readJson(SlackButton, action.value ?? '');
  if (button === undefined || action.action_id !== `${decisionButton}${button.verdict}`) return undefined;
  return { button, user: click.user.id, team, at: action.action_ts };
}

function readJson<Schema extends TSchema>(schema: Schema, text: string): Static<Schema> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(schema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}
