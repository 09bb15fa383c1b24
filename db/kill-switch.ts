import { inArray, sql } from 'drizzle-orm';
import { appendAudit, appendAuditEverywhere } from './audit-writer.js';
import type { Connection, Database } from './database.js';
import { EVERYWHERE, killSwitches } from './schema.js';

const LOCK = sql`hashtextextended('sluice kill switch', 0)`;

export type SwitchRow = typeof killSwitches.$inferSelect;
export type SwitchScope = 'workspace' | 'all';

/**
 * Whether nothing may be claimed in this workspace. Until the caller's transaction ends no switch is thrown: whoever throws one
 * waits for claims under way, and no claim succeeds after that.
 */
export async function readKillSwitch(tx: Connection, workspaceId: string): Promise<boolean> {
  // A lock on rows would not do: a workspace whose switch was never thrown has none. A statement of its own, so that the next sees what it waited for.
  await tx.execute(sql`select pg_advisory_xact_lock_shared(${LOCK})`);
  const rows = await readRows(tx, workspaceId);
  return rows.some(({ isOn }) => isOn);
}

export interface Switches {
  /** Undefined where it was never thrown. */
  readonly workspace: SwitchRow | undefined;
  readonly all: SwitchRow | undefined;
}

export async function readSwitches(db: Connection, workspaceId: string): Promise<Switches> {
  const rows = await readRows(db, workspaceId);
  return { workspace: rows.find((row) => row.workspaceId === workspaceId), all: rows.find((row) => row.workspaceId === EVERYWHERE) };
}

const readRows = (db: Connection, workspaceId: string): Promise<readonly SwitchRow[]> =>
  db.select().from(killSwitches).where(inArray(killSwitches.workspaceId, [workspaceId, EVERYWHERE]));

/** Turns a switch on or off. Where it is so already, nothing is changed and nothing recorded. */
export async function throwSwitch(
  db: Database,
  { workspaceId, scope, on, person, reason }: { readonly workspaceId: string; readonly scope: SwitchScope; readonly on: boolean; readonly person: string; readonly reason: string },
): Promise<Switches> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(${LOCK})`);
    const before = await readSwitches(tx, workspaceId);
    if ((before[scope]?.isOn ?? false) === on) return before;
    const row = { workspaceId: scope === 'all' ? EVERYWHERE : workspaceId, isOn: on, person, reason };
    await tx
      .insert(killSwitches)
      .values(row)
      .onConflictDoUpdate({ target: killSwitches.workspaceId, set: { ...row, changedAt: sql`now()` } });
    const entry = { kind: on ? 'killSwitch.on' : 'killSwitch.off', actor: person, subject: scope, details: { reason } } as const;
    await (scope === 'all' ? appendAuditEverywhere(tx, entry) : appendAudit(tx, workspaceId, entry));
    return readSwitches(tx, workspaceId);
  });
}
