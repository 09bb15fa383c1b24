import { Type, type Static } from 'typebox';
import { Body, Moment, Name, Nullable, Uuid, Words } from './http.js';

const Capabilities = Type.Object(
  {
    targets: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 1_000, description: 'The targets that it acts on, by their names in its own sluice.yaml.' }),
    lacks: Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 100, description: 'What it cannot do for want of a program, a sentence each.' }),
  },
  { additionalProperties: false },
);

export const ExecutorList = Type.Object({
  executors: Type.Array(
    Type.Object({
      queue: Type.String(),
      workerId: Uuid,
      version: Type.String(),
      capabilities: Capabilities,
      health: Type.Enum(['up', 'lost'], { description: '`lost`: it has not asked for work for half a minute.' }),
      calls: Type.Integer({ description: 'How many it has in hand.' }),
      startedAt: Moment,
      lastSeenAt: Moment,
    }),
    { description: 'Those that were seen within the last day.' },
  ),
});
export type ExecutorList = Static<typeof ExecutorList>;

const workerId = Type.String({ format: 'uuid', description: 'Of the process, chosen by it when it starts.' });

export const PollBody = Body({
  workerId,
  place: Type.String({ format: 'uuid', description: 'Of the folder in which it keeps its runs.' }),
  version: Name,
  capabilities: Capabilities,
  hasRoom: Type.Boolean({ description: 'Whether it can take another call; if not, it is only noted that it is there.' }),
  waitMs: Type.Integer({ minimum: 0, maximum: 10_000, description: 'How long to wait for a call.' }),
});
export type PollBody = Static<typeof PollBody>;

export const ExecutorCall = Type.Object({
  id: Uuid,
  kind: Words(['rehearse', 'snapshot', 'run', 'settle']),
  request: Type.String({ description: 'JSON: the step or the change.' }),
  proof: Type.Union([Type.String(), Type.Null()], { description: 'JSON: what proves that what is to be run or settled was granted; null for what has no effect.' }),
});
export type ExecutorCall = Static<typeof ExecutorCall>;
export const PollAnswer = Type.Object({ call: Nullable(ExecutorCall) });
export type PollAnswer = Static<typeof PollAnswer>;

export const CallParams = Type.Object({ callId: Uuid });
export const BeatBody = Body({ workerId });
export const BeatAnswer = Type.Object({ isAborted: Type.Boolean({ description: 'Whether it should be stopped.' }) });
export type BeatAnswer = Static<typeof BeatAnswer>;

export const BeginBody = Body({ workerId, handle: Type.String({ minLength: 1, maxLength: 20_000, description: 'How to find out later what became of it.' }) });
export const BeginAnswer = Type.Object({
  beginning: Type.Enum(['begun', 'calledOff', 'lost', 'waiting'], { description: '`lost`: nobody waits for it any more, so it must not begin; `waiting`: ask again.' }),
});
export type BeginAnswer = Static<typeof BeginAnswer>;

export const OutputBody = Body({
  workerId,
  firstLine: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
  text: Type.String({ maxLength: 1_048_576, pattern: '^[^\\u0000]*$', description: 'Whole lines. The same ones may be sent again.' }),
});
export const OutputAnswer = Type.Object({ isFull: Type.Boolean({ description: 'Whether they were not taken, because too much waits; send them again.' }) });
export type OutputAnswer = Static<typeof OutputAnswer>;

export const AnswerBody = Body({ workerId, answer: Type.String({ maxLength: 33_554_432, description: 'JSON: what it came to.' }) });
export const AnswerReceipt = Type.Object({ message: Type.String() });
