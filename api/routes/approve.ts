import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ApproveBody, ApproveReceipt, WriteHeaders } from '../../contracts/http.js';
import type { SignDecision } from '../../db/decisions.js';
import { findGateByUpdate } from '../../db/incident-reads.js';
import { decideOrThrow } from '../decide-or-throw.js';
import { UnknownGate, WrongPerson } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

export const approveRoute: FastifyPluginAsyncTypebox<{ sign: SignDecision }> = async (app, { sign }) => {
  app.post(
    '/api/ai/sre/approve',
    {
      config: { minimumRole: 'responder' },
      schema: {
        operationId: 'approve',
        tags: ['sre'],
        description: "Approves or, with `approved: false`, rejects what a gate's pending update asks for. The person is the one of the token.",
        headers: WriteHeaders,
        body: ApproveBody,
        response: { 200: ApproveReceipt, ...problems },
      },
    },
    async (request) => {
      const { actor, body, db } = request;
      if (body.userId !== undefined && body.userId !== actor.person) throw new WrongPerson(actor.person);
      const gate = await findGateByUpdate(db, actor.workspaceId, body.updateId);
      if (gate === undefined) throw new UnknownGate(`No gate waits with the update ${body.updateId}. Take the id of an update with the status PENDING_HUMAN_APPROVAL.`);
      const { gateState, approvals, approvalsNeeded } = await decideOrThrow(db, sign, gate.incidentId, {
        id: toRequestId(request),
        gateId: gate.id,
        // An update is of one gate, and a gate is for one digest.
        digest: gate.digest,
        verdict: body.approved ? 'approve' : 'reject',
        reason: body.reason ?? null,
        confirmation: body.confirmation ?? null,
        actor,
      });
      const settled = body.approved ? 'Action approved' : 'Action rejected';
      return { success: true, message: gateState === 'open' ? `${approvals} of ${approvalsNeeded} approvals` : settled };
    },
  );
};
