import type { Word } from '../command-line.js';
import type { Finding } from '../script-validation.js';

/** Notes a finding about a word, or about the whole where there is none. Returns nothing, for whoever cannot go on. */
export type Refuse = (rule: string, about: Word | undefined, reason: string, remedy: string) => undefined;

/** What stands in a command line after `kubectl`. */
export interface KubectlArguments {
  readonly words: readonly Word[];
  readonly flags: ReadonlyMap<string, Word>;
}

const short: Readonly<Record<string, string>> = { '-n': '--namespace', '-p': '--patch' };
const flags = ['--namespace', '--to-revision', '--replicas', '--type', '--patch'];

const one = 'Name one object, as KIND/NAME.';
const ourOwn = 'which cluster it is and with whose rights is in sluice.yaml';
const explanations: readonly { readonly rule: string; readonly flags: readonly string[]; readonly reason: string; readonly remedy: string }[] = [
  { rule: 'selector', flags: ['-l', '--selector', '--field-selector'], reason: 'which objects a selector means shows only when it runs', remedy: one },
  { rule: 'all', flags: ['--all', '-A', '--all-namespaces'], reason: 'it means more than one object', remedy: one },
  { rule: 'force', flags: ['--force', '--now', '--grace-period', '--cascade', '--overwrite', '--validate'], reason: 'it takes away what protects the object', remedy: 'Leave it out.' },
  { rule: 'file', flags: ['-f', '--filename', '-k', '--kustomize', '-R', '--recursive', '--patch-file'], reason: 'what is in a file is not in the plan', remedy: 'Write what is to change as a step of type kubernetes, or with --patch.' },
  {
    rule: 'connection',
    flags: ['--kubeconfig', '--context', '--cluster', '--server', '-s', '--user', '--token', '--as', '--as-group', '--as-uid', '--username', '--password', '--client-certificate', '--client-key', '--certificate-authority', '--insecure-skip-tls-verify', '--tls-server-name'],
    reason: ourOwn,
    remedy: 'Leave it out.',
  },
  { rule: 'dryRun', flags: ['--dry-run'], reason: 'each step is rehearsed before people are asked', remedy: 'Leave it out.' },
];

/** Tells flags with their values from the other words. */
export function readArguments(words: readonly Word[], refuse: Refuse): KubectlArguments {
  const found = new Map<string, Word>();
  const others: Word[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index];
    if (word === undefined) break;
    if (!word.text.startsWith('-')) {
      others.push(word);
      continue;
    }
    const equals = word.text.startsWith('--') ? word.text.indexOf('=') : -1;
    const written = equals < 0 ? word.text : word.text.slice(0, equals);
    const flag = short[written] ?? written;
    if (!flags.includes(flag)) {
      refuseFlag(word, refuse);
      continue;
    }
    const value = equals < 0 ? words[(index += 1)] : sliceWord(word, equals + 1);
    if (value === undefined || value.text === '') refuse('kubectl.flag', word, `${written} has no value`, `Write ${flag}=VALUE.`);
    else if (found.has(flag)) refuse('kubectl.repeated', word, `${flag} is there twice`, 'Write it once.');
    else found.set(flag, value);
  }
  return { words: others, flags: found };
}

export function sliceWord({ text, position, positions }: Word, start: number): Word {
  return { text: text.slice(start), position: positions[start] ?? position, positions: positions.slice(start) };
}

/** A finding about a part of a word, where it stands in the line. */
export const placeIn = (word: Word, finding: Finding): Finding => ({ ...finding, position: word.positions[finding.position - 1] ?? word.position });

function refuseFlag(word: Word, refuse: Refuse): void {
  const [name = ''] = word.text.split('=');
  const letter = name.startsWith('--') ? name : name.slice(0, 2);
  const known = explanations.find((explanation) => explanation.flags.includes(letter));
  if (known === undefined) refuse('kubectl.flag', word, `no rule allows ${name}`, `Of flags there are only -n, -p, ${flags.join(', ')}, each with its value after a space or, for the long ones, a =.`);
  else refuse(`kubectl.${known.rule}`, word, `${name}: ${known.reason}`, known.remedy);
}
