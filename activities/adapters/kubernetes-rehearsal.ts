import { canonicalize, type Json } from '../../domain/canonical.js';
import { diffJson, toRestoringPatch } from '../../domain/json-diff.js';
import { get } from '../../domain/kubernetes-desired.js';
import { findOwner } from '../../domain/kubernetes-owner.js';
import { type KubernetesObject, type ObjectRef, toContent, toObjectName, toRef } from '../../domain/kubernetes.js';
import type { Rehearsal } from '../ports.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';
import { describeStates, fence, type Live, placeOf, toHash, toText } from './kubernetes-state.js';
import { prepare, type Request } from './kubernetes-write.js';

// A pod that comes and goes moves its workload on all the time.
const MAX_TRIES = 20;

/** What the server says a request would do to what is there now; it keeps nothing of it. */
export type DryRun = { readonly ok: true; readonly live: Live; readonly after: Live } | { readonly ok: false; readonly because: string };

/** Has the server make the very write that `run` would make, as a dry run. */
export async function tryOut(client: KubernetesClient, request: Request, fieldManager: string): Promise<DryRun> {
  for (let tries = 1; ; tries += 1) {
    const live = await client.read(request.ref);
    const prepared = await prepare(client, request, live);
    if (!prepared.ok) return prepared;
    try {
      return { ok: true, live, after: await prepared.write({ fieldManager, dryRun: true }) };
    } catch (error) {
      if (!(error instanceof KubernetesRefusal)) throw error;
      if (error.status !== 409 || tries === MAX_TRIES) return { ok: false, because: `${placeOf(request.ref)}: ${explainRefusal(request, error)}` };
    }
  }
}

/** What the server said no to; of a patch it only says that it does not fit. */
export const explainRefusal = ({ asks }: Pick<Request, 'asks'>, { status, message }: KubernetesRefusal): string =>
  asks.kind === 'patch' && status === 422 ? `the patch does not fit what is there: a value that it tests is another one, or a place is missing (${message})` : message;

/** What people see before they approve. */
export async function rehearseRequest(client: KubernetesClient, request: Request): Promise<Rehearsal> {
  const { ref, phrase, asks } = request;
  const place = placeOf(ref);
  const tried = await tryOut(client, request, 'sluice-rehearsal');
  if (!tried.ok) return { found: false, lines: [tried.because] };
  const { live, after } = tried;
  // Who may not call a change off must not begin it.
  if (live !== undefined && ref.kind !== 'Pod') await fence(client, live, true);
  if (toText(live) === toText(after)) return { found: false, lines: [`${place} is already as it would be once ${phrase}`] };
  const before = toHash(live);
  if (ref.kind === 'Pod' && live !== undefined) {
    const makesAnother = live.metadata['ownerReferences'] !== undefined;
    return {
      found: true,
      lines: [`${place} will be ${phrase}: the pod of uid ${JSON.stringify(live.metadata['uid'])}, and no other of that name`, ...(makesAnother ? [] : [`nothing makes another ${toObjectName(ref)}: it belongs to no controller`])],
      wayBack: { kind: 'oneWay', because: makesAnother ? 'a deleted pod is not brought back; its controller makes another' : 'a deleted pod is not brought back, and no controller makes another' },
      // A pod of the same name may be there right after it.
      pins: { before, after: null },
    };
  }
  const { summary, lines } = describeStates(place, toText(live), toText(after), 'context');
  const what = live === undefined && asks.kind === 'apply' ? 'made, as the manifest has it' : phrase;
  return {
    found: true,
    lines: [`${place} will be ${what}: ${summary}`, ...lines, ...describeOwner(live, after), ...(await describeScaler(client, live, after))],
    wayBack: { kind: 'snapshot', of: 'object' },
    pins: { before, after: toHash(after) },
  };
}

function describeOwner(live: Live, after: Live): readonly string[] {
  const owner = live && findOwner(live);
  if (live === undefined || owner === undefined) return [];
  const start = `${owner.tool} owns this object (${owner.what}) and will revert it${owner.tool === 'Helm' ? ' with its next upgrade' : ''}`;
  if (after === undefined) return [`${start}; take ${toObjectName(toRef(live))} out of the repository`];
  const patch = toRestoringPatch(diffJson(asJson(after), asJson(live))).filter(({ op }) => op !== 'test');
  return [`${start}; change it in the repository: ${canonicalize(patch.map((operation) => ({ ...operation })))}`];
}

const asJson = (object: KubernetesObject): Json => toContent(object);

async function describeScaler(client: KubernetesClient, live: Live, after: Live): Promise<readonly string[]> {
  const replicasOf = (object: Live) => get(object, ['spec', 'replicas']);
  if (live === undefined || after === undefined || replicasOf(live) === replicasOf(after)) return [];
  const ref = toRef(live);
  try {
    const scalers = await client.list('autoscaling/v2', 'HorizontalPodAutoscaler', ref.namespace);
    const shown = (scaler: KubernetesObject, field: string) => JSON.stringify(get(scaler, ['spec', field]) ?? 1);
    return scalers
      .filter((scaler) => isAimedAt(scaler, ref))
      .map((scaler) => `${toObjectName(toRef(scaler))} scales ${toObjectName(ref)} between ${shown(scaler, 'minReplicas')} and ${shown(scaler, 'maxReplicas')} replicas, and will do so again`);
  } catch (error) {
    if (error instanceof KubernetesRefusal) return [`whether an autoscaler scales it cannot be seen: ${error.message}`];
    throw error;
  }
}

const isAimedAt = (scaler: KubernetesObject, { kind, name }: ObjectRef): boolean => get(scaler, ['spec', 'scaleTargetRef', 'kind']) === kind && get(scaler, ['spec', 'scaleTargetRef', 'name']) === name;
