import type { Proposal, ReasonActivities } from '../contracts/activities.js';
import { findRootCause } from '../domain/find-root-cause.js';
import type { DraftPlan, DraftStep, PlanContext, StepType } from '../domain/plan.js';
import { toPlan, toRestoringPlan } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import { matchScript } from '../domain/script-library.js';
import { rootCauseFound } from '../domain/updates.js';
import type { Target } from '../domain/watch.js';
import { attempt } from './attempt.js';
import type { Ports } from './ports.js';

/** What restores what changed, else the script of the library that answers; undefined when neither does. */
export async function draftPlan({ recorder }: Pick<Ports, 'recorder'>, rootCause: RootCause, context: PlanContext): Promise<DraftPlan | undefined> {
  const restoring = rootCause.aims.filter((aim) => aim.kind === 'restore');
  if (restoring.length > 0) return toRestoringPlan(restoring, context);
  const match = matchScript(rootCause, await recorder.listScripts(context.workspaceId), await recorder.readTrackRecords(context.workspaceId));
  return match && toPlan(match.script, match.aims, context);
}

export function createProposeActivities({ recorder, watch, now }: Ports): Pick<ReasonActivities, 'proposeRemediation'> {
  return {
    proposeRemediation: ({ workspaceId, incidentId, measurementId, anomalies, key }) =>
      attempt(async (): Promise<Proposal> => {
        const measurement = await recorder.readMeasurement(measurementId);
        const rootCause = findRootCause(anomalies, measurement?.facts ?? []);
        if (rootCause === undefined) return { kind: 'nothingFits', rootCause: null, because: 'Nothing that was measured says why' };
        await recorder.setRootCause(incidentId, rootCause);
        const update = rootCauseFound(rootCause);
        await recorder.recordUpdate(incidentId, `propose:${key}`, update);

        const version = await recorder.nextPlanVersion(incidentId);
        const measuredAt = measurement?.measuredAt ?? now().toISOString();
        const plan = await draftPlan({ recorder }, rootCause, { workspaceId, incidentId, version, measuredAt });
        if (plan === undefined) return { kind: 'nothingFits', rootCause, because: `No script of the library answers ${rootCause.category}` };
        const { targets } = watch.readWorkspace(workspaceId);
        const { autonomy } = (await recorder.readPolicy(workspaceId)).policy;
        // What is only observed needs nobody who could run it.
        const canBeDone = autonomy === 'observe' ? fits : canRun;
        const outOfReach = plan.steps.find((step) => !targets.some((target) => canBeDone(target, step)));
        if (outOfReach !== undefined) return { kind: 'nothingFits', rootCause, because: `Target ${outOfReach.target} has no executor for ${outOfReach.type} in sluice.yaml` };
        return { kind: 'proposed', rootCause, plan, update };
      }),
  };
}

const stepTypeOf: Readonly<Partial<Record<Target['kind'], StepType>>> = { postgres: 'sql', 'config-file': 'config-patch' };
const fits = (target: Target, step: DraftStep): boolean => target.name === step.target && stepTypeOf[target.kind] === step.type;
const canRun = (target: Target, step: DraftStep): boolean => fits(target, step) && 'executor' in target && target.executor === step.type;
