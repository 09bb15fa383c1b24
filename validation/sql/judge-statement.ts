import type { DefElem, Node } from 'libpg-query';
import type { Reach } from '../../domain/reach.js';
import { isPlainSetting, settableSettings } from './allowed-names.js';
import { readNames } from './constant.js';
import { judgeChanges } from './judge-change.js';
import { judgeType } from './judge-columns.js';
import { judgeParts } from './judge-query.js';
import { denySystem, judgeAlterTable, judgeCreateTable, judgeIndex, refuseInTransaction } from './judge-table.js';
import type { Place } from './place.js';
import type { Remarks } from './remarks.js';

/** Judges one statement, and says how wide its effect can be. A kind of statement that is not here is denied. */
export function judgeStatement(node: Node, place: Place, remarks: Remarks): Reach {
  if ('ExplainStmt' in node) return judgeExplain(node.ExplainStmt.query, node.ExplainStmt.options, place, remarks);
  const isKnown = judgeKind(node, place, remarks);
  if (!isKnown) {
    const tag = Object.keys(node)[0] ?? '';
    remarks.deny('sql.statement', undefined, known.get(tag) ?? `${tag} is a statement that no rule knows`, 'Write a SELECT, a change of named rows, an index, a column, a constraint or a VACUUM');
    return 'cluster';
  }
  judgeParts(node, remarks);
  judgeChanges(node, remarks);
  if (/"(Insert|Update|Delete)Stmt":/.test(JSON.stringify(node))) return 'row';
  return 'SelectStmt' in node || 'VariableSetStmt' in node || 'VariableShowStmt' in node || 'TransactionStmt' in node ? 'session' : 'workload';
}

/** What the statements that people try would do. None of them is denied for being here. */
const known: ReadonlyMap<string, string> = new Map([
  ['DoStmt', 'it runs code that is hidden in a text'],
  ['CreateFunctionStmt', 'it makes a function, whose code is hidden in a text'],
  ['CreateTrigStmt', 'it makes code run whenever a table changes'],
  ['CreateEventTrigStmt', 'it makes code run whenever a definition changes'],
  ['RuleStmt', 'it makes a statement do another one'],
  ['CreateExtensionStmt', 'it loads code into the server'],
  ['LoadStmt', 'it loads code into the server'],
  ['GrantStmt', 'it changes who may do what'],
  ['GrantRoleStmt', 'it changes who may do what'],
  ['AlterDefaultPrivilegesStmt', 'it changes who may do what'],
  ['CreatePolicyStmt', 'it changes who sees which rows'],
  ['CreateRoleStmt', 'it makes a role that can log in or own'],
  ['AlterRoleStmt', 'it changes what a role may do, or its password'],
  ['AlterRoleSetStmt', 'it changes what every later session of a role does'],
  ['AlterDatabaseSetStmt', 'it changes what every later session does'],
  ['AlterSystemStmt', 'it changes the configuration of the whole server'],
  ['DropRoleStmt', 'it drops a role and all that it may do'],
  ['DropdbStmt', 'it drops a database'],
  ['DropOwnedStmt', 'it drops all that a role owns'],
  ['MergeStmt', 'it inserts, changes and deletes in one statement'],
  ['PrepareStmt', 'it keeps a statement to be run later under a name'],
  ['ExecuteStmt', 'it runs a statement that is not here'],
  ['NotifyStmt', 'it tells others something that they may act on'],
]);

const readOptions = (options: readonly Node[] | undefined): readonly DefElem[] => (options ?? []).flatMap((option) => ('DefElem' in option ? [option.DefElem] : []));

/** Whether an option is there and not turned off. */
const isOn = (options: readonly Node[] | undefined, name: string): boolean =>
  readOptions(options).some(({ defname, arg }) => defname === name && !(arg !== undefined && (('String' in arg && /^(false|off|no|0)$/i.test(arg.String.sval ?? '')) || ('Integer' in arg && (arg.Integer.ival ?? 0) === 0) || ('Boolean' in arg && arg.Boolean.boolval !== true))));

