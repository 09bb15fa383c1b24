export const roles = ['viewer', 'responder', 'supervisor', 'admin', 'agent'] as const;
export type Role = (typeof roles)[number];

/** A person or agent as the token names them; never as a body does. */
export interface Actor {
  readonly person: string;
  readonly role: Role;
  readonly workspaceId: string;
}

const rank: Record<Role, number> = { agent: 0, viewer: 1, responder: 2, supervisor: 3, admin: 4 };

/** Each role may do what the ones before it may: viewer, responder, supervisor, admin. An agent is none of them. */
export function isAtLeast(role: Role, needed: Exclude<Role, 'agent'>): boolean {
  return rank[role] >= rank[needed];
}
