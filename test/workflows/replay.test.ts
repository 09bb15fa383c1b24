import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';

const folder = new URL('./histories/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.json'));

it('has a history of every way that an incident takes', () => {
  expect(files.toSorted()).toEqual([
    'approved.json',
    'broken-glass.json',
    'cancelled.json',
    'changes-requested.json',
    'expired.json',
    'failed-and-rolled-back.json',
    'grant-expired.json',
    'observed.json',
    'ran-by-policy.json',
    'recovered-before-approval.json',
    'rejected.json',
    'rollback-after-closing.json',
    'rolled-back.json',
    'verification-failed.json',
  ]);
});

it.each(files)('still replays %s', async (file) => {
  const history = historyFromJSON(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
  const workflowBundle = { codePath: process.env['TEST_WORKFLOW_BUNDLE'] ?? '' };
  await expect(Worker.runReplayHistory({ workflowBundle }, history, file.replace('.json', ''))).resolves.toBeUndefined();
});
