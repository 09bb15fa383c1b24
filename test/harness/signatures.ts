import { createHash } from 'node:crypto';
import type { Signatures } from '../../activities/ports.js';
import type { SignDecision } from '../../db/decisions.js';
import type { SignPolicy } from '../../db/policies.js';
import type { SignedDecision } from '../../domain/grant.js';
import { isSignedPolicy } from '../../domain/policy.js';

const seal = (text: string): string => createHash('sha256').update(`test ${text}`).digest('hex');

/** Stands in for the keys where a test is not about them: a seal that nobody but the test can make. */
const sign = async (payload: object): Promise<string> => {
  const text = JSON.stringify(payload);
  return `${Buffer.from(text).toString('base64url')}.${seal(text)}`;
};
export const testSign: SignDecision = sign;
export const testSignPolicy: SignPolicy = sign;

const open = (signature: string): unknown => {
  const [text = '', sealed] = signature.split('.');
  const plain = Buffer.from(text, 'base64url').toString();
  return seal(plain) === sealed ? JSON.parse(plain) : undefined;
};

export const testSignatures: Signatures = {
  readDecision: async (signature) => open(signature) as SignedDecision | undefined,
  isPolicySigned: async (policy) => policy.signature !== null && isSignedPolicy(open(policy.signature), policy),
};
