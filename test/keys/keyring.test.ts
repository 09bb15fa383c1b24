import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeFirstKey, openKeyring, openVerifier } from '../../keys/keyring.js';
import { type FreshKeys, freshKeys } from '../harness/keys.js';

let keys: FreshKeys;
let folder: string;
beforeEach(async () => {
  keys = await freshKeys();
  ({ folder } = keys);
});
afterEach(() => keys.close());

const payload = { decisionId: 'd', verdict: 'approve' };
const encode = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const readJwk = async (name: string) => (JSON.parse(await readFile(join(folder, name), 'utf8')) as { keys: [{ kid: string; x: string }] }).keys[0];

describe('a signature', () => {
  it('verifies for its use, and gives back what was signed', async () => {
    for (const use of ['decision', 'checkpoint'] as const) expect(await keys.keyring.verify(use, await keys.keyring.sign(use, payload))).toEqual(payload);
  });

  it('is not good for another use', async () => {
    expect(await keys.keyring.verify('checkpoint', await keys.keyring.sign('decision', payload))).toBeUndefined();
    expect(await keys.keyring.verify('decision', await keys.keyring.sign('checkpoint', payload))).toBeUndefined();
  });

  it('names its key by the thumbprint of RFC 7638', async () => {
    const [header = ''] = (await keys.keyring.sign('decision', payload)).split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'EdDSA', typ: 'sluice-decision+jws', kid: (await readJwk('public-keys.json')).kid });
  });
});

