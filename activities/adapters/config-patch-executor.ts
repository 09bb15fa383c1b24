import { isUtf8 } from 'node:buffer';
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { Pins, Step } from '../../domain/plan.js';
import { readPatch } from '../../validation/config-patch/json-patch.js';
import { MAX_CONFIG_BYTES, patchConfig, type Patched, toConfigFormat } from '../../validation/config-patch/patch-config.js';
import { sha256 } from '../digest.js';
import { Fault } from '../faults.js';
import { CalledOff, type Change, type ChangeOptions, type ChangeResult, type Executor, type Watch } from '../ports.js';
import { describeDifference } from './line-difference.js';
import type { ReadSecret } from './target-connections.js';
import { callOff, hasCode, NotReplaceable, readHandle, stageFile, swapIn, sweepStaged, unstage, whyNotReplaceable, writeHandle } from './staged-file.js';

/** `file` is where the links of the target's path lead. */
interface Content {
  readonly ok: true;
  readonly file: string;
  readonly text: string;
}
type ContentReading = Content | { readonly ok: false; readonly because: string };

/**
 * Patches configuration files. New content is staged beside the file and swapped in by one rename, so that what became of a change can always be told:
 * as long as it is staged nothing has happened, and whoever settles it takes it away from a worker that may still wake up.
 */
export function createConfigPatchExecutor(watch: Watch, readSecret: ReadSecret): Executor {
  function findFile(workspaceId: string, name: string) {
    const target = watch.readWorkspace(workspaceId).targets.find((one) => one.name === name);
    if (target?.kind !== 'config-file') throw new Fault('targetMissing', `target ${name} is no configuration file in sluice.yaml`);
    return { path: typeof target.path === 'string' ? target.path : readSecret(target.path, 'place'), mayPatch: target.executor === 'config-patch' };
  }

  function findPath(workspaceId: string, name: string): string {
    const { path, mayPatch } = findFile(workspaceId, name);
    if (!mayPatch) throw new Fault('targetMissing', `target ${name} has no executor: config-patch in sluice.yaml`);
    return path;
  }

  return {
    async rehearse(workspaceId, step) {
      const { path, mayPatch } = findFile(workspaceId, step.target);
      const content = await readContent(path);
      if (!content.ok) return { found: false, lines: [content.because] };
      const patched = patch(step.script, path, content.text);
      if (!patched.ok) return { found: false, lines: [`${path}: ${patched.because}`] };
      if (patched.text === content.text) return { found: false, lines: [`${path} says already what the patch would make it say`] };
      const hindrance = mayPatch ? await whyNotReplaceable(content.file) : undefined;
      if (hindrance !== undefined) return { found: false, lines: [hindrance] };
      const { summary, lines } = describeDifference(path, content.text, patched.text, 'context');
      return {
        found: true,
        lines: [`${path}: ${summary}`, ...lines],
        wayBack: { kind: 'snapshot', of: 'file' },
        pins: { before: sha256(content.text), after: sha256(patched.text) },
      };
    },

    async snapshot(workspaceId, step) {
      const content = await readContent(findPath(workspaceId, step.target));
      if (!content.ok) throw new Fault('targetChanged', content.because);
      if (sha256(content.text) !== toPins(step).before) throw new Fault('targetChanged', `${content.file} is not as it was rehearsed`);
      return content.text;
    },

    async run(workspaceId, change, options) {
      const path = findPath(workspaceId, change.step.target);
      const content = await readContent(path);
      if (!content.ok) return { kind: 'conflict', summary: content.because };
      return change.kind === 'execute' ? execute(path, content, change, options) : rollBack(path, content, change, options);
    },

    async settle(workspaceId, change, handle, { onOutput, toldLines }) {
      const path = findPath(workspaceId, change.step.target);
      const staged = readHandle(handle);
      if (staged === undefined) throw new Fault('outcomeUnknown', `what was noted of the change of ${path} cannot be read`);
      if ((await callOff(staged)) !== 'tooLate') return { kind: 'notDone' };
      const content = await readContent(staged.file);
      if (!content.ok) throw new Fault('outcomeUnknown', `the change of ${path} was made or its staged file was removed, and now ${content.because}`);
      if (sha256(content.text) !== toWanted(change)) {
        throw new Fault('outcomeUnknown', `${path} is not as the change would have left it, and what was staged for it is gone: somebody else has changed one or the other`);
      }
      await sweepStaged(staged);
      const summary = describeDone(change, path);
      if (toldLines === 0) onOutput(summary);
      return { kind: 'done', summary };
    },
  };
}

async function execute(path: string, content: Content, change: Extract<Change, { kind: 'execute' }>, options: ChangeOptions): Promise<ChangeResult> {
  const { before, after } = toPins(change.step);
  if (sha256(content.text) !== before) return refuse(path, 'since it was rehearsed', change.snapshot, content, options);
  const patched = patch(change.step.script, path, content.text);
  if (!patched.ok || sha256(patched.text) !== after) return { kind: 'failed', changed: false, summary: `the patch does not make of ${path} what was approved` };
  return replace(content, patched.text, change, options);
}

