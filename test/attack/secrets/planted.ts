import type { Chance } from '../chance.js';

/** Something that nobody may see. */
export interface Planted {
  readonly name: string;
  readonly kind: string;
  readonly value: string;
}

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789');
const signs = [...letters, ...Array.from('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ äß€漢😀')];

const draw = (chance: Chance, from: readonly string[], length: number): string => Array.from({ length }, () => chance.pick(from)).join('');
const drawPassword = (chance: Chance): string => `${draw(chance, letters, 3)}${draw(chance, signs, 8 + chance.below(16))}${draw(chance, letters, 2)}`;
const drawPem = (chance: Chance): string =>
  ['-----BEGIN EC PRIVATE KEY-----', ...Array.from({ length: 3 }, () => draw(chance, [...letters, '+', '/'], 64)), draw(chance, letters, 24), '-----END EC PRIVATE KEY-----'].join('\n');

const kinds: Readonly<Record<string, (chance: Chance) => string>> = {
  token: (chance) => `ghp_${draw(chance, letters, 36)}`,
  password: drawPassword,
  key: drawPem,
  connection: (chance) => `postgres://svc:${encodeURIComponent(drawPassword(chance))}@db-${chance.hex(6)}.internal:5432/orders`,
  json: (chance) => JSON.stringify({ user: `svc-${chance.hex(8)}`, password: drawPassword(chance), 'a "quoted" name': chance.below(1_000) }),
};

/** So many secrets, of every kind in turn. */
export const plant = (count: number, prefix: string, chance: Chance): readonly Planted[] =>
  Array.from({ length: count }, (_, index) => {
    const [kind, make] = Object.entries(kinds)[index % Object.keys(kinds).length] ?? ['token', () => ''];
    return { name: `${prefix}${index}`, kind, value: make(chance) };
  });

const bytesOf = (text: string): Buffer => Buffer.from(text, 'utf8');
const hexOf = (text: string): string => bytesOf(text).toString('hex');
const escapeAll = (text: string): string => Array.from({ length: text.length }, (_, index) => `\\u${text.charCodeAt(index).toString(16).padStart(4, '0')}`).join('');

/** The ways in which each is written. */
export const encodings: Readonly<Record<string, (text: string) => string>> = {
  raw: (text) => text,
  base64: (text) => bytesOf(text).toString('base64'),
  'base64 for URLs': (text) => bytesOf(text).toString('base64url'),
  URL: encodeURIComponent,
  hex: hexOf,
  'hex in upper case': (text) => hexOf(text).toUpperCase(),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON, all escaped': escapeAll,
};

/** What of a secret is one by itself: the lines of a key, the password of a connection as it stands there and as it is meant, that of JSON. */
export function toParts({ kind, value }: Planted): readonly string[] {
  if (kind === 'key') return value.split('\n').filter((line) => !line.startsWith('-----'));
  if (kind === 'json') return [(JSON.parse(value) as { readonly password: string }).password];
  if (kind !== 'connection') return [];
  const password = value.slice('postgres://svc:'.length, value.indexOf('@db-'));
  return [password, decodeURIComponent(password)];
}

/** What must be found nowhere: each secret and its parts, in every encoding. */
export const toNeedles = (planted: Planted): readonly (readonly [encoding: string, text: string])[] =>
  [planted.value, ...toParts(planted)].flatMap((text) =>
    // The last sign of base64 says less than a character of it.
    Object.entries(encodings).map(([name, encode]) => [name, name.startsWith('base64') ? encode(text).replace(/.=*$/, '') : encode(text)] as const),
  );
