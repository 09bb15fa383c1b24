import type { DraftStep } from '../domain/plan.js';
import type { LibraryScript } from '../validation/library-script.js';
import type { Finding, ScriptValidation } from '../validation/script-validation.js';
import type { TextType } from '../validation/text-types.js';

/** What the thread is asked. */
export type Question =
  | { readonly kind: 'step'; readonly step: DraftStep }
  | { readonly kind: 'text'; readonly type: TextType; readonly text: string }
  | { readonly kind: 'library'; readonly script: LibraryScript };

export type Answer = { readonly ok: true; readonly validation: ScriptValidation } | { readonly ok: true; readonly findings: readonly Finding[] } | { readonly ok: false; readonly because: string };
