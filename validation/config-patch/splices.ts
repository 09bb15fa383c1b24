/** A piece of a text, and what is written in its place. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The text with all pieces written anew, those of one place in the order given. Undefined where two overlap. */
export function makeSplices(text: string, splices: readonly Splice[]): string | undefined {
  // From the end, so that what is before stays where it was; at one place the later first, so that it comes after.
  const fromTheEnd = splices.toReversed().toSorted((one, other) => other.start - one.start || other.end - one.end);
  if (fromTheEnd.some(({ start }, index) => start < (fromTheEnd[index + 1]?.end ?? 0))) return undefined;
  return fromTheEnd.reduce((edited, { start, end, text: written }) => edited.slice(0, start) + written + edited.slice(end), text);
}
