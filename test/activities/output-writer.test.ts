import { describe, expect, it } from '@jest/globals';
import { createOutputWriter } from '../../activities/output-writer.js';
import type { OutputRow } from '../../activities/ports.js';

function open(fail = false) {
  const rows: OutputRow[] = [];
  const writer = createOutputWriter(
    {
      async appendOutput(_incidentId, batch) {
        if (fail) throw new Error('the record is away');
        rows.push(...batch);
      },
    },
    'incident',
    'key',
  );
  return { rows, writer };
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
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  });

  it('that could not be stored is heard of when the writer closes', async () => {
    const { writer } = open(true);
    writer.write('line');
    await expect(writer.close()).rejects.toThrow('the record is away');
  });

  it('of nothing writes nothing', async () => {
    const { rows, writer } = open();
    await writer.close();
    expect(rows).toEqual([]);
  });
});
