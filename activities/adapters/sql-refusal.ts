export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '');

/**
 * Postgres answered, and the answer was no. Not so where it is away, shuts down or is short of something (classes 08, 57P and 53),
 * nor where others were in the way: a lock that took too long, a deadlock, a conflict of transactions (55P03 and class 40).
 */
export const isRefusal = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(codeOf(error)) && !/^(08|57P|53|55P03|40)/.test(codeOf(error));

/** A statement that was stopped on its way, at its time limit or by somebody. */
export const isStopped = (error: unknown): boolean => codeOf(error) === '57014';
