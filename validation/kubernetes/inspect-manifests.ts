import type { Json } from '../../domain/canonical.js';
import { isList } from '../../domain/json-diff.js';
import type { Reach } from '../../domain/reach.js';
import type { Finding } from '../script-validation.js';
import { showKeys } from './field-rules.js';
import { judgeObject } from './judge-object.js';
import { isShellScript } from './kind-rules.js';
import { readDocuments } from './read-documents.js';
import { at, findPlaces, type Remark } from './rules.js';

/** Something in a text that speaks against it. */
export interface Objection {
  readonly result: Remark['result'];
  readonly finding: Finding;
}

/** The words of a command line, or the text of a script. */
export type InnerScript = { readonly position: number; readonly words: readonly string[] } | { readonly position: number; readonly text: string };

export interface Inspection {
  readonly objections: readonly Objection[];
  /** What would run in containers, for a validator of its language. */
  readonly scripts: readonly InnerScript[];
  readonly reach: Reach;
}

/** Inspects all objects of a text, as YAML or JSON. */
export async function inspectManifests(text: string): Promise<Inspection> {
  const reading = readDocuments(text);
  if (!reading.ok) return { objections: reading.findings.map((finding) => ({ result: 'denied', finding })), scripts: [], reach: 'cluster' };
  const objects = reading.documents.flatMap(({ json, positionOf }) => toObjects(json).map((object) => ({ ...object, positionOf })));
  const inspected = await Promise.all(
    objects.map(async ({ json, keys, positionOf }) => {
      const { remarks, commands, reach } = await judgeObject(json);
      const place = (below: readonly string[]): number => positionOf([...keys, ...below]);
      return {
        objections: remarks.map(({ result, rule, keys: below, reason, remedy }): Objection => ({ result, finding: { rule, position: place(below), reason: below.length === 0 ? reason : `${showKeys(below)}: ${reason}`, remedy } })),
        scripts: [...commands.map(({ keys: below, words }) => ({ position: place(below), words })), ...findScripts(json).map(({ keys: below, text: script }) => ({ position: place(below), text: script }))],
        reach,
      };
    }),
  );
  const namespaces = new Set(objects.map(({ json }) => at(json, 'metadata', 'namespace')));
  return {
    objections: inspected.flatMap(({ objections }) => objections),
    scripts: inspected.flatMap(({ scripts }) => scripts),
    reach: namespaces.size > 1 ? 'cluster' : widest(inspected.map(({ reach }) => reach)),
  };
}

const byWidth: readonly Reach[] = ['pod', 'workload', 'namespace', 'cluster'];
const widest = (reaches: readonly Reach[]): Reach => byWidth.findLast((reach) => reaches.includes(reach)) ?? 'cluster';

/** A list is what is in it. */
function toObjects(json: Json): readonly { readonly json: Json; readonly keys: readonly string[] }[] {
  const items = at(json, 'items');
  if (at(json, 'apiVersion') !== 'v1' || at(json, 'kind') !== 'List' || !isList(items)) return [{ json, keys: [] }];
  return items.map((item, index) => ({ json: item, keys: ['items', `${index}`] }));
}

/** The scripts that a ConfigMap brings for pods to run. */
function findScripts(json: Json): readonly { readonly keys: readonly string[]; readonly text: string }[] {
  if (at(json, 'kind') !== 'ConfigMap') return [];
  return findPlaces(json, ['data', '*']).flatMap(({ keys, value }) => (typeof value === 'string' && isShellScript(keys.at(-1) ?? '', value) ? [{ keys, text: value }] : []));
}
