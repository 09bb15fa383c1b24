import { and, asc, eq, gt, sql } from 'drizzle-orm';
import type { Actor, Role } from '../domain/actor.js';
import { appendAudit } from './audit-writer.js';
import type { Connection } from './database.js';
import { people } from './schema.js';

export type PersonRow = typeof people.$inferSelect;
export interface NewPerson {
  readonly workspaceId: string;
  readonly person: string;
  readonly role: Role;
  /** Team and user of Slack, as `T…/U…`. */
  readonly slackUser: string;
  readonly changedBy: string;
}

/** A page of a workspace's people by name, after the one named `after`. */
export async function listPeople(db: Connection, workspaceId: string, { after, limit }: { readonly after: string | null; readonly limit: number }): Promise<readonly PersonRow[]> {
  return db
    .select()
    .from(people)
    .where(and(eq(people.workspaceId, workspaceId), after === null ? undefined : gt(people.person, after)))
    .orderBy(asc(people.person))
    .limit(limit);
}

/** Who a Slack user is in this workspace, and what they may do there. */
export async function findBySlackUser(db: Connection, workspaceId: string, slackUser: string): Promise<Actor | undefined> {
  const [actor] = await db
    .select({ person: people.person, role: people.role, workspaceId: people.workspaceId })
    .from(people)
    .where(and(eq(people.workspaceId, workspaceId), eq(people.slackUser, slackUser)));
  return actor;
}

export type PersonChange =
  | { readonly kind: 'set'; readonly row: PersonRow }
  /** The Slack user is somebody else here. */
  | { readonly kind: 'slackUserTaken'; readonly by: string };

/** Says who a Slack user is and what they may do, and records that. Where it is so already, nothing is changed and nothing recorded. */
export async function setPerson(db: Connection, draft: NewPerson): Promise<PersonChange> {
  const { workspaceId, person, role, slackUser, changedBy } = draft;
  return db.transaction(async (tx) => {
    // One change of people at a time, so that what is compared is what is changed.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`sluice people ${workspaceId}`}, 0))`);
    const holder = await findBySlackUser(tx, workspaceId, slackUser);
    if (holder !== undefined && holder.person !== person) return { kind: 'slackUserTaken', by: holder.person };
    const [before] = await tx.select().from(people).where(isPerson(workspaceId, person));
    if (before?.role === role && before.slackUser === slackUser) return { kind: 'set', row: before };
    const [row] = await tx
      .insert(people)
      .values(draft)
      .onConflictDoUpdate({ target: [people.workspaceId, people.person], set: { role, slackUser, changedBy, changedAt: sql`now()` } })
      .returning();
    if (row === undefined) throw new Error('An upsert returned no row');
    const was = before === undefined ? null : { role: before.role, slackUser: before.slackUser };
    await appendAudit(tx, workspaceId, { kind: 'person.changed', actor: changedBy, subject: person, details: { role, slackUser, was } });
    return { kind: 'set', row };
  });
}

/** Forgets somebody and records that. Undefined where the workspace has no such person. */
export async function removePerson(
  db: Connection,
  { workspaceId, person, changedBy }: { readonly workspaceId: string; readonly person: string; readonly changedBy: string },
): Promise<PersonRow | undefined> {
  return db.transaction(async (tx) => {
    const [row] = await tx.delete(people).where(isPerson(workspaceId, person)).returning();
    if (row === undefined) return undefined;
    await appendAudit(tx, workspaceId, { kind: 'person.removed', actor: changedBy, subject: person, details: { role: row.role, slackUser: row.slackUser } });
    return row;
  });
}

const isPerson = (workspaceId: string, person: string) => and(eq(people.workspaceId, workspaceId), eq(people.person, person));
