import { structuredPatch } from 'diff';
import { maskLines } from '../../domain/looks-secret.js';

const MAX_LINES = 200;
const MAX_LINE_LENGTH = 400;
// Beyond this many changed lines nobody reads on, and looking for the smallest difference takes too long.
const MAX_CHANGED_LINES = 4_000;

export interface LineDifference {
  /** `3 lines added, 1 taken away` */
  readonly summary: string;
  /** A unified diff, cut where it is long. */
  readonly lines: readonly string[];
}

/**
 * How a text differs from what it was, by lines. `masked` lines do not show what looks like a secret: of a change that people are to approve
 * those around it, of what somebody else changed all.
 */
export function describeDifference(name: string, before: string, after: string, masked: 'context' | 'all'): LineDifference {
  const patch = structuredPatch(name, name, before, after, undefined, undefined, { context: 3, maxEditLength: MAX_CHANGED_LINES });
  if (patch === undefined) return { summary: `more than ${MAX_CHANGED_LINES} lines differ`, lines: [] };
  const [was, is] = [maskLines(before), maskLines(after)];
  const lines = patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: changed }) => {
    let [oldLine, newLine] = [oldStart - 1, newStart - 1];
    const show = (line: string): string => {
      const sign = line.slice(0, 1);
      if (sign === '\\') return line;
      const shown = [sign === '+' ? undefined : was[oldLine++], sign === '-' ? undefined : is[newLine++]].filter((one) => one !== undefined);
      if (masked === 'context' && sign !== ' ') return line;
      // What either of them hides is hidden.
      return `${sign}${shown.find((one) => one !== line.slice(1)) ?? line.slice(1)}`;
    };
    return [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...changed.map((line) => cut(show(line)))];
  });
  const count = (sign: string) => patch.hunks.reduce((sum, hunk) => sum + hunk.lines.filter((line) => line.startsWith(sign)).length, 0);
  const shown = lines.slice(0, MAX_LINES);
  return {
    summary: `${count('+')} ${count('+') === 1 ? 'line' : 'lines'} added, ${count('-')} taken away`,
    lines: [`--- ${name}`, `+++ ${name}`, ...shown, ...(lines.length > MAX_LINES ? [`… ${lines.length - MAX_LINES} more lines`] : [])],
  };
}

const cut = (line: string): string => (line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length - MAX_LINE_LENGTH} more characters)` : line);
