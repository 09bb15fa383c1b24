/** One way to write a secret, and how a text is read to find it written so. */
export interface SecretForm {
  /** What to look for: one word, or one for each way it may be aligned. */
  readonly toWords: (secret: string) => readonly (readonly number[])[];
  /** For each of these words the units that may follow and tell of the secret too. */
  readonly toEnds?: (secret: string) => readonly (readonly (readonly number[])[])[];
  /** Whether the unit before a word may tell of the secret too. */
  readonly sharesFirst?: boolean;
  /** The readings of characters below 128 that need no look at others; 0 for those that do. A table, because all output goes through it. */
  readonly plain: Int32Array;
  /** What stands at this place of a text where `plain` does not say it; `WAIT` where more of the text must be seen. */
  readonly read: (text: string, at: number, isLast: boolean) => number;
  /** So many units fill a line at least, where such a text is broken into lines; 0 where it is not. */
  readonly lineUnits: number;
}

const UNITS = 0x10000;
export const WAIT = 0;
/** Belongs to no word. */
export const BREAK = UNITS;
/** May stand between two units of a word. */
export const SKIP = UNITS + 1;
/** A line's end, which may stand within a word after a full line. */
export const WRAP = UNITS + 2;
/** May stand within a word where a line begins. */
export const INDENT = UNITS + 3;
const UNIT_BITS = 17;

const toReading = (unit: number, length = 1): number => (length << UNIT_BITS) | unit;
/** A unit, or one of the signs above. */
export const unitOf = (reading: number): number => reading & ((1 << UNIT_BITS) - 1);
/** How many characters of the text it takes. */
export const lengthOf = (reading: number): number => reading >> UNIT_BITS;

const toUnits = (text: string): number[] => Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));

const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const hexDigits = '0123456789abcdefABCDEF';
const toTable = (readingOf: (sign: string, code: number) => number): Int32Array => Int32Array.from(ASCII, readingOf);
const hexValues = toTable((sign) => (hexDigits.includes(sign) ? Number.parseInt(sign, 16) : -1));
const hexOf = (code: number): number => (code < 128 ? (hexValues[code] ?? -1) : -1);

