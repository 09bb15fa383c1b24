import type { Json } from '../../domain/canonical.js';
import { hasInexactNumber, toPlain } from '../config-patch/json-tree.js';
import { parseYaml, readYaml } from '../config-patch/yaml-text.js';
import { hiddenCharacter } from '../hidden-character.js';
import { type Finding, MAX_FINDINGS } from '../script-validation.js';
import { findAmbiguous, positionOf } from './plain-yaml.js';

export interface ManifestDocument {
  readonly json: Json;
  readonly positionOf: (keys: readonly string[]) => number;
}

export type DocumentsReading = { readonly ok: true; readonly documents: readonly ManifestDocument[] } | { readonly ok: false; readonly findings: readonly Finding[] };

const MAX_LENGTH = 262_144;
const MAX_DOCUMENTS = 100;

// Of what versions of YAML read differently, all but file modes and times: kubectl takes these as everybody does who writes them.
const readDifferently = /^(y|n|yes|no|on|off|[-+]?0(?![4-7][0-7]{2}$)\d+|0[ob]\d+|[-+]?\d+(:\d+)+|[-+]?\d[\d,]*_[\d_,]*)$/i;

/** Reads a text as the documents that kubectl would find in it, where nothing in it could be read in two ways. */
export function readDocuments(text: string): DocumentsReading {
  const refuse = (rule: string, position: number, reason: string, remedy: string) => ({ ok: false, findings: [{ rule: `k8s.${rule}`, position, reason, remedy }] }) as const;
  if (text.length > MAX_LENGTH) return refuse('size', 0, `${text.length} characters are more than ${MAX_LENGTH}`, 'Write fewer objects.');
  const strange = text.search(hiddenCharacter);
  if (strange >= 0) return refuse('characters', strange + 1, 'a character that people cannot see, or that hides others', 'Leave it out.');
  const directive = text.search(/^%/m);
  if (directive >= 0) return refuse('syntax', directive + 1, 'a directive changes how the rest is read', 'Leave it out.');
  const mixed = text.search(/^---(?![ \t]*(#.*)?\r?$)/m);
  if (mixed >= 0) return refuse('syntax', mixed + 1, 'kubectl does not take this for the beginning of a document', 'Write --- on a line of its own.');

  const documents: ManifestDocument[] = [];
  const findings: Finding[] = [];
  for (const { part, offset } of split(text)) {
    const reading = readYaml(part);
    if (!reading.ok) return refuse('syntax', offset + 1, reading.because, 'Write each object as one YAML or JSON document.');
    if (hasInexactNumber(reading.tree)) return refuse('number', offset + 1, 'a number is too large to be kept exactly', 'Write it as text.');
    // A part with nothing but comments.
    if (reading.tree === null) continue;
    const document = parseYaml(part);
    findings.push(...findAmbiguous(document, 'k8s.syntax', readDifferently).map((finding) => ({ ...finding, position: finding.position + offset })));
    documents.push({ json: toPlain(reading.tree), positionOf: (keys) => positionOf(document, keys) + offset });
  }
  if (findings.length > 0) return { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
  if (documents.length === 0) return refuse('syntax', 0, 'there is no object in it', 'Write apiVersion, kind, metadata and what is to change.');
  return documents.length > MAX_DOCUMENTS ? refuse('size', 0, `${documents.length} objects are more than ${MAX_DOCUMENTS}`, 'Write fewer objects.') : { ok: true, documents };
}

/** The parts between the lines of dashes, each with where it begins. */
function split(text: string): readonly { readonly part: string; readonly offset: number }[] {
  const parts: { part: string; offset: number }[] = [];
  let offset = 0;
  for (const { 0: line, index } of text.matchAll(/^---.*(\n|$)/gm)) {
    parts.push({ part: text.slice(offset, index), offset });
    offset = index + line.length;
  }
  return [...parts, { part: text.slice(offset), offset }];
}
