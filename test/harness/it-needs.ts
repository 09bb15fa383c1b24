/* oxlint-disable jest/expect-expect, jest/no-disabled-tests, jest/valid-title, jest/valid-describe-callback -- this is not a test but how tests are declared */
import { describe, it } from '@jest/globals';
import { onPath } from '../../cli/local/on-path.js';

interface Need {
  readonly program: string;
  /** Debian's name of what brings it. */
  readonly debianPackage: string;
}

type Test = (name: string, test: () => Promise<void>, timeoutMs?: number) => void;

const isThere = ({ program }: Need): boolean => onPath(program, process.env) !== null;
const withReason = (name: string, { program, debianPackage }: Need): string => `${name} (needs ${program}: apt-get install ${debianPackage})`;

/** `it`, where the program is there; elsewhere a skipped test whose name says what to install. */
export function itNeeds(need: Need): Test {
  if (isThere(need)) return it;
  return (name, test, timeoutMs) => it.skip(withReason(name, need), test, timeoutMs);
}

/** `describe`, likewise. */
export function describeNeeds(need: Need): (name: string, body: () => void) => void {
  if (isThere(need)) return describe;
  return (name, body) => describe.skip(withReason(name, need), body);
}
