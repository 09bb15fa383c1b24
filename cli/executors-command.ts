import type { ExecutorList } from '../contracts/http-executors.js';
import type { Context } from './commands.js';
import { renderTable } from './render.js';

/** Lists who acts on hosts: the queue, whether somebody is there, the targets, and what is missing there. */
export async function listExecutors({ client, json, print }: Context): Promise<void> {
  const list = await client.get<ExecutorList>('/api/executors');
  if (json) print(JSON.stringify(list));
  else if (list.executors.length === 0) print('No executor worker was seen within the last day. Start one near its targets: sluice worker --queue QUEUE');
  else print(renderTable(list.executors.map(({ queue, health, lastSeenAt, version, calls, capabilities: { targets, lacks } }) => [queue, health === 'up' ? 'up' : `lost since ${lastSeenAt}`, `version ${version}`, `${calls} in hand`, targets.join(', '), lacks.join('; ') || 'lacks nothing'])));
}
