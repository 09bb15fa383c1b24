import { describe, expect, it } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/activity';
import { openKubernetes } from '../../activities/adapters/kubernetes-client.js';
import type { ChangeOptions, Executor, Recorder } from '../../activities/ports.js';
import { toUpdate } from '../../domain/incident.js';
import { readSluiceYaml } from '../../contracts/sluice-yaml.js';
import { MIN_SECRET_LENGTH } from '../../domain/redaction.js';
import { redactActivities } from '../../workers/redact-activities.js';
import { redactExecutor, redactNotifier, redactRecorder } from '../../workers/redact-ports.js';
import { checkSecrets, createSecretReader, findUnreadable } from '../../workers/read-watch.js';
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

  it('in a failure that holds others, is its own cause, or cannot be changed', async () => {
    const { execute } = redactActivities(secrets);
    const redacted = (error: Error) => Promise.resolve(execute?.({ args: [], headers: {} }, () => Promise.reject(error))).catch((thrown: unknown) => thrown);
    expect(await redacted(new AggregateError([new Error(escaped), escaped], 'both'))).toMatchObject({ errors: [{ message: '[redacted:KEY]' }, '[redacted:KEY]'] });
    const own = new Error(escaped);
    own.cause = own;
    expect(await redacted(own)).toBe(own);
    expect(own).toMatchObject({ message: '[redacted:KEY]', cause: undefined });
    const failure = await redacted(Object.freeze(ApplicationFailure.create({ message: escaped, type: 'Kind', cause: Object.freeze(new TypeError(escaped)) })));
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'Kind', message: '[redacted:KEY]', cause: { message: '[redacted:KEY]' } });
    expect(`${(failure as Error).stack}${String((failure as Error).cause)}`).not.toContain('line"');
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

  it('is not told when another is learned in the middle of it', () => {
    const fresh = createSecrets();
    fresh.learn('KEY', 'first-line-of-a-key');
    const stream = fresh.open();
    const shown = stream.write('x first-line-');
    fresh.learn('B', 'another one');
    expect(shown + stream.write('of-a-key y first-line-of-a-key') + stream.end()).toBe('x [redacted:KEY] y [redacted:KEY]');
    const wrapped = Buffer.from('first-line-of-a-key'.padStart(70)).toString('base64').replaceAll(/.{76}/g, '$&\n');
    const begun = stream.write(wrapped.slice(0, 76));
    fresh.learn('C', 'yet another');
    expect(begun + stream.write(wrapped.slice(76)) + stream.end()).toMatch(/^[\w+/]+\[redacted:KEY\]\n$/);
    const told = stream.write('first-line-of-a-key');
    fresh.learn('D', 'first-line-of-a-key-and-more');
    expect(told + stream.write('-and-more') + stream.end()).toBe('[redacted:D]');
  });

  it('is learned wherever it is read; the path of a file is none, and what is too short is refused by its name', () => {
    const learned: string[] = [];
    const read = createSecretReader({ TOKEN: 'a long token', PLACE: import.meta.filename, SHORT: 'x'.repeat(MIN_SECRET_LENGTH - 1) }, (name) => learned.push(name));
    expect(read({ env: 'TOKEN' })).toBe('a long token');
    expect(read({ env: 'PLACE' })).toBe(import.meta.filename);
    expect(() => read({ env: 'SHORT' })).toThrow('The secret SHORT has fewer than 6 characters');
    expect(learned).toEqual(['TOKEN']);
  });

  it('is not the path of a kubeconfig that cannot be read, which is told when a worker starts', () => {
    const known = createSecrets();
    const target = `kind: kubernetes, kubeconfig: { env: KUBECONFIG }, namespace: shop`;
    const workspaces = readSluiceYaml(`version: 1\nworkspaces: { w: { targets: { shop: { ${target} } } } }`);
    const read = createSecretReader({ KUBECONFIG: '/nowhere/kubeconfig' }, known.learn);
    checkSecrets(workspaces, read);
    expect(findUnreadable(workspaces, read)).toEqual([{ workspace: 'w', target: 'shop', because: expect.stringContaining('/nowhere/kubeconfig') }]);
    expect(findUnreadable(workspaces, () => import.meta.filename)).toEqual([]);
    const shop = workspaces[0]?.targets[0];
    if (shop?.kind !== 'kubernetes') throw new Error('it has no target');
    return expect(openKubernetes(read).clientOf(shop).list('v1', 'Pod', 'shop').catch((error: Error) => known.redact(error.message))).resolves.toContain("'/nowhere/kubeconfig'");
  });
});
