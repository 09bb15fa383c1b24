import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type AuditRow, type Checkpoint, openChainCheck, readEntry, toEntryText, toLink } from '../../domain/audit.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const entry = { kind: 'key.made', actor: 'sluice', subject: 'k', details: { b: 1, a: null }, at: 0 } as const;

function chain(length: number): readonly AuditRow[] {
  let previous = 'w';
  return Array.from({ length }, (_, index) => {
    const text = toEntryText({ ...entry, at: index });
    previous = sha256(toLink(previous, text));
    return { seq: index + 1, entry: text, hash: previous };
  });
}
const rows = chain(5);
const checkpointAt = (seq: number, over: Partial<Checkpoint> = {}): Checkpoint => ({ workspaceId: 'w', seq, hash: rows[seq - 1]?.hash ?? 'gone', at: 0, ...over });

function check(found: readonly AuditRow[], checkpoints: readonly Checkpoint[] = [], untrusted = 0) {
  const chainCheck = openChainCheck({ workspaceId: 'w', checkpoints, untrusted, revoked: 0 }, sha256);
  for (const row of found) chainCheck.read([row]);
  return chainCheck.finish();
}

describe('an entry', () => {
  it('is written in one way and read back', () => {
    expect(toEntryText(entry)).toBe('{"actor":"sluice","at":0,"details":{"a":null,"b":1},"kind":"key.made","subject":"k"}');
    expect(readEntry(toEntryText(entry))).toEqual(entry);
  });

  it.each(['', 'null', '[]', '{}', `${toEntryText(entry)} `, toEntryText(entry).replace('key.made', 'key.stolen'), '{"subject":"k","kind":"key.made","details":{},"at":0,"actor":"a"}', toEntryText(entry).replace('"subject"', '"more":1,"subject"')])(
    'is not %j',
    (text) => expect(readEntry(text)).toBeUndefined(),
  );
});

describe('a chain', () => {
  it('is read on from behind a row that is known', () => {
    const readBehind = (found: readonly AuditRow[], hash = rows[2]?.hash ?? '') => {
      const chainCheck = openChainCheck({ workspaceId: 'w', checkpoints: [], untrusted: 0, revoked: 0 }, sha256, { seq: 3, hash });
      chainCheck.read(found);
      return chainCheck.finish().tampering;
    };
    expect(readBehind(rows.slice(3))).toBeNull();
    expect(readBehind(rows.slice(3), 'other')).toEqual({ seq: 4, what: expect.stringContaining('row 4 was altered') });
    expect(readBehind(rows.slice(4))).toEqual({ seq: 4, what: 'row 4 is missing' });
  });

  it('that is whole has nothing wrong, and tells how much of it is not yet checkpointed', () => {
    expect(check([])).toEqual({ rows: 0, checkpoints: 0, notYetCheckpointed: 0, revokedCheckpoints: 0, tampering: null });
    expect(check(rows, [checkpointAt(2), checkpointAt(4)])).toEqual({ rows: 5, checkpoints: 2, notYetCheckpointed: 1, revokedCheckpoints: 0, tampering: null });
    expect(check(rows, [checkpointAt(5)])).toMatchObject({ notYetCheckpointed: 0, revokedCheckpoints: 0, tampering: null });
  });

  const without = (...seqs: readonly number[]) => rows.filter(({ seq }) => !seqs.includes(seq));
  const withThird = (over: Partial<AuditRow>) => rows.map((row) => (row.seq === 3 ? { ...row, ...over } : row));
  const nonsense = { seq: 3, entry: 'x', hash: sha256(toLink(rows[1]?.hash ?? '', 'x')) };
  it.each([
    ['a row is missing', without(3), [], 3, 'row 3 is missing'],
    ['rows are missing', without(2, 3), [], 2, 'rows 2 to 3 are missing'],
    ['the first is missing', without(1), [], 1, 'row 1 is missing'],
    ['a row comes twice', [...rows.slice(0, 3), ...rows.slice(2)], [], 3, 'row 3 comes again or out of order'],
    ['an entry was altered', withThird({ entry: toEntryText(entry) }), [], 3, 'row 3 was altered'],
    ['a hash was altered', withThird({ hash: 'x' }), [], 3, 'row 3 was altered'],
    ['an entry is none of ours', [...rows.slice(0, 2), nonsense], [], 3, 'row 3 holds no entry'],
    ['it was rewritten', rows, [checkpointAt(1), checkpointAt(4, { hash: 'other' })], 4, 'rows 2 to 4 were rewritten'],
    ['its checkpoints contradict each other', rows, [checkpointAt(4), checkpointAt(4, { hash: 'other' })], 4, 'rows 1 to 4 were rewritten'],
    ['its end was cut off', rows.slice(0, 3), [checkpointAt(2), checkpointAt(5)], 4, 'the chain ends with row 3, and a signed checkpoint knows row 5'],
    ['all of it is gone', [], [checkpointAt(5)], 1, 'the chain ends with row 0'],
  ] as const)('is known to be wrong where %s', (_, found, checkpoints, seq, what) => {
    expect(check(found, checkpoints).tampering).toEqual({ seq, what: expect.stringContaining(what) });
  });

  it('of another workspace does not pass for this one', () => {
    const check = openChainCheck({ workspaceId: 'other', checkpoints: [], untrusted: 0, revoked: 0 }, sha256);
    check.read(rows);
    expect(check.finish().tampering?.seq).toBe(1);
  });

  it('is not taken for whole where nobody trusted signed the last checkpoints', () => {
    expect(check(rows, [checkpointAt(3)], 2).tampering).toEqual({ seq: 4, what: '2 of the last checkpoints are signed by no key that is trusted' });
  });
});
