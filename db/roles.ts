import { readFileSync } from 'node:fs';
import pg from 'pg';
import { API_ROLE, APP_ROLE } from './row-security.js';

const ROLES = [APP_ROLE, API_ROLE] as const;
type Role = (typeof ROLES)[number];

const access = readFileSync(new URL('access.sql', import.meta.url), 'utf8');
// Roles belong to the whole server: somebody else may be making or granting the same one.
const TRIES = 10;

export class RolesMissing extends Error {
  override readonly name = 'RolesMissing';
  constructor(user: string, notThere: readonly Role[], cause: unknown) {
    const remedy = [...notThere.map((role) => `create role ${role} nologin;`), `grant ${ROLES.join(', ')} to ${pg.escapeIdentifier(user)};`];
    const roles = `${APP_ROLE}, which keeps the audit append-only, and ${API_ROLE}, which keeps workspaces apart`;
    super(`The database's user ${user} may not take the roles ${roles}. Let an administrator of the server run:\n  ${remedy.join('\n  ')}`, { cause });
  }
}

/** Makes the roles that the server does not have, and lets the connected user take them. */
export async function ensureRoles(client: pg.Client): Promise<void> {
  for (const role of ROLES) await ensureRole(client, role);
}

async function ensureRole(client: pg.Client, role: Role): Promise<void> {
  for (let left = TRIES; ; left -= 1) {
    try {
      if (!(await isThere(client, role))) await client.query(`create role ${role} nologin`);
      if (!(await mayTake(client, role))) await client.query(`grant ${role} to current_user`);
      return;
    } catch (error) {
      if (hasCode(error, '42501')) throw new RolesMissing(client.user ?? 'of DATABASE_URL', await listMissing(client), error);
      // Unique violation, duplicate object, or a row of the catalogue that was changed meanwhile.
      if (left === 0 || !hasCode(error, '23505', '42710', 'XX000')) throw error;
    }
  }
}

async function isThere(client: pg.Client, role: Role): Promise<boolean> {
  return (await client.query('select from pg_roles where rolname = $1', [role])).rowCount === 1;
}

async function listMissing(client: pg.Client): Promise<readonly Role[]> {
  const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [ROLES]);
  return ROLES.filter((role) => !rows.some(({ rolname }) => rolname === role));
}

async function mayTake(client: pg.Client, role: Role): Promise<boolean> {
  try {
    await client.query(`set role ${role}; reset role`);
    return true;
  } catch (error) {
    if (hasCode(error, '42501')) return false;
    throw error;
  }
}

/** Gives the roles what they may do, on every table that there is by now, and makes the audit append-only. */
export async function restrict(client: pg.Client): Promise<void> {
  // One message with several statements is one transaction: there is no moment at which a role may do more.
  await client.query(access);
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean => error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
