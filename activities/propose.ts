import type { Proposal, ReasonActivities } from '../contracts/activities.js';
import { findRootCause } from '../domain/find-root-cause.js';
import type { DraftPlan, DraftStep, PlanContext, StepType } from '../domain/plan.js';
import { stepTypeOf, toPlan, toRestoringPlan } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import { matchScript, type RemediationScript } from '../domain/script-library.js';
import { rootCauseFound } from '../domain/updates.js';
import type { Target } from '../domain/watch.js';
import { attempt } from './attempt.js';
import type { Ports } from './ports.js';

/** What restores what changed, else the script of the library that answers; undefined when neither does. */
export async function draftPlan({ recorder, watch }: Pick<Ports, 'recorder' | 'watch'>, rootCause: RootCause, context: PlanContext): Promise<DraftPlan | undefined> {
  const restoring = rootCause.aims.filter((aim) => aim.kind === 'restore');
  if (restoring.length > 0) return toRestoringPlan(restoring, context);
  const { targets } = watch.readWorkspace(context.workspaceId);
  // Who aims at a host does not mean the databases that a script of the same category is for.
  const isMeantFor = ({ type }: RemediationScript): boolean => rootCause.aims.every((aim) => targets.some((target) => fits(target, { target: aim.target, type: stepTypeOf[type] })));
  const match = matchScript(rootCause, (await recorder.listScripts(context.workspaceId)).filter(isMeantFor), await recorder.readTrackRecords(context.workspaceId));
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
        const draft = await draftPlan({ recorder, watch }, rootCause, { workspaceId, incidentId, version, measuredAt });
        if (draft === undefined) return { kind: 'nothingFits', rootCause, because: `No script of the library answers ${rootCause.category}` };
        const { targets } = watch.readWorkspace(workspaceId);
        const queueOf = ({ target: name }: DraftStep): string | null => targets.flatMap((target) => (target.kind === 'host' && target.name === name ? [target.queue] : []))[0] ?? null;
        const plan = { ...draft, steps: draft.steps.map((step) => ({ ...step, queue: queueOf(step) })) };
        const { autonomy } = (await recorder.readPolicy(workspaceId)).policy;
        // What is only observed needs nobody who could run it.
        const canBeDone = autonomy === 'observe' ? fits : canRun;
        const outOfReach = plan.steps.find((step) => !targets.some((target) => canBeDone(target, step)));
        if (outOfReach !== undefined) return { kind: 'nothingFits', rootCause, because: `Target ${outOfReach.target} has no executor for ${outOfReach.type} in sluice.yaml` };
        return { kind: 'proposed', rootCause, plan, update };
      }),
  };
}

function listStepTypes(target: Target): readonly StepType[] {
  switch (target.kind) {
    case 'postgres':
      return ['sql'];
    case 'config-file':
      return ['config-patch'];
    case 'kubernetes':
      return ['kubernetes', 'kubectl', ...(target.jobs === null ? [] : (['bash', 'python'] as const))];
    case 'host':
      return ['command', 'bash', 'python'];
    case 'http':
    case 'workspace':
      return [];
  }
}
const fits = (target: Target, step: Pick<DraftStep, 'target' | 'type'>): boolean => target.name === step.target && listStepTypes(target).includes(step.type);
const canRun = (target: Target, step: DraftStep): boolean => fits(target, step) && 'executor' in target && target.executor !== null;
