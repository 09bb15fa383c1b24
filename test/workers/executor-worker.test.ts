import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { writePlaced } from '../../activities/adapters/remote-call.js';
import { createRemoteExecutor } from '../../activities/adapters/remote-executor.js';
import type { Change, ChangeOptions } from '../../activities/ports.js';
import { addOutput, createExecutorCalls, takeCall } from '../../db/executor-calls.js';
import { executorCalls, executors } from '../../db/schema.js';
import { createToken } from '../../db/tokens.js';
import type { Step } from '../../domain/plan.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { aStep } from '../builders.js';
import { type ExecutorWorld, openExecutorWorld, queue } from '../harness/executor-worker.js';
import { until } from '../harness/until.js';
import { freezeStep } from '../ports/executor-contract.js';

let world: ExecutorWorld;
beforeEach(async () => {
  world = await openExecutorWorld();
});
afterEach(() => world.close());
afterAll(closeApis);

const command = aStep({ type: 'command', target: 'web-1', script: 'docker restart web', parameters: [], reach: 'host', queue });
const freeze = (over: Partial<Step> = {}): Promise<Step> => freezeStep(world.remote, workspaceId, { ...command, ...over });
const toChange = (step: Step, key: string): Change => ({ kind: 'execute', step, key, snapshot: null });

function watching(over: Partial<ChangeOptions> = {}) {
  const handles: string[] = [];
  const lines: string[] = [];
  const options: ChangeOptions = {
    begin: async (handle) => void handles.push(handle),
    signal: new AbortController().signal,
    onOutput: (line) => lines.push(line),
    toldLines: 0,
    drained: async () => {},
    ...over,
  };
  return { handles, lines, options };
}

