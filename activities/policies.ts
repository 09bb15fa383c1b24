import type { Policy } from '../domain/policy.js';
import type { PolicyRecord, Ports } from './ports.js';

/**
 * What holds of a policy in the record: itself where the API signed it for a person; else only what sluice.yaml, as this worker read it, asks for as well.
 * So nobody loosens it who can only write to the database.
 */
export async function toPolicies({ signatures, watch }: Pick<Ports, 'signatures' | 'watch'>, record: PolicyRecord): Promise<readonly Policy[]> {
  return (await signatures.isPolicySigned(record)) ? [record.policy] : [record.policy, watch.readWorkspace(record.workspaceId).startingPolicy];
}
