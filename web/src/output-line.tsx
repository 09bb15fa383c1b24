import Anser from 'anser';
import { toPlainText } from './plain-text.js';

/** One line of a script's output in its terminal colours; everything else that a terminal would obey is written out. */
export function OutputLine({ text }: { readonly text: string }) {
  return Anser.ansiToJson(text, { use_classes: true, remove_empty: true }).map(({ content, fg, decorations }, index) => (
    <span key={index} className={`${fg ?? ''} ${decorations.includes('bold') ? 'font-semibold' : ''}`}>
      {toPlainText(content)}
    </span>
  ));
}
