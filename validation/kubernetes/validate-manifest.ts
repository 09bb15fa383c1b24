import type { ScriptValidation } from '../script-validation.js';
import { toReach } from './kinds.js';
import { readManifest } from './manifest.js';

/** Judges a manifest by rule: one object of a known kind, and only fields that repairs are made of. */
export function validateManifest(text: string): ScriptValidation {
  const reading = readManifest(text);
  return reading.ok ? { result: 'review', findings: [], reach: toReach(reading.ref.kind) } : { result: 'denied', findings: reading.findings };
}
