import { describe, expect, it } from '@jest/globals';
import { mayDecideInChat, toIncidentUrl, toNoticeGate } from '../../domain/notification.js';
import { severities } from '../../domain/severity.js';
import { aGate, aPlan } from '../builders.js';

describe('a click in chat', () => {
  it.each([
    ['settles what is not grave', {}, ['LOW', 'MEDIUM']],
    ['settles nothing that was run already', { kind: 'verification' }, []],
    ['settles nothing where a person was called', { kind: 'needsHuman' }, []],
    ['settles nothing that has to be reviewed first', { reviewNeeded: true }, []],
    ['settles nothing that only the policy lets run', { mode: 'policy' }, []],
    ['settles nothing in observe mode', { mode: 'nobody' }, []],
  ] as const)('%s', (_what, over, allowed) => {
    const gate = { kind: 'execution', mode: 'people', reviewNeeded: false, ...over } as const;
    expect(severities.filter((risk) => mayDecideInChat(gate, risk)).toSorted()).toEqual([...allowed].toSorted());
    expect(mayDecideInChat(gate, null)).toBe(false);
  });

  it('is not asked for once the gate is settled', () => {
    const plan = { plan: aPlan(), confidence: { value: 86, tier: 'HIGH' } } as const;
    expect(toNoticeGate(aGate(), plan).isForChat).toBe(true);
    expect(toNoticeGate(aGate({ state: 'approved' }), plan).isForChat).toBe(false);
  });
});

it('the address of an incident is below the one that people know, or none', () => {
  expect([toIncidentUrl('https://sluice.example/', 'x'), toIncidentUrl('https://a.example/ops', 'x'), toIncidentUrl('', 'x')]).toEqual([
    'https://sluice.example/incidents/x',
    'https://a.example/ops/incidents/x',
    null,
  ]);
});
