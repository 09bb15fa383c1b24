import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { createSqlExecutor } from '../../activities/adapters/sql-executor.js';
import { openTargetConnections, type TargetConnections } from '../../activities/adapters/target-connections.js';
import { createDetectors } from '../../activities/adapters/detectors.js';
import { openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import type { Detectors, Executor } from '../../activities/ports.js';
import type { Step } from '../../domain/plan.js';
import type { SessionFact } from '../../domain/signal.js';
import { aStep } from '../builders.js';
import { fakeWorld, session } from '../fakes/fake-world.js';
import { openBlockedDatabase, type BlockedDatabase } from '../harness/blocked-database.js';
import { until } from '../harness/until.js';
import { describeExecutor, type ExecutorWorld, freezeStep } from './executor-contract.js';
import { openHangingProxy } from './hanging-proxy.js';
import { openRole } from './open-role.js';
import { connect, listOpenTransactions, openSqlExecutor, target, workspace } from './sql-world.js';

const { clientOf } = openKubernetes(() => '');

interface World {
  readonly detectors: Detectors;
  readonly executor: Executor;
  readonly pid: number;
  /** The session that others wait for commits, and stays. */
  readonly commit: () => Promise<unknown>;
}

const clients: pg.Client[] = [];
async function open(): Promise<pg.Client> {
  const client = await connect(database.url);
  clients.push(client);
  return client;
}

/** A session that holds a lock which another waits for. */
async function hold(): Promise<Pick<World, 'pid' | 'commit'>> {
  const holder = await open();
  await holder.query('begin; update stock set n = n');
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid');
  const waiter = await open();
  waiter.query('update stock set n = n').catch(() => {});
  return { pid: rows[0]?.pid ?? 0, commit: () => holder.query('commit') };
}

let database: BlockedDatabase;
let connections: TargetConnections;
beforeAll(async () => {
  database = await openBlockedDatabase();
  connections = openTargetConnections(() => database.url);
});
afterAll(async () => {
  await connections.close();
  await Promise.allSettled(clients.map((client) => client.end()));
  await database.close();
});

const worlds: readonly { readonly name: string; readonly open: () => Promise<World> }[] = [
  {
    name: 'in memory',
    open: async () => {
      const world = fakeWorld();
      return { ...world, pid: session.pid, commit: async () => world.commit() };
    },
  },
  {
    name: 'in Postgres',
    open: async () => ({
      ...(await hold()),
      detectors: createDetectors(connections, clientOf, () => database.url, { listActiveSevere: async () => [], readLastKnownGood: async () => undefined }, () => new Date()),
      executor: createSqlExecutor(connections, { readWorkspace: () => workspace }, wait),
    }),
  },
];

const measure = (world: World) => world.detectors.measure([target], { workspaceId: 'w', incidentId: null });
async function aimAt(world: World): Promise<Step> {
  const holder = await until('the session that others wait for', async () =>
    (await measure(world)).facts.find((fact): fact is SessionFact => fact.kind === 'session' && fact.pid === world.pid && fact.blocks > 0),
  );
  return aStep({ parameters: [`${holder.pid}`, holder.backendStart] });
}
const run = (world: World, step: Step, lines: string[] = []) =>
  world.executor.run('w', { kind: 'execute', step, key: 'k', snapshot: null }, { begin: async () => {}, signal: new AbortController().signal, onOutput: (line) => lines.push(line), toldLines: 0, drained: async () => {} });

describe.each(worlds)('session control $name', ({ open }) => {
  it('rehearses by reading: it says what would be touched, and the session is still there', async () => {
    const world = await open();
    const step = await aimAt(world);
    expect(await world.executor.rehearse('w', step)).toMatchObject({ found: true });
    expect(await world.executor.rehearse('w', step)).toMatchObject({ found: true });
    await run(world, step);
  });

  it('ends exactly the session, says so, and changes nothing more when it is repeated', async () => {
    const world = await open();
    const step = await aimAt(world);
    const lines: string[] = [];
    expect(await run(world, step, lines)).toMatchObject({ kind: 'done' });
    expect(lines).toEqual([expect.stringMatching(/^terminated session \d+/)]);
    expect(await world.executor.rehearse('w', step)).toMatchObject({ found: false });
    expect(await run(world, step)).toMatchObject({ kind: 'done' });
    expect((await measure(world)).facts.some((fact) => fact.kind === 'session' && fact.pid === world.pid)).toBe(false);
  });

  it('never hits a session that has the same pid and began at another moment', async () => {
    const world = await open();
    const step = await aimAt(world);
    const reused = { ...step, parameters: [step.parameters[0] ?? '', '2020-01-01T00:00:00.000000Z'] };
    expect(await world.executor.rehearse('w', reused)).toMatchObject({ found: false });
    expect(await run(world, reused)).toMatchObject({ kind: 'done' });
    expect(await world.executor.rehearse('w', step)).toMatchObject({ found: true });
    await run(world, step);
  });

  it('does not find a session that has gone on since, and leaves it alone', async () => {
    const world = await open();
    const step = await aimAt(world);
    await world.commit();
    expect(await world.executor.rehearse('w', step)).toEqual({ found: false, lines: [expect.stringContaining('no longer idle in transaction')] });
    const lines: string[] = [];
    expect(await run(world, step, lines)).toEqual({ kind: 'conflict', summary: expect.stringContaining('no longer idle in transaction, left alone') });
    expect(lines).toEqual([expect.stringContaining('left alone')]);
    expect(await world.executor.rehearse('w', step)).toEqual({ found: false, lines: [expect.stringContaining('no longer idle in transaction')] });
  });

  it('is seen by the detectors: out of bounds before, well after', async () => {
    const world = await open();
    const step = await aimAt(world);
    const value = async () => (await measure(world)).signals.find(({ name }) => name === 'lockWait')?.value;
    expect(await until('a lock wait', async () => ((await value()) ?? 0) > 1)).toBe(true);
    await run(world, step);
    expect(await until('no lock wait', async () => ((await value()) ?? 99) < 100)).toBe(true);
  });
});

/** A session that holds locks. The target itself counts the sessions that were ended. */
async function openWorld(): Promise<ExecutorWorld> {
  const before = clients.length;
  const held = await hold();
  const watcher = await open();
  const { rows: [row] } = await watcher.query<{ start: string }>(
    `select to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as start from pg_stat_activity where pid = $1`,
    [held.pid],
  );
  const { executor, close } = openSqlExecutor(database.url);
  return {
    executor,
    workspaceId: 'w',
    step: await freezeStep(executor, 'w', aStep({ parameters: [`${held.pid}`, row?.start ?? ''] })),
    effects: async () => Number((await watcher.query<{ killed: string }>('select sessions_killed as killed from pg_stat_database where datname = current_database()')).rows[0]?.killed),
    leftovers: () => listOpenTransactions(watcher),
    disturb: held.commit,
    restoredExactly: async () => false,
    async close() {
      await close();
      await Promise.allSettled(clients.splice(before).map((client) => client.end()));
    },
  };
}
describe('like any executor', () => {
  describeExecutor('session control', { wayBack: 'oneWay', open: openWorld });
});

describe('session control in Postgres', () => {
  const where = 'FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2';
  async function openPostgres(over: Partial<Step>, url = database.url) {
    const [, postgres] = worlds;
    const world = await postgres?.open();
    if (world === undefined) throw new Error('no world');
    const { executor, close } = openSqlExecutor(url);
    const step = { ...(await aimAt(world)), ...over };
    return { world: { ...world, executor }, step, close };
  }

  it('that Postgres refuses says why and has failed', async () => {
    const { world, step, close } = await openPostgres({ script: 'SELECT no_such_function($1, $2)' });
    expect(await run(world, step)).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('no_such_function') });
    await run(world, aStep({ parameters: step.parameters }));
    await close();
  });

  it('that does not wait for the end of the session is believed only when the session is gone', async () => {
    const { world, step, close } = await openPostgres({ script: `SELECT pg_terminate_backend(pid) ${where}` });
    expect(await run(world, step)).toMatchObject({ kind: 'done', summary: expect.stringMatching(/^terminated session/) });
    expect(await world.executor.rehearse('w', step)).toMatchObject({ found: false });
    await close();
  });

  it('whose answer is contradicted by the session has failed', async () => {
    const { world, step, close } = await openPostgres({ script: `SELECT pg_cancel_backend(pid) ${where}` });
    expect(await run(world, step)).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('still there: Postgres said that it was ended') });
    await run(world, aStep({ parameters: step.parameters }));
    await close();
  });

  it("is stopped at the step's own limit, whatever the address says", async () => {
    const { world, step, close } = await openPostgres({ script: `SELECT pg_sleep(20) ${where}`, timeoutMs: 300 }, `${database.url}?statement_timeout=0&query_timeout=0`);
    expect(await run(world, step)).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('statement timeout') });
    await run(world, aStep({ parameters: step.parameters }));
    await close();
  });

  it('is not told that a session is gone by a role that could not see it', async () => {
    const role = await openRole(database.url);
    const { world, step, close } = await openPostgres({}, role.url);
    await expect(world.executor.rehearse('w', step)).rejects.toThrow(`grant pg_monitor to ${role.name}`);
    await close();
    await role.drop();
    await run({ ...world, executor: createSqlExecutor(connections, { readWorkspace: () => workspace }, wait) }, step);
  });

  it('whose target cannot be asked any more is unknown once it has begun, and not made before', async () => {
    const gone = openSqlExecutor('postgres://nobody:x@127.0.0.1:1/none', async () => {});
    const change = { kind: 'execute', step: aStep(), key: 'k', snapshot: null } as const;
    const options = { begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
    await expect(gone.executor.settle('w', change, '{}', options)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    await expect(gone.executor.run('w', change, options)).rejects.toThrow('ECONNREFUSED');
    await gone.close();
  });

  it('has ended the session when the answer is lost', async () => {
    const proxy = await openHangingProxy(database.url);
    const { world, step, close } = await openPostgres({ timeoutMs: 300 }, proxy.url);
    const change = { kind: 'execute', step, key: 'k', snapshot: null } as const;
    const options = { begin: async () => proxy.hang(), signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
    expect(await world.executor.run('w', change, options)).toEqual({ kind: 'done', summary: expect.stringMatching(/^session \d+ .* is gone$/) });
    await close();
    proxy.close();
  });

  it('is rehearsed for a target without an executor, and not run', async () => {
    const watch = { readWorkspace: () => ({ ...workspace, targets: [{ ...target, executor: null }] }) };
    const executor = createSqlExecutor(connections, watch, async () => {});
    expect(await executor.rehearse('w', aStep())).toMatchObject({ found: false });
    const options = { begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
    await expect(executor.run('w', { kind: 'execute', step: aStep(), key: 'k', snapshot: null }, options)).rejects.toMatchObject({ kind: 'targetMissing' });
  });
});
