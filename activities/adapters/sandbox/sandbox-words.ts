import { assertNever } from '../../../domain/assert-never.js';
import type { DraftStep, Sandbox, Step } from '../../../domain/plan.js';
import type { ChangeResult } from '../../ports.js';
import type { User } from './declared-paths.js';
import type { PathsReading } from './path-snapshot.js';
import type { ExitRecord } from './run-folder.js';
import { nameWords } from './script-words.js';

const MiB = 1_048_576;
const inMiB = (bytes: number): string => `${Math.round((bytes / MiB) * 10) / 10} MiB`;
const inSeconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/** What people should know of a script before they let it run, a line each. */
export async function describeRun(step: DraftStep, { type, sandbox, user, reading }: { readonly type: 'bash' | 'python'; readonly sandbox: Sandbox; readonly user: User | null; readonly reading: PathsReading }): Promise<readonly string[]> {
  const lines = step.script.replace(/\n$/, '').split('\n').length;
  return [
    `would run ${lines} line${lines === 1 ? '' : 's'} of ${type} on ${step.target} in a sandbox without a network, ${user === null ? 'as the user of its worker' : sandbox.paths.length === 0 ? 'as a user of its own' : `as user ${user.uid}`}`,
    `at most ${inSeconds(step.timeoutMs)}, ${inMiB(sandbox.memoryBytes)} of memory, ${inMiB(sandbox.diskBytes)} of disk, ${sandbox.processes} processes, ${inMiB(sandbox.outputBytes)} of output`,
    ...(step.parameters.length === 0 ? [] : [`its arguments: ${step.parameters.map((parameter) => JSON.stringify(parameter)).join(' ')}`]),
    await nameWords(type, step.script),
    ...(sandbox.secrets.length === 0 ? [] : [`is given the secrets ${sandbox.secrets.join(', ')}, below /run/secrets`]),
    ...(reading.lines.length === 0 ? ['may change nothing that lasts: it declares no paths'] : reading.lines.map((line) => `may change ${line}`)),
    ...(reading.kind === 'partly' ? [`its paths are not kept, so what it changes there cannot be undone: ${reading.because}`] : []),
    'what it changes outside of its paths cannot be undone',
  ];
}

/** Of what was begun where we cannot look. */
export const ELSEWHERE = 'it was begun on another machine or in another container (PID namespace), where it may still run, so nobody can tell from here what became of it';

const killedWords = {
  time: 'it was not done in time',
  memory: 'it used more memory than it may',
  processes: 'it made more processes than it may',
  disk: 'it wrote more below its paths than it may, or where that cannot be measured',
  space: 'the disk of its paths was filling up while it ran',
  cancelled: 'it was cancelled',
} as const;

/** What a run came to. */
export function toResult({ ended, tookMs, left }: ExitRecord, { type, pins, wayBack }: Step): ChangeResult {
  switch (ended.kind) {
    case 'exited': {
      if (ended.code === 0) return { kind: 'done', summary: `${type} ended well after ${inSeconds(tookMs)}` };
      // Where all of its paths were read, being the same is to have changed nothing.
      const changed = wayBack.kind !== 'snapshot' || left !== pins?.before;
      return { kind: 'failed', changed, summary: `${type} ended with ${ended.code} after ${inSeconds(tookMs)}` };
    }
    case 'killed':
      return { kind: 'failed', changed: true, summary: `${type} was killed with all that it had started, after ${inSeconds(tookMs)}: ${killedWords[ended.because]}` };
    case 'notStarted':
      return { kind: 'failed', changed: false, summary: `the sandbox could not be made, and nothing was run: ${ended.because}` };
    case 'changedBefore':
      return { kind: 'conflict', summary: 'what the script may change was changed by somebody else at the same moment; nothing was run' };
    case 'restored':
    case 'lost':
      throw new Error(`a run of ${type} cannot be ${ended.kind}`);
    default:
      return assertNever(ended);
  }
}
