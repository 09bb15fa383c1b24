import type { Finding } from '../domain/finding.js';
import type { Reach } from '../domain/reach.js';

export type { Finding };

/** Nobody reads more than these. */
export const MAX_FINDINGS = 20;

/** `denied`: nobody can approve it. `review`: a person may; `review_plus`: two may, and the findings name what could not be inspected. `reach` is how wide its effect can be. */
export type ScriptValidation =
  | { readonly result: 'review'; readonly findings: readonly []; readonly reach: Reach }
  | { readonly result: 'review_plus'; readonly findings: readonly [Finding, ...Finding[]]; readonly reach: Reach }
  | { readonly result: 'denied'; readonly findings: readonly Finding[] };
