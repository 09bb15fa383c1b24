import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ExecutionParams, PodClaimBody, PodClaimed, WriteHeaders } from '../../contracts/http.js';
import type { Database } from '../../db/database.js';
import { claimForPod, type PodAnswer } from '../../db/pod-claims.js';
import { KillSwitchOn, NotAuthenticated, NotThisPod } from '../errors.js';
import { problems } from '../plugins/problems.js';

/** Lets one pod of a Job run its script. The token that only this execution's pods were given stands for a person's. */
export const executionClaimRoute: FastifyPluginAsyncTypebox<{ db: Database }> = async (app, { db }) => {
  app.post(
    '/api/executions/:key/claim',
    {
      config: { minimumRole: 'everyone' },
      schema: {
        operationId: 'claimExecution',
        tags: ['executions'],
        description: "Asked by a pod before it runs a script, with the one-time token of its execution. The first process that asks is told yes, each other never.",
        params: ExecutionParams,
        headers: WriteHeaders,
        body: PodClaimBody,
        response: { 200: PodClaimed, ...problems },
      },
    },
    async ({ params: { key }, headers, raw, body: { pod }, log }) => {
      const [, token] = /^Bearer +(\S+) *$/i.exec(raw.headers.authorization ?? '') ?? [];
      const answer = token === undefined ? 'unknown' : await claimForPod(db, { key, token, pod, claimant: headers['idempotency-key'] ?? randomUUID() });
      if (answer === 'yours') return { key, pod };
      if (answer !== 'unknown') log.warn({ key, pod, answer }, 'a pod was not let run');
      throw toProblem(answer);
    },
  );
};

function toProblem(answer: Exclude<PodAnswer, 'yours'>): Error {
  switch (answer) {
    case 'unknown':
      return new NotAuthenticated('The token is not that of this execution. A pod that Sluice made has it in its Secret; nobody else claims.');
    case 'taken':
      return new NotThisPod('Another pod has claimed this execution, so this one must not run it.');
    case 'sealed':
      return new NotThisPod('Sluice has given this execution up before a pod claimed it, so it must not run any more.');
    case 'notStarted':
      return new NotThisPod('The execution is not under way, so it must not run.');
    case 'killSwitch':
      return new KillSwitchOn('The kill switch is on, so the script was not run. Turn it off with PUT /api/kill-switch, then propose again.');
  }
}
