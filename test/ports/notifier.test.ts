import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Value } from 'typebox/value';
import { createSlackNotifier } from '../../activities/adapters/slack-notifier.js';
import { createWebhookNotifier, toSigningKey } from '../../activities/adapters/webhook-notifier.js';
import { SlackButton } from '../../contracts/slack.js';
import type { Delivery, Notice } from '../../domain/notification.js';
import type { Channel } from '../../domain/watch.js';
import { aNotice } from '../builders.js';
import { createFakeNotifier } from '../fakes/fake-notifier.js';
import { type Behaviour, openReceiver, type Received, type Receiver } from '../harness/receiver.js';
import { until } from '../harness/until.js';
import { describeNotifier, type Mood } from './notifier-contract.js';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const TOKEN = 'xoxb-test';
const TIMEOUT_MS = 500;
const readSecret = (reference: object) => ('env' in reference && reference.env === 'TOKEN' ? TOKEN : SECRET);

const webhookTo = (url: string): Extract<Channel, { kind: 'webhook' }> => ({ kind: 'webhook', name: 'hook', url, secret: { env: 'SECRET' }, groups: ['responders'] });
const slackAt = (url: string): Extract<Channel, { kind: 'slack' }> => ({ kind: 'slack', name: 'ops', api: `${url}/api`, token: { env: 'TOKEN' }, channel: 'C0123', groups: ['responders'] });
const webhook = createWebhookNotifier(readSecret, TIMEOUT_MS);
const slack = createSlackNotifier(readSecret, TIMEOUT_MS);
const never = new AbortController().signal;

const opened: Receiver[] = [];
afterEach(async () => {
  for (const receiver of opened.splice(0)) await receiver.close();
});
async function receive(...behaviours: readonly Behaviour[]): Promise<Receiver> {
  const left = [...behaviours];
  const receiver = await openReceiver(() => left.shift() ?? { kind: 'answers', status: 200, body: '{"ok":true}' });
  opened.push(receiver);
  return receiver;
}

function onlyRequestTo({ received }: Receiver): Received {
  const [request] = received;
  if (request === undefined || received.length > 1) throw new Error(`${received.length} requests came`);
  return request;
}

