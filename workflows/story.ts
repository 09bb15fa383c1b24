import { ActivityFailure, uuid4 } from '@temporalio/workflow';
import type { Detection, Execution, SamplingInput, Validation } from '../contracts/activities.js';
import type { IncidentInput } from '../contracts/messages.js';
import { assertNever } from '../domain/assert-never.js';
import { formatDuration } from '../domain/duration.js';
import type { Outcome, Phase } from '../domain/incident.js';
import type { Plan } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import type { Signal } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';
import { executionGateOpened, formatDigest, needsHuman, summarize, verificationGateOpened } from '../domain/updates.js';
import { change, read, reason, record, watch } from './activity-proxies.js';
import type { GateAnswer } from './await-gate.js';
import { awaitGate } from './await-gate.js';
import { besides } from './besides.js';
import type { Case } from './case.js';
import { untilCancelled } from './until-cancelled.js';

interface Proposed {
  readonly detection: Detection;
  readonly rootCause: RootCause;
  readonly plan: Plan;
}
interface Frozen extends Proposed {
  readonly validation: Extract<Validation, { kind: 'allowed' }>;
}
/** A plan that ran, and what is needed to judge it. */
interface Ran extends SamplingInput {
  readonly title: string;
  readonly anomalies: number;
  readonly after: readonly Signal[];
  readonly sampledMs: number;
}

/** Where the story stands. Each stage answers with the next one. */
type Stage =
  | { readonly kind: 'detect' }
  | { readonly kind: 'propose'; readonly detection: Detection }
  | { readonly kind: 'validate'; readonly proposed: Proposed }
  | { readonly kind: 'executionGate'; readonly frozen: Frozen }
  | { readonly kind: 'execute'; readonly frozen: Frozen; readonly gateId: string }
  | { readonly kind: 'verificationGate'; readonly ran: Ran }
  | { readonly kind: 'verify'; readonly ran: Ran }
  | { readonly kind: 'askPeople'; readonly phase: Phase; readonly because: readonly string[] }
  | Ending;

interface Ending {
  readonly kind: 'end';
  readonly outcome: Outcome;
  readonly summary: string;
}

const end = (outcome: Outcome, summary: string): Ending => ({ kind: 'end', outcome, summary });
const by = (person: Approval | null): string =>
  person === null ? '' : ` by ${person.person} (${person.role})${person.reason === null ? '' : `: "${person.reason}"`}`;