function judgeExplain(query: Node | undefined, options: readonly Node[] | undefined, place: Place, remarks: Remarks): Reach {
  if (query === undefined || !('SelectStmt' in query || 'InsertStmt' in query || 'UpdateStmt' in query || 'DeleteStmt' in query)) {
    remarks.deny('sql.statement', query, 'it explains a statement that no rule allows', 'Explain a SELECT, INSERT, UPDATE or DELETE');
    return 'cluster';
  }
  if (isOn(options, 'analyze')) return judgeStatement(query, place, remarks);
  judgeParts(query, remarks);
  return 'session';
}

/** False for a statement that is none of these. */
function judgeKind(node: Node, place: Place, remarks: Remarks): boolean {
  if ('SelectStmt' in node || 'InsertStmt' in node || 'UpdateStmt' in node || 'DeleteStmt' in node || 'TransactionStmt' in node || 'ConstraintsSetStmt' in node || 'CheckPointStmt' in node) return true;
  if ('CreateStmt' in node) judgeCreateTable(node.CreateStmt, place, remarks);
  else if ('AlterTableStmt' in node) judgeAlterTable(node.AlterTableStmt, place, remarks);
  else if ('IndexStmt' in node) judgeIndex(node.IndexStmt, place, remarks);
  else return judgeSetting(node, remarks) || judgeMaintenance(node, place, remarks) || judgeDefinition(node, place, remarks);
  return true;
}

function judgeSetting(node: Node, remarks: Remarks): boolean {
  if ('VariableShowStmt' in node) {
    if (!isPlainSetting(node.VariableShowStmt.name ?? '')) remarks.deny('sql.setting', undefined, 'it shows a setting that may hold a secret', 'Name one of the plain settings of Postgres');
    return true;
  }
  if (!('VariableSetStmt' in node)) return false;
  const { kind, name = '' } = node.VariableSetStmt;
  const isTransaction = kind === 'VAR_SET_MULTI' && name === 'TRANSACTION';
  if (!isTransaction && (kind === 'VAR_SET_MULTI' || !settableSettings.has(name))) {
    remarks.deny('sql.setting', node, `${name === '' ? 'it' : name} is a setting that may change what statements mean or who they run as`, 'Set timeouts, memory or the planner');
  }
  return true;
}

