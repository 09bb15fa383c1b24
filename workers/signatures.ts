import type { Signatures } from '../activities/ports.js';
import type { SignedDecision } from '../domain/grant.js';
import { isSignedPolicy } from '../domain/policy.js';
import type { Verifier } from '../keys/keyring.js';

/** Reads what the API signed; its shape is that of what was signed. */
export const openSignatures = (verifier: Verifier): Signatures => ({
  readDecision: async (signature) => (await verifier.verify('decision', signature)) as SignedDecision | undefined,
  isPolicySigned: async (policy) => policy.signature !== null && isSignedPolicy(await verifier.verify('policy', policy.signature), policy),
});
