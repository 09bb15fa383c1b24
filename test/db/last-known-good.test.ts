import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { createLastKnownGoodRecords } from '../../db/last-known-good-records.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';

let database: FreshDatabase;
let records: ReturnType<typeof createLastKnownGoodRecords>;
let workspace: string;
beforeAll(async () => {
  database = await freshDatabase();
  records = createLastKnownGoodRecords(database.db);
});
afterAll(() => database.close());
beforeEach(() => {
  workspace = randomUUID();
});

const at = (second: number): Date => new Date(1_000 * second);
const note = (hash: string, second: number, goodAt: number | null = null, target = 'file') =>
  records.noteWell(workspace, target, { hash, content: `content ${hash}`, wellSince: at(1), wellAt: at(second), goodAt: goodAt === null ? null : at(goodAt) });
const hashes = async (target = 'file') => (await records.listKnownContents(workspace, target)).map(({ hash }) => hash);

it('the last known good is what became good last, and when it was last seen to be well', async () => {
  expect(await records.readLastKnownGood(workspace, 'file')).toBeUndefined();
  await note('a', 2);
  expect(await records.readLastKnownGood(workspace, 'file')).toBeUndefined();
  await note('a', 3, 3);
  await note('a', 4, 3);
  expect(await records.readLastKnownGood(workspace, 'file')).toEqual({ content: 'content a', wellAt: at(4) });
  await note('b', 9, 9);
  expect(await records.readLastKnownGood(workspace, 'file')).toEqual({ content: 'content b', wellAt: at(9) });
});

it('only what is in place keeps its clock, and what never became good is forgotten with it', async () => {
  await note('a', 2, 2);
  await note('b', 3);
  await note('c', 4);
  expect(await records.listKnownContents(workspace, 'file')).toMatchObject([
    { hash: 'a', wellSince: null, goodAt: at(2) },
    { hash: 'c', wellSince: at(1), goodAt: null },
  ]);
  await records.noteUnwell(workspace, 'file');
  expect(await records.listKnownContents(workspace, 'file')).toMatchObject([{ hash: 'a', wellSince: null }]);
});

it('the newest ten are kept, of each file its own', async () => {
  await note('other', 1, 1, 'other');
  for (let second = 1; second <= 12; second += 1) await note(`${second}`, second, second);
  expect(await hashes()).toEqual(['3', '4', '5', '6', '7', '8', '9', '10', '11', '12']);
  expect(await hashes('other')).toEqual(['other']);
});
