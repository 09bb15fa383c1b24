import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import { approveByPolicy, listGatesForPolicy } from '../db/approve-by-policy.js';
import type { Database } from '../db/database.js';
import type { SignDecision } from '../db/decisions.js';
import type { PolicyRow } from '../db/policies.js';
import type { Plan } from '../domain/plan.js';
import { isSignedPolicy } from '../domain/policy.js';
import type { Keyring, Verifier } from '../keys/keyring.js';
import type { Inspector } from '../inspection/inspector.js';

const LOOK_EVERY_MS = 1_000;

/**
 * Signs for what the policy lets run by itself, as long as this process lives. It is done here, because only the API has the key: whoever plans and runs
 * cannot let itself.
 */
export function startPolicyApprovals(db: Database, keyring: Keyring, inspector: Pick<Inspector, 'judgeStep'>, log: Pick<FastifyBaseLogger, 'warn'>): () => Promise<void> {
  const stopped = new AbortController();
  const { signal } = stopped;
  const sign: SignDecision = (decision) => keyring.sign('decision', decision);

  async function look(): Promise<void> {
    for (const gateId of await listGatesForPolicy(db)) {
      if (signal.aborted) return;
      await approveByPolicy(db, sign, createSoundCheck(keyring, inspector), gateId).catch((error: unknown) => log.warn({ err: error, gateId }, 'could not be approved by policy, tried again soon'));
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await look().catch((error: unknown) => log.warn({ err: error }, 'what the policy lets run could not be looked for, tried again soon'));
      await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  const running = run();
  return async () => {
    stopped.abort();
    await running;
  };
}

/** Whether a person of ours put the policy in place, and the rules of now allow the plan's scripts: what the database says by itself lets nothing run. */
export const createSoundCheck =
  (verifier: Verifier, { judgeStep }: Pick<Inspector, 'judgeStep'>) =>
  async ({ signature, ...policy }: PolicyRow, { steps }: Plan): Promise<boolean> => {
    if (signature === null || !isSignedPolicy(await verifier.verify('policy', signature), policy)) return false;
    // What nobody could inspect whole never runs by itself, whatever its plan says.
    for (const step of steps) if ((await judgeStep(step)).result !== 'review') return false;
    return true;
  };
