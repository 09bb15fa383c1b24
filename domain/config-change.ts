import type { Json } from './canonical.js';
import { diffJson, isList, isObject, toPointer, toRestoringPatch, type Difference } from './json-diff.js';
import { holdsSecret, isSecretKey } from './looks-secret.js';
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
  const differences = diffJson(good, now);
  if (differences.length === 0) return undefined;
  const patchable = differences.filter(isPatchable);
  const operations = toRestoringPatch(patchable);
  const text = JSON.stringify(operations);
  const patch = operations.length === 0 || operations.length > MAX_OPERATIONS || text.length > MAX_PATCH_LENGTH ? null : text;
  return {
    changes: differences.slice(0, MAX_CHANGES).map((difference) => toChange(difference, patch !== null)),
    changeCount: differences.length,
    patch,
    restoresAll: patch !== null && patchable.length === differences.length,
  };
}

const isSecret = ({ keys, good, now }: Difference): boolean => keys.some(isSecretKey) || holdsSecret(good) || holdsSecret(now);
const isPatchable = (difference: Difference): boolean => !isSecret(difference) && isExact(difference.good) && isExact(difference.now);

/** Whether JSON carries it unchanged: a number that was rounded when it was read must not be written back. */
function isExact(value: Json | undefined): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
  if (isList(value)) return value.every(isExact);
  return !isObject(value) || Object.values(value).every(isExact);
}

function toChange(difference: Difference, hasPatch: boolean): ConfigChange {
  const toText = (value: Json | undefined): string | null => (value === undefined ? null : isSecret(difference) ? HIDDEN : shorten(JSON.stringify(value)));
  return { pointer: toPointer(difference.keys), good: toText(difference.good), now: toText(difference.now), isRestored: hasPatch && isPatchable(difference) };
}

const shorten = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);
