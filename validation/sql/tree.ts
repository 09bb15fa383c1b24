import type { Node } from 'libpg-query';
import { hiddenCharacter } from '../hidden-character.js';
import type { Remarks } from './remarks.js';

/** Called for each node, the ones that it is part of before it, the nearest last. */
export type Visit = (node: Node, within: readonly Node[]) => void;

// Each line is a node and the fields it may have: `a` is a plain value, `a*` a node or a list of them, `a:T` a T that is not marked as one.
const grammar = `
SelectStmt distinctClause* targetList* fromClause* whereClause* groupClause* groupDistinct havingClause* windowClause* valuesLists* sortClause* limitOffset* limitCount* limitOption lockingClause* withClause:WithClause op all larg:SelectStmt rarg:SelectStmt
WithClause ctes* recursive location
CommonTableExpr ctename aliascolnames* ctematerialized ctequery* location
ResTarget name indirection* val* location
ColumnRef fields* location
ParamRef number location
A_Const ival sval fval boolval bsval isnull location
A_Expr kind name* lexpr* rexpr* location rexpr_list_start rexpr_list_end
BoolExpr boolop args* location
NullTest arg* nulltesttype location
BooleanTest arg* booltesttype location
TypeCast arg* typeName:TypeName location
TypeName names* typmods* typemod arrayBounds* location
FuncCall funcname* args* agg_order* agg_filter* over:WindowDef agg_within_group agg_star agg_distinct func_variadic funcformat location
NamedArgExpr name arg* argnumber location
WindowDef name refname partitionClause* orderClause* frameOptions startOffset* endOffset* location
SubLink subLinkType testexpr* operName* subselect* location
CaseExpr arg* args* defresult* location
CaseWhen expr* result* location
CoalesceExpr args* location
MinMaxExpr op args* location
A_ArrayExpr elements* location list_start list_end
A_Indices is_slice lidx* uidx*
A_Indirection arg* indirection*
A_Star
RowExpr args* row_format location
List items*
SortBy node* sortby_dir sortby_nulls location
CollateClause arg* collname* location
SQLValueFunction op typmod location
SetToDefault location
MultiAssignRef source* colno ncolumns
GroupingSet kind content* location
GroupingFunc args* location
RangeVar schemaname relname inh relpersistence alias:Alias location
Alias aliasname colnames*
RangeSubselect lateral subquery* alias:Alias
RangeFunction lateral ordinality is_rowsfrom functions* alias:Alias coldeflist*
RangeTableSample relation* method* args* repeatable* location
JoinExpr jointype isNatural larg* rarg* usingClause* quals* alias:Alias
LockingClause lockedRels* strength waitPolicy
String sval
Integer ival
Float fval
Boolean boolval
InsertStmt relation:RangeVar cols* selectStmt* onConflictClause:OnConflictClause returningClause:ReturningClause withClause:WithClause override
UpdateStmt relation:RangeVar targetList* whereClause* fromClause* returningClause:ReturningClause withClause:WithClause
DeleteStmt relation:RangeVar usingClause* whereClause* returningClause:ReturningClause withClause:WithClause
ReturningClause exprs*
OnConflictClause action infer:InferClause targetList* whereClause* location
InferClause indexElems* whereClause* conname location
IndexElem name expr* collation* opclass* ordering nulls_ordering
ExplainStmt query* options*
DefElem defname arg* defaction location
TransactionStmt kind options* savepoint_name chain location
VariableSetStmt kind name args* is_local location
VariableShowStmt name
ConstraintsSetStmt constraints* deferred
VacuumStmt options* rels* is_vacuumcmd
VacuumRelation relation:RangeVar va_cols*
ReindexStmt kind relation:RangeVar name params*
ClusterStmt relation:RangeVar indexname params*
RefreshMatViewStmt concurrent skipData relation:RangeVar
CheckPointStmt
LockStmt relations* mode nowait
TruncateStmt relations* restart_seqs behavior
CallStmt funccall:FuncCall
CopyStmt relation:RangeVar query* attlist* options* is_from is_program filename
CreateStmt relation:RangeVar tableElts* partbound:PartitionBoundSpec partspec:PartitionSpec inhRelations* constraints* nnconstraints* options* oncommit if_not_exists
PartitionBoundSpec strategy is_default modulus remainder listdatums* lowerdatums* upperdatums* location
PartitionSpec strategy partParams* location
PartitionElem name expr* location
PartitionCmd name:RangeVar bound:PartitionBoundSpec concurrent
TableLikeClause relation:RangeVar options
ColumnDef colname typeName:TypeName is_local collClause:CollateClause constraints* raw_default* location
Constraint contype conname deferrable initdeferred is_enforced skip_validation initially_valid raw_expr* generated_when generated_kind nulls_not_distinct keys* including* exclusions* options* indexname access_method where_clause* pktable:RangeVar fk_attrs* pk_attrs* fk_matchtype fk_upd_action fk_del_action is_no_inherit location
CreateTableAsStmt query* into:IntoClause objtype if_not_exists
IntoClause rel:RangeVar colNames* options* onCommit skipData
ViewStmt view:RangeVar aliases* query* replace options* withCheckOption
IndexStmt idxname relation:RangeVar accessMethod indexParams* indexIncludingParams* options* whereClause* unique nulls_not_distinct concurrent if_not_exists
CreateStatsStmt defnames* stat_types* exprs* relations* if_not_exists
StatsElem name expr*
CreateSchemaStmt schemaname if_not_exists
CreateSeqStmt sequence:RangeVar options* if_not_exists
AlterSeqStmt sequence:RangeVar options* missing_ok
CreateEnumStmt typeName* vals*
CompositeTypeStmt typevar:RangeVar coldeflist*
AlterEnumStmt typeName* oldVal newVal newValNeighbor newValIsAfter skipIfNewValExists
CreateDomainStmt domainname* typeName:TypeName collClause:CollateClause constraints*
AlterDomainStmt subtype typeName* name def* behavior missing_ok
AlterTableStmt relation:RangeVar cmds* objtype missing_ok
AlterTableCmd subtype name num def* behavior missing_ok
ReplicaIdentityStmt identity_type name
RenameStmt renameType relationType relation:RangeVar object* subname newname behavior missing_ok
AlterObjectSchemaStmt objectType relation:RangeVar object* newschema missing_ok
AlterOwnerStmt objectType object* newowner:RoleSpec
RoleSpec roletype rolename location
DropStmt objects* removeType behavior missing_ok concurrent
CommentStmt objtype object* comment`;

