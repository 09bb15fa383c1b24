export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An SQLSTATE outside of class 08 and 57: Postgres answered, and the answer was no. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^(08|57)/.test(error.code);
}
