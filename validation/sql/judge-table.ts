import type { AlterTableCmd, AlterTableStmt, CreateStmt, DefElem, IndexStmt } from 'libpg-query';
import { isSystemName } from './allowed-names.js';
import { judgeNewColumn, judgeNewConstraint, judgeType, readConstraints } from './judge-columns.js';
import { hasProof, isInOneTransaction, type Place, readConstraint, toTableName } from './place.js';
import type { Remarks } from './remarks.js';

/** A table that begins: nothing waits for it, so only its types and what it points at count. */
export function judgeCreateTable({ relation, tableElts = [], constraints = [], inhRelations, partbound, options }: CreateStmt, place: Place, remarks: Remarks): void {
  denySystem(relation, remarks);
  judgeOptions(options, remarks);
  if (inhRelations !== undefined && partbound === undefined) remarks.warn('sql.inherit', relation, 'whoever reads the parent table reads this one, too', 'Make it a partition, or a table of its own');
  const columns = tableElts.flatMap((element) => ('ColumnDef' in element ? [element.ColumnDef] : []));
  for (const { typeName } of columns) judgeType(typeName, remarks);
  const all = [...readConstraints(constraints), ...readConstraints(tableElts), ...columns.flatMap((column) => readConstraints(column.constraints))];
  const targets = all.filter(({ contype, pktable }) => contype === 'CONSTR_FOREIGN' && !place.created.has(toTableName(pktable)) && toTableName(pktable) !== toTableName(relation));
  for (const constraint of targets) remarks.warn('sql.validate', constraint, `it locks ${toTableName(constraint.pktable)} against writes for a moment, and waits for all that write to it`, 'Add the foreign key NOT VALID in a statement of its own');
}

/** Tunes how a table is kept; nothing else is an option. */
function judgeOptions(options: CreateStmt['options'], remarks: Remarks): void {
  for (const option of listOptions(options)) {
    if (!/^(toast\.)?(autovacuum_\w+|fillfactor|parallel_workers|log_autovacuum_min_duration|toast_tuple_target|vacuum_truncate|vacuum_index_cleanup|fastupdate|pages_per_range|deduplicate_items|buffering|gin_pending_list_limit)$/.test(option.defname ?? '')) {
      remarks.deny('sql.option', option, `${option.defname ?? 'it'} is an option that no rule knows`, 'Set how it is vacuumed, filled or read');
    }
  }
}

const listOptions = (options: CreateStmt['options']): readonly DefElem[] => (options ?? []).flatMap((option) => ('DefElem' in option ? [option.DefElem] : []));

export const denySystem = (relation: CreateStmt['relation'], remarks: Remarks): void => {
  if (isSystemName(relation?.schemaname ?? '', relation?.relname ?? '')) remarks.deny('sql.catalogChange', relation, "it changes Postgres' own tables", 'Name a table of your own');
};

/** An index on a table in use is built beside the work, or it stops all writes. */
export function judgeIndex({ relation, concurrent, options }: IndexStmt, place: Place, remarks: Remarks): void {
  denySystem(relation, remarks);
  judgeOptions(options, remarks);
  if (concurrent === true) return refuseInTransaction(place, relation, remarks);
  if (place.created.has(toTableName(relation))) return undefined;
  return remarks.warn('sql.index', relation, 'nobody can write to the table while the index is built', 'Write CREATE INDEX CONCURRENTLY');
}

/** What must be by itself fails inside of a transaction. */
export function refuseInTransaction({ transaction }: Place, node: unknown, remarks: Remarks): void {
  if (transaction > 0) remarks.warn('sql.insideTransaction', node, 'Postgres refuses this inside of a transaction', 'Write it after COMMIT, or without BEGIN');
}

export function judgeAlterTable(statement: AlterTableStmt, place: Place, remarks: Remarks): void {
  const { relation, cmds = [] } = statement;
  denySystem(relation, remarks);
  const isNew = place.created.has(toTableName(relation));
  for (const cmd of cmds) if ('AlterTableCmd' in cmd) judgeCommand(cmd.AlterTableCmd, isNew, statement, place, remarks);
}

