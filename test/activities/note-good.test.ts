import { describe, expect, it } from '@jest/globals';
import { noteGood, readContents } from '../../activities/note-good.js';
import type { ConfigFile, ConfigurationReading, Configured, Detectors, KubernetesTarget, Recorder } from '../../activities/ports.js';
import type { KnownContent } from '../../domain/last-known-good.js';
import type { Workspace } from '../../domain/watch.js';
import { aPolicy, aSignal } from '../builders.js';

const file: ConfigFile = { kind: 'config-file', name: 'checkout-config', path: '/checkout.yaml', executor: null, serves: ['checkout'], detectors: [{ kind: 'config-file' }] };
const namespace: KubernetesTarget = { kind: 'kubernetes', name: 'checkout-config', kubeconfig: '', context: null, namespace: 'checkout', executor: null, serves: ['checkout'], jobs: null, detectors: [] };
const aWorkspace = (target: Configured): Workspace => ({ id: 'w', targets: [target], alertRules: [], channels: [], sweepEveryMs: 1_000, startingPolicy: aPolicy() });
const readable = aSignal({ target: 'checkout-config', name: 'readable', unit: 'percent', better: 'higher', value: 100, threshold: 100 });
const fast = aSignal({ target: 'checkout', value: 1 });
const slow = aSignal({ target: 'checkout', value: 900 });
const contentOf = (hash: string): ConfigurationReading => ({ kind: 'read', content: `content ${hash}`, hash });

/** Sweeps once a second over a file whose content and surroundings a test says, on a record in memory. */
function sweeps(target: Configured = file) {
  const workspace = aWorkspace(target);
  let rows: readonly (KnownContent & { readonly content: string })[] = [];
  let second = 0;
  const recorder = {
    listKnownContents: async () => rows,
    noteWell: async (_workspace: string, _target: string, known: KnownContent & { readonly content: string }) => void (rows = [...rows.filter(({ hash }) => hash !== known.hash).map((row) => ({ ...row, wellSince: null })), known]),
    noteUnwell: async () => void (rows = rows.map((row) => ({ ...row, wellSince: null }))),
  } as Partial<Recorder> as Recorder;
  return {
    good: () => rows.filter(({ goodAt }) => goodAt !== null).map(({ content }) => content),
    sweep: async (reading: ConfigurationReading, signals = [readable, fast]) => {
      const detectors = { readConfiguration: async () => reading } as Partial<Detectors> as Detectors;
      const contents = await readContents(detectors, workspace, () => new Date(second * 1_000));
      second += 1;
      await noteGood(recorder, workspace, { stabilizationMs: 2_000 }, contents, signals);
    },
  };
}

describe('a sweep', () => {
  it.each([file, namespace])('notes the configuration of a $kind as good after a whole window of unchanged bytes and well targets', async (target) => {
    const { sweep, good } = sweeps(target);
    await sweep(contentOf('a'));
    await sweep(contentOf('a'));
    expect(good()).toEqual([]);
    await sweep(contentOf('a'));
    expect(good()).toEqual(['content a']);
  });

  it.each([
    { what: 'what it serves was unwell', reading: contentOf('a'), signals: [readable, slow] },
    { what: 'what it serves was not measured', reading: contentOf('a'), signals: [readable] },
    { what: 'it could not be read', reading: { kind: 'unreadable', because: 'gone' } as const, signals: [{ ...readable, value: 0 }, fast] },
    { what: 'another content was in place', reading: contentOf('b'), signals: [readable, fast] },
  ])('begins the window anew when $what in between', async ({ reading, signals }) => {
    const { sweep, good } = sweeps();
    await sweep(contentOf('a'));
    await sweep(contentOf('a'));
    await sweep(reading, signals);
    await sweep(contentOf('a'));
    await sweep(contentOf('a'));
    expect(good()).toEqual([]);
    await sweep(contentOf('a'));
    expect(good()).toEqual(['content a']);
  });
});
