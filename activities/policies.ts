import { findHolding, type Policy } from '../domain/policy.js';
import type { PolicyRecords, Ports } from './ports.js';

/**
 * What holds of the policies in the record: the newest by itself where the API signed it for a person; else only together with the newest that it did sign,
 * and with what sluice.yaml, as this worker read it, asks for. So nobody loosens it who can only write to the database.
 */
export async function toPolicies({ signatures, watch }: Pick<Ports, 'signatures' | 'watch'>, records: PolicyRecords): Promise<readonly Policy[]> {
  const { policies, isProven } = await findHolding(records, (record) => signatures.isPolicySigned(record));
  return isProven ? policies : [...policies, watch.readWorkspace(records[0].workspaceId).startingPolicy];
}
