import type { PatchOperation } from '../../domain/json-diff.js';
import type { ObjectRef } from '../../domain/kubernetes.js';
import { readCommandLine, type Word } from '../command-line.js';
import { allowedFields, MAX_REPLICAS } from '../kubernetes/allowed-fields.js';
import { explainKind, findKindByWord } from '../kubernetes/kinds.js';
import { isImage, isLabel, isObjectName } from '../kubernetes/names.js';
import { type Finding, MAX_FINDINGS } from '../script-validation.js';
import { type KubectlArguments, placeIn, readArguments, type Refuse, sliceWord } from './kubectl-arguments.js';
import { readOperations } from './kubectl-patch.js';

/** What one command line asks of one object. */
export type KubectlCommand =
  | { readonly verb: 'rolloutUndo'; readonly ref: ObjectRef; readonly revision: number }
  | { readonly verb: 'restart'; readonly ref: ObjectRef }
  | { readonly verb: 'scale'; readonly ref: ObjectRef; readonly replicas: number }
  /** Images by the names of their containers. */
  | { readonly verb: 'setImage'; readonly ref: ObjectRef; readonly images: Readonly<Record<string, string>> }
  /** A Pod or a NetworkPolicy. */
  | { readonly verb: 'delete'; readonly ref: ObjectRef }
  | { readonly verb: 'cordon' | 'uncordon'; readonly ref: ObjectRef }
  | { readonly verb: 'patch'; readonly ref: ObjectRef; readonly operations: readonly PatchOperation[] };

export type KubectlReading = { readonly ok: true; readonly command: KubectlCommand } | { readonly ok: false; readonly findings: readonly Finding[] };

/** Reads one command line that does one of a few things to one named object. */
export function readKubectl(text: string): KubectlReading {
  const line = readCommandLine(text);
  if (!line.ok) return line;
  const findings: Finding[] = [];
  const command = readCommand(line.words, {
    report: (finding) => findings.push(finding),
    refuse: (rule, about, reason, remedy) => {
      findings.push({ rule, position: about?.position ?? 0, reason, remedy });
      return undefined;
    },
    isClean: () => findings.length === 0,
  });
  return command !== undefined && findings.length === 0 ? { ok: true, command } : { ok: false, findings: findings.slice(0, MAX_FINDINGS) };
}

/** Where findings go. */
interface Remarks {
  readonly report: (finding: Finding) => void;
  readonly refuse: Refuse;
  readonly isClean: () => boolean;
}

/** One thing that a command may do, beside naming its object. */
interface Form {
  readonly words: readonly string[];
  readonly kinds: readonly string[];
  readonly flags: readonly string[];
  /** Whether there is more than its object and its flags. */
  readonly takesWords: boolean;
  readonly read: (ref: ObjectRef, from: KubectlArguments, remarks: Remarks) => KubectlCommand | undefined;
}

const workloads = ['Deployment', 'StatefulSet', 'DaemonSet'];
const forms: readonly Form[] = [
  { words: ['rollout', 'undo'], kinds: workloads, flags: ['--to-revision'], takesWords: false, read: readUndo },
  { words: ['rollout', 'restart'], kinds: workloads, flags: [], takesWords: false, read: (ref) => ({ verb: 'restart', ref }) },
  { words: ['scale'], kinds: ['Deployment', 'StatefulSet'], flags: ['--replicas'], takesWords: false, read: readScale },
  { words: ['set', 'image'], kinds: workloads, flags: [], takesWords: true, read: readImages },
  { words: ['delete'], kinds: ['Pod', 'NetworkPolicy'], flags: [], takesWords: false, read: (ref) => ({ verb: 'delete', ref }) },
  { words: ['cordon'], kinds: ['Node'], flags: [], takesWords: false, read: (ref) => ({ verb: 'cordon', ref }) },
  { words: ['uncordon'], kinds: ['Node'], flags: [], takesWords: false, read: (ref) => ({ verb: 'uncordon', ref }) },
  { words: ['patch'], kinds: Object.keys(allowedFields), flags: ['--type', '--patch'], takesWords: false, read: readJsonPatch },
];

function readCommand([program, ...others]: readonly Word[], remarks: Remarks): KubectlCommand | undefined {
  const { refuse } = remarks;
  if (program?.text !== 'kubectl') return refuse('kubectl.program', program, 'it does not begin with kubectl', 'Write a command of kubectl.');
  const { words, flags } = readArguments(others, refuse);
  if (!remarks.isClean()) return undefined;
  const form = forms.find((candidate) => candidate.words.every((word, index) => words[index]?.text === word));
  if (form === undefined) {
    const [verb] = words;
    return refuse('kubectl.verb', verb ?? program, `no rule allows kubectl ${verb?.text ?? 'alone'}`, `Write one of: ${forms.map((one) => one.words.join(' ')).join(', ')}.`);
  }
  for (const [flag, word] of flags) {
    if (flag !== '--namespace' && !form.flags.includes(flag)) refuse('kubectl.flag', word, `${form.words.join(' ')} has no ${flag}`, 'Leave it out.');
  }
  const named = readRef(form, { words: words.slice(form.words.length), flags }, refuse);
  for (const word of form.takesWords ? [] : (named?.others ?? [])) refuse('kubectl.oneObject', word, `${JSON.stringify(word.text)} is more than one object`, 'Write one command for each object.');
  return named === undefined || !remarks.isClean() ? undefined : form.read(named.ref, { words: named.others, flags }, remarks);
}

