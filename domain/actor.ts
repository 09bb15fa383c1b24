export const roles = ['viewer', 'responder', 'supervisor', 'admin', 'agent', 'executor'] as const;
export type Role = (typeof roles)[number];
/** Roles of people, each of whom may do what those before may. */
export const peopleRoles = ['viewer', 'responder', 'supervisor', 'admin'] as const;
export type PersonRole = (typeof peopleRoles)[number];
/** Roles that a gate may ask for. */
export const decidingRoles = ['responder', 'supervisor', 'admin'] as const;
export type DecidingRole = (typeof decidingRoles)[number];

/** A person or agent as the token names them, or an executor worker, whose person is its queue; never as a body does. */
export interface Actor {
  readonly person: string;
  readonly role: Role;
  readonly workspaceId: string;
}

/** Who decides where policy lets a plan run by itself. No token is ever made for it. */
export const SYSTEM = 'SYSTEM';

/** What the record calls Sluice and its file, in one case. */
const reserved = [SYSTEM, 'sluice', 'sluice.yaml'].map((name) => toOneSpelling(name));
// U+2800 is a letter of Braille with no dots: a blank that counts as a sign.
const unseen = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]|[^\S ]| {2}/u;

/** Whether a person may be called this: all of it can be seen, it has one spelling, and nobody takes it for Sluice itself. */
export const isPersonName = (name: string): boolean =>
  name !== '' && name === name.normalize('NFKC').trim() && !unseen.test(name) && !reserved.includes(toOneSpelling(name));

/** The one spelling of all that a person's name may have in tokens, at an issuer and in a chat. People are counted by it. */
export function toOneSpelling(person: string): string {
  // To upper case first, because some letters are the same only there.
  return person.normalize('NFKC').toUpperCase().toLowerCase();
}

/** Whether two names are one person's. */
export const isSamePerson = (one: string, other: string): boolean => toOneSpelling(one) === toOneSpelling(other);

const rank: Record<Role, number> = { executor: 0, agent: 0, viewer: 1, responder: 2, supervisor: 3, admin: 4 };

/** Each role may do what the ones before it may: viewer, responder, supervisor, admin. An agent is none of them, nor is an executor. */
export function isAtLeast(role: Role, needed: PersonRole): boolean {
  return rank[role] >= rank[needed];
}

/** The one of these roles that may do most. */
export const toHighestRole = (given: readonly Role[]): Role | undefined => given.toSorted((one, other) => rank[other] - rank[one])[0];
