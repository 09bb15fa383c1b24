/** One remark of a validator. `position` is the character it is about, counted from 1; 0 where it is about the whole. */
export interface Finding {
  readonly rule: string;
  readonly position: number;
  readonly reason: string;
  readonly remedy: string;
}

/** `denied`: nobody can approve it. `review`: people may. */
export interface ScriptValidation {
  readonly result: 'review' | 'denied';
  readonly findings: readonly Finding[];
}
