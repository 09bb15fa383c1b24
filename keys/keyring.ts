import { join } from 'node:path';
import { calculateJwkThumbprint, CompactSign, compactVerify, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK } from 'jose';
import { type KeyFile, KeysUnusable, openKeyFile, readKeys, type StoredKey, writeKeys } from './key-files.js';
import { withLock } from './lock.js';

/** What a signature is for. It is in the signed header, so that one cannot be taken for the other. */
const types = { decision: 'sluice-decision+jws', checkpoint: 'sluice-checkpoint+jws', policy: 'sluice-policy+jws' } as const;
export type KeyUse = keyof typeof types;

// Never taken from a header: whoever forges chooses the header.
const ALGORITHM = 'EdDSA';
/** In the folder of the keys: a JWK Set with the public half of each, all that a worker needs. */
export const PUBLIC_KEYS = 'public-keys.json';
const PRIVATE = 'private-key.json';

export interface KeyEntry {
  readonly keyId: string;
  /** RFC 3339. */
  readonly madeAt: string;
  readonly state: 'signing' | 'verifying' | 'revoked';
}

export interface Verifier {
  /** What was signed; undefined where no trusted key signed this text for this use. */
  verify(use: KeyUse, jws: string): Promise<unknown>;
  /** What a key of ours signed, be it revoked by now: enough to hold something back, never to allow it. */
  recall(use: KeyUse, jws: string): Promise<Recalled | undefined>;
}

interface Recalled {
  readonly payload: unknown;
  readonly keyId: string;
  readonly isRevoked: boolean;
}

export interface Keyring extends Verifier {
  /** A compact JWS over the payload, by the key that signs now. */
  sign(use: KeyUse, payload: object): Promise<string>;
  /** In the order they were made. */
  list(): Promise<readonly KeyEntry[]>;
  /** Makes a key that signs from now on. The ones before stay good for verifying. */
  rotate(): Promise<{ readonly keyId: string }>;
  /** Nothing that this key signed is trusted any more. */
  revoke(keyId: string): Promise<'revoked' | 'unknownKey' | 'isSigning'>;
}

/** Verifies with the public keys of one file (a JWK Set), which is read again whenever it was replaced. */
export const openVerifier = (file: string): Verifier => createVerifier(openKeyFile(file));

function createVerifier(publicKeys: KeyFile): Verifier {
  // Lives as long as what was read from the file.
  const imported = new WeakMap<StoredKey, ReturnType<typeof importJWK>>();
  const toKey = (key: StoredKey) => {
    const ready = imported.get(key) ?? importJWK({ ...key, alg: ALGORITHM });
    imported.set(key, ready);
    return ready;
  };
  const findKey = async (use: KeyUse, jws: string): Promise<StoredKey | undefined> => {
    const keyId = readKeyId(use, jws);
    return keyId === undefined ? undefined : (await publicKeys.read()).find(({ kid }) => kid === keyId);
  };
  const open = async (key: StoredKey, jws: string): Promise<unknown> => {
    try {
      const { payload } = await compactVerify(jws, await toKey(key), { algorithms: [ALGORITHM] });
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    } catch {
      // Whatever is wrong with it, it is not what we signed.
      return undefined;
    }
  };
  return {
    async verify(use, jws) {
      const key = await findKey(use, jws);
      return key === undefined || key.revokedAt !== undefined ? undefined : open(key, jws);
    },
    async recall(use, jws) {
      const key = await findKey(use, jws);
      const payload = key && (await open(key, jws));
      return key === undefined || payload === undefined ? undefined : { payload, keyId: key.kid, isRevoked: key.revokedAt !== undefined };
    },
  };
}

/** The key that a text says it is signed by, if it is a JWS for this use at all. */
function readKeyId(use: KeyUse, jws: string): string | undefined {
  try {
    const { alg, typ, kid } = decodeProtectedHeader(jws);
    return alg === ALGORITHM && typ === types[use] ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** The keys in a folder. Who only verifies needs no more of it than `public-keys.json`. */
export function openKeyring(folder: string): Keyring {
  const publicPath = join(folder, PUBLIC_KEYS);
  const privatePath = join(folder, PRIVATE);
  const publicKeys = openKeyFile(publicPath);
  const privateKey = openKeyFile(privatePath);

  return {
    ...createVerifier(publicKeys),

    async sign(use, payload) {
      const [key] = await privateKey.read();
      const isTrusted = (await publicKeys.read()).some(({ kid, revokedAt }) => kid === key?.kid && revokedAt === undefined);
      if (key === undefined || !isTrusted) throw new KeysUnusable(`${privatePath} and ${publicPath} do not belong together. Put both back from the same backup.`);
      return new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: ALGORITHM, typ: types[use], kid: key.kid })
        .sign(await importJWK({ ...key, alg: ALGORITHM }));
    },

    async list() {
      const keys = await publicKeys.read();
      const signing = await readSigningKeyId(privatePath);
      return keys.map(({ kid, madeAt, revokedAt }) => ({ keyId: kid, madeAt, state: revokedAt !== undefined ? 'revoked' : kid === signing ? 'signing' : 'verifying' }));
    },

    rotate: () => withLock(folder, () => makeKey(publicPath, privatePath)),

    revoke: (keyId) =>
      withLock(folder, async () => {
        const keys = (await readKeys(publicPath)) ?? [];
        const key = keys.find(({ kid }) => kid === keyId);
        if (key === undefined) return 'unknownKey';
        if (key.revokedAt !== undefined) return 'revoked';
        if (keyId === (await readSigningKeyId(privatePath))) return 'isSigning';
        await writeKeys(publicPath, keys.map((each) => (each === key ? { ...key, revokedAt: new Date().toISOString() } : each)));
        return 'revoked';
      }),
  };
}

const readSigningKeyId = async (privatePath: string): Promise<string | undefined> => (await readKeys(privatePath))?.[0]?.kid;

/** Makes the folder and its first key where there is none; says which key signs. Any number of processes may do so at once. */
export async function makeFirstKey(folder: string): Promise<{ readonly keyId: string; readonly isNew: boolean }> {
  return withLock(folder, async () => {
    const privatePath = join(folder, PRIVATE);
    const existing = await readSigningKeyId(privatePath);
    if (existing !== undefined) return { keyId: existing, isNew: false };
    return { ...(await makeKey(join(folder, PUBLIC_KEYS), privatePath)), isNew: true };
  });
}

async function makeKey(publicPath: string, privatePath: string): Promise<{ readonly keyId: string }> {
  const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  const publicJwk = await exportJWK(pair.publicKey);
  const keyId = await calculateJwkThumbprint(publicJwk);
  const names = { kid: keyId, madeAt: new Date().toISOString() };
  // The public half first: what is signed can be verified from the first signature on.
  await writeKeys(publicPath, [...((await readKeys(publicPath)) ?? []), { ...publicJwk, ...names }]);
  await writeKeys(privatePath, [{ ...(await exportJWK(pair.privateKey)), ...names }]);
  return { keyId };
}
