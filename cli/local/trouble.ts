/** A known trouble of the reader's machine: what is wrong, and what to do about it. Shown without a stack. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  constructor(
    message: string,
    readonly remedy: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The text for the terminal. */
export const explain = (trouble: Trouble): string => `${trouble.message}\n  What to do: ${trouble.remedy}`;

/** True for the errors of node's own calls that carry one of these codes. */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);

/** The reason, for errors that outside code threw. */
export const reasonOf = (error: unknown): string =>
  (typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error)).trim();
