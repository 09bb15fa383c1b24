import { describe, expect, it } from '@jest/globals';
import { Connection } from '@temporalio/client';
import { anyFreePort } from '../../../cli/local/ports.js';
import { checkTemporal } from '../../../cli/local/temporal.js';

const address = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';

describe('a Temporal server of the user\'s own', () => {
  it('is used when it knows the search attributes', async () => {
    await expect(checkTemporal({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: 'default' }, () => undefined)).resolves.toBeUndefined();
  });

  it('that does not know them stops the start with the command to run', async () => {
    const namespace = `bare-${process.pid}`;
    const connection = await Connection.connect({ address });
    const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: config?.workflowExecutionRetentionTtl ?? null });
    await connection.close();
    await expect(checkTemporal({ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace }, () => undefined)).rejects.toMatchObject({
      name: 'Trouble',
      remedy: expect.stringMatching(new RegExp(`^temporal operator search-attribute create --address ${address} --namespace ${namespace} --name SluiceWorkspace --type Keyword`)),
    });
  });

  it('that does not answer stops the start and names the variable', async () => {
    const nobody = `127.0.0.1:${await anyFreePort()}`;
    await expect(checkTemporal({ TEMPORAL_ADDRESS: nobody }, () => undefined)).rejects.toMatchObject({ name: 'Trouble', message: expect.stringContaining(nobody), remedy: expect.stringContaining('TEMPORAL_ADDRESS') });
  });
});
