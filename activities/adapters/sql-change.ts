import type pg from 'pg';
import type { Step, ValidStep } from '../../domain/plan.js';
import type { DataChange } from '../../validation/sql/data-change.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import type { Change, ChangeResult, Rehearsal } from '../ports.js';
import { messageOf } from './sql-refusal.js';
import { countRows, describeDifference, fromSnapshot, locateRows, lockRows, readRows, restoreRows, type Row, showRows, toLine, toSnapshot, toWhere, weighRows } from './sql-rows.js';
import { findObstacle, readTable, type Table } from './sql-table.js';
import { onOwnPath, type TransactionName } from './sql-transaction.js';

const MAX_ROWS = 1_000;
const MAX_BYTES = 1024 * 1024;

const pastTense = { update: 'updated', delete: 'deleted', insert: 'inserted' } as const;

/** What is noted of a change before it is committed. `left` is what a rollback must find; null where there is none. */
export interface Handle extends TransactionName {
  readonly summary: string;
  readonly left: readonly Row[] | null;
}

/** A change that is made and not committed. */
export interface Made {
  readonly kind: 'made';
  readonly summary: string;
  readonly left: readonly Row[] | null;
}
export type Unmade = Exclude<ChangeResult, { kind: 'failed' }> | { readonly kind: 'failed'; readonly summary: string; readonly changed: false };

const conflict = (summary: string): Unmade => ({ kind: 'conflict', summary });
export const failed = (summary: string): Unmade => ({ kind: 'failed', summary, changed: false });
export const refused = (target: string, error: unknown): Unmade => failed(`${target} refused: ${toLine(messageOf(error), 300)}`);

const isTooMuch = (count: number, bytes: number): boolean => count > MAX_ROWS || bytes > MAX_BYTES;

export const readHandle = (handle: string): Handle => JSON.parse(handle) as Handle;

/** What a change would touch, and whether and how it can be taken back. */
export async function rehearseChange(client: pg.Client, change: DataChange, table: Table, { parameters }: ValidStep): Promise<Rehearsal> {
  const { name } = table;
  if (table.kind !== 'r' && table.kind !== 'p') return { found: false, lines: [`${name} is not a table`] };
  if (table.hasForeignParts) return { found: false, lines: [`${name} has foreign tables as parts, whose changes are not of one transaction`] };
  const where = toWhere(change, table);
  const { count, bytes, hash } = where === undefined ? { count: 0, bytes: 0, hash: sha256('') } : await weighRows(client, table, where, parameters, '');
  const rows = where === undefined ? [] : await showRows(client, table, change, where, parameters);
  if (change.kind === 'insert' && count > 0) return { found: false, lines: [`${name} has ${countRows(count)} with such a key already`, ...rows] };
  if (change.kind !== 'insert' && count === 0) return { found: false, lines: [`no row of ${name} is touched`] };
  const made = change.kind === 'insert' ? change.rows.length : count;
  const lines = [`${countRows(made)} of ${name} would be ${pastTense[change.kind]}`, ...rows, ...(count > rows.length ? [`and ${count - rows.length} more`] : [])];
  const because =
    findObstacle(table, change) ??
    (where === undefined ? `only ${name} will know the keys of the new rows` : isTooMuch(made, bytes) ? `${countRows(made)} with ${bytes} bytes are more than is kept` : undefined);
  if (because !== undefined) return { found: true, lines, wayBack: { kind: 'oneWay', because }, pins: { before: hash, after: null } };
  const before = where === undefined ? [] : await readRows(client, table, where, parameters, '');
  return { found: true, lines, wayBack: { kind: 'snapshot', of: 'rows' }, pins: { before: sha256(toSnapshot(before)), after: null } };
}

/** The rows that a change will touch. Throws `targetChanged` where they are not those that were rehearsed. */
export async function readSnapshot(client: pg.Client, change: DataChange, table: Table, { stepId, target, parameters, pins }: Step): Promise<string> {
  const changed = (because: string) => new Fault('targetChanged', `what step ${stepId} touches on ${target} has changed since it was rehearsed: ${because}`);
  const where = toWhere(change, table);
  const obstacle = findObstacle(table, change);
  if (where === undefined || obstacle !== undefined) throw changed(obstacle ?? 'the keys of its rows are not known');
  const { count, bytes } = await weighRows(client, table, where, parameters, '');
  const snapshot = isTooMuch(count, bytes) ? '' : toSnapshot(await readRows(client, table, where, parameters, ''));
  if (sha256(snapshot) !== pins?.before) throw changed(`${countRows(count)} of ${table.name} are not as they were`);
  return snapshot;
}

