import { BREAK, lengthOf, secretForms, SKIP, type SecretForm, unitOf, WAIT, WRAP } from './secret-forms.js';
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
}

export interface Redactor {
  /** The text with `[redacted:NAME]` for every secret in it, however it is written. It keeps its number of lines. */
  readonly redact: (text: string) => string;
  open(): RedactedStream;
}

/** A shorter one would be found by chance in much that is none. */
export const MIN_SECRET_LENGTH = 6;
// Between two signs of hexadecimal digits and such; more of them is another text.
const MAX_SKIPPED = 4;
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
  if (secrets.length === 0) return { redact: (text) => text, open: () => ({ write: (chunk) => chunk, end: () => '' }) };
  const texts = secrets.flatMap(({ value }, label) => toTexts(value).map((text) => ({ text, label })));
  const finders = secretForms.map((form) => ({
    form,
    finder: createWordFinder(texts.flatMap(({ text, label }): Word[] => form.toWords(text).map((units) => ({ units, label })))),
  }));
  const open = (): RedactedStream => openStream(finders, (label) => toMark(secrets[label]?.name ?? ''));
  const whole = open();
  return { redact: (text) => whole.write(text) + whole.end(), open };
}

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
  label: number;
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

/** Reads a text in one form. */
function createReader({ form, finder }: { readonly form: SecretForm; readonly finder: WordFinder }) {
  // Where each of the last units began; as many as a word has at most.
  const starts = new Float64Array(2 ** Math.ceil(Math.log2(finder.longest + 1)));
  const mask = starts.length - 1;
  let state = 0;
  let units = 0;
  let unitsInLine = 0;
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

  function add(unit: number, length: number): void {
    units += 1;
    unitsInLine += 1;
    skipped = 0;
    state = finder.step(state, unit);
    if (state === 0) return;
    starts[(units - 1) & mask] = at;
    const found = finder.foundAt(state);
    if (found > 0) addSpan(spans, { start: starts[(units - found) & mask] ?? 0, end: at + length, label: finder.labelAt(state), isTold: false });
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
        if (unit < BREAK) add(unit, length);
        else {
          skipped += 1;
          const goesOn = unit === SKIP || (unit === WRAP && (unitsInLine >= form.lineUnits || unitsInLine === 0));
          if (unit === BREAK || skipped > MAX_SKIPPED || !goesOn) state = 0;
          if (unit !== SKIP) unitsInLine = 0;
        }
        at += length;
      }
      return state === 0 ? at : (starts[(units - finder.depthOf(state)) & mask] ?? 0);
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
  if (last.start === span.start && span.end > last.end) last.label = span.label;
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

function openStream(finders: readonly { readonly form: SecretForm; readonly finder: WordFinder }[], markOf: (label: number) => string): RedactedStream {
  const readers = finders.map(createReader);
  let text = '';
  let base = 0;
  let spans: readonly Span[] = [];

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
      shown += slice(at, span.start) + (span.isTold ? '' : markOf(span.label)) + slice(span.start, to).replaceAll(/[^\n]+/g, '');
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
  };
}
