import { setTimeout as wait } from 'node:timers/promises';
import { type KubernetesObject, toRef } from '../../domain/kubernetes.js';
import type { Redactor } from '../../domain/redaction.js';
import { isLeftToNext } from '../left-to-next.js';
import type { ChangeOptions } from '../ports.js';
import { type JobLog, openJobLog } from './job-log.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { uidOf } from './kubernetes-job.js';

const LOOK_EVERY_MS = 300;
// A node that answered with half a log may have the other half a moment later.
const MAX_LOG_READS = 5;
const MAX_WORDS = 500;

/** How the container of a pod ended. `words` is empty where the exit code says all. */
export interface PodEnd {
  readonly name: string;
  readonly exitCode: number;
  readonly words: string;
}

export type JobEnd =
  | { readonly kind: 'finished'; readonly because: string; readonly isLate: boolean; readonly pods: readonly PodEnd[] }
  | { readonly kind: 'gone'; readonly pods: readonly PodEnd[] }
  | { readonly kind: 'notStarting'; readonly because: string }
  /** It is to be stopped, and still goes on. */
  | { readonly kind: 'stopped' }
  /** Another worker goes on with it. */
  | { readonly kind: 'left'; readonly reason: unknown };

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}
interface JobStatus {
  readonly conditions?: readonly Condition[];
}
interface PodStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly Condition[];
  readonly containerStatuses?: readonly {
    readonly state: {
      readonly waiting?: { readonly reason?: string; readonly message?: string };
      readonly running?: object;
      readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
    };
  }[];
}

/** Tells what the pods of a Job print until it has finished, is gone, does not start, or `signal` says to stop. */
export async function followJob(
  client: KubernetesClient,
  job: KubernetesObject,
  { redactor, telling, startWithinMs }: { readonly redactor: Redactor; readonly telling: Omit<ChangeOptions, 'begin'>; readonly startWithinMs: number },
): Promise<JobEnd> {
  const { signal } = telling;
  const { namespace = '' } = job.metadata;
  const uid = uidOf(job);
  const log = openJobLog(redactor, telling);
  const ends = new Map<string, PodEnd>();
  const startBy = Date.now() + startWithinMs;
  let hasStarted = false;

  async function look(): Promise<JobEnd | undefined> {
    if (signal.aborted) return isLeftToNext(signal) ? { kind: 'left', reason: signal.reason } : { kind: 'stopped' };
    const now = await client.read(toRef(job));
    const pods = await client.list('v1', 'Pod', namespace, `batch.kubernetes.io/controller-uid=${uid}`);
    for (const pod of pods.filter(({ metadata }) => !ends.has(metadata.name))) {
      const state = stateOf(pod);
      if (state?.running === undefined && state?.terminated === undefined) continue;
      hasStarted = true;
      const end = await readToEnd(client, pod, log, signal);
      if (end !== undefined) ends.set(end.name, { ...end, words: redactor.redact(end.words) });
    }
    if (now === undefined || uidOf(now) !== uid) return { kind: 'gone', pods: [...ends.values()] };
    const finish = (now['status'] as JobStatus).conditions?.find(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
    if (finish !== undefined) return { kind: 'finished', because: finish.message ?? finish.type, isLate: finish.reason === 'DeadlineExceeded', pods: [...ends.values()] };
    if (!hasStarted && Date.now() > startBy) return { kind: 'notStarting', because: `no pod of it started within ${startWithinMs / 1_000} s: ${await whyNotStarting(client, job, pods)}` };
    return undefined;
  }

  for (;;) {
    const end = await look();
    if (end === undefined) await wait(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    else {
      await log.end();
      return end;
    }
  }
}

const stateOf = (pod: KubernetesObject) => ((pod['status'] ?? {}) as PodStatus).containerStatuses?.[0]?.state;

/** Follows a pod's log until its container has ended; undefined where it has not, or nobody knows. */
async function readToEnd(client: KubernetesClient, pod: KubernetesObject, log: JobLog, signal: AbortSignal): Promise<PodEnd | undefined> {
  for (let reads = 1; ; reads += 1) {
    // Whatever keeps the log from being read: whether the pod has ended is asked next, and the log again.
    const couldRead = await log.read(client.followLog(toRef(pod), { signal })).then(() => true, () => false);
    if (signal.aborted) return undefined;
    const now = await client.read(toRef(pod));
    const ended = now === undefined || uidOf(now) !== uidOf(pod) ? undefined : stateOf(now)?.terminated;
    if (now === undefined || ended === undefined) return undefined;
    const { lines, words } = readEnding(now, ended);
    if ((couldRead && log.lines() >= lines) || reads >= MAX_LOG_READS) return { name: pod.metadata.name, exitCode: ended.exitCode, words };
    await wait(LOOK_EVERY_MS);
  }
}

/** What the program that ran the script left to be told, and how many lines it printed. */
function readEnding(pod: KubernetesObject, { reason, message = '' }: { readonly reason?: string; readonly message?: string }): { readonly lines: number; readonly words: string } {
  const { lines, words } = readMessage(message);
  const status = pod['status'] as PodStatus;
  if (reason === 'OOMKilled') return { lines, words: 'it needed more memory than its limit' };
  if (status.reason !== undefined) return { lines, words: `${status.reason}: ${status.message ?? ''}`.slice(0, MAX_WORDS) };
  return { lines, words: words.slice(0, MAX_WORDS) };
}

function readMessage(message: string): { readonly lines: number; readonly words: string } {
  try {
    const { lines, words } = JSON.parse(message) as { readonly lines?: unknown; readonly words?: unknown };
    return { lines: typeof lines === 'number' ? lines : 0, words: typeof words === 'string' ? words : '' };
  } catch {
    return { lines: 0, words: message };
  }
}

async function whyNotStarting(client: KubernetesClient, job: KubernetesObject, pods: readonly KubernetesObject[]): Promise<string> {
  for (const pod of pods) {
    const { reason, message } = stateOf(pod)?.waiting ?? {};
    const scheduled = ((pod['status'] ?? {}) as PodStatus).conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
    const told = [reason ?? scheduled?.reason, message ?? scheduled?.message].filter((word) => word !== undefined).join(': ');
    const events = await listEvents(client, pod);
    const words = [told, ...events.filter((event) => !told.includes(event))].filter((word) => word !== '').join('; ');
    if (words !== '') return words.slice(0, MAX_WORDS);
  }
  return (await listEvents(client, job)).join('; ').slice(0, MAX_WORDS) || `kubectl describe job ${job.metadata.name} may say why`;
}

/** What the cluster warned of about an object, the last one of each kind. */
async function listEvents(client: KubernetesClient, object: KubernetesObject): Promise<readonly string[]> {
  const events = await client.list('v1', 'Event', object.metadata.namespace ?? null).catch(() => []);
  const warnings = events.filter(({ involvedObject, type }) => type === 'Warning' && (involvedObject as { readonly uid?: string }).uid === uidOf(object));
  return [...new Map(warnings.map(({ reason, message }) => [reason, typeof message === 'string' ? message : ''])).values()];
}
