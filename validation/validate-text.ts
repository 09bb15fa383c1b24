import { assertNever } from '../domain/assert-never.js';
import { validateBash } from './bash/validate-bash.js';
import { validateManifests } from './kubernetes/validate-manifests.js';
import type { ParsePython } from './python/python-tree.js';
import { validatePython } from './python/validate-python.js';
import type { ScriptValidation } from './script-validation.js';
import { validateSqlText } from './sql/validate-sql-text.js';
import type { TextType } from './text-types.js';

/** Parsers that are not ours to call from here. */
export interface Parsers {
  readonly parsePython: ParsePython;
}

/** Judges a text by what its language says it does, whether or not an executor of ours could run it. */
export async function validateText(type: TextType, text: string, { parsePython }: Parsers): Promise<ScriptValidation> {
  switch (type) {
    case 'bash':
      return validateBash(text);
    case 'python':
      return validatePython(text, parsePython);
    case 'sql':
      return validateSqlText(text);
    case 'k8s':
      return validateManifests(text);
    default:
      return assertNever(type);
  }
}
