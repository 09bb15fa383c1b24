import { describe, expect, it } from '@jest/globals';
import type { Detectors, Recorder } from '../../activities/ports.js';
import { measureLikeBefore } from '../../activities/sample.js';
import type { Fact, Measurement } from '../../domain/signal.js';
import type { Target } from '../../domain/watch.js';
import { aMeasurement, aPolicy, aSignal } from '../builders.js';

const tables = (...names: readonly string[]): Fact => ({ kind: 'objects', id: 'shop-db/objects', target: 'shop-db', of: 'tables', names });
const named = (name: string): Target => ({ kind: 'postgres', name, connection: { env: 'X' }, executor: null, detectors: [] });
const workspace = { id: 'w', targets: [named('shop-db'), named('other-db'), { ...named('shop') }], alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() };

async function measureAfter(detection: Measurement, facts: readonly Fact[]) {
  const asked: string[] = [];
  const detectors: Partial<Detectors> = {
    measure: async (targets) => {
      asked.push(...targets.map(({ name }) => name));
      return { ...aMeasurement(0, aSignal({ target: 'shop', value: 1 })), facts };
    },
  };
  const recorder: Partial<Recorder> = { readMeasurement: async () => detection };
  const ports = { detectors: detectors as Detectors, recorder: recorder as Recorder, watch: { readWorkspace: () => workspace } };
  const measurement = await measureLikeBefore(ports, { workspaceId: 'w', incidentId: 'i', measurementId: 'm', before: [aSignal({ target: 'shop' })] });
  return { asked, facts: measurement.facts };
}

describe('a sample', () => {
  const detection = { ...aMeasurement(0), facts: [tables('shop.orders', 'shop.products')] };

  it('is of what was unwell, and of what had objects that may vanish', async () => {
    expect((await measureAfter(detection, [tables('shop.orders', 'shop.products')])).asked).toEqual(['shop', 'shop-db']);
  });

  it('keeps what vanished, and not the names of all that is there', async () => {
    expect((await measureAfter(detection, [tables('shop.products')])).facts).toEqual([{ kind: 'vanished', id: 'shop-db/vanished', target: 'shop-db', of: 'tables', names: ['shop.orders'], count: 1 }]);
    expect((await measureAfter(detection, [tables('shop.orders', 'shop.products', 'new')])).facts).toEqual([]);
  });
});
