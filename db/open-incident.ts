import { and, eq, isNull } from 'drizzle-orm';
import type { Trigger } from '../domain/incident.js';
import type { Severity } from '../domain/severity.js';
import type { Connection } from './database.js';
import { incidents, outbox } from './schema.js';

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
 * Opens an incident and asks for its workflow, unless one with this fingerprint is open in the workspace, which is then returned.
 * Call it inside a transaction; notify `outbox` after the commit.
 */
export async function openIncident(db: Connection, opening: Opening): Promise<{ readonly incidentId: string; readonly isNew: boolean }> {
  const [opened] = await db.insert(incidents).values(opening).onConflictDoNothing().returning({ id: incidents.id });
  if (opened !== undefined) {
    await db.insert(outbox).values({ workspaceId: opening.workspaceId, incidentId: opened.id, message: { kind: 'start' } });
    return { incidentId: opened.id, isNew: true };
  }
  const [existing] = await db
    .select({ id: incidents.id })
    .from(incidents)
    .where(and(eq(incidents.workspaceId, opening.workspaceId), eq(incidents.fingerprint, opening.fingerprint), isNull(incidents.closedAt)));
  // The same id was asked for before, and that incident has closed since: an answered request stays answered.
  return { incidentId: existing?.id ?? opening.id, isNew: false };
}