function readRef({ kinds, words: verb }: Form, { words, flags }: KubectlArguments, refuse: Refuse): { readonly ref: ObjectRef; readonly others: readonly Word[] } | undefined {
  const [first, second] = words;
  if (first === undefined) return refuse('kubectl.object', undefined, 'it names no object', 'Name one object.');
  const namespace = flags.get('--namespace');
  if (kinds.includes('Node')) {
    if (namespace !== undefined) refuse('kubectl.namespace', namespace, 'a node is in no namespace', 'Leave it out.');
    if (!isObjectName(first.text)) return refuse('kubectl.name', first, `${JSON.stringify(first.text)} is not the name of a node`, 'Write the node’s name alone.');
    return { ref: { apiVersion: 'v1', kind: 'Node', name: first.text, namespace: null }, others: words.slice(1) };
  }
  const slash = first.text.indexOf('/');
  const name = slash < 0 ? second : sliceWord(first, slash + 1);
  const word = slash < 0 ? first.text : first.text.slice(0, slash);
  const kind = findKindByWord(word);
  if (kind === undefined || !kinds.includes(kind.kind)) {
    return refuse('kubectl.kind', first, `${verb.join(' ')} of ${JSON.stringify(word)}: ${kind === undefined ? explainKind(word) : 'no rule allows that'}`, `Name one of: ${kinds.join(', ')}.`);
  }
  if (namespace === undefined) refuse('kubectl.namespace', undefined, 'it does not name the namespace', 'Add -n NAMESPACE.');
  else if (!isLabel(namespace.text)) refuse('kubectl.namespace', namespace, `${JSON.stringify(namespace.text)} is not the name of a namespace`, 'Write -n NAMESPACE.');
  if (name === undefined || !isObjectName(name.text)) refuse('kubectl.name', name ?? first, `${JSON.stringify(name?.text ?? '')} is not the name of one object`, 'Name one object, as KIND/NAME.');
  if (name === undefined || namespace === undefined) return undefined;
  return { ref: { apiVersion: kind.apiVersion, kind: kind.kind, name: name.text, namespace: namespace.text }, others: words.slice(slash < 0 ? 2 : 1) };
}

function readUndo(ref: ObjectRef, from: KubectlArguments, { refuse }: Remarks): KubectlCommand | undefined {
  const revision = from.flags.get('--to-revision');
  if (revision === undefined || !/^[1-9]\d{0,8}$/.test(revision.text)) {
    return refuse('kubectl.revision', revision, 'it does not say to which revision; the one before may be another when it runs', 'Add --to-revision=N, from 1.');
  }
  return { verb: 'rolloutUndo', ref, revision: Number(revision.text) };
}

function readScale(ref: ObjectRef, from: KubectlArguments, { refuse }: Remarks): KubectlCommand | undefined {
  const replicas = from.flags.get('--replicas');
  if (replicas?.text === '0') return refuse('kubectl.replicas', replicas, 'nothing would be left: that is an outage, and not a repair', `Write a number from 1 to ${MAX_REPLICAS}.`);
  if (replicas === undefined || !/^[1-9]\d{0,3}$/.test(replicas.text) || Number(replicas.text) > MAX_REPLICAS) {
    return refuse('kubectl.replicas', replicas, `it does not say how many, from 1 to ${MAX_REPLICAS}`, 'Add --replicas=N.');
  }
  return { verb: 'scale', ref, replicas: Number(replicas.text) };
}

function readImages(ref: ObjectRef, { words }: KubectlArguments, { refuse }: Remarks): KubectlCommand | undefined {
  const images = new Map<string, string>();
  for (const word of words) {
    const [container = '', ...image] = word.text.split('=');
    if (image.length === 0) refuse('kubectl.oneObject', word, `${JSON.stringify(word.text)} is more than one object`, 'Write one command for each object, with CONTAINER=IMAGE.');
    else if (!isLabel(container)) refuse('kubectl.container', word, `${JSON.stringify(container)} is not the name of one container`, 'Write CONTAINER=IMAGE for each container.');
    else if (!isImage(image.join('='))) refuse('kubectl.image', word, `${JSON.stringify(image.join('='))} is not an image`, 'Write CONTAINER=IMAGE, such as web=registry.example/shop/web:v2.');
    else if (images.has(container)) refuse('kubectl.repeated', word, `${container} is there twice`, 'Write it once.');
    else images.set(container, image.join('='));
  }
  if (words.length === 0) refuse('kubectl.image', undefined, 'it names no image', 'Add CONTAINER=IMAGE.');
  return { verb: 'setImage', ref, images: Object.fromEntries(images) };
}

function readJsonPatch(ref: ObjectRef, from: KubectlArguments, { report, refuse }: Remarks): KubectlCommand | undefined {
  const type = from.flags.get('--type');
  const patch = from.flags.get('--patch');
  const rule = allowedFields[ref.kind];
  if (type?.text !== 'json') return refuse('kubectl.patchType', type, 'only a JSON Patch says exactly what it changes', 'Add --type=json.');
  if (patch === undefined || rule === undefined) return refuse('kubectl.patch', undefined, 'it does not say what to change', "Add -p '[…]', a JSON Patch.");
  const reading = readOperations(patch, rule);
  if (reading.ok) return { verb: 'patch', ref, operations: reading.operations };
  for (const finding of reading.findings) report(placeIn(patch, finding));
  return undefined;
}
