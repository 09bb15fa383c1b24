import type { WorkflowHandle } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { IncidentInput } from '../../contracts/messages.js';
import type { Policy } from '../../domain/policy.js';

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

interface Payloads {
  readonly payloads: { data: string }[];
}
/** What of an event's JSON has to do with time. */
interface TimedEvent {
  eventTime: string;
  readonly workflowExecutionStartedEventAttributes?: { readonly input: Payloads };
  readonly timerStartedEventAttributes?: { startToFireTimeout: string };
  /** A local activity that has ended. */
  readonly markerRecordedEventAttributes?: { readonly details: { readonly data: Payloads } };
}
interface Moment {
  readonly seconds: number;
  readonly nanos: number;
}

const NANOS = 1_000_000_000n;
const toNanos = ({ seconds, nanos }: Moment): bigint => BigInt(seconds) * NANOS + BigInt(nanos);
const toMoment = (nanos: bigint): Moment => ({ seconds: Number(nanos / NANOS), nanos: Number(nanos % NANOS) });

function readTime(text: string): bigint {
  const [, whole = '', fraction = ''] = /^([^.Z]+)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return toNanos({ seconds: Date.parse(`${whole}Z`) / 1_000, nanos: Number(fraction.padEnd(9, '0')) });
}
function formatTime(nanos: bigint): string {
  const { seconds, nanos: rest } = toMoment(nanos);
  return new Date(seconds * 1_000).toISOString().replace('.000Z', `.${`${rest}`.padStart(9, '0')}Z`);
}

const decode = <Content>({ data }: { readonly data: string }): Content => JSON.parse(Buffer.from(data, 'base64').toString()) as Content;
const encode = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64');

const read = (history: History): { readonly events: readonly TimedEvent[] } => JSON.parse(historyToJSON(history)) as { readonly events: readonly TimedEvent[] };

/** How long each timer of a history was to run, in milliseconds and in order. */
export const listTimers = (history: History): readonly number[] =>
  read(history).events.flatMap(({ timerStartedEventAttributes: timer }) => (timer === undefined ? [] : [Number.parseFloat(timer.startToFireTimeout) * 1_000]));

/** From a history's first event to its last, in milliseconds. */
export function toSpanMs(history: History): number {
  const times = read(history).events.map(({ eventTime }) => readTime(eventTime));
  return Number(((times.at(-1) ?? 0n) - (times[0] ?? 0n)) / 1_000_000n);
}

/** The same history as if it had taken `factor` times as long, from its first event on, under the waits that `toPolicy` makes of its own. */
export function stretch(history: History, factor: number, toPolicy: (policy: Policy) => Policy): History {
  const stretched = read(history);
  const [first] = stretched.events;
  const start = first === undefined ? 0n : readTime(first.eventTime);
  const later = (time: bigint): bigint => start + (time - start) * BigInt(factor);
  for (const event of stretched.events) {
    event.eventTime = formatTime(later(readTime(event.eventTime)));
    const timer = event.timerStartedEventAttributes;
    if (timer !== undefined) timer.startToFireTimeout = `${(Number.parseFloat(timer.startToFireTimeout) * factor).toFixed(3)}s`;
    for (const payload of event.markerRecordedEventAttributes?.details.data.payloads ?? []) {
      const ended = decode<{ readonly complete_time: Moment }>(payload);
      payload.data = encode({ ...ended, complete_time: toMoment(later(toNanos(ended.complete_time))) });
    }
    for (const payload of event.workflowExecutionStartedEventAttributes?.input.payloads ?? []) {
      const input = decode<IncidentInput>(payload);
      payload.data = encode({ ...input, policy: toPolicy(input.policy) });
    }
  }
  return historyFromJSON(stretched);
}

/** A policy whose waits at gates are so many times as long. */
export const stretchWaits =
  (factor: number) =>
  (policy: Policy): Policy => ({
    ...policy,
    gateWaitMs: policy.gateWaitMs * factor,
    gateRemindMs: policy.gateRemindMs * factor,
    escalateMs: policy.escalateMs * factor,
    verificationEscalateMs: policy.verificationEscalateMs * factor,
  });
