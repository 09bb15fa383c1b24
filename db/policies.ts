import { and, desc, eq } from 'drizzle-orm';
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

/** The policy that holds now. Throws `PolicyMissing` where the workspace has none: nothing may be decided without one. */
export async function readPolicy(db: Connection, workspaceId: string): Promise<PolicyRow> {
  const [row] = await listPolicies(db, workspaceId, 1);
  if (row === undefined) throw new PolicyMissing(workspaceId);
  return row;
}

/** The last policies of a workspace, newest first. */
export async function listPolicies(db: Connection, workspaceId: string, limit: number): Promise<readonly PolicyRow[]> {
  return db.select().from(policies).where(eq(policies.workspaceId, workspaceId)).orderBy(desc(policies.version)).limit(limit);
}

/** Signs a policy with a key that only the API has. */
export type SignPolicy = (policy: SignedPolicy) => Promise<string>;

export type PolicyChange = { readonly kind: 'changed'; readonly row: PolicyRow } | { readonly kind: 'overtaken'; readonly row: PolicyRow };

/** Replaces the policy of version `seen`; somebody else's change in between is not overwritten. The same policy again changes nothing. */
export async function changePolicy(
  db: Database,
  sign: SignPolicy,
  change: { readonly workspaceId: string; readonly policy: Policy; readonly seen: number; readonly changedBy: string; readonly reason: string },
): Promise<PolicyChange> {
  const { seen, ...row } = change;
  return db.transaction(async (tx) => {
    const before = await readPolicy(tx, row.workspaceId);
    const isSame = isSamePolicy(before.policy, row.policy);
    if (before.version !== seen) return { kind: isSame ? 'changed' : 'overtaken', row: before };
    if (isSame) return { kind: 'changed', row: before };
    const { workspaceId, policy } = row;
    const version = seen + 1;
    const written = await write(tx, { ...row, version, signature: await sign({ workspaceId, version, policy: toPolicyText(policy) }) });
    return written === undefined ? { kind: 'overtaken', row: await readPolicy(tx, row.workspaceId) } : { kind: 'changed', row: written };
  });
}

/** Takes over what sluice.yaml says, where it is not what the file said last. What people changed since stays until the file changes. */
export async function adoptPolicy(db: Database, workspaceId: string, policy: Policy): Promise<void> {
  await db.transaction(async (tx) => {
    // Before what the file said last is looked up: whoever adopts it in between has taken the version after this one.
    const [last] = await listPolicies(tx, workspaceId, 1);
    const [fromFile] = await tx
      .select()
      .from(policies)
      .where(and(eq(policies.workspaceId, workspaceId), eq(policies.changedBy, FILE)))
      .orderBy(desc(policies.version))
      .limit(1);
    if (fromFile !== undefined && isSamePolicy(fromFile.policy, policy)) return;
    await write(tx, { workspaceId, policy, version: (last?.version ?? 0) + 1, signature: null, changedBy: FILE, reason: fromFile === undefined ? 'the first policy' : 'the file was changed' });
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