function judgeCommand(command: AlterTableCmd, isNew: boolean, { objtype, relation }: AlterTableStmt, place: Place, remarks: Remarks): void {
  const { subtype, def, behavior, name = '' } = command;
  const node = def ?? relation;
  const warn = (rule: string, reason: string, remedy: string): void => {
    if (!isNew) remarks.warn(rule, node, reason, remedy);
  };
  if (behavior === 'DROP_CASCADE') return remarks.deny('sql.cascade', node, 'it drops whatever depends on it, unnamed', 'Leave CASCADE out, and drop what depends on it by name');
  const kind: string = subtype ?? '';
  switch (kind) {
    case 'AT_ColumnDefault':
    case 'AT_DropConstraint':
    case 'AT_SetStatistics':
    case 'AT_DropExpression':
    case 'AT_SetOptions':
    case 'AT_ResetOptions':
      return undefined;
    case 'AT_ValidateConstraint':
      return isInOneTransaction(command, toTableName(relation), place.commands) ? warn('sql.validate', `the lock of adding ${name} is held while the whole table is read`, 'Commit between adding a constraint and validating it') : undefined;
    case 'AT_EnableRowSecurity':
    case 'AT_ForceRowSecurity':
      return warn('sql.contract', 'rows that no policy shows are gone for those who read the table', 'See that there is a policy for every reader');
    case 'AT_SetRelOptions':
    case 'AT_ResetRelOptions':
      return judgeOptions(def !== undefined && 'List' in def ? def.List.items : undefined, remarks);
    case 'AT_AddColumn':
      if (def === undefined || !('ColumnDef' in def)) return undefined;
      return isNew || objtype === 'OBJECT_TYPE' ? judgeType(def.ColumnDef.typeName, remarks) : judgeNewColumn(def.ColumnDef, remarks);
    case 'AT_AddConstraint': {
      const constraint = readConstraint(command);
      if (constraint !== undefined && !isNew) judgeNewConstraint(constraint, remarks);
      return undefined;
    }
    case 'AT_AlterColumnType':
      if (def !== undefined && 'ColumnDef' in def) judgeType(def.ColumnDef.typeName, remarks);
      return warn('sql.rewrite', `the type of ${name} changes, so the whole table is written anew while nobody can read it`, 'Add a column of the new type, fill it in batches, and read it then');
    case 'AT_SetNotNull':
      return hasProof(command, toTableName(relation), place.commands) ? undefined : warn('sql.required', `nothing here shows that ${name} is never null, so the whole table is read while nobody can use it`, 'Add a CHECK (column IS NOT NULL) NOT VALID, validate it, set NOT NULL, and drop the CHECK');
    case 'AT_DropNotNull':
      return warn('sql.contract', `${name} may be null from now on, and those who read it may not expect that`, 'See that every reader takes null');
    case 'AT_DropColumn':
      return remarks.warn('sql.dropColumn', node, `what is in ${name} is lost, and those who still read it fail`, 'See that nobody reads it, and keep a copy');
    case 'AT_AddIdentity':
    case 'AT_SetIdentity':
    case 'AT_DropIdentity':
    case 'AT_ReplicaIdentity':
    case 'AT_SetStorage':
    case 'AT_SetCompression':
      return warn('sql.contract', 'how its rows are filled, kept or replicated changes for all that write', 'See that every writer takes it');
    case 'AT_SetLogged':
    case 'AT_SetUnLogged':
    case 'AT_SetAccessMethod':
    case 'AT_SetTableSpace':
      return warn('sql.rewrite', 'the whole table is written anew while nobody can read it', 'Do it while nobody uses the table');
    case 'AT_AttachPartition':
      return warn('sql.validate', 'it may look through the whole partition while that is locked', 'Add a CHECK that matches the bounds before, and validate it');
    case 'AT_DetachPartition':
      return def !== undefined && 'PartitionCmd' in def && def.PartitionCmd.concurrent === true
        ? refuseInTransaction(place, node, remarks)
        : warn('sql.lock', 'nobody can read the table until it is done', 'Write DETACH PARTITION … CONCURRENTLY');
    default:
      return remarks.deny('sql.alter', node, 'it changes a table in a way that no rule allows, such as who owns it, or what guards its rows', 'Change columns, defaults, constraints or how it is vacuumed');
  }
}
