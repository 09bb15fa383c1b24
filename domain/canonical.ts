export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * The canonical text of a JSON value (RFC 8785): keys in UTF-16 order, no white space, numbers as ECMAScript writes them.
 * Throws on what JSON cannot hold: a number that is not finite, a lone surrogate, undefined.
 */
export function canonicalize(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`JSON cannot hold the number ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new Error('JSON text must be well-formed Unicode');
    return JSON.stringify(value);
  }
  if (isList(value)) return `[${value.map(canonicalize).join(',')}]`;
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${canonicalize(key)}:${canonicalize(member)}`).join(',')}}`;
}

const isList = (value: readonly Json[] | { readonly [key: string]: Json }): value is readonly Json[] => Array.isArray(value);
