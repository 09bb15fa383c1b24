import type { CloseActivities, RecordActivities } from '../contracts/activities.js';
import { findAnomalies } from '../domain/anomaly.js';
import type { Telling } from '../domain/notification.js';
import { toReversibility } from '../domain/plan.js';
import { isOfTarget } from '../domain/signal.js';
import { closed, rollbackClosed } from '../domain/updates.js';
import type { Channel } from '../domain/watch.js';
import { thaw } from './digest.js';
import { asFailure, Fault } from './faults.js';
import type { Ports, Tell } from './ports.js';

export function createRecordActivities({ recorder, signatures, watch }: Ports): Omit<RecordActivities, 'claimExecution' | 'claimRollback'> & CloseActivities {
  /** Whether the API signed this very decision of this incident: a row may be anybody's. */
  async function isSigned({ id, signature }: { readonly id: string; readonly signature: string }, incidentId: string, verdict?: 'cancel'): Promise<boolean> {
    const signed = await signatures.readDecision(signature);
    return signed?.decisionId === id && signed.incidentId === incidentId && (verdict === undefined || signed.verdict === verdict);
  }

  /** The channels that reach these groups, as sluice.yaml is now. */
  function toTell(workspaceId: string, { kind, gateId, groups }: Telling): Tell {
    const channels = listChannels(workspaceId).filter((channel) => channel.groups.some((group) => groups.includes(group)));
    return { workspaceId, kind, gateId, channels: channels.map(({ name }) => name) };
  }

  /** A workspace that left sluice.yaml tells nobody; its gates open all the same. */
  function listChannels(workspaceId: string): readonly Channel[] {
    try {
      return watch.readWorkspace(workspaceId).channels;
    } catch (error) {
      if (error instanceof Fault && error.kind === 'targetMissing') return [];
      throw error;
    }
  }

  return {
    openGate: ({ workspaceId, incidentId, gate, update, telling }) => recorder.openGate({ workspaceId, incidentId }, gate, update, toTell(workspaceId, telling)),

    async readGate({ incidentId, gateId, settleAs }) {
      if (settleAs !== undefined) await recorder.settleGate(incidentId, gateId, settleAs);
      const gate = await recorder.readGate(incidentId, gateId);
      if (gate === undefined) throw asFailure(new Fault('gateMissing', `gate ${gateId} has no row`));
      const { state, mode, approvals, reviews, settledBy, settledById } = gate;
      const decisionIds: string[] = [];
      for (const decision of gate.decisions) if (await isSigned(decision, incidentId)) decisionIds.push(decision.id);
      return { state, mode, approvals, reviews, decisionIds, settledBy, settledById };
    },

    async readEarlierRun({ incidentId }) {
      const brokeGlass = await recorder.listGlassBreakers(incidentId);
      const earlier = await recorder.readEarlierRun(incidentId);
      const plan = earlier && thaw(earlier.canonical, earlier.digest);
      if (earlier === undefined || plan === undefined) return { run: null, brokeGlass };
      const { digest, measurementId, signals } = earlier;
      const before = findAnomalies(signals).map(({ signal }) => signal).filter(isOfTarget);
      return { run: { digest, planVersion: plan.version, title: plan.title, ...toReversibility(plan), measurementId, before }, brokeGlass };
    },

    async readCancellation({ incidentId, decisionId }) {
      const recorded = await recorder.readCancellation(incidentId, decisionId);
      return recorded !== undefined && (await isSigned({ id: decisionId, signature: recorded.signature }, incidentId, 'cancel')) ? recorded.approval : null;
    },

    recordUpdate: ({ workspaceId, incidentId, key, update, telling }) => recorder.recordUpdate(incidentId, key, update, telling === null ? undefined : toTell(workspaceId, telling)),

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
