import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { DraftStep } from '../domain/plan.js';
import type { LibraryScript } from '../validation/library-script.js';
import type { Finding, ScriptValidation } from '../validation/script-validation.js';
import type { TextType } from '../validation/text-types.js';
import type { Answer, Question } from './messages.js';

const DEADLINE_MS = 10_000;
// A parser that needs more than this is not reading a script.
const limits = { maxOldGenerationSizeMb: 512, stackSizeMb: 8 };

/** Judges scripts by the rules of `validation/`, in a thread of their own. What takes too long, or ends the thread, is denied. */
export interface Inspector {
  readonly judgeStep: (step: DraftStep) => Promise<ScriptValidation>;
  readonly judgeText: (type: TextType, text: string) => Promise<ScriptValidation>;
  readonly findWrongInScript: (script: LibraryScript) => Promise<readonly Finding[]>;
  readonly close: () => Promise<void>;
}

/** Opens an inspector; its thread starts with the first script. `deadlineMs` is how long one may take. */
export function openInspector({ deadlineMs = DEADLINE_MS }: { readonly deadlineMs?: number } = {}): Inspector {
  let thread: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const haveThread = (): Worker => (thread ??= startThread());
  function startThread(): Worker {
    const started = new Worker(new URL('start-thread.mjs', import.meta.url), { resourceLimits: limits });
    // It keeps no process alive that has nothing else to do, and ends none when it fails between two scripts.
    started.unref();
    return started.on('error', () => {}).once('exit', () => void (thread = thread === started ? undefined : thread));
  }
  async function endThread(): Promise<void> {
    const ended = thread;
    thread = undefined;
    await ended?.terminate();
  }

  /** One at a time, so that a deadline is only for its own script. */
  function ask(question: Question): Promise<Answer> {
    const asked = last.then(async () => {
      const answer = await askThread(haveThread(), question, deadlineMs);
      if (answer.isLost) await endThread();
      return answer.said;
    });
    last = asked;
    return asked;
  }
  async function judge(question: Question): Promise<ScriptValidation> {
    const answer = await ask(question);
    return 'validation' in answer ? answer.validation : { result: 'denied', findings: [toFinding(answer)] };
  }

  return {
    judgeStep: async (step) => judge({ kind: 'step', step }),
    judgeText: async (type, text) => judge({ kind: 'text', type, text }),
    async findWrongInScript(script) {
      const answer = await ask({ kind: 'library', script });
      return 'findings' in answer ? answer.findings : [toFinding(answer)];
    },
    close: endThread,
  };
}

const toFinding = (answer: Answer): Finding => ({
  rule: 'inspection.failed',
  position: 0,
  reason: `it could not be judged: ${answer.ok ? 'the answer is of another kind' : answer.because}`,
  remedy: 'Write it simpler, or in several scripts.',
});

/** Asks the thread and waits as long as it may take. `isLost`: the thread is of no more use. */
async function askThread(thread: Worker, question: Question, deadlineMs: number): Promise<{ readonly said: Answer; readonly isLost: boolean }> {
  const over = new AbortController();
  const within = { signal: AbortSignal.any([over.signal, AbortSignal.timeout(deadlineMs)]) };
  thread.ref();
  try {
    // An error of the thread ends the wait, too.
    const answered = once(thread, 'message', within);
    const ended = once(thread, 'exit', within).then(() => Promise.reject(new Error('its thread ended')));
    thread.postMessage(question);
    const [said] = (await Promise.race([answered, ended])) as readonly Answer[];
    return { said: said ?? { ok: false, because: 'it answered nothing' }, isLost: false };
  } catch (error) {
    const because = within.signal.aborted ? `it took longer than ${deadlineMs} ms` : error instanceof Error ? error.message : String(error);
    return { said: { ok: false, because }, isLost: true };
  } finally {
    over.abort();
    thread.unref();
  }
}