function judgeMaintenance(node: Node, place: Place, remarks: Remarks): boolean {
  if ('VacuumStmt' in node) {
    const { options, rels, is_vacuumcmd: isVacuum } = node.VacuumStmt;
    if (isVacuum === true) refuseInTransaction(place, undefined, remarks);
    if (isOn(options, 'full')) remarks.warn('sql.lock', rels ?? options, 'nobody can read the table while it is written anew', 'Write VACUUM without FULL');
    if (isVacuum === true && rels === undefined) remarks.warn('sql.wide', undefined, 'it vacuums every table of the database', 'Name the tables');
  } else if ('ReindexStmt' in node) {
    const { kind, params, relation } = node.ReindexStmt;
    const isConcurrent = isOn(params, 'concurrently');
    const isNamed = kind === 'REINDEX_OBJECT_INDEX' || kind === 'REINDEX_OBJECT_TABLE';
    if (isConcurrent) refuseInTransaction(place, relation, remarks);
    if (kind === 'REINDEX_OBJECT_SYSTEM' || kind === 'REINDEX_OBJECT_DATABASE') remarks.deny('sql.wide', undefined, 'it builds every index of the database anew', 'Name the index or the table');
    else if (!isConcurrent) remarks.warn('sql.lock', relation, 'nobody can write while the index is built, and readers who need it wait', 'Write CONCURRENTLY');
    else if (!isNamed) remarks.warn('sql.wide', undefined, 'it builds every index of a schema anew', 'Name the index or the table');
  } else if ('RefreshMatViewStmt' in node) {
    const { concurrent, relation, skipData } = node.RefreshMatViewStmt;
    if (skipData === true) remarks.warn('sql.empty', relation, 'it empties the view, and reading it fails', 'Leave out WITH NO DATA');
    else if (concurrent !== true) remarks.warn('sql.lock', relation, 'nobody can read the view while it is filled', 'Write REFRESH MATERIALIZED VIEW CONCURRENTLY');
  } else if ('ClusterStmt' in node) {
    if (node.ClusterStmt.relation === undefined) remarks.deny('sql.wide', undefined, 'it writes every clustered table anew', 'Name the table');
    else remarks.warn('sql.lock', node.ClusterStmt.relation, 'nobody can read the table while it is written anew', 'Do it while nobody uses the table');
  } else if ('LockStmt' in node) {
    remarks.warn('sql.lock', node, 'it locks whole tables until the transaction ends', 'Lock the rows by SELECT … FOR UPDATE, or set lock_timeout');
  } else if ('TruncateStmt' in node) {
    const { relations = [], behavior } = node.TruncateStmt;
    for (const relation of relations) if ('RangeVar' in relation) denySystem(relation.RangeVar, remarks);
    if (behavior === 'DROP_CASCADE') remarks.deny('sql.cascade', relations, 'it empties every table that points at this one, unnamed', 'Leave CASCADE out, and name the tables');
    else remarks.warn('sql.truncate', relations, 'every row of the table is lost', 'Delete the rows that you mean, or keep a copy');
  } else if ('CallStmt' in node) {
    if (readNames(node.CallStmt.funccall?.funcname).length < 2) remarks.deny('sql.function', node, 'it calls a procedure without saying whose it is', 'Write its schema');
  } else if ('CopyStmt' in node) {
    const { is_from: isFrom, is_program: isProgram, filename, query, relation } = node.CopyStmt;
    if (isFrom === true || isProgram === true || filename !== undefined) remarks.deny('sql.copy', query ?? relation, 'it moves data between a table and a file or a program', 'Write COPY (SELECT …) TO STDOUT, or INSERT … VALUES');
  } else return false;
  return true;
}

