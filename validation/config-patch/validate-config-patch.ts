import type { DraftStep } from '../../domain/plan.js';
import { hiddenCharacter } from '../hidden-character.js';
import type { Finding, ScriptValidation } from '../script-validation.js';
import { findString } from './json-text.js';
import { type PlacedOperation, readPatch, writePointer } from './json-patch.js';

// A hundred operations with large values; far below what a person could review.
const MAX_LENGTH = 65_536;

/** Judges a JSON Patch (RFC 6902) by rule: small, plain text, and each value that it changes or takes away tested before. */
export function validateConfigPatch({ script, parameters }: Pick<DraftStep, 'script' | 'parameters'>): ScriptValidation {
  const [finding, ...more] = findInPatch(script, parameters);
  return finding === undefined ? { result: 'review', findings: [], reach: 'file' } : { result: 'denied', findings: [finding, ...more] };
}

function findInPatch(text: string, parameters: readonly string[]): readonly Finding[] {
  if (parameters.length > 0) return [{ rule: 'patch.parameters', position: 0, reason: 'a patch has no parameters', remedy: 'Write the values into the operations.' }];
  if (text.length > MAX_LENGTH) {
    return [{ rule: 'patch.size', position: 0, reason: `${text.length} characters are more than ${MAX_LENGTH}`, remedy: 'Change less at once.' }];
  }
  const strange = text.search(hiddenCharacter);
  if (strange >= 0) return [refuseCharacter(strange)];
  const patch = readPatch(text);
  if (!patch.ok) return [patch.finding];
  // An escape is seen in the patch and not in the file.
  const escaped = findString(text, (decoded) => hiddenCharacter.test(decoded));
  if (escaped !== undefined) return [refuseCharacter(escaped)];
  if (patch.operations.every(({ operation }) => operation.op === 'test')) {
    return [{ rule: 'patch.nothing', position: 0, reason: 'it changes nothing', remedy: 'Add an operation that changes something.' }];
  }
  return patch.operations.flatMap(findUntested);
}

const refuseCharacter = (offset: number): Finding => ({
  rule: 'patch.characters',
  position: offset + 1,
  reason: 'a character that people cannot see, or that hides others',
  remedy: 'Leave it out, also where it is written as an escape.',
});

/** What was there must be tested first; what is new needs no test. */
function findUntested({ operation, position }: PlacedOperation): readonly Finding[] {
  const refuse = (pointer: readonly string[]): readonly Finding[] => {
    const place = JSON.stringify(writePointer(pointer));
    return [{ rule: 'patch.test', position, reason: `${operation.op} changes ${place}, and nothing says what was there`, remedy: `Put {"op":"test","path":${place},"value":…} before it.` }];
  };
  switch (operation.op) {
    case 'replace':
    case 'remove':
      return operation.isTested ? [] : refuse(operation.path);
    case 'move':
      return operation.isFromTested ? [] : refuse(operation.from);
    case 'add':
    case 'copy':
    case 'test':
      return [];
  }
}
