import { describe, expect, it } from '@jest/globals';
import { findAnomalies } from '../../domain/anomaly.js';
import { findRootCause } from '../../domain/find-root-cause.js';
import { toPlan } from '../../domain/plan.js';
import { matchScript, seedScripts } from '../../domain/script-library.js';
import type { Fact, HostFact } from '../../domain/signal.js';
import { validateCommand } from '../../validation/command/validate-command.js';
import { aScript, aSession, aSignal } from '../builders.js';

const slow = aSignal({ target: 'checkout', name: 'latency', title: 'probe latency', value: 9_000, threshold: 100 });
const slowSearch = { ...slow, target: 'search' };
const down = aSignal({ target: 'shop-db', name: 'postgres-availability', unit: 'percent', better: 'higher', value: 0 });
const silent: Fact = { kind: 'unreachable', id: 'u', target: 'shop-db', because: 'ECONNREFUSED' };
const aHost = (over: Partial<HostFact> = {}): HostFact => ({ kind: 'host', id: 'web-1/host', target: 'web-1', serves: ['checkout', 'shop-db'], units: ['nginx'], containers: [], ...over });
const judge = (signals: Parameters<typeof findAnomalies>[0], facts: readonly Fact[]) => findRootCause(findAnomalies(signals), facts);
const library = seedScripts.map((script, index) => aScript({ ...script, id: `script-${index}` }));

describe('a service that is unwell for no reason that was measured', () => {
  it.each([
    ['the only unit', [slow], [aHost()], 'serviceDegraded', { unit: 'nginx' }],
    ['the only container', [slow], [aHost({ units: [], containers: ['web'] })], 'serviceDegraded', { container: 'web' }],
    ['the one that is named as it is', [slow], [aHost({ units: ['nginx', 'checkout.service'], containers: ['web'] })], 'serviceDegraded', { unit: 'checkout.service' }],
    ['the unit of a database that cannot be reached', [down], [silent, aHost()], 'targetUnreachable', { unit: 'nginx' }],
    ['the container of one', [down], [silent, aHost({ units: [], containers: ['shop-db', 'web'] })], 'targetUnreachable', { container: 'shop-db' }],
  ] as const)('may be helped by a restart of %s', (_, signals, facts, category, values) => {
    const cause = judge(signals, facts);
    expect(cause).toMatchObject({ category, confidence: 50, aims: [{ kind: 'values', target: 'web-1', values }], evidence: expect.arrayContaining(['web-1/host']) });
    const match = cause && matchScript(cause, library, {});
    const plan = match && toPlan(match.script, match.aims, { workspaceId: 'demo', incidentId: 'i', version: 1, measuredAt: '' });
    expect(plan?.steps).toMatchObject([{ type: 'command', target: 'web-1', script: expect.stringContaining(Object.values(values)[0] ?? '') }]);
    expect(validateCommand(plan?.steps[0]?.script ?? '')).toMatchObject({ result: 'review', reach: 'host' });
  });

  it.each([
    ['no host serves it', [slow], [aHost({ serves: ['search'] })]],
    ['two hosts serve it', [slow], [aHost(), aHost({ target: 'web-2', id: 'web-2/host' })]],
    ['two may be meant', [slow], [aHost({ containers: ['web'] })]],
    ['another is unwell as well', [slow, slowSearch], [aHost()]],
  ] as const)('is left to people where %s', (_, signals, facts) => {
    expect(judge(signals, facts)).toMatchObject({ category: 'serviceDegraded', confidence: 30, aims: [] });
  });

  it('may be helped by a script for its host where nothing on it is to be restarted', () => {
    const cause = judge([slow], [aHost({ units: [] })]);
    expect(cause).toMatchObject({ category: 'serviceDegraded', confidence: 50, aims: [{ kind: 'values', target: 'web-1', values: {} }] });
    const repair = aScript({ id: 'repair', type: 'BASH', command: 'echo repair', parameters: [], category: 'serviceDegraded', paths: ['/srv/web'] });
    expect(cause && matchScript(cause, [...library, repair], {})).toMatchObject({ script: { id: 'repair' } });
  });

  it('is not restarted where something better explains it', () => {
    const blocked = aSignal({ name: 'blockedSessions', unit: 'count', value: 14, threshold: 3 });
    expect(judge([blocked], [aSession(), aHost()])).toMatchObject({ category: 'idleTransaction' });
  });
});
