/** One way to write a secret, and how a text is read to find it written so. */
export interface SecretForm {
  /** What to look for: one word, or one for each way it may be aligned. */
  readonly toWords: (secret: string) => readonly (readonly number[])[];
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

const raw: SecretForm = {
  toWords: (secret) => [toUnits(secret)],
  plain: toTable((_, code) => toReading(code)),
  read: (text, at) => toReading(text.charCodeAt(at)),
  lineUnits: 0,
};

const BACKSLASH = 92;
const shortEscapes: Readonly<Record<string, number>> = { b: 8, t: 9, n: 10, f: 12, r: 13, '"': 34, "'": 39, '/': 47, '\\': 92 };

/** As strings of JSON write it: any character may be escaped, each in any of its ways. */
const escaped: SecretForm = {
  toWords: (secret) => [toUnits(secret)],
  plain: toTable((sign, code) => (sign === '\\' ? 0 : toReading(code))),
  read(text, at, isLast) {
    const code = text.charCodeAt(at);
    if (code !== BACKSLASH) return toReading(code);
    const sign = text[at + 1];
    if (sign === undefined) return isLast ? toReading(code) : WAIT;
    if (sign !== 'u') {
      const meant = shortEscapes[sign];
      return meant === undefined ? toReading(code) : toReading(meant, 2);
    }
    const meant = readHex(text, at + 2, 4);
    if (meant >= 0) return toReading(meant, 6);
    return Number.isNaN(meant) && !isLast ? WAIT : toReading(code);
  },
  lineUnits: 0,
};

const PERCENT = 37;
const PLUS = 43;
const SPACE = 32;
/** A character of any plane as one unit; two that share one only hide a text more, where all others are alike too. */
const toPlainUnit = (point: number): number => (point === PLUS ? SPACE : point % UNITS);

/** As URLs and forms write it: any character may be escaped, a space may be a plus. */
const urlEncoded: SecretForm = {
  toWords: (secret) => [Array.from(secret, (character) => toPlainUnit(character.codePointAt(0) ?? 0))],
  plain: toTable((sign, code) => (sign === '%' ? 0 : toReading(toPlainUnit(code)))),
  read(text, at, isLast) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) return readPercent(text, at, isLast);
    if (code < 0xd800 || code > 0xdbff) return toReading(toPlainUnit(code));
    if (at + 1 >= text.length) return isLast ? toReading(code) : WAIT;
    const point = text.codePointAt(at) ?? code;
    return toReading(toPlainUnit(point), point > 0xffff ? 2 : 1);
  },
  lineUnits: 0,
};

/** The character whose bytes in UTF-8 stand here, each after a percent sign. */
function readPercent(text: string, at: number, isLast: boolean): number {
  const lead = readHex(text, at + 1, 2);
  if (Number.isNaN(lead)) return isLast ? toReading(PERCENT) : WAIT;
  if (lead < 0) return toReading(PERCENT);
  if (lead < 0x80) return toReading(toPlainUnit(lead), 3);
  const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  let point = lead % (0x40 >> more);
  for (let index = 1; index <= more; index += 1) {
    const from = at + index * 3;
    if (from >= text.length) return isLast ? toReading(PERCENT) : WAIT;
    const byte = text.charCodeAt(from) === PERCENT ? readHex(text, from + 1, 2) : -1;
    if (Number.isNaN(byte)) return isLast ? toReading(PERCENT) : WAIT;
    if (byte < 0x80 || byte > 0xbf) return toReading(PERCENT);
    point = point * 0x40 + (byte % 0x40);
  }
  return toReading(toPlainUnit(point), 3 * (more + 1));
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

/** Pairs of digits in either case, also with spaces, colons, commas, hyphens or `\x` between them. */
const hex: SecretForm = {
  toWords: (secret) => [toBytes(secret).flatMap((byte) => [byte >> 4, byte % 16])],
  plain: toTable((sign) => {
    if (hexDigits.includes(sign)) return toReading(Number.parseInt(sign, 16));
    if (sign === '\n' || sign === '\r') return toReading(WRAP);
    return toReading(' :,-\\x'.includes(sign) ? SKIP : BREAK);
  }),
  read: () => toReading(BREAK),
  lineUnits: 32,
};

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
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

/** Both alphabets, at all three alignments, also with its signs escaped as URLs and JSON do. */
const base64: SecretForm = {
  toWords(secret) {
    const bytes = toBytes(secret);
    return [0, 1, 2].map((before) => toBase64Units(bytes, before));
  },
  plain: toTable((sign) => {
    if (sign === '%' || sign === '\\') return 0;
    if (sign === '\n' || sign === '\r') return toReading(WRAP);
    const unit = toBase64Unit(sign);
    return toReading(unit < 0 ? BREAK : unit);
  }),
  read(text, at, isLast) {
    const code = text.charCodeAt(at);
    if (code === PERCENT) {
      const byte = readHex(text, at + 1, 2);
      if (Number.isNaN(byte) && !isLast) return WAIT;
      return byte === 0x2b || byte === 0x2f ? toReading(toBase64Unit(String.fromCharCode(byte)), 3) : toReading(BREAK);
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
export const secretForms: readonly SecretForm[] = [raw, escaped, urlEncoded, hex, base64];
