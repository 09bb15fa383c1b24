import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { DraftStep } from '../../domain/plan.js';
import { Fault } from '../faults.js';
import { isLeftToNext } from '../left-to-next.js';
import { CalledOff, type Change, type ChangeOptions, type ChangeResult, type Executor, type Rehearsal } from '../ports.js';
import { readAnswer, readPlaced, type RemoteRequest } from './remote-call.js';

const LOOK_EVERY_MS = 50;
const UNSEEN_MS = 30_000;
// A machine that is being restarted comes back; until then only it can say what became of what it began.
const UNSEEN_SETTLE_MS = 180_000;

type Beginning = 'begun' | 'calledOff' | 'lost';

/** Where calls to executor workers are written. */
export interface ExecutorCalls {
  place(call: {
    readonly id: string;
    readonly workspaceId: string;
    readonly queue: string;
    readonly place: string | null;
    readonly kind: RemoteRequest['kind'];
    readonly key: string | null;
    readonly request: string;
  }): Promise<void>;
  /** Says that we still wait, and what there is by now, each line once. Undefined where the call is gone. */
  attend(id: string): Promise<
    | {
        readonly isTaken: boolean;
        readonly isLost: boolean;
        /** Whether a worker that may take the call was seen lately. */
        readonly isSeen: boolean;
        readonly handle: string | null;
        readonly beginning: Beginning | null;
        readonly answer: string | null;
        readonly output: readonly { readonly firstLine: number; readonly text: string }[];
      }
    | undefined
  >;
  /** False where it was answered otherwise before. */
  tellBeginning(id: string, beginning: Beginning): Promise<boolean>;
  abort(id: string): Promise<void>;
  remove(id: string): Promise<void>;
}

interface Call {
  readonly workspaceId: string;
  readonly queue: string;
  readonly place?: string | null;
  readonly key?: string | null;
  readonly request: RemoteRequest;
  readonly unseenMs?: number;
  readonly options?: Omit<ChangeOptions, 'begin'> & Partial<Pick<ChangeOptions, 'begin'>>;
}

/** Has steps done by the executor worker that they name. It never speaks to one: calls wait in the record, and workers come for them. */
export function createRemoteExecutor(calls: ExecutorCalls, { unseenMs = UNSEEN_MS, unseenSettleMs = UNSEEN_SETTLE_MS } = {}): Executor {
  /** Places a call and looks after it to its end. */
  async function ask({ workspaceId, queue, place = null, key = null, request, options, unseenMs: patienceMs = unseenMs }: Call): Promise<unknown> {
    const id = randomUUID();
    const leaveIfAborted = (): void => {
      // What has begun is not left because it was cancelled: whoever takes the call has to end it.
      if (options !== undefined && (request.kind !== 'settle' || isLeftToNext(options.signal))) options.signal.throwIfAborted();
    };
    leaveIfAborted();
    await calls.place({ id, workspaceId, queue, place, kind: request.kind, key, request: JSON.stringify(request) });
    const tell = createTeller(options);
    const patientUntil = Date.now() + patienceMs;
    let refusal: unknown;
    let isAborted = false;
    try {
      for (;;) {
        const call = await calls.attend(id);
        if (call === undefined) throw new Error(`the call ${id} to the queue ${queue} is gone`);
        const toldAny = await tell(call.output);
        if (call.answer !== null) {
          if (refusal !== undefined) throw refusal;
          return readAnswer(call.answer);
        }
        if (call.isTaken && call.isLost) throw refusal ?? new Error(`the executor worker of the queue ${queue} does not answer any more`);
        if (!call.isTaken) {
          leaveIfAborted();
          if (Date.now() > patientUntil && !call.isSeen) throw explainUnseen(queue, request, options?.signal.aborted === true);
        }
        if (options !== undefined && isLeftToNext(options.signal)) throw options.signal.reason;
        if (call.isTaken && options?.signal.aborted === true && !isAborted) {
          isAborted = true;
          await calls.abort(id);
        }
        if (call.handle !== null && call.beginning === null && options?.begin !== undefined) {
          refusal = await answerBegin(id, call.handle, options.begin);
        } else if (!toldAny) await wait(LOOK_EVERY_MS);
      }
    } finally {
      await calls.remove(id);
    }
  }

  /** Lets the worker begin once that is noted; else what it was that hindered. The worker puts things right before it answers. */
  async function answerBegin(id: string, handle: string, begin: ChangeOptions['begin']): Promise<unknown> {
    try {
      await begin(handle);
    } catch (error) {
      await calls.tellBeginning(id, error instanceof CalledOff ? 'calledOff' : 'lost');
      return error;
    }
    return (await calls.tellBeginning(id, 'begun')) ? undefined : new Error('the executor worker gave up waiting before it could begin');
  }

  return {
    rehearse: async (workspaceId, step) => (await ask({ workspaceId, queue: toQueue(step), request: { kind: 'rehearse', workspaceId, step } })) as Rehearsal,
    snapshot: async (workspaceId, step) => (await ask({ workspaceId, queue: toQueue(step), request: { kind: 'snapshot', workspaceId, step } })) as string,

    async run(workspaceId, change, options) {
      const { place, left } = toLeft(change);
      const request = { kind: 'run', workspaceId, snapshot: change.snapshot, left, toldLines: options.toldLines } as const;
      return (await ask({ workspaceId, queue: toQueue(change.step), place, key: change.key, request, options })) as ChangeResult;
    },

    async settle(workspaceId, change, text, options) {
      const placed = readPlaced(text);
      if (placed === undefined) throw new Fault('outcomeUnknown', `what was noted of ${change.step.script} cannot be read`);
      const request = { kind: 'settle', workspaceId, snapshot: change.snapshot, left: toLeft(change).left, handle: placed.handle, toldLines: options.toldLines } as const;
      return (await ask({ workspaceId, queue: toQueue(change.step), place: placed.place, key: change.key, request, options, unseenMs: unseenSettleMs })) as Awaited<ReturnType<Executor['settle']>>;
    },
  };
}

/** What a rollback takes back, and where it ran: only there can it be taken back. */
function toLeft(change: Change): { readonly place: string | null; readonly left: string | null } {
  if (change.kind === 'execute') return { place: null, left: null };
  const { place, handle } = readPlaced(change.left) ?? { place: null, handle: change.left };
  return { place, left: handle };
}

function toQueue({ queue, stepId }: DraftStep): string {
  if (queue === null) throw new Error(`step ${stepId} names no queue`);
  return queue;
}

function explainUnseen(queue: string, { kind }: RemoteRequest, isCancelled: boolean): Fault {
  const start = `start one near its targets: npx sluice worker --queue ${queue}`;
  if (kind === 'settle') return new Fault('outcomeUnknown', `only the executor worker of the queue ${queue} can tell what became of it, and none is there${isCancelled ? '; it was cancelled, but nobody could end it, so it may still run' : ''}; ${start}`);
  return new Fault('targetMissing', `no executor worker with the queue ${queue} is there; ${start}`);
}

/** Tells each line once, in order; says whether there was any. */
function createTeller(options: Call['options']) {
  let next = 1;
  return async (chunks: readonly { readonly firstLine: number; readonly text: string }[]): Promise<boolean> => {
    for (const { firstLine, text } of chunks) {
      const lines = text.split('\n');
      lines.slice(Math.max(0, next - firstLine)).forEach((line) => options?.onOutput(line));
      next = Math.max(next, firstLine + lines.length);
    }
    if (chunks.length > 0) await options?.drained();
    return chunks.length > 0;
  };
}
