import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { readAuditPage, readChain, readChainEnds } from '../../db/audit-reads.js';
import { appendAudit, appendAuditEverywhere } from '../../db/audit-writer.js';
import { createToken } from '../../db/tokens.js';
import { openChainCheck } from '../../domain/audit.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

let database: FreshDatabase;
beforeAll(async () => {
  database = await freshDatabase();
});
afterAll(() => database.close());

const entry = (subject: string) => ({ kind: 'claim.granted', actor: 'ana', subject, details: { text: 'Grüße\n"x" 😀' } }) as const;
const append = (workspaceId: string, subject: string) => database.db.transaction((tx) => appendAudit(tx, workspaceId, entry(subject)));
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function verify(workspaceId: string) {
  const check = openChainCheck({ workspaceId, checkpoints: [], untrusted: 0, revoked: 0 }, sha256);
  for await (const rows of readChain(database.db, workspaceId)) check.read(rows);
  return check.finish();
}

describe('the audit', () => {
  it('is one chain per workspace without a gap, however many write at once', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => append(index % 3 === 0 ? 'one' : 'two', `${index}`)));
    expect(await verify('one')).toEqual({ rows: 20, checkpoints: 0, notYetCheckpointed: 20, revokedCheckpoints: 0, tampering: null });
    expect(await verify('two')).toEqual({ rows: 40, checkpoints: 0, notYetCheckpointed: 40, revokedCheckpoints: 0, tampering: null });
  });

  it('has no gap where a transaction was rolled back', async () => {
    await append('three', 'a');
    const failed = database.db.transaction(async (tx) => {
      await appendAudit(tx, 'three', entry('b'));
      await appendAudit(tx, 'three', entry('c'));
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    await append('three', 'd');
    expect(await verify('three')).toMatchObject({ rows: 2, tampering: null });
  });

  it('takes several entries in one transaction', async () => {
    await database.db.transaction(async (tx) => {
      for (const subject of ['a', 'b', 'c']) await appendAudit(tx, 'four', entry(subject));
    });
    expect(await verify('four')).toMatchObject({ rows: 3, tampering: null });
  });

  it('of all workspaces hears what concerns all of them', async () => {
    await createToken(database.db, { person: 'ana', role: 'viewer', workspaceId: 'nothing-yet' });
    await append('no-token', 'a');
    await database.db.transaction((tx) => appendAuditEverywhere(tx, entry('all')));
    for (const [workspaceId, rows] of [['nothing-yet', 1], ['no-token', 2]] as const) expect(await verify(workspaceId)).toMatchObject({ rows, tampering: null });
  });

  it('is read in pages from both ends', async () => {
    for (const subject of ['a', 'b', 'c']) await append('five', subject);
    const read = async (order: 'newest' | 'oldest', cursor: number | null) => (await readAuditPage(database.db, 'five', { order, cursor, limit: 2 })).map(({ seq }) => seq);
    expect([await read('newest', null), await read('newest', 2), await read('oldest', null), await read('oldest', 2)]).toEqual([[3, 2], [1], [1, 2], [3]]);
  });

  it('knows the end of each chain', async () => {
    const { rows } = await database.db.execute(sql`select workspace_id as "workspaceId", max(seq)::int as seq from audit group by 1 order by 1 desc`);
    expect((await readChainEnds(database.db)).map(({ workspaceId, seq }) => ({ workspaceId, seq }))).toEqual(rows);
  });
});

describe('a row of the audit', () => {
  beforeAll(() => append('kept', 'a'));
  const changes = ["update audit set entry = 'x'", 'delete from audit', 'truncate audit', "insert into audit select * from audit on conflict (workspace_id, seq) do update set entry = 'x'", "update audit set entry = 'x' where false"];

  it.each(changes)('is not changed by API and workers: %s', async (change) => {
    await expect(database.db.execute(sql.raw(change))).rejects.toMatchObject({ cause: { code: '42501', message: expect.stringContaining('permission denied for table audit') } });
  });

  it.each(changes)('is not changed by the owner: %s', async (change) => {
    await expect(database.asOwner(change)).rejects.toMatchObject({ code: '42501', message: expect.stringMatching(/^audit is append-only, so (UPDATE|DELETE|TRUNCATE) is refused$/) });
    await expect(database.asOwner(`set session_replication_role = replica; ${change}`)).rejects.toThrow('audit is append-only');
    expect(await verify('kept')).toMatchObject({ rows: 1, tampering: null });
  });

  it.each(['alter table audit disable trigger all', 'drop trigger audit_append_only on audit', 'drop table audit', "set session_replication_role = 'replica'"])(
    'stays guarded: API and workers may not %s',
    async (change) => {
      await expect(database.db.execute(sql.raw(change))).rejects.toMatchObject({ cause: { code: '42501' } });
    },
  );
});
