import { type Client, isGrpcServiceError } from '@temporalio/client';
import { RecipientAway } from '../db/outbox.js';

const DEADLINE_MS = 3_000;
/** CANCELLED, DEADLINE_EXCEEDED and UNAVAILABLE of gRPC: whatever was asked, nobody answered. */
const awayCodes: readonly number[] = [1, 4, 14];

/** Calls Temporal, but not for longer than it takes to see that it is away, and no longer than `signal` lets it. */
export async function callTemporal<Answer>(client: Client, signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await client.withAbortSignal(signal, () => client.withDeadline(Date.now() + DEADLINE_MS, call));
  } catch (error) {
    if (isAway(error)) throw new RecipientAway('Temporal does not answer', { cause: error });
    throw error;
  }
}

function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (isGrpcServiceError(error) && awayCodes.includes(error.code)) || isAway(error.cause);
}
