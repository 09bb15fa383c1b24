import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe } from '@jest/globals';

/** One text that a validator is tried with. It is only ever read. */
export interface CorpusLine {
  readonly id: string;
  readonly type: string;
  readonly text: string;
  readonly label: string;
}

const shared = fileURLToPath(new URL('../../../shared/corpora/', import.meta.url));

/** The lines of one type of a corpus of ours. */
export const readOwn = (name: string, type: string): readonly CorpusLine[] => readLines(fileURLToPath(new URL(`../validation/corpus/${name}.jsonl`, import.meta.url)), type);

/** The lines of one type, and with one label, of a corpus that lies beside the project. */
export const readShared = (name: string, type: string, label: string): readonly CorpusLine[] => readLines(`${shared}${name}.jsonl`, type).filter((line) => line.label === label);

/** `describe`, where the shared corpora are; elsewhere it is skipped, and says so. */
export function describeShared(name: string, body: () => void): void {
  const isThere = existsSync(shared);
  const describeOrSkip = isThere ? describe : describe.skip;
  describeOrSkip(isThere ? name : `${name} (needs the folder shared/corpora beside the project)`, body);
}

function readLines(file: string, type: string): readonly CorpusLine[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CorpusLine)
    .filter((line) => line.type === type);
}
