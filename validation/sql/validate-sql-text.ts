import { hasSqlDetails, parse } from 'libpg-query';
import { type Reach, reaches } from '../../domain/reach.js';
import { hiddenCharacter } from '../hidden-character.js';
import { type Finding, MAX_FINDINGS, type ScriptValidation } from '../script-validation.js';
import { judgeStatement } from './judge-statement.js';
import { listCommands, readCreated } from './place.js';
import { createRemarks } from './remarks.js';
import { judgeTransactions } from './transactions.js';
import { isTooLarge } from './tree.js';

// Far above what people write for one repair, below what makes the parser run out of stack.
const MAX_LENGTH = 20_000;
const MAX_NESTING = 100;
const MAX_STATEMENTS = 100;

/**
 * Judges any SQL for Postgres by what each of its statements does, over Postgres' own parse tree.
 * The worst statement decides; what no rule knows is denied, and so is whatever cannot be read.
 */
export async function validateSqlText(text: string): Promise<ScriptValidation> {
  const refusal = refuseText(text);
  if (refusal !== undefined) return { result: 'denied', findings: [refusal] };
  try {
    return await judgeText(text);
  } catch (error) {
    const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? -1) + 1 : 0;
    const message = error instanceof Error ? error.message : 'the parser failed';
    return { result: 'denied', findings: [{ rule: 'sql.syntax', position, reason: `Postgres cannot read it: ${message}`, remedy: 'Correct the statement; commands of psql, which begin with a backslash, are no SQL' }] };
  }
}

function refuseText(text: string): Finding | undefined {
  if (text.length > MAX_LENGTH) return { rule: 'sql.size', position: 0, reason: `${text.length} characters are more than ${MAX_LENGTH}`, remedy: 'Change less at once' };
  const hidden = text.search(hiddenCharacter);
  if (hidden >= 0) return { rule: 'sql.characters', position: hidden + 1, reason: 'a character that people cannot see, or that hides others', remedy: 'Leave it out' };
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[()[\]]/g)) {
    depth += bracket === '(' || bracket === '[' ? 1 : -1;
    if (depth > MAX_NESTING) return { rule: 'sql.size', position: index + 1, reason: `it nests deeper than ${MAX_NESTING}`, remedy: 'Write it flatter' };
  }
  return undefined;
}

async function judgeText(text: string): Promise<ScriptValidation> {
  const tree = await parse(text);
  const statements = tree.stmts ?? [];
  const whole = (rule: string, reason: string, remedy: string): ScriptValidation => ({ result: 'denied', findings: [{ rule, position: 0, reason, remedy }] });
  if (statements.length === 0) return whole('sql.nothing', 'it has no statement', 'Write one');
  if (statements.length > MAX_STATEMENTS || isTooLarge(tree)) return whole('sql.size', 'it has more parts than anybody could review', 'Change less at once');
  const { remarksAt, collected } = createRemarks(text);
  const transactions = judgeTransactions(statements, remarksAt);
  const commands = listCommands(statements, transactions);
  const created = new Set<string>();
  const reached: Reach[] = [];
  for (const [index, { stmt, stmt_location: at = 0 }] of statements.entries()) {
    if (stmt === undefined) continue;
    reached.push(judgeStatement(stmt, { transaction: transactions[index] ?? 0, created, commands }, remarksAt(at)));
    const table = readCreated(stmt);
    if (table !== undefined) created.add(table);
  }
  if (collected.denied.length > 0) return { result: 'denied', findings: collected.denied.slice(0, MAX_FINDINGS) };
  const reach = reaches.findLast((one) => reached.includes(one)) ?? 'cluster';
  const [first, ...more] = collected.warned.slice(0, MAX_FINDINGS);
  return first === undefined ? { result: 'review', findings: [], reach } : { result: 'review_plus', findings: [first, ...more], reach };
}
