import { randomBytes } from 'node:crypto';
import { canonicalize, type Json } from '../../domain/canonical.js';
import { isList, isObject } from '../../domain/json-diff.js';
import { get } from '../../domain/kubernetes-desired.js';
import { type KubernetesObject, type ObjectRef, toContent, toObjectName, toRef } from '../../domain/kubernetes.js';
import { toYaml } from '../../domain/kubernetes-yaml.js';
import { sha256 } from '../digest.js';
import { describeDifference, type LineDifference } from './line-difference.js';
import type { KubernetesClient } from './kubernetes-client.js';
import { KubernetesRefusal } from './kubernetes-refusal.js';

/** What is there, or is not. */
export type Live = KubernetesObject | undefined;

/** What of an object a change is about, as canonical text: what is hashed, kept and compared. `null` where there is none. */
export function toText(live: Live): string {
  if (live === undefined) return 'null';
  switch (live.kind) {
    case 'Pod':
      // It changes all the time; what must not change is which one it is.
      return canonicalize({ apiVersion: live.apiVersion, kind: live.kind, metadata: { name: live.metadata.name, namespace: live.metadata.namespace ?? '', uid: live.metadata['uid'] ?? '' } });
    case 'Node':
      // Its controllers put taints and notes on it, also because of a cordon.
      return canonicalize({ apiVersion: live.apiVersion, kind: live.kind, metadata: { name: live.metadata.name }, spec: { unschedulable: isCordoned(live) } });
    case 'Service':
      return canonicalize(withoutAddresses(toContent(live)));
    default:
      return canonicalize(toContent(live));
  }
}

/** The server gives addresses, and keeps them when they are not named; a dry run cannot say which. */
function withoutAddresses(service: KubernetesObject): KubernetesObject {
  if (!isObject(service['spec']) || service['spec']['clusterIP'] === 'None') return service;
  const { clusterIP: _, clusterIPs: __, ...spec } = service['spec'];
  return { ...service, spec };
}

export const toHash = (live: Live): string => sha256(toText(live));
const isCordoned = (node: KubernetesObject): boolean => get(node, ['spec', 'unschedulable']) === true;
export const uidOf = (object: KubernetesObject): string => textOf(object.metadata['uid']);
export const versionOf = (object: KubernetesObject): string => textOf(object.metadata['resourceVersion']);

/** How the text of one state differs from that of another, for people. */
export const describeStates = (name: string, before: string, after: string, masked: 'context' | 'all'): LineDifference =>
  describeDifference(name, toLines(before), toLines(after), masked);

const toLines = (text: string): string => {
  const state: Json = JSON.parse(text);
  return state === null ? '' : toYaml(state);
};

// Known by an entry of its own in managedFields, which changes nothing but the object's version.
const fencePrefix = 'sluice-off-';
const MAX_TRIES = 20;

/** Stays the same for as long as nobody writes to the object; what controllers note in its status, or on a node, does not count. */
export function toStamp(object: KubernetesObject): string {
  const counts = (entry: { readonly [field: string]: Json }) => entry['subresource'] !== 'status' && (object.kind !== 'Node' || isFence(entry) || canonicalize(entry).includes('"f:unschedulable"'));
  const entries = fieldsOf(object).filter(counts);
  return sha256(canonicalize([uidOf(object), object.metadata['generation'] ?? null, entries]));
}

/** Whether a change of this field manager is still to be seen in the object. */
export const hasWritten = (fieldManager: string, object: KubernetesObject): boolean => fieldsOf(object).some(({ manager }) => manager === fieldManager);

/**
 * Calls off whoever holds this version of the object and may still want to write: its version moves on, and the mark says that nobody may write for
 * that reason again. False where somebody else was quicker.
 */
export async function fence(client: KubernetesClient, live: KubernetesObject, dryRun = false): Promise<boolean> {
  const entry = { manager: `${fencePrefix}${randomBytes(4).toString('hex')}`, operation: 'Update', apiVersion: live.apiVersion, fieldsType: 'FieldsV1', fieldsV1: { 'f:metadata': { 'f:annotations': { 'f:sluice/called-off': {} } } } };
  return setFields(client, live, [...fieldsOf(live), entry], dryRun);
}

/** Takes away what `fence` left. Where the object moves on and on it stays, and is in nobody's way. */
export async function liftFences(client: KubernetesClient, written: KubernetesObject): Promise<void> {
  let live: Live = written;
  for (let tries = 0; tries < MAX_TRIES && live !== undefined; tries += 1) {
    const fields = fieldsOf(live);
    const others = fields.filter((entry) => !isFence(entry));
    if (others.length === fields.length || (await setFields(client, live, others))) return;
    live = await client.read(toRef(live));
  }
}

async function setFields(client: KubernetesClient, live: KubernetesObject, fields: readonly Json[], dryRun = false): Promise<boolean> {
  try {
    await client.patch(toRef(live), [{ op: 'replace', path: '/metadata/resourceVersion', value: versionOf(live) }, { op: 'add', path: '/metadata/managedFields', value: fields }], { fieldManager: 'sluice', dryRun });
    return true;
  } catch (error) {
    if (error instanceof KubernetesRefusal && (error.status === 409 || error.status === 404)) return false;
    throw error;
  }
}

const isFence = ({ manager }: { readonly [field: string]: Json }): boolean => textOf(manager).startsWith(fencePrefix);
const fieldsOf = (object: KubernetesObject): readonly { readonly [field: string]: Json }[] => {
  const fields = object.metadata['managedFields'];
  return isList(fields) ? fields.filter(isObject) : [];
};
const textOf = (json: Json | undefined): string => (typeof json === 'string' ? json : '');

/** `deployment/web in namespace shop` */
export const placeOf = (ref: ObjectRef): string => `${toObjectName(ref)}${ref.namespace === null ? '' : ` in namespace ${ref.namespace}`}`;
