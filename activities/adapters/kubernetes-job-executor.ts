import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { toSecrets } from '../../contracts/secret-values.js';
import { canonicalize } from '../../domain/canonical.js';
import { type KubernetesObject, toRef } from '../../domain/kubernetes.js';
import type { DraftStep } from '../../domain/plan.js';
import { createRedactor, type Redactor } from '../../domain/redaction.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import type { ChangeOptions, ChangeResult, Executor, KubernetesTarget, Watch } from '../ports.js';
import { describeJob, findClusterApi, readGiven, readJobSecrets, whyRefused } from './job-rehearsal.js';
import { followJob, type JobEnd } from './job-watch.js';
import { CLAIM_ANNOTATION, type GivenSecrets, type JobAim, toJob, toJobName, toNetworkPolicy, toOwned, toScriptSecret, uidOf } from './kubernetes-job.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';

const START_WITHIN_MS = 120_000;
const GONE_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 500;
const NO_KEY = '0'.repeat(32);

/** Who was first: a pod, or who sealed it, under whose token none can claim any more. */
export interface PodClaims {
  seal(claim: { readonly workspaceId: string; readonly key: string; readonly tokenHash: string }): Promise<{ readonly kind: 'sealed' } | { readonly kind: 'claimed'; readonly pod: string }>;
}

interface Handle {
  readonly job: string;
  /** SHA-256 of the token that its pods claim with. */
  readonly claim: string;
}

interface Place {
  readonly aim: JobAim;
  readonly client: KubernetesClient;
  readonly workspaceId: string;
}

type Telling = Omit<ChangeOptions, 'begin'>;

/**
 * Runs bash and python as Jobs. A Job may start its pod twice: the first act of each is a claim through the API, which one of them gets at most.
 * Whoever settles a Job whose pod has not claimed seals the claim, so that none ever does.
 */
