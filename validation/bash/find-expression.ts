import { deny, plus } from './notes.js';
import type { Call } from './program-rule.js';
import { judgeValue } from './values.js';
import { isKnown, OUTSIDE, shown, wordOf, type Word } from './words.js';

const plainTests = /^-(a|and|o|or|not|depth|empty|executable|follow|ls|mount|nogroup|nouser|print|print0|prune|quit|readable|true|false|writable|xdev|daystart|noleaf|ignore_readdir_race)$|^[!(),]$/;
const valuedTests = /^-(amin|atime|cmin|ctime|fstype|gid|group|iname|inum|ipath|iregex|links|maxdepth|mindepth|mmin|mtime|name|path|perm|printf|regex|regextype|size|type|uid|user|wholename|iwholename|xtype|newermt)$/;

/** Judges a search: where it looks, and what it does with what it finds. */
export function judgeFind(words: readonly Word[], call: Call): void {
  const start = words.findIndex((word) => !/^-[HLP]$/.test(word.text));
  const until = words.findIndex((word, index) => index >= start && /^[-!(),]/.test(word.text));
  const roots = words.slice(start < 0 ? words.length : start, until < 0 ? undefined : until);
  const tests = until < 0 ? [] : words.slice(until);
  if (roots.length === 0) roots.push(wordOf('.', call.position));
  for (const root of roots) judgeValue('list', root, call);
  const below = (): Word[] => roots.map((root) => wordOf(`${root.text.replace(/\/+$/, '')}/${OUTSIDE}`, root.position));
  const valuesOf = (name: string): readonly string[] => tests.flatMap((test, index) => (test.text === name ? [tests[index + 1]?.text ?? ''] : []));

  for (let index = 0; index < tests.length; index += 1) {
    const test = tests[index];
    if (test === undefined) return;
    if (test.text === '-delete') judgeDelete(test, roots, valuesOf, tests, call);
    else if (/^-(exec|execdir|ok|okdir)$/.test(test.text)) {
      const end = tests.findIndex((word, at) => at > index && (word.text === ';' || word.text === '+'));
      if (end < 0) return call.object(test.position, deny('find', 'where its command ends cannot be seen', 'End it with `\\;` or `+`.'));
      const command = tests.slice(index + 1, end);
      for (const path of below()) call.run(command.map((word) => (word.text.includes('{}') ? { ...word, text: word.text.replaceAll('{}', path.text) } : word)));
      index = end;
    } else if (test.text === '-newer' || test.text === '-samefile') index += 1;
    else if (valuedTests.test(test.text)) index += 1;
    else if (!plainTests.test(test.text)) call.object(test.position, /^-(fprint|fprint0|fprintf|fls|files0-from)$/.test(test.text) ? deny('find', `${test.text} writes or reads another file`, 'Redirect the output, so that the path can be judged.') : plus('option', `no rule knows what find does with ${shown(test.text)}`, 'Leave it out.'));
  }
}

function judgeDelete(at: Word, roots: readonly Word[], valuesOf: (name: string) => readonly string[], tests: readonly Word[], call: Call): void {
  for (const root of roots) {
    const names = [...valuesOf('-name'), ...valuesOf('-iname')];
    const isFiles = valuesOf('-type').includes('f') && !tests.some((test) => /^(-o|-or|-not|!|,|-follow|-path)$/.test(test.text));
    const isOld = [...valuesOf('-mtime'), ...valuesOf('-mmin'), ...valuesOf('-ctime'), ...valuesOf('-atime')].some((age) => /^\+[\d\uE003]+$/.test(age));
    const [name = ''] = names;
    // Whatever it is called: below such a root nobody knows all of what is found.
    if (/^\/(bin|boot|dev|etc|home|lib\w*|opt|proc|root|run|sbin|srv|sys|usr|var)?\/?$/.test(root.text)) call.object(root.position, deny('find', `it removes files wherever they are below ${root.text}`, 'Name the folder of one service.'));
    // Only plain files of a certain name and age, below a folder where such files pile up.
    if (isFiles && isOld && isKnown(root.text) && names.every((each) => isKnown(each))) {
      const isLog = /^[\w.*-]*\.(log|gz|bz2|xz|zst|old|tmp|out|dump|core|bak|\d+|log[.*\w-]*)$/.test(name);
      judgeValue('remove', wordOf(`${root.text.replace(/\/+$/, '')}/${isLog ? name.replaceAll('*', 'x') : 'x'}`, root.position), { ...call, object: (position, objection) => {
        // Rotated logs and leftovers of a service may go wherever it keeps them.
        if (objection.weight === 'deny' || !isLog || !/^path\.(folder|data)$/.test(objection.rule)) call.object(position, objection);
      } });
    } else {
      judgeValue('removeTree', root, call);
      call.object(at.position, plus('find', 'it removes more than old files of one name', 'Add `-type f`, `-name` and `-mtime`.'));
    }
  }
}
