import type { Document } from 'yaml';
import type { Json } from '../../domain/canonical.js';
import { isObject } from '../../domain/json-diff.js';
import { type KubernetesObject, type ObjectRef, readObject, toRef } from '../../domain/kubernetes.js';
import { hasInexactNumber, toPlain } from '../config-patch/json-tree.js';
import { parseYaml, readYaml } from '../config-patch/yaml-text.js';
import { hiddenCharacter } from '../hidden-character.js';
import { type Finding, MAX_FINDINGS } from '../script-validation.js';
import { allowedFields } from './allowed-fields.js';
import { findWrongFields, showKeys } from './field-rules.js';
import { judgeObjectPart } from './judge-object-part.js';
import { explainKind, findKind } from './kinds.js';
import { isLabel, isObjectName } from './names.js';
import { findAmbiguous, positionOf } from './plain-yaml.js';

export type ManifestReading = { readonly ok: true; readonly ref: ObjectRef; readonly object: KubernetesObject } | { readonly ok: false; readonly findings: readonly Finding[] };

const MAX_LENGTH = 65_536;

// What readers of other versions of YAML take for something else than this one does.
const readDifferently = /^(y|n|yes|no|on|off|[-+]?0\d+|[-+]?\d+(:\d+)+|[-+]?\d[\d,]*_[\d_,]*|\d{4}-\d{1,2}-\d{1,2}.*)$/i;

/** Reads the manifest of one object, as YAML or JSON, that only says what may be changed. */
export function readManifest(text: string): ManifestReading {
  const refuse = (rule: string, position: number, reason: string, remedy: string) => ({ ok: false, findings: [{ rule: `manifest.${rule}`, position, reason, remedy }] }) as const;
  if (text.length > MAX_LENGTH) return refuse('size', 0, `${text.length} characters are more than ${MAX_LENGTH}`, 'Name only the fields that are to change.');
  const strange = text.search(hiddenCharacter);
  if (strange >= 0) return refuse('characters', strange + 1, 'a character that people cannot see, or that hides others', 'Leave it out.');
  const directive = text.search(/^%/m);
  if (directive >= 0) return refuse('syntax', directive + 1, 'a directive changes how the rest is read', 'Leave it out.');
  const reading = readYaml(text);
  if (!reading.ok) return refuse('syntax', 0, reading.because, 'Write one object, as one YAML or JSON document.');
  if (hasInexactNumber(reading.tree)) return refuse('number', 0, 'a number is too large to be kept exactly', 'Write it as text.');
  const document = parseYaml(text);
  const findings = findAmbiguous(document, 'manifest.syntax', readDifferently);
  if (findings.length > 0) return { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
  return readFields(document, toPlain(reading.tree));
}

function readFields(document: Document, json: Json): ManifestReading {
  const findings: Finding[] = [];
  const refuse = (rule: string, keys: readonly string[], reason: string, remedy: string) => findings.push({ rule: `manifest.${rule}`, position: positionOf(document, keys), reason, remedy });
  if (!isObject(json)) return { ok: false, findings: [{ rule: 'manifest.syntax', position: 0, reason: 'it is not an object', remedy: 'Write apiVersion, kind, metadata and what is to change.' }] };
  const { apiVersion, kind: name, metadata, ...others } = json;
  const written = typeof name === 'string' ? name : '';
  const kind = findKind(written);
  const rule = kind === undefined ? undefined : allowedFields[kind.kind];
  if (kind === undefined || rule === undefined) {
    refuse('kind', ['kind'], `kind ${JSON.stringify(written)}: ${explainKind(written)}`, `Write one of: ${Object.keys(allowedFields).join(', ')}.`);
    return { ok: false, findings };
  }
  if (apiVersion !== kind.apiVersion) refuse('apiVersion', ['apiVersion'], `a ${kind.kind} is read as ${kind.apiVersion} only`, `Write apiVersion: ${kind.apiVersion}.`);
  const { name: objectName, namespace, ...otherMetadata } = isObject(metadata) ? metadata : {};
  if (typeof objectName !== 'string' || !isObjectName(objectName)) refuse('name', ['metadata', 'name'], 'it does not name its object', 'Write the object’s name as metadata.name.');
  if (typeof namespace !== 'string' || !isLabel(namespace)) refuse('namespace', ['metadata', 'namespace'], 'it does not name its namespace', 'Write the namespace as metadata.namespace.');
  for (const { keys, reason, remedy } of findWrongFields({ ...others, metadata: otherMetadata }, rule)) refuse('field', keys, `${showKeys(keys)}: ${reason}`, remedy);
  // Fields that may be set may still hold what no pod may have.
  for (const { result, rule: broken, keys, reason, remedy } of findings.length > 0 ? [] : judgeObjectPart([], json)) {
    if (result === 'denied') findings.push({ rule: broken, position: positionOf(document, keys), reason: `${showKeys(keys)}: ${reason}`, remedy });
  }
  const object = readObject(json);
  return object !== undefined && findings.length === 0 ? { ok: true, ref: toRef(object), object } : { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
}
