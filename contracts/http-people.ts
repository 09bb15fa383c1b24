import { Type, type Static } from 'typebox';
import { peopleRoles, roles } from '../domain/actor.js';
import { Body, Cursor, Moment, Name, Nullable, Uuid, Words } from './http.js';

// In ranges, which every reader of JSON Schema knows; \p{Cc} is not known to all.
const Person = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$', description: 'As the audit and the gates name them.' });
const Limit = Type.Integer({ minimum: 1, maximum: 200, default: 50 });

export const Token = Type.Object({
  id: Uuid,
  person: Type.String(),
  role: Words(roles),
  name: Type.String({ description: 'What it is for.' }),
  state: Words(['usable', 'expired', 'revoked']),
  createdBy: Type.String(),
  createdAt: Moment,
  expiresAt: Moment,
  lastUsedAt: Type.Union([Moment, Type.Null()], { description: 'To the minute; null where it never was.' }),
  revokedAt: Nullable(Moment),
  revokedBy: Nullable(Type.String()),
});
export type Token = Static<typeof Token>;
export const TokensQuery = Type.Object({ limit: Type.Optional(Limit), cursor: Type.Optional(Cursor) });
export const TokenPage = Type.Object({ tokens: Type.Array(Token), nextCursor: Nullable(Uuid) });
export type TokenPage = Static<typeof TokenPage>;
export const NewTokenBody = Body({
  person: Person,
  role: Words(roles),
  name: Name,
  expiresAt: Type.String({ format: 'date-time', description: 'At most 366 days from now.' }),
});
export const MadeToken = Type.Object({ ...Token.properties, token: Type.String({ description: 'The token itself, this once: only its hash is kept.' }) });
export type MadeToken = Static<typeof MadeToken>;
export const TokenParams = Type.Object({ tokenId: Uuid });

const SlackUser = Type.String({ pattern: '^T[A-Z0-9]{1,40}/[UW][A-Z0-9]{1,40}$', description: 'Team and user of Slack, as `T0123/U0456`.' });
export const KnownPerson = Type.Object({ person: Type.String(), role: Words(roles), slackUser: Type.String(), changedBy: Type.String(), changedAt: Moment });
export type KnownPerson = Static<typeof KnownPerson>;
export const PeopleQuery = Type.Object({ limit: Type.Optional(Limit), cursor: Type.Optional(Person) });
export const PeoplePage = Type.Object({ people: Type.Array(KnownPerson), nextCursor: Nullable(Type.String()) });
export type PeoplePage = Static<typeof PeoplePage>;
export const PersonParams = Type.Object({ person: Person });
export const PersonBody = Body({ role: Words(peopleRoles), slackUser: SlackUser });
