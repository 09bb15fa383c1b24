import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';
import { createOidc } from '../../api/oidc.js';
import { closeApis, openApi, problemOf } from './open-api.js';

const sluice = 'https://sluice.example.org';
const people: Readonly<Record<string, object>> = {
  ana: { email: 'ana@example.org', email_verified: true, groups: ['sre-oncall', 'everybody'] },
  bob: { email: 'bob@example.org', email_verified: true, groups: ['sre-leads', 'bank-leads'] },
  eve: { email: 'ana@example.org', email_verified: false, groups: ['sre-leads'] },
};

let server: Server;
let url: string;
/** Who is logged in at the provider is its client; it gives a JWT for a resource, and an opaque token without one. */
async function openProvider(): Promise<void> {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const provider = new Provider(url, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['x'] },
    clients: Object.keys(people).map((client_id) => ({ client_id, client_secret: 'secret', grant_types: ['client_credentials'], response_types: [], redirect_uris: [], id_token_signed_response_alg: 'ES256' })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: '', audience: resource, accessTokenTTL: 300, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
      },
    },
    extraTokenClaims: (_, token) => ({ ...people[token.clientId ?? ''] }),
  });
  const answer = provider.callback();
  server.on('request', (request, response) => void answer(request, response));
}

async function signIn(person: string, resource?: string): Promise<string> {
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${person}:secret`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(resource !== undefined && { resource }) }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { access_token: string }).access_token;
}

const groups = {
  'sre-oncall': { workspace: 'shop', role: 'responder' },
  'sre-leads': { workspace: 'shop', role: 'supervisor' },
  'bank-leads': { workspace: 'bank', role: 'admin' },
} as const;
let comeIn: (token: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
beforeAll(async () => {
  await openProvider();
  const { app } = await openApi({ oidc: createOidc({ issuer: url, audience: sluice, personClaim: 'email', groupsClaim: 'groups', groups }) });
  comeIn = async (token, headers = {}) => app.inject({ url: '/api/me', headers: { authorization: `Bearer ${token}`, ...headers } });
});
afterAll(async () => {
  await closeApis();
  server.close().closeAllConnections();
  await once(server, 'close');
});

describe('a token that a real provider gave', () => {
  it('for Sluice lets its person in as their groups say', async () => {
    expect((await comeIn(await signIn('ana', sluice))).json()).toEqual({ person: 'ana@example.org', role: 'responder', workspaceId: 'shop' });
    const bob = await signIn('bob', sluice);
    expect(problemOf(await comeIn(bob))).toEqual([400, 'workspace-needed']);
    expect((await comeIn(bob, { 'sluice-workspace': 'bank' })).json()).toEqual({ person: 'bob@example.org', role: 'admin', workspaceId: 'bank' });
  });

  it("with somebody else's address that was not verified lets nobody in", async () => {
    expect(problemOf(await comeIn(await signIn('eve', sluice)))).toEqual([403, 'not-allowed']);
  });

  it('for something else, or for nothing, lets nobody in', async () => {
    expect(problemOf(await comeIn(await signIn('ana', 'https://grafana.example.org')))).toEqual([401, 'not-authenticated']);
    expect(problemOf(await comeIn(await signIn('ana')))).toEqual([401, 'not-authenticated']);
  });
});
