import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, type SignOptions } from 'jose';

export const audience = 'sluice';

/** What a token says, right or wrong. */
export type Claims = Readonly<Record<string, unknown>>;

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

type Algorithm = 'RS256' | 'ES256';

async function makeKey(alg: Algorithm, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** An issuer made by hand, to say what a real one never would. It counts how often it is asked where its keys are, and how often they are fetched. */
export async function openIssuer(alg: Algorithm = 'ES256') {
  let key = await makeKey(alg, 'first');
  let keyFetches = 0;
  let discoveries = 0;
  let state: 'well' | 'broken' | 'lying' | 'silent' = 'well';
  const server = createServer((request, response) => {
    const isKeys = request.url === '/keys';
    if (isKeys) keyFetches += 1;
    else discoveries += 1;
    if (state === 'silent') return void request.socket.destroy();
    if (state === 'broken') return void response.writeHead(500).end('secret stack trace');
    const document = { issuer: state === 'lying' ? 'https://evil.example.org' : url, jwks_uri: `${url}/keys` };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(isKeys ? { keys: [key.jwk] } : document));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const nowS = () => Math.floor(Date.now() / 1_000);

  return {
    url,
    keyFetches: () => keyFetches,
    discoveries: () => discoveries,
    be(next: typeof state) {
      state = next;
    },
    /** Replaces its key by another one. */
    async rotate(kid: string) {
      key = await makeKey(alg, kid);
    },
    publicPem: () => exportSPKI(key.publicKey),
    publicJwk: () => key.jwk,
    /** Claims of somebody who may come in; `undefined` leaves one out. */
    claims: (over: Claims = {}): Claims => ({ iss: url, aud: audience, sub: '1', exp: nowS() + 300, email: 'ana@example.org', email_verified: true, groups: ['oncall'], ...over }),
    sign: (claims: Claims, header: object = {}, options?: SignOptions) =>
      new SignJWT(claims).setProtectedHeader({ alg, kid: key.jwk.kid ?? '', typ: 'JWT', ...header }).sign(key.privateKey, options),
    nowS,
    async close() {
      server.close().closeAllConnections();
      await once(server, 'close');
    },
  };
}

export type Issuer = Awaited<ReturnType<typeof openIssuer>>;