export function createKubernetesJobExecutor(
  clientOf: (target: KubernetesTarget) => KubernetesClient,
  watch: Watch,
  claims: PodClaims,
  { startWithinMs = START_WITHIN_MS }: { readonly startWithinMs?: number } = {},
): Executor {
  function placeOf(workspaceId: string, step: DraftStep, key: string): Place {
    const target = watch.readWorkspace(workspaceId).targets.find((one) => one.name === step.target);
    if (target?.kind !== 'kubernetes' || target.jobs === null) throw new Fault('targetMissing', `target ${step.target} has no kubernetes namespace with jobs in sluice.yaml`);
    if (step.sandbox === null) throw new Error(`step ${step.stepId} has no sandbox`);
    return { workspaceId, client: clientOf(target), aim: { step: { ...step, sandbox: step.sandbox }, jobs: target.jobs, namespace: target.namespace, key, startWithinMs, clusterApi: [] } };
  }

  async function withClusterApi(place: Place): Promise<{ readonly ok: true; readonly place: Place } | { readonly ok: false; readonly because: string }> {
    if (place.aim.jobs.serviceAccount === null) return { ok: true, place };
    const found = await findClusterApi(place.client);
    return found.ok ? { ok: true, place: { ...place, aim: { ...place.aim, clusterApi: found.value } } } : found;
  }

  const seal = ({ workspaceId, aim: { key } }: Place, tokenHash: string) => claims.seal({ workspaceId, key, tokenHash });

  /** Makes a Job that does not start, with all that belongs to it, and starts it. */
  async function makeJob({ aim, client }: Place, token: string, given: GivenSecrets, isMade: (job: KubernetesObject) => void): Promise<KubernetesObject> {
    const options = { fieldManager: toJobName(aim.key) };
    const job = await client.create(toJob(aim, sha256(token)), options);
    isMade(job);
    for (const object of [toScriptSecret(aim, token, given), toNetworkPolicy(aim)]) await client.create(toOwned(object, job), options);
    // Only this very Job, which whoever settled it has taken away.
    return client.patch(toRef(job), [{ op: 'test', path: '/metadata/uid', value: uidOf(job) }, { op: 'replace', path: '/spec/suspend', value: false }], options);
  }

  /** Takes a Job away with its pods and all that belongs to it, and comes back when they are gone. */
  async function removeJob({ aim, client }: Place, job: KubernetesObject): Promise<void> {
    const uid = uidOf(job);
    try {
      await client.remove(toRef(job), { uid, propagation: 'Foreground' });
    } catch (error) {
      if (!isRefusal(error, 404, 409)) throw error;
    }
    for (const deadline = Date.now() + GONE_WITHIN_MS; (await readJob(client, aim).then((now) => now && uidOf(now))) === uid; await wait(LOOK_EVERY_MS)) {
      if (Date.now() > deadline) throw new Error(`job/${job.metadata.name} in namespace ${aim.namespace} is still there ${GONE_WITHIN_MS / 1_000} s after it was deleted; see its pods with kubectl`);
    }
  }

  /** Follows a Job that was started to its end, whoever started it. */
  async function follow(place: Place, job: KubernetesObject, tokenHash: string, redactor: Redactor, telling: Telling): Promise<ChangeResult | { readonly kind: 'notDone' }> {
    const { aim, client } = place;
    const end = await followJob(client, job, { redactor, telling, startWithinMs });
    if (end.kind === 'left') throw end.reason;
    if (end.kind === 'stopped' || end.kind === 'notStarting') {
      // Sealed first, so that a pod that comes late does nothing.
      const sealing = await seal(place, tokenHash);
      await removeJob(place, job);
      if (sealing.kind === 'sealed') return { kind: 'failed', changed: false, summary: end.kind === 'stopped' ? 'it was stopped before the script began' : end.because };
      return { kind: 'failed', changed: true, summary: 'the script was stopped while it ran; what it had done by then stays' };
    }
    const sealing = await seal(place, tokenHash);
    if (end.kind === 'finished') {
      // Without its Secret nobody can tell any more what has to be kept out of its output.
      await telling.drained();
      await removeParts(client, aim);
    }
    return toResult(aim, end, sealing.kind === 'claimed' ? sealing.pod : null);
  }

  return {
    async rehearse(workspaceId, step) {
      const place = placeOf(workspaceId, step, NO_KEY);
      const { client } = place;
      if (place.aim.step.sandbox.paths.length > 0) {
        return { found: false, lines: [`${place.aim.step.sandbox.paths.join(', ')}: a script in a pod has no files of a host to change; take the paths out, or run it on a host`] };
      }
      const secrets = await readJobSecrets(client, place.aim);
      if (!secrets.ok) return { found: false, lines: secrets.because };
      const reached = await withClusterApi(place);
      if (!reached.ok) return { found: false, lines: [reached.because] };
      const { aim } = reached.place;
      const refusals = await whyRefused(client, aim, secrets.given);
      if (refusals.length > 0) return { found: false, lines: refusals };
      return {
        found: true,
        lines: describeJob(aim),
        wayBack: { kind: 'oneWay', because: 'what a script changes from within a pod cannot be undone' },
        pins: { before: toPin(aim), after: null },
      };
    },

    async snapshot(_workspaceId, step) {
      throw new Error(`step ${step.stepId} is one-way and has no snapshot`);
    },

    async run(workspaceId, change, options) {
      const { step, key } = change;
      if (change.kind === 'rollback') return { kind: 'failed', changed: false, summary: 'what a script changes from within a pod cannot be undone' };
      const reached = await withClusterApi(placeOf(workspaceId, step, key));
      if (!reached.ok) return { kind: 'conflict', summary: reached.because };
      const { place } = reached;
      const { aim, client } = place;
      const secrets = await readJobSecrets(client, aim);
      if (!secrets.ok) return { kind: 'conflict', summary: secrets.because.join('; ') };
      if (toPin({ ...aim, key: NO_KEY }) !== step.pins?.before) return { kind: 'conflict', summary: 'the Job would not be the one that was rehearsed: sluice.yaml has changed since' };
      if ((await readJob(client, aim)) !== undefined) return { kind: 'conflict', summary: `job/${toJobName(key)} is there already` };
      options.signal.throwIfAborted();

      const token = randomBytes(32).toString('hex');
      const tokenHash = sha256(token);
      await options.begin(JSON.stringify({ job: toJobName(key), claim: tokenHash } satisfies Handle));
      let made: KubernetesObject | undefined;
      try {
        const job = await makeJob(place, token, secrets.given, (one) => (made = one));
        const result = await follow(place, job, tokenHash, createRedactor([...secrets.values.flatMap(toSecrets), { name: 'claim', value: token }]), options);
        if (result.kind !== 'notDone') return result;
        return { kind: 'failed', changed: false, summary: `job/${toJobName(key)} was taken away before a pod of it began` };
      } catch (error) {
        // What is there already is of another worker, who came first or settled this one.
        if (!(error instanceof KubernetesRefusal) || error.reason === 'AlreadyExists' || error.status === 404) throw error;
        const sealing = await seal(place, tokenHash);
        if (sealing.kind === 'claimed') throw error;
        if (made !== undefined) await removeJob(place, made);
        return { kind: 'failed', changed: false, summary: `the cluster refused its Job: ${error.message}` };
      }
    },

    async settle(workspaceId, change, handleText, telling) {
      const place = placeOf(workspaceId, change.step, change.key);
      const { aim, client } = place;
      const handle = readHandle(handleText);
      if (handle?.job !== toJobName(change.key)) throw new Fault('outcomeUnknown', 'what was noted of its Job cannot be read');
      const job = await readJob(client, aim);
      const isOurs = job !== undefined && noteOf(job, CLAIM_ANNOTATION) === handle.claim;
      const hasStarted = isOurs && (job['spec'] as { readonly suspend?: boolean }).suspend !== true;
      if (hasStarted) {
        const values = await readGiven(client, aim);
        if (values === undefined) telling.onOutput('(what it printed from here on is not shown: its Secret is gone, so what that held could not be kept out of it)');
        return follow(place, job, handle.claim, values === undefined ? silence : createRedactor(values.flatMap(toSecrets)), telling);
      }
      const sealing = await seal(place, handle.claim);
      if (sealing.kind === 'claimed') throw new Fault('outcomeUnknown', `job/${handle.job} is gone from namespace ${aim.namespace}, and its pod ${sealing.pod} had begun to run the script`);
      if (isOurs) await removeJob(place, job);
      return { kind: 'notDone' };
    },
  };
}

