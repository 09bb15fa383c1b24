import { judgeArguments } from './arguments.js';
import { deny, plus } from './notes.js';
import { resolve } from './paths.js';
import type { Call } from './program-rule.js';
import { programs } from './programs/programs.js';
import { CRAFTED, isKnown, shown, type Word } from './words.js';

const homes = /^\/(usr\/(local\/)?)?s?bin\/([^/]+)$/;

/** The name of the program that a word runs; nothing where that is a file of its own. */
export function programOf(word: Word): string | undefined {
  if (!word.text.includes('/')) return word.text;
  return homes.exec(resolve(word.text, ''))?.[3];
}

/** Judges a command that is neither of the shell's own nor a function. */
export function judgeCommand(program: Word, words: readonly Word[], call: Omit<Call, 'program' | 'position'>): void {
  const position = program.position;
  if (!isKnown(program.text)) return call.object(position, deny('hiddenProgram', program.text.includes(CRAFTED) ? 'the name of the program is put together, so that nobody sees it' : 'nothing in the text says which program this runs', 'Write the program itself.'));
  if (program.isPattern) return call.object(position, deny('hiddenProgram', `${shown(program.text)} runs whatever file matches`, 'Write the program itself.'));
  const name = programOf(program);
  if (name === undefined) {
    const path = program.text;
    const isLoose = /^(\/tmp|\/var\/tmp|\/dev|\/proc|\/run|\/home|\/root|~)/.test(resolve(path, ''));
    return call.object(position, isLoose ? deny('looseProgram', `${shown(path)} can be written by others before it runs`, 'Run a program that is installed.') : plus('scriptFile', `${shown(path)} is run, and what it does is not in the text`, 'Write its commands here.'));
  }
  const rule = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (rule === undefined) return call.object(position, /^mkfs(\.|$)/.test(name) ? deny('destroys', `${name} destroys a file system`, 'Leave it to a person at the machine.') : plus('unknownProgram', `no rule knows what ${shown(name)} does`, 'Use a program that the rules know, or let two people look at it.'));
  judgeArguments(rule, { ...call, program: name, position }, words);
}
