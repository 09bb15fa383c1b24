import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { parseDocument } from 'yaml';
import { peopleRoles } from '../domain/actor.js';
import { WrongSettings } from './settings.js';

const Text = Type.String({ minLength: 1 });
const Group = Type.Object({ workspace: Text, role: Type.Enum([...peopleRoles, 'agent']) }, { additionalProperties: false });

/** Whose bearer JWTs count as a person's identity, and what the groups in them may do. */
export const OidcYaml = Type.Object(
  {
    issuer: Text,
    audience: Text,
    personClaim: Type.String({ minLength: 1, default: 'email' }),
    groupsClaim: Type.String({ minLength: 1, default: 'groups' }),
    groups: Type.Record(Text, Group, { minProperties: 1 }),
  },
  { additionalProperties: false },
);
export type OidcYaml = Static<typeof OidcYaml>;

/** Reads the text of the file that SLUICE_OIDC names. Throws `WrongSettings` with every mistake. */
export function readOidcYaml(text: string, file: string): OidcYaml {
  const fail = (mistakes: readonly string[]): never => {
    throw new WrongSettings(`${file}, which SLUICE_OIDC names, is wrong:\n  ${[...new Set(mistakes)].join('\n  ')}`);
  };
  const document = parseDocument(text, { uniqueKeys: true });
  if (document.errors.length > 0) return fail(document.errors.map(({ message }) => message.split('\n')[0] ?? ''));
  const content: unknown = Value.Default(OidcYaml, document.toJS());
  if (!Value.Check(OidcYaml, content)) {
    // A key that no schema has is reported twice: at its object, and as a value that no schema allows.
    const errors = Value.Errors(OidcYaml, content).filter(({ keyword }) => keyword !== 'additionalProperties');
    return fail(errors.map(({ instancePath, keyword, message }) => `${instancePath.slice(1).replaceAll('/', '.') || 'the file'} ${keyword === 'boolean' ? 'is unknown here' : message}`));
  }
  if (!isSafeIssuer(content.issuer)) return fail(['issuer must be an https address without query and fragment; http only for this machine itself']);
  return content;
}

function isSafeIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer) || /[?#\s]/.test(issuer)) return false;
  const { username, password } = new URL(issuer);
  return username === '' && password === '' && isSafeToFetch(issuer);
}

/** Whether nobody between here and there can read or change what is fetched from this address. */
export function isSafeToFetch(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' || (protocol === 'http:' && (hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname)));
}
