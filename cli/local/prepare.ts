import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { recordKey } from '../../db/key-audit.js';
import { type Database, openDatabase } from '../../db/database.js';
import { migrate } from '../../db/migrate.js';
import { seedLibrary } from '../../db/scripts.js';
import { findActor, makeToken } from '../../db/tokens.js';
import { makeFirstKey } from '../../keys/keyring.js';
import { readWatch } from '../../workers/read-watch.js';
import { writePrivately } from './home.js';

export interface Prepared {
  readonly adminToken: string;
  readonly adminTokenFile: string;
}

/**
 * Brings the database to this code's schema, makes the first key, fills the library of every workspace of sluice.yaml and makes an admin token for each,
 * kept in the state folder: `admin-token` for the first workspace, which is returned, `admin-token.<workspace>` for the others. One that expired or was
 * revoked is made anew.
 */
export async function prepare(options: { readonly databaseUrl: string; readonly home: string; readonly keys: string; readonly sluiceConfig: string }): Promise<Prepared> {
  const workspaces = readWatch(options.sluiceConfig);
  await migrate(options.databaseUrl);
  const { keyId } = await makeFirstKey(options.keys);
  const { db, close } = openDatabase(options.databaseUrl, { max: 1 });
  try {
    let first: Prepared | undefined;
    for (const { id: workspaceId } of workspaces) {
      await seedLibrary(db, workspaceId);
      await recordKey(db, workspaceId, keyId);
      const adminTokenFile = join(options.home, first === undefined ? 'admin-token' : `admin-token.${workspaceId}`);
      const known = await readFile(adminTokenFile, 'utf8').then((text) => text.trim(), () => '');
      const holder = known === '' ? undefined : await findActor(db, known);
      const adminToken = holder?.workspaceId === workspaceId && holder.role === 'admin' ? known : await makeAdminToken(db, workspaceId);
      if (adminToken !== known) await writePrivately(adminTokenFile, `${adminToken}\n`);
      first ??= { adminToken, adminTokenFile };
    }
    if (first === undefined) throw new Error('sluice.yaml names no workspace');
    return first;
  } finally {
    await close();
  }
}

const TOKEN_LIFE_MS = 365 * 86_400_000;

async function makeAdminToken(db: Database, workspaceId: string): Promise<string> {
  const made = await makeToken(db, { id: randomUUID(), workspaceId, person: 'admin', role: 'admin', name: 'made by npm start', createdBy: 'sluice', expiresAt: new Date(Date.now() + TOKEN_LIFE_MS) });
  if (made === undefined) throw new Error('A random id was taken');
  return made.token;
}