describe('a forged signature', () => {
  const header = async (over: object = {}) => ({ alg: 'EdDSA', typ: 'sluice-decision+jws', kid: (await readJwk('public-keys.json')).kid, ...over });
  /** Signed by whoever has a key, as a JWS is. */
  const forge = (head: object, sign: (text: string) => Buffer, body: unknown = payload) => {
    const text = `${encode(head)}.${encode(body)}`;
    return `${text}.${sign(text).toString('base64url')}`;
  };
  const byUs = async () => {
    const key = createPrivateKey({ key: { ...(await readJwk('private-key.json')) }, format: 'jwk' });
    return (text: string) => signBytes(null, Buffer.from(text), key);
  };
  const stranger = generateKeyPairSync('ed25519');
  const byStranger = (text: string) => signBytes(null, Buffer.from(text), stranger.privateKey);

  it('is told by this test from one that is ours', async () => {
    expect(await keys.keyring.verify('decision', forge(await header(), await byUs()))).toEqual(payload);
  });

  const forgeries: Record<string, () => Promise<string>> = {
    'without an algorithm': async () => `${encode(await header({ alg: 'none' }))}.${encode(payload)}.`,
    'without an algorithm, with our signature': async () => forge(await header({ alg: 'none' }), await byUs()),
    'by HMAC with the public key as secret': async () => {
      const key = createPublicKey({ key: { ...(await readJwk('public-keys.json')) }, format: 'jwk' });
      return forge(await header({ alg: 'HS256' }), (text) => createHmac('sha256', key.export({ type: 'spki', format: 'pem' })).update(text).digest());
    },
    'by HMAC with the bytes of the public key as secret': async () => {
      const { x } = await readJwk('public-keys.json');
      return forge(await header({ alg: 'HS256' }), (text) => createHmac('sha256', Buffer.from(x, 'base64url')).update(text).digest());
    },
    'by HMAC under the name of EdDSA': async () => {
      const { x } = await readJwk('public-keys.json');
      return forge(await header(), (text) => createHmac('sha512', Buffer.from(x, 'base64url')).update(text).digest());
    },
    'by a stranger under our name': async () => forge(await header(), byStranger),
    'by a stranger under their own name': async () => forge(await header({ kid: 'stranger' }), byStranger),
    'by a stranger who brings the key along': async () => forge(await header({ jwk: stranger.publicKey.export({ format: 'jwk' }) }), byStranger),
    'by a stranger who says where the key is': async () => forge(await header({ jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/' }), byStranger),
    'of another type': async () => forge(await header({ typ: 'JWT' }), await byUs()),
    'of no type': async () => forge(await header({ typ: undefined }), await byUs()),
    'of no key': async () => forge(await header({ kid: undefined }), await byUs()),
    'with a key that is no text': async () => forge(await header({ kid: ['x'] }), await byUs()),
    'with an extension that we do not know': async () => forge(await header({ crit: ['exp'], exp: 0 }), await byUs()),
    'over another payload': async () => {
      const [head = '', , signature = ''] = (await keys.keyring.sign('decision', payload)).split('.');
      return `${head}.${encode({ ...payload, verdict: 'reject' })}.${signature}`;
    },
    'over a payload that is no JSON': async () => forge(await header(), await byUs(), 'approve'),
    'with a bit turned': async () => {
      const jws = await keys.keyring.sign('decision', payload);
      const at = jws.lastIndexOf('.') + 5;
      return `${jws.slice(0, at)}${jws[at] === 'A' ? 'B' : 'A'}${jws.slice(at + 1)}`;
    },
    'cut short': async () => (await keys.keyring.sign('decision', payload)).slice(0, -4),
    'that is no JWS': async () => 'approved',
    'that is empty': async () => '',
    'of two dots': async () => '..',
    'of a header that is no object': async () => `${encode('null')}.${encode(payload)}.`,
  };
  it.each(Object.keys(forgeries))('%s is refused', async (name) => {
    const forged = (await forgeries[name]?.()) ?? '';
    expect([await keys.keyring.verify('decision', forged), await keys.keyring.recall('decision', forged)]).toEqual([undefined, undefined]);
  });
});

describe('keys', () => {
  it('of before a rotation stay good, and the new one signs', async () => {
    const before = await keys.keyring.sign('decision', payload);
    const [first] = await keys.keyring.list();
    const { keyId } = await keys.keyring.rotate();
    expect(await keys.keyring.verify('decision', before)).toEqual(payload);
    expect(await keys.keyring.list()).toEqual([{ ...first, state: 'verifying' }, { keyId, madeAt: expect.any(String), state: 'signing' }]);
    const [header = ''] = (await keys.keyring.sign('decision', payload)).split('.');
    expect(Buffer.from(header, 'base64url').toString()).toContain(keyId);
  });

  it('that are revoked verify nothing, and the one that signs is not revoked', async () => {
    const before = await keys.keyring.sign('decision', payload);
    const [first] = await keys.keyring.list();
    const keyId = first?.keyId ?? '';
    expect([await keys.keyring.revoke('nonsense'), await keys.keyring.revoke(keyId)]).toEqual(['unknownKey', 'isSigning']);
    await keys.keyring.rotate();
    expect([await keys.keyring.revoke(keyId), await keys.keyring.revoke(keyId)]).toEqual(['revoked', 'revoked']);
    expect(await keys.keyring.verify('decision', before)).toBeUndefined();
    expect(await keys.keyring.recall('decision', before)).toEqual({ payload, keyId, isRevoked: true });
    expect(await keys.keyring.recall('checkpoint', before)).toBeUndefined();
    expect((await keys.keyring.list()).map(({ state }) => state)).toEqual(['revoked', 'signing']);
  });

  it('that another process rotates and revokes are noticed at the next use', async () => {
    const elsewhere = openKeyring(folder);
    const before = await elsewhere.sign('decision', payload);
    const [first] = await elsewhere.list();
    await keys.keyring.rotate();
    expect(await elsewhere.verify('decision', await keys.keyring.sign('decision', payload))).toEqual(payload);
    expect(await keys.keyring.verify('decision', await elsewhere.sign('decision', payload))).toEqual(payload);
    await keys.keyring.revoke(first?.keyId ?? '');
    expect(await elsewhere.verify('decision', before)).toBeUndefined();
  });

  it('that many rotate at once are all kept', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => openKeyring(folder).rotate()));
    expect((await keys.keyring.list()).map(({ keyId }) => keyId).slice(1).toSorted()).toEqual(made.map(({ keyId }) => keyId).toSorted());
  });

  it('are made once, however many begin', async () => {
    const fresh = join(folder, 'nested', 'keys');
    const made = await Promise.all(Array.from({ length: 5 }, () => makeFirstKey(fresh)));
    expect(new Set(made.map(({ keyId }) => keyId)).size).toBe(1);
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await openKeyring(fresh).list()).toHaveLength(1);
    expect((await stat(fresh)).mode & 0o777).toBe(0o700);
    expect((await stat(join(fresh, 'private-key.json'))).mode & 0o777).toBe(0o600);
    expect((await readdir(fresh)).filter((name) => !name.startsWith('lock.')).toSorted()).toEqual(['private-key.json', 'public-keys.json']);
  });

  it('verify without the private one, as a worker has them', async () => {
    const jws = await keys.keyring.sign('decision', payload);
    const handed = await mkdtemp(join(tmpdir(), 'sluice-handed-'));
    await copyFile(join(folder, 'public-keys.json'), join(handed, 'public-keys.json'));
    expect(await openKeyring(handed).verify('decision', jws)).toEqual(payload);
    expect(await openVerifier(join(handed, 'public-keys.json')).verify('decision', jws)).toEqual(payload);
    expect((await openKeyring(handed).list()).map(({ state }) => state)).toEqual(['verifying']);
    await expect(openKeyring(handed).sign('decision', payload)).rejects.toThrow(/private-key\.json/);
    await rm(handed, { recursive: true });
  });

  it('that are missing or spoilt stop with what to do', async () => {
    await expect(openKeyring('/nowhere').sign('decision', payload)).rejects.toThrow(/no \/nowhere\/private-key\.json.*npx sluice keys make \/nowhere/);
    await expect(openKeyring('/nowhere').list()).rejects.toThrow(/npx sluice keys make/);
    await keys.keyring.rotate();
    await writeFile(join(folder, 'public-keys.json'), '{"keys": [');
    await expect(keys.keyring.list()).rejects.toThrow(/public-keys\.json is not a set of Ed25519 keys/);
  });

  it('whose halves do not belong together sign nothing', async () => {
    const other = await freshKeys();
    await copyFile(join(other.folder, 'private-key.json'), join(folder, 'private-key.json'));
    await expect(keys.keyring.sign('decision', payload)).rejects.toThrow(/do not belong together/);
    await other.close();
  });

  it('stay private when they are rotated', async () => {
    await chmod(join(folder, 'private-key.json'), 0o644);
    await keys.keyring.rotate();
    expect((await stat(join(folder, 'private-key.json'))).mode & 0o777).toBe(0o600);
  });
});
