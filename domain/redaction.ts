import { BREAK, INDENT, lengthOf, secretForms, SKIP, type SecretForm, unitOf, WAIT, WRAP } from './secret-forms.js';
import { createWordFinder, type Word, type WordFinder } from './word-finder.js';

export interface Secret {
  readonly name: string;
  readonly value: string;
}

/** A text that comes bit by bit. */
export interface RedactedStream {
  /** What may be shown by now. Only what may still turn out to be the beginning of a secret is held back. */
  readonly write: (chunk: string) => string;
  /** What was held back; the next text may begin. */
  readonly end: () => string;
  /** The same, for the stream of a redactor that knows more to go on from. */
  readonly rest: () => Rest;
}

/** What a stream has held back, and what it knows of it. */
export interface Rest {
  readonly text: string;
  readonly spans: readonly Span[];
}

export interface Redactor {
  /** The text with `[redacted:NAME]` for every secret in it, however it is written. It keeps its number of lines. */
  readonly redact: (text: string) => string;
  open(rest?: Rest): RedactedStream;
}

/** A shorter one would be found by chance in much that is none. */
export const MIN_SECRET_LENGTH = 6;
// Between two signs of hexadecimal digits and such; more of them is another text.
const MAX_SKIPPED = 4;
// Before the first of them in a line.
const MAX_INDENTED = 80;
const armour = /^-----(BEGIN|END) .*-----$/;

/** A secret of several lines is also looked for line by line, since who prints it may indent it. */
function toTexts(value: string): readonly string[] {
  const text = value.trim();
  const lines = text.split('\n').map((line) => line.trim());
  return [text, ...lines.filter((line) => line.length >= MIN_SECRET_LENGTH && !armour.test(line))];
}

/** Knows these secrets in every form of `secretForms`. Throws for one that is too short to be kept out of a text. */
export function createRedactor(secrets: readonly Secret[]): Redactor {
  for (const { name, value } of secrets) {
    if (value.trim().length < MIN_SECRET_LENGTH) throw new RangeError(explainShort(name));
  }
  if (secrets.length === 0) return { redact: (text) => text, open: () => ({ write: (chunk) => chunk, end: () => '', rest: () => nothing }) };
  const texts = secrets.flatMap(({ value }, label) => toTexts(value).map((text) => ({ text, label })));
  const toWords = (form: SecretForm): Word[] =>
    texts.flatMap(({ text, label }) => {
      const ends = form.toEnds?.(text);
      return form.toWords(text).map((units, index) => ({ units, label, ends: ends?.[index] ?? [] }));
    });
  const finders = secretForms.map((form) => ({ form, finder: createWordFinder(toWords(form)) })).filter(({ finder }) => finder.longest > 0);
  const names = secrets.map(({ name }) => name);
  const open = (rest = nothing): RedactedStream => openStream(finders, names, rest);
  const whole = open();
  return { redact: (text) => whole.write(text) + whole.end(), open };
}

const nothing: Rest = { text: '', spans: [] };

const toMark = (name: string): string => `[redacted:${name}]`;

/** The name of a secret that stood in this text; undefined where none did. */
export const findRedacted = (text: string): string | undefined => /\[redacted:([^\]]*)\]/.exec(text)?.[1];

/** What to tell whoever gave a secret that is too short. */
export const explainShort = (name: string): string =>
  `The secret ${name} has fewer than ${MIN_SECRET_LENGTH} characters, so it cannot be kept out of what is stored. Give it a longer one.`;

/** A place in the text, counted from the stream's beginning. */
interface Span {
  readonly start: number;
  end: number;
  /** The secret's. */
  name: string;
  /** Its mark was given out already. */
  readonly isTold: boolean;
}

const QUIET_UNIT = 1;
const QUIET_BREAK = 2;

function toQuiet(unit: number, reading: number, finder: WordFinder): number {
  if (reading === WAIT || unit === SKIP) return 0;
  if (unit >= BREAK) return QUIET_BREAK;
  return finder.step(0, unit) === 0 ? QUIET_UNIT : 0;
}

interface Finder {
  readonly form: SecretForm;
  readonly finder: WordFinder;
}

