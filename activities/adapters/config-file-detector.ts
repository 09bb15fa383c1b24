import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Json } from '../../domain/canonical.js';
import { toConfigChange } from '../../domain/config-change.js';
import type { Fact, Signal } from '../../domain/signal.js';
import { isList, isMembers, type Tree } from '../../validation/config-patch/json-tree.js';
import { MAX_CONFIG_BYTES, readConfig, toConfigFormat } from '../../validation/config-patch/patch-config.js';
import type { ConfigFile, ConfigurationReading } from '../ports.js';

/** A configuration file as it is now; `hash` is the SHA-256 of its bytes. */
type ConfigReading = (Extract<ConfigurationReading, { kind: 'read' }> & { readonly document: Json; readonly changedAt: Date }) | Extract<ConfigurationReading, { kind: 'unreadable' }>;

export interface LastKnownGood {
  /** The content that became good last, and when all was last seen to be well with it. */
  readLastKnownGood(workspaceId: string, target: string): Promise<{ readonly content: string; readonly wellAt: Date } | undefined>;
}

/** Reads a configuration file. One that is missing, too large or not what its name says is an answer, not an error. */
export async function readConfigFile(path: string): Promise<ConfigReading> {
  try {
    const { bytes, changedAt } = await readBytes(path);
    // Postgres, which keeps it, takes no text with a zero in it.
    if (bytes.includes(0)) return unreadable(`${path} is not a text file`);
    const content = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const reading = parse(content, path);
    if (!reading.ok) return unreadable(`${path} cannot be used: ${reading.because}`);
    return { kind: 'read', content, hash: createHash('sha256').update(bytes).digest('hex'), document: toJson(reading.tree), changedAt };
  } catch (error) {
    return unreadable(`${path} cannot be read: ${explain(error)}`);
  }
}

function explain(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return 'there is no such file';
  return error instanceof Error ? error.message : String(error);
}

const unreadable = (because: string): ConfigReading => ({ kind: 'unreadable', because: because.slice(0, 300) });

async function readBytes(path: string): Promise<{ readonly bytes: Buffer; readonly changedAt: Date }> {
  // A named pipe would keep us waiting for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new Error('it is not a file');
    if (stats.size > MAX_CONFIG_BYTES) throw new Error(`it is larger than ${MAX_CONFIG_BYTES} bytes`);
    return { bytes: await file.readFile(), changedAt: stats.mtime };
  } finally {
    await file.close();
  }
}

function parse(content: string, path: string): ReturnType<typeof readConfig> {
  const format = toConfigFormat(path);
  return format === undefined ? { ok: false, because: 'its name must end in .json, .jsonc, .yaml or .yml' } : readConfig(content, format);
}

function toJson(tree: Tree): Json {
  if (isList(tree)) return tree.map(toJson);
  return isMembers(tree) ? Object.fromEntries([...tree].map(([name, member]) => [name, toJson(member)])) : tree;
}

/** Measures whether a configuration file can be read, and how it differs from what it was when it last worked. */
export async function measureConfigFile(
  path: string,
  { name: target, serves }: ConfigFile,
  readGood: () => ReturnType<LastKnownGood['readLastKnownGood']>,
  now: () => Date,
): Promise<{ readonly signals: readonly Signal[]; readonly facts: readonly Fact[] }> {
  const reading = await readConfigFile(path);
  const readable = (value: 0 | 100): Signal => ({ target, name: 'readable', title: 'configuration readable', unit: 'percent', value, threshold: 100, better: 'higher' });
  if (reading.kind === 'unreadable') return { signals: [readable(0)], facts: [{ kind: 'unreachable', id: `${target}/unreachable/config-file`, target, because: reading.because }] };
  const good = await readGood();
  const goodReading = good && parse(good.content, path);
  const change = goodReading?.ok === true ? toConfigChange(toJson(goodReading.tree), reading.document) : undefined;
  if (good === undefined || change === undefined) return { signals: [readable(100)], facts: [] };
  // A file's own time may be any; it cannot have been changed before it was last seen to be good.
  const changedAtMs = Math.min(now().getTime(), Math.max(reading.changedAt.getTime(), good.wellAt.getTime()));
  return {
    signals: [readable(100)],
    facts: [
      {
        kind: 'configChange',
        id: `${target}/configChange`,
        target,
        path,
        serves,
        ...change,
        goodAt: good.wellAt.toISOString(),
        changedAt: new Date(changedAtMs).toISOString(),
        changeAgeMs: now().getTime() - changedAtMs,
      },
    ],
  };
}