/** What of the Job was approved: all that sluice.yaml and the step make of it, and where its secrets come from. */
function toPin(aim: JobAim): string {
  const places = aim.step.sandbox.secrets.map((name) => aim.jobs.secrets[name] ?? null);
  return sha256(canonicalize([toJob(aim), toNetworkPolicy({ ...aim, clusterApi: [] }), places]));
}

const readJob = (client: KubernetesClient, { namespace, key }: JobAim): Promise<KubernetesObject | undefined> => client.read({ apiVersion: 'batch/v1', kind: 'Job', name: toJobName(key), namespace });

const noteOf = ({ metadata }: KubernetesObject, annotation: string): string | undefined => (metadata['annotations'] as Readonly<Record<string, string>> | undefined)?.[annotation];

/** Where nobody knows what has to be kept out. */
const silence: Redactor = { redact: () => '', open: () => ({ write: () => '', end: () => '', rest: () => ({ text: '', spans: [] }) }) };

/** The script and its token are needed no longer; the Job stays for a while, with its log. */
async function removeParts(client: KubernetesClient, aim: JobAim): Promise<void> {
  for (const object of [toScriptSecret(aim, '', {}), toNetworkPolicy(aim)]) {
    const found = await client.read(toRef(object));
    try {
      if (found !== undefined) await client.remove(toRef(object), { uid: uidOf(found) });
    } catch (error) {
      if (!isRefusal(error, 404, 409)) throw error;
    }
  }
}

/** `pod` is the one that ran the script; null where none did, nor ever will. */
function toResult({ step, namespace }: JobAim, end: Extract<JobEnd, { kind: 'finished' | 'gone' }>, pod: string | null): ChangeResult | { readonly kind: 'notDone' } {
  if (pod === null) {
    if (end.kind === 'gone') return { kind: 'notDone' };
    return { kind: 'failed', changed: false, summary: `the script was not run: ${end.pods.map(({ words }) => words).find((words) => words !== '') ?? end.because}` };
  }
  const ran = end.pods.find(({ name }) => name === pod);
  if (ran === undefined && end.kind === 'finished' && end.isLate) return { kind: 'failed', changed: true, summary: `${step.type} was stopped at its time limit` };
  if (ran === undefined) throw new Fault('outcomeUnknown', `${end.kind === 'gone' ? 'the Job' : `the pod ${pod}`} is gone from namespace ${namespace}, and it had begun to run the script`);
  if (ran.exitCode === 0) return { kind: 'done', summary: `${step.type} ran to its end in pod ${pod}` };
  return { kind: 'failed', changed: true, summary: ran.words === '' ? `${step.type} ended with exit code ${ran.exitCode}` : `${step.type} did not end well: ${ran.words}` };
}

function readHandle(text: string): Handle | undefined {
  try {
    const { job, claim } = JSON.parse(text) as Partial<Handle>;
    return typeof job === 'string' && typeof claim === 'string' ? { job, claim } : undefined;
  } catch {
    return undefined;
  }
}

const isRefusal = (error: unknown, ...statuses: readonly number[]): boolean => error instanceof KubernetesRefusal && statuses.includes(error.status);
