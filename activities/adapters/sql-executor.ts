import type pg from 'pg';
import type { Step } from '../../domain/plan.js';
import { Fault } from '../faults.js';
import type { Executor, Watch } from '../ports.js';
import { refuseBlindness, VIEWER, type Viewer } from './session-view.js';
import type { TargetConnections } from './target-connections.js';

const FIND_OUT_TRIES = 10;
const FIND_OUT_EVERY_MS = 2_000;
const END_TRIES = 10;
const END_EVERY_MS = 200;

interface Session {
  readonly state: string;
  readonly application_name: string;
  readonly user_name: string;
}

// Always a row: that a session is not there counts only for those who could see it.
const FIND_SESSION = `
  select a.pid is not null as is_there, coalesce(a.state, 'unknown') as state,
         coalesce(a.application_name, '') as application_name, coalesce(a.usename, '') as user_name, ${VIEWER}
    from (select) one left join pg_stat_activity a on a.pid = $1 and a.backend_start = $2`;

/**
 * Runs SQL session control. A session is named by pid and backend_start, so running a step again finds nothing and changes nothing.
 * The script comes validated; its parameters are bound.
 */
export function createSqlExecutor(connections: TargetConnections, watch: Watch, wait: (ms: number) => Promise<unknown>): Executor {
  /** The session's absence is what counts. Asked a few times while the target does not answer, before nobody can tell. */
  async function findOut(pool: pg.Pool, step: Step): Promise<'gone' | 'there'> {
    for (let left = FIND_OUT_TRIES; ; left -= 1) {
      try {
        return (await findSession(pool, step)) === undefined ? 'gone' : 'there';
      } catch (error) {
        if (left <= 1) {
          throw new Fault('outcomeUnknown', `target ${step.target} went away while step ${step.stepId} ran: ${messageOf(error)}`, { cause: error });
        }
        await wait(FIND_OUT_EVERY_MS);
      }
    }
  }

  /** A session that was told to end takes a moment to. */
  async function awaitEnd(pool: pg.Pool, step: Step): Promise<'gone' | 'there'> {
    for (let left = END_TRIES; ; left -= 1) {
      const outcome = await findOut(pool, step);
      if (outcome === 'gone' || left <= 1) return outcome;
      await wait(END_EVERY_MS);
    }
  }

  return {
    async rehearse(workspaceId, step) {
      const session = await findSession(connections.executorPool(watch.readWorkspace(workspaceId), step.target), step);
      const name = nameOf(step);
      if (session === undefined) return { found: false, lines: [`${name} is gone`] };
      if (!isIdleInTransaction(session)) return { found: false, lines: [`${name} is ${session.state}, no longer idle in transaction`] };
      return { found: true, lines: [`${name}: user ${session.user_name}, application ${session.application_name || 'unnamed'}, ${session.state}`] };
    },

    async run(workspaceId, step, { onOutput }) {
      const workspace = watch.readWorkspace(workspaceId);
      const pool = connections.executorPool(workspace, step.target);
      const name = nameOf(step);
      const end = (ok: boolean, summary: string) => {
        onOutput(summary);
        return { ok, summary };
      };
      if ((await findOut(pool, step)) === 'gone') return end(true, `${name} was already gone`);
      let saidDone = false;
      let trouble: string | undefined;
      try {
        const rows = await connections.withExecutor(workspace, step.target, step.timeoutMs, async (client) => {
          // The script matches the session whatever it does by now, so that is looked at right before.
          const session = await findSession(client, step);
          if (session !== undefined && !isIdleInTransaction(session)) return undefined;
          return (await client.query<Record<string, unknown>>({ text: step.script, values: [...step.parameters] })).rows;
        });
        if (rows === undefined) return end(true, `${name} is no longer idle in transaction, left alone`);
        saidDone = rows.some((row) => Object.values(row).includes(true));
      } catch (error) {
        // The server's own refusal had no effect; anything else may have cut off the answer to a command that was obeyed.
        if (isRefusal(error)) return end(false, `${step.target} refused: ${messageOf(error)}`);
        trouble = messageOf(error);
      }
      if ((await awaitEnd(pool, step)) === 'there') {
        return end(false, `${name} is still there: ${trouble ?? (saidDone ? 'Postgres said that it was ended, and it was not' : 'the script did not end it')}`);
      }
      return end(true, saidDone ? `terminated ${name}` : `${name} is gone`);
    },
  };
}

async function findSession(database: Pick<pg.ClientBase, 'query'>, step: Step): Promise<Session | undefined> {
  const { rows } = await database.query<Session & Viewer & { is_there: boolean }>(FIND_SESSION, [...step.parameters]);
  refuseBlindness(rows);
  return rows.find((row) => row.is_there);
}

// What a plan was made for; a session that went on since then is somebody's work.
const isIdleInTransaction = ({ state }: Session): boolean => state.startsWith('idle in transaction');

/** `session 4711 started 2026-11-22 08:12:03 UTC` */
const nameOf = ({ parameters: [pid = '?', backendStart = '?'] }: Step): string => `session ${pid} started ${backendStart.slice(0, 19).replace('T', ' ')} UTC`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An SQLSTATE outside of class 08 and 57: Postgres answered, and the answer was no. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^(08|57)/.test(error.code);
}
