/**
 * Text from outside with nothing hidden in it: control signs, zero-width signs and signs that turn the direction of reading are
 * written out, because a script must read as it will run.
 */
export const toPlainText = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => (sign === '\n' || sign === '\t' ? sign : writeOut(sign)));

const writeOut = (sign: string): string => `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
