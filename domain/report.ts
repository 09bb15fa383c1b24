import type { Tier } from './confidence.js';
import type { Outcome } from './incident.js';
import { judgePlan, type Policy, type Ruled, untouched } from './policy.js';
import type { RootCauseCategory } from './root-cause.js';

/** What became of the last plan of each incident, counted. */
export interface PlanCounts {
  readonly proposed: number;
  readonly ran: number;
  readonly verifiedWell: number;
  readonly rolledBack: number;
  /** Shown, while nobody could approve them. */
  readonly observed: number;
  /** Of those that were observed: whose incident became healthy again with nothing run. */
  readonly recovered: number;
}

/** Plans that are alike in all that policy goes by. */
export interface PlanGroup extends Ruled, PlanCounts {
  readonly title: string;
  /** null: it restores what was there before. */
  readonly scriptId: string | null;
  readonly tier: Tier;
}

/** What the record says of the incidents that were opened in a span. */
export interface Counted {
  /** By outcome; null: still open. */
  readonly incidents: readonly { readonly outcome: Outcome | null; readonly count: number }[];
  /** Those that became healthy again with nothing run, and how long that took. */
  readonly recovered: { readonly count: number; readonly medianMs: number | null; readonly p90Ms: number | null };
  /** Those that came to a gate where a person has to say how to go on. */
  readonly needsHuman: number;
  /** Of those: for which no plan was ever made, by root cause; null where none was found. */
  readonly withoutPlan: readonly { readonly rootCause: RootCauseCategory | null; readonly count: number }[];
  readonly plans: readonly PlanGroup[];
}

/** One fix in one tier: for how many incidents it was the last that was proposed, what policy would have said under `confidence`, and what became of it. */
export interface FixReport extends PlanCounts, Pick<PlanGroup, 'title' | 'scriptId' | 'risk' | 'tier'> {
  readonly wouldRun: number;
  readonly wouldWait: number;
}

export interface Report extends Omit<Counted, 'plans' | 'incidents'> {
  readonly opened: number;
  readonly stillOpen: number;
  /** Only those that there were. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
  /** Most proposed first. */
  readonly fixes: readonly FixReport[];
}

/** How Sluice did, and what it would have done if it had been let: what runs by itself is judged under `confidence`, and as if nothing had been done to its targets before. */
export function toReport({ incidents, plans, ...rest }: Counted, policy: Policy): Report {
  const sum = (counts: readonly { readonly count: number }[]): number => counts.reduce((total, { count }) => total + count, 0);
  return {
    ...rest,
    opened: sum(incidents),
    stillOpen: sum(incidents.filter(({ outcome }) => outcome === null)),
    outcomes: Object.fromEntries(incidents.flatMap(({ outcome, count }) => (outcome === null ? [] : [[outcome, count]]))),
    withoutPlan: rest.withoutPlan.toSorted((one, other) => other.count - one.count),
    fixes: toFixes(plans, { ...policy, autonomy: 'confidence' }),
  };
}

function toFixes(plans: readonly PlanGroup[], policy: Policy): readonly FixReport[] {
  const fixes = new Map<string, FixReport>();
  for (const group of plans) {
    const { title, scriptId, risk, tier, proposed } = group;
    const isAuto = judgePlan(group, tier, policy, untouched).kind === 'auto';
    const key = JSON.stringify([title, scriptId, risk, tier]);
    const before = fixes.get(key);
    fixes.set(key, {
      title,
      scriptId,
      risk,
      tier,
      proposed: (before?.proposed ?? 0) + proposed,
      wouldRun: (before?.wouldRun ?? 0) + (isAuto ? proposed : 0),
      wouldWait: (before?.wouldWait ?? 0) + (isAuto ? 0 : proposed),
      ran: (before?.ran ?? 0) + group.ran,
      verifiedWell: (before?.verifiedWell ?? 0) + group.verifiedWell,
      rolledBack: (before?.rolledBack ?? 0) + group.rolledBack,
      observed: (before?.observed ?? 0) + group.observed,
      recovered: (before?.recovered ?? 0) + group.recovered,
    });
  }
  return [...fixes.values()].toSorted((one, other) => other.proposed - one.proposed || (one.title < other.title ? -1 : 1));
}
