/** One remark of a validator. `position` is the character it is about, counted from 1; 0 where it is about the whole. */
export interface Finding {
  readonly rule: string;
  readonly position: number;
  readonly reason: string;
  readonly remedy: string;
}
