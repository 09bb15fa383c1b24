import { describe, expect, it } from '@jest/globals';
import { createOutputWriter, toStorable } from '../../activities/output-writer.js';
import type { OutputRow } from '../../activities/ports.js';

function open({ toldLines = 0, append = async () => {} }: { readonly toldLines?: number; readonly append?: () => Promise<void> } = {}) {
  const rows: OutputRow[] = [];
  const recorder = {
    async appendOutput(_incidentId: string, batch: readonly OutputRow[]) {
      await append();
      rows.push(...batch);
    },
  };
  return { rows, writer: createOutputWriter(recorder, { incidentId: 'incident', key: 'key', toldLines }) };
}

describe('output', () => {
  it('comes in few rows, whatever a script prints, with no line lost, and says which line each begins with', async () => {
    const { rows, writer } = open();
    for (let line = 1; line <= 10_000; line += 1) writer.write(`line ${line}`);
    await writer.close();
    expect(rows.length).toBeLessThan(10);
    const texts = rows.map(({ body }) => body.output);
    expect(texts.flatMap(({ text }) => text.split('\n'))).toEqual(Array.from({ length: 10_000 }, (_, index) => `line ${index + 1}`));
    expect(texts.every(({ text, firstLine }) => text.startsWith(`line ${firstLine}\n`))).toBe(true);
  });

  it('goes on behind the lines that are stored, each row under the number of its first line', async () => {
    const { rows, writer } = open({ toldLines: 41 });
    writer.write('line 42');
    await writer.close();
    expect(rows).toMatchObject([{ key: 'output:key:42', body: { output: { text: 'line 42', firstLine: 42 } } }]);
  });

  it('that is more than can be stored as it comes makes its writer wait', async () => {
    let store = () => {};
    const stored = new Promise<void>((resolve) => (store = resolve));
    const { writer } = open({ append: () => stored });
    const isDrained = () => Promise.race([writer.drained().then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);
    writer.write('x'.repeat(65_536));
    expect(await isDrained()).toBe(true);
    for (let row = 0; row < 100; row += 1) writer.write('x'.repeat(65_536));
    expect(await isDrained()).toBe(false);
    store();
    await writer.drained();
    await writer.close();
  });

  it('that could not be stored is heard of by who waits and when the writer closes', async () => {
    const { writer } = open({ append: () => Promise.reject(new Error('the record is away')) });
    writer.write('x'.repeat(5_000_000));
    await expect(writer.drained()).rejects.toThrow('the record is away');
    await expect(writer.close()).rejects.toThrow('the record is away');
  });

  it('of nothing writes nothing', async () => {
    const { rows, writer } = open();
    await writer.close();
    expect(rows).toEqual([]);
  });

  it('is made such that Postgres can hold it', () => {
    expect(toStorable('a\0b\ud800c')).toBe('a\ufffdb\ufffdc');
  });
});
