import { afterAll, beforeAll } from '@jest/globals';
import type { ValidStep } from '../../domain/plan.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { aStep } from '../builders.js';
import { type ExecutorWorld, openExecutorWorld, queue } from '../harness/executor-worker.js';
import { describeExecutor, freezeStep } from '../ports/executor-contract.js';

let world: ExecutorWorld;
beforeAll(async () => {
  world = await openExecutorWorld();
  await world.startWorker();
});
afterAll(async () => {
  await world.close();
  await closeApis();
});

const step: ValidStep = aStep({ type: 'command', target: 'web-1', script: 'systemctl restart nginx', parameters: [], reach: 'host', queue });

describeExecutor('a step that an executor worker does', {
  wayBack: 'oneWay',
  async open() {
    const { granting, host } = world;
    await host.reset();
    return {
      executor: granting,
      workspaceId,
      step: await freezeStep(granting, workspaceId, step),
      effects: async () => (await host.listRestarts()).length,
      leftovers: async () => (await host.listRuns()).filter((name) => name !== 'place'),
      disturb: () => host.restart('nginx.service'),
      restoredExactly: async () => false,
      close: async () => {},
    };
  },
});
