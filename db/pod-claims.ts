import { createHash } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { appendAudit } from './audit-writer.js';
import type { Database } from './database.js';
import { readKillSwitch } from './kill-switch.js';
import { executions, podClaims } from './schema.js';

export interface PodClaim {
  readonly key: string;
  /** In plain: whoever has it is a pod that was made for this execution. */
  readonly token: string;
  readonly pod: string;
  readonly claimant: string;
}

/** `unknown`: the token is not that of this execution. */
export type PodAnswer = 'yours' | 'unknown' | 'taken' | 'sealed' | 'notStarted' | 'killSwitch';

/** Who was first for a token. */
export type Sealing = { readonly kind: 'sealed' } | { readonly kind: 'claimed'; readonly pod: string };

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Lets the first pod run, and no other ever. The same one gets the same answer again. */
export async function claimForPod(db: Database, { key, token, pod, claimant }: PodClaim): Promise<PodAnswer> {
  const tokenHash = hash(token);
  return db.transaction(async (tx) => {
    const [row] = await tx.select().from(executions).where(eq(executions.key, key)).for('update');
    if (row === undefined || row.handle === null || !row.handle.includes(tokenHash)) return 'unknown';
    const [first] = await tx.select().from(podClaims).where(eq(podClaims.tokenHash, tokenHash));
    if (first !== undefined) return first.pod === null ? 'sealed' : first.pod === pod && first.claimant === claimant ? 'yours' : 'taken';
    if (row.state !== 'started') return 'notStarted';
    const { workspaceId, incidentId, digest, stepId } = row;
    if (await readKillSwitch(tx, workspaceId)) return 'killSwitch';
    // Pods wait for the row of the execution, whoever seals it does not.
    const [made] = await tx.insert(podClaims).values({ tokenHash, key, workspaceId, pod, claimant }).onConflictDoNothing().returning({ key: podClaims.key });
    if (made === undefined) return 'sealed';
    await appendAudit(tx, workspaceId, { kind: 'pod.claimed', actor: 'sluice', subject: incidentId, details: { key, digest, step: stepId, pod } });
    return 'yours';
  });
}

/** From then on no pod can claim under this token, or one had before. */
export async function sealPodClaim(db: Database, { workspaceId, key, tokenHash }: { readonly workspaceId: string; readonly key: string; readonly tokenHash: string }): Promise<Sealing> {
  await db.insert(podClaims).values({ tokenHash, key, workspaceId, pod: null, claimant: null }).onConflictDoNothing();
  const [first] = await db.select({ pod: podClaims.pod }).from(podClaims).where(eq(podClaims.tokenHash, tokenHash));
  return first === undefined || first.pod === null ? { kind: 'sealed' } : { kind: 'claimed', pod: first.pod };
}
