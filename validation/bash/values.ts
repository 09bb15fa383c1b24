import { deny, plus } from './notes.js';
import { judgePath } from './paths.js';
import type { Call, Kind } from './program-rule.js';
import { judgeHost, judgeUrl } from './urls.js';
import { CRAFTED, isKnown, shown, type Word } from './words.js';

/** Judges one value or operand by what it is to the program. */
export function judgeValue(kind: Kind, word: Word, call: Pick<Call, 'program' | 'folders' | 'object' | 'run' | 'runText' | 'judgeSql'>): void {
  const object = (objection: ReturnType<typeof plus> | undefined): void => {
    if (objection !== undefined) call.object(word.position, objection);
  };
  switch (kind) {
    case 'text':
      // A pattern becomes the names of files before the program starts.
      if (word.isPattern && word.text.includes('/')) for (const folder of call.folders) object(judgePath('list', word, folder));
      return;
    case 'name':
      return object(nameTrouble(word));
    case 'known':
      return object(isKnown(word.text) && !word.isPattern ? undefined : plus('unknownWord', `nothing in the text says which word ${call.program} gets here`, 'Write the word itself.'));
    case 'number':
      return object(/^[-+~]?[\d.:\uE000\uE002\uE003]+[a-zA-Z%]{0,3}$|^(max|all|off|on)$/.test(word.text) ? undefined : plus('number', `${shown(word.text)} is no number`, 'Write a number.'));
    case 'measure':
    case 'list':
    case 'read':
    case 'write':
    case 'own':
    case 'remove':
    case 'removeTree':
      if (word.text === '-' && (kind === 'read' || kind === 'write')) return;
      for (const folder of call.folders) object(judgePath(kind, word, folder));
      return;
    case 'url':
      return object(judgeUrl(word));
    case 'host':
      return object(judgeHost(word));
    case 'shell':
      return isKnown(word.text) ? call.runText(word.text, word.position) : object(deny('hiddenScript', `${call.program} runs text that nobody can see here`, 'Write the commands themselves.'));
    case 'sql':
      return call.judgeSql(word.text, word.position);
    case 'command':
      return call.run([word]);
    case 'plus':
      return object(plus('operand', `no rule knows what ${call.program} does with ${shown(word.text)}`, 'Leave it out, or let two people look at it.'));
    case 'deny':
      return object(deny('operand', `${call.program} may not be given ${shown(word.text)}`, 'Leave it out.'));
  }
}

function nameTrouble(word: Word): ReturnType<typeof plus> | undefined {
  if (word.text.includes(CRAFTED)) return plus('crafted', 'a name that is put together by changing other text', 'Write the name itself.');
  if (word.isPattern && /[*?]/.test(word.text)) return plus('pattern', `${shown(word.text)} becomes whatever files are called so`, 'Put the pattern into quotes, or write the names.');
  if (/(^|\/)\.\.(\/|$)/.test(word.text) || /[\s;|&`<>$\\]/.test(word.text)) return plus('name', `${shown(word.text)} is no plain name`, 'Write one name.');
  return undefined;
}
