import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type CryptoKey, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import type { OidcYaml } from '../../contracts/oidc-yaml.js';

const KEY_ID = 'issuer-1';
const AUDIENCE = 'sluice';

/** An OIDC issuer of the arena: its discovery document and keys by HTTP, and whatever JWTs somebody wants of it. */
export interface Issuer {
  /** Whose groups are added as workspaces come. */
  readonly settings: OidcYaml;
  readonly publicKey: { readonly jwk: JWK; readonly pem: string };
  /** A JWT as the issuer makes them, but for what is changed. */
  sign(claims: JWTPayload, change?: { readonly header?: Partial<JWTHeaderParameters>; readonly key?: CryptoKey | Uint8Array; readonly neverExpires?: boolean }): Promise<string>;
  close(): Promise<void>;
}

export async function openIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  const server = createServer(({ url }, reply) => {
    const document = url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` };
    reply.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    settings: { issuer, audience: AUDIENCE, personClaim: 'preferred_username', groupsClaim: 'groups', groups: {} },
    publicKey: { jwk, pem: await exportSPKI(publicKey) },
    sign: (claims, { header = {}, key = privateKey, neverExpires = false } = {}) =>
      new SignJWT({ iss: issuer, aud: AUDIENCE, ...(neverExpires ? {} : { exp: inSeconds(3_600) }), ...claims }).setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT', ...header }).sign(key),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As a JWT says a moment. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;