describe('an executor worker', () => {
  it('that is killed while a command runs leaves it running; who comes next says what became of it, and it happened once', async () => {
    const first = await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    await world.host.hinder('touch begun; wait_for go-on');
    const { options, handles } = watching();
    const run = world.remote.run(workspaceId, change, options).catch((error: unknown) => String(error));
    await until('the command', () => world.host.has('begun'));
    await world.end(first, 'SIGKILL');
    expect(await run).toMatch(/does not answer any more/);

    await world.startWorker();
    const settled = world.remote.settle(workspaceId, change, handles[0] ?? '', watching().options);
    await world.host.touch('go-on');
    expect(await settled).toMatchObject({ kind: 'done' });
    expect(await world.host.listRestarts()).toEqual(['restart web']);
  }, 60_000);

  it('that is killed before its command begins leaves nothing done, and whoever comes next can do it', async () => {
    const first = await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    const { options, handles } = watching({ begin: async (handle) => {
      handles.push(handle);
      await world.end(first, 'SIGKILL');
    } });
    await expect(world.remote.run(workspaceId, change, options)).rejects.toThrow(/does not answer any more/);
    await world.startWorker();
    expect(await world.remote.settle(workspaceId, change, handles[0] ?? '', watching().options)).toEqual({ kind: 'notDone' });
    expect(await world.remote.run(workspaceId, change, watching().options)).toMatchObject({ kind: 'done' });
    expect(await world.host.listRestarts()).toEqual(['restart web']);
  }, 60_000);

  it('goes on when who asked it is gone, and tells the next one what became of it', async () => {
    await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    await world.host.hinder('touch begun; wait_for go-on');
    // A control worker that dies says nothing any more, and removes nothing.
    const calls = createExecutorCalls(world.api.db);
    const { id, handle } = await callAndDie(change, calls);
    await until('the command', () => world.host.has('begun'));
    const settled = world.remote.settle(workspaceId, change, handle, watching().options);
    await world.host.touch('go-on');
    expect(await settled).toMatchObject({ kind: 'done' });
    await until('its answer', async () => (await calls.attend(id))?.answer ?? undefined);
    expect(await world.host.listRestarts()).toEqual(['restart web']);
  }, 60_000);

  it('begins nothing for somebody who is gone', async () => {
    await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    const calls = createExecutorCalls(world.api.db);
    const id = await place(change);
    await until('the question', async () => (await calls.attend(id))?.handle ?? undefined);
    await world.api.db.update(executorCalls).set({ waiterUntil: new Date(0) }).where(eq(executorCalls.id, id));
    const [row] = await until('its answer', async () => {
      const rows = await world.api.db.select().from(executorCalls).where(eq(executorCalls.id, id));
      return rows[0]?.answer != null && rows;
    });
    expect(row).toMatchObject({ beginning: 'lost', answer: expect.stringContaining('nobody waits') });
    expect(await calls.tellBeginning(id, 'begun')).toBe(false);
    expect(await world.host.listRestarts()).toEqual([]);
  }, 60_000);

  it('shares its queue with another, and each call is done once', async () => {
    await Promise.all([world.startWorker(), world.startWorker()]);
    for (let round = 0; round < 10; round += 1) {
      const step = await freeze();
      const change = toChange(step, await world.grant(step));
      expect(await world.remote.run(workspaceId, change, watching().options)).toMatchObject({ kind: 'done' });
    }
    expect(await world.host.listRestarts()).toHaveLength(10);
  }, 60_000);

  it('is asked to stop a command that was cancelled, and says that it may still have happened', async () => {
    await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    await world.host.hinder('echo stopping web; touch begun; wait_for never');
    const cancelling = new AbortController();
    const { options, lines } = watching({ signal: cancelling.signal });
    const run = world.remote.run(workspaceId, change, options);
    await until('the command', () => world.host.has('begun'));
    cancelling.abort();
    expect(await run).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('it was cancelled') });
    expect(lines[0]).toBe('stopping web');
  }, 60_000);

  it('of another place cannot tell what became of what began, and that is said', async () => {
    await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    await expect(impatient().settle(workspaceId, change, writePlaced(randomUUID(), '{}'), watching().options)).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringMatching(/none is there; start one/) });
  }, 20_000);

  it('that comes late ends what was cancelled meanwhile; if none comes, it is said that it may still run', async () => {
    const first = await world.startWorker();
    const step = await freeze();
    const change = toChange(step, await world.grant(step));
    await world.host.hinder('touch begun; wait_for go-on');
    const { options, handles } = watching();
    const run = world.remote.run(workspaceId, change, options).catch(() => {});
    await until('the command', () => world.host.has('begun'));
    await world.end(first, 'SIGKILL');
    await run;
    const cancelled = watching({ signal: AbortSignal.abort() }).options;
    await world.api.db.update(executors).set({ lastSeenAt: new Date(0) });
    await expect(impatient().settle(workspaceId, change, handles[0] ?? '', cancelled)).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringContaining('it may still run') });
    const settled = world.remote.settle(workspaceId, change, handles[0] ?? '', cancelled).catch((error: unknown) => String(error));
    await world.startWorker();
    expect(await settled).toMatch(/met trouble: it was cancelled/);
    await world.host.touch('go-on');
  }, 60_000);

  it('is not kept waiting for room by somebody who is gone', async () => {
    const { db } = world.api;
    const id = randomUUID();
    const holder = { workspaceId, queue, workerId: randomUUID() };
    await createExecutorCalls(db).place({ id, workspaceId, queue, place: null, kind: 'run', key: null, request: '{}' });
    await takeCall(db, { ...holder, place: randomUUID() });
    const send = (firstLine: number) => addOutput(db, { ...holder, callId: id }, { firstLine, text: 'x'.repeat(1_048_576) });
    for (let line = 1; line <= 5; line += 1) await send(line);
    expect(await send(6)).toBe('full');
    await db.update(executorCalls).set({ waiterUntil: new Date(0) }).where(eq(executorCalls.id, id));
    expect(await send(6)).toBeUndefined();
  });

  it('that is not there is asked for in words', async () => {
    await expect(world.remote.rehearse(workspaceId, command)).rejects.toMatchObject({ kind: 'targetMissing', message: expect.stringContaining(`npx sluice worker --queue ${queue}`) });
    expect(await world.api.db.select().from(executorCalls)).toEqual([]);
  });

  it('does not start with a token that is not for it, and says which is', async () => {
    const token = await createToken(world.api.db, { workspaceId, person: 'ana', role: 'admin' });
    await expect(world.startWorker({ SLUICE_TOKEN: token })).rejects.toThrow('ended with 1');
  });

  it('is listed with its targets, what it lacks, and whether it is there', async () => {
    await world.startWorker();
    const reply = await world.api.call('viewer', 'GET', '/api/executors');
    expect(reply.json()).toMatchObject({ executors: [{ queue, health: 'up', calls: 0, capabilities: { targets: ['web-1'], lacks: [] } }] });
  });

  const impatient = () => createRemoteExecutor(createExecutorCalls(world.api.db), { unseenSettleMs: 300 });

  async function place(change: Change): Promise<string> {
    const id = randomUUID();
    const request = JSON.stringify({ kind: 'run', workspaceId, snapshot: null, left: null, toldLines: 0 });
    await createExecutorCalls(world.api.db).place({ id, workspaceId, queue, place: null, kind: 'run', key: change.key, request });
    return id;
  }

  /** Lets it begin, and is never heard of again. */
  async function callAndDie(change: Change, calls: ReturnType<typeof createExecutorCalls>) {
    const id = await place(change);
    const handle = await until('the question', async () => (await calls.attend(id))?.handle ?? undefined);
    await calls.tellBeginning(id, 'begun');
    return { id, handle };
  }
});
