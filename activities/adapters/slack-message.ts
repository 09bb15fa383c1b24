import { decisionButton, openButton, type SlackButton } from '../../contracts/slack.js';
import type { Notice, NoticeGate } from '../../domain/notification.js';
import type { Channel } from '../../domain/watch.js';
import { formatDigest, formatMoment } from '../../domain/updates.js';

type SlackChannel = Extract<Channel, { kind: 'slack' }>;

// What Slack takes.
const MAX_HEADER = 150;
const MAX_SECTION = 3_000;
const MAX_FIELD = 2_000;

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Text from outside as Slack shows it and nothing else: escaped, and cut to `max` characters without cutting an entity. */
export function toSlackText(text: string, max: number): string {
  let shown = '';
  for (const sign of text) {
    const next = entities[sign] ?? sign;
    if (shown.length + next.length > max - 1) return `${shown}…`;
    shown += next;
  }
  return shown;
}

// Never mrkdwn: there, a title could make a link, a mention or what looks like ours.
const plain = (text: string, max: number) => ({ type: 'plain_text', text: toSlackText(text, max), emoji: false });
const section = (text: string) => ({ type: 'section', text: plain(text, MAX_SECTION) });

/** A message for everybody in the channel: what happened, the facts of the gate, and where or with which button it is decided. */
export function toSlackMessage({ name, channel }: SlackChannel, notice: Notice): object {
  const { title, severity, text, gate, url } = notice;
  const heading = severity === null ? title : `${severity}: ${title}`;
  const buttons = [
    ...(gate?.isForChat === true ? (['approve', 'reject'] as const).map((verdict) => toDecision(verdict, name, notice, gate)) : []),
    ...(url === null ? [] : [{ type: 'button', action_id: openButton, text: plain('Open the incident', 75), url }]),
  ];
  return {
    channel,
    text: toSlackText(`${heading}\n${text}`, MAX_SECTION),
    mrkdwn: false,
    parse: 'none',
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plain(heading, MAX_HEADER) },
      section(text === '' ? title : text),
      ...(gate === null ? [] : [{ type: 'section', fields: toFacts(gate).map((fact) => plain(fact, MAX_FIELD)) }]),
      ...(buttons.length === 0 ? [] : [{ type: 'actions', elements: buttons }]),
    ],
  };
}

/** A message that one user of the channel sees. */
export const toSlackAnswer = ({ channel }: SlackChannel, user: string, { text }: Notice): object => ({
  channel,
  user,
  text: toSlackText(text, MAX_SECTION),
  parse: 'none',
  link_names: false,
  blocks: [section(text)],
});

function toFacts({ plan, digest, approvalsNeeded, roleNeeded, expiresAt }: NoticeGate): readonly string[] {
  const waits = `Waits for ${approvalsNeeded} ${roleNeeded}${approvalsNeeded === 1 ? '' : 's'}${expiresAt === null ? '' : ` until ${formatMoment(new Date(expiresAt))}`}`;
  if (plan === null) return [waits];
  const { title, risk, wayBack, confidence } = plan;
  return [
    `Plan: ${title}`,
    `Risk: ${risk}`,
    ...(digest === null ? [] : [`Digest: ${formatDigest(digest)}`]),
    `Confidence: ${confidence.value} (${confidence.tier})`,
    `Way back: ${wayBack}`,
    waits,
  ];
}

function toDecision(verdict: SlackButton['verdict'], channel: string, { workspaceId, incidentId }: Notice, { id: gateId, digest }: NoticeGate): object {
  const value: SlackButton = { verdict, workspaceId, incidentId, gateId, digest, channel };
  return {
    type: 'button',
    action_id: `${decisionButton}${verdict}`,
    text: plain(verdict === 'approve' ? 'Approve' : 'Reject', 75),
    style: verdict === 'approve' ? 'primary' : 'danger',
    value: JSON.stringify(value),
  };
}
