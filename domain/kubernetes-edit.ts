import type { Json } from './canonical.js';
import { isObject } from './json-diff.js';
import { get } from './kubernetes-desired.js';
import { listAt, textAt } from './kubernetes-fields.js';
import type { KubernetesObject } from './kubernetes.js';

/** Who wrote last to an object, at any of these places where somebody still has one of them; status is no edit. Undefined where nobody is named. */
export function findLastEdit(object: KubernetesObject, places: readonly (readonly string[])[]): { readonly by: string; readonly at: Date } | undefined {
  const entries = listAt(object, 'metadata', 'managedFields').filter((entry) => entry['subresource'] !== 'status' && !Number.isNaN(Date.parse(textAt(entry, 'time'))));
  const atPlaces = entries.filter((entry) => places.some((keys) => isAmong(entry['fieldsV1'], keys)));
  const [last] = (atPlaces.length > 0 ? atPlaces : entries).toSorted((one, other) => Date.parse(textAt(other, 'time')) - Date.parse(textAt(one, 'time')));
  return last && { by: textAt(last, 'manager'), at: new Date(textAt(last, 'time')) };
}

/** Whether fields, as the server notes them, hold a place. Elements of lists it names in other ways, so there it is told by the list. */
function isAmong(fields: Json | undefined, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || /^\d+$/.test(key)) return true;
  const field = get(fields, [`f:${key}`]);
  if (!isObject(field)) return false;
  return Object.keys(field).length === 0 || isAmong(field, rest);
}
