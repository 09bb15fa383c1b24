import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCommandExecutor } from '../../activities/adapters/command-executor.js';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import type { ValidStep } from '../../domain/plan.js';
import { aStep } from '../builders.js';
import { type FakeHost, openFakeHost, watchHost } from '../harness/fake-host.js';
import { until } from '../harness/until.js';
import { describeExecutor, freezeStep } from './executor-contract.js';

const workspaceId = 'demo';
const aCommand = (script: string): ValidStep => ({ ...aStep({ type: 'command', target: 'web-1', script, parameters: [], reach: 'host' }) });

for (const [script, unit] of [
  ['systemctl restart nginx', 'nginx.service'],
  ['systemctl reload nginx', 'nginx.service'],
  ['docker restart web', 'web'],
] as const) {
  describeExecutor(script, {
    wayBack: 'oneWay',
    async open() {
      const host = await openFakeHost([unit]);
      const executor = createCommandExecutor(watchHost(), host);
      return {
        executor,
        workspaceId,
        step: await freezeStep(executor, workspaceId, aCommand(script)),
        effects: async () => (await host.listRestarts()).length,
        leftovers: host.listRuns,
        disturb: () => host.restart(unit),
        restoredExactly: async () => false,
        close: host.close,
      };
    },
  });
}

describe('a command', () => {
  let host: FakeHost;
  let executor: Executor;
  beforeEach(async () => {
    host = await openFakeHost(['nginx.service', 'web']);
    executor = createCommandExecutor(watchHost(), host);
  });
  afterEach(() => host.close());

  const options = (over: Partial<ChangeOptions> = {}): ChangeOptions => ({ begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {}, ...over });
  const toChange = async (step: ValidStep): Promise<Change> => ({ kind: 'execute', step: await freezeStep(executor, workspaceId, step), key: 'ab'.repeat(16), snapshot: null });

  it.each([
    ['systemctl restart sshd', 'sshd is not among the units of web-1 in sluice.yaml'],
    ['docker restart db', 'db is not among the containers of web-1 in sluice.yaml'],
    ['systemctl start nginx', 'it runs already'],
    ['systemctl restart nginx; reboot', '; means something to a shell'],
  ])('%s is refused in words, and does nothing', async (script, because) => {
    expect(await executor.rehearse(workspaceId, aCommand(script))).toEqual({ found: false, lines: [expect.stringContaining(because)] });
    const change: Change = { kind: 'execute', step: { ...aCommand(script), wayBack: { kind: 'oneWay', because: '' }, pins: { before: '', after: null } }, key: 'ab'.repeat(16), snapshot: null };
    expect(await executor.run(workspaceId, change, options())).toMatchObject({ kind: expect.stringMatching(/failed|conflict/) });
    expect(await host.listRestarts()).toEqual([]);
  });

  it('without its program is refused in words', async () => {
    const bare = createCommandExecutor(watchHost(), { runs: host.runs, path: '/nowhere' });
    expect(await bare.rehearse(workspaceId, aCommand('docker restart web'))).toEqual({ found: false, lines: [expect.stringContaining('there is no docker on this machine')] });
  });

  it('of a unit that is not there is refused in words', async () => {
    const other = createCommandExecutor(watchHost({ units: ['redis'] }), host);
    expect(await other.rehearse(workspaceId, aCommand('systemctl restart redis'))).toEqual({ found: false, lines: [expect.stringContaining('there is no unit redis.service')] });
  });

  it('on a host without an executor is refused in words', async () => {
    const observed = createCommandExecutor(watchHost({ executor: null }), host);
    expect(await observed.rehearse(workspaceId, aCommand('docker restart web'))).toEqual({ found: false, lines: ['target web-1 has no executor: host in sluice.yaml'] });
  });

  it('that fails says what the program said, and that nothing changed', async () => {
    const change = await toChange(aCommand('systemctl restart nginx'));
    await host.hinder('echo "Access denied" >&2; exit 4');
    expect(await executor.run(workspaceId, change, options())).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('Access denied') });
    expect(await host.listRuns()).toEqual([]);
  });

  it('that takes too long is stopped, and may still have happened', async () => {
    const change = await toChange({ ...aCommand('systemctl restart nginx'), timeoutMs: 200 });
    await host.hinder('wait_for never');
    expect(await executor.run(workspaceId, change, options())).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('was not done after 200 ms') });
  });

  it('that still runs when its worker is lost is waited for, and not made again', async () => {
    const change = await toChange(aCommand('docker restart web'));
    await host.hinder('touch begun; wait_for go-on');
    const handles: string[] = [];
    const lost = executor.run(workspaceId, change, options({ begin: async (handle) => void handles.push(handle) }));
    await until('the command', () => host.has('begun'));
    const settled = createCommandExecutor(watchHost(), host).settle(workspaceId, change, handles[0] ?? '', options());
    // Nothing shows that it waits but that it does not answer.
    expect(await Promise.race([settled, wait(500, 'waits')])).toBe('waits');
    await host.touch('go-on');
    expect(await settled).toMatchObject({ kind: 'done' });
    await lost;
    expect(await host.listRestarts()).toEqual(['restart web']);
  });

  it('that runs while its worker is restarted goes on, and is settled by the next', async () => {
    const change = await toChange(aCommand('systemctl restart nginx'));
    await host.hinder('touch begun; wait_for go-on');
    const stops = new AbortController();
    const lines: string[] = [];
    let handle = '';
    const left = executor.run(workspaceId, change, options({ signal: stops.signal, begin: async (noted) => void (handle = noted), onOutput: (line) => void lines.push(line) }));
    await until('the command', () => host.has('begun'));
    stops.abort(new Error('WORKER_SHUTDOWN'));
    await expect(left).rejects.toThrow('WORKER_SHUTDOWN');
    await host.touch('go-on');
    expect(await executor.settle(workspaceId, change, handle, options())).toMatchObject({ kind: 'done' });
    expect(await host.listRestarts()).toEqual(['restart nginx.service']);
    expect(lines).toEqual([]);
  });

  it('whose client is lost while its manager stops what runs is told as what then happens', async () => {
    const change = await toChange(aCommand('docker restart web'));
    await host.giveGrace(2);
    await host.hinder('echo "unexpected EOF" >&2; touch lost; exit 1');
    const running = executor.run(workspaceId, change, options());
    await until('the client', () => host.has('lost'));
    await wait(1_000);
    await host.restart('web');
    expect(await running).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('unexpected EOF') });
  });

  it('that its manager goes on with after the worker is lost is not made again', async () => {
    const change = await toChange(aCommand('docker restart web'));
    await host.giveGrace(2);
    let handle = '';
    const begin = async (noted: string) => ((handle = noted), Promise.reject(new Error('the worker died')));
    await expect(executor.run(workspaceId, change, options({ begin }))).rejects.toThrow('the worker died');
    const settled = executor.settle(workspaceId, change, handle, options());
    await wait(1_000);
    await host.restart('web');
    expect(await settled).toMatchObject({ kind: 'done' });
  });

  it('of what may take forever to stop may still happen when its client is lost', async () => {
    const change = await toChange(aCommand('docker restart web'));
    await host.giveGrace(-1);
    await host.hinder('exit 1');
    let handle = '';
    const begin = async (noted: string) => void (handle = noted);
    expect(await executor.run(workspaceId, change, options({ begin }))).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('it may still happen') });
    await expect(executor.settle(workspaceId, change, handle, options())).rejects.toMatchObject({ kind: 'outcomeUnknown' });
  });
});
