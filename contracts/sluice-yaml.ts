import { Value } from 'typebox/value';
import { LineCounter, parseDocument, isNode, type Document } from 'yaml';
import type { Workspace } from '../domain/watch.js';
import { SluiceYaml, type WrittenChannel, type WrittenTarget, type WrittenWorkspace } from './sluice-yaml-schema.js';
import { toWorkspace } from './sluice-yaml-workspace.js';

export class WrongSluiceYaml extends Error {
  override readonly name = 'WrongSluiceYaml';
}

const MAX_ALIASES = 100;

type Path = readonly (string | number)[];
interface Mistake {
  readonly path: Path;
  readonly message: string;
}

/** Reads the text of a sluice.yaml. Throws `WrongSluiceYaml` that names every mistake with its line. */
export function readSluiceYaml(text: string, file = 'sluice.yaml'): readonly Workspace[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const lineOf = (path: Path): number => lines.linePos(findOffset(document, path)).line;
  const fail = (mistakes: readonly string[]): never => {
    throw new WrongSluiceYaml(`${file} is wrong:\n  ${[...new Set(mistakes)].join('\n  ')}`);
  };
  if (document.errors.length > 0) {
    fail(document.errors.map((error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message.split('\n')[0] ?? ''}`));
  }
  let content: unknown;
  try {
    // Aliases are looked up only here, and a few that name each other could grow without end.
    content = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    return fail([error instanceof Error ? error.message : String(error)]);
  }
  if (!Value.Check(SluiceYaml, content)) {
    // A key that no schema has is reported twice: at its object, and as a value that no schema allows.
    const errors = Value.Errors(SluiceYaml, content)
      .filter(({ keyword }) => keyword !== 'additionalProperties')
      .map((error): Mistake => ({ path: error.instancePath.split('/').slice(1), message: toMessage(error) }));
    return fail(errors.map(({ path, message }) => `line ${lineOf(path)}: ${path.join('.') || 'the document'} ${message}`));
  }
  const mistakes = findMistakes(content);
  if (mistakes.length > 0) fail(mistakes.map(({ path, message }) => `line ${lineOf(path)}: ${path.join('.')} ${message}`));
  return Object.entries(content.workspaces).map(([id, workspace]) => toWorkspace(id, workspace));
}

function toMessage({ keyword, message, params }: { readonly keyword: string; readonly message: string; readonly params: object }): string {
  if (keyword === 'boolean') return 'is unknown here';
  return keyword === 'enum' && 'allowedValues' in params && Array.isArray(params.allowedValues) ? `must be one of ${params.allowedValues.join(', ')}` : message;
}

function findOffset(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

const needs = { postgres: ['connection'], http: ['url'], 'config-file': ['path', 'serves'], kubernetes: ['kubeconfig', 'namespace'], host: [], workspace: ['activeIncidents'] } as const;
const allows: Readonly<Record<WrittenTarget['kind'], readonly string[]>> = {
  postgres: ['connection', 'executor', 'postgres', 'auditLog'],
  http: ['url', 'probe'],
  'config-file': ['path', 'executor', 'serves'],
  kubernetes: ['kubeconfig', 'context', 'namespace', 'executor', 'serves', 'jobs', 'kubernetes'],
  host: ['queue', 'executor', 'serves', 'units', 'containers', 'paths', 'secrets'],
  workspace: ['activeIncidents'],
};
const executors: Readonly<Partial<Record<WrittenTarget['kind'], string>>> = { postgres: 'sql', 'config-file': 'config-patch', kubernetes: 'kubernetes', host: 'host' };

/** What a schema cannot say: that each kind has what it needs, and that what is named exists. */
function findMistakes({ workspaces }: SluiceYaml): readonly Mistake[] {
  return Object.entries(workspaces).flatMap(([id, workspace]) => [
    // What runs without asking anybody takes a person's word, which is signed.
    ...(workspace.autonomy === 'confidence' ? [{ path: ['workspaces', id, 'autonomy'], message: 'cannot be confidence here: an admin puts that in place with `sluice policy set`' }] : []),
    ...Object.entries(workspace.targets).flatMap(([name, target]) => findTargetMistakes(workspace, target, ['workspaces', id, 'targets', name])),
    ...Object.entries(workspace.channels ?? {}).flatMap(([name, channel]) => findChannelMistakes(channel, ['workspaces', id, 'channels', name])),
    ...(workspace.alertRules ?? []).flatMap((rule, index) =>
      rule.targets
        .filter((name) => !Object.hasOwn(workspace.targets, name))
        .map((name) => ({ path: ['workspaces', id, 'alertRules', index, 'targets'], message: `names ${name}, which is no target` })),
    ),
  ]);
}

function findTargetMistakes(workspace: WrittenWorkspace, target: WrittenTarget, path: Path): readonly Mistake[] {
  const { kind, executor, serves = [] } = target;
  const mistakes: Mistake[] = needs[kind].filter((key) => target[key] === undefined).map((key) => ({ path, message: `is of kind ${kind} and needs ${key}` }));
  for (const key of Object.keys(target)) {
    if (key !== 'kind' && !allows[kind].includes(key)) mistakes.push({ path: [...path, key], message: `does not belong to kind ${kind}` });
  }
  const fitting = executors[kind];
  if (executor !== undefined && fitting !== undefined && executor !== fitting) mistakes.push({ path: [...path, 'executor'], message: `must be ${fitting} where the kind is ${kind}` });
  // Only the sweep notes when it is good.
  if (kind === 'config-file' && workspace.sweep === undefined) mistakes.push({ path, message: 'is a configuration file, and its workspace needs sweep: { every: … } to know when it is good' });
  for (const name of serves) {
    const served = Object.hasOwn(workspace.targets, name) ? workspace.targets[name] : undefined;
    if (served === undefined) mistakes.push({ path: [...path, 'serves'], message: `names ${name}, which is no target` });
    else if (!isMeasured(served)) mistakes.push({ path: [...path, 'serves'], message: `names ${name}, of which nothing is measured that could be well` });
  }
  return mistakes;
}

const channelKeys = { webhook: ['url', 'secret'], slack: ['token', 'channel', 'api'] } as const;

function findChannelMistakes(channel: WrittenChannel, path: Path): readonly Mistake[] {
  const { kind } = channel;
  const allowed: readonly string[] = ['kind', 'groups', ...channelKeys[kind]];
  const missing = channelKeys[kind].filter((key) => key !== 'api' && channel[key] === undefined).map((key) => ({ path, message: `is of kind ${kind} and needs ${key}` }));
  return [...missing, ...Object.keys(channel).filter((key) => !allowed.includes(key)).map((key) => ({ path: [...path, key], message: `does not belong to kind ${kind}` }))];
}

const isMeasured = ({ kind, postgres, auditLog }: WrittenTarget): boolean => kind === 'http' || kind === 'kubernetes' || postgres !== undefined || auditLog !== undefined;
