/** One word as a program would receive it. Where a part of it cannot be known, `text` holds a placeholder. */
export interface Word {
  readonly text: string;
  readonly position: number;
  /** It holds an unquoted pattern, and so may stand for any number of file names. */
  readonly isPattern: boolean;
  /** It holds an unquoted value that is not known, and so may stand for any number of words. */
  readonly isSpread: boolean;
}

// Characters for private use: the rules of characters refuse them before a script is read, and an escape that makes one counts as crafted.
/** From outside: a variable that the text does not set, a positional parameter, a line that was read. */
export const OUTSIDE = '\uE000';
/** Built inside the script by changing other text, so that nobody sees it. */
export const CRAFTED = '\uE001';
/** What a command printed. */
export const COMPUTED = '\uE002';
/** A number or a date. */
export const NUMBER = '\uE003';

const placeholder = /[\uE000-\uE003]/;
const placeholders = /[\uE000-\uE003]/g;

/** Whether every character of the text is known. */
export const isKnown = (text: string): boolean => !placeholder.test(text);
/** Whether nothing but numbers is unknown, which can hold neither a blank, a slash nor an option. */
export const isPlain = (text: string): boolean => !/[\uE000-\uE002]/.test(text);
/** The text as a person may read it. */
export const shown = (text: string): string => JSON.stringify(text.replace(placeholders, '…').slice(0, 60));
export const wordOf = (text: string, position: number): Word => ({ text, position, isPattern: false, isSpread: false });
