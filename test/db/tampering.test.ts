import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { readChain, readChainEnds } from '../../db/audit-reads.js';
import { appendAudit } from '../../db/audit-writer.js';
import * as schema from '../../db/schema.js';
import { type AuditRow, type KeptCheckpoints, openChainCheck, toLink } from '../../domain/audit.js';
import { appendCheckpoints, readCheckpoints } from '../../keys/checkpoint-file.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';

const ROWS = 40;
const CHECKPOINTS = [1, 7, 8, 19, 30, 36];
const LAST = 36;
const TRIES = 1_000;
const SEED = 20_261_122;
const workspaceId = 'w';

let database: FreshDatabase;
let keys: FreshKeys;
let superuser: pg.Client;
let kept: KeptCheckpoints;
beforeAll(async () => {
  database = await freshDatabase();
  keys = await freshKeys();
  const path = join(keys.folder, 'checkpoints.jsonl');
  for (let seq = 1; seq <= ROWS; seq += 1) {
    await database.db.transaction((tx) => appendAudit(tx, workspaceId, { kind: 'decision.counted', actor: 'ana', subject: `decision ${seq}`, details: { seq } }));
    if (CHECKPOINTS.includes(seq)) await appendCheckpoints(path, keys.keyring, (await readChainEnds(database.db)).map((end) => ({ ...end, at: 0 })));
  }
  const read = await readCheckpoints(path, keys.keyring, workspaceId);
  if (read === undefined) throw new Error('there is no file');
  kept = read;
  superuser = new pg.Client({ connectionString: database.url });
  await superuser.connect();
});
afterAll(async () => {
  await superuser.end();
  await database.close();
  await keys.close();
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function verify() {
  const check = openChainCheck(kept, sha256);
  for await (const rows of readChain(drizzle(superuser, { schema }), workspaceId)) check.read(rows);
  return check.finish();
}

/** Numbers from 0 to below 1, the same for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes the hashes from `from` on right again, as somebody would who knows how they are made. */
function relink(rows: readonly AuditRow[], from: number): readonly AuditRow[] {
  let previous = workspaceId;
  return rows.map(({ entry, hash }, index) => {
    const seq = index + 1;
    previous = seq >= from ? sha256(toLink(previous, entry)) : hash;
    return { seq, entry, hash: previous };
  });
}

type Between = (low: number, high: number) => number;
/** Each gives the chain as it is afterwards, and the first row that is no longer what or where it was. */
const kinds: Record<string, (rows: readonly AuditRow[], between: Between) => { readonly rows: readonly AuditRow[]; readonly from: number }> = {
  edit(rows, between) {
    const from = between(1, LAST);
    return { from, rows: rows.map((row) => (row.seq === from ? forge(row, between) : row)) };
  },
  'edit with its hash'(rows, between) {
    const from = between(1, LAST);
    const edited = rows.map((row) => (row.seq === from ? forge(row, between) : row));
    return { from, rows: [...relink(edited, from).slice(0, from), ...rows.slice(from)] };
  },
  'edit of a hash'(rows, between) {
    const from = between(1, LAST);
    return { from, rows: rows.map((row) => (row.seq === from ? { ...row, hash: sha256(`${between(0, 1e9)}`) } : row)) };
  },
  delete(rows, between) {
    const from = between(1, LAST);
    const until = between(from, ROWS);
    return { from, rows: rows.filter(({ seq }) => seq < from || seq > until) };
  },
  'delete and close the gap'(rows, between) {
    const from = between(1, LAST);
    return { from, rows: rows.filter(({ seq }) => seq !== from).map((row, index) => ({ ...row, seq: index + 1 })) };
  },
  insert(rows, between) {
    const from = between(1, LAST);
    const added = [...rows.slice(0, from - 1), forge(rows[from - 1] ?? rows[0], between), ...rows.slice(from - 1)];
    return { from, rows: [...relink(added, from).slice(0, from), ...added.slice(from)].map((row, index) => ({ ...row, seq: index + 1 })) };
  },
  'insert and link anew'(rows, between) {
    const from = between(1, LAST);
    return { from, rows: relink([...rows.slice(0, from - 1), forge(rows[from - 1] ?? rows[0], between), ...rows.slice(from - 1)], from) };
  },
  reorder(rows, between) {
    const from = between(1, LAST - 1);
    const other = between(from + 1, LAST);
    return { from, rows: rows.map((row) => ({ ...(row.seq === from ? rows[other - 1] : row.seq === other ? rows[from - 1] : row), seq: row.seq }) as AuditRow) };
  },
  'reorder and link anew'(rows, between) {
    const from = between(1, LAST - 1);
    const other = between(from + 1, LAST);
    const swapped = rows.map((row) => (row.seq === from ? rows[other - 1] : row.seq === other ? rows[from - 1] : row) as AuditRow);
    return { from, rows: relink(swapped, from) };
  },
  cut(rows, between) {
    const from = between(1, LAST);
    return { from, rows: rows.slice(0, from - 1) };
  },
  'cut and go on otherwise'(rows, between) {
    const from = between(1, LAST);
    const instead = Array.from({ length: between(1, ROWS) }, () => forge(rows[0], between));
    return { from, rows: relink([...rows.slice(0, from - 1), ...instead], from) };
  },
  'rewrite everything'(rows, between) {
    const from = between(1, LAST);
    return { from, rows: relink(rows.map((row) => (row.seq >= from ? forge(row, between) : row)), from) };
  },
  'rewrite one and link anew'(rows, between) {
    const from = between(1, LAST);
    return { from, rows: relink(rows.map((row) => (row.seq === from ? forge(row, between) : row)), from) };
  },
};

/** Another entry, of the kind that Sluice writes. */
function forge(row: AuditRow | undefined, between: Between): AuditRow {
  if (row === undefined) throw new Error('no row');
  return { ...row, entry: row.entry.replace('"ana"', `"mallory ${between(0, 1e9)}"`) };
}

/** Writes a chain in place of the one that is there, verifies it, and takes that back. */
async function verifyInstead(rows: readonly AuditRow[]) {
  await superuser.query('begin; alter table audit disable trigger all; delete from audit');
  try {
    await superuser.query('insert into audit (workspace_id, seq, entry, hash) select $1, * from unnest($2::bigint[], $3::text[], $4::text[])', [
      workspaceId,
      rows.map(({ seq }) => seq),
      rows.map(({ entry }) => entry),
      rows.map(({ hash }) => hash),
    ]);
    return await verify();
  } finally {
    await superuser.query('rollback');
  }
}

describe(`${TRIES} random tamperings by a superuser`, () => {
  it('are all found, between the first row that is wrong and the next checkpoint', async () => {
    const original = (await database.db.execute<{ seq: string; entry: string; hash: string }>(sql`select seq, entry, hash from audit order by seq`)).rows.map((row) => ({ ...row, seq: Number(row.seq) }));
    const whole = { rows: ROWS, checkpoints: CHECKPOINTS.length, notYetCheckpointed: ROWS - LAST, revokedCheckpoints: 0, tampering: null };
    expect(await verifyInstead(original)).toEqual(whole);

    const random = createRandom(SEED);
    const between: Between = (low, high) => low + Math.floor(random() * (high - low + 1));
    const missed: string[] = [];
    for (let tried = 0; tried < TRIES; tried += 1) {
      const [name, tamper] = Object.entries(kinds)[tried % Object.keys(kinds).length] ?? [];
      if (tamper === undefined) throw new Error('no kind');
      const { rows, from } = tamper(original, between);
      const { tampering } = await verifyInstead(rows);
      const next = CHECKPOINTS.find((seq) => seq >= from) ?? 0;
      if (tampering === null || tampering.seq < from || tampering.seq > next + 1) missed.push(`${name} from row ${from}: ${JSON.stringify(tampering)}`);
    }
    expect(missed).toEqual([]);
    expect(await verify()).toEqual(whole);
  }, 120_000);
});
