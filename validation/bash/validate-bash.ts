import { forEachChild } from 'unbash';
import type { ScriptValidation } from '../script-validation.js';
import { validateScript } from '../script/validate-script.js';
import { validateSqlText } from '../sql/validate-sql-text.js';
import { createNotes, deny, plus } from './notes.js';
import { readTree, secondOpinion } from './parse-bash.js';
import { fork, type Scope, type Shared } from './scope.js';
import { merge } from './variables.js';
import { isKnown } from './words.js';
import { walkNode, walkScript } from './walk-script.js';

/** Judges a bash script by what every command in it would do, on every way it may take. Nothing of it is run. */
export async function validateBash(text: string): Promise<ScriptValidation> {
  const seen = validateScript('bash', text);
  if (seen.result === 'denied') return seen;
  const notes = createNotes();
  const carriage = text.indexOf('\r');
  if (carriage >= 0) notes.add(carriage + 1, deny('lookalike', 'a carriage return, which hides what stands before it on a screen', 'End lines with a line feed only.'));
  const tree = readTree(text);
  if (!tree.ok) notes.add(tree.position, tree.objection);
  if (!tree.ok || carriage >= 0) return notes.settle();

  const shared: Shared = { notes, texts: [{ text, position: 0 }], sql: [], manifests: [], everSet: new Map(), later: [], budget: 0 };
  const scope: Scope = { shared, variables: new Map(), functions: new Map(), called: new Set(), calling: [], input: { kind: 'none' }, loops: 0, depth: 0, positionOf: (offset) => offset + 1 };
  walkScript(tree.script, scope);
  for (const later of shared.later.splice(0)) later();
  for (const [name, body] of scope.functions) {
    if (scope.called.has(name)) continue;
    const late = fork(scope, { calling: [name] });
    merge(late.variables, [shared.everSet]);
    if (body.body.type === 'CompoundList') forEachChild(body.body, () => undefined);
    else walkNode(body.body, late);
  }
  await askOthers(shared);
  return notes.settle();
}

/** What other validators say of the texts inside: each is as good as the worst of its parts. */
async function askOthers({ notes, texts, sql, manifests }: Shared): Promise<void> {
  const soFar = notes.settle();
  if (soFar.result === 'denied') return;
  for (const each of texts) {
    const objection = await secondOpinion(each.text);
    if (objection !== undefined) notes.add(each.position, objection);
  }
  for (const each of sql) {
    if (!isKnown(each.text)) notes.add(each.position, plus('sql', 'nothing in the text says which SQL this is in the end', 'Write the statement out.'));
    else take(await validateSqlText(each.text), each.position);
  }
  // The rules of manifests judge commands by these rules, so these cannot ask those.
  for (const each of manifests) notes.add(each.position, plus('manifest', 'what the manifest holds is not inspected here', 'Make it a step of its own.'));

  function take(validation: ScriptValidation, position: number): void {
    for (const finding of validation.findings) notes.add(position, (validation.result === 'denied' ? deny : plus)(finding.rule, finding.reason, finding.remedy));
  }
}
