import { CRAFTED, OUTSIDE } from './words.js';

/** What a variable may hold: one of these texts, or all of them where it is a list. */
export interface Value {
  readonly texts: readonly string[];
  readonly isList: boolean;
}

/** What is known of the variables at one point of a script. A name that is missing was never set there. */
export type Variables = Map<string, Value>;

/** The working folder is kept beside the variables, under a name that no variable can have. */
export const FOLDER = '.';

/** Where the last `cd` goes if it succeeds; the folder is either one where nothing stops the script after a failure. */
export const ARRIVED = '..';
/** Whether a command that fails ends the script. */
export const STOPS = '-e';

const MOST_TEXTS = 24;
const MOST_LENGTH = 4096;

/** A value of one of these texts, or one that nobody can tell where there are too many. */
export function oneOf(texts: readonly string[]): Value {
  const different = [...new Set(texts)];
  return { texts: different.length > MOST_TEXTS || different.some((text) => text.length > MOST_LENGTH) ? [CRAFTED] : different, isList: false };
}

export const unset: Value = oneOf([OUTSIDE]);

/** What holds where two ways through a script meet. */
export function merge(into: Variables, others: readonly Variables[]): void {
  const names = new Set([into, ...others].flatMap((variables) => [...variables.keys()]));
  for (const name of names) {
    const values = [into, ...others].map((variables) => variables.get(name) ?? (name === FOLDER ? oneOf(['']) : unset));
    const [first] = values;
    if (first === undefined || values.every((value) => isSame(value, first))) continue;
    into.set(name, values.some((value) => value.isList) ? joinLists(values) : oneOf(values.flatMap((value) => value.texts)));
  }
}

export const isSame = (left: Value, right: Value): boolean => left.isList === right.isList && left.texts.length === right.texts.length && left.texts.every((text) => right.texts.includes(text));

/** Whether two states say the same of every variable. */
export const isSameState = (left: Variables, right: Variables): boolean => left.size === right.size && [...left].every(([name, value]) => isSame(value, right.get(name) ?? unset));

function joinLists(values: readonly Value[]): Value {
  const { texts } = oneOf(values.flatMap((value) => value.texts));
  return { texts, isList: true };
}
