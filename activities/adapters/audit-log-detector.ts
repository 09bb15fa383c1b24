import pg from 'pg';
import type { Fact, Signal } from '../../domain/signal.js';
import type { Detector } from '../../domain/watch.js';

const quoted = (name: string): string => name.split('.').map((part) => pg.escapeIdentifier(part)).join('.');

/** Counts DELETEs in an audit table over its window, by who did them. Throws when the table cannot be read. */
export async function measureAuditLog(
  pool: pg.Pool,
  target: string,
  detector: Extract<Detector, { kind: 'audit-log' }>,
): Promise<{ readonly signals: readonly Signal[]; readonly facts: readonly Fact[] }> {
  const { rows } = await pool.query<{ actor: string; deletes: number }>(
    `select coalesce(${quoted(detector.actorColumn)}::text, 'unknown') as actor, count(*)::int as deletes
       from ${quoted(detector.table)}
      where upper(${quoted(detector.actionColumn)}::text) = 'DELETE'
        and ${quoted(detector.timeColumn)} > now() - make_interval(secs => $1)
      group by 1 order by 2 desc`,
    [detector.windowMs / 1_000],
  );
  const total = rows.reduce((sum, { deletes }) => sum + deletes, 0);
  return {
    signals: [{ target, name: 'deletes', title: 'rows deleted', unit: 'count', value: total, threshold: detector.maxDeletes, better: 'lower' }],
    facts: rows.slice(0, 10).map(({ actor, deletes }) => ({ kind: 'deletesByActor', id: `${target}/deletes/${actor}`, target, actor, deletes })),
  };
}