async function rollBack(path: string, content: Content, change: Extract<Change, { kind: 'rollback' }>, options: ChangeOptions): Promise<ChangeResult> {
  const { before, after } = toPins(change.step);
  if (sha256(change.snapshot) !== before) return { kind: 'failed', changed: false, summary: `the snapshot is not what ${path} was when the step was approved` };
  const now = sha256(content.text);
  if (now === before) {
    const left = readHandle(change.left);
    // The step may have been settled by nobody, and its worker may still wake up.
    if (left !== undefined && (await callOff(left)) !== 'tooLate') await sweepStaged(left);
    await sweepStaged({ file: content.file, key: change.key });
    return { kind: 'done', summary: `${path} is as it was before the step` };
  }
  if (now !== after) {
    const left = patch(change.step.script, path, change.snapshot);
    return refuse(path, 'since the step', left.ok ? left.text : null, content, options);
  }
  return replace(content, change.snapshot, change, options);
}

/** Says how the file differs from what was expected there, and changes nothing. */
function refuse(path: string, since: string, expected: string | null, { text }: Content, { onOutput }: ChangeOptions): ChangeResult {
  if (expected === null) return { kind: 'conflict', summary: `${path} was changed ${since}` };
  const { summary, lines } = describeDifference(path, expected, text, 'all');
  lines.forEach(onOutput);
  return { kind: 'conflict', summary: `${path} was changed ${since}: ${summary}` };
}

/** Swaps new content in, if the file is still as it was read. */
async function replace({ file, text }: Content, wanted: string, change: Change, { begin, signal, onOutput }: ChangeOptions): Promise<ChangeResult> {
  signal.throwIfAborted();
  const staging = await trying(() => stageFile(file, wanted, change.key));
  if (!staging.ok) return { kind: 'failed', changed: false, summary: `${file} cannot be replaced: ${staging.because}` };
  const staged = staging.value;
  try {
    await begin(writeHandle(staged));
  } catch (error) {
    // What was called off does not happen. After any other trouble it may be noted as begun, so it stays for `settle` to find.
    if (error instanceof CalledOff) await unstage(staged);
    throw error;
  }
  const current = await readContent(file);
  if (!current.ok || current.text !== text) {
    if ((await callOff(staged)) !== 'now') throw new Error(`the change of ${file} was settled by another worker`);
    return { kind: 'conflict', summary: `${file} was changed by somebody else at the same moment` };
  }
  const swapping = await trying(() => swapIn(staged));
  if (!swapping.ok) {
    // Where not even that can be done it stays staged, which tells the same.
    const calling = await trying(() => callOff(staged));
    if (calling.ok && calling.value !== 'now') throw new Error(`the change of ${file} was settled by another worker`);
    return { kind: 'failed', changed: false, summary: `${file} cannot be replaced: ${swapping.because}` };
  }
  if (!swapping.value) throw new Error(`the change of ${file} was settled by another worker`);
  await sweepStaged(staged);
  const readBack = await readContent(file);
  if (!readBack.ok || sha256(readBack.text) !== toWanted(change)) {
    return { kind: 'failed', changed: true, summary: `${file} was replaced, and is not what was put there: somebody else changed it at the same moment` };
  }
  const summary = describeDone(change, file);
  onOutput(summary);
  return { kind: 'done', summary };
}

/** What makes no difference when it is tried again: rights, space, a file system that does not let itself be changed. */
async function trying<Value>(act: () => Promise<Value>): Promise<{ readonly ok: true; readonly value: Value } | { readonly ok: false; readonly because: string }> {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    if (error instanceof NotReplaceable) return { ok: false, because: error.message };
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS', 'EBUSY', 'ENOSPC', 'EDQUOT')) return { ok: false, because: String(error) };
    throw error;
  }
}

function patch(script: string, path: string, text: string): Patched {
  const format = toConfigFormat(path);
  if (format === undefined) return { ok: false, because: 'its name does not end in .json, .jsonc, .yaml or .yml' };
  const read = readPatch(script);
  if (!read.ok) return { ok: false, because: `${read.finding.rule}: ${read.finding.reason}` };
  return patchConfig(text, format, read.operations.map(({ operation }) => operation));
}


function toPins({ stepId, pins }: Step): Pins {
  if (pins === null) throw new Error(`step ${stepId} was not rehearsed`);
  return pins;
}

const toWanted = ({ kind, step }: Change): string | null => (kind === 'execute' ? toPins(step).after : toPins(step).before);

const describeDone = (change: Change, path: string): string =>
  change.kind === 'execute' ? `patched ${path}, SHA-256 now ${toWanted(change)}` : `put ${path} back as it was, SHA-256 now ${toWanted(change)}`;

/** The text of a file, byte for byte; or why it has none that could be patched. */
async function readContent(path: string): Promise<ContentReading> {
  try {
    const file = await realpath(path);
    // Not to wait for a writer where it is a pipe.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return { ok: false, because: `${path} is not a file` };
      if (stats.size > MAX_CONFIG_BYTES) return { ok: false, because: `${path} has ${stats.size} bytes, more than the ${MAX_CONFIG_BYTES} that can be patched` };
      const text = readText(await handle.readFile());
      return text === undefined ? { ok: false, because: `${path} is not text in UTF-8` } : { ok: true, file, text };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return { ok: false, because: `${path} is not there` };
    if (hasCode(error, 'EACCES', 'EPERM', 'ELOOP', 'ENXIO', 'EISDIR')) return { ok: false, because: `${path} cannot be read: ${String(error)}` };
    throw error;
  }
}

/** Undefined for bytes that a text would not give back exactly, or that no table can hold. */
function readText(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return isUtf8(bytes) && !text.includes('\0') ? text : undefined;
}
