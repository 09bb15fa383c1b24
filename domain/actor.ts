export const roles = ['viewer', 'responder', 'supervisor', 'admin', 'agent'] as const;
export type Role = (typeof roles)[number];
/** Roles that a gate may ask for. */
export const decidingRoles = ['responder', 'supervisor', 'admin'] as const;
export type DecidingRole = (typeof decidingRoles)[number];

/** A person or agent as the token names them; never as a body does. */
export interface Actor {
  readonly person: string;
  readonly role: Role;
  readonly workspaceId: string;
}

/** Who decides where policy lets a plan run by itself. No token is ever made for it. */
export const SYSTEM = 'SYSTEM';

/** Whether a person may be called this: all of it can be seen, it has one spelling, and nobody takes it for Sluice itself. */
export const isPersonName = (name: string): boolean =>
  name !== '' && name === name.normalize('NFKC').trim() && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name) && name.toUpperCase() !== SYSTEM;

/** Whether two names are one person's, as tokens, an issuer and a chat may write them. */
export const isSamePerson = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const rank: Record<Role, number> = { agent: 0, viewer: 1, responder: 2, supervisor: 3, admin: 4 };

/** Each role may do what the ones before it may: viewer, responder, supervisor, admin. An agent is none of them. */
export function isAtLeast(role: Role, needed: Exclude<Role, 'agent'>): boolean {
  return rank[role] >= rank[needed];
}

/** The one of these roles that may do most. */
export const toHighestRole = (given: readonly Role[]): Role | undefined => given.toSorted((one, other) => rank[other] - rank[one])[0];
