import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { createOidc, type FindOidcActor } from '../../api/oidc.js';
import { authorize } from '../../api/plugins/authorization.js';
import { answerWithProblems } from '../../api/plugins/problems.js';
import { meRoute } from '../../api/routes/me.js';
import type { OidcYaml } from '../../contracts/oidc-yaml.js';
import { type Api, closeApis, detailOf, openApi, problemOf } from './open-api.js';
import { audience, type Claims, type Issuer, openIssuer } from './oidc-issuer.js';

const groups: OidcYaml['groups'] = {
  oncall: { workspace: 'shop', role: 'responder' },
  leads: { workspace: 'shop', role: 'supervisor' },
  readers: { workspace: 'shop', role: 'viewer' },
  bots: { workspace: 'shop', role: 'agent' },
  bankers: { workspace: 'bank', role: 'admin' },
};
const settings = (issuer: string, over: Partial<OidcYaml> = {}): OidcYaml => ({ issuer, audience, personClaim: 'email', groupsClaim: 'groups', groups, ...over });

const opened: Issuer[] = [];
async function open(...options: Parameters<typeof openIssuer>): Promise<Issuer> {
  const made = await openIssuer(...options);
  opened.push(made);
  return made;
}
let issuer: Issuer;
let stranger: Issuer;
let api: Api;
beforeAll(async () => {
  // RSA, because its public key as a text is what is mistaken for a secret.
  issuer = await open('RS256');
  stranger = await open();
  api = await openApi({ oidc: createOidc(settings(issuer.url), { cooldownMs: 0 }) });
});
afterAll(async () => {
  await closeApis();
  await Promise.all(opened.map((each) => each.close()));
});

/** A door without a house: what says who comes, and one route behind it. */
async function openDoor(oidc: FindOidcActor) {
  const app = fastify();
  answerWithProblems(app);
  authorize(app, oidc);
  await app.register(meRoute);
  return app;
}

const comeIn = (token: string, headers: Record<string, string> = {}, app = api.app) => app.inject({ url: '/api/me', headers: { authorization: `Bearer ${token}`, ...headers } });
const comeWith = async (claims: Claims, headers: Record<string, string> = {}) => comeIn(await issuer.sign(issuer.claims(claims)), headers);

describe("an issuer's token", () => {
  it('says who comes, and its groups what they may do', async () => {
    expect((await comeWith({})).json()).toEqual({ person: 'ana@example.org', role: 'responder', workspaceId: 'shop' });
    expect((await comeWith({ groups: ['readers', 'leads', 'unknown', 'constructor', 'bots'] })).json()).toMatchObject({ role: 'supervisor' });
    expect((await comeWith({ groups: 'readers' })).json()).toMatchObject({ role: 'viewer' });
    expect(problemOf(await comeWith({ groups: ['bots'] }))).toEqual([403, 'not-allowed']);
  });

  it('is one person, however the address is written', async () => {
    expect((await comeWith({ email: 'Ana@Example.org' })).json()).toMatchObject({ person: 'ana@example.org' });
  });

  it.each([
    ['no group that is mapped', { groups: ['unknown', 'constructor', '__proto__'] }, /None of your groups may do anything here/],
    ['no groups at all', { groups: undefined }, /None of your groups/],
    ['groups of another kind', { groups: { oncall: true } }, /None of your groups/],
    ['an address that nobody verified', { email_verified: false }, /not verified your email/],
    ['an address that is said to be verified', { email_verified: 'true' }, /not verified your email/],
    ['no address', { email: undefined }, /no claim email/],
    ['the name of Sluice itself', { email: 'system' }, /no name that a person can have/],
    ['a name that hides something', { email: 'ana\u200b@example.org' }, /no name that a person can have/],
  ])('with %s lets nobody in, and says why', async (_, claims, why) => {
    expect(detailOf(await comeWith(claims), 403, 'not-allowed')).toMatch(why);
  });

  it('with groups in several workspaces is asked which, once it is known to be good', async () => {
    const both = { groups: ['oncall', 'bankers'] };
    expect(detailOf(await comeWith(both), 400, 'workspace-needed')).toContain('shop, bank');
    expect((await comeWith(both, { 'sluice-workspace': 'bank' })).json()).toMatchObject({ role: 'admin', workspaceId: 'bank' });
    expect((await comeWith(both, { 'sluice-workspace': 'shop' })).json()).toMatchObject({ role: 'responder', workspaceId: 'shop' });
    expect(problemOf(await comeWith(both, { 'sluice-workspace': 'mint' }))).toEqual([403, 'not-allowed']);
    expect(problemOf(await comeWith({}, { 'sluice-workspace': 'bank' }))).toEqual([403, 'not-allowed']);
    expect(problemOf(await comeWith({ ...both, aud: 'other' }))).toEqual([401, 'not-authenticated']);
  });

  it.each(['at+jwt', 'application/at+jwt', 'jwt', undefined])('may be of the type %j', async (typ) => {
    expect((await comeIn(await issuer.sign(issuer.claims(), { typ }))).statusCode).toBe(200);
  });

  it('bears a clock that is a little off', async () => {
    expect((await comeWith({ exp: issuer.nowS() - 30, nbf: issuer.nowS() + 30 })).statusCode).toBe(200);
  });

  it('may name the person in a claim of its own', async () => {
    const app = await openDoor(createOidc(settings(issuer.url, { personClaim: 'sub', groupsClaim: 'roles' })));
    const token = await issuer.sign({ ...issuer.claims({ sub: 'Ana', roles: ['leads'] }), email_verified: false });
    expect((await comeIn(token, {}, app)).json()).toMatchObject({ person: 'Ana', role: 'supervisor' });
  });

  it('leaves our own tokens as they are, and is nothing where no issuer is configured', async () => {
    expect((await api.call('viewer', 'GET', '/api/me')).statusCode).toBe(200);
    const { app } = await openApi();
    expect(problemOf(await comeIn(await issuer.sign(issuer.claims()), {}, app))).toEqual([401, 'not-authenticated']);
  });
});

