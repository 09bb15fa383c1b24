// Postgres takes 65,535 parameters in a statement; a row has 25 at most.
const ROWS = 1_000;

/** The rows in portions that one statement can take. */
export function* toSlices<Row>(rows: readonly Row[]): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += ROWS) yield rows.slice(from, from + ROWS);
}
