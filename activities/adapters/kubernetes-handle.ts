import { type Live, toStamp, uidOf } from './kubernetes-state.js';

/** What is noted before a write, so that anyone can find out later what became of it. */
export interface Handle {
  /** Which object is written, and when nobody has written to it since; null where there is none yet. */
  readonly uid: string | null;
  readonly stamp: string | null;
  /** What the write leaves, so that people can be shown what others changed; null where it is long, or shows only later. */
  readonly leaves: string | null;
  /** Whether all pods were there before. */
  readonly wasWhole: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** An object that is not made by then is not made any more. */
export const CREATE_WITHIN_MS = 5_000;
// For what is still on its way, and for clocks that differ.
const GRACE_MS = 3_000;
const MAX_LEAVES = 100_000;

/** From this moment on nobody makes an object under this handle. */
export const createdUntil = ({ at }: Handle): number => at + CREATE_WITHIN_MS + GRACE_MS;

export const toHandle = (live: Live, leaves: string | null, wasWhole: boolean): Handle => ({
  uid: live === undefined ? null : uidOf(live),
  stamp: live === undefined ? null : toStamp(live),
  leaves: leaves !== null && leaves.length <= MAX_LEAVES ? leaves : null,
  wasWhole,
  at: Date.now(),
});

export const writeHandle = (handle: Handle): string => JSON.stringify(handle);

export function readHandle(text: string): Handle | undefined {
  try {
    const handle = JSON.parse(text) as Partial<Handle> | null;
    return typeof handle?.at === 'number' ? { uid: handle.uid ?? null, stamp: handle.stamp ?? null, leaves: handle.leaves ?? null, wasWhole: handle.wasWhole ?? true, at: handle.at } : undefined;
  } catch {
    // Not what we wrote: whoever asks says so.
    return undefined;
  }
}
