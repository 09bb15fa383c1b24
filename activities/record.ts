import type { CloseActivities, RecordActivities } from '../contracts/activities.js';
import { closed } from '../domain/updates.js';
import { asFailure, Fault } from './faults.js';
import type { Ports } from './ports.js';

export function createRecordActivities({ recorder }: Ports): RecordActivities & CloseActivities {
  return {
    openGate: ({ workspaceId, incidentId, gate, update }) => recorder.openGate({ workspaceId, incidentId }, gate, update),

    async readGate({ incidentId, gateId, settleAs }) {
      if (settleAs !== undefined) await recorder.settleGate(incidentId, gateId, settleAs);
      const gate = await recorder.readGate(incidentId, gateId);
      if (gate === undefined) throw asFailure(new Fault('gateMissing', `gate ${gateId} has no row`));
      return { state: gate.state, approvals: gate.approvals, decisionIds: gate.decisionIds, settledBy: gate.settledBy };
    },

    async readCancellation({ incidentId, decisionId }) {
      return (await recorder.readCancellation(incidentId, decisionId)) ?? null;
    },

    recordUpdate: ({ incidentId, key, update }) => recorder.recordUpdate(incidentId, key, update),

    async settleExecution({ incidentId, digest }) {
      return { mayHaveChanged: await recorder.settleExecution(incidentId, digest) };
    },

    async closeIncident({ incidentId, outcome, summary }) {
      const update = closed(outcome, summary);
      await recorder.close(incidentId, outcome, update);
      return update;
    },
  };
}
