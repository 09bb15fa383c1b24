import type { Json } from './canonical.js';
import { isList, isObject } from './json-diff.js';

const secretWords = new Set(['pass', 'passwd', 'pwd', 'key', 'keys', 'auth', 'authorization', 'cookie', 'dsn', 'pin', 'salt', 'signature']);
const secretParts = /passw|passphrase|secret|token|credential|apikey|privatekey|accesskey/;
const secretText = /:\/\/[^\s/:@]*:[^\s/@]+@|-----BEGIN /;

/** Whether what stands under this key is likely to be a secret: better one too many than one shown. */
export function isSecretKey(key: string): boolean {
  const words = key.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase().split(/[^a-z0-9]+/);
  return words.some((word) => secretWords.has(word)) || secretParts.test(words.join(''));
}

/** Whether a value, or anything inside it, is likely to be a secret. */
export function holdsSecret(value: Json | undefined): boolean {
  if (typeof value === 'string') return secretText.test(value);
  if (isList(value)) return value.some(holdsSecret);
  return isObject(value) && Object.entries(value).some(([key, inner]) => isSecretKey(key) || holdsSecret(inner));
}

const MASK = '•••';
const structure = /^\s*([{}[\],]*|#.*|\/\/.*)$/;
const member = /^(\s*(?:- +)?["']?([\w.$/-]+)["']?\s*[:=])(.*)$/;

/** A line of a configuration file without the secret that it may hold. What is no plain `key: value` is hidden whole: it may be the middle of one. */
export function maskLine(line: string): string {
  if (structure.test(line)) return line;
  const [, head, key = '', value = ''] = member.exec(line) ?? [];
  if (head === undefined) return MASK;
  const inner = [...value.matchAll(/([\w.$/-]+)["']?\s*[:=]/g)].map(([, name = '']) => name);
  return [key, ...inner].some(isSecretKey) || secretText.test(value) ? `${head} ${MASK}` : line;
}
