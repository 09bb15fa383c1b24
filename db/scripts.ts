import { randomUUID } from 'node:crypto';
import { and, asc, eq, gt, sql } from 'drizzle-orm';
import { seedScripts } from '../domain/script-library.js';
import type { Connection } from './database.js';
import { scripts } from './schema.js';

export type ScriptRow = typeof scripts.$inferSelect;
export type NewScriptRow = Omit<ScriptRow, 'createdAt' | 'updatedAt'>;

/** A page of the library by name, after the script with the id `after`. */
export async function listScripts(
  db: Connection,
  workspaceId: string,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<readonly ScriptRow[]> {
  const last = sql`(select ${scripts.name} from ${scripts} where ${scripts.id} = ${after} and ${scripts.workspaceId} = ${workspaceId})`;
  return db
    .select()
    .from(scripts)
    .where(and(eq(scripts.workspaceId, workspaceId), after === null ? undefined : gt(scripts.name, last)))
    .orderBy(asc(scripts.name))
    .limit(limit);
}

export type Creation =
  | { readonly kind: 'created'; readonly script: ScriptRow }
  | { readonly kind: 'nameTaken' }
  /** The id was used for another script. */
  | { readonly kind: 'conflict' };

/** Adds a script. A repeat with the same id and content finds the script there and answers the same. */
export async function createScript(db: Connection, row: NewScriptRow): Promise<Creation> {
  const [created] = await db.insert(scripts).values(row).onConflictDoNothing().returning();
  if (created !== undefined) return { kind: 'created', script: created };
  const [existing] = await db.select().from(scripts).where(eq(scripts.id, row.id));
  if (existing === undefined) return { kind: 'nameTaken' };
  const { createdAt: _, updatedAt: __, ...content } = existing;
  const isSame = Object.entries(content).every(([name, value]) => JSON.stringify(value) === JSON.stringify(row[name as keyof NewScriptRow]));
  return isSame ? { kind: 'created', script: existing } : { kind: 'conflict' };
}

/** Puts the scripts that Sluice brings along into a workspace's library, where no script has their name. */
export async function seedLibrary(db: Connection, workspaceId: string): Promise<void> {
  await db
    .insert(scripts)
    .values(
      seedScripts.map(({ estimatedDuration, ...script }) => ({
        ...script,
        id: randomUUID(),
        workspaceId,
        estimatedDurationMs: estimatedDuration,
        createdBy: null,
      })),
    )
    .onConflictDoNothing();
}
