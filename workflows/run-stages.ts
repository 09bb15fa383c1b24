import { ActivityFailure, condition, uuid4 } from '@temporalio/workflow';
import type { Claim, Execution, SamplingInput } from '../contracts/activities.js';
import { assertNever } from '../domain/assert-never.js';
import { claimRefusals, isOvertaken } from '../domain/grant.js';
import { formatDuration } from '../domain/duration.js';
import type { Signal } from '../domain/signal.js';
import { toReversibility } from '../domain/plan.js';
import { isOfTarget } from '../domain/signal.js';
import { formatDigest, notRun, runsUnasked, summarize, verificationGateOpened, waitsForTarget } from '../domain/updates.js';
import { change, record, watch } from './activity-proxies.js';
import { awaitGate } from './await-gate.js';
import { besides } from './besides.js';
import { say } from './desk.js';
import { rollBack } from './roll-back.js';
import type { Ran, Stage, Story } from './stage.js';
import { askPeople, askToReconcile, by, detectAgain, end, endUnchanged, giveUp, toReviewers } from './stage.js';
import type { Work } from './until-cancelled.js';
import { untilCancelled } from './until-cancelled.js';
import { explain, isTimeout } from './failures.js';

const FIRST_WAIT_MS = 2_000;
// 2 s, 4 s, and so on: about eight minutes in all.
const MAX_WAITS = 8;
const isBusy = (claim: Claim): boolean => claim.kind === 'refused' && claim.because === 'targetBusy';

