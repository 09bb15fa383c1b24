import { hasSqlDetails, parse } from 'libpg-query';
import type { Finding, ScriptValidation } from '../script-validation.js';
import { isDataChange, judgeDataChange } from './data-change.js';
import { judgeSessionControl } from './session-control.js';

// Far above any statement that is meant here, far below what would make the parser run out of stack.
const MAX_LENGTH = 2_000;

/** Judges SQL by rule over Postgres' own parse tree. What no rule allows is denied, and so is whatever cannot be read. */
export async function validateSql(text: string): Promise<ScriptValidation> {
  const denied = (findings: readonly Finding[]): ScriptValidation => ({ result: 'denied', findings });
  if (text.length > MAX_LENGTH) {
    return denied([{ rule: 'sql.size', position: 0, reason: `${text.length} characters are more than ${MAX_LENGTH}`, remedy: 'Write one short statement.' }]);
  }
  // A NUL would hide the rest from the parser, which reads a C string; look-alikes and direction marks would hide it from people.
  const strange = text.search(/[^\t\n\r\x20-\x7e]/);
  if (strange >= 0) {
    return denied([{ rule: 'sql.characters', position: strange + 1, reason: 'a character that is not plain ASCII', remedy: 'Write the statement in plain ASCII.' }]);
  }
  try {
    const tree = await parse(text);
    const [reach, findings] = isDataChange(tree) ? (['row', (await judgeDataChange(tree)).findings] as const) : (['session', await judgeSessionControl(tree)] as const);
    return findings.length === 0 ? { result: 'review', findings: [], reach } : denied(findings);
  } catch (error) {
    const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? -1) + 1 : 0;
    const reason = error instanceof Error ? error.message : 'the parser failed';
    return denied([{ rule: 'sql.syntax', position, reason: `Postgres cannot read it: ${reason}`, remedy: 'Correct the statement.' }]);
  }
}
