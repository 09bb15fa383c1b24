import { type SQL, sql } from 'drizzle-orm';
import { type AnyPgColumn, pgPolicy, type PgPolicy } from 'drizzle-orm/pg-core';

/** The role of workers, and of what the API does on its own account. It sees every row. */
export const APP_ROLE = 'sluice_app';
/** The role of requests. It sees the rows of one workspace, or none. */
export const API_ROLE = 'sluice_api';
/** The setting of a session that says which one. */
export const WORKSPACE_SETTING = 'sluice.workspace';

const current = sql.raw(`current_setting('${WORKSPACE_SETTING}', true)`);
// As a value: for `exists` Postgres may hash all incidents in each query; compared outside, it expects hardly a row and reads a whole tail for one page.
const isOfOwnIncident = (incidentId: AnyPgColumn) => sql`(select incidents.workspace_id = ${current} from incidents where incidents.id = ${incidentId})`;

/** The rows of a table that has a workspace's own, told by this column; a row that is written about an incident must be about one of the workspace. */
export const ofWorkspace = (workspaceId: AnyPgColumn, incidentId?: AnyPgColumn): readonly PgPolicy[] => {
  const isOwn = sql`${workspaceId} = ${current}`;
  return [systemSeesAll(), requestsSee(isOwn, incidentId === undefined ? isOwn : sql`${isOwn} and ${isOfOwnIncident(incidentId)}`)];
};

/** The rows of a table that belongs to incidents: where the incident is seen, they are. */
export const ofIncident = (incidentId: AnyPgColumn): readonly PgPolicy[] => [systemSeesAll(), requestsSee(isOfOwnIncident(incidentId), isOfOwnIncident(incidentId))];

/** The rows of a table in which one is about all workspaces: each may see it, and only the system writes it. */
export const ofWorkspaceOrAll = (workspaceId: AnyPgColumn, everywhere: string): readonly PgPolicy[] => [
  ...ofWorkspace(workspaceId),
  pgPolicy('requests_see_what_is_for_all', { for: 'select', to: API_ROLE, using: sql`${workspaceId} = ${sql.raw(`'${everywhere}'`)}` }),
];

// A literal, which the planner leaves out: an index on an expression that might leak can still be used.
const systemSeesAll = () => pgPolicy('system_sees_all', { to: APP_ROLE, using: sql`true`, withCheck: sql`true` });
const requestsSee = (using: SQL, withCheck: SQL) => pgPolicy('requests_see_their_workspace', { to: API_ROLE, using, withCheck });
