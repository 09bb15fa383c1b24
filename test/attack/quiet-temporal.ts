import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import type { TemporalHarness } from '../harness/temporal.js';

/** As the tests have it, without a warning for what is terminated under its worker: that would go where the results go. */
export async function openQuietTemporal(): Promise<TemporalHarness> {
  const address = process.env['TEST_TEMPORAL_ADDRESS'] ?? '';
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }), forward: {} } } });
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  return {
    client: new Client({ connection }),
    nativeConnection,
    bundle: { codePath: process.env['TEST_WORKFLOW_BUNDLE'] ?? '' },
    async close() {
      await nativeConnection.close();
      await connection.close();
    },
  };
}