/** The number that `digits` hexadecimal digits make, -1 where they are none, NaN where the text ends within them. */
function readHex(text: string, at: number, digits: number): number {
  let value = 0;
  for (let index = at; index < at + digits; index += 1) {
    if (index >= text.length) return Number.NaN;
    const digit = hexOf(text.charCodeAt(index));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The units of a secret, as the form itself reads them. */
function toOwnUnits({ plain, read }: Pick<SecretForm, 'plain' | 'read'>, secret: string): number[] {
  const units: number[] = [];
  for (let at = 0; at < secret.length; ) {
    const reading = plain[secret.charCodeAt(at)] || read(secret, at, true);
    if (unitOf(reading) < BREAK) units.push(unitOf(reading));
    at += lengthOf(reading);
  }
  return units;
}

const raw: SecretForm = {
  toWords: (secret) => [toUnits(secret)],
  plain: toTable((_, code) => toReading(code)),
  read: (text, at) => toReading(text.charCodeAt(at)),
  lineUnits: 0,
};

const BACKSLASH = 92;
const shortEscapes: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, "'": 39, '/': 47, '\\': 92 };
/** How many hexadecimal digits of its code follow. */
const codeDigits: Readonly<Record<string, number>> = { u: 4, x: 2 };

/** As strings of JSON and of programs write it: any character may be escaped, each in any of its ways. */
const escaped: SecretForm = {
  toWords: (secret) => [toUnits(secret)],
  plain: toTable((sign, code) => (sign === '\\' ? 0 : toReading(code))),
  read(text, at, isLast) {
    const code = text.charCodeAt(at);
    if (code !== BACKSLASH) return toReading(code);
    const sign = text[at + 1];
    if (sign === undefined) return isLast ? toReading(code) : WAIT;
    const digits = codeDigits[sign];
    if (digits === undefined) {
      const meant = shortEscapes[sign];
      return meant === undefined ? toReading(code) : toReading(meant, 2);
    }
    const meant = readHex(text, at + 2, digits);
    if (meant >= 0) return toReading(meant, 2 + digits);
    return Number.isNaN(meant) && !isLast ? WAIT : toReading(code);
  },
  lineUnits: 0,
};

const MAX_BACKSLASHES = 64;

/** As strings of JSON within JSON write it, however deep: how many backslashes stand before a sign says nothing, so those of the secret say nothing either. */
const escapedAgain: SecretForm = {
  toWords: (secret) => (/["'/\\\p{Cc}\P{ASCII}]/u.test(secret) ? [toOwnUnits(escapedAgain, secret)] : []),
  plain: escaped.plain,
  read(text, at, isLast) {
    let next = at;
    while (text.charCodeAt(next) === BACKSLASH && next - at < MAX_BACKSLASHES) next += 1;
    const sign = text[next];
    if (sign === undefined) return isLast ? toReading(SKIP, next - at) : WAIT;
    const plain = toReading(shortEscapes[sign] ?? text.charCodeAt(next), next - at + 1);
    if (sign !== 'u' || next === at) return next === at ? toReading(text.charCodeAt(at)) : plain;
    const meant = readHex(text, next + 1, 4);
    if (meant >= 0) return toReading(meant, next - at + 5);
    return Number.isNaN(meant) && !isLast ? WAIT : plain;
  },
  lineUnits: 0,
};

const PERCENT = 37;
const PLUS = 43;
const SPACE = 32;
/** A character of any plane as one unit; two that share one only hide a text more, where all others are alike too. */
const toPlainUnit = (point: number): number => (point === PLUS ? SPACE : point % UNITS);

const plainUrl = toTable((sign, code) => (sign === '%' ? 0 : toReading(toPlainUnit(code))));

const readUrl =
  (isAgain: boolean): SecretForm['read'] =>
  (text, at, isLast) => {
    const code = text.charCodeAt(at);
    if (code === PERCENT) return readPercent(text, at, { isLast, isAgain });
    if (code < 0xd800 || code > 0xdbff) return toReading(toPlainUnit(code));
    if (at + 1 >= text.length) return isLast ? toReading(code) : WAIT;
    const point = text.codePointAt(at) ?? code;
    return toReading(toPlainUnit(point), point > 0xffff ? 2 : 1);
  };

/** As URLs and forms write it: any character may be escaped, a space may be a plus. */
const urlEncoded: SecretForm = {
  toWords: (secret) => [Array.from(secret, (character) => toPlainUnit(character.codePointAt(0) ?? 0))],
  plain: plainUrl,
  read: readUrl(false),
  lineUnits: 0,
};

/** As URLs within URLs write it, however deep: `%2541` is read as `%41`, in the secret too. */
const urlEncodedAgain: SecretForm = {
  toWords: (secret) => (/[^\w.~-]/.test(secret) ? [toOwnUnits(urlEncodedAgain, secret)] : []),
  plain: plainUrl,
  read: readUrl(true),
  lineUnits: 0,
};

const MAX_PERCENTS = 16;

/** Where the digits of an escape begin: after its percent sign, which with `isAgain` may be escaped itself. */
function passPercent(text: string, at: number, isAgain: boolean): number {
  let next = at + 1;
  while (isAgain && text.startsWith('25', next) && next - at < 2 * MAX_PERCENTS) next += 2;
  return next;
}

/** The character whose bytes in UTF-8 stand here, each after a percent sign. */
function readPercent(text: string, at: number, { isLast, isAgain }: { readonly isLast: boolean; readonly isAgain: boolean }): number {
  let from = passPercent(text, at, isAgain);
  const sign = toReading(PERCENT, from - at);
  const lead = readHex(text, from, 2);
  if (Number.isNaN(lead)) return isLast ? sign : WAIT;
  if (lead < 0) return sign;
  if (lead < 0x80) return toReading(toPlainUnit(lead), from + 2 - at);
  const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  let point = lead % (0x40 >> more);
  for (let index = 1; index <= more; index += 1) {
    const next = from + 2;
    if (next >= text.length) return isLast ? sign : WAIT;
    from = passPercent(text, next, isAgain);
    const byte = text.charCodeAt(next) === PERCENT ? readHex(text, from, 2) : -1;
    if (Number.isNaN(byte)) return isLast ? sign : WAIT;
    if (byte < 0x80 || byte > 0xbf) return sign;
    point = point * 0x40 + (byte % 0x40);
  }
  return toReading(toPlainUnit(point), from + 2 - at);
}

/** The bytes in UTF-8; a half of a surrogate pair is what an encoder makes of it. */
function toBytes(text: string): number[] {
  return Array.from(text.toWellFormed(), (character) => {
    const point = character.codePointAt(0) ?? 0;
    const tail = (shift: number): number => 0x80 + ((point >> shift) % 0x40);
    if (point < 0x80) return [point];
    if (point < 0x800) return [0xc0 + (point >> 6), tail(0)];
    if (point < 0x10000) return [0xe0 + (point >> 12), tail(6), tail(0)];
    return [0xf0 + (point >> 18), tail(12), tail(6), tail(0)];
  }).flat();
}

const octal = /[0-3][0-7]{2}/y;

/** As strings of bytes are written: characters of ASCII as they are, all other bytes as `\xc3` or `\303`. */
const byteEscaped: SecretForm = {
  toWords: (secret) => (/\P{ASCII}/u.test(secret) ? [toBytes(secret)] : []),
  plain: escaped.plain,
  read(text, at, isLast) {
    if (text.charCodeAt(at) !== BACKSLASH) return toReading(BREAK);
    octal.lastIndex = at + 1;
    const [digits] = octal.exec(text) ?? [];
    if (digits !== undefined) return toReading(Number.parseInt(digits, 8), 4);
    return !isLast && /^[0-3][0-7]?$/.test(text.slice(at + 1)) ? WAIT : escaped.read(text, at, isLast);
  },
  lineUnits: 0,
};

const ZERO = 48;

/** Pairs of digits in either case, also with spaces, colons, commas, hyphens, `0x` or `\x` between them. */
const hex: SecretForm = {
  toWords: (secret) => [toBytes(secret).flatMap((byte) => [byte >> 4, byte % 16])],
  plain: toTable((sign) => {
    if (sign === '0') return 0;
    if (hexDigits.includes(sign)) return toReading(Number.parseInt(sign, 16));
    if (sign === '\n' || sign === '\r') return toReading(WRAP);
    return toReading(' \t:,-\\x'.includes(sign) ? SKIP : BREAK);
  }),
  read(text, at, isLast) {
    if (text.charCodeAt(at) !== ZERO) return toReading(BREAK);
    if (at + 1 >= text.length) return isLast ? toReading(0) : WAIT;
    // Behind another digit it is the second of a pair.
    const isPrefix = /x/i.test(text.charAt(at + 1)) && !(at > 0 && hexOf(text.charCodeAt(at - 1)) >= 0);
    return isPrefix ? toReading(SKIP, 2) : toReading(0);
  },
  // As many as `xxd -i` writes.
  lineUnits: 24,
};

// What fills the last group up is a unit like its others.
const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=';
const PAD = 64;
const toBase64Unit = (sign: string): number => base64Alphabet.indexOf(sign.replace('-', '+').replace('_', '/'));

/** The units of base64 that come from these bytes alone, where `before` other bytes stand before them in their group of three. */
function toBase64Units(bytes: readonly number[], before: number): number[] {
  const bits = [...Array.from({ length: before }, () => 0), ...bytes];
  const firstOwn = Math.ceil((before * 8) / 6);
  const ends = Math.floor((bits.length * 8) / 6);
  return Array.from({ length: ends - firstOwn }, (_, index) => {
    const bit = (firstOwn + index) * 6;
    const pair = ((bits[bit >> 3] ?? 0) << 8) + (bits[(bit >> 3) + 1] ?? 0);
    return (pair >> (10 - (bit % 8))) % 64;
  });
}

/** What may follow those: the sign that has the last bits, with any bits of other bytes behind them or with none and what fills the group up. */
function toBase64Ends(bytes: readonly number[], before: number): readonly (readonly number[])[] {
  const free = 6 - (((before + bytes.length) * 8) % 6);
  if (free === 6) return [];
  const own = ((bytes.at(-1) ?? 0) << free) % 64;
  return [...Array.from({ length: 2 ** free }, (_, others) => [own + others]), [own, PAD], [own, PAD, PAD]];
}

/** Both alphabets, at all three alignments, also with its signs escaped as URLs and JSON do. */
const base64: SecretForm = {
  toWords(secret) {
    const bytes = toBytes(secret);
    return [0, 1, 2].map((before) => toBase64Units(bytes, before));
  },
  toEnds(secret) {
    const bytes = toBytes(secret);
    return [0, 1, 2].map((before) => toBase64Ends(bytes, before));
  },
  sharesFirst: true,
  plain: toTable((sign) => {
    if (sign === '%' || sign === '\\') return 0;
    if (sign === '\n' || sign === '\r') return toReading(WRAP);
    if (sign === ' ' || sign === '\t') return toReading(INDENT);
    const unit = toBase64Unit(sign);
    return toReading(unit < 0 ? BREAK : unit);
  }),
  read(text, at, isLast) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) {
      const byte = readHex(text, at + 1, 2);
      if (Number.isNaN(byte) && !isLast) return WAIT;
      return byte === 0x2b || byte === 0x2f || byte === 0x3d ? toReading(toBase64Unit(String.fromCharCode(byte)), 3) : toReading(BREAK);
    }
    if (code !== BACKSLASH) return toReading(BREAK);
    const sign = text[at + 1];
    if (sign === undefined && !isLast) return WAIT;
    if (sign === 'n' || sign === 'r') return toReading(WRAP, 2);
    return toReading(sign === '/' ? SKIP : BREAK);
  },
  lineUnits: 60,
};

/** Every way that a secret is looked for. Each reads the text anew, since what is a sign to one is a letter to another. */
export const secretForms: readonly SecretForm[] = [raw, escaped, escapedAgain, urlEncoded, urlEncodedAgain, byteEscaped, hex, base64];
