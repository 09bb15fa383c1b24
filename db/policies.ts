import { and, desc, eq, isNotNull, isNull, lt } from 'drizzle-orm';
import type { Json } from '../domain/canonical.js';
import type { Policy, SignedPolicy } from '../domain/policy.js';
import { toPolicyText } from '../domain/policy.js';
import { appendAudit } from './audit-writer.js';
import type { Connection, Database } from './database.js';
import { policies } from './schema.js';

export type PolicyRow = typeof policies.$inferSelect;

/** Who changed the policy where the file did. */
const FILE = 'sluice.yaml';

export class PolicyMissing extends Error {
  override readonly name = 'PolicyMissing';
  constructor(workspaceId: string) {
    super(`The workspace ${workspaceId} has no policy yet. Start a worker whose sluice.yaml names it; that puts the first one in place.`);
  }
}

/** The newest policy, first, and before it all that carry a signature. */
export type PolicyRows = readonly [PolicyRow, ...PolicyRow[]];

/** The newest policy. Throws `PolicyMissing` where the workspace has none: nothing may be decided without one. */
export async function readPolicy(db: Connection, workspaceId: string): Promise<PolicyRow> {
  const [row] = await listPolicies(db, workspaceId, 1);
  if (row === undefined) throw new PolicyMissing(workspaceId);
  return row;
}

/** What `findHolding` chooses from: all that carry a signature, so that no number of newer rows hides one that is good. */
export async function readPolicies(db: Connection, workspaceId: string): Promise<PolicyRows> {
  const newest = await readPolicy(db, workspaceId);
  const signed = and(eq(policies.workspaceId, workspaceId), isNotNull(policies.signature), lt(policies.version, newest.version));
  return [newest, ...(await db.select().from(policies).where(signed).orderBy(desc(policies.version)))];
}

/** The last policies of a workspace, newest first. */
export async function listPolicies(db: Connection, workspaceId: string, limit: number): Promise<readonly PolicyRow[]> {
  return db.select().from(policies).where(eq(policies.workspaceId, workspaceId)).orderBy(desc(policies.version)).limit(limit);
}

/** Signs a policy with a key that only the API has. */
export type SignPolicy = (policy: SignedPolicy) => Promise<string>;

export type PolicyChange = { readonly kind: 'changed'; readonly row: PolicyRow } | { readonly kind: 'overtaken'; readonly row: PolicyRow };

/** Replaces the policy of version `seen`; somebody else's change in between is not overwritten. The same policy again is signed anew; repeated, the change finds itself. */
export async function changePolicy(
  db: Database,
  sign: SignPolicy,
  change: { readonly workspaceId: string; readonly policy: Policy; readonly seen: number; readonly changedBy: string; readonly reason: string },
): Promise<PolicyChange> {
  const { seen, ...row } = change;
  return db.transaction(async (tx) => {
    const before = await readPolicy(tx, row.workspaceId);
    if (before.version !== seen) return { kind: isSamePolicy(before.policy, row.policy) ? 'changed' : 'overtaken', row: before };
    const { workspaceId, policy } = row;
    const version = seen + 1;
    const written = await write(tx, { ...row, version, signature: await sign({ workspaceId, version, policy: toPolicyText(policy) }) });
    return written === undefined ? { kind: 'overtaken', row: await readPolicy(tx, row.workspaceId) } : { kind: 'changed', row: written };
  });
}

/** Takes over what sluice.yaml says, where it is not what the file said last. Once a person has set the policy the file is not followed any more. */
export async function adoptPolicy(db: Database, workspaceId: string, policy: Policy): Promise<'followed' | 'setByPerson'> {
  return db.transaction(async (tx) => {
    // Before what the file said last is looked up: whoever adopts it in between has taken the version after this one.
    const [last] = await listPolicies(tx, workspaceId, 1);
    const ofWorkspace = eq(policies.workspaceId, workspaceId);
    const [set] = await tx.select({ version: policies.version }).from(policies).where(and(ofWorkspace, isNotNull(policies.signature))).limit(1);
    if (set !== undefined) return 'setByPerson';
    const [fromFile] = await tx.select().from(policies).where(and(ofWorkspace, isNull(policies.signature))).orderBy(desc(policies.version)).limit(1);
    if (fromFile !== undefined && isSamePolicy(fromFile.policy, policy)) return 'followed';
    await write(tx, { workspaceId, policy, version: (last?.version ?? 0) + 1, signature: null, changedBy: FILE, reason: fromFile === undefined ? 'the first policy' : 'the file was changed' });
    return 'followed';
  });
}

/** Undefined where another wrote the same version first. */
async function write(tx: Connection, row: Omit<PolicyRow, 'createdAt'>): Promise<PolicyRow | undefined> {
  const [written] = await tx.insert(policies).values(row).onConflictDoNothing().returning();
  if (written === undefined) return undefined;
  const { workspaceId, version, policy, changedBy, reason, signature } = row;
  const text: Json = JSON.parse(toPolicyText(policy));
  await appendAudit(tx, workspaceId, { kind: 'policy.changed', actor: changedBy, subject: `version ${version}`, details: { reason, signature, policy: text } });
  return written;
}

const isSamePolicy = (one: Policy, other: Policy): boolean => toPolicyText(one) === toPolicyText(other);
