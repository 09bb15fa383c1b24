import { argv, exit, stderr } from 'node:process';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { reasonOf } from './trouble.js';

// A program of its own: the SDK downloads only on the way to starting a server, and cannot be interrupted.
try {
  const [version, downloadDir] = argv.slice(2);
  if (version === undefined || downloadDir === undefined) throw new Error('usage: temporal-download VERSION FOLDER');
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', version, downloadDir } } });
  await environment.teardown();
} catch (error) {
  stderr.write(`${reasonOf(error)}\n`);
  exit(1);
}