/** Runs the approved plan, once. Whatever may have changed something is noted before anything else is decided. */
export async function execute(story: Story, { frozen: { detection, plan, digest }, gateId, approvals }: Extract<Stage, { kind: 'execute' }>): Promise<Stage> {
  const { ref, current } = story;
  const { stabilizationMs } = story.input.policy;
  const before = detection.anomalies.map(({ signal }) => signal).filter(isOfTarget);
  let goesUnseen = false;
  const toRan = (sinceMs: number, after: readonly Signal[], sampledMs: number, succeeded: boolean): Ran => ({
    ...ref,
    planVersion: plan.version,
    before,
    measurementId: detection.measurementId,
    stabilizationMs,
    sinceMs,
    succeeded,
    approvals: [],
    title: plan.title,
    digest,
    ...toReversibility(plan),
    goesUnseen,
    anomalies: detection.anomalies.length,
    after,
    sampledMs,
  });
  const mayHaveChanged = (...because: readonly string[]): Stage => {
    story.ran = toRan(Date.now(), [], 0, false);
    return askPeople('EXECUTION', ...because);
  };
  const unknown = (because: string): Stage => {
    story.ran = toRan(Date.now(), [], 0, false);
    return askToReconcile('EXECUTION', because, 'Look at the target, then measure again, take it back, or propose again: what runs next needs a new approval');
  };
  const calledOff = (person: string): Stage => (story.ran === null ? endUnchanged(story, 'CANCELLED', `Cancelled${person}`) : askPeople('EXECUTION', `Cancelled${person}, nothing more was run`));

  current.set({ phase: 'EXECUTION', status: 'IN_PROGRESS', gate: null });
  current.next('none, the approved plan is running');
  let claimId = uuid4();
  let claim = await record.claimExecution({ ...ref, gateId, digest, claimId });
  for (let waits = 0; isBusy(claim) && waits < MAX_WAITS && current.desk.inbox.every(({ kind }) => kind === 'decision'); waits += 1) {
    if (waits === 0) await say(current.desk, waitsForTarget(plan.title));
    // Another's change takes seconds, or a person; what was approved stays good meanwhile.
    await condition(() => !current.desk.inbox.every(({ kind }) => kind === 'decision'), FIRST_WAIT_MS * 2 ** waits, { summary: 'another incident is changing the target' });
    claimId = uuid4();
    claim = await record.claimExecution({ ...ref, gateId, digest, claimId });
  }
  if (claim.kind === 'refused') {
    const words = `${plan.title} was refused: ${claimRefusals[claim.because]} (${claim.because})`;
    if (claim.because === 'alreadyUsed') return mayHaveChanged(words, 'See in the job tail and on the target what became of it');
    if (!isOvertaken(claim.because)) return askPeople('EXECUTION', words, 'Nothing was run. Propose again, or close');
    await say(current.desk, notRun(approvals, words));
    return { kind: 'drifted', because: words };
  }
  goesUnseen = claim.skipVerificationGate && approvals.every(({ role }) => role === 'system');
  story.brokeGlass = [...new Set([...story.brokeGlass, ...approvals.flatMap(({ person, brokeGlass }) => (brokeGlass === true ? [person] : []))])];
  const unasked = approvals.find(({ role, brokeGlass }) => role === 'system' || brokeGlass === true);
  if (unasked !== undefined) {
    const { groups } = story.input.policy;
    await say(current.desk, runsUnasked(plan.title, unasked), unasked.brokeGlass === true ? { kind: 'brokenGlass', groups, gateId: null } : { kind: 'ranByPolicy', groups: groups.slice(-1), gateId: null });
  }
  let work: Work<Execution>;
  try {
    work = await untilCancelled(current.desk, () =>
      change.executeRemediation.executeWithOptions({ summary: `Run ${plan.title}, digest ${formatDigest(digest)}`.slice(0, 120) }, [
        { ...ref, gateId, claimId, digest, before, measurementId: detection.measurementId, stabilizationMs },
      ]),
    );
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const settled = await record.settleExecution({ ...ref, digest });
    if (settled.mayHaveChanged) return unknown(`UNKNOWN: nobody can tell whether ${plan.title} had its effect (${explain(error)})`);
    return isTimeout(error) ? askPeople('EXECUTION', `${plan.title} could not be started: ${explain(error)}`, 'Nothing was run') : giveUp(story, 'EXECUTION', explain(error));
  }
  const cancelled = work.cancelled === null ? null : by(work.cancelled.by);
  if (work.kind === 'cancelled') {
    const settled = await record.settleExecution({ ...ref, digest });
    return settled.mayHaveChanged ? mayHaveChanged(`Cancelled${cancelled ?? ''} while it ran`) : calledOff(cancelled ?? '');
  }
  const execution = work.result;
  switch (execution.kind) {
    case 'recovered':
      return story.ran === null ? endUnchanged(story, 'RECOVERED', 'Healthy again before it ran') : detectAgain;
    case 'drifted':
      if (cancelled !== null) return calledOff(cancelled);
      await say(current.desk, notRun(approvals, `${plan.title} does not fit any more: ${execution.because}`));
      return { kind: 'drifted', because: execution.because };
    case 'refused':
      return askPeople('EXECUTION', `${plan.title} was refused: ${execution.because}`, 'Nothing was run. Propose again, or close');
    case 'stopped':
      return execution.changed ? mayHaveChanged(`Cancelled${cancelled ?? ''} while it ran`) : calledOff(cancelled ?? '');
    case 'failed':
      return execution.changed
        ? mayHaveChanged(`${plan.title} failed: ${execution.because}`, ...(cancelled === null ? [] : [`Cancelled${cancelled}`]))
        : giveUp(story, 'EXECUTION', execution.because);
    case 'executed':
      story.rounds += 1;
      story.ran = toRan(execution.endedAtMs, execution.after, execution.sampledMs, true);
      current.set({ round: story.rounds });
      current.tell(execution.update);
      return cancelled === null ? { kind: 'verificationGate', ran: story.ran } : askPeople('EXECUTION', `Cancelled${cancelled}, after it had run`);
    default:
      return assertNever(execution);
  }
}

