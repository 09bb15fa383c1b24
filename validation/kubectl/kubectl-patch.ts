import type { PatchOperation } from '../../domain/json-diff.js';
import type { Word } from '../command-line.js';
import { findString } from '../config-patch/json-text.js';
import { type PlacedOperation, readPatch, writePointer } from '../config-patch/json-patch.js';
import { toPlain } from '../config-patch/json-tree.js';
import { hiddenCharacter } from '../hidden-character.js';
import { type FieldRule, findWrongChange, showKeys } from '../kubernetes/field-rules.js';
import { judgeObjectPart } from '../kubernetes/judge-object-part.js';
import type { Finding } from '../script-validation.js';

export type OperationsReading = { readonly ok: true; readonly operations: readonly PatchOperation[] } | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads a JSON Patch that changes only what the rule of its kind allows. Positions are those of its own text. */
export function readOperations({ text }: Word, rule: FieldRule): OperationsReading {
  const patch = readPatch(text);
  if (!patch.ok) return { ok: false, findings: [patch.finding] };
  const escaped = findString(text, (decoded) => hiddenCharacter.test(decoded));
  if (escaped !== undefined) {
    return { ok: false, findings: [{ rule: 'patch.characters', position: escaped + 1, reason: 'a character that people cannot see, or that hides others', remedy: 'Leave it out, also where it is written as an escape.' }] };
  }
  if (patch.operations.every(({ operation }) => operation.op === 'test')) {
    return { ok: false, findings: [{ rule: 'patch.nothing', position: 0, reason: 'it changes nothing', remedy: 'Add an operation that changes something.' }] };
  }
  const read = patch.operations.map((placed) => toPatchOperation(placed, rule));
  const findings = read.flatMap((operation) => ('op' in operation ? [] : operation.findings));
  return findings.length === 0 ? { ok: true, operations: read.filter((operation) => 'op' in operation) } : { ok: false, findings };
}

function toPatchOperation({ operation, position }: PlacedOperation, rule: FieldRule): PatchOperation | { readonly findings: readonly Finding[] } {
  const path = writePointer(operation.path);
  switch (operation.op) {
    case 'move':
    case 'copy':
      return { findings: [{ rule: 'manifest.field', position, reason: `${operation.op} does not say what it writes`, remedy: 'Write it as add and remove, with the value.' }] };
    case 'test':
      // It changes nothing, wherever it looks.
      return { op: 'test', path, value: toPlain(operation.value) };
    case 'add':
    case 'replace':
    case 'remove': {
      const value = operation.op === 'remove' ? undefined : toPlain(operation.value);
      const wrong = findWrongChange(operation.path, value, rule).map((field) => ({ rule: 'manifest.field', ...field }));
      // Fields that may be set may still hold what no pod may have.
      const denied = wrong.length > 0 ? wrong : judgeObjectPart(operation.path, value ?? null).filter(({ result }) => result === 'denied');
      if (denied.length > 0) return { findings: denied.map(({ rule: told, keys, reason, remedy }) => ({ rule: told, position, reason: `${showKeys(keys)}: ${reason}`, remedy })) };
      return operation.op === 'remove' ? { op: 'remove', path } : { op: operation.op, path, value: toPlain(operation.value) };
    }
  }
}