const renamedQuietly = new Set(['OBJECT_INDEX', 'OBJECT_TABCONSTRAINT', 'OBJECT_DOMCONSTRAINT', 'OBJECT_DOMAIN']);
const renamedLoudly = new Set(['OBJECT_TABLE', 'OBJECT_COLUMN', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE', 'OBJECT_TYPE', 'OBJECT_ATTRIBUTE']);
const droppedNamed = new Set(['OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE', 'OBJECT_TYPE', 'OBJECT_DOMAIN', 'OBJECT_STATISTIC_EXT']);
const commentable = new Set(['OBJECT_TABLE', 'OBJECT_COLUMN', 'OBJECT_INDEX', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE', 'OBJECT_TABCONSTRAINT', 'OBJECT_TYPE', 'OBJECT_SCHEMA']);

function judgeDefinition(node: Node, place: Place, remarks: Remarks): boolean {
  const denyKind = (reason: string, remedy: string): void => remarks.deny('sql.statement', node, reason, remedy);
  if ('CreateTableAsStmt' in node) {
    const { into } = node.CreateTableAsStmt;
    const isTemporary = into?.rel?.relpersistence === 't';
    if (!isTemporary && into?.rel?.schemaname === undefined) remarks.warn('sql.schema', into?.rel, 'where it comes to lie depends on the session that runs it', 'Write the schema before the name');
  } else if ('DropStmt' in node) {
    const { removeType = '', behavior, concurrent } = node.DropStmt;
    if (behavior === 'DROP_CASCADE') remarks.deny('sql.cascade', undefined, 'it drops whatever depends on it, unnamed', 'Leave CASCADE out, and drop what depends on it by name');
    else if (removeType === 'OBJECT_INDEX' && concurrent === true) refuseInTransaction(place, undefined, remarks);
    else if (removeType === 'OBJECT_INDEX') remarks.warn('sql.index', undefined, 'nobody can read or write the table until the index is gone, and it waits for all who do', 'Write DROP INDEX CONCURRENTLY');
    else if (droppedNamed.has(removeType)) remarks.warn('sql.drop', undefined, 'those who still use it fail', 'See that nobody uses it, and keep its definition');
    else remarks.deny('sql.drop', undefined, 'what it drops cannot be brought back', 'Rename it, and drop it by hand when nobody missed it');
  } else if ('RenameStmt' in node) {
    const { renameType = '', relation } = node.RenameStmt;
    denySystem(relation, remarks);
    if (renamedLoudly.has(renameType)) remarks.warn('sql.rename', relation, 'those who use the old name fail at once', 'Add the new one beside the old, and drop the old when nobody uses it');
    else if (!renamedQuietly.has(renameType)) denyKind('it renames something that is no table, index or constraint', 'Rename by hand');
  } else if ('AlterObjectSchemaStmt' in node) {
    const { objectType, relation } = node.AlterObjectSchemaStmt;
    denySystem(relation, remarks);
    if (objectType === 'OBJECT_TABLE' || objectType === 'OBJECT_VIEW' || objectType === 'OBJECT_TYPE' || objectType === 'OBJECT_SEQUENCE') remarks.warn('sql.rename', relation, 'those who use it by its old schema fail at once', 'Make a view of the old name');
    else if (objectType !== 'OBJECT_DOMAIN') denyKind('it moves something that is no table, type or domain', 'Move it by hand');
  } else if ('AlterOwnerStmt' in node) {
    // Who owns a domain may change what it accepts, and reads no row by that.
    if (node.AlterOwnerStmt.objectType !== 'OBJECT_DOMAIN' || node.AlterOwnerStmt.newowner?.roletype !== 'ROLESPEC_CSTRING') denyKind('it gives what somebody owns to another', 'Leave owners as they are');
  } else if ('AlterEnumStmt' in node) {
    const { oldVal, newValNeighbor } = node.AlterEnumStmt;
    if (oldVal !== undefined) remarks.warn('sql.rename', undefined, 'those who use the old value fail at once', 'Add the new value beside the old');
    else if (newValNeighbor === undefined) remarks.warn('sql.enum', undefined, 'a value cannot be taken away again, and it comes last in every order', 'Say where by BEFORE or AFTER');
  } else if ('CreateDomainStmt' in node) {
    judgeType(node.CreateDomainStmt.typeName, remarks);
    if ((node.CreateDomainStmt.constraints ?? []).length > 0) remarks.warn('sql.domain', node, 'whoever changes the constraint later has every table with this type read under a lock', 'Put the constraint on the table');
  } else if ('AlterDomainStmt' in node) {
    const { subtype, behavior, def } = node.AlterDomainStmt;
    if (behavior === 'DROP_CASCADE') denyKind('it drops whatever depends on it, unnamed', 'Leave CASCADE out');
    else if (subtype === 'C') remarks.warn('sql.domain', def, 'every table with this type is read under a lock', 'Put the constraint on the tables, NOT VALID, and validate it');
  } else if ('AlterSeqStmt' in node) {
    if (readOptions(node.AlterSeqStmt.options).some(({ defname }) => defname === 'restart')) remarks.warn('sql.serverState', node.AlterSeqStmt.options, 'it sets which number the sequence gives next, and numbers that are taken may come again', 'Restart it above the highest number that is used');
  } else if ('CommentStmt' in node) {
    if (!commentable.has(node.CommentStmt.objtype ?? '')) denyKind('it comments on something that is no table, column or index', 'Comment on those');
  } else return 'ViewStmt' in node || 'CreateEnumStmt' in node || 'CompositeTypeStmt' in node || 'CreateSeqStmt' in node || 'CreateSchemaStmt' in node || 'CreateStatsStmt' in node;
  return true;
}
