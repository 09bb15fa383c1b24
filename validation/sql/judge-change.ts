import type { DeleteStmt, InsertStmt, Node, RangeVar, UpdateStmt } from 'libpg-query';
import { isSystemName } from './allowed-names.js';
import type { Rows } from './extent.js';
import type { Remarks } from './remarks.js';
import { flattenFrom, joinAnd, judgeQueryRows, judgeRows, type Known, readQueries } from './row-extent.js';
import { walk } from './tree.js';

const remedy = 'Say which rows by = , IN, LIKE, a short range or a time that has passed';

/** Judges which rows every change in a statement is about, also those in a WITH. */
export function judgeChanges(root: Node, remarks: Remarks): void {
  walk(root, silent, (node) => {
    if ('UpdateStmt' in node) judgeUpdate(node.UpdateStmt, remarks);
    else if ('DeleteStmt' in node) judgeDelete(node.DeleteStmt, remarks);
    else if ('InsertStmt' in node) judgeInsert(node.InsertStmt, remarks);
  });
}

// What no rule knows is found where functions and tables are judged.
const silent: Remarks = { deny: () => undefined, warn: () => undefined };

function judgeUpdate({ relation, whereClause, fromClause, withClause, targetList }: UpdateStmt, remarks: Remarks): void {
  judgeTarget(relation, remarks);
  remark('changes', judgeTargetRows(relation, whereClause, fromClause, readQueries(withClause?.ctes, new Map())), whereClause ?? targetList, remarks);
}

function judgeDelete({ relation, whereClause, usingClause, withClause }: DeleteStmt, remarks: Remarks): void {
  judgeTarget(relation, remarks);
  remark('deletes', judgeTargetRows(relation, whereClause, usingClause, readQueries(withClause?.ctes, new Map())), whereClause ?? relation, remarks);
}

function judgeInsert({ relation, selectStmt, withClause }: InsertStmt, remarks: Remarks): void {
  judgeTarget(relation, remarks);
  if (selectStmt === undefined || !('SelectStmt' in selectStmt)) return;
  const rows = judgeQueryRows(selectStmt.SelectStmt, readQueries(withClause?.ctes, new Map()));
  if (rows !== 'some') remarks.warn('sql.manyRows', selectStmt, 'how many rows it adds depends on the data', remedy);
}

function judgeTarget(relation: RangeVar | undefined, remarks: Remarks): void {
  const { schemaname = '', relname = '' } = relation ?? {};
  if (isSystemName(schemaname, relname)) remarks.deny('sql.catalogChange', relation, `it changes ${relname}, which is Postgres' own`, 'Change it by the statement that is meant for it');
}

function judgeTargetRows(relation: RangeVar | undefined, where: Node | undefined, from: readonly Node[] | undefined, known: Known): Rows {
  const { relname = '', alias } = relation ?? {};
  const { sources, conditions } = flattenFrom(from ?? [], known);
  return judgeRows(joinAnd(where, conditions), new Set([alias?.aliasname ?? relname, ...(sources.size === 0 ? [''] : [])]), sources, known);
}

function remark(verb: string, rows: Rows, node: unknown, remarks: Remarks): void {
  if (rows === 'all') remarks.deny('sql.everyRow', node, `it ${verb} every row of the table`, remedy);
  else if (rows === 'open') remarks.warn('sql.manyRows', node, `its condition has no end, so it may be that it ${verb} every row`, remedy);
}