/** An address at which nobody listens. */
async function nowhere(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

const moodOf = (elsewhere: string, refusal: Behaviour): Readonly<Record<Exclude<Mood, 'isGone'>, Behaviour>> => ({
  takesIt: { kind: 'answers', status: 200, body: '{"ok":true}' },
  hangs: { kind: 'hangs' },
  isBusy: { kind: 'answers', status: 429, headers: { 'retry-after': '7' } },
  isDown: { kind: 'answers', status: 503 },
  refuses: refusal,
  redirects: { kind: 'answers', status: 307, headers: { location: elsewhere } },
  neverEnds: { kind: 'neverEnds', status: 200 },
});

const openWorld = (tell: (url: string, notice: Notice, signal: AbortSignal) => Promise<Delivery>, refusal: Behaviour) => async () => {
  let mood: Behaviour = { kind: 'hangs' };
  const receiver = await openReceiver(() => mood);
  const gone = await nowhere();
  return {
    tell: (wanted: Mood, notice: Notice, signal: AbortSignal) => {
      if (wanted === 'isGone') return tell(gone, notice, signal);
      mood = moodOf(receiver.url, refusal)[wanted];
      return tell(receiver.url, notice, signal);
    },
    countReceived: () => receiver.received.length,
    close: () => receiver.close(),
  };
};

describeNotifier('webhook', openWorld((url, notice, signal) => webhook(webhookTo(url), notice, signal), { kind: 'answers', status: 403 }));
describeNotifier('slack', openWorld((url, notice, signal) => slack(slackAt(url), notice, signal), { kind: 'answers', status: 200, body: '{"ok":false,"error":"invalid_auth"}' }));
describeNotifier('in memory', async () => {
  let mood: Mood = 'takesIt';
  const fake = createFakeNotifier(() => mood);
  return {
    tell: (wanted, notice, signal) => {
      mood = wanted;
      return fake.tell(null, notice, signal);
    },
    countReceived: () => fake.received.length,
  };
});

describe('a webhook', () => {
  it('is signed so that its receiver can tell it from others', async () => {
    const receiver = await receive();
    await webhook(webhookTo(receiver.url), aNotice(), never);
    const { headers, body } = onlyRequestTo(receiver);
    const { 'webhook-id': id, 'webhook-timestamp': timestamp } = headers;
    const signature = createHmac('sha256', Buffer.alloc(24, 7)).update(`${String(id)}.${String(timestamp)}.${body}`).digest('base64');
    expect([id, headers['webhook-signature']]).toEqual([aNotice().id, `v1,${signature}`]);
    expect(Math.abs(Date.now() / 1_000 - Number(timestamp))).toBeLessThan(60);
  });

  it('says what happened, what waits and where', async () => {
    const receiver = await receive();
    await webhook(webhookTo(receiver.url), aNotice(), never);
    const { id, kind, workspaceId, incidentId, title, severity, text, url, gate } = aNotice();
    expect(JSON.parse(onlyRequestTo(receiver).body)).toEqual({
      id,
      kind,
      workspaceId,
      incidentId,
      title,
      severity,
      text,
      url,
      gate: { id: gate?.id, kind: 'execution', planTitle: 'Database Connection Reset', risk: 'MEDIUM', digest: 'ab'.repeat(32), roleNeeded: 'responder', approvalsNeeded: 1, expiresAt: '2026-11-24T09:00:00.000Z' },
    });
  });

  it('is never sent what is for one person', async () => {
    const receiver = await receive();
    expect(await webhook(webhookTo(receiver.url), aNotice({ onlyFor: 'U1' }), never)).toMatchObject({ kind: 'gaveUp' });
    expect(receiver.received).toEqual([]);
  });

  it('is not signed with what anybody can guess', () => {
    expect(() => toSigningKey('whsec_')).toThrow('0 bytes');
    expect(() => toSigningKey('short')).toThrow('5 bytes');
    expect(toSigningKey('a text of its own, long enough').toString()).toBe('a text of its own, long enough');
  });
});

interface Block {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly fields?: readonly { readonly type: string; readonly text: string }[];
  readonly elements?: readonly { readonly action_id: string; readonly value?: string; readonly url?: string }[];
}
type Sent = { readonly channel: string; readonly user?: string; readonly text: string; readonly blocks: readonly Block[] };

async function sendToSlack(notice: Notice) {
  const receiver = await receive();
  expect(await slack(slackAt(receiver.url), notice, never)).toEqual({ kind: 'delivered' });
  const { path, headers, body } = onlyRequestTo(receiver);
  const sent = JSON.parse(body) as Sent;
  return { path, headers, sent, buttons: sent.blocks.flatMap(({ elements = [] }) => elements), texts: sent.blocks.flatMap(({ text, fields = [] }) => [...(text ? [text] : []), ...fields]) };
}

describe('a Slack message', () => {
  it('has the facts of the gate, and buttons that carry what they decide', async () => {
    const notice = aNotice();
    const { path, headers, sent, buttons, texts } = await sendToSlack(notice);
    expect([path, headers.authorization, sent.channel]).toEqual(['/api/chat.postMessage', `Bearer ${TOKEN}`, 'C0123']);
    expect(texts.map(({ text }) => text)).toEqual([
      'CRITICAL: checkout is slow',
      'Action required',
      'Plan: Database Connection Reset',
      'Risk: MEDIUM',
      'Digest: abab…',
      'Confidence: 86 (HIGH)',
      'Way back: none (one-way)',
      'Waits for 1 responder until 2026-11-24 09:00 UTC',
    ]);
    expect(buttons.map(({ action_id, url }) => [action_id, url])).toEqual([['sluice.approve', undefined], ['sluice.reject', undefined], ['sluice.open', notice.url]]);
    const values = buttons.slice(0, 2).map(({ value }) => JSON.parse(value ?? '') as unknown);
    const { workspaceId, incidentId, gate } = notice;
    expect(values).toEqual(['approve', 'reject'].map((verdict) => ({ verdict, workspaceId, incidentId, gateId: gate?.id, digest: gate?.digest, channel: 'ops' })));
    expect(values.every((value) => Value.Check(SlackButton, value))).toBe(true);
  });

  it('has only the way to the page where chat may not decide', async () => {
    const { gate } = aNotice();
    const { buttons } = await sendToSlack(aNotice({ gate: gate && { ...gate, isForChat: false } }));
    expect(buttons.map(({ action_id }) => action_id)).toEqual(['sluice.open']);
  });

  it('has no actions at all where there are none', async () => {
    const { sent } = await sendToSlack(aNotice({ gate: null, url: null }));
    expect(sent.blocks.map(({ type }) => type)).toEqual(['header', 'section']);
  });

  it('shows text from outside as text, cut to what Slack takes', async () => {
    const hostile = '<!channel> <https://evil.example|click> & *bold*';
    const { sent, texts } = await sendToSlack(aNotice({ title: hostile.repeat(10), text: `${hostile}${'<'.repeat(5_000)}` }));
    expect(texts.every(({ type }) => type === 'plain_text')).toBe(true);
    expect(JSON.stringify(sent)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    const [header, section] = texts.map(({ text }) => text);
    expect(header?.length).toBeLessThanOrEqual(150);
    expect(section?.length).toBeLessThanOrEqual(3_000);
    expect(section?.startsWith('&lt;!channel&gt; &lt;https://evil.example|click&gt; &amp; *bold*')).toBe(true);
  });

  it('that answers one person is seen by nobody else', async () => {
    const { path, sent } = await sendToSlack(aNotice({ kind: 'answer', text: 'Approved', onlyFor: 'U7' }));
    expect([path, sent.channel, sent.user, sent.text]).toEqual(['/api/chat.postEphemeral', 'C0123', 'U7', 'Approved']);
  });

  it.each([
    ['ratelimited', { kind: 'tryAgain', afterMs: 3_000 }],
    ['internal_error', { kind: 'tryAgain' }],
    ['channel_not_found', { kind: 'gaveUp', because: expect.stringContaining('invite') }],
    ['not_in_channel', { kind: 'gaveUp', because: expect.stringContaining('invite') }],
    ['something_new', { kind: 'gaveUp', because: 'Slack answered something_new' }],
    ['constructor', { kind: 'gaveUp', because: 'Slack answered constructor' }],
  ])('that Slack answers with %s is taken as it means', async (error, delivery) => {
    const receiver = await receive({ kind: 'answers', status: 200, headers: { 'retry-after': '3' }, body: JSON.stringify({ ok: false, error }) });
    expect(await slack(slackAt(receiver.url), aNotice(), never)).toMatchObject(delivery);
  });

  it('is sent again where what answered was not Slack', async () => {
    const receiver = await receive({ kind: 'answers', status: 200, body: '<html>' }, { kind: 'answers', status: 200, body: 'null' });
    for (const _ of [1, 2]) expect(await slack(slackAt(receiver.url), aNotice(), never)).toMatchObject({ kind: 'tryAgain' });
  });
});

it('an answer without end is left, not drained', async () => {
  const receiver = await receive({ kind: 'neverEnds', status: 200 });
  expect(await webhook(webhookTo(receiver.url), aNotice(), never)).toEqual({ kind: 'delivered' });
  await until('the connection to be let go', async () => receiver.countCutOff() === 1);
});
