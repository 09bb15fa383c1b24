import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCommandExecutor } from '../../activities/adapters/command-executor.js';
import { aStep } from '../builders.js';
import { watchHost } from '../harness/fake-host.js';
import { freezeStep } from './executor-contract.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-crash-'));
});
afterEach(() => rm(folder, { recursive: true }));

const unit = (active: string, sub: string, restarts: number, start: string): string =>
  `LoadState=loaded\nActiveState=${active}\nSubState=${sub}\nInvocationID=${start}\nExecMainStartTimestamp=${start}\nStateChangeTimestampMonotonic=${start}\nNRestarts=${restarts}\n`;
const container = (status: string, restarts: number, start: string): string =>
  JSON.stringify({ Id: '0123456789abcdef', RestartCount: restarts, State: { Status: status, StartedAt: start, Running: status !== 'exited', Restarting: status === 'restarting' } });

/** Rehearses the restart of what is as `rehearsed` says, and runs it when it is as `then` says. */
async function restart(script: string, rehearsed: string, then: string, after: string) {
  const [program = '', verb = '', name = ''] = script.split(' ');
  const show = async (state: string): Promise<void> => writeFile(join(folder, 'state'), state);
  await writeFile(join(folder, 'after'), after);
  await writeFile(join(folder, program), `#!/bin/sh\n[ "$1" = ${verb} ] && cp ${folder}/after ${folder}/state\ncat ${folder}/state\n`, { mode: 0o755 });
  const executor = createCommandExecutor(watchHost({ units: [name], containers: [name] }), { runs: join(folder, 'runs'), path: `${folder}:/usr/bin:/bin` });
  await show(rehearsed);
  const step = await freezeStep(executor, 'demo', aStep({ type: 'command', target: 'web-1', script, parameters: [], reach: 'host' }));
  await show(then);
  const options = { begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {} };
  const { kind } = await executor.run('demo', { kind: 'execute', step, key: 'ab'.repeat(16), snapshot: null }, options);
  return { kind, isRestarted: (await readFile(join(folder, 'state'), 'utf8')) === after };
}

describe.each([
  {
    what: 'unit',
    script: 'systemctl restart nginx',
    crashing: [unit('activating', 'auto-restart', 3, 'a'), unit('active', 'running', 4, 'b'), unit('failed', 'failed', 5, 'c')],
    byPerson: unit('active', 'running', 0, 'd'),
    after: unit('active', 'running', 0, 'e'),
  },
  {
    what: 'container',
    script: 'docker restart web',
    crashing: [container('restarting', 3, 'a'), container('running', 4, 'b'), container('exited', 5, 'c')],
    byPerson: container('running', 0, 'd'),
    after: container('running', 0, 'e'),
  },
])('a $what that crashes again and again', ({ script, crashing, byPerson, after }) => {
  it('is restarted as it was approved, however often it crashed since', async () => {
    for (const then of crashing) expect(await restart(script, crashing[0] ?? '', then, after)).toEqual({ kind: 'done', isRestarted: true });
  });

  it('is not restarted once a person has done that', async () => {
    for (const rehearsed of crashing) expect(await restart(script, rehearsed, byPerson, after)).toEqual({ kind: 'conflict', isRestarted: false });
  });
});
