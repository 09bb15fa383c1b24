import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AnswerBody, AnswerReceipt, BeatAnswer, BeatBody, BeginAnswer, BeginBody, CallParams, ExecutorList, OutputAnswer, OutputBody, PollAnswer, PollBody } from '../../contracts/http-executors.js';
import type { Database } from '../../db/database.js';
import { addOutput, answerCall, askToBegin, beatCall, takeCall, toWakeWord } from '../../db/executor-calls.js';
import { listExecutors, noteExecutor } from '../../db/executors.js';
import { readGrantProof } from '../../db/grant-proof.js';
import type { TailListener } from '../../db/tail-listener.js';
import type { Actor } from '../../domain/actor.js';
import { UnknownCall } from '../errors.js';
import { problems } from '../plugins/problems.js';

// A wake-up may be lost.
const LOOK_EVERY_MS = 1_000;
const BEGIN_WAIT_MS = 5_000;
const BEGIN_EVERY_MS = 25;
// A snapshot, as JSON within JSON.
const ANSWER_LIMIT_BYTES = 67_108_864;
const OUTPUT_LIMIT_BYTES = 8_388_608;

/** Executor workers come in here, each for the calls of the queue that its token names. They speak first, always. */
export const executorCallRoutes: FastifyPluginAsyncTypebox<{ listener: TailListener }> = async (app, { listener }) => {
  app.get(
    '/api/executors',
    {
      config: { minimumRole: 'viewer' },
      schema: { operationId: 'listExecutors', tags: ['executors'], description: 'The executor workers of the workspace, what each can do, and whether it is there.', response: { 200: ExecutorList, ...problems } },
    },
    async ({ actor, db }) => {
      const rows = await listExecutors(db, actor.workspaceId);
      return {
        executors: rows.map(({ isUp, capabilities, startedAt, lastSeenAt, ...row }) => ({
          ...row,
          capabilities: { targets: [...capabilities.targets], lacks: [...capabilities.lacks] },
          health: isUp ? ('up' as const) : ('lost' as const),
          startedAt: startedAt.toISOString(),
          lastSeenAt: lastSeenAt.toISOString(),
        })),
      };
    },
  );

  app.post(
    '/api/executors/poll',
    {
      config: { minimumRole: 'executor', streams: true },
      schema: { operationId: 'pollExecutorCall', tags: ['executors'], description: 'Takes the next call of the queue that the token names, and waits for one.', body: PollBody, response: { 200: PollAnswer, ...problems } },
    },
    async ({ actor, db, body, socket }) => {
      const { workerId, place, version, capabilities, hasRoom, waitMs } = body;
      const { workspaceId, queue } = toOwner(actor);
      await noteExecutor(db, { workspaceId, queue, workerId, place, version, capabilities });
      const deadline = Date.now() + waitMs;
      const bell = openBell(listener, toWakeWord(workspaceId, queue));
      try {
        for (;;) {
          // Who hung up would never hear of what is taken now.
          const taken = hasRoom && !socket.destroyed ? await takeCall(db, { workspaceId, queue, workerId, place }) : undefined;
          if (taken !== undefined) return { call: { id: taken.id, kind: taken.kind, request: taken.request, proof: await readProof(db, workspaceId, taken.key) } };
          const leftMs = deadline - Date.now();
          if (leftMs <= 0 || socket.destroyed) return { call: null };
          await bell.wait(Math.min(leftMs, LOOK_EVERY_MS));
        }
      } finally {
        bell.close();
      }
    },
  );

  app.post(
    '/api/executors/calls/:callId/beat',
    {
      config: { minimumRole: 'executor' },
      schema: { operationId: 'beatExecutorCall', tags: ['executors'], description: 'Says that the worker of a call lives; whoever does not is taken for dead.', params: CallParams, body: BeatBody, response: { 200: BeatAnswer, ...problems } },
    },
    async ({ actor, db, params: { callId }, body: { workerId } }) => (await beatCall(db, { callId, workerId, ...toOwner(actor) })) ?? refuse(callId),
  );

  app.post(
    '/api/executors/calls/:callId/begin',
    {
      config: { minimumRole: 'executor', streams: true },
      schema: { operationId: 'beginExecutorCall', tags: ['executors'], description: 'Asks whether a change may begin now. Only `begun` lets it.', params: CallParams, body: BeginBody, response: { 200: BeginAnswer, ...problems } },
    },
    async ({ actor, db, params: { callId }, body: { workerId, handle } }) => {
      const deadline = Date.now() + BEGIN_WAIT_MS;
      for (;;) {
        const { beginning } = (await askToBegin(db, { callId, workerId, ...toOwner(actor) }, handle)) ?? refuse(callId);
        if (beginning !== null) return { beginning };
        if (Date.now() > deadline) return { beginning: 'waiting' as const };
        await wait(BEGIN_EVERY_MS);
      }
    },
  );

  app.post(
    '/api/executors/calls/:callId/output',
    {
      config: { minimumRole: 'executor' },
      bodyLimit: OUTPUT_LIMIT_BYTES,
      schema: { operationId: 'sendExecutorOutput', tags: ['executors'], description: 'Sends lines of a call to the job tail.', params: CallParams, body: OutputBody, response: { 200: OutputAnswer, ...problems } },
    },
    async ({ actor, db, params: { callId }, body: { workerId, ...chunk } }) => {
      const added = (await addOutput(db, { callId, workerId, ...toOwner(actor) }, chunk)) ?? refuse(callId);
      return { isFull: added === 'full' };
    },
  );

  app.post(
    '/api/executors/calls/:callId/answer',
    {
      config: { minimumRole: 'executor' },
      bodyLimit: ANSWER_LIMIT_BYTES,
      schema: { operationId: 'answerExecutorCall', tags: ['executors'], description: 'Ends a call with what it came to.', params: CallParams, body: AnswerBody, response: { 200: AnswerReceipt, ...problems } },
    },
    async ({ actor, db, params: { callId }, body: { workerId, answer } }) => {
      if (!(await answerCall(db, { callId, workerId, ...toOwner(actor) }, answer))) refuse(callId);
      return { message: 'Answered' };
    },
  );
};

/** An executor's token names its queue where others name a person. */
const toOwner = ({ workspaceId, person }: Actor) => ({ workspaceId, queue: person });

function refuse(callId: string): never {
  throw new UnknownCall(callId);
}

const readProof = async (db: Database, workspaceId: string, key: string | null): Promise<string | null> => {
  const proof = key === null ? undefined : await readGrantProof(db, workspaceId, key);
  return proof === undefined ? null : JSON.stringify(proof);
};

/** Waits for a wake-up; one that came since it was last waited for counts. */
function openBell(listener: TailListener, word: string) {
  let rung = new AbortController();
  const close = listener.subscribe(word, () => rung.abort());
  return {
    close,
    async wait(withinMs: number): Promise<void> {
      await wait(withinMs, undefined, { signal: rung.signal }).catch(() => {});
      if (rung.signal.aborted) rung = new AbortController();
    },
  };
}
