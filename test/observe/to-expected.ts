import type { Fault, Recorded } from './recording.js';

/** What the report of these alerts must say, by the recording alone. */
export function toExpected(recorded: readonly Recorded[]) {
  const count = (fault: Fault, isOver?: boolean): number => recorded.filter((one) => one.fault === fault && (isOver === undefined || isOver === (one.clears !== null))).length;
  const took = recorded.flatMap((one) => one.clears?.afterMs ?? []).toSorted((one, other) => one - other);
  const within = (part: number): number => {
    const place = part * (took.length - 1);
    const [below = 0, above = below] = [took[Math.floor(place)], took[Math.ceil(place)]];
    return Math.round(below + (above - below) * (place % 1));
  };
  const unreadable = count('unreadable');
  const unrun = { risk: 'MEDIUM', tier: 'HIGH', ran: 0, verifiedWell: 0, rolledBack: 0 };
  const toFix = (fault: Fault) => ({ ...unrun, proposed: count(fault), observed: count(fault), recovered: count(fault, true) });
  const expired = count('idleTransaction', false) + count('timeout', false);
  return {
    opened: recorded.length,
    stillOpen: count('unreadable', false),
    outcomes: { RECOVERED: took.length, ...(expired === 0 ? {} : { EXPIRED: expired }) },
    recovered: { count: took.length, medianMs: within(0.5), p90Ms: within(0.9) },
    needsHuman: unreadable,
    withoutPlan: unreadable === 0 ? [] : [{ rootCause: 'configuration', count: unreadable }],
    fixes: [
      { title: 'Database Connection Reset', ...toFix('idleTransaction'), wouldRun: 0, wouldWait: count('idleTransaction') },
      { title: 'Restore Last Known Good Configuration', scriptId: null, ...toFix('timeout'), wouldRun: count('timeout'), wouldWait: 0 },
    ],
  };
}
