import { readFileSync } from 'node:fs';

/** What breaks. `idleTransaction`: a session takes every lock of a shop and goes idle. `timeout`: a checkout's configuration is changed for the worse. `unreadable`: it is broken. */
export const faults = ['idleTransaction', 'timeout', 'unreadable'] as const;
export type Fault = (typeof faults)[number];

/** A notification as Alertmanager sent it; of one alert. */
export interface Body {
  readonly status: 'firing' | 'resolved';
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly fingerprint: string; readonly startsAt: string }[];
}

/** One alert of the week: a line of week.jsonl. */
export interface Recorded {
  /** RFC 3339. */
  readonly at: string;
  readonly source: 'alertmanager';
  readonly body: Body;
  readonly fault: Fault;
  /** How long until it is over by itself, and what Alertmanager sends then; null where nobody is told. Null: it stays. */
  readonly clears: { readonly afterMs: number; readonly body: Body | null } | null;
}

export const weekFile = new URL('week.jsonl', import.meta.url);

export const readWeek = (): readonly Recorded[] =>
  readFileSync(weekFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);

const goodConfig = `# How the checkout talks to its payment provider. It is read again whenever it changes.
provider:
  timeoutMs: 2000 # it answers within 120 ms, and within a second on a bad day

orders:
  currency: EUR
`;

/** The checkout's configuration as it is while all is well, and as each fault leaves it. */
export const configs = { good: goodConfig, timeout: goodConfig.replace('timeoutMs: 2000', 'timeoutMs: 5'), unreadable: goodConfig.replace('provider:', 'provider: {') } as const;
