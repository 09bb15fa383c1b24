import { createHash, randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

/**
 * The identity of what a write brings about: with an Idempotency-Key the same for each repeat by the same person at the same address, so that a repeat
 * finds what the first one did. `part` tells apart what one request brings about several of.
 */
export function toRequestId({ actor, method, url, headers }: FastifyRequest, part = ''): string {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string') return randomUUID();
  return toDerivedId([actor.workspaceId, actor.person, method, url.split('?')[0] ?? '', key, part]);
}

/** The same id for the same parts. */
export function toDerivedId(parts: readonly string[]): string {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  // A UUID of version 8: made by a rule of our own.
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
