import type pg from 'pg';
import type { ValidStep } from '../../domain/plan.js';
import { type DataChange, readDataChange } from '../../validation/sql/data-change.js';
import type { ChangeResult, Executor, Watch } from '../ports.js';
import { execute, failed, type Handle, type Made, readHandle, readSnapshot, refused, rehearseChange, takeBack, type Unmade } from './sql-change.js';
import { isRefusal, messageOf } from './sql-refusal.js';
import { readTable, type Table } from './sql-table.js';
import { type Connect, findOutcome, nameTransaction, onOwnPath, openTransaction, type TransactionName } from './sql-transaction.js';
import type { TargetConnections } from './target-connections.js';

const ASK_TIMEOUT_MS = 5_000;

interface Named extends Made {
  readonly name: TransactionName;
}

/**
 * Changes rows by one transaction on the target, whose number is noted before it is committed: asked later, the target says whether it was.
 * The rows' images before and after it are what a rollback restores from and must find.
 */
export function createSqlDataExecutor(connections: TargetConnections, watch: Watch, wait: (ms: number) => Promise<unknown>): Executor {
  /** Reads in one moment, without effect. */
  async function look<Result>(workspaceId: string, step: ValidStep, use: (client: pg.Client, change: DataChange, table: Table) => Promise<Result>): Promise<Result> {
    const change = await readDataChange(step.script);
    return await connections.withReader(watch.readWorkspace(workspaceId), step.target, step.timeoutMs, async (client) => {
      await openTransaction(client, 'readOnly');
      const result = await use(client, change, await readTable(client, change));
      await client.query('rollback');
      return result;
    });
  }

  const toConnect = (workspaceId: string, { target }: ValidStep): Connect => (use) => connections.withExecutor(watch.readWorkspace(workspaceId), target, ASK_TIMEOUT_MS, use);

  /** Commits what is made, and says what became of it even when the answer is lost. */
  async function commit(client: pg.Client, connect: Connect, { summary, name }: Named, target: string): Promise<ChangeResult> {
    try {
      const { command } = await client.query('commit');
      return command === 'COMMIT' ? { kind: 'done', summary } : failed(`${target} rolled it back`);
    } catch (error) {
      if (isRefusal(error)) return refused(target, error);
      if ((await findOutcome(connect, name, target, wait)) === 'committed') return { kind: 'done', summary };
      return failed(`${target} lost the transaction before it was committed: ${messageOf(error)}`);
    }
  }

  return {
    async rehearse(workspaceId, step) {
      try {
        return await look(workspaceId, step, (client, change, table) => rehearseChange(client, change, table, step));
      } catch (error) {
        if (isRefusal(error)) return { found: false, lines: [refused(step.target, error).summary] };
        throw error;
      }
    },

    snapshot: (workspaceId, step) => look(workspaceId, step, (client, change, table) => readSnapshot(client, change, table, step)),

    async run(workspaceId, change, { begin, signal, onOutput }) {
      const { step } = change;
      const workspace = watch.readWorkspace(workspaceId);
      const connect = toConnect(workspaceId, step);
      const what = await readDataChange(step.script);
      /** As far as it can be called off. */
      async function prepare(client: pg.Client): Promise<Named | Unmade> {
        try {
          const made = change.kind === 'execute' ? await execute(client, what, step, change.snapshot) : await takeBack(client, what, change);
          if (made.kind !== 'made') return made;
          // What is checked at the end is checked now, so that it can still be told as a refusal.
          await onOwnPath(client, () => client.query('set constraints all immediate'));
          return { ...made, name: await nameTransaction(client, connect) };
        } catch (error) {
          if (isRefusal(error)) return refused(step.target, error);
          throw error;
        }
      }
      const result = await connections.withExecutor(workspace, step.target, step.timeoutMs, async (client): Promise<ChangeResult> => {
        await openTransaction(client, 'readWrite');
        const made = await prepare(client);
        if (made.kind !== 'made') {
          await client.query('rollback');
          return made;
        }
        try {
          signal.throwIfAborted();
          await begin(JSON.stringify({ ...made.name, summary: made.summary, left: made.left } satisfies Handle));
        } catch (error) {
          // Its own failure tells nothing new: a lost connection is rolled back, too.
          await client.query('rollback').catch(() => {});
          throw error;
        }
        return await commit(client, connect, made, step.target);
      });
      onOutput(result.summary);
      return result;
    },

    async settle(workspaceId, { step }, handle, { onOutput, toldLines }) {
      const { summary, ...name } = readHandle(handle);
      if ((await findOutcome(toConnect(workspaceId, step), name, step.target, wait)) === 'aborted') return { kind: 'notDone' };
      if (toldLines === 0) onOutput(summary);
      return { kind: 'done', summary };
    },
  };
}
