import type { Step } from '../../domain/plan.js';
import { Fault } from '../faults.js';
import type { Executor, Watch } from '../ports.js';
import type { TargetConnections } from './target-connections.js';

const FIND_OUT_TRIES = 10;
const FIND_OUT_EVERY_MS = 2_000;

interface Session {
  readonly state: string;
  readonly application_name: string;
  readonly user_name: string;
}

const FIND_SESSION = `
  select coalesce(state, 'unknown') as state, coalesce(application_name, '') as application_name, coalesce(usename, '') as user_name
    from pg_stat_activity where pid = $1 and backend_start = $2`;

/**
 * Runs SQL session control. A session is named by pid and backend_start, so running a step again finds nothing and changes nothing.
 * The script comes validated; its parameters are bound.
 */
export function createSqlExecutor(connections: TargetConnections, watch: Watch, wait: (ms: number) => Promise<unknown>): Executor {
  async function findSession(workspaceId: string, step: Step): Promise<Session | undefined> {
    const pool = connections.executorPool(watch.readWorkspace(workspaceId), step.target);
    const { rows } = await pool.query<Session>(FIND_SESSION, [...step.parameters]);
    return rows[0];
  }

  /** After a lost connection: the session's absence is the answer. Asked a few times before nobody can tell. */
  async function findOut(workspaceId: string, step: Step): Promise<'gone' | 'there'> {
    for (let left = FIND_OUT_TRIES; ; left -= 1) {
      try {
        return (await findSession(workspaceId, step)) === undefined ? 'gone' : 'there';
      } catch (error) {
        if (left <= 1) {
          throw new Fault('outcomeUnknown', `target ${step.target} went away while step ${step.stepId} ran: ${messageOf(error)}`, { cause: error });
        }
        await wait(FIND_OUT_EVERY_MS);
      }
    }
  }

  return {
    async rehearse(workspaceId, step) {
      const session = await findSession(workspaceId, step);
      const name = nameOf(step);
      return session === undefined
        ? { found: false, lines: [`${name} is gone`] }
        : { found: true, lines: [`${name}: user ${session.user_name}, application ${session.application_name || 'unnamed'}, ${session.state}`] };
    },

    async run(workspaceId, step, { onOutput }) {
      const pool = connections.executorPool(watch.readWorkspace(workspaceId), step.target);
      const name = nameOf(step);
      const say = (line: string) => {
        onOutput(line);
        return { ok: true, summary: line };
      };
      if ((await findOut(workspaceId, step)) === 'gone') return say(`${name} was already gone`);
      try {
        await pool.query({ text: step.script, values: [...step.parameters] });
      } catch (error) {
        // The server's own refusal had no effect; anything else may have cut off the answer to a command that was obeyed.
        if (isRefusal(error)) {
          const line = `${step.target} refused: ${messageOf(error)}`;
          onOutput(line);
          return { ok: false, summary: line };
        }
      }
      const outcome = await findOut(workspaceId, step);
      if (outcome === 'gone') return say(`terminated ${name}`);
      return step.script.includes('pg_cancel_backend') ? say(`cancelled the statement of ${name}`) : failed(onOutput, `${name} is still there`);
    },
  };
}

function failed(onOutput: (line: string) => void, line: string) {
  onOutput(line);
  return { ok: false, summary: line };
}

/** `session 4711 started 2026-11-22 08:12:03 UTC` */
const nameOf = ({ parameters: [pid = '?', backendStart = '?'] }: Step): string => `session ${pid} started ${backendStart.slice(0, 19).replace('T', ' ')} UTC`;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** An SQLSTATE outside of class 08 and 57: Postgres answered, and the answer was no. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return false;
  return /^[0-9A-Z]{5}$/.test(error.code) && !/^(08|57)/.test(error.code);
}
