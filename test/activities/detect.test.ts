import { describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createDetectActivities } from '../../activities/detect.js';
import type { Detectors, Ports, Recorder } from '../../activities/ports.js';
import type { Signal } from '../../domain/signal.js';
import type { Target } from '../../domain/watch.js';
import { aMeasurement, aPolicy, aPolicyRecord, aSignal } from '../builders.js';

const checkout: Target = { kind: 'http', name: 'checkout', url: 'http://checkout', detectors: [] };
const search: Target = { ...checkout, name: 'search' };
const file: Target = { kind: 'config-file', name: 'checkout-config', path: '/checkout.yaml', executor: null, serves: ['checkout'], detectors: [{ kind: 'config-file' }] };
const readable = aSignal({ target: 'checkout-config', name: 'readable', unit: 'percent', better: 'higher', value: 100, threshold: 100 });

function watching(...signals: readonly Signal[]) {
  const measured: string[] = [];
  const opened: (readonly string[])[] = [];
  const noted: string[] = [];
  const detectors: Detectors = {
    measure: async (targets) => {
      measured.push(...targets.map(({ name }) => name));
      return aMeasurement(0, ...signals);
    },
    readConfiguration: async () => ({ kind: 'read', content: 'a: 1', hash: 'a' }),
  };
  const recorder: Partial<Recorder> = {
    recordUpdate: async () => {},
    saveMeasurement: async () => {},
    setSeverity: async () => {},
    openFromSweep: async ({ id, targets }) => {
      opened.push(targets);
      return { incidentId: id, isNew: true };
    },
    tellWell: async () => {},
    listKnownContents: async () => [],
    readPolicy: async () => aPolicyRecord(),
    noteWell: async (_workspace, target, { hash }) => void noted.push(`${target} ${hash} well`),
    noteUnwell: async (_workspace, target) => void noted.push(`${target} unwell`),
  };
  const workspace = { id: 'w', targets: [checkout, search, file], alertRules: [], channels: [], sweepEveryMs: 1_000, startingPolicy: aPolicy() };
  const ports: Partial<Ports> = { detectors, recorder: recorder as Recorder, watch: { readWorkspace: () => workspace }, now: () => new Date(0) };
  return { activities: createDetectActivities(ports as Ports), environment: new MockActivityEnvironment(), measured, opened, noted };
}

const slow = aSignal({ target: 'checkout' });

describe('a detection', () => {
  it('looks at the configuration of what it is about', async () => {
    const { activities, environment, measured } = watching(slow);
    await environment.run(() => activities.detectAnomalies({ workspaceId: 'w', incidentId: 'i', targets: ['checkout'], severityThreshold: 'LOW', key: 'k', quiet: true }));
    expect(measured).toEqual(['checkout', 'checkout-config']);
  });
});

describe('a sweep', () => {
  it('opens an incident for what is unwell and its configuration together', async () => {
    const { activities, environment, opened, noted } = watching(readable, slow);
    await environment.run(() => activities.sweepTargets({ workspaceId: 'w' }));
    expect(opened).toEqual([['checkout', 'checkout-config']]);
    expect(noted).toEqual(['checkout-config unwell']);
  });

  it('notes that all is well with a configuration', async () => {
    const { activities, environment, opened, noted } = watching(readable, { ...slow, value: 1 });
    await environment.run(() => activities.sweepTargets({ workspaceId: 'w' }));
    expect({ opened, noted }).toEqual({ opened: [], noted: ['checkout-config a well'] });
  });
});
