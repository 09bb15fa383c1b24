import { describe, expect, it } from '@jest/globals';
import { findAnomalies } from '../../domain/anomaly.js';
import { findRootCause } from '../../domain/find-root-cause.js';
import type { Fact, Signal } from '../../domain/signal.js';
import { aConfigChange, anObjectChange, aPodTrouble, aSignal } from '../builders.js';

const ofShop = (name: string): Signal => aSignal({ target: 'shop', name, title: name, unit: 'count', value: 1, threshold: 1 });
const waitingPods = ofShop('waitingPods');
const door = aSignal({ target: 'door', name: 'http-availability', unit: 'percent', better: 'higher', value: 0, threshold: 99 });
const rollout = anObjectChange({
  object: 'deployment/web',
  changes: [
    { pointer: '/spec/template/metadata/labels/version', good: '"1"', now: '"2"', isRestored: true },
    { pointer: '/spec/template/spec/containers/0/image', good: '"web:1"', now: '"web:2"', isRestored: true },
  ],
  changeCount: 2,
  restore: { type: 'kubectl', script: 'kubectl patch …' },
  templateChanged: true,
  goodRevision: 3,
  changedBy: 'pipeline',
});
const long = { goodAt: '2026-11-20T08:00:00.000Z', changeAgeMs: 172_800_000 };
const judge = (signals: readonly Signal[], facts: readonly Fact[]) => findRootCause(findAnomalies(signals), facts);
const undo = [{ kind: 'values', target: 'shop', values: { namespace: 'shop', name: 'web', revision: '3' } }];
const restore = [{ kind: 'restore', target: 'shop', type: 'kubernetes', script: 'kind: Service\n' }];

