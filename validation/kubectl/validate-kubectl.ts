import { toReach } from '../kubernetes/kinds.js';
import type { ScriptValidation } from '../script-validation.js';
import { readKubectl } from './kubectl-command.js';

/** Judges a command line of kubectl by rule: a few verbs on one named object, with nothing left open until it runs. */
export function validateKubectl(text: string): ScriptValidation {
  const reading = readKubectl(text);
  return reading.ok ? { result: 'review', findings: [], reach: toReach(reading.command.ref.kind) } : { result: 'denied', findings: reading.findings };
}