describe('a token that is not good', () => {
  const signedBy = async (secret: Uint8Array, header: object = {}) =>
    new SignJWT(issuer.claims()).setProtectedHeader({ alg: 'HS256', kid: 'first', ...header }).sign(secret);
  const tamper = (token: string) => {
    const [header, , signature] = token.split('.');
    return [header, Buffer.from(JSON.stringify(issuer.claims({ groups: ['bankers'] }))).toString('base64url'), signature].join('.');
  };
  /** Signed by a key that the token itself brings along, or says where to find. */
  const ownKey = async (header: (publicJwk: object) => object, kid = 'first') => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    return new SignJWT(issuer.claims()).setProtectedHeader({ alg: 'RS256', kid, ...header(await exportJWK(publicKey)) }).sign(privateKey);
  };
  const tokens: Record<string, () => Promise<string>> = {
    'is not signed': async () => new UnsecuredJWT(issuer.claims()).encode(),
    'says none in another spelling': async () => `${Buffer.from('{"alg":"nOnE"}').toString('base64url')}.${Buffer.from(JSON.stringify(issuer.claims())).toString('base64url')}.`,
    'is signed with the public key as if it were a secret': async () => signedBy(new TextEncoder().encode(await issuer.publicPem())),
    'is signed with the public key as JSON': async () => signedBy(new TextEncoder().encode(JSON.stringify(issuer.publicJwk()))),
    'is signed with a secret': async () => signedBy(randomBytes(32)),
    'has other claims than were signed': async () => tamper(await issuer.sign(issuer.claims())),
    'has lost its signature': async () => (await issuer.sign(issuer.claims())).replace(/[^.]+$/, ''),
    'is of another issuer': async () => stranger.sign(stranger.claims()),
    'is of another issuer and says that it is of ours': async () => stranger.sign(issuer.claims()),
    'is by another key under the name of the right one': async () => ownKey(() => ({})),
    'says that another issuer made it': async () => issuer.sign(issuer.claims({ iss: stranger.url })),
    'is for another client': async () => issuer.sign(issuer.claims({ aud: 'grafana', azp: audience })),
    'is for several others': async () => issuer.sign(issuer.claims({ aud: ['grafana', 'sluice-test'] })),
    'is for nobody': async () => issuer.sign(issuer.claims({ aud: undefined })),
    'has expired': async () => issuer.sign(issuer.claims({ exp: issuer.nowS() - 61 })),
    'never expires': async () => issuer.sign(issuer.claims({ exp: undefined })),
    'expires in words': async () => issuer.sign({ ...issuer.claims(), exp: 'tomorrow' }),
    'is not valid yet': async () => issuer.sign(issuer.claims({ nbf: issuer.nowS() + 120 })),
    'is by a key that nobody knows': async () => issuer.sign(issuer.claims(), { kid: 'unknown' }),
    'is a logout token': async () => issuer.sign(issuer.claims(), { typ: 'logout+jwt' }),
    'names an extension that nobody knows': async () => issuer.sign(issuer.claims(), { crit: ['urn:new'], 'urn:new': true }, { crit: { 'urn:new': true } }),
    'brings its own key': async () => ownKey((jwk) => ({ jwk })),
    'says where its own keys are': async () => ownKey(() => ({ jku: `${stranger.url}/keys` }), 'mine'),
    'says where its own certificate is': async () => ownKey(() => ({ x5u: `${stranger.url}/cert` })),
    'is garbage': async () => 'a.b.c',
    'is JSON in base64, and no token': async () => ['{}', '{}', '{}'].map((part) => Buffer.from(part).toString('base64url')).join('.'),
    'has an array for its claims': async () => ['{"alg":"RS256"}', '[]', 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.'),
    'is too large': async () => issuer.sign(issuer.claims({ filler: 'x'.repeat(16_000) })),
    'is five parts': async () => 'a.b.c.d.e',
  };

  it.each(Object.keys(tokens))('because it %s lets nobody in, and is told nothing of the inside', async (name) => {
    const token = (await tokens[name]?.()) ?? '';
    const keysOfStranger = stranger.keyFetches();
    const reply = await comeIn(token);
    expect(problemOf(reply)).toEqual([401, 'not-authenticated']);
    expect(reply.headers['www-authenticate']).toContain('Bearer');
    expect(reply.body).not.toMatch(/jose|jwks|jws|signature|claim|kid|alg|127\.0\.0\.1|stack| at /i);
    expect(stranger.keyFetches()).toBe(keysOfStranger);
  });
});

