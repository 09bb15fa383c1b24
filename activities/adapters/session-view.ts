export interface Viewer {
  readonly viewer: string;
  readonly sees_all: boolean;
}

/** Output of a SELECT that `refuseBlindness` reads. */
export const VIEWER = `current_user::text as viewer, pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_all`;

/** Throws unless the role sees every session: to others most of pg_stat_activity is NULL, so that all looks well and every session gone. */
export function refuseBlindness([row]: readonly Viewer[]): void {
  if (row?.sees_all !== true) throw new Error(`role ${row?.viewer ?? 'unknown'} may not see the sessions of others: grant pg_monitor to ${row?.viewer ?? 'it'}`);
}
