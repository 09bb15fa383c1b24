import type { Policy } from './policy.js';

/** A moment at which somebody is told that a gate still waits. */
export interface Call {
  /** Milliseconds since the gate opened. */
  readonly afterMs: number;
  readonly group: string;
}

/**
 * The call with this number, from 0: the first group is reminded; then one group after the other is called, each at twice the time of the one before,
 * the last again and again. Whoever is reminded has as long again to answer.
 */
export function toCall(index: number, { gateRemindMs, escalateMs, groups }: Pick<Policy, 'gateRemindMs' | 'escalateMs' | 'groups'>): Call {
  const group = groups[Math.min(index, groups.length - 1)] ?? '';
  return { afterMs: index === 0 ? gateRemindMs : Math.max(2 * gateRemindMs, escalateMs) * 2 ** (index - 1), group };
}
