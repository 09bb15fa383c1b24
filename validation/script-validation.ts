import type { Reach } from '../domain/reach.js';

/** One remark of a validator. `position` is the character it is about, counted from 1; 0 where it is about the whole. */
export interface Finding {
  readonly rule: string;
  readonly position: number;
  readonly reason: string;
  readonly remedy: string;
}

/** Nobody reads more than these. */
export const MAX_FINDINGS = 20;

/** `denied`: nobody can approve it. `review`: people may; `reach` is how wide its effect can be. */
export type ScriptValidation =
  | { readonly result: 'review'; readonly findings: readonly []; readonly reach: Reach }
  | { readonly result: 'denied'; readonly findings: readonly Finding[] };
