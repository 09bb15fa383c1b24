import { createHash } from 'node:crypto';
import { canonicalize } from '../domain/canonical.js';
import type { Plan } from '../domain/plan.js';
import { toDigestible } from '../domain/plan.js';

/** SHA-256 of a text, 64 hex digits. */
export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** The exact text of a plan and its SHA-256, 64 hex digits. */
export function freeze(plan: Plan): { readonly canonical: string; readonly digest: string } {
  const canonical = canonicalize(toDigestible(plan));
  return { canonical, digest: sha256(canonical) };
}

/** Reads a plan back from its text, if that text still has this digest. */
export function thaw(canonical: string, digest: string): Plan | undefined {
  if (sha256(canonical) !== digest) return undefined;
  const plan: Plan = JSON.parse(canonical);
  return plan;
}

/** The identity of one effect: 32 hex digits, fit for a resource name. */
export const toExecutionKey = (digest: string, stepId: string, kind: 'execute' | 'rollback'): string => sha256(canonicalize([digest, stepId, kind])).slice(0, 32);
