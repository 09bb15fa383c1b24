import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { and, desc, eq, getTableColumns, gt, isNull, sql } from 'drizzle-orm';
import { type Actor, isPersonName } from '../domain/actor.js';
import { appendAudit } from './audit-writer.js';
import type { Connection } from './database.js';
import { tokens } from './schema.js';

/** What every token begins with, so that it is told from another kind, and found where it was left lying. */
export const TOKEN_PREFIX = 'sluice_';
const YEAR_MS = 365 * 86_400_000;

const { tokenHash: _, ...shown } = getTableColumns(tokens);
/** A token as it may be shown: without its hash. */
export type TokenRow = Omit<typeof tokens.$inferSelect, 'tokenHash'>;
export interface NewToken extends Actor {
  readonly id: string;
  readonly name: string;
  readonly createdBy: string;
  readonly expiresAt: Date;
}

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const isUsable = and(isNull(tokens.revokedAt), gt(tokens.expiresAt, sql`now()`));

/** Makes a token and records that. It is there in plain this once; undefined where its id made one before. */
export async function makeToken(db: Connection, draft: NewToken): Promise<{ readonly token: string; readonly row: TokenRow } | undefined> {
  return db.transaction(async (tx) => {
    const made = await insertToken(tx, draft);
    if (made === undefined) return undefined;
    const { id, workspaceId, person, role, name, createdBy, expiresAt } = made.row;
    await appendAudit(tx, workspaceId, { kind: 'token.made', actor: createdBy, subject: id, details: { person, role, name, expiresAt: expiresAt.toISOString() } });
    return made;
  });
}

/** Makes a token that nobody asked for over the API and returns it in plain, this once: for a demo, a benchmark or a test. It leaves no record. */
export async function createToken(db: Connection, actor: Actor, options: Partial<Omit<NewToken, keyof Actor>> = {}): Promise<string> {
  const made = await insertToken(db, { id: randomUUID(), name: 'made on the machine itself', createdBy: 'sluice', expiresAt: new Date(Date.now() + YEAR_MS), ...actor, ...options });
  if (made === undefined) throw new Error('A token with this id is there already');
  return made.token;
}

async function insertToken(db: Connection, draft: NewToken) {
  if (!isPersonName(draft.person)) throw new Error(`${JSON.stringify(draft.person)} cannot be the name of a person`);
  const token = `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
  const [row] = await db
    .insert(tokens)
    .values({ ...draft, tokenHash: hash(token) })
    .onConflictDoNothing({ target: tokens.id })
    .returning(shown);
  return row && { token, row };
}

/** Who holds this token, while it is neither expired nor revoked. That it was used is noted once a minute. */
export async function findActor(db: Connection, token: string): Promise<Actor | undefined> {
  const wasUsedBefore = sql<boolean>`${tokens.lastUsedAt} is not null and ${tokens.lastUsedAt} > now() - interval '1 minute'`;
  const [found] = await db
    .select({ id: tokens.id, person: tokens.person, role: tokens.role, workspaceId: tokens.workspaceId, wasUsedBefore })
    .from(tokens)
    .where(and(eq(tokens.tokenHash, hash(token)), isUsable));
  if (found === undefined) return undefined;
  const { id, person, role, workspaceId } = found;
  // Asked again in the update, for those who came at the same time.
  if (!found.wasUsedBefore) await db.update(tokens).set({ lastUsedAt: sql`now()` }).where(and(eq(tokens.id, id), sql`not (${wasUsedBefore})`));
  return { person, role, workspaceId };
}

/** A page of a workspace's tokens, newest first, after the one with the id `after`; expired and revoked ones too. */
export async function listTokens(db: Connection, workspaceId: string, { after, limit }: { readonly after: string | null; readonly limit: number }): Promise<readonly TokenRow[]> {
  const last = sql`(select created_at, id from tokens where id = ${after} and workspace_id = ${workspaceId})`;
  return db
    .select(shown)
    .from(tokens)
    .where(and(eq(tokens.workspaceId, workspaceId), after === null ? undefined : sql`(${tokens.createdAt}, ${tokens.id}) < ${last}`))
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(limit);
}

/** Takes a token back and records that, once. Undefined where the workspace has no such token. */
export async function revokeToken(
  db: Connection,
  { workspaceId, tokenId, person }: { readonly workspaceId: string; readonly tokenId: string; readonly person: string },
): Promise<TokenRow | undefined> {
  const isIt = and(eq(tokens.id, tokenId), eq(tokens.workspaceId, workspaceId));
  return db.transaction(async (tx) => {
    const [revoked] = await tx
      .update(tokens)
      .set({ revokedAt: sql`now()`, revokedBy: person })
      .where(and(isIt, isNull(tokens.revokedAt)))
      .returning(shown);
    if (revoked === undefined) return (await tx.select(shown).from(tokens).where(isIt))[0];
    const { person: holder, role, name, expiresAt } = revoked;
    await appendAudit(tx, workspaceId, { kind: 'token.revoked', actor: person, subject: tokenId, details: { person: holder, role, name, expiresAt: expiresAt.toISOString() } });
    return revoked;
  });
}