/** Runs the script on exactly the rows that were rehearsed. */
export async function execute(client: pg.Client, change: DataChange, { script, parameters, wayBack, pins }: Step, snapshot: string | null): Promise<Made | Unmade> {
  const table = await readTable(client, change);
  const { name } = table;
  const where = toWhere(change, table);
  const isKept = wayBack.kind === 'snapshot';
  let before: readonly Row[] = [];
  if (isKept) {
    const obstacle = findObstacle(table, change);
    if (where === undefined || obstacle !== undefined) return conflict(`it could not be taken back any more: ${obstacle ?? 'its keys are not known'}`);
    if (snapshot === null || sha256(snapshot) !== pins?.before) return failed(`the snapshot is not the one of what was approved`);
    // Counted while locked, so that too much is not read; nothing of it can change any more.
    const { count, bytes } = await weighRows(client, table, where, parameters, 'for update');
    if (isTooMuch(count, bytes)) return conflict(`it would touch ${countRows(count)} of ${name} now`);
    before = await readRows(client, table, where, parameters, 'for update');
    const difference = describeDifference(fromSnapshot(snapshot), before, table);
    if (difference !== undefined) return conflict(`${difference} of ${name} changed since it was rehearsed`);
  } else if (where !== undefined) {
    const { count, hash } = await weighRows(client, table, where, parameters, 'for update');
    if (hash !== pins?.before) return conflict(`the ${countRows(count)} of ${name} that it would touch are not the ones that were rehearsed`);
    before = Array.from({ length: count }, () => ({ key: [], image: '' }));
  }
  const expected = change.kind === 'insert' ? change.rows.length : before.length;
  const locate = async () => (where === undefined ? '' : locateRows(client, table, where, parameters));
  const places = await locate();
  const rowCount = await onOwnPath(client, async () => ((await locate()) === places ? (await client.query({ text: script, values: [...parameters] })).rowCount : undefined));
  if (rowCount === undefined) return conflict(`by the search_path of the role its condition means other rows of ${name} than those that were rehearsed`);
  if (rowCount !== expected) return conflict(`it touched ${countRows(rowCount ?? 0)} of ${name} instead of ${expected}, and was rolled back`);
  const summary = `${pastTense[change.kind]} ${countRows(expected)} of ${name}`;
  if (!isKept || where === undefined) return { kind: 'made', summary, left: null };
  const left = change.kind === 'insert' ? await readRows(client, table, where, parameters, 'for update') : await lockRows(client, table, before);
  if (left.length !== (change.kind === 'delete' ? 0 : expected)) return failed(`${name} was left with ${countRows(left.length)} where ${expected} were ${pastTense[change.kind]}, so it was rolled back`);
  return { kind: 'made', summary, left };
}

/** Puts the rows back, if they still are as the step left them. */
export async function takeBack(client: pg.Client, change: DataChange, { step, snapshot, left: handle }: Extract<Change, { kind: 'rollback' }>): Promise<Made | Unmade> {
  const { left } = readHandle(handle);
  if (step.wayBack.kind === 'oneWay') return failed(`it has no way back: ${step.wayBack.because}`);
  if (left === null) return failed('what the step left was not noted');
  if (sha256(snapshot) !== step.pins?.before) return failed('the snapshot is not the one of what was approved');
  const table = await readTable(client, change);
  const obstacle = findObstacle(table, change);
  if (obstacle !== undefined) return conflict(`it cannot be taken back any more: ${obstacle}`);
  const before = fromSnapshot(snapshot);
  const keys = [...before, ...(change.kind === 'insert' ? left : [])];
  const now = await lockRows(client, table, keys);
  if (describeDifference(now, before, table) === undefined) return { kind: 'done', summary: `${table.name} is as it was before` };
  const difference = describeDifference(now, left, table);
  if (difference !== undefined) return conflict(`${difference} of ${table.name} changed since the step ran`);
  await onOwnPath(client, () => restoreRows(client, table, change, before, left));
  const wrong = describeDifference(await lockRows(client, table, keys), before, table);
  if (wrong !== undefined) return failed(`${wrong} of ${table.name} did not become what they were, so it was rolled back`);
  return { kind: 'made', summary: `put back ${countRows(keys.length)} of ${table.name}`, left: null };
}
