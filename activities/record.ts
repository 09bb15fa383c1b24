import type { CloseActivities, RecordActivities } from '../contracts/activities.js';
import { closed, rollbackClosed } from '../domain/updates.js';
import { asFailure, Fault } from './faults.js';
import type { Ports } from './ports.js';

export function createRecordActivities({ recorder }: Ports): Omit<RecordActivities, 'claimExecution' | 'claimRollback'> & CloseActivities {
  return {
    openGate: ({ workspaceId, incidentId, gate, update }) => recorder.openGate({ workspaceId, incidentId }, gate, update),

    async readGate({ incidentId, gateId, settleAs }) {
      if (settleAs !== undefined) await recorder.settleGate(incidentId, gateId, settleAs);
      const gate = await recorder.readGate(incidentId, gateId);
      if (gate === undefined) throw asFailure(new Fault('gateMissing', `gate ${gateId} has no row`));
      return { state: gate.state, approvals: gate.approvals, decisionIds: gate.decisionIds, settledBy: gate.settledBy, settledById: gate.settledById };
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

    async closeRollback({ workspaceId, incidentId, decisionId, rolledBack, summary }) {
      const update = rollbackClosed(rolledBack, summary);
      await recorder.closeRollback({ workspaceId, incidentId }, decisionId, update, rolledBack);
      return update;
    },
  };
}
