import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { isSafeToFetch, type OidcYaml } from '../contracts/oidc-yaml.js';
import { type Actor, isPersonName, toHighestRole } from '../domain/actor.js';
import { NotAllowed, NotAuthenticated, Unavailable, WorkspaceNeeded } from './errors.js';

// Signatures that only the issuer can make. A shared secret is not among them, so that its public key is never taken for one.
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const types: readonly (string | undefined)[] = ['jwt', 'at+jwt', 'application/at+jwt', undefined];
const CLOCK_SKEW_S = 60;
// A header with many groups is about half of this; what is larger is not even decoded.
const MAX_LENGTH = 12_288;
const TIMEOUT_MS = 5_000;
const COOLDOWN_MS = 30_000;
const REFRESH_MS = 3_600_000;

/** Who a JWT of the issuer speaks for. `wantedWorkspace` is the one that the request names, where it names one. */
export type FindOidcActor = (token: string, wantedWorkspace: string | undefined) => Promise<Actor>;

interface Pauses {
  /** How long an issuer that did not answer is not asked again, and how seldom its keys are fetched anew for one that is unknown. */
  readonly cooldownMs?: number;
  /** How long it counts where the issuer said that its keys are. */
  readonly refreshMs?: number;
}

/** Takes in the JWTs of one issuer. Where its keys are is asked when the first one comes. */
export function createOidc(settings: OidcYaml, { cooldownMs = COOLDOWN_MS, refreshMs = REFRESH_MS }: Pauses = {}): FindOidcActor {
  let known: JWTVerifyGetKey | undefined;
  let discovery: Promise<JWTVerifyGetKey> | undefined;
  let askAgainAt = 0;
  async function discover(): Promise<JWTVerifyGetKey> {
    try {
      known = await findKeys(settings.issuer, cooldownMs);
      askAgainAt = performance.now() + refreshMs;
      return known;
    } catch (cause) {
      askAgainAt = performance.now() + cooldownMs;
      if (known === undefined) throw new IssuerAway(cause);
      return known;
    }
  }
  function readDiscovery(): Promise<JWTVerifyGetKey> {
    if (discovery !== undefined && performance.now() < askAgainAt) return discovery;
    // Until it has ended, whoever comes waits for this one.
    askAgainAt = Infinity;
    discovery = discover();
    return discovery;
  }
  const findKey: JWTVerifyGetKey = async (header, jws) => {
    const keys = await readDiscovery();
    try {
      return await keys(header, jws);
    } catch (error) {
      if (isAboutToken(error)) throw error;
      throw new IssuerAway(error);
    }
  };

  async function verify(token: string): Promise<JWTPayload> {
    if (token.length > MAX_LENGTH) throw new NotAuthenticated(`The token is longer than ${MAX_LENGTH} characters. Ask for one with fewer groups in it.`);
    try {
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_SKEW_S,
      });
      if (types.includes(protectedHeader.typ?.toLowerCase())) return payload;
    } catch (error) {
      if (error instanceof IssuerAway) throw new Unavailable('The issuer of your token does not answer as it should. Send the same request again in a few seconds; the log of the API has the reason.', { cause: error.cause });
      if (error instanceof errors.JWTExpired) throw new NotAuthenticated('The token has expired. Sign in again for a new one.');
      if (!(error instanceof errors.JOSEError)) throw error;
    }
    throw new NotAuthenticated('The token is not one that the configured issuer has made for Sluice and that counts now. Sign in again for a new one.');
  }

  return async (token, wantedWorkspace) => {
    const claims = await verify(token);
    const person = readPerson(settings, claims);
    const granted = readGroups(claims[settings.groupsClaim]).flatMap((group) => (Object.hasOwn(settings.groups, group) ? (settings.groups[group] ?? []) : []));
    const workspaceId = chooseWorkspace([...new Set(granted.map(({ workspace }) => workspace))], wantedWorkspace);
    const role = toHighestRole(granted.filter(({ workspace }) => workspace === workspaceId).map((group) => group.role));
    if (role === undefined) throw new Error('A workspace was chosen that no group is for');
    return { person, role, workspaceId };
  };
}

class IssuerAway extends Error {
  constructor(override readonly cause: unknown) {
    super('The issuer does not answer as it should');
  }
}

/** Whether it is the token that is wrong, and not the issuer or the way there. */
const isAboutToken = (error: unknown): boolean =>
  error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys || error instanceof errors.JOSENotSupported;

/** The issuer's keys, from where its own discovery document says that they are; never from where a token says. */
async function findKeys(issuer: string, cooldownDuration: number): Promise<JWTVerifyGetKey> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS), headers: { accept: 'application/json' } });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const { issuer: named, jwks_uri: keysAt } = (await response.json()) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  if (named !== issuer) throw new Error(`${address} says that its issuer is ${JSON.stringify(named)}, and SLUICE_OIDC says ${issuer}`);
  if (typeof keysAt !== 'string' || !isSafeToFetch(keysAt)) throw new Error(`${address} names no jwks_uri that is safe to fetch`);
  return createRemoteJWKSet(new URL(keysAt), { timeoutDuration: TIMEOUT_MS, cooldownDuration });
}

function readPerson({ personClaim }: OidcYaml, claims: JWTPayload): string {
  const said = claims[personClaim];
  if (typeof said !== 'string') throw new NotAllowed(`Your token has no claim ${personClaim}, which says who you are. Ask your issuer's admin to add it.`);
  // Or anybody could enter somebody else's address at the issuer and be that person here.
  if (personClaim === 'email' && claims['email_verified'] !== true) throw new NotAllowed('Your issuer has not verified your email address, so it does not say who you are. Have it verified there, and sign in again.');
  // One mailbox is one person, however it is written: each person counts once at a gate.
  const person = personClaim === 'email' ? said.toLowerCase() : said;
  if (!isPersonName(person) || person.length > 200) throw new NotAllowed(`The claim ${personClaim} of your token is no name that a person can have here.`);
  return person;
}

const readGroups = (claim: unknown): readonly string[] => (Array.isArray(claim) ? claim : [claim]).filter((group) => typeof group === 'string');

function chooseWorkspace(workspaces: readonly string[], wanted: string | undefined): string {
  const [only, ...others] = workspaces;
  if (only === undefined) throw new NotAllowed('None of your groups may do anything here. Ask an admin to map one of them in the file that SLUICE_OIDC names, then sign in again.');
  if (wanted === undefined && others.length > 0) throw new WorkspaceNeeded(workspaces);
  if (wanted !== undefined && !workspaces.includes(wanted)) throw new NotAllowed(`None of your groups is for the workspace that the header Sluice-Workspace names. Yours: ${workspaces.join(', ')}.`);
  return wanted ?? only;
}
