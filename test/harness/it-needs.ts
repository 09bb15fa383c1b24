import { it } from '@jest/globals';
import { onPath } from '../../cli/local/on-path.js';

interface Need {
  readonly program: string;
  /** Debian's name of what brings it. */
  readonly debianPackage: string;
}

type Test = (name: string, test: () => Promise<void>, timeoutMs?: number) => void;

/** `it`, where the program is there; elsewhere a skipped test whose name says what to install. */
export function itNeeds({ program, debianPackage }: Need): Test {
  if (onPath(program, process.env) !== null) return it;
  return (name, test, timeoutMs) => it.skip(`${name} (needs ${program}: apt-get install ${debianPackage})`, test, timeoutMs);
}
