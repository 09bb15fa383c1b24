import { createHash, randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Actor } from '../domain/actor.js';
import type { Connection } from './database.js';
import { tokens } from './schema.js';

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Makes a token for a person and returns it in plain, this once: only its hash is kept. */
export async function createToken(db: Connection, actor: Actor): Promise<string> {
  const token = `sluice_${randomBytes(32).toString('base64url')}`;
  await db.insert(tokens).values({ tokenHash: hash(token), ...actor });
  return token;
}

/** Who holds this token. */
export async function findActor(db: Connection, token: string): Promise<Actor | undefined> {
  const [actor] = await db
    .select({ person: tokens.person, role: tokens.role, workspaceId: tokens.workspaceId })
    .from(tokens)
    .where(eq(tokens.tokenHash, hash(token)));
  return actor;
}
