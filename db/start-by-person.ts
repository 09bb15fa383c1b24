import { eq } from 'drizzle-orm';
import type { Actor } from '../domain/actor.js';
import type { Severity } from '../domain/severity.js';
import { notify } from './channels.js';
import type { Database } from './database.js';
import { openIncident } from './open-incident.js';
import { incidents } from './schema.js';

export type Start =
  | { readonly kind: 'started'; readonly incidentId: string }
  /** The id was used to start with another threshold. */
  | { readonly kind: 'conflict' };

/** Opens an incident that a person asked for. A repeat with the same id finds the one that is there, open or closed. */
export async function startByPerson(
  db: Database,
  { id, actor, severityThreshold }: { readonly id: string; readonly actor: Actor; readonly severityThreshold: Severity },
): Promise<Start> {
  const { isNew } = await db.transaction((tx) =>
    openIncident(tx, {
      id,
      workspaceId: actor.workspaceId,
      trigger: 'person',
      title: `Detection started by ${actor.person}`,
      // Its own, so that each start is an incident.
      fingerprint: `person:${id}`,
      startedBy: actor.person,
      labels: {},
      targets: null,
      severityThreshold,
      severity: null,
    }),
  );
  if (isNew) {
    await notify(db, 'outbox', '');
    return { kind: 'started', incidentId: id };
  }
  const [existing] = await db.select({ threshold: incidents.severityThreshold }).from(incidents).where(eq(incidents.id, id));
  return existing?.threshold === severityThreshold ? { kind: 'started', incidentId: id } : { kind: 'conflict' };
}
