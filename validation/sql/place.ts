import type { AlterTableCmd, Constraint, Node, RangeVar, RawStmt } from 'libpg-query';
import { readNames } from './constant.js';

/** What the statements around one say of it. */
export interface Place {
  /** Which transaction of the text it is in, counted from 1; 0 for none. */
  readonly transaction: number;
  /** Tables that the text made before: nobody waits for them, and they are empty. */
  readonly created: ReadonlySet<string>;
  /** Every part of every ALTER TABLE of the text, in order. */
  readonly commands: readonly TableCommand[];
}

export interface TableCommand {
  readonly table: string;
  readonly command: AlterTableCmd;
  readonly transaction: number;
}

export const toTableName = ({ schemaname, relname = '' }: RangeVar = {}): string => (schemaname === undefined ? relname : `${schemaname}.${relname}`);

/** What a statement makes; undefined for one that makes no table. */
export function readCreated(node: Node): string | undefined {
  if ('CreateStmt' in node) return toTableName(node.CreateStmt.relation);
  return 'CreateTableAsStmt' in node ? toTableName(node.CreateTableAsStmt.into?.rel) : undefined;
}

export const listCommands = (statements: readonly RawStmt[], transactions: readonly number[]): readonly TableCommand[] =>
  statements.flatMap(({ stmt }, index) => {
    if (stmt === undefined || !('AlterTableStmt' in stmt)) return [];
    const { relation, cmds = [] } = stmt.AlterTableStmt;
    return cmds.flatMap((cmd) => ('AlterTableCmd' in cmd ? [{ table: toTableName(relation), command: cmd.AlterTableCmd, transaction: transactions[index] ?? 0 }] : []));
  });

/**
 * Whether a SET NOT NULL finds its proof: a CHECK (column IS NOT NULL) that was added NOT VALID and validated before, so that nothing is scanned
 * while the table is locked, and that is dropped again after, so that no row is checked twice.
 */
export function hasProof(setting: AlterTableCmd, table: string, commands: readonly TableCommand[]): boolean {
  const ofTable = commands.filter((one) => one.table === table).map(({ command }) => command);
  const [before, after] = [ofTable.slice(0, ofTable.indexOf(setting)), ofTable.slice(ofTable.indexOf(setting))];
  return before.some((command, index) => {
    const constraint = readConstraint(command);
    const name = constraint?.conname;
    const isProof = name !== undefined && constraint?.skip_validation === true && readNotNull(constraint) === setting.name;
    return isProof && before.slice(index).some((next) => next.subtype === 'AT_ValidateConstraint' && next.name === name) && after.some((next) => next.subtype === 'AT_DropConstraint' && next.name === name);
  });
}

/** Whether a constraint is validated in the transaction that added it. */
export function isInOneTransaction(validating: AlterTableCmd, table: string, commands: readonly TableCommand[]): boolean {
  const transaction = commands.find(({ command }) => command === validating)?.transaction ?? 0;
  return transaction > 0 && commands.some((one) => one.transaction === transaction && one.table === table && validating.name !== undefined && readConstraint(one.command)?.conname === validating.name);
}

export const readConstraint = ({ subtype, def }: AlterTableCmd): Constraint | undefined =>
  subtype === 'AT_AddConstraint' && def !== undefined && 'Constraint' in def ? def.Constraint : undefined;

function readNotNull({ contype, raw_expr: expression }: Constraint): string | undefined {
  const test = contype === 'CONSTR_CHECK' && expression !== undefined && 'NullTest' in expression ? expression.NullTest : undefined;
  const isColumn = test?.nulltesttype === 'IS_NOT_NULL' && test.arg !== undefined && 'ColumnRef' in test.arg;
  return isColumn && test.arg !== undefined && 'ColumnRef' in test.arg ? readNames(test.arg.ColumnRef.fields).at(-1) : undefined;
}
