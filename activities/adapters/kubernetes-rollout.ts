import { setTimeout as wait } from 'node:timers/promises';
import { isObject } from '../../domain/json-diff.js';
import { get } from '../../domain/kubernetes-desired.js';
import { explainPods, readRollout } from '../../domain/kubernetes-rollout.js';
import type { KubernetesObject, ObjectRef } from '../../domain/kubernetes.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';
import { placeOf, uidOf } from './kubernetes-state.js';

const LOOK_EVERY_MS = 500;

interface Waiting {
  /** The last look is after this moment, in ms since 1970. */
  readonly until: number;
  readonly signal: AbortSignal;
  readonly onOutput: (line: string) => void;
  /** So many lines of the change were told before; with more than that of its write, how the pods are was told, too. */
  readonly toldLines: number;
}

/** Waits until the pods of a workload are as it says; returns why they are not, where they do not come to it in time. */
export async function awaitRollout(client: KubernetesClient, ref: ObjectRef, { until, signal, onOutput, toldLines }: Waiting): Promise<string | undefined> {
  let told = toldLines > 1 ? undefined : '';
  for (;;) {
    const live = await client.read(ref);
    if (live === undefined) return `${placeOf(ref)} is not there any more`;
    const rollout = readRollout(live);
    if (rollout === undefined) return undefined;
    if (told !== undefined && rollout.line !== told) onOutput(rollout.line);
    told = rollout.line;
    if (rollout.isDone) return undefined;
    if (Date.now() >= until) return [rollout.line, rollout.trouble, ...(await explain(client, live))].filter((part) => part !== undefined).join('; ');
    await wait(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Waits until an object of this identity is gone; returns why it is not. */
export async function awaitGone(client: KubernetesClient, ref: ObjectRef, uid: string, { until, signal }: Pick<Waiting, 'until' | 'signal'>): Promise<string | undefined> {
  for (;;) {
    const live = await client.read(ref);
    if (live === undefined || uidOf(live) !== uid) return undefined;
    if (Date.now() >= until) {
      const finalizers = live.metadata['finalizers'];
      return `${placeOf(ref)} is being deleted and still there${finalizers === undefined ? '' : `, held by ${JSON.stringify(finalizers)}`}`;
    }
    await wait(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Why the pods of a workload do not run, as far as one may see them. */
async function explain(client: KubernetesClient, workload: KubernetesObject): Promise<readonly string[]> {
  const labels = get(workload, ['spec', 'selector', 'matchLabels']);
  const selector = isObject(labels) ? Object.entries(labels).map(([name, value]) => `${name}=${typeof value === 'string' ? value : ''}`) : [];
  if (selector.length === 0) return [];
  try {
    return explainPods(await client.list('v1', 'Pod', workload.metadata.namespace ?? null, selector.join(',')), Date.now());
  } catch (error) {
    if (error instanceof KubernetesRefusal) return [`why cannot be seen: ${error.message}`];
    throw error;
  }
}
