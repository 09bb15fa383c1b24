import { describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Ports, Recorder } from '../../activities/ports.js';
import { createProposeActivities } from '../../activities/propose.js';
import { findAnomalies } from '../../domain/anomaly.js';
import type { RemediationScript } from '../../domain/script-library.js';
import type { Fact, Signal } from '../../domain/signal.js';
import type { Target } from '../../domain/watch.js';
import { aConfigChange, aMeasurement, aPolicy, aPolicyRecord, aScript, aSession, aSignal } from '../builders.js';

const database: Target = { kind: 'postgres', name: 'shop-db', connection: { env: 'X' }, executor: 'sql', detectors: [] };
const file: Target = { kind: 'config-file', name: 'checkout-config', path: '/etc/checkout.json', executor: 'config-patch', serves: ['checkout'], detectors: [] };

function propose(signal: Signal, facts: readonly Fact[], targets: readonly Target[], library: readonly RemediationScript[] = [aScript()]) {
  const recorder: Partial<Recorder> = {
    readMeasurement: async () => ({ ...aMeasurement(0, signal), facts }),
    setRootCause: async () => {},
    recordUpdate: async () => {},
    nextPlanVersion: async () => 3,
    listScripts: async () => library,
    readTrackRecords: async () => ({}),
    readPolicy: async () => aPolicyRecord(),
  };
  const watch = { readWorkspace: () => ({ id: 'w', targets, alertRules: [], channels: [], sweepEveryMs: null, startingPolicy: aPolicy() }) };
  const ports: Partial<Ports> = { recorder: recorder as Recorder, watch };
  const input = { workspaceId: 'w', incidentId: 'i', measurementId: 'm', anomalies: findAnomalies([signal]), key: 'k' };
  return new MockActivityEnvironment().run(() => createProposeActivities(ports as Ports).proposeRemediation(input));
}

const slow = aSignal({ target: 'checkout', name: 'p99' });
const blocked = aSignal({ name: 'blockedSessions', unit: 'count', value: 14, threshold: 3 });

describe('a proposal', () => {
  it('restores a configuration that changed', async () => {
    expect(await propose(slow, [aConfigChange()], [file])).toMatchObject({
      kind: 'proposed',
      rootCause: { category: 'configuration' },
      plan: { version: 3, scriptId: null, steps: [{ type: 'config-patch', target: 'checkout-config', script: aConfigChange().patch }] },
    });
  });

  it('aims the script of the library that answers', async () => {
    expect(await propose(blocked, [aSession()], [database])).toMatchObject({
      kind: 'proposed',
      plan: { title: 'Database Connection Reset', steps: [{ type: 'sql', target: 'shop-db', parameters: ['4711', '2026-11-22T08:12:03.123456Z'] }] },
    });
  });

  it('aims only a script that its target can run', async () => {
    const host: Target = { kind: 'host', name: 'web-1', queue: null, executor: 'host', serves: ['checkout'], units: [], containers: [], paths: [], secrets: {}, detectors: [] };
    const fact: Fact = { kind: 'host', id: 'web-1/host', target: 'web-1', serves: ['checkout'], units: [], containers: [] };
    const forAnybody = { category: 'serviceDegraded', parameters: [] } as const;
    const library = [aScript({ id: 'rows', ...forAnybody }), aScript({ id: 'pods', ...forAnybody, type: 'KUBECTL' }), aScript({ id: 'host', ...forAnybody, type: 'BASH' })];
    expect(await propose(slow, [fact], [host], library)).toMatchObject({ kind: 'proposed', plan: { scriptId: 'host', steps: [{ type: 'bash', target: 'web-1' }] } });
    expect(await propose(slow, [fact], [host], library.slice(0, 2))).toMatchObject({ kind: 'nothingFits', because: 'No script of the library answers serviceDegraded' });
  });

  it.each([
    { what: 'the file may not be changed', signal: slow, fact: aConfigChange(), target: { ...file, executor: null }, because: 'Target checkout-config has no executor for config-patch in sluice.yaml' },
    { what: 'the database may not be changed', signal: blocked, fact: aSession(), target: { ...database, executor: null }, because: 'Target shop-db has no executor for sql in sluice.yaml' },
    { what: 'nothing can be put back', signal: slow, fact: aConfigChange({ patch: null, restoresAll: false }), target: file, because: 'No script of the library answers configuration' },
  ])('is none where $what, and says so', async ({ signal, fact, target, because }) => {
    expect(await propose(signal, [fact], [target])).toMatchObject({ kind: 'nothingFits', because });
  });
});
