import { and, asc, type Column, desc, eq, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { Alert } from '../domain/alert.js';
import { notify } from './channels.js';
import type { Connection, Database } from './database.js';
import { openIncidents } from './open-incident.js';
import { alerts as alertRows, incidents, outbox } from './schema.js';
import { toSlices } from './slices.js';

export interface ReceivedAlert {
  readonly fingerprint: string;
  /** null: nothing was open that a resolved alert could be about. */
  readonly incidentId: string | null;
  readonly isNew: boolean;
}

/** All that a batch says of one trouble: its last alert, and how often it was firing. */
interface Trouble {
  readonly last: Alert;
  readonly firing: readonly Alert[];
  /** The incident to open for it, should none be open. */
  readonly newId: string;
}

/**
 * Takes in a batch in one transaction: opens an incident for each trouble that has none open, counts repeats, notes what is resolved.
 * `toIncidentId` names the incident that a fingerprint would open; the same id for a repeated request makes the repeat open nothing.
 */
export async function receiveAlerts(
  db: Database,
  workspaceId: string,
  alerts: readonly Alert[],
  toIncidentId: (fingerprint: string) => string,
): Promise<readonly ReceivedAlert[]> {
  const troubles = group(alerts, toIncidentId);
  const received = await db.transaction(async (tx) => {
    const open = await holdIncidents(tx, workspaceId, troubles);
    await openMissing(tx, workspaceId, troubles, open);
    await countFiring(tx, workspaceId, troubles, open);
    await noteResolved(tx, workspaceId, troubles, open);
    return troubles.map(({ last, newId }) => {
      const incidentId = open.get(last.fingerprint) ?? null;
      return { fingerprint: last.fingerprint, incidentId, isNew: incidentId === newId };
    });
  });
  await notify(db, 'outbox', '');
  return received;
}

// A sender's fingerprints are in a space of their own, so that none takes the place of our `sweep:…` or `person:…`.
const NAMESPACE = 'alert:';
const toIncidentFingerprint = (sent: string): string => `${NAMESPACE}${sent}`;

/** One parameter, however many there are. */
const isAny = (column: Column, values: readonly string[]): SQL => sql`${column} = any(${sql.param(values)})`;

/** Sorted, so that two batches lock what they share in the same order. */
function group(alerts: readonly Alert[], toIncidentId: (fingerprint: string) => string): readonly Trouble[] {
  const troubles = new Map<string, Trouble>();
  for (const alert of alerts) {
    const { firing = [], newId = toIncidentId(alert.fingerprint) } = troubles.get(alert.fingerprint) ?? {};
    troubles.set(alert.fingerprint, { last: alert, firing: alert.state === 'firing' ? [...firing, alert] : firing, newId });
  }
  return [...troubles.values()].toSorted((a, b) => (a.last.fingerprint < b.last.fingerprint ? -1 : 1));
}

/** The incident of each trouble: an open one, or the one that this very request opened before. Locked, so that none closes before the commit. */
async function holdIncidents(tx: Connection, workspaceId: string, troubles: readonly Trouble[]): Promise<Map<string, string>> {
  const fingerprints = troubles.map(({ last }) => toIncidentFingerprint(last.fingerprint));
  const newIds = troubles.map(({ newId }) => newId);
  const rows = await tx
    .select({ id: incidents.id, fingerprint: incidents.fingerprint })
    .from(incidents)
    .where(
      and(
        eq(incidents.workspaceId, workspaceId),
        isAny(incidents.fingerprint, fingerprints),
        or(isNull(incidents.closedAt), isAny(incidents.id, newIds)),
      ),
    )
    .orderBy(asc(incidents.fingerprint), desc(incidents.openedAt))
    .for('no key update');
  return new Map(rows.map(({ id, fingerprint }) => [fingerprint.slice(NAMESPACE.length), id]));
}

/** Opens an incident for each firing trouble that has none. Adds what it opened to `open`. */
async function openMissing(tx: Connection, workspaceId: string, troubles: readonly Trouble[], open: Map<string, string>): Promise<void> {
  const missing = troubles.flatMap((trouble) => {
    const [first] = trouble.firing;
    return first === undefined || open.has(first.fingerprint) ? [] : [{ trouble, first }];
  });
  if (missing.length === 0) return;
  const opened = await openIncidents(
    tx,
    missing.map(({ trouble, first: { fingerprint, title, labels, severity } }) => ({
      id: trouble.newId,
      workspaceId,
      trigger: 'alert',
      title,
      fingerprint: toIncidentFingerprint(fingerprint),
      startedBy: null,
      labels,
      targets: null,
      severityThreshold: 'LOW',
      severity,
    })),
  );
  for (const { trouble, first } of missing) if (opened.has(trouble.newId)) open.set(first.fingerprint, trouble.newId);
  const lost = missing.map(({ trouble }) => trouble).filter(({ last }) => !open.has(last.fingerprint));
  if (lost.length === 0) return;
  // Somebody else opened it a moment ago, and it may have closed since: look again, and open it if so.
  for (const [fingerprint, id] of await holdIncidents(tx, workspaceId, lost)) open.set(fingerprint, id);
  await openMissing(tx, workspaceId, lost, open);
}

async function countFiring(tx: Connection, workspaceId: string, troubles: readonly Trouble[], open: ReadonlyMap<string, string>): Promise<void> {
  const rows = troubles.flatMap(({ last, firing }) => {
    const incidentId = open.get(last.fingerprint);
    const alert = firing.at(-1);
    if (incidentId === undefined || alert === undefined) return [];
    const { fingerprint, source, title, labels, startsAt } = alert;
    return [{ workspaceId, incidentId, fingerprint, source, state: 'firing' as const, title, labels, startsAt, times: firing.length }];
  });
  for (const slice of toSlices(rows)) {
    await tx
      .insert(alertRows)
      .values(slice)
      .onConflictDoUpdate({
        target: [alertRows.incidentId, alertRows.fingerprint],
        set: { state: 'firing', times: sql`${alertRows.times} + excluded.times`, lastAt: sql`now()` },
      });
  }
}

/** Tells the workflow of each incident whose alert is resolved, which is of one trouble; a repeat finds nothing firing and tells nothing. */
async function noteResolved(tx: Connection, workspaceId: string, troubles: readonly Trouble[], open: ReadonlyMap<string, string>): Promise<void> {
  const ids = troubles.flatMap(({ last }) => (last.state === 'resolved' ? (open.get(last.fingerprint) ?? []) : []));
  if (ids.length === 0) return;
  const resolved = await tx
    .update(alertRows)
    .set({ state: 'resolved', lastAt: sql`now()` })
    .where(and(isAny(alertRows.incidentId, ids), eq(alertRows.state, 'firing')))
    .returning({ incidentId: alertRows.incidentId });
  for (const slice of toSlices(resolved)) await tx.insert(outbox).values(slice.map(({ incidentId }) => ({ workspaceId, incidentId, message: { kind: 'resolved' as const } })));
}
