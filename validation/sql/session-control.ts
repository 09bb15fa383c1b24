import { type FuncCall, type Node, parse, type ParseResult, type SelectStmt } from 'libpg-query';
import type { Finding } from '../script-validation.js';
import { refuse, toShape } from './refusal.js';

// Not `query`: the text of others' statements may hold secrets.
const columns =
  'pid datname usename application_name client_addr client_port backend_start xact_start query_start state_change wait_event_type wait_event state backend_type'.split(' ');
// Not pg_cancel_backend: repeated, it may hit a later statement, and whether it took hold cannot be seen.
const calls = ['pg_terminate_backend(pid)', 'pg_terminate_backend(pid, 0)'].flatMap((call) => [call, `pg_catalog.${call}`]);
const sources = ['pg_stat_activity', 'pg_catalog.pg_stat_activity'];
const pids = ['$1', '$1::int', '$1::int4'].map((value) => `pid = ${value}`);
const starts = ['$2', '$2::timestamptz', '$2::timestamp with time zone'].map((value) => `backend_start = ${value}`);
// Both halves are needed, so that a reused pid is never hit.
const conditions = pids.flatMap((pid) => starts.flatMap((start) => [`${pid} AND ${start}`, `${start} AND ${pid}`]));

const MAX_TIMEOUT_MS = 25_000;
const form = 'SELECT pid, pg_terminate_backend(pid, 5000) AS done FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2';

/**
 * Allows one plain SELECT over pg_stat_activity that ends exactly the session of `$1` and `$2`.
 * Each part must have the same tree as an allowed example, so that a node or field nobody thought of is never equal to one.
 */
export async function judgeSessionControl(tree: ParseResult): Promise<readonly Finding[]> {
  const select = readOnlySelect(tree);
  if (select === undefined) return [refuse('sql.oneSelect', tree.stmts, 'It is not exactly one SELECT, UPDATE, DELETE or INSERT.', `To end a session, write it as: ${form}`)];
  const allowed = await readExamples();
  const { targetList = [], fromClause, whereClause, ...rest } = select;
  const findings = targetList.filter((node) => !allowed.targets.has(toTargetShape(node))).map((node) => refuseTarget(node));
  const callCount = targetList.filter((node) => readCall(node) !== undefined).length;
  if (callCount !== 1) {
    findings.push(refuse('sql.oneCall', targetList, `It calls ${callCount} functions.`, 'Call pg_terminate_backend once.'));
  }
  if (!allowed.sources.has(toShape(fromClause))) {
    findings.push(refuse('sql.source', fromClause, 'It does not read FROM pg_stat_activity alone.', 'Name that view only, without an alias.'));
  }
  if (!allowed.conditions.has(toShape(whereClause))) {
    findings.push(refuse('sql.condition', whereClause, 'It does not aim at exactly one session.', 'Write WHERE pid = $1 AND backend_start = $2.'));
  }
  if (toShape(rest) !== allowed.rest) {
    findings.push(refuse('sql.clause', rest, 'It has clauses besides SELECT, FROM and WHERE.', 'Leave them out.'));
  }
  return findings;
}

interface Examples {
  readonly targets: ReadonlySet<string>;
  readonly sources: ReadonlySet<string>;
  readonly conditions: ReadonlySet<string>;
  readonly rest: string;
}

let examples: Promise<Examples> | undefined;
const readExamples = (): Promise<Examples> => (examples ??= parseExamples());

async function parseExamples(): Promise<Examples> {
  const shapes = async (texts: readonly string[], pick: (select: SelectStmt) => string): Promise<ReadonlySet<string>> =>
    new Set(await Promise.all(texts.map(async (text) => pick(await parseExample(text)))));
  const { targetList: _, fromClause: __, whereClause: ___, ...rest } = await parseExample(form);
  return {
    targets: await shapes([...columns, ...calls].map((target) => `SELECT ${target}`), (select) => (select.targetList ?? []).map(toTargetShape).join()),
    sources: await shapes(sources.map((source) => `SELECT FROM ${source}`), (select) => toShape(select.fromClause)),
    conditions: await shapes(conditions.map((condition) => `SELECT WHERE ${condition}`), (select) => toShape(select.whereClause)),
    rest: toShape(rest),
  };
}

async function parseExample(text: string): Promise<SelectStmt> {
  const select = readOnlySelect(await parse(text));
  if (select === undefined) throw new Error(`not an example: ${text}`);
  return select;
}

function readOnlySelect({ stmts = [] }: ParseResult): SelectStmt | undefined {
  const [only, ...more] = stmts;
  return more.length === 0 && only?.stmt !== undefined && 'SelectStmt' in only.stmt ? only.stmt.SelectStmt : undefined;
}

/** The shape of one output, whatever it is named and, where it calls with a timeout in reach, however long that is. */
function toTargetShape(node: Node): string {
  if (!('ResTarget' in node)) return toShape(node);
  const { name: _, ...target } = node.ResTarget;
  const call = readCall(node);
  return call === undefined ? toShape(target) : toShape({ ...target, val: { FuncCall: { ...call, args: call.args?.map(withoutTimeout) } } });
}

function readCall(node: Node): FuncCall | undefined {
  const value = 'ResTarget' in node ? node.ResTarget.val : undefined;
  return value !== undefined && 'FuncCall' in value ? value.FuncCall : undefined;
}

function withoutTimeout(argument: Node): Node {
  if (!('A_Const' in argument) || argument.A_Const.ival === undefined) return argument;
  const timeoutMs = argument.A_Const.ival.ival ?? 0;
  return timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS ? { A_Const: { ...argument.A_Const, ival: {} } } : argument;
}

const refuseTarget = (node: Node): Finding =>
  readCall(node) === undefined
    ? refuse('sql.column', node, 'It shows something other than a permitted column.', `Name columns out of: ${columns.join(', ')}.`)
    : refuse('sql.call', node, 'It calls something else, or in another way.', `Call pg_terminate_backend(pid), with at most ${MAX_TIMEOUT_MS} ms to wait.`);
