import type { Anomaly } from './anomaly.js';
import type { AimValues, RootCause } from './root-cause.js';
import type { Fact, HostFact } from './signal.js';

// Whoever does something about a service because nothing better is known may be wrong about it half of the time.
const UNEXPLAINED_CONFIDENCE = 50;

interface HostRemedy {
  readonly fact: HostFact;
  readonly remedy: Pick<RootCause, 'confidence' | 'suggestedActions' | 'aims'>;
}

/**
 * What may help what is unwell on the only host that serves it: a restart of the only unit or container there is, or of the only one named as the target is;
 * where nothing there is to be restarted, a script for the host as a whole. Undefined where more than one may be meant.
 */
export function findHostRemedy(unwell: readonly Anomaly[], facts: readonly Fact[]): HostRemedy | undefined {
  const [name, ...others] = new Set(unwell.map(({ signal }) => signal.target));
  if (name === undefined || others.length > 0) return undefined;
  const [fact, ...more] = facts.filter((each) => each.kind === 'host').filter(({ serves }) => serves.includes(name));
  if (fact === undefined || more.length > 0) return undefined;
  const toRemedy = (action: string, values: AimValues): HostRemedy => ({
    fact,
    remedy: { confidence: UNEXPLAINED_CONFIDENCE, suggestedActions: [action, 'look at what changed last'], aims: [{ kind: 'values', target: fact.target, values }] },
  });
  const all = [...fact.units.map((unit) => ({ unit })), ...fact.containers.map((container) => ({ container }))];
  if (all.length === 0) return toRemedy(`see whether ${name} runs on ${fact.target}`, {});
  const ofTarget = all.filter((values) => ('unit' in values ? values.unit.replace(/\.service$/, '') : values.container) === name);
  const [values, ...rest] = ofTarget.length > 0 ? ofTarget : all;
  if (values === undefined || rest.length > 0) return undefined;
  return toRemedy(`restart ${'unit' in values ? values.unit : values.container} on ${fact.target}, which ${name} runs on`, values);
}
