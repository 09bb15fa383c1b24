import { type RemoteRequest, writeAnswer, writePlaced, writeTrouble } from '../../activities/adapters/remote-call.js';
import { Fault } from '../../activities/faults.js';
import { CalledOff, type Change, type ChangeOptions, type Executor, type Ports } from '../../activities/ports.js';
import type { ExecutorCall } from '../../contracts/http-executors.js';
import type { DraftStep } from '../../domain/plan.js';
import type { Redactor } from '../../domain/redaction.js';
import { redactWithin } from '../../domain/redact-within.js';
import type { Log } from '../log.js';
import { CallGone, type ExecutorApi } from './executor-api.js';
import { createOutputSender } from './output-sender.js';
import { type GrantProof, proveGrant } from './prove-grant.js';

const BEAT_MS = 1_000;
const ANSWER_WITHIN_MS = 600_000;

export interface ServeDeps {
  readonly api: ExecutorApi;
  readonly executor: Executor;
  readonly grants: Pick<Ports, 'signatures' | 'watch' | 'now'>;
  readonly redactor: Redactor;
  readonly queue: string;
  readonly place: string;
  readonly log: Pick<Log, 'warn'>;
  readonly answerWithinMs?: number;
}

/** Does what a call asks and answers it. Never throws for what it asks; only where the API does not let us in. */
export async function serveCall(deps: ServeDeps, call: ExecutorCall): Promise<void> {
  const { api, log, answerWithinMs = ANSWER_WITHIN_MS } = deps;
  const aborting = new AbortController();
  // A call that is gone goes on: what has begun is better brought to its end, and somebody will ask what became of it.
  const beat = setInterval(() => {
    api.beat(call.id).then(({ isAborted }) => isAborted && aborting.abort(new CalledOff('it was cancelled')), () => {});
  }, BEAT_MS);
  const output = createOutputSender(api, call.id);
  try {
    const answer = await answerTo(deps, call, {
      signal: aborting.signal,
      onOutput: (line) => output.write(deps.redactor.redact(line)),
      drained: output.drained,
      begin: async (handle) => {
        const beginning = await api.begin(call.id, writePlaced(deps.place, handle)).catch((error: unknown) => {
          if (error instanceof CallGone) return 'lost' as const;
          throw error;
        });
        if (beginning === 'calledOff') throw new CalledOff('it was called off before it began');
        if (beginning === 'lost') throw new Error('nobody waits for it any more');
      },
    });
    await output.close();
    const late = AbortSignal.timeout(answerWithinMs);
    await api.answer(call.id, answer, late).catch((error: unknown) => {
      if (!late.aborted) throw error;
      log.warn({ call: call.id }, 'the API took no answer in time; whoever settles it asks again');
    });
  } catch (error) {
    if (!(error instanceof CallGone)) throw error;
  } finally {
    clearInterval(beat);
  }
}

async function answerTo(deps: ServeDeps, call: ExecutorCall, options: Omit<ChangeOptions, 'toldLines'>): Promise<string> {
  try {
    const request = JSON.parse(call.request) as RemoteRequest;
    // A snapshot is kept to the byte; everything else is told to people.
    return request.kind === 'snapshot' ? writeAnswer(await perform(deps, call, request, options)) : writeAnswer(redactWithin(deps.redactor.redact, await perform(deps, call, request, options)));
  } catch (error) {
    return deps.redactor.redact(writeTrouble(error));
  }
}

async function perform({ executor, grants, queue }: ServeDeps, call: ExecutorCall, request: RemoteRequest, options: Omit<ChangeOptions, 'toldLines'>): Promise<unknown> {
  const { workspaceId } = request;
  switch (request.kind) {
    case 'rehearse':
      return executor.rehearse(workspaceId, ofQueue(queue, request.step));
    case 'snapshot':
      return executor.snapshot(workspaceId, ofQueue(queue, request.step));
    case 'settle':
    case 'run': {
      const proof = call.proof === null ? null : (JSON.parse(call.proof) as GrantProof);
      const hasBegun = request.kind === 'settle';
      const proven = await proveGrant(grants, { queue, workspaceId, hasBegun }, proof);
      if (proven.kind === 'refused') {
        if (hasBegun) throw new Fault('outcomeUnknown', proven.because);
        return { kind: 'failed', changed: false, summary: proven.because };
      }
      const { key, step, runs } = proven;
      const change: Change = runs === 'execute' ? { kind: 'execute', step, key, snapshot: request.snapshot } : { kind: 'rollback', step, key, snapshot: request.snapshot ?? '', left: request.left ?? '' };
      const telling = { ...options, toldLines: request.toldLines };
      return request.kind === 'settle' ? executor.settle(workspaceId, change, request.handle, telling) : executor.run(workspaceId, change, telling);
    }
  }
}

function ofQueue<Drafted extends DraftStep>(queue: string, step: Drafted): Drafted {
  if (step.queue !== queue) throw new Fault('targetMissing', `step ${step.stepId} is for the queue ${step.queue ?? '(none)'}, and this is the executor worker of ${queue}`);
  return step;
}