const fieldsOf = new Map(
  grammar.trim().split('\n').map((line) => {
    const [tag = '', ...fields] = line.split(' ');
    return [tag, new Map(fields.map((field) => [/^\w+/.exec(field)?.[0] ?? '', /\W\w*$/.exec(field)?.[0] ?? '']))] as const;
  }),
);

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
/** Whether it is marked with what it is, as the parser does. */
const isNode = (value: unknown): value is Node => isFields(value) && Object.keys(value).length === 1 && /^[A-Z]/.test(Object.keys(value)[0] ?? '');

const MAX_NODES = 20_000;
const MAX_DEPTH = 200;

/** Whether a tree is small and flat enough to be judged. */
export function isTooLarge(tree: unknown): boolean {
  let nodes = 0;
  const measure = (value: unknown, depth: number): boolean => {
    if (typeof value !== 'object' || value === null) return false;
    nodes += 1;
    return nodes > MAX_NODES || depth > MAX_DEPTH * 4 || Object.values(value).some((child) => measure(child, depth + 1));
  };
  return measure(tree, 0);
}

/** Visits every node of a tree. A node or a field that no line of the grammar names is denied: nobody judged what it does. */
export function walk(root: Node, remarks: Remarks, visit: Visit): void {
  const unknown = (node: unknown, what: string): void =>
    remarks.deny('sql.unknown', node, `it uses ${what}, which no rule knows`, 'Write it with plain statements, clauses and expressions');
  const descend = (node: Node, within: readonly Node[]): void => {
    const [[tag, content] = ['', {}]] = Object.entries(node);
    const known = fieldsOf.get(tag);
    if (known === undefined || !isFields(content) || within.length > MAX_DEPTH) return unknown(node, tag);
    visit(node, within);
    for (const [field, value] of Object.entries(content)) {
      const kind = known.get(field);
      if (kind === undefined) unknown(node, `${field} of ${tag}`);
      else if (kind === '') judgeText(node, field, value, remarks);
      else if (kind === '*') for (const child of Array.isArray(value) ? value : [value]) descendInto(child, [...within, node]);
      else descendInto({ [kind.slice(1)]: value }, [...within, node]);
    }
  };
  const descendInto = (child: unknown, within: readonly Node[]): void => {
    // What may be left out in a list is an empty object.
    if (isFields(child) && Object.keys(child).length === 0) return;
    if (isNode(child)) descend(child, within);
    else unknown(within.at(-1), 'something that is no node');
  };
  descend(root, []);
}

/** Text of people may have any letter; names and words only those that cannot be mistaken. */
function judgeText(node: Node, field: string, value: unknown, remarks: Remarks): void {
  const texts = typeof value === 'string' ? [value] : isFields(value) ? Object.values(value).filter((part) => typeof part === 'string') : [];
  const isLiteral = 'A_Const' in node || field === 'comment';
  if (texts.some((text) => (isLiteral ? hiddenCharacter.test(text) : /[^\x20-\x7e]/.test(text)))) {
    remarks.deny('sql.characters', node, isLiteral ? 'a text holds a character that people cannot see' : 'a name holds a character that is not plain ASCII', 'Write names in plain ASCII, and texts in characters that can be seen');
  }
}
