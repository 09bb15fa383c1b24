import { open, readFile } from 'node:fs/promises';
import { styleText } from 'node:util';
import type { Finding, ScriptValidation } from '../validation/script-validation.js';
import { type TextType, textTypes } from '../validation/text-types.js';
import { type Inspector, openInspector } from '../inspection/inspector.js';
import { toPlainText } from './render.js';
import { Refused, type Surroundings, WrongUsage } from './surroundings.js';

export interface Wanted {
  readonly jsonl?: string;
  readonly type?: TextType;
  readonly json?: boolean;
}

/** Judges scripts by what their languages say that they do, without a server. Throws Refused where one is denied, or a line cannot be read. */
export async function validateFiles(surroundings: Surroundings, paths: readonly string[], { jsonl, type, json = false }: Wanted): Promise<void> {
  if ((jsonl === undefined) === (paths.length === 0)) throw new WrongUsage('Name the files to judge, or one of JSON Lines with --jsonl; - is standard input.');
  const inspector = openInspector();
  try {
    if (jsonl === undefined) await judgeFiles(surroundings, inspector, paths, type, json);
    else await judgeLines(surroundings, inspector, jsonl);
  } finally {
    await inspector.close();
  }
}

/** One answer for each line, in order, also for one that cannot be read. */
async function judgeLines({ print, interrupted }: Surroundings, inspector: Inspector, path: string): Promise<void> {
  let [number, unreadable] = [0, 0];
  for await (const line of await readLines(path)) {
    if (interrupted.aborted) return;
    number += 1;
    if (line.trim() === '') continue;
    const entry = readEntry(line);
    if ('because' in entry) unreadable += 1;
    const { result, findings } = 'because' in entry ? refuse(number, entry.because) : await inspector.judgeText(entry.type, entry.text);
    print(JSON.stringify({ id: entry.id, result, findings }));
  }
  if (unreadable > 0) throw new Refused(`${unreadable} of ${number} lines could not be read: each needs id, type (${textTypes.join(', ')}) and text.`);
}

async function readLines(path: string): Promise<AsyncIterable<string>> {
  const file = await open(path === '-' ? '/dev/stdin' : path).catch((error: unknown) => refuseToRead(path, error));
  return file.readLines();
}

function refuseToRead(path: string, error: unknown): never {
  throw new Refused(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

const refuse = (number: number, because: string): ScriptValidation => ({
  result: 'denied',
  findings: [{ rule: 'input.line', position: 0, reason: `line ${number} ${because}`, remedy: `Give an object with id, type (${textTypes.join(', ')}) and text.` }],
});

type Entry = { readonly id: unknown; readonly type: TextType; readonly text: string } | { readonly id: unknown; readonly because: string };

function readEntry(line: string): Entry {
  let read: unknown;
  try {
    read = JSON.parse(line);
  } catch {
    return { id: null, because: 'is no JSON' };
  }
  const { id = null, type, text } = (read ?? {}) as { readonly id?: unknown; readonly type?: unknown; readonly text?: unknown };
  const known = textTypes.find((one) => one === type);
  if (known === undefined) return { id, because: 'has no type that is known' };
  return typeof text === 'string' ? { id, type: known, text } : { id, because: 'has no text' };
}

async function judgeFiles(surroundings: Surroundings, inspector: Inspector, paths: readonly string[], type: TextType | undefined, json: boolean): Promise<void> {
  const { print, interrupted } = surroundings;
  const denied: string[] = [];
  for (const path of paths) {
    if (interrupted.aborted) return;
    const text = await readFile(path === '-' ? '/dev/stdin' : path, 'utf8').catch((error: unknown) => refuseToRead(path, error));
    const validation = await inspector.judgeText(type ?? findType(path, text), text);
    if (validation.result === 'denied') denied.push(path);
    const { result, findings } = validation;
    print(json ? JSON.stringify({ id: path, result, findings }) : render(path, text, validation, surroundings.hasColours));
  }
  if (denied.length > 0) throw new Refused(`Denied: ${denied.join(', ')}.`);
}

const extensions: Readonly<Record<string, TextType>> = { sh: 'bash', bash: 'bash', py: 'python', sql: 'sql', yaml: 'k8s', yml: 'k8s', json: 'k8s' };

/** By its name, else by the program that its first line names. */
function findType(path: string, text: string): TextType {
  const byName = extensions[/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''];
  const byProgram = /^#!.*\b(bash|sh)\b/.test(text) ? 'bash' : /^#!.*\bpython[0-9.]*\b/.test(text) ? 'python' : undefined;
  const type = byName ?? byProgram;
  if (type === undefined) throw new WrongUsage(`What ${path} is cannot be told from its name: say --type ${textTypes.join('|')}.`);
  return type;
}

const colours = { review: 'green', review_plus: 'yellow', denied: 'red' } as const;
const meanings = { review: 'one person has to look at it', review_plus: 'two people have to look at it', denied: 'nobody should run it' } as const;

function render(path: string, text: string, { result, findings }: ScriptValidation, hasColours: boolean): string {
  const paint = (colour: 'red' | 'green' | 'yellow' | 'dim', words: string): string => (hasColours ? styleText(colour, words, { validateStream: false }) : words);
  const shown = findings.flatMap((finding) => renderFinding(path, text, finding, (words) => paint(colours[result], words), (words) => paint('dim', words)));
  return [...shown, `${toPlainText(path)}: ${paint(colours[result], result)}, ${meanings[result]}`].join('\n');
}

/** The place as editors know it, the line, a mark below it, and what to do. */
function renderFinding(path: string, text: string, { rule, position, reason, remedy }: Finding, stress: (words: string) => string, hush: (words: string) => string): readonly string[] {
  if (position === 0) return [`${toPlainText(path)}: ${stress(rule)} ${toPlainText(reason)}`, `    ${toPlainText(remedy)}`];
  const before = text.slice(0, position - 1).split('\n');
  const number = before.length;
  const column = before.at(-1)?.length ?? 0;
  const line = toPlainText(text.split('\n')[number - 1] ?? '').replaceAll('\t', ' ');
  const from = Math.max(0, column - 60);
  const margin = `${number} | `;
  return [
    `${toPlainText(path)}:${number}:${column + 1} ${stress(rule)} ${toPlainText(reason)}`,
    `    ${hush(margin)}${line.slice(from, from + 100)}`,
    `    ${' '.repeat(margin.length + column - from)}${stress('^')}`,
    `    ${toPlainText(remedy)}`,
  ];
}
