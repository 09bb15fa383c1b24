import { MAX_FINDINGS, type Finding, type ScriptValidation } from '../script-validation.js';

/** Why a part of a script is not plainly allowed: what it would do, and what to write instead. */
export interface Objection {
  readonly weight: 'plus' | 'deny';
  readonly rule: string;
  readonly reason: string;
  readonly remedy: string;
}

/** What was noticed on the way through a script. */
export interface Notes {
  readonly add: (position: number, objection: Objection) => void;
  readonly settle: () => ScriptValidation;
}

export const deny = (rule: string, reason: string, remedy: string): Objection => ({ weight: 'deny', rule, reason, remedy });
export const plus = (rule: string, reason: string, remedy: string): Objection => ({ weight: 'plus', rule, reason, remedy });

/** Collects objections, each once per place, and settles what they come to. */
export function createNotes(): Notes {
  const found = new Map<string, { readonly weight: Objection['weight']; readonly finding: Finding }>();
  return {
    add(position, { weight, rule, reason, remedy }) {
      const key = `${rule}@${position}:${weight}`;
      if (!found.has(key)) found.set(key, { weight, finding: { rule: /^(sql|k8s|kubernetes)\./.test(rule) ? rule : `bash.${rule}`, position, reason, remedy } });
    },
    settle() {
      const notes = [...found.values()];
      // What denies is told first: it is what the writer must change.
      const findings = [...notes.filter((note) => note.weight === 'deny'), ...notes.filter((note) => note.weight === 'plus')].map((note) => note.finding).slice(0, MAX_FINDINGS);
      const [first, ...more] = findings;
      if (first === undefined) return { result: 'review', findings: [], reach: 'host' };
      if (notes.some((note) => note.weight === 'deny')) return { result: 'denied', findings };
      return { result: 'review_plus', findings: [first, ...more], reach: 'host' };
    },
  };
}
