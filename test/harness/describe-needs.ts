import { describe } from '@jest/globals';
import { onPath } from '../../cli/local/on-path.js';

interface Need {
  readonly program: string;
  /** Debian's name of what brings it. */
  readonly debianPackage: string;
}

/** `describe`, where the program is there; elsewhere it is skipped, and its name says what to install. */
export function describeNeeds({ program, debianPackage }: Need): (name: string, body: () => void) => void {
  const isThere = onPath(program, process.env) !== null;
  const describeOrSkip = isThere ? describe : describe.skip;
  return (name, body) => describeOrSkip(isThere ? name : `${name} (needs ${program}: apt-get install ${debianPackage})`, body);
}
