import type { Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';

interface Field {
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

/** The fields of an object's kind, and of all that it is made of, by the names of their types. */
export type Schema = ReadonlyMap<string, ReadonlyMap<string, Field>>;

export interface Misfit {
  readonly keys: readonly string[];
  readonly reason: string;
}

const schemas = new Map<string, Promise<Schema>>();
const simple = ['string', 'number', 'boolean', 'any', 'Date', 'IntOrString', 'V1MicroTime'];

/** Loads the types of one kind from the official client, once. Only these: all of them would take half a second. */
export function loadSchema(root: string): Promise<Schema> {
  const schema = schemas.get(root) ?? collectTypes(root);
  schemas.set(root, schema);
  return schema;
}

async function collectTypes(root: string): Promise<Schema> {
  const schema = new Map<string, ReadonlyMap<string, Field>>();
  const add = async (name: string): Promise<void> => {
    if (schema.has(name)) return;
    schema.set(name, new Map());
    const fields = await loadType(name);
    schema.set(name, fields);
    await Promise.all([...fields.values()].map(({ type }) => toElement(type)).filter((type) => !simple.includes(type)).map(add));
  };
  await add(root);
  return schema;
}

async function loadType(name: string): Promise<ReadonlyMap<string, Field>> {
  const loaded = (await import(`@kubernetes/client-node/dist/gen/models/${name}.js`)) as Readonly<Record<string, { readonly getAttributeTypeMap: () => readonly Field[] }>>;
  const fields = loaded[name]?.getAttributeTypeMap();
  if (fields === undefined) throw new Error(`@kubernetes/client-node has no type ${name}`);
  return new Map(fields.map((field) => [field.baseName, field]));
}

const toElement = (type: string): string => {
  const element = /^Array<(.+)>$/.exec(type)?.[1] ?? /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  return element === undefined ? type : toElement(element);
};

// The client knows quantities as text only; the API server also takes plain numbers.
const quantities =
  /^(V1(Volume)?ResourceRequirements\.(limits|requests)|V1ResourceQuotaSpec\.hard|V1LimitRangeItem\.(default|defaultRequest|max|maxLimitRequestRatio|min)|V1PersistentVolumeSpec\.capacity|V1EmptyDirVolumeSource\.sizeLimit|V1ResourceFieldSelector\.divisor|V2MetricTarget\.(value|averageValue)|V1PodSpec\.overhead)$/;

/** What the kind does not know, or knows as another type. A null says that nothing is there, and fits anywhere. */
export function findMisfits(json: Json, type: string, schema: Schema, keys: readonly string[] = [], field = ''): readonly Misfit[] {
  if (json === null || type === 'any') return [];
  const misfit = (expected: string): readonly Misfit[] => [{ keys, reason: `it is not ${expected}` }];
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) return isList(json) ? json.flatMap((element, index) => findMisfits(element, list, schema, [...keys, `${index}`], field)) : misfit('a list');
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) return isObject(json) ? Object.entries(json).flatMap(([key, member]) => findMisfits(member, map, schema, [...keys, key], field)) : misfit('an object');
  switch (type) {
    case 'string':
      return typeof json === 'string' || (typeof json === 'number' && quantities.test(field)) ? [] : misfit('text (in quotes, where it looks like something else)');
    case 'Date':
    case 'V1MicroTime':
      return typeof json === 'string' ? [] : misfit('a time');
    case 'boolean':
      return typeof json === 'boolean' ? [] : misfit('true or false');
    case 'number':
      return typeof json === 'number' && (Number.isSafeInteger(json) || field.endsWith(':double')) ? [] : misfit('a whole number');
    case 'IntOrString':
      return typeof json === 'string' || Number.isSafeInteger(json) ? [] : misfit('text or a whole number');
    default:
      return findMisfitsOfObject(json, type, schema, keys);
  }
}

function findMisfitsOfObject(json: Json, type: string, schema: Schema, keys: readonly string[]): readonly Misfit[] {
  const fields = schema.get(type);
  if (fields === undefined || !isObject(json)) return [{ keys, reason: 'it is not an object' }];
  return Object.entries(json).flatMap(([key, member]) => {
    const field = fields.get(key);
    if (field === undefined) return [{ keys: [...keys, key], reason: 'Kubernetes 1.34 has no such field' }];
    return findMisfits(member, field.type, schema, [...keys, key], `${type}.${key}${field.format === 'double' ? ':double' : ''}`);
  });
}
