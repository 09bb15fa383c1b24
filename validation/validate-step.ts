import { assertNever } from '../domain/assert-never.js';
import type { DraftStep } from '../domain/plan.js';
import { validateCommand } from './command/validate-command.js';
import { validateConfigPatch } from './config-patch/validate-config-patch.js';
import { validateKubectl } from './kubectl/validate-kubectl.js';
import { validateManifest } from './kubernetes/validate-manifest.js';
import type { ScriptValidation } from './script-validation.js';
import { validateSql } from './sql/validate-sql.js';
import { type Parsers, validateText } from './validate-text.js';

/** Judges the script of a step: by what its language says it does, and by what the executor of its type takes. */
export async function validateStep(step: DraftStep, parsers: Parsers): Promise<ScriptValidation> {
  switch (step.type) {
    case 'sql':
      return validateSql(step.script);
    case 'config-patch':
      return validateConfigPatch(step);
    case 'kubernetes':
      return validateManifest(step.script);
    case 'kubectl':
      return validateKubectl(step.script);
    case 'command':
      return validateCommand(step.script);
    case 'bash':
    case 'python':
      return validateText(step.type, step.script, parsers);
    default:
      return assertNever(step.type);
  }
}