/** Reads a text in one form. */
function createReader({ form, finder }: Finder, names: readonly string[], goesOn: boolean) {
  // Where each of the last units began; as many as a word has at most.
  const starts = new Float64Array(2 ** Math.ceil(Math.log2(finder.longest + 1)));
  const mask = starts.length - 1;
  let state = 0;
  let units = 0;
  // Where a line began before the text, it may have been a full one.
  let unitsInLine = goesOn ? form.lineUnits : 0;
  let skipped = 0;
  let at = 0;
  let spans: Span[] = [];

  // Nearly all of a text: where no secret has begun and none can begin.
  const quiet = Uint8Array.from(form.plain, (reading) => toQuiet(unitOf(reading), reading, finder));

  function passQuiet(text: string, base: number, end: number): void {
    while (at < end) {
      const code = text.charCodeAt(at - base);
      const kind = code < 128 ? quiet[code] : 0;
      if (kind === QUIET_UNIT) unitsInLine += 1;
      else if (kind === QUIET_BREAK) unitsInLine = 0;
      else return;
      at += 1;
    }
  }

  /** Where that begins which may tell of a word that begins here. */
  const withFirst = (start: number, text: string, base: number): number => {
    if (form.sharesFirst !== true || start <= base) return start;
    const reading = form.plain[text.charCodeAt(start - 1 - base)] ?? 0;
    return reading !== WAIT && unitOf(reading) < BREAK ? start - 1 : start;
  };

  function add(unit: number, length: number, text: string, base: number): void {
    units += 1;
    unitsInLine += 1;
    skipped = 0;
    state = finder.step(state, unit);
    if (state === 0) return;
    starts[(units - 1) & mask] = at;
    const found = finder.foundAt(state);
    if (found === 0) return;
    const start = withFirst(starts[(units - found) & mask] ?? 0, text, base);
    addSpan(spans, { start, end: at + length, name: names[finder.labelAt(state)] ?? '', isTold: false });
  }

  return {
    /** Reads on in `text`, which begins at `base`; returns where the first secret may begin that is not found yet. */
    read(text: string, base: number, isLast: boolean): number {
      const end = base + text.length;
      while (at < end) {
        if (state === 0) {
          passQuiet(text, base, end);
          if (at >= end) break;
        }
        const code = text.charCodeAt(at - base);
        const reading = (code < 128 && form.plain[code]) || form.read(text, at - base, isLast);
        if (reading === WAIT) break;
        const unit = unitOf(reading);
        const length = lengthOf(reading);
        if (unit < BREAK) add(unit, length, text, base);
        else {
          skipped += 1;
          const isFirst = unitsInLine === 0;
          const maySkip = unit === SKIP || (unit === INDENT && isFirst) || (unit === WRAP && (isFirst || unitsInLine >= form.lineUnits));
          if (!maySkip || skipped > (isFirst ? MAX_INDENTED : MAX_SKIPPED)) state = 0;
          if (unit !== SKIP) unitsInLine = 0;
        }
        at += length;
      }
      return withFirst(state === 0 ? at : (starts[(units - finder.depthOf(state)) & mask] ?? 0), text, base);
    },
    /** What was found since this was asked last. */
    take(): readonly Span[] {
      const found = spans;
      if (found.length > 0) spans = [];
      return found;
    },
    reset(): void {
      state = 0;
      units = 0;
      unitsInLine = 0;
      skipped = 0;
      at = 0;
    },
  };
}

/** Keeps a list small where every character ends one more: what overlaps the last is part of it. */
function addSpan(spans: Span[], span: Span): void {
  const last = spans.at(-1);
  if (last === undefined || last.start > span.start || span.start >= last.end) {
    spans.push(span);
    return;
  }
  if (last.start === span.start && span.end > last.end) last.name = span.name;
  last.end = Math.max(last.end, span.end);
}

/** Overlapping ones as one, under the name of the one that begins first, of those the longest. */
function join(lists: readonly (readonly Span[])[]): readonly Span[] {
  // Nearly always.
  if (lists.every((spans) => spans.length === 0)) return [];
  const joined: Span[] = [];
  for (const span of lists.flat().toSorted((one, other) => one.start - other.start || Number(other.isTold) - Number(one.isTold) || other.end - one.end)) addSpan(joined, { ...span });
  return joined;
}

function openStream(finders: readonly Finder[], names: readonly string[], rest: Rest): RedactedStream {
  const readers = finders.map((finder) => createReader(finder, names, rest !== nothing));
  let { text, spans } = rest;
  let base = 0;

  function give(isLast: boolean): string {
    const end = base + text.length;
    let safe = end;
    for (const reader of readers) safe = Math.min(safe, reader.read(text, base, isLast));
    if (isLast) safe = end;
    const joined = join([spans, ...readers.map((reader) => reader.take())]);
    const slice = (from: number, to: number): string => text.slice(from - base, to - base);
    let shown = '';
    let at = base;
    const kept: Span[] = [];
    for (const span of joined) {
      if (span.start >= safe) {
        kept.push(span);
        continue;
      }
      const to = Math.min(span.end, safe);
      shown += slice(at, span.start) + (span.isTold ? '' : toMark(span.name)) + slice(span.start, to).replaceAll(/[^\n]+/g, '');
      at = to;
      if (span.end > safe) kept.push({ ...span, start: safe, isTold: true });
    }
    shown += slice(at, safe);
    text = slice(safe, end);
    base = safe;
    spans = kept;
    return shown;
  }

  return {
    write(chunk) {
      text += chunk;
      return give(false);
    },
    end() {
      const shown = give(true);
      readers.forEach((reader) => reader.reset());
      base = 0;
      spans = [];
      return shown;
    },
    rest: () => ({ text, spans: spans.map((span) => ({ ...span, start: span.start - base, end: span.end - base })) }),
  };
}
