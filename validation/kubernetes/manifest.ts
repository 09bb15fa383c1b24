import { type Document, isMap, isNode, isSeq, type Node, Scalar, visit } from 'yaml';
import type { Json } from '../../domain/canonical.js';
import { isObject } from '../../domain/json-diff.js';
import { type KubernetesObject, type ObjectRef, readObject, toRef } from '../../domain/kubernetes.js';
import { hasInexactNumber, toPlain } from '../config-patch/json-tree.js';
import { findPair, parseYaml, readYaml } from '../config-patch/yaml-text.js';
import { hiddenCharacter } from '../hidden-character.js';
import { type Finding, MAX_FINDINGS } from '../script-validation.js';
import { allowedFields } from './allowed-fields.js';
import { findWrongFields, showKeys } from './field-rules.js';
import { explainKind, findKind } from './kinds.js';
import { isLabel, isObjectName } from './names.js';

export type ManifestReading = { readonly ok: true; readonly ref: ObjectRef; readonly object: KubernetesObject } | { readonly ok: false; readonly findings: readonly Finding[] };

const MAX_LENGTH = 65_536;

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
  const findings = findAmbiguous(document);
  if (findings.length > 0) return { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
  return readFields(document, toPlain(reading.tree));
}

// What readers of other versions of YAML take for something else than this one does.
const ambiguous = /^(y|n|yes|no|on|off|[-+]?0\d+|[-+]?\d+(:\d+)+|[-+]?\d[\d,]*_[\d_,]*|\d{4}-\d{1,2}-\d{1,2}.*)$/i;

/** What one reader would take for this and another for that, or that is not where it is written. */
function findAmbiguous(document: Document): readonly Finding[] {
  const findings: Finding[] = [];
  const refuse = (node: Node, reason: string, remedy: string) => findings.push({ rule: 'manifest.syntax', position: startOf(node), reason, remedy });
  visit(document, {
    Alias: (_key, alias) => void refuse(alias, 'an alias stands for something that is written elsewhere', 'Write it out.'),
    Value: (_key, node) => {
      if (node.anchor !== undefined) refuse(node, 'an anchor is for aliases', 'Write everything out.');
      if (node.tag !== undefined) refuse(node, `the tag ${node.tag} changes what a value means`, 'Leave it out.');
      if (!(node instanceof Scalar)) return;
      if (node.type === Scalar.PLAIN && ambiguous.test(node.source ?? '')) refuse(node, `${node.source} is read in more than one way`, 'Put text in quotes, and write numbers with digits only.');
      if (typeof node.value === 'string' && hiddenCharacter.test(node.value)) refuse(node, 'a character that people cannot see, or that hides others', 'Leave it out, also where it is written as an escape.');
    },
  });
  return findings;
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
  const object = readObject(json);
  return object !== undefined && findings.length === 0 ? { ok: true, ref: toRef(object), object } : { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
}

/** Where the member or element at the end of a path begins, counted from 1; that of what it would be in, where it is missing. */
function positionOf(document: Document, keys: readonly string[]): number {
  let position = startOf(document.contents);
  let at: unknown = document.contents;
  for (const key of keys) {
    const pair = isMap(at) ? findPair(at, key) : undefined;
    const element = isSeq(at) ? at.items[Number(key)] : undefined;
    position = startOf(pair?.key ?? element) || position;
    at = pair?.value ?? element;
  }
  return position;
}

const startOf = (node: unknown): number => (isNode(node) && node.range ? node.range[0] + 1 : 0);
