import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { searchAttributeNames } from '../../contracts/search-attributes.js';
import { until } from './until.js';

const KEYWORD = 2;

/** A namespace of its own on the test run's Temporal, so that a worker process on the one task queue there is takes nobody else's work. */
export async function openNamespace(): Promise<{ readonly namespace: string; readonly client: Client; readonly close: () => Promise<void> }> {
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address: process.env['TEST_TEMPORAL_ADDRESS'] ?? '' });
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: config?.workflowExecutionRetentionTtl ?? null });
  const searchAttributes = Object.fromEntries(searchAttributeNames.map((name) => [name, KEYWORD]));
  // Known to all of the server only after a moment.
  await until('the namespace', () => connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).then(() => true, () => false));
  return { namespace, client: new Client({ connection, namespace }), close: () => connection.close() };
}