/** Waits for a person who looks at the outcome, while the signals are sampled. Nothing expires here: something has changed. */
export async function verificationGate(story: Story, ran: Ran): Promise<Stage> {
  const { input: { policy }, current } = story;
  if (ran.goesUnseen) return { kind: 'verify', ran };
  const gateId = uuid4();
  const { before, after, sampledMs } = ran;
  const update = verificationGateOpened({ gateId, before, after, sampledMs });
  current.set({ gate: { gateId, kind: 'verification' } });
  current.next(`look at the execution log and the signals, then say whether it is good${ran.hasWayBack ? '; to reject it takes it back' : ''}`);
  current.tell(update);
  const answer = await besides(
    () => watch.sampleSignals.executeWithOptions({ summary: 'Sample the signals while people look' }, [toSampling(ran)]),
    () =>
      awaitGate(current.desk, {
        gate: { gateId, kind: 'verification', digest: ran.digest, planVersion: ran.planVersion, offersRollback: ran.hasWayBack, ...toReviewers(story.brokeGlass), expiresAt: null },
        update,
        severity: null,
        policy,
        needsHumanAfterMs: policy.verificationEscalateMs,
        expiresInMs: null,
        isRecovered: null,
      }),
  );
  if (answer.kind === 'approved') {
    // Nobody who broke the glass could be the one.
    story.brokeGlass = [];
    return { kind: 'verify', ran: { ...ran, approvals: answer.approvals } };
  }
  if (answer.kind === 'changesRequested') return detectAgain;
  if ((answer.kind === 'rejected' || answer.kind === 'rollbackRequested') && ran.hasWayBack && answer.decisionId !== null) {
    return { kind: 'rollBack', ran, cause: { kind: 'decision', decisionId: answer.decisionId }, askedBy: answer.by };
  }
  const person = 'by' in answer ? by(answer.by) : '';
  return askPeople('VERIFICATION_GATE', `${answer.kind === 'rejected' ? 'Found not good' : 'Cancelled'}${person}`, ...(ran.hasWayBack ? [] : [`${ran.title} has no way back`]));
}

/** Measures the same signals again until they have been well for the whole window, or have not. */
export async function verify(story: Story, ran: Ran): Promise<Stage> {
  const { current } = story;
  const { maxRounds, onFailedVerification } = story.input.policy;
  current.set({ phase: 'VERIFICATION', status: 'IN_PROGRESS', gate: null });
  current.next('none, the signals must stay well');
  const work = await untilCancelled(current.desk, () =>
    watch.verifyRemediation.executeWithOptions({ summary: `Well for ${formatDuration(ran.stabilizationMs)}?` }, [toSampling(ran)]),
  );
  if (work.kind === 'cancelled') return askPeople('VERIFICATION', `Cancelled${by(work.cancelled.by)} during verification`);
  const verification = work.result;
  current.tell(verification.update);
  if (verification.kind === 'well') return end('RESOLVED', summarize(ran.anomalies, ran.title, ran.succeeded, verification.improvementPercent));
  if (work.cancelled !== null) return askPeople('VERIFICATION', `Cancelled${by(work.cancelled.by)} during verification`);
  if (ran.hasWayBack && onFailedVerification === 'rollBack') return { kind: 'rollBack', ran, cause: { kind: 'policy' }, askedBy: null };
  if (ran.hasWayBack) return askPeople('VERIFICATION', `${ran.title} did not help`, 'Take it back, propose again, or measure again');
  return story.rounds >= maxRounds ? askPeople('VERIFICATION', notHelped(story)) : detectAgain;
}

const notHelped = ({ rounds }: Story): string => `${rounds} ${rounds === 1 ? 'round' : 'rounds'} did not help`;

/** Takes back what was run. What does not go back is for a person, by name. */
export async function takeBack(story: Story, { ran, cause, askedBy }: Extract<Stage, { kind: 'rollBack' }>): Promise<Stage> {
  const { ref, current, input } = story;
  current.set({ phase: 'EXECUTION', status: 'IN_PROGRESS', gate: null });
  current.next('none, the plan is being taken back');
  const result = await rollBack({ ref, digest: ran.digest, title: ran.title, cause, askedBy, policy: input.policy });
  if (result.kind === 'notRolledBack') {
    // Some of it may be gone: what becomes well now is not its credit.
    story.ran = { ...ran, succeeded: false };
    return askPeople('EXECUTION', ...result.because);
  }
  current.tell(result.update);
  story.ran = ran.isFullyReversible ? null : { ...ran, hasWayBack: false };
  story.tookBack = ran.title;
  if (cause.kind === 'decision') return end('ROLLED_BACK', `${ran.title} was taken back${by(askedBy)}`);
  return story.rounds >= input.policy.maxRounds ? askPeople('VERIFICATION', notHelped(story), `${ran.title} was taken back`) : detectAgain;
}

const toSampling = ({ workspaceId, incidentId, planVersion, before, measurementId, stabilizationMs, sinceMs, succeeded, approvals }: Ran): SamplingInput => ({
  workspaceId,
  incidentId,
  planVersion,
  before,
  measurementId,
  stabilizationMs,
  sinceMs,
  succeeded,
  approvals,
});
