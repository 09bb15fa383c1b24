import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRedactor, MIN_SECRET_LENGTH, type Secret } from '../../domain/redaction.js';

const upper = (text: string): string => text.toUpperCase();
const toHex = (text: string): string => Buffer.from(text).toString('hex');
const pairs = (text: string): readonly string[] => toHex(text).match(/../g) ?? [];
const toBase64 = (text: string, before = ''): string => Buffer.from(before + text).toString('base64');
const wrap = (text: string, width: number, lineEnd: string): string => text.replaceAll(new RegExp(`.{${width}}`, 'g'), (line) => line + lineEnd);
/** Without the signs that it shares with its neighbours, which no search can know. */
const inner = (text: string): string => text.replace(/=*$/, '').slice(3, -2);
/** As Python and git write bytes that are no text. */
const toByteText = (text: string, escape: (byte: number) => string): string => Array.from(Buffer.from(text), (byte) => (byte < 0x80 ? String.fromCharCode(byte).replaceAll(/[\\']/g, '\\$&').replaceAll('\n', '\\n') : escape(byte))).join('');
const toHexByte = (byte: number): string => `\\x${byte.toString(16)}`;
const toOctalByte = (byte: number): string => `\\${byte.toString(8)}`;
const toJson = (text: string): string => JSON.stringify(text).slice(1, -1);
const toEscapes = (text: string): string => text.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
const toPercents = (text: string): string => pairs(text).map((pair) => `%${pair}`).join('');

/** How a text writes a secret, and what of it must not be seen any more. */
const encodings: Readonly<Record<string, (secret: string) => string>> = {
  raw: (secret) => secret,
  base64: (secret) => toBase64(secret),
  'base64 after one byte': (secret) => toBase64(secret, 'x'),
  'base64 after two bytes': (secret) => toBase64(secret, 'xy'),
  'base64 for URLs': (secret) => toBase64(secret).replaceAll('+', '-').replaceAll('/', '_'),
  'base64 within a URL': (secret) => encodeURIComponent(toBase64(secret)),
  'base64 in lines of 76': (secret) => wrap(toBase64(secret), 76, '\n'),
  'base64 in lines of 64 with CR': (secret) => wrap(toBase64(secret), 64, '\r\n'),
  'base64 in indented lines of 64': (secret) => wrap(toBase64(secret), 64, '\n          '),
  URL: (secret) => encodeURIComponent(secret),
  'URL in lower case': (secret) => encodeURIComponent(secret).replaceAll(/%../g, (part) => part.toLowerCase()),
  'URL with every byte escaped': toPercents,
  form: (secret) => new URLSearchParams({ secret }).toString().slice('secret='.length),
  'URL within a URL': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'URL within a URL within a URL': (secret) => encodeURIComponent(encodeURIComponent(encodeURIComponent(secret))),
  hex: toHex,
  'hex in upper case': (secret) => upper(toHex(secret)),
  'hex with spaces': (secret) => pairs(secret).join(' '),
  'hex with colons': (secret) => upper(pairs(secret).join(':')),
  'hex with \\x': (secret) => pairs(secret).map((pair) => `\\x${pair}`).join(''),
  'hex with 0x': (secret) => pairs(secret).map((pair) => `0x${pair}`).join(', '),
  'hex as an array of C': (secret) => pairs(secret).map((pair, index) => (index % 12 === 0 ? `\n  0x${pair}` : ` 0x${pair}`)).join(',').trim(),
  'hex in lines of 60': (secret) => wrap(toHex(secret), 60, '\n'),
  'bytes as Python writes them': (secret) => toByteText(secret, toHexByte),
  'bytes as git writes them': (secret) => toByteText(secret, toOctalByte),
  JSON: toJson,
  'JSON within JSON': (secret) => toJson(toJson(secret)),
  'JSON within JSON within JSON': (secret) => toJson(toJson(toJson(secret))),
  'JSON with every character escaped': toEscapes,
  'JSON with slashes escaped': (secret) => toJson(secret).replaceAll('/', '\\/'),
};

const values = fc
  .oneof(fc.string({ unit: 'binary', minLength: MIN_SECRET_LENGTH, maxLength: 40 }), fc.string({ unit: 'grapheme-ascii', minLength: MIN_SECRET_LENGTH, maxLength: 90 }))
  .map((value) => value.trim())
  .filter((value) => value.length >= MIN_SECRET_LENGTH && value.isWellFormed());
const encodingNames = fc.constantFrom(...Object.keys(encodings));
const encode = (name: string, value: string): string => encodings[name]?.(value) ?? '';

/** Redacts a text that comes in pieces of these lengths, over and over. */
function redactInPieces(secrets: readonly Secret[], text: string, lengths: readonly number[]): string {
  const stream = createRedactor(secrets).open();
  let shown = '';
  for (let at = 0, piece = 0; at < text.length; piece += 1) {
    const length = lengths[piece % lengths.length] ?? 1;
    shown += stream.write(text.slice(at, at + length));
    at += length;
  }
  return shown + stream.end();
}

const pieces = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });

describe('a secret', () => {
  it.each(Object.keys(encodings))('is not seen, written as %s, wherever the text is cut', (name) => {
    fc.assert(
      fc.property(values, pieces, (value, lengths) => {
        const written = encode(name, value);
        const shown = redactInPieces([{ name: 'KEY', value }], `<${written}>`, lengths);
        expect(shown).toContain('[redacted:KEY]');
        expect(shown).not.toContain(name.startsWith('base64') ? inner(written) : written);
        expect(shown.startsWith('<') && shown.endsWith('>')).toBe(true);
      }),
    );
  });

  it('is not seen among others and in any mix of encodings, and how the text is cut changes nothing', () => {
    const parts = fc.array(fc.tuple(fc.nat(4), encodingNames, fc.string({ maxLength: 8 })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(values, { minLength: 5, maxLength: 5 }), parts, pieces, (list, chosen, lengths) => {
        const secrets = list.map((value, index) => ({ name: `S${index}`, value }));
        const text = chosen.map(([index, name, between]) => encode(name, list[index] ?? '') + between).join('|');
        const shown = redactInPieces(secrets, text, lengths);
        expect(shown).toBe(createRedactor(secrets).redact(text));
        // Of base64 the first and last signs belong to what stands beside it, too.
        const plain = chosen.filter(([, name]) => !name.startsWith('base64')).map(([index, name]) => encode(name, list[index] ?? ''));
        expect(plain.filter((form) => shown.includes(form))).toEqual([]);
      }),
    );
  });

  it('takes no line with it', () => {
    const value = 'first of it\nsecond of it\n\nlast of it';
    fc.assert(
      fc.property(encodingNames, pieces, (name, lengths) => {
        const text = `before\n${encode(name, value)}\nafter`;
        const shown = redactInPieces([{ name: 'KEY', value }], text, lengths);
        expect(shown.split('\n')).toHaveLength(text.split('\n').length);
        expect(shown.endsWith('\nafter')).toBe(true);
      }),
    );
  });

  it('is not seen by the bits that its base64 shares with what stands beside it', () => {
    const { redact } = createRedactor([{ name: 'KEY', value: 'a-19-byte-long-word' }]);
    for (const before of ['', '1', '22', '333']) {
      for (const after of ['', '4', '55']) {
        const shared = (bits: number): number => Math.floor(bits / 6);
        const whole = toBase64(`a-19-byte-long-word${after}`, before);
        const first = shared(before.length * 8);
        const rest = whole.replace(/=*$/, '').slice(Math.ceil(((before.length + 19) * 8) / 6));
        // What stands for other bytes alone may be hidden as well, but only one sign of it.
        expect([whole.slice(0, first), whole.slice(0, first - 1)]).toContain(redact(`<${whole}>`).replace(/^<(.*)\[redacted:KEY\].*$/, '$1'));
        // Nor is it said how many bytes the last group lacks, where they are the secret's.
        expect(redact(`<${whole}>`).replace(/^.*\[redacted:KEY\]/, '')).toBe(after === '' ? '>' : `${rest}${/=*$/.exec(whole)?.[0] ?? ''}>`);
      }
    }
  });

  it('of several lines is found line by line too, but its armour is not', () => {
    const value = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\nAwEHBG0wawIBAQQg5aVt\n-----END PRIVATE KEY-----\n';
    const { redact } = createRedactor([{ name: 'PEM', value }]);
    expect(redact('  AwEHBG0wawIBAQQg5aVt,\n-----BEGIN PRIVATE KEY-----')).toBe('  [redacted:PEM],\n-----BEGIN PRIVATE KEY-----');
    expect(redact(`<${value}>`)).toBe('<[redacted:PEM]\n\n\n\n>');
  });

  it('that holds another is named, and of two that overlap the first', () => {
    const secrets = [
      { name: 'SHORT', value: 'bcdefg' },
      { name: 'LONG', value: 'abcdefgh' },
      { name: 'NEXT', value: 'ghijkl' },
    ];
    const { redact } = createRedactor(secrets);
    expect(redact('bcdefg abcdefgh')).toBe('[redacted:SHORT] [redacted:LONG]');
    expect(redact('abcdefghijkl')).toBe('[redacted:LONG]');
    expect(redactInPieces(secrets, 'bcdefghijkl', [1])).toBe('[redacted:SHORT]');
  });

  it('that is too short is refused in words', () => {
    expect(() => createRedactor([{ name: 'PIN', value: '12345' }])).toThrow('The secret PIN has fewer than 6 characters');
  });
});

describe('a text', () => {
  it('without a secret stays as it is, whatever escapes it holds', () => {
    const texts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\\u00', '%e4%b', '%', '\\', '\\x4', '\n', 'YWJj', '00 ', '\ud800')), { maxLength: 20 });
    fc.assert(
      fc.property(texts, pieces, (parts, lengths) => {
        const text = parts.join('');
        expect(redactInPieces([{ name: 'KEY', value: 'never in any of these texts' }], text, lengths)).toBe(text);
      }),
    );
  });

  it('is shown at once up to what may be the beginning of a secret', () => {
    const stream = createRedactor([{ name: 'KEY', value: 'hunter2hunter2' }]).open();
    expect(stream.write('nothing to see\nhunt')).toBe('nothing to see\n');
    expect(stream.write('ing season\n')).toBe('hunting season\n');
    expect(stream.write('hunter2hunter')).toBe('');
    expect(stream.write('2!')).toBe('[redacted:KEY]!');
  });

  it('of one secret after the other needs no memory that grows', () => {
    const stream = createRedactor([{ name: 'A', value: 'aaaaaa' }]).open();
    const shown = Array.from({ length: 1_000 }, () => stream.write('a'.repeat(1_000))).join('');
    expect(shown + stream.end()).toBe('[redacted:A]');
  });

  it('is read in time that grows with its length alone, however many secrets there are', () => {
    const timeOf = (count: number): number => {
      const { redact } = createRedactor(Array.from({ length: count }, (_, index) => ({ name: `S${index}`, value: `token-${index}-${(index * 7919).toString(36)}` })));
      const text = 'GET /items?page=3 answered 200 in 12 ms (a1b2c3d4)\n'.repeat(4_000);
      const times = Array.from({ length: 4 }, () => {
        const startedAt = performance.now();
        redact(text);
        return performance.now() - startedAt;
      });
      return Math.min(...times);
    };
    expect(timeOf(1_000)).toBeLessThan(20 * timeOf(1));
  });
});
