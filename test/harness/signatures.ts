import { createHash } from 'node:crypto';
import type { Signatures } from '../../activities/ports.js';
import type { SignDecision } from '../../db/decisions.js';
import type { SignedDecision } from '../../domain/grant.js';

const seal = (text: string): string => createHash('sha256').update(`test ${text}`).digest('hex');

/** Stands in for the keys where a test is not about them: a seal that nobody but the test can make. */
export const testSign: SignDecision = async (decision) => {
  const text = JSON.stringify(decision);
  return `${Buffer.from(text).toString('base64url')}.${seal(text)}`;
};

export const testSignatures: Signatures = {
  async readDecision(signature) {
    const [text = '', sealed] = signature.split('.');
    const plain = Buffer.from(text, 'base64url').toString();
    return seal(plain) === sealed ? (JSON.parse(plain) as SignedDecision) : undefined;
  },
};
