import { describe, expect, it } from '@jest/globals';
import type { Ports, Recorder, Tell } from '../../activities/ports.js';
import { createRecordActivities } from '../../activities/record.js';
import { toUpdate } from '../../domain/incident.js';
import type { Channel } from '../../domain/watch.js';
import { aPolicy } from '../builders.js';
import { createFakeLedger, createLedgerRecorder } from '../fakes/fake-ledger.js';

const ref = { workspaceId: 'w', incidentId: 'i' };
const update = toUpdate({ phase: 'EXECUTION_GATE', text: 'waits' });
const gate = { gateId: 'g', kind: 'execution', mode: 'people', digest: 'd', planVersion: 1, offersRollback: false, approvalsNeeded: 1, roleNeeded: 'responder', reviewNeeded: false, excluded: [], expiresAt: null } as const;
const channel = (name: string, ...groups: readonly string[]): Channel => ({ kind: 'webhook', name, url: 'https://hooks.example', secret: { env: 'X' }, groups });

/** The activities over a sluice.yaml with these channels, and whom they told to tell. */
function worker(before: readonly Channel[]) {
  let channels = before;
  const told: (Tell | undefined)[] = [];
  const over: Partial<Recorder> = {
    openGate: async (_ref, _gate, _update, tell) => void told.push(tell),
    recordUpdate: async (_incidentId, _key, _update, tell) => void told.push(tell),
  };
  const ledger = createFakeLedger(() => {
    throw new Error('nothing is claimed here');
  });
  const watch = { readWorkspace: (id: string) => ({ id, targets: [], alertRules: [], channels, sweepEveryMs: null, startingPolicy: aPolicy() }) };
  const ports: Partial<Ports> = { recorder: createLedgerRecorder(ledger, over), watch };
  return {
    ...createRecordActivities(ports as Ports),
    channelsTold: () => told.map((tell) => tell?.channels),
    told,
    edit: (after: readonly Channel[]) => void (channels = after),
  };
}

describe('an update that people are told of', () => {
  it.each([
    ['every channel of a group', ['responders'], ['page', 'chat']],
    ['once a channel that reaches two of the groups', ['responders', 'supervisors'], ['page', 'chat', 'lead']],
    ['nobody where no channel reaches the group', ['database-team'], []],
    ['nobody where there is no group', [], []],
  ] as const)('is told %s', async (_, groups, channels) => {
    const { openGate, recordUpdate, channelsTold } = worker([channel('page', 'responders'), channel('chat', 'responders', 'supervisors'), channel('lead', 'supervisors')]);
    await openGate({ ...ref, gate, update, telling: { kind: 'gateOpened', groups, gateId: 'g' } });
    await recordUpdate({ ...ref, key: 'k', update, telling: { kind: 'reminder', groups, gateId: 'g' } });
    expect(channelsTold()).toEqual([channels, channels]);
  });

  it('is told where the groups are reached at that moment, not when the gate opened', async () => {
    const { openGate, recordUpdate, channelsTold, edit } = worker([channel('page', 'responders')]);
    await openGate({ ...ref, gate, update, telling: { kind: 'gateOpened', groups: ['responders'], gateId: 'g' } });
    edit([channel('chat', 'responders')]);
    await recordUpdate({ ...ref, key: 'k', update, telling: { kind: 'reminder', groups: ['responders'], gateId: 'g' } });
    expect(channelsTold()).toEqual([['page'], ['chat']]);
  });

  it('is told with why, and at which gate', async () => {
    const { recordUpdate, told } = worker([channel('page', 'responders')]);
    await recordUpdate({ ...ref, key: 'k', update, telling: { kind: 'escalation', groups: ['responders'], gateId: 'g' } });
    expect(told).toEqual([{ workspaceId: 'w', kind: 'escalation', gateId: 'g', channels: ['page'] }]);
  });

  it('is told nobody where it is for the tail alone', async () => {
    const { recordUpdate, told } = worker([channel('page', 'responders')]);
    await recordUpdate({ ...ref, key: 'k', update, telling: null });
    expect(told).toEqual([undefined]);
  });
});
