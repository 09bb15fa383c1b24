import { readFileSync } from 'node:fs';
import pg from 'pg';

/** The role that API and workers take: it may add to the audit and read it, and change nothing there. */
export const APP_ROLE = 'sluice_app';

const appendOnly = readFileSync(new URL('append-only.sql', import.meta.url), 'utf8');
// Roles belong to the whole server: somebody else may be making or granting the same one.
const TRIES = 10;

export class AppRoleMissing extends Error {
  override readonly name = 'AppRoleMissing';
  constructor(user: string, isThere: boolean, cause: unknown) {
    const remedy = [...(isThere ? [] : [`create role ${APP_ROLE} nologin;`]), `grant ${APP_ROLE} to ${pg.escapeIdentifier(user)};`];
    super(`The database's user ${user} may not take the role ${APP_ROLE}, which keeps the audit append-only. Let an administrator of the server run:\n  ${remedy.join('\n  ')}`, { cause });
  }
}

/** Makes the role where the server has none, and lets the connected user take it. */
export async function ensureAppRole(client: pg.Client): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      if (!(await isThere(client))) await client.query(`create role ${APP_ROLE} nologin`);
      if (!(await mayTake(client))) await client.query(`grant ${APP_ROLE} to current_user`);
      return;
    } catch (error) {
      if (hasCode(error, '42501')) throw new AppRoleMissing(client.user ?? 'of DATABASE_URL', await isThere(client), error);
      // Unique violation, duplicate object, or a row of the catalogue that was changed meanwhile.
      if (left === 0 || !hasCode(error, '23505', '42710', 'XX000')) throw error;
    }
  }
}

async function isThere(client: pg.Client): Promise<boolean> {
  return (await client.query('select from pg_roles where rolname = $1', [APP_ROLE])).rowCount === 1;
}

async function mayTake(client: pg.Client): Promise<boolean> {
  try {
    await client.query(`set role ${APP_ROLE}; reset role`);
    return true;
  } catch (error) {
    if (hasCode(error, '42501')) return false;
    throw error;
  }
}

/** Gives the role what it may do, on every table that there is by now, and makes the audit append-only. */
export async function restrict(client: pg.Client): Promise<void> {
  // One message with several statements is one transaction: there is no moment at which the role may do more.
  await client.query(appendOnly);
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean => error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
