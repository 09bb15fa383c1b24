import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/activity';
import type { ChangeOptions, Executor, Recorder } from '../../activities/ports.js';
import { toUpdate } from '../../domain/incident.js';
import { MIN_SECRET_LENGTH } from '../../domain/redaction.js';
import { redactActivities } from '../../workers/redact-activities.js';
import { redactExecutor, redactNotifier, redactRecorder } from '../../workers/redact-ports.js';
import { createSecretReader } from '../../workers/read-watch.js';
import { createSecrets } from '../../workers/secrets.js';
import { aStep } from '../builders.js';
import { createFakeLedger, createLedgerRecorder } from '../fakes/fake-ledger.js';

const value = 'first "line"\nsecond line';
const secrets = createSecrets();
secrets.learn('KEY', value);
const escaped = JSON.stringify(value).slice(1, -1);

const unused = (): never => {
  throw new Error('not expected here');
};
const anExecutor = (over: Partial<Executor>): Executor => redactExecutor({ rehearse: unused, snapshot: unused, run: unused, settle: unused, ...over }, secrets);
const change = { kind: 'execute', step: { ...aStep({}), reach: 'host', wayBack: { kind: 'oneWay', because: '' }, pins: null }, key: 'k', snapshot: null } as const;

describe('what leaves a worker holds no secret', () => {
  const tell = async (...told: readonly string[]): Promise<readonly string[]> => {
    const lines: string[] = [];
    const options: ChangeOptions = { begin: async () => {}, signal: new AbortController().signal, onOutput: (line) => lines.push(line), toldLines: 0, drained: async () => {} };
    const executor = anExecutor({
      async run(_workspaceId, _change, { onOutput }) {
        told.forEach(onOutput);
        return { kind: 'failed', changed: false, summary: `it said ${value}` };
      },
    });
    expect(await executor.run('w', change, options)).toEqual({ kind: 'failed', changed: false, summary: 'it said [redacted:KEY]\n' });
    return lines;
  };

  it('in output, line for line, also where it goes over two', async () => {
    expect(await tell('before', ...value.split('\n'), 'after')).toEqual(['before', '[redacted:KEY]', '', 'after']);
    expect(await tell('a last first "line"')).toEqual(['a last [redacted:KEY]']);
  });

  it('in a rehearsal, whose pins stay as they are', async () => {
    const pins = { before: value, after: null };
    const executor = anExecutor({ rehearse: async () => ({ found: true, lines: [`for ${escaped}`], wayBack: { kind: 'oneWay', because: value }, pins }) });
    expect(await executor.rehearse('w', change.step)).toEqual({ found: true, lines: ['for [redacted:KEY]'], wayBack: { kind: 'oneWay', because: '[redacted:KEY]\n' }, pins });
  });

  it('in the record, but for what is kept to the byte', async () => {
    const written: unknown[] = [];
    const take = async (...row: readonly unknown[]): Promise<never> => written.push(row) as never;
    const over: Partial<Recorder> = { recordUpdate: take, end: take, begin: take, saveSnapshot: take };
    const recorder = redactRecorder(createLedgerRecorder(createFakeLedger(unused), over), secrets);
    await recorder.recordUpdate('i', 'k', toUpdate({ phase: 'EXECUTION', text: escaped, reason: value }));
    await recorder.end('k', 'failed', value, 0, 'h');
    expect(JSON.stringify(written)).not.toContain('line');
    written.length = 0;
    await recorder.saveSnapshot('k', value, 1);
    await recorder.begin('k', value, null);
    expect(written).toEqual([['k', value, 1], ['k', value, null]]);
  });

  it('in the result of an activity or its failure, which stays the same error', async () => {
    const { execute } = redactActivities(secrets);
    const run = (act: () => unknown) => execute?.({ args: [], headers: {} }, async () => act());
    expect(await run(() => ({ kind: 'drifted', because: [escaped], [escaped]: 1 }))).toEqual({ kind: 'drifted', because: ['[redacted:KEY]'], '[redacted:KEY]': 1 });
    const failure = ApplicationFailure.create({ message: `no ${escaped}`, details: [escaped], cause: new Error(escaped) });
    const thrown = await Promise.resolve(run(() => Promise.reject(failure))).catch((error: unknown) => error);
    expect(thrown).toBe(failure);
    expect(failure).toMatchObject({ message: 'no [redacted:KEY]', details: ['[redacted:KEY]'], cause: { message: '[redacted:KEY]' } });
    expect(`${failure.stack}${failure.cause?.stack}`).not.toContain('line"');
  });

  it('in what people are told, nor in why they could not be', async () => {
    const told: unknown[] = [];
    const notifier = redactNotifier({ tell: async (_channel, notice) => (told.push(notice), { kind: 'gaveUp', because: escaped }) }, secrets);
    const notice = { id: '1', kind: 'resolved', workspaceId: 'w', incidentId: 'i', title: escaped, severity: null, text: escaped, gate: null, url: null, onlyFor: null } as never;
    expect(await notifier.tell({} as never, notice, new AbortController().signal)).toEqual({ kind: 'gaveUp', because: '[redacted:KEY]' });
    expect(told).toMatchObject([{ title: '[redacted:KEY]', text: '[redacted:KEY]' }]);
  });
});

describe('a secret', () => {
  it('is learned while a text goes on, and from then on is not told', () => {
    const fresh = createSecrets();
    const stream = fresh.open();
    expect(stream.write('one hunter2x ')).toBe('one hunter2x ');
    fresh.learn('LATE', 'hunter2x');
    expect(stream.write('two hunter2x ') + stream.end()).toBe('two [redacted:LATE] ');
  });

  it('is learned wherever it is read; the path of a file is none, and what is too short is refused by its name', () => {
    const learned: string[] = [];
    const read = createSecretReader({ TOKEN: 'a long token', PLACE: import.meta.filename, SHORT: 'x'.repeat(MIN_SECRET_LENGTH - 1) }, (name) => learned.push(name));
    expect(read({ env: 'TOKEN' })).toBe('a long token');
    expect(read({ env: 'PLACE' })).toBe(import.meta.filename);
    expect(() => read({ env: 'SHORT' })).toThrow('The secret SHORT has fewer than 6 characters');
    expect(learned).toEqual(['TOKEN']);
  });
});
