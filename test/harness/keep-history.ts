import { writeFileSync } from 'node:fs';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** With RECORD_HISTORIES=1, saves a finished run for the replay test. */
export async function keepHistory(name: string, handle: WorkflowHandle): Promise<void> {
  if (process.env['RECORD_HISTORIES'] !== '1') return;
  const file = new URL(`../workflows/histories/${name}.json`, import.meta.url);
  writeFileSync(file, `${historyToJSON(await handle.fetchHistory())}\n`);
}
