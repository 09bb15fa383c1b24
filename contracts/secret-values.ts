import { parseAllDocuments } from 'yaml';
import type { Json } from '../domain/canonical.js';
import { isList, isObject } from '../domain/json-diff.js';
import { isSecretKey, namesSecretValue } from '../domain/looks-secret.js';
import { MIN_SECRET_LENGTH, type Secret } from '../domain/redaction.js';

const userinfo = /(?<![\w+.-])[a-z][\w+.-]*:\/\/([^/?#@:\s"']*)(?::([^/?#\s]*))?@/gi;
const bareAddress = /^[a-z][\w+.-]*:\/\/[^/?#@\s]*\/?$/i;
const setting = /(?:^|[?&\s;,{])["']?([\w.-]+)["']?[ \t]*(?:=|:(?=[\s"']))[ \t]*(?='((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^&#\s]+))/g;
// As files of settings write it, with spaces in it.
const settingLine = /^\s*(?:export\s+)?([\w.-]+)[ \t]*=[ \t]*(.*\S)/gm;
const pgpassLine = /^(?:[^:\\\n]|\\.)*:(?:\d+|\*):(?:(?:[^:\\\n]|\\.)*:){2}(.+)$/gm;
const armoured = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const longWord = /^[\w+/=-]{32,}$/;
const certificate = /certificate/i;
const place = /(file|path|^client-key)$/i;
/** What stands beside a password and is found in much other text, too. */
const publicNames = /^(.*[_.-])?(user|user_?name|login|name|e-?mail|host|host_?name|port|server|database|db_?name|engine|region|type|kind|scheme|protocol|realm|namespace|role)$/i;

/** What of a secret's text must not be seen: the parts of it that are one, and all of it, unless it is a kubeconfig; an address alone hides nothing. */
export function toSecretValues(text: string): readonly string[] {
  const whole = text.trim();
  const structures = readStructures(whole);
  const parts = [...structures.flatMap((structure) => toLeaves(structure, false)), ...(structures.some(isKubeconfig) ? [] : toSettings(whole))];
  return [...new Set([...(structures.some(isKubeconfig) || bareAddress.test(whole) ? [] : [whole]), ...parts])].filter((value) => value.trim().length >= MIN_SECRET_LENGTH);
}

/** All of them under the name that it has. */
export const toSecrets = ({ name, value }: Secret): readonly Secret[] => toSecretValues(value).map((each) => ({ name, value: each }));

/** JSON and YAML, of which JSON is a part; all that is no list or object as it was written, since a number may be a password. */
function readStructures(text: string): readonly Json[] {
  try {
    const documents = parseAllDocuments(text, { schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
    const values = Array.isArray(documents) ? documents.map((document): Json => document.toJS() as Json) : [];
    return values.filter((value) => isList(value) || isObject(value));
  } catch {
    return [];
  }
}

const isKubeconfig = (value: Json): boolean => isObject(value) && value['kind'] === 'Config' && 'users' in value;

/** The texts within, where their key or they themselves look secret. */
function toLeaves(value: Json, isSecret: boolean): readonly string[] {
  if (isList(value)) return value.flatMap((each, index) => toLeaves(each, isSecret || isValueOf(value[index - 1], each)));
  if (isObject(value)) {
    const areAll = (key: string): boolean => (key === 'value' && namesSecretValue(value)) || (/^(data|stringData)$/.test(key) && value['kind'] === 'Secret');
    return Object.entries(value).flatMap(([key, inner]) => toLeaves(inner, !publicNames.test(key) && !isPlace(key, inner) && (isSecret || isSecretKey(key) || areAll(key) || isLongWord(key, inner))));
  }
  const text = typeof value === 'string' ? value : String(value);
  if (isSecret || armoured.test(text)) return [text, ...toDecoded(text), ...toSettings(text), ...readStructures(text).flatMap((inner) => toLeaves(inner, true))];
  return [...toSettings(text), ...readStructures(text).flatMap((inner) => toLeaves(inner, false))];
}

/** Whether it stands behind the option that names it, as in `['--token', …]`. */
const isValueOf = (before: Json | undefined, value: Json): boolean => typeof before === 'string' && before.startsWith('-') && !/[=\s]/.test(before) && isSecretKey(before) && typeof value === 'string' && !value.startsWith('--');

// Where a file is may be told.
const isPlace = (key: string, value: Json): boolean => place.test(key) && typeof value === 'string' && /^[./~]/.test(value);

const isLongWord = (key: string, value: Json): boolean => typeof value === 'string' && longWord.test(value) && !certificate.test(key);

/** The passwords in addresses, settings and lines of a .pgpass. */
function toSettings(text: string): readonly string[] {
  // A password that is the user's name hides nothing, and would hide that name everywhere.
  const passwords = [...text.matchAll(userinfo)].flatMap(([, user = '', password = '']) => (password === user ? [] : [password]));
  const settings = [...text.matchAll(setting)].flatMap(([, name = '', single, double, bare = '']) => (isSecretKey(name) ? [single ?? double ?? bare] : []));
  const lines = [...text.matchAll(settingLine)].flatMap(([, name = '', value = '']) => (isSecretKey(name) ? [unquote(value)] : []));
  const pgpass = [...text.matchAll(pgpassLine)].map(([, password = '']) => password);
  return [...[...passwords, ...settings].flatMap((value) => [value, decodeUrl(value)]), ...[...settings, ...pgpass].map((value) => value.replaceAll(/\\(.)/g, '$1')), ...lines, ...pgpass];
}

const unquote = (text: string): string => text.replace(/^(['"])(.*)\1$/s, '$2');

function decodeUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What it is the base64 of, where that is text. */
function toDecoded(text: string): readonly string[] {
  if (text.replaceAll(/\s/g, '').length % 4 > 0) return [];
  try {
    const decoded = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)));
    return /[^\P{Cc}\s]/u.test(decoded) ? [] : [decoded];
  } catch {
    return [];
  }
}
