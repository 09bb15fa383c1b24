import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { prepare } from '../../../cli/local/prepare.js';
import { readAuditPage } from '../../../db/audit-reads.js';
import { findActor } from '../../../db/tokens.js';
import { readEntry } from '../../../domain/audit.js';
import { openKeyring } from '../../../keys/keyring.js';
import { freshDatabase } from '../../harness/database.js';

it('a first start makes a key, which every workspace has on record once, however often it starts', async () => {
  const database = await freshDatabase();
  const home = await mkdtemp(join(tmpdir(), 'sluice-prepare-'));
  const sluiceConfig = join(home, 'sluice.yaml');
  const start = async (workspaces: readonly string[]) => {
    await writeFile(sluiceConfig, `version: 1\nworkspaces:\n${workspaces.map((id) => `  ${id}: { stabilization: 2s, targets: { page: { kind: http, url: 'http://127.0.0.1:1' } } }\n`).join('')}`);
    await prepare({ databaseUrl: database.url, home, keys: join(home, 'keys'), sluiceConfig });
  };
  const audited = async (workspaceId: string) =>
    (await readAuditPage(database.db, workspaceId, { order: 'oldest', cursor: null, limit: 10 })).map(({ entry }) => [readEntry(entry)?.kind, readEntry(entry)?.subject]);

  await start(['shop']);
  const [key] = await openKeyring(join(home, 'keys')).list();
  await start(['shop', 'bank']);
  for (const workspaceId of ['shop', 'bank']) expect(await audited(workspaceId)).toEqual([['key.made', key?.keyId], ['token.made', expect.any(String)]]);
  await openKeyring(join(home, 'keys')).sign('decision', {});
  await rm(home, { recursive: true });
  await database.close();
});

it.each(['expires_at = now()', 'revoked_at = now()'])('an admin token is kept from start to start, and made anew once %s', async (end) => {
  const database = await freshDatabase();
  const home = await mkdtemp(join(tmpdir(), 'sluice-prepare-'));
  const sluiceConfig = join(home, 'sluice.yaml');
  await writeFile(sluiceConfig, "version: 1\nworkspaces: { shop: { stabilization: 2s, targets: { page: { kind: http, url: 'http://127.0.0.1:1' } } } }\n");
  const start = () => prepare({ databaseUrl: database.url, home, keys: join(home, 'keys'), sluiceConfig });
  const first = await start();
  expect(await start()).toEqual(first);
  await database.asOwner(`update tokens set ${end}`);
  const { adminToken, adminTokenFile } = await start();
  expect(adminToken).not.toBe(first.adminToken);
  expect([await readFile(adminTokenFile, 'utf8'), (await stat(adminTokenFile)).mode & 0o777]).toEqual([`${adminToken}\n`, 0o600]);
  expect(await findActor(database.db, adminToken)).toEqual({ person: 'admin', role: 'admin', workspaceId: 'shop' });
  await rm(home, { recursive: true });
  await database.close();
});
