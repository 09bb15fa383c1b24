import { assertNever } from '../domain/assert-never.js';
import type { DraftStep } from '../domain/plan.js';
import { validateConfigPatch } from './config-patch/validate-config-patch.js';
import type { ScriptValidation } from './script-validation.js';
import { validateSql } from './sql/validate-sql.js';

/** Judges the script of a step by the rules of its type. */
export async function validateStep(step: DraftStep): Promise<ScriptValidation> {
  switch (step.type) {
    case 'sql':
      return validateSql(step.script);
    case 'config-patch':
      return validateConfigPatch(step);
    default:
      return assertNever(step.type);
  }
}
