import { writeSync } from 'node:fs';
import type { Change } from '../../activities/ports.js';
import { createSandboxExecutor } from '../../activities/adapters/sandbox/sandbox-executor.js';
import { watchHost } from './fake-host.js';

/** A worker of its own process that makes one change and tells what comes of it, a line of JSON each; to be killed on the way. */
const { change, runs, given, secret } = JSON.parse(process.argv[2] ?? '') as { readonly change: Change; readonly runs: string; readonly given: string; readonly secret: string };
const tell = (kind: string, text: string): void => void writeSync(1, `${JSON.stringify({ kind, text })}\n`);
const executor = createSandboxExecutor(watchHost({ paths: [given], secrets: { token: { file: 'token' } } }), () => secret, { runs, ownFolders: [] });
const result = await executor.run('demo', change, {
  begin: async (handle) => tell('handle', handle),
  signal: new AbortController().signal,
  onOutput: (line) => tell('line', line),
  toldLines: 0,
  drained: async () => {},
});
tell('result', JSON.stringify(result));
