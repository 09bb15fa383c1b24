import type { ColumnDef, Constraint, Node, TypeName } from 'libpg-query';
import { riskyFunctions, volatileFunctions } from './allowed-names.js';
import { readNames } from './constant.js';
import type { Remarks } from './remarks.js';
import { walk } from './tree.js';

/** Types that a table outgrows, or that say less than they seem to. */
export function judgeType(type: TypeName | undefined, remarks: Remarks): void {
  const name = readNames(type?.names).at(-1) ?? '';
  const warn = (reason: string, remedy: string): void => remarks.warn('sql.type', type, reason, remedy);
  if (/^(int2|smallint|smallserial|serial2)$/.test(name)) warn('numbers beyond 32767 do not fit, and a wider type rewrites the table later', 'Write bigint, or integer');
  else if (name === 'timestamp') warn('a timestamp without time zone means another moment to each reader', 'Write timestamptz');
  else if (name === 'bpchar') warn('char fills up with spaces', 'Write text, with a CHECK of its length if one is needed');
  else if (name === 'varchar' && (type?.typmods ?? []).length > 0) warn('another length needs a lock on the whole table later', 'Write text, with a CHECK of its length that can be added NOT VALID');
}

export const readConstraints = (nodes: readonly Node[] | undefined): readonly Constraint[] => (nodes ?? []).flatMap((node) => ('Constraint' in node ? [node.Constraint] : []));

/** A column that joins a table which is full and in use. */
export function judgeNewColumn(column: ColumnDef, remarks: Remarks): void {
  judgeType(column.typeName, remarks);
  const constraints = readConstraints(column.constraints);
  const has = (kind: Constraint['contype']): boolean => constraints.some(({ contype }) => contype === kind);
  const rewrite = (node: unknown, what: string, remedy: string): void => remarks.warn('sql.rewrite', node, `${what}, so the whole table is written anew while nobody can read it`, remedy);
  if (/^(small|big)?serial[248]?$/.test(readNames(column.typeName?.names).at(-1) ?? '')) rewrite(column.typeName, 'each row gets a number of its own', 'Add a nullable column, and fill it in batches');
  if (has('CONSTR_NOTNULL') && !has('CONSTR_DEFAULT') && !has('CONSTR_GENERATED') && !has('CONSTR_IDENTITY')) {
    remarks.warn('sql.required', column, 'it fails where the table has a row, and breaks those who write without it', 'Give it a DEFAULT, or add it nullable and fill it first');
  }
  for (const constraint of constraints) {
    const kind: string = constraint.contype ?? '';
    switch (kind) {
      case 'CONSTR_DEFAULT':
        if (isComputedPerRow(constraint.raw_expr)) rewrite(constraint, 'its default is computed for each row', 'Add it without a default, set the default then, and fill in batches');
        break;
      case 'CONSTR_GENERATED':
        if (constraint.generated_kind !== 'v') rewrite(constraint, 'it is computed for each row', 'Add a plain column, and fill it by a trigger or in batches');
        break;
      case 'CONSTR_IDENTITY':
        rewrite(constraint, 'each row gets a number of its own', 'Add a nullable column, and fill it in batches');
        break;
      case 'CONSTR_PRIMARY':
      case 'CONSTR_UNIQUE':
        remarks.warn('sql.index', constraint, 'it builds an index while nobody can write', 'Build it by CREATE UNIQUE INDEX CONCURRENTLY, and add the constraint USING INDEX');
        break;
      case 'CONSTR_FOREIGN':
      case 'CONSTR_CHECK':
        remarks.warn('sql.validate', constraint, 'it looks through the whole table while it is locked', 'Add the constraint NOT VALID, and validate it in a statement of its own');
        break;
      default:
    }
  }
}

/** Whether a default is another for each row, or nobody can tell. */
function isComputedPerRow(expression: Node | undefined): boolean {
  let isPerRow = false;
  const note = (): void => {
    isPerRow = true;
  };
  if (expression === undefined) return false;
  walk(expression, { deny: note, warn: note }, (node) => {
    if (!('FuncCall' in node)) return;
    const names = readNames(node.FuncCall.funcname);
    const name = names.at(-1) ?? '';
    const isOwn = names.length === 1 || names[0] === 'pg_catalog';
    // now() takes nothing; whatever takes something under its name is somebody else's.
    const isOther = name === 'now' && node.FuncCall.args !== undefined;
    if (!isOwn || isOther || volatileFunctions.has(name) || riskyFunctions.has(name)) note();
  });
  return isPerRow;
}

/** A constraint that is added to a table which is full and in use. */
export function judgeNewConstraint(constraint: Constraint, remarks: Remarks): void {
  const kind: string = constraint.contype ?? '';
  switch (kind) {
    case 'CONSTR_CHECK':
    case 'CONSTR_FOREIGN':
    case 'CONSTR_NOTNULL':
      if (constraint.skip_validation !== true) remarks.warn('sql.validate', constraint, 'it looks through the whole table while nobody can write', 'Add it NOT VALID, and then VALIDATE CONSTRAINT in a transaction of its own');
      return;
    case 'CONSTR_UNIQUE':
    case 'CONSTR_PRIMARY':
      if (constraint.indexname === undefined) remarks.warn('sql.index', constraint, 'it builds an index while nobody can read or write', 'Build it by CREATE UNIQUE INDEX CONCURRENTLY, and add the constraint USING INDEX');
      return;
    case 'CONSTR_EXCLUSION':
      remarks.warn('sql.index', constraint, 'it builds an index while nobody can read or write', 'Do it while the table is small or nobody uses it');
      return;
    default:
      remarks.deny('sql.unknown', constraint, 'it is a constraint that no rule knows', 'Write a CHECK, UNIQUE, PRIMARY KEY or FOREIGN KEY constraint');
  }
}
