import type { Proposal, ReasonActivities } from '../contracts/activities.js';
import { toPlan } from '../domain/plan.js';
import { findRootCause } from '../domain/root-cause.js';
import { matchScript } from '../domain/script-library.js';
import { rootCauseFound } from '../domain/updates.js';
import { attempt } from './attempt.js';
import type { Ports } from './ports.js';

export function createProposeActivities({ recorder, watch }: Ports): Pick<ReasonActivities, 'proposeRemediation'> {
  return {
    proposeRemediation: ({ workspaceId, incidentId, measurementId, anomalies, key, policyVersion }) =>
      attempt(async (): Promise<Proposal> => {
        const measurement = await recorder.readMeasurement(measurementId);
        const rootCause = findRootCause(anomalies, measurement?.facts ?? []);
        if (rootCause === undefined) return { kind: 'nothingFits', rootCause: null, because: 'Nothing that was measured says why' };
        await recorder.setRootCause(incidentId, rootCause);
        const update = rootCauseFound(rootCause);
        await recorder.recordUpdate(incidentId, `propose:${key}`, update);

        const script = matchScript(rootCause, await recorder.listScripts(workspaceId), await recorder.readTrackRecords(workspaceId));
        if (script === undefined) return { kind: 'nothingFits', rootCause, because: `No script of the library answers ${rootCause.category}` };
        const { targets } = watch.readWorkspace(workspaceId);
        const version = await recorder.nextPlanVersion(incidentId);
        const plan = toPlan(script, rootCause, { workspaceId, incidentId, version, policyVersion });
        const outOfReach = plan.steps.find(({ target: name }) => !targets.some((target) => target.name === name && target.kind === 'postgres' && target.executor === 'sql'));
        if (outOfReach !== undefined) return { kind: 'nothingFits', rootCause, because: `Target ${outOfReach.target} has no executor in sluice.yaml` };
        return { kind: 'proposed', rootCause, plan, update };
      }),
  };
}
