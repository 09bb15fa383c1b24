import { and, eq, isNull } from 'drizzle-orm';
import type { Trigger } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { Connection } from './database.js';
import { incidents, outbox } from './schema.js';
import { toSlices } from './slices.js';

export interface Opening {
  readonly id: string;
  readonly workspaceId: string;
  readonly trigger: Trigger;
  readonly title: string;
  readonly fingerprint: string;
  readonly startedBy: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly targets: readonly string[] | null;
  readonly severityThreshold: Severity;
  /** As its sender sees it, until it is measured; null where nobody said. */
  readonly severity: Severity | null;
}

/**
 * Opens incidents that have different fingerprints and asks for their workflows; says which ones were new. Sort them by fingerprint,
 * so that two batches wait for each other and do not lock each other out.
 */
export async function openIncidents(db: Connection, openings: readonly Opening[]): Promise<ReadonlySet<string>> {
  const opened = new Set<string>();
  for (const slice of toSlices(openings)) {
    const rows = await db.insert(incidents).values(slice).onConflictDoNothing().returning({ id: incidents.id, workspaceId: incidents.workspaceId });
    if (rows.length > 0) await db.insert(outbox).values(rows.map(({ id, workspaceId }) => ({ workspaceId, incidentId: id, message: { kind: 'start' as const } })));
    for (const { id } of rows) opened.add(id);
  }
  return opened;
}

/**
 * Opens an incident and asks for its workflow, unless one with this fingerprint is open in the workspace, which is then returned.
 * Call it inside a transaction; notify `outbox` after the commit.
 */
export async function openIncident(db: Connection, opening: Opening): Promise<{ readonly incidentId: string; readonly isNew: boolean }> {
  const opened = await openIncidents(db, [opening]);
  if (opened.has(opening.id)) return { incidentId: opening.id, isNew: true };
  const [existing] = await db
    .select({ id: incidents.id })
    .from(incidents)
    .where(and(eq(incidents.workspaceId, opening.workspaceId), eq(incidents.fingerprint, opening.fingerprint), isNull(incidents.closedAt)));
  // The same id was asked for before, and that incident has closed since: an answered request stays answered.
  return { incidentId: existing?.id ?? opening.id, isNew: false };
}
