import type { DraftStep } from '../../domain/plan.js';
import { hiddenCharacter } from '../hidden-character.js';
import type { Finding, ScriptValidation } from '../script-validation.js';

const MAX_BYTES = 65_536;

/** Judges a script by what people can see of it: not empty, not long, and no character that hides anything. What it does is for them to read. */
export function validateScript(type: Extract<DraftStep['type'], 'bash' | 'python'>, text: string): ScriptValidation {
  const finding = findInScript(type, text);
  return finding === undefined ? { result: 'review', findings: [], reach: 'host' } : { result: 'denied', findings: [finding] };
}

function findInScript(type: string, text: string): Finding | undefined {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MAX_BYTES) return { rule: 'script.size', position: 0, reason: `${bytes} bytes are more than ${MAX_BYTES}`, remedy: 'Write a shorter script, or several steps.' };
  if (!text.split('\n').some((line) => /^\s*[^\s#]/.test(line))) {
    return { rule: 'script.nothing', position: 0, reason: `it has no line that ${type} would run`, remedy: 'Write what it is to do.' };
  }
  const strange = text.search(hiddenCharacter);
  if (strange < 0) return undefined;
  return { rule: 'script.characters', position: strange + 1, reason: 'a character that people cannot see, or that hides others', remedy: 'Leave it out; where it is needed, write it as an escape.' };
}
