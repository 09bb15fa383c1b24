import { base64url, generateKeyPair, type JWTPayload } from 'jose';
import { inSeconds } from '../issuer.js';
import { type DoorKind, type Knock, sayWith, spoil, toDoorKind } from '../knock.js';

interface Forgery {
  readonly name: string;
  readonly forge: (knock: Knock, claims: JWTPayload) => Promise<string>;
}

const encode = (value: object): string => base64url.encode(JSON.stringify(value));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const issuerOf = ({ lane }: Knock) => lane.arena.issuer;

const forgeries: readonly Forgery[] = [
  {
    name: 'JWT, alg none',
    async forge({ chance, lane }, claims) {
      const { issuer, audience } = lane.arena.issuer.settings;
      const header = { alg: chance.pick(['none', 'None', 'NONE', 'RS256', '']), typ: 'JWT', kid: lane.arena.issuer.publicKey.jwk.kid };
      return `${encode(header)}.${encode({ iss: issuer, aud: audience, exp: inSeconds(600), ...claims })}.${chance.pick(['', 'AA', base64url.encode(new Uint8Array(256))])}`;
    },
  },
  {
    name: 'JWT, HS256 with the public key',
    forge(knock, claims) {
      const { jwk, pem } = issuerOf(knock).publicKey;
      const key = knock.chance.pick([bytes(pem), bytes(pem.trim()), bytes(JSON.stringify(jwk)), base64url.decode(jwk.n ?? '')]);
      return issuerOf(knock).sign(claims, { header: { alg: knock.chance.pick(['HS256', 'HS384', 'HS512']) }, key });
    },
  },
  { name: 'JWT of another issuer', forge: (knock, claims) => issuerOf(knock).sign({ ...claims, iss: knock.chance.pick(['https://example.invalid', `${issuerOf(knock).settings.issuer}/`, issuerOf(knock).settings.issuer.toUpperCase(), '']) }) },
  { name: 'JWT for another audience', forge: (knock, claims) => issuerOf(knock).sign({ ...claims, aud: knock.chance.pick(['other', 'Sluice', 'sluice ', '', ['other', 'grafana'], []]) }) },
  { name: 'JWT that has expired', forge: (knock, claims) => issuerOf(knock).sign({ ...claims, exp: inSeconds(-61 - knock.chance.below(100_000)) }) },
  { name: 'JWT that never expires', forge: (knock, claims) => issuerOf(knock).sign(claims, { neverExpires: true }) },
  { name: 'JWT that is not good yet', forge: (knock, claims) => issuerOf(knock).sign({ ...claims, nbf: inSeconds(120 + knock.chance.below(100_000)) }) },
  { name: 'JWT under an unknown key', forge: (knock, claims) => issuerOf(knock).sign(claims, { header: { kid: knock.chance.pick([knock.chance.hex(16), '', '../keys', "' or true --"]) } }) },
  {
    name: "JWT signed by another's key",
    async forge(knock, claims) {
      const { privateKey } = await generateKeyPair('RS256');
      return issuerOf(knock).sign(claims, { key: privateKey });
    },
  },
  {
    name: 'JWT that brings its key along',
    async forge(knock, claims) {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true });
      const kid = knock.chance.pick([issuerOf(knock).publicKey.jwk.kid, knock.chance.hex(8)]);
      const header = knock.chance.pick([{ jku: 'https://example.invalid/keys' }, { jku: `${issuerOf(knock).settings.issuer}/keys` }, { jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }, { x5u: 'https://example.invalid/chain' }, { x5c: ['AAAA'] }]);
      return issuerOf(knock).sign(claims, { header: { ...header, ...(kid === undefined ? {} : { kid }) }, key: privateKey });
    },
  },
  {
    name: 'JWT with other claims under its signature',
    async forge(knock, claims) {
      const [header, , signature] = (await issuerOf(knock).sign({ ...claims, groups: [] })).split('.');
      const { issuer, audience } = issuerOf(knock).settings;
      return `${header}.${encode({ iss: issuer, aud: audience, exp: inSeconds(600), ...claims })}.${signature}`;
    },
  },
  {
    name: 'JWT with another character in its signature',
    async forge(knock, claims) {
      const [header, payload, signature = ''] = (await issuerOf(knock).sign(claims)).split('.');
      // The last one has bits that no byte is made of.
      return `${header}.${payload}.${spoil(signature.slice(0, -1), knock.chance)}${signature.slice(-1)}`;
    },
  },
  { name: 'JWT that is for something else', forge: (knock, claims) => issuerOf(knock).sign(claims, { header: { typ: knock.chance.pick(['logout+jwt', 'dpop+jwt', 'sluice-decision+jws', 'secevent+jwt']) } }) },
  { name: "JWT signed by Sluice's own key", forge: (knock, claims) => knock.lane.arena.keyring.sign(knock.chance.pick(['decision', 'checkpoint']), claims) },
  {
    name: 'JWT that is the signature of a decision',
    async forge({ lane }) {
      const other = await lane.exhibit('half approved', 'grave', (incident) => incident.answer('execution', 'sam'));
      const [said] = await lane.arena.sql<{ signature: string }>('select signature from decisions where incident_id = $1 limit 1', [other.id]);
      return said?.signature ?? '';
    },
  },
  { name: 'JWT with a critical header that nobody understands', forge: (knock, claims) => forgeCritical(knock, claims) },
];

async function forgeCritical(knock: Knock, claims: JWTPayload): Promise<string> {
  const [, payload, signature] = (await issuerOf(knock).sign(claims)).split('.');
  const { kid } = issuerOf(knock).publicKey.jwk;
  return `${encode({ alg: 'RS256', kid, typ: 'JWT', crit: ['b64'], b64: false })}.${payload}.${signature}`;
}

/** JWTs that the configured issuer has not made for us, or that do not count now. */
export const jwtKinds = forgeries.map(({ name, forge }) =>
  toDoorKind({
    name,
    weight: 6,
    refusals: ['not-authenticated'],
    async knock(knock) {
      const claims = { preferred_username: 'sam', groups: [knock.incident.desk.groupOf('supervisor')] };
      return sayWith(knock, `Bearer ${await forge(knock, claims)}`);
    },
  } satisfies DoorKind),
);
