import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { createRedactor } from '../../domain/redaction.js';
import { CallGone, type ExecutorApi } from '../../workers/executor/executor-api.js';
import { type ServeDeps, serveCall } from '../../workers/executor/serve-call.js';
import { aStep } from '../builders.js';
import { watchHost } from '../harness/fake-host.js';

it('a call whose answer nobody takes is dropped, and the worker goes on', async () => {
  const api: ExecutorApi = {
    poll: async () => null,
    beat: async () => ({ isAborted: false }),
    begin: async () => 'lost',
    sendOutput: () => Promise.reject(new CallGone('nobody waits')),
    answer: (_callId, _answer, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
  };
  const unused = () => Promise.reject(new Error('it was not asked for'));
  const logged: string[] = [];
  const deps: ServeDeps = {
    api,
    executor: { rehearse: async () => ({ found: false, lines: [] }), snapshot: unused, run: unused, settle: unused },
    grants: { signatures: { readDecision: unused, isPolicySigned: unused }, watch: watchHost(), now: () => new Date() },
    redactor: createRedactor([]),
    queue: 'edge',
    place: randomUUID(),
    log: { warn: (_details, message) => logged.push(message) },
    answerWithinMs: 50,
  };
  const request = JSON.stringify({ kind: 'rehearse', workspaceId: 'demo', step: aStep({ queue: 'edge' }) });
  await serveCall(deps, { id: randomUUID(), kind: 'rehearse', request, proof: null });
  expect(logged).toEqual([expect.stringContaining('took no answer in time')]);
});
