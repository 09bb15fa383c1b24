import type { Json } from './canonical.js';
import { diffJson, isList, isObject, toPointer, toRestoringPatch, type Difference } from './json-diff.js';
import { holdsSecret, isSecretKey, namesSecretValue } from './looks-secret.js';
import type { ConfigChange, ConfigChangeFact } from './signal.js';

const HIDDEN = '•••';
const MAX_TEXT = 80;
const MAX_CHANGES = 20;
// Plans are stored, hashed and shown whole.
const MAX_PATCH_LENGTH = 64 * 1024;
const MAX_OPERATIONS = 100;

/**
 * What changed in a configuration, and the patch that puts it back. What looks secret is neither shown nor patched,
 * because facts and plans are stored and shown. Undefined where nothing differs.
 */
export function toConfigChange(good: Json, now: Json): Pick<ConfigChangeFact, 'changes' | 'changeCount' | 'patch' | 'restoresAll'> | undefined {
  const { differences, restorable, toChanges } = readDifferences(good, now, () => true);
  if (differences.length === 0) return undefined;
  return {
    changes: toChanges(differences),
    changeCount: differences.length,
    patch: restorable.length === 0 ? null : JSON.stringify(toRestoringPatch(restorable)),
    restoresAll: restorable.length === differences.length,
  };
}

/** The differences, those of them that one step may and can put back, and how they are shown. */
export function readDifferences(good: Json, now: Json, mayRestore: (difference: Difference) => boolean) {
  const differences = diffJson(good, now);
  const isSecret = (difference: Difference): boolean => isSecretItself(difference) || [good, now].some((document) => isBesideSecretName(document, difference.keys));
  const isPatchable = (difference: Difference): boolean => !isSecret(difference) && isExact(difference.good) && isExact(difference.now);
  const candidates = differences.filter((difference) => isPatchable(difference) && mayRestore(difference));
  const operations = toRestoringPatch(candidates);
  const isTooMuch = operations.length > MAX_OPERATIONS || JSON.stringify(operations).length > MAX_PATCH_LENGTH;
  const restorable = isTooMuch ? [] : candidates;
  const toChanges = (some: readonly Difference[]): readonly ConfigChange[] => some.slice(0, MAX_CHANGES).map((difference) => toChange(difference, { isRestored: restorable.includes(difference), isSecret: isSecret(difference) }));
  return { differences, restorable, toChanges };
}

const isSecretItself = ({ keys, good, now }: Difference): boolean => keys.some(isSecretKey) || holdsSecret(good) || holdsSecret(now);
const isBesideSecretName = (document: Json, keys: readonly string[]): boolean =>
  keys.some((_, index) => namesSecretValue(keys.slice(0, index).reduce<Json | undefined>((at, key) => (isList(at) ? at[Number(key)] : isObject(at) ? at[key] : undefined), document)));

/** Whether JSON carries it unchanged: a number that was rounded when it was read must not be written back. */
function isExact(value: Json | undefined): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (isList(value)) return value.every(isExact);
  return !isObject(value) || Object.values(value).every(isExact);
}

function toChange({ keys, good, now }: Difference, { isRestored, isSecret }: { readonly isRestored: boolean; readonly isSecret: boolean }): ConfigChange {
  const toText = (value: Json | undefined): string | null => (value === undefined ? null : isSecret ? HIDDEN : shorten(JSON.stringify(value)));
  return { pointer: toPointer(keys), good: toText(good), now: toText(now), isRestored };
}

const shorten = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);