describe("the issuer's keys", () => {
  it('are fetched once for many tokens', async () => {
    const app = await openDoor(createOidc(settings(issuer.url)));
    const before = issuer.keyFetches();
    const token = await issuer.sign(issuer.claims());
    const replies = await Promise.all(Array.from({ length: 5 }, () => comeIn(token, {}, app)));
    expect([replies.map(({ statusCode }) => statusCode), issuer.keyFetches() - before]).toEqual([[200, 200, 200, 200, 200], 1]);
  });

  it('are fetched anew for one that is not known, but not for each that comes', async () => {
    const app = await openDoor(createOidc(settings(issuer.url), { cooldownMs: 60_000 }));
    expect((await comeIn(await issuer.sign(issuer.claims()), {}, app)).statusCode).toBe(200);
    const before = issuer.keyFetches();
    for (const kid of ['a', 'b', 'c']) expect(problemOf(await comeIn(await issuer.sign(issuer.claims(), { kid }), {}, app))).toEqual([401, 'not-authenticated']);
    expect(issuer.keyFetches()).toBe(before);
  });

  it('are found again when they were rotated, and the one before is not good any more', async () => {
    const rotating = await open();
    const app = await openDoor(createOidc(settings(rotating.url), { cooldownMs: 0 }));
    const old = await rotating.sign(rotating.claims());
    expect((await comeIn(old, {}, app)).statusCode).toBe(200);
    await rotating.rotate('second');
    expect((await comeIn(await rotating.sign(rotating.claims()), {}, app)).statusCode).toBe(200);
    expect(problemOf(await comeIn(old, {}, app))).toEqual([401, 'not-authenticated']);
  });
});

describe('an issuer that does not answer as it should', () => {
  it.each(['silent', 'broken', 'lying'] as const)('because it is %s is no reason to refuse a token for good, and is found again', async (state) => {
    const away = await open();
    const app = await openDoor(createOidc(settings(away.url), { cooldownMs: 0 }));
    const token = await away.sign(away.claims());
    away.be(state);
    const reply = await comeIn(token, {}, app);
    expect(problemOf(reply)).toEqual([503, 'unavailable']);
    expect(reply.body).not.toMatch(/secret|evil|127\.0\.0\.1|fetch/);
    away.be('well');
    expect((await comeIn(token, {}, app)).statusCode).toBe(200);
    // With its keys at hand it is not needed.
    away.be(state);
    expect((await comeIn(token, {}, app)).statusCode).toBe(200);
  });

  it('is left alone for a while, however many tokens come', async () => {
    const away = await open();
    const app = await openDoor(createOidc(settings(away.url), { cooldownMs: 60_000 }));
    const token = await away.sign(away.claims());
    away.be('broken');
    const together = await Promise.all(Array.from({ length: 5 }, () => comeIn(token, {}, app)));
    away.be('well');
    expect([...together, await comeIn(token, {}, app)].map(problemOf)).toEqual(Array.from({ length: 6 }, () => [503, 'unavailable']));
    expect([away.discoveries(), away.keyFetches()]).toEqual([1, 0]);
  });

  it('is asked again now and then where its keys are, and what it said last counts while it is away', async () => {
    const moving = await open();
    const app = await openDoor(createOidc(settings(moving.url), { cooldownMs: 0, refreshMs: 0 }));
    const token = await moving.sign(moving.claims());
    for (const asked of [1, 2]) expect([(await comeIn(token, {}, app)).statusCode, moving.discoveries()]).toEqual([200, asked]);
    moving.be('broken');
    expect([(await comeIn(token, {}, app)).statusCode, moving.discoveries()]).toEqual([200, 3]);
  });
});
