import { assertNever } from '../domain/assert-never.js';
import type { DraftStep } from '../domain/plan.js';
import { validateCommand } from './command/validate-command.js';
import { validateConfigPatch } from './config-patch/validate-config-patch.js';
import { validateKubectl } from './kubectl/validate-kubectl.js';
import { validateManifest } from './kubernetes/validate-manifest.js';
import type { ScriptValidation } from './script-validation.js';
import { validateScript } from './script/validate-script.js';
import { validateSql } from './sql/validate-sql.js';

/** Judges the script of a step by what the executor of its type takes. */
export async function validateStep(step: DraftStep): Promise<ScriptValidation> {
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
      return validateScript(step.type, step.script);
    default:
      return assertNever(step.type);
  }
}
