import type pg from 'pg';
import type { ValidStep } from '../../domain/plan.js';
import { Fault } from '../faults.js';
import type { ChangeResult, Executor, Watch } from '../ports.js';
import { refuseBlindness, VIEWER, type Viewer } from './session-view.js';
import { isRefusal, isStopped, messageOf } from './sql-refusal.js';
import type { TargetConnections } from './target-connections.js';

const FIND_OUT_TRIES = 10;
const FIND_OUT_EVERY_MS = 2_000;
const END_TRIES = 10;
const END_EVERY_MS = 200;
const ONE_WAY = 'a terminated session cannot be brought back';

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
export function createSqlSessionExecutor(connections: TargetConnections, watch: Watch, wait: (ms: number) => Promise<unknown>): Executor {
  /** The session's absence is what counts. Asked a few times while the target does not answer, before nobody can tell. */
  async function findOut(pool: pg.Pool, step: ValidStep): Promise<'gone' | 'there'> {
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
  async function awaitEnd(pool: pg.Pool, step: ValidStep): Promise<'gone' | 'there'> {
    for (let left = END_TRIES; ; left -= 1) {
      const outcome = await findOut(pool, step);
      if (outcome === 'gone' || left <= 1) return outcome;
      await wait(END_EVERY_MS);
    }
  }

  return {
    async rehearse(workspaceId, step) {
      const session = await findSession(connections.readerPool(watch.readWorkspace(workspaceId), step.target), step);
      const name = nameOf(step);
      if (session === undefined) return { found: false, lines: [`${name} is gone`] };
      if (!isIdleInTransaction(session)) return { found: false, lines: [`${name} is ${session.state}, no longer idle in transaction`] };
      return {
        found: true,
        lines: [`${name}: user ${session.user_name}, application ${session.application_name || 'unnamed'}, ${session.state}`],
        wayBack: { kind: 'oneWay', because: ONE_WAY },
        pins: null,
      };
    },

    async snapshot() {
      throw new Error('session control has no way back, so there is nothing to keep of it');
    },

    async run(workspaceId, change, { begin, onOutput }) {
      const { step } = change;
      if (change.kind === 'rollback') return { kind: 'failed', summary: ONE_WAY, changed: false };
      const workspace = watch.readWorkspace(workspaceId);
      const pool = connections.executorPool(workspace, step.target);
      const name = nameOf(step);
      const end = (kind: ChangeResult['kind'], summary: string): ChangeResult => {
        onOutput(summary);
        return kind === 'failed' ? { kind, summary, changed: false } : { kind, summary };
      };
      if ((await findSession(pool, step)) === undefined) return end('done', `${name} was already gone`);
      const said = await connections.withExecutor(workspace, step.target, step.timeoutMs, async (client): Promise<Said> => {
        // The script matches the session whatever it does by now, so that is looked at right before.
        const session = await findSession(client, step);
        if (session !== undefined && !isIdleInTransaction(session)) return { kind: 'leftAlone' };
        await begin('{}');
        try {
          const { rows } = await client.query<Record<string, unknown>>({ text: step.script, values: [...step.parameters] });
          return { kind: 'answered', isDone: rows.some((row) => Object.values(row).includes(true)) };
        } catch (error) {
          // The server's own refusal had no effect; anything else may have cut off the answer to a command that was obeyed.
          return { kind: isRefusal(error) && !isStopped(error) ? 'refused' : 'cutOff', because: messageOf(error) };
        }
      });
      if (said.kind === 'leftAlone') return end('conflict', `${name} is no longer idle in transaction, left alone`);
      if (said.kind === 'refused') return end('failed', `${step.target} refused: ${said.because}`);
      const isDone = said.kind === 'answered' && said.isDone;
      if ((await awaitEnd(pool, step)) === 'gone') return end('done', isDone ? `terminated ${name}` : `${name} is gone`);
      const because = said.kind === 'cutOff' ? said.because : isDone ? 'Postgres said that it was ended, and it was not' : 'the script did not end it';
      return end('failed', `${name} is still there: ${because}`);
    },

    /** The session's absence is what counts, and ending it again would be harmless. */
    async settle(workspaceId, { step }, _handle, { onOutput, toldLines }) {
      if ((await findOut(connections.executorPool(watch.readWorkspace(workspaceId), step.target), step)) === 'there') return { kind: 'notDone' };
      const summary = `${nameOf(step)} is gone`;
      if (toldLines === 0) onOutput(summary);
      return { kind: 'done', summary };
    },
  };
}

type Said =
  | { readonly kind: 'leftAlone' }
  | { readonly kind: 'answered'; readonly isDone: boolean }
  | { readonly kind: 'refused' | 'cutOff'; readonly because: string };

async function findSession(database: Pick<pg.ClientBase, 'query'>, step: ValidStep): Promise<Session | undefined> {
  const { rows } = await database.query<Session & Viewer & { is_there: boolean }>(FIND_SESSION, [...step.parameters]);
  refuseBlindness(rows);
  return rows.find((row) => row.is_there);
}

// What a plan was made for; a session that went on since then is somebody's work.
const isIdleInTransaction = ({ state }: Session): boolean => state.startsWith('idle in transaction');

/** `session 4711 started 2026-11-22 08:12:03 UTC` */
const nameOf = ({ parameters: [pid = '?', backendStart = '?'] }: ValidStep): string => `session ${pid} started ${backendStart.slice(0, 19).replace('T', ' ')} UTC`;
