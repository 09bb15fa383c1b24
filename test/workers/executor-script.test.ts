import { readdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ChangeOptions } from '../../activities/ports.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { edgeToken, type ExecutorWorld, openExecutorWorld, queue } from '../harness/executor-worker.js';
import { fingerprint, openScriptHost, type ScriptHost } from '../harness/script-host.js';
import { describeExecutor, freezeStep } from '../ports/executor-contract.js';
import { watchFile } from '../ports/watched-folder.js';

const describeSandbox = describeNeeds({ program: 'bwrap', debianPackage: 'bubblewrap' });

describeSandbox('an executor worker with a sandbox', () => {
  let host: ScriptHost;
  let world: ExecutorWorld;
  beforeAll(async () => {
    host = await openScriptHost();
    world = await openExecutorWorld({ paths: [host.given] });
    await world.startWorker();
  }, 60_000);
  afterAll(async () => {
    await world.close();
    await host.close();
    await closeApis();
  });

  describeExecutor('a bash script that an executor worker runs', {
    wayBack: 'snapshot',
    async open() {
      await writeFile(host.file, 'one\n');
      const before = await fingerprint(host.file);
      const watched = watchFile(host.given, 'app.log');
      return {
        executor: world.granting,
        workspaceId,
        step: await freezeStep(world.granting, workspaceId, host.toStep(`echo two >>${host.file}; echo written`, { queue }, { paths: [host.file] })),
        effects: () => watched.count(),
        leftovers: async () => (await readdir(host.given)).filter((name) => name !== 'app.log' && !name.startsWith('mark-')),
        disturb: host.disturb,
        restoredExactly: async () => (await fingerprint(host.file)) === before,
        close: async () => watched.close(),
      };
    },
  });

  it('runs python with the secrets of its own host, and tells the API none of them', async () => {
    const step = await freezeStep(world.granting, workspaceId, host.toStep('import sys\nprint("it is", open("/run/secrets/token").read())\nsys.exit(3)', { type: 'python', queue }));
    const lines: string[] = [];
    const options: ChangeOptions = { begin: async () => {}, signal: new AbortController().signal, onOutput: (line) => lines.push(line), toldLines: 0, drained: async () => {} };
    const snapshot = await world.granting.snapshot(workspaceId, step);
    const result = await world.granting.run(workspaceId, { kind: 'execute', step, key: 'ef'.repeat(16), snapshot }, options);
    expect(result).toMatchObject({ kind: 'failed', summary: expect.stringContaining('3') });
    expect(lines).toContain('it is [redacted:token]');
    expect(JSON.stringify([lines, result])).not.toContain(edgeToken);
  });
});
