import { ActivityFailure, sleep, uuid4 } from '@temporalio/workflow';
import type { Detection } from '../contracts/activities.js';
import type { IncidentInput } from '../contracts/messages.js';
import type { Anomaly } from '../domain/anomaly.js';
import { assertNever } from '../domain/assert-never.js';
import { formatDuration } from '../domain/duration.js';
import { toUpdate } from '../domain/incident.js';
import { isOfTarget } from '../domain/signal.js';
import { executionGateOpened, needsHuman } from '../domain/updates.js';
import { read, reason, record } from './activity-proxies.js';
import type { GateAnswer } from './await-gate.js';
import { awaitGate } from './await-gate.js';
import type { Case } from './case.js';
import { say } from './desk.js';
import { explain, isTimeout } from './failures.js';
import { execute, takeBack, verificationGate, verify } from './run-stages.js';
import type { Ending, Frozen, Proposed, Stage, Story } from './stage.js';
import { askPeople, by, detectAgain, end, endUnchanged, giveUp, toReviewers } from './stage.js';

// A target that moves faster than plans are made needs a person, not a faster loop.
const MAX_DRIFTS = 3;
const DRIFT_PAUSE = '2 seconds';

/** Detection, proposal, gate, execution, gate, verification; and the ways back between them. */
export async function tellStory(input: IncidentInput, current: Case): Promise<Ending> {
  const { policy } = input;
  const { desk } = current;
  const { ref } = desk;
  const story: Story = { input, ref, current, ran: null, rounds: 0, brokeGlass: [], tookBack: null };
  let detections = 0;
  let drifts = 0;

  const detectAnomalies = (quiet: boolean): Promise<Detection> =>
    read.detectAnomalies.executeWithOptions({ summary: `Measure ${input.targets === null ? 'all targets' : input.targets.join(', ')}`.slice(0, 120) }, [
      { ...ref, targets: input.targets, severityThreshold: input.severityThreshold, key: uuid4(), quiet },
    ]);

  /** Measures before anybody believes that it is over. What else is wrong in the workspace does not keep this incident open. */
  const recoveredFrom = (anomalies: readonly Anomaly[]) => async (): Promise<boolean> => {
    const isAboutTargets = anomalies.some(({ signal }) => isOfTarget(signal));
    try {
      const now = await detectAnomalies(true);
      return now.signals > 0 && now.anomalies.every(({ signal }) => isAboutTargets && !isOfTarget(signal));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      await say(desk, toUpdate({ ...desk.now(), text: `Said to be over, and could not be measured: ${explain(error)}` }));
      return false;
    }
  };

  async function detect(): Promise<Stage> {
    detections += 1;
    const detection = await detectAnomalies(false);
    current.set({ anomalies: detection.anomalies });
    current.tell(detection.update);
    if (detection.signals === 0) return askPeople('DETECTION', 'No detector of sluice.yaml covers this', 'Add one, then measure again');
    if (detection.anomalies.length > 0) return { kind: 'propose', detection };
    if (story.ran !== null) return askPeople('VERIFICATION', 'All signals are well now, after the verification had not held', 'Measure again to verify, or close');
    return detections === 1 ? end('NOTHING_FOUND', `${detection.signals} signals measured, all well`) : endUnchanged(story, 'RECOVERED', 'Healthy again');
  }

  async function propose(detection: Detection): Promise<Stage> {
    const { measurementId, anomalies } = detection;
    const proposal = await reason.proposeRemediation.executeWithOptions({ summary: 'Find the root cause and a script that answers it' }, [
      { ...ref, measurementId, anomalies, key: uuid4() },
    ]);
    current.set({ rootCause: proposal.rootCause });
    if (proposal.kind === 'nothingFits') {
      return askPeople('PROPOSAL_FIX', proposal.because, 'Add a script to the library and propose again, or fix it by hand');
    }
    const { rootCause, plan, update } = proposal;
    current.set({ plan, digest: null });
    current.tell(update);
    return { kind: 'validate', proposed: { detection, rootCause, plan } };
  }

  async function validate(proposed: Proposed): Promise<Stage> {
    const { plan, rootCause } = proposed;
    const validation = await reason.validateRemediation.executeWithOptions({ summary: `Validate and rehearse ${plan.title}`.slice(0, 120) }, [
      { ...ref, plan, rootCause },
    ]);
    switch (validation.kind) {
      case 'denied':
        return askPeople('PROPOSAL_FIX', `${plan.title} is denied`, ...validation.because);
      case 'drifted':
        return { kind: 'drifted', because: validation.because };
      case 'allowed':
        current.set({ digest: validation.digest });
        return { kind: 'executionGate', frozen: { ...validation, detection: proposed.detection } };
      default:
        return assertNever(validation);
    }
  }

  /** What a plan aims at moved on. Looks again, but not without end. */
  async function lookAgain(because: string): Promise<Stage> {
    drifts += 1;
    if (drifts > MAX_DRIFTS) {
      drifts = 0;
      return askPeople('PROPOSAL_FIX', `No plan fitted its target (${MAX_DRIFTS + 1} tries): what it aims at is gone, has changed, or may not be touched`, because, 'Propose again, or fix it by hand');
    }
    await sleep(DRIFT_PAUSE, { summary: 'the target has changed' });
    return detectAgain;
  }

  async function executionGate(frozen: Frozen): Promise<Stage> {
    const { plan, detection, digest, confidence } = frozen;
    const { kind: ruling, ...asked } = plan.ruling;
    const mode = ({ auto: 'policy', gate: 'people', observe: 'nobody' } as const)[ruling];
    const gateId = uuid4();
    const expiresAt = new Date(Date.now() + policy.gateWaitMs);
    const worst = detection.anomalies[0] ?? { severity: 'LOW', score: 0 };
    const update = executionGateOpened({ gateId, ...worst, plan, digest, confidence, expiresAt });
    current.set({ gate: { gateId, kind: 'execution' } });
    current.next(mode === 'nobody' ? 'none, this is only observed' : `approve or reject ${plan.title}, as ${asked.roleNeeded}: on the page, with "sluice approve ${ref.incidentId}", or by the API`);
    current.tell(update);
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'execution', mode, digest, planVersion: plan.version, offersRollback: false, ...asked, excluded: plan.authors, expiresAt: expiresAt.toISOString() },
      update,
      severity: worst.severity,
      policy,
      needsHumanAfterMs: null,
      expiresInMs: policy.gateWaitMs,
      isRecovered: story.ran === null ? recoveredFrom(detection.anomalies) : null,
    });
    if (answer.kind === 'approved') return { kind: 'execute', frozen, gateId, approvals: answer.approvals };
    drifts = 0;
    if (answer.kind === 'changesRequested' || answer.kind === 'rollbackRequested') return detectAgain;
    // Silence and refusal close an incident only while nothing has changed.
    return story.ran === null ? closeUnrun(answer, mode === 'nobody') : askPeople('EXECUTION_GATE', `The next plan was ${answer.kind}${'by' in answer ? by(answer.by) : ''}`);
  }

  function closeUnrun(answer: Exclude<GateAnswer, { kind: 'approved' | 'changesRequested' | 'rollbackRequested' }>, isObserved: boolean): Ending {
    switch (answer.kind) {
      case 'rejected':
        return endUnchanged(story, 'REJECTED', `Rejected${by(answer.by)}`);
      case 'expired':
        return endUnchanged(story, 'EXPIRED', isObserved ? `Observed for ${formatDuration(policy.gateWaitMs)}` : `Nobody approved within ${formatDuration(policy.gateWaitMs)}`);
      case 'cancelled':
        return endUnchanged(story, 'CANCELLED', `Cancelled${by(answer.by)}`);
      case 'recovered':
        return endUnchanged(story, 'RECOVERED', 'Healthy again');
      default:
        return assertNever(answer);
    }
  }

  /** Asks somebody how to go on. It never expires; before anything changed, recovery ends it too. */
  async function waitForPeople({ phase, because, updateKind }: Extract<Stage, { kind: 'askPeople' }>): Promise<Stage> {
    const gateId = uuid4();
    const { ran } = story;
    const update = needsHuman(phase, gateId, because, updateKind);
    current.set({ gate: { gateId, kind: 'needsHuman' } });
    current.next(`measure again, propose again${ran?.hasWayBack === true ? ', take it back' : ''}, or close and say why`);
    current.tell(update);
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'needsHuman', digest: ran?.digest ?? null, planVersion: ran?.planVersion ?? null, offersRollback: ran?.hasWayBack ?? false, ...toReviewers(story.brokeGlass), expiresAt: null },
      update,
      severity: null,
      policy,
      needsHumanAfterMs: 0,
      expiresInMs: null,
      isRecovered: story.ran === null ? recoveredFrom(current.view().anomalies) : null,
    });
    switch (answer.kind) {
      case 'approved':
        if (story.ran === null) return detectAgain;
        // Nobody who broke the glass could be the one.
        story.brokeGlass = [];
        story.ran = { ...story.ran, sinceMs: Date.now(), approvals: answer.approvals };
        return { kind: 'verify', ran: story.ran };
      case 'changesRequested':
        return detectAgain;
      case 'rollbackRequested':
        if (ran === null || answer.decisionId === null) return askPeople(phase, ...because);
        return { kind: 'rollBack', ran, cause: { kind: 'decision', decisionId: answer.decisionId }, askedBy: answer.by };
      case 'rejected':
        return end('HANDED_OVER', `Closed${by(answer.by)}`);
      case 'cancelled':
        return story.ran === null ? endUnchanged(story, 'CANCELLED', `Cancelled${by(answer.by)}`) : end('HANDED_OVER', `Closed${by(answer.by)}`);
      case 'recovered':
        return endUnchanged(story, 'RECOVERED', 'Healthy again');
      case 'expired':
        return askPeople(phase, ...because);
      default:
        return assertNever(answer);
    }
  }

  function play(stage: Exclude<Stage, Ending>): Promise<Stage> {
    switch (stage.kind) {
      case 'detect':
        return detect();
      case 'propose':
        return propose(stage.detection);
      case 'validate':
        return validate(stage.proposed);
      case 'drifted':
        return lookAgain(stage.because);
      case 'executionGate':
        return executionGate(stage.frozen);
      case 'execute':
        return execute(story, stage);
      case 'verificationGate':
        return verificationGate(story, stage.ran);
      case 'verify':
        return verify(story, stage.ran);
      case 'rollBack':
        return takeBack(story, stage);
      case 'askPeople':
        return waitForPeople(stage);
      default:
        return assertNever(stage);
    }
  }

  /** What an earlier run of this workflow left: something has changed, and nobody said whether it is good. */
  async function begin(): Promise<Stage> {
    const { run: earlier, brokeGlass } = await record.readEarlierRun(ref);
    story.brokeGlass = brokeGlass;
    if (earlier === null) return detectAgain;
    const { before, title } = earlier;
    story.ran = { ...ref, ...earlier, stabilizationMs: policy.stabilizationMs, sinceMs: Date.now(), succeeded: false, approvals: [], goesUnseen: false, anomalies: before.length, after: [], sampledMs: 0 };
    story.rounds = 1;
    return askPeople('VERIFICATION', `The workflow was started anew after ${title} had run, or may have`, 'Measure again to verify, propose again, or close');
  }

  /** One person's word stood for all that policy asks: before it closes, another supervisor looks at what was done. */
  async function reviewGlass(ending: Ending): Promise<Stage> {
    const gateId = uuid4();
    const { ran, brokeGlass } = story;
    const { phase } = current.view();
    const update = needsHuman(phase, gateId, [`${brokeGlass.join(', ')} broke the glass. Another supervisor looks at what was done and approves; then it closes as ${ending.outcome}`, ending.summary], 'step');
    current.set({ gate: { gateId, kind: 'needsHuman' } });
    current.next('approve, as another supervisor than who broke the glass, once you have looked at what was done');
    current.tell(update);
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'needsHuman', digest: ran?.digest ?? null, planVersion: ran?.planVersion ?? null, offersRollback: ran?.hasWayBack ?? false, ...toReviewers(brokeGlass), expiresAt: null },
      update,
      severity: null,
      policy,
      needsHumanAfterMs: 0,
      expiresInMs: null,
      isRecovered: null,
    });
    if (answer.kind === 'rollbackRequested' && ran !== null && answer.decisionId !== null) return { kind: 'rollBack', ran, cause: { kind: 'decision', decisionId: answer.decisionId }, askedBy: answer.by };
    if (answer.kind !== 'approved') return ending;
    story.brokeGlass = [];
    return { ...ending, summary: `${ending.summary}. Reviewed${by(answer.approvals.at(-1) ?? null)}` };
  }

  let stage: Stage = await begin();
  while (stage.kind !== 'end' || story.brokeGlass.length > 0) {
    try {
      stage = stage.kind === 'end' ? await reviewGlass(stage) : await play(stage);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // Nobody was there to do it: that is no reason to close an incident that nobody has looked at.
      const { phase } = current.view();
      stage = isTimeout(error) ? askPeople(phase, `It could not go on: ${explain(error)}`) : giveUp(story, phase, explain(error));
    }
  }
  return stage;
}
