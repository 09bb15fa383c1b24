import { readCommandLine, type Word } from '../command-line.js';
import type { Finding, ScriptValidation } from '../script-validation.js';

/** What a command does, once it was allowed. */
export type HostCommand =
  | { readonly program: 'systemctl'; readonly verb: 'restart' | 'reload' | 'start'; readonly unit: string }
  | { readonly program: 'docker'; readonly verb: 'restart'; readonly container: string };
export type CommandReading = { readonly ok: true; readonly command: HostCommand } | { readonly ok: false; readonly findings: readonly [Finding, ...Finding[]] };

// As sluice.yaml lets units and containers be named: one word, never an option, never a pattern.
const name = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,252}$/;
const unitVerbs = ['restart', 'reload', 'start'] as const;
const allowed = '`systemctl restart UNIT`, `systemctl reload UNIT`, `systemctl start UNIT` and `docker restart CONTAINER`';

/** Judges one command line by the list of programs and what each may be told. Nothing else runs. */
export function validateCommand(text: string): ScriptValidation {
  const reading = readHostCommand(text);
  return reading.ok ? { result: 'review', findings: [], reach: 'host' } : { result: 'denied', findings: reading.findings };
}

/** Reads a command that the list allows. */
export function readHostCommand(text: string): CommandReading {
  const line = readCommandLine(text);
  if (!line.ok) {
    const [finding = refuse('unreadable', undefined, 'it cannot be read', `Write one of ${allowed}.`), ...more] = line.findings;
    return { ok: false, findings: [finding, ...more] };
  }
  const [program, verb, object, ...rest] = line.words;
  const deny = (finding: Finding): CommandReading => ({ ok: false, findings: [finding] });
  if (program?.text !== 'systemctl' && program?.text !== 'docker') return deny(refuse('program', program, `${program?.text ?? 'it'} is not on the list of programs`, `Write one of ${allowed}.`));
  const unitVerb = unitVerbs.find((each) => each === verb?.text);
  const isAllowed = program.text === 'systemctl' ? unitVerb !== undefined : verb?.text === 'restart';
  if (verb === undefined || !isAllowed) return deny(refuse('verb', verb ?? program, `${program.text} may not be told ${verb === undefined ? 'nothing' : `to ${verb.text}`}`, `Write one of ${allowed}.`));
  const what = program.text === 'systemctl' ? 'unit' : 'container';
  if (object === undefined) return deny(refuse('object', verb, `it names no ${what}`, `Name one ${what}.`));
  if (!name.test(object.text)) return deny(refuse('object', object, `${JSON.stringify(object.text)} is no name of a ${what}; options and patterns are not allowed`, `Name one ${what}, as sluice.yaml does.`));
  const [more] = rest;
  if (more !== undefined) return deny(refuse('more', more, `more follows after the ${what}`, `Name one ${what} and nothing else; write another step for another.`));
  if (program.text === 'docker') return { ok: true, command: { program: 'docker', verb: 'restart', container: object.text } };
  return { ok: true, command: { program: 'systemctl', verb: unitVerb ?? 'restart', unit: object.text } };
}

const refuse = (rule: string, word: Word | undefined, reason: string, remedy: string): Finding => ({ rule: `command.${rule}`, position: word?.position ?? 0, reason, remedy });