describe('the root cause of trouble in a namespace', () => {
  it('is the rollout whose pods are in trouble, with the images, the reason and who did it', () => {
    expect(judge([waitingPods], [aPodTrouble(), aPodTrouble({ pod: 'web-2' }), aPodTrouble({ pod: 'web-3', reason: 'ErrImagePull' }), rollout])).toEqual({
      category: 'deployment',
      details: 'deployment/web: image web:1 → web:2, was changed 12s before by pipeline; 2 pods of deployment/web ImagePullBackOff: no such image; 1 pod of deployment/web ErrImagePull: no such image',
      confidence: 92,
      affectedSystems: ['shop'],
      evidence: ['shop/waitingPods', 'shop/objectChange/deployment/web', 'shop/pod/web-1', 'shop/pod/web-2', 'shop/pod/web-3'],
      suggestedActions: ['undo the rollout of deployment/web, to revision 3'],
      aims: undo,
    });
  });

  it('is the Service that somebody changed, with the place', () => {
    expect(judge([ofShop('emptyServices')], [anObjectChange()])).toMatchObject({
      category: 'configuration',
      details: 'service/web was changed 12s before by ana: /spec/selector/app "webb" (was "web")',
      confidence: 92,
      evidence: ['shop/emptyServices', 'shop/objectChange/service/web'],
      aims: restore,
    });
  });

  const anything = [{ kind: 'values', target: 'shop', values: { namespace: 'shop' } }];
  const secret = anObjectChange({ object: 'secret/web', restore: null, restoresAll: false });
  const policy = anObjectChange({ object: 'networkpolicy/deny', what: 'added', changes: [], changeCount: 0, restore: { type: 'kubectl', script: 'kubectl delete …' } });
  it.each<{ what: string; signals: readonly Signal[]; facts: readonly Fact[]; category: string; confidence: number; aims: readonly object[] }>([
    { what: 'a rollout some time ago', signals: [waitingPods], facts: [aPodTrouble(), { ...rollout, ...long }], category: 'deployment', confidence: 80, aims: undo },
    { what: 'a rollout of what is unwell outside of it', signals: [door], facts: [rollout], category: 'deployment', confidence: 80, aims: undo },
    { what: 'a rollout while replicas are missing', signals: [ofShop('unavailableReplicas')], facts: [rollout], category: 'deployment', confidence: 80, aims: undo },
    { what: 'a rollout whose older pods are in trouble', signals: [waitingPods], facts: [aPodTrouble({ isOfNewTemplate: false }), rollout], category: 'deployment', confidence: 80, aims: undo },
    { what: 'pods of another workload', signals: [waitingPods], facts: [aPodTrouble({ workload: 'deployment/other' }), rollout], category: 'podFailure', confidence: 50, aims: anything },
    { what: 'a rollout beside a setting, where pods of the template run', signals: [waitingPods], facts: [aPodTrouble({ workload: 'deployment/other' }), rollout, anObjectChange({ object: 'configmap/web' })], category: 'configuration', confidence: 92, aims: restore },
    { what: 'a rollout without a revision to go back to', signals: [waitingPods], facts: [aPodTrouble(), { ...rollout, goodRevision: null }], category: 'deployment', confidence: 92, aims: [{ kind: 'restore', target: 'shop', type: 'kubectl', script: 'kubectl patch …' }] },
    {
      what: 'two rollouts of which one has no revision to go back to',
      signals: [waitingPods],
      facts: [aPodTrouble(), aPodTrouble({ pod: 'b', workload: 'deployment/b' }), rollout, { ...rollout, object: 'deployment/b', goodRevision: null }],
      category: 'deployment',
      confidence: 92,
      aims: [1, 2].map(() => ({ kind: 'restore', target: 'shop', type: 'kubectl', script: 'kubectl patch …' })),
    },
    { what: 'a setting, some time ago', signals: [door], facts: [anObjectChange(long)], category: 'configuration', confidence: 65, aims: restore },
    { what: 'a NetworkPolicy that was not there', signals: [door], facts: [policy], category: 'configuration', confidence: 92, aims: [{ kind: 'restore', target: 'shop', type: 'kubectl', script: 'kubectl delete …' }] },
    { what: 'what no plan holds', signals: [door], facts: [secret], category: 'configuration', confidence: 65, aims: [] },
    { what: 'what no plan holds all of', signals: [door], facts: [secret, policy], category: 'configuration', confidence: 65, aims: [{ kind: 'restore', target: 'shop', type: 'kubectl', script: 'kubectl delete …' }] },
    { what: 'a new ConfigMap, which nothing needed before', signals: [door], facts: [anObjectChange({ object: 'configmap/new', what: 'added', changes: [], changeCount: 0 })], category: 'serviceDegraded', confidence: 30, aims: [] },
    { what: 'a note on an object', signals: [door], facts: [anObjectChange({ changes: [{ pointer: '/metadata/annotations/note', good: null, now: '"hi"', isRestored: true }] })], category: 'serviceDegraded', confidence: 30, aims: [] },
    { what: 'a change where all is well', signals: [aSignal({ target: 'elsewhere', name: 'p99' })], facts: [anObjectChange(), aPodTrouble()], category: 'serviceDegraded', confidence: 30, aims: [] },
    { what: 'pods in trouble, and nothing that changed', signals: [waitingPods], facts: [aPodTrouble()], category: 'podFailure', confidence: 50, aims: anything },
    { what: 'pods in trouble in two namespaces', signals: [waitingPods, door], facts: [aPodTrouble(), aPodTrouble({ pod: 'door-1', target: 'door', namespace: 'door' })], category: 'podFailure', confidence: 50, aims: [] },
    { what: 'a failed rollout beside a changed file', signals: [waitingPods, door], facts: [aConfigChange({ serves: ['door'] }), aPodTrouble(), rollout], category: 'deployment', confidence: 92, aims: undo },
  ])('is judged: $what', ({ signals, facts, category, confidence, aims }) => {
    const cause = judge(signals, facts);
    expect({ category: cause?.category, confidence: cause?.confidence, aims: cause?.aims }).toEqual({ category, confidence, aims });
    const known = new Set([...signals.map(({ target, name }) => `${target}/${name}`), ...facts.map(({ id }) => id)]);
    expect(cause?.evidence.every((id) => known.has(id))).toBe(true);
  });

  it('names who will take the change back', () => {
    const advice = 'service/web is kept by Argo CD (application shop), which will take back what is changed here: change it in its source, too';
    expect(judge([door], [anObjectChange({ owner: 'Argo CD (application shop)' })])?.suggestedActions).toContain(advice);
  });
});