/** Detection, proposal, gate, execution, gate, verification; and the ways back between them. */
export async function tellStory(input: IncidentInput, current: Case): Promise<Ending> {
  const { policy } = input;
  const { desk } = current;
  const { ref } = desk;
  let detections = 0;
  let plans = 0;
  let rounds = 0;
  /** The last plan that may have changed something. Once there is one, nothing closes but by a verification or a person. */
  let ran: Ran | null = null;

  const detectAnomalies = (quiet: boolean): Promise<Detection> =>
    read.detectAnomalies.executeWithOptions({ summary: `Measure ${input.targets === null ? 'all targets' : input.targets.join(', ')}`.slice(0, 120) }, [
      { ...ref, targets: input.targets, severityThreshold: input.severityThreshold, round: (detections += 1), quiet },
    ]);
  const isRecovered = async (): Promise<boolean> => (await detectAnomalies(true)).anomalies.length === 0;
  const again: Stage = { kind: 'detect' };

  async function detect(): Promise<Stage> {
    const detection = await detectAnomalies(false);
    current.set({ anomalies: detection.anomalies });
    current.tell(detection.update);
    if (detection.signals === 0) {
      return { kind: 'askPeople', phase: 'DETECTION', because: ['No detector of sluice.yaml covers this', 'Add one, then measure again'] };
    }
    if (detection.anomalies.length > 0) return { kind: 'propose', detection };
    if (ran !== null) return { kind: 'askPeople', phase: 'VERIFICATION', because: ['All signals are well now, after the verification had not held', 'Measure again to verify, or close'] };
    return detections === 1 ? end('NOTHING_FOUND', `${detection.signals} signals measured, all well`) : end('RECOVERED', 'Healthy again, nothing was run');
  }

  async function propose(detection: Detection): Promise<Stage> {
    const { measurementId, anomalies } = detection;
    const proposal = await reason.proposeRemediation.executeWithOptions({ summary: 'Find the root cause and a script that answers it' }, [
      { ...ref, measurementId, anomalies, version: (plans += 1), policyVersion: input.policyVersion },
    ]);
    current.set({ rootCause: proposal.rootCause });
    if (proposal.kind === 'nothingFits') {
      return { kind: 'askPeople', phase: 'PROPOSAL_FIX', because: [proposal.because, 'Add a script to the library and propose again, or fix it by hand'] };
    }
    const { rootCause, plan, update } = proposal;
    current.set({ plan, digest: null });
    current.tell(update);
    return { kind: 'validate', proposed: { detection, rootCause, plan } };
  }

  async function validate(proposed: Proposed): Promise<Stage> {
    const { plan, rootCause } = proposed;
    const validation = await reason.validateRemediation.executeWithOptions({ summary: `Validate and rehearse ${plan.title}`.slice(0, 120) }, [{ ...ref, plan, rootCause }]);
    switch (validation.kind) {
      case 'denied':
        return { kind: 'askPeople', phase: 'PROPOSAL_FIX', because: [`${plan.title} is denied`, ...validation.because] };
      case 'drifted':
        return again;
      case 'allowed':
        current.set({ digest: validation.digest });
        return { kind: 'executionGate', frozen: { ...proposed, validation } };
      default:
        return assertNever(validation);
    }
  }

  async function executionGate(frozen: Frozen): Promise<Stage> {
    const { plan, detection, validation } = frozen;
    const { digest, confidence, ruling } = validation;
    const gateId = uuid4();
    const expiresAt = new Date(Date.now() + policy.gateWaitMs);
    const worst = detection.anomalies[0] ?? { severity: 'LOW', score: 0 };
    const update = executionGateOpened({ gateId, ...worst, plan, digest, confidence, ...ruling, expiresAt });
    current.set({ gate: { gateId, kind: 'execution' } });
    current.next(`approve or reject ${plan.title}, as ${ruling.roleNeeded}: on the page, with "sluice approve ${ref.incidentId}", or by the API`);
    current.tell(update);
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'execution', digest, planVersion: plan.version, approvalsNeeded: ruling.approvalsNeeded, roleNeeded: ruling.roleNeeded, expiresAt: expiresAt.toISOString() },
      update,
      severity: worst.severity,
      remindMs: policy.gateRemindMs,
      remindStatus: 'PENDING_HUMAN_APPROVAL',
      expiresInMs: policy.gateWaitMs,
      isRecovered: ran === null ? isRecovered : null,
    });
    if (answer.kind === 'approved') return { kind: 'execute', frozen, gateId };
    if (answer.kind === 'changesRequested') return again;
    // Silence and refusal close an incident only while nothing has changed.
    return ran === null ? closeUnrun(answer) : { kind: 'askPeople', phase: 'EXECUTION_GATE', because: [`The next plan was ${answer.kind}${'by' in answer ? by(answer.by) : ''}`] };
  }

  function closeUnrun(answer: Exclude<GateAnswer, { kind: 'approved' | 'changesRequested' }>): Ending {
    switch (answer.kind) {
      case 'rejected':
        return end('REJECTED', `Rejected${by(answer.by)}. Nothing was run`);
      case 'expired':
        return end('EXPIRED', `Nobody approved within ${formatDuration(policy.gateWaitMs)}. Nothing was run`);
      case 'cancelled':
        return end('CANCELLED', `Cancelled${by(answer.by)}. Nothing was run`);
      case 'recovered':
        return end('RECOVERED', 'Healthy again, nothing was run');
      default:
        return assertNever(answer);
    }
  }

  async function execute({ detection, plan, validation: { digest } }: Frozen, gateId: string): Promise<Stage> {
    const before = detection.anomalies.map(({ signal }) => signal).filter(({ name }) => name !== 'activeIncidents');
    const toRan = (sinceMs: number, after: readonly Signal[], sampledMs: number): Ran => ({
      ...ref,
      planVersion: plan.version,
      before,
      stabilizationMs: policy.stabilizationMs,
      sinceMs,
      title: plan.title,
      anomalies: detection.anomalies.length,
      after,
      sampledMs,
    });
    const mayHaveChanged = (because: string): Stage => {
      ran = toRan(Date.now(), [], 0);
      return { kind: 'askPeople', phase: 'EXECUTION', because: [because] };
    };
    current.set({ phase: 'EXECUTION', status: 'IN_PROGRESS', gate: null });
    current.next('none, the approved plan is running');
    let execution: Execution;
    let cancelledBy: Approval | null;
    try {
      const work = await untilCancelled(desk, () =>
        change.executeRemediation.executeWithOptions({ summary: `Run ${plan.title}, digest ${formatDigest(digest)}`.slice(0, 120) }, [{ ...ref, gateId, digest, before, stabilizationMs: policy.stabilizationMs }]),
      );
      if (work.kind === 'cancelled') {
        const settled = await record.settleExecution({ ...ref, digest });
        return settled.mayHaveChanged ? mayHaveChanged(`Cancelled${by(work.by)} while it ran`) : end('CANCELLED', `Cancelled${by(work.by)}. Nothing was run`);
      }
      execution = work.result;
      cancelledBy = work.cancelledBy;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      const settled = await record.settleExecution({ ...ref, digest });
      return settled.mayHaveChanged
        ? mayHaveChanged(`UNKNOWN: nobody can tell whether ${plan.title} had its effect (${messageOf(error)})`)
        : giveUp('EXECUTION', messageOf(error));
    }
    switch (execution.kind) {
      case 'recovered':
        return ran === null ? end('RECOVERED', 'Healthy again before anything ran, nothing was run') : again;
      case 'drifted':
        return again;
      case 'refused':
        return giveUp('EXECUTION', execution.because);
      case 'stopped':
        return execution.changed ? mayHaveChanged(`Cancelled${by(cancelledBy)} while it ran`) : end('CANCELLED', `Cancelled${by(cancelledBy)}. Nothing was run`);
      case 'failed':
        return execution.changed ? mayHaveChanged(`${plan.title} failed: ${execution.because}`) : giveUp('EXECUTION', execution.because);
      case 'executed':
        rounds += 1;
        ran = toRan(execution.endedAtMs, execution.after, execution.sampledMs);
        current.set({ round: rounds });
        current.tell(execution.update);
        return { kind: 'verificationGate', ran };
      default:
        return assertNever(execution);
    }
  }

  async function verificationGate(last: Ran): Promise<Stage> {
    const gateId = uuid4();
    const { before, after, sampledMs } = last;
    const update = verificationGateOpened({ gateId, before, after, sampledMs });
    current.set({ gate: { gateId, kind: 'verification' } });
    current.next('look at the execution log and the signals, then say whether it is good');
    current.tell(update);
    const answer = await besides(
      () => watch.sampleSignals.executeWithOptions({ summary: 'Sample the signals while people look' }, [toSampling(last)]),
      () =>
        awaitGate(desk, {
          gate: { gateId, kind: 'verification', digest: null, planVersion: last.planVersion, approvalsNeeded: 1, roleNeeded: 'responder', expiresAt: null },
          update,
          severity: null,
          remindMs: policy.verificationEscalateMs,
          remindStatus: 'NEEDS_HUMAN',
          expiresInMs: null,
          isRecovered: null,
        }),
    );
    if (answer.kind === 'approved') return { kind: 'verify', ran: last };
    if (answer.kind === 'changesRequested') return again;
    const person = 'by' in answer ? by(answer.by) : '';
    return { kind: 'askPeople', phase: 'VERIFICATION_GATE', because: [`${answer.kind === 'rejected' ? 'Found not good' : 'Cancelled'}${person}`, `${last.title} has no way back`] };
  }

  async function verify(last: Ran): Promise<Stage> {
    current.set({ phase: 'VERIFICATION', status: 'IN_PROGRESS', gate: null });
    current.next('none, the signals must stay well');
    const work = await untilCancelled(desk, () =>
      watch.verifyRemediation.executeWithOptions({ summary: `Well for ${formatDuration(last.stabilizationMs)}?` }, [toSampling(last)]),
    );
    if (work.kind === 'cancelled') return { kind: 'askPeople', phase: 'VERIFICATION', because: [`Cancelled${by(work.by)} during verification`] };
    const verification = work.result;
    current.tell(verification.update);
    if (verification.kind === 'well') return end('RESOLVED', summarize(last.anomalies, last.title, verification.improvementPercent));
    return rounds >= policy.maxRounds
      ? { kind: 'askPeople', phase: 'VERIFICATION', because: [`${rounds} ${rounds === 1 ? 'round' : 'rounds'} did not help`] }
      : again;
  }

  /** Asks somebody how to go on. It never expires; before anything changed, recovery ends it too. */
  async function askPeople(phase: Phase, because: readonly string[]): Promise<Stage> {
    const gateId = uuid4();
    const update = needsHuman(phase, gateId, because);
    current.set({ gate: { gateId, kind: 'needsHuman' } });
    current.next('measure again, propose again, or close and say why');
    current.tell(update);
    const answer = await awaitGate(desk, {
      gate: { gateId, kind: 'needsHuman', digest: null, planVersion: ran?.planVersion ?? null, approvalsNeeded: 1, roleNeeded: 'responder', expiresAt: null },
      update,
      severity: null,
      remindMs: policy.gateRemindMs,
      remindStatus: 'NEEDS_HUMAN',
      expiresInMs: null,
      isRecovered: ran === null ? isRecovered : null,
    });
    switch (answer.kind) {
      case 'approved':
        if (ran === null) return again;
        ran = { ...ran, sinceMs: Date.now() };
        return { kind: 'verify', ran };
      case 'changesRequested':
        return again;
      case 'rejected':
        return end('HANDED_OVER', `Closed${by(answer.by)}`);
      case 'cancelled':
        return ran === null ? end('CANCELLED', `Cancelled${by(answer.by)}. Nothing was run`) : end('HANDED_OVER', `Closed${by(answer.by)}`);
      case 'recovered':
        return end('RECOVERED', 'Healthy again, nothing was run');
      case 'expired':
        return { kind: 'askPeople', phase, because };
      default:
        return assertNever(answer);
    }
  }

  /** It cannot go on: closed where nothing has changed, else a person is asked. */
  const giveUp = (phase: Phase, because: string): Stage =>
    ran === null ? end('FAILED', `${because}. Nothing was changed`) : { kind: 'askPeople', phase, because: [because] };

  function play(stage: Exclude<Stage, Ending>): Promise<Stage> {
    switch (stage.kind) {
      case 'detect':
        return detect();
      case 'propose':
        return propose(stage.detection);
      case 'validate':
        return validate(stage.proposed);
      case 'executionGate':
        return executionGate(stage.frozen);
      case 'execute':
        return execute(stage.frozen, stage.gateId);
      case 'verificationGate':
        return verificationGate(stage.ran);
      case 'verify':
        return verify(stage.ran);
      case 'askPeople':
        return askPeople(stage.phase, stage.because);
      default:
        return assertNever(stage);
    }
  }

  let stage: Stage = again;
  while (stage.kind !== 'end') {
    try {
      stage = await play(stage);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      stage = giveUp(current.view().phase, messageOf(error));
    }
  }
  return stage;
}

const messageOf = (error: ActivityFailure): string => error.cause?.message ?? error.message;

const toSampling = ({ workspaceId, incidentId, planVersion, before, stabilizationMs, sinceMs }: Ran): SamplingInput => ({
  workspaceId,
  incidentId,
  planVersion,
  before,
  stabilizationMs,
  sinceMs,
});
