import type { Detection, IncidentRef, SamplingInput, Validation } from '../contracts/activities.js';
import type { IncidentInput } from '../contracts/messages.js';
import type { Outcome, Phase } from '../domain/incident.js';
import type { GateOpening } from '../domain/gate.js';
import type { RollbackCause } from '../domain/grant.js';
import type { UpdateKind } from '../domain/incident.js';
import type { DraftPlan } from '../domain/plan.js';
import type { RootCause } from '../domain/root-cause.js';
import type { Signal } from '../domain/signal.js';
import type { Approval } from '../domain/updates.js';
import type { Case } from './case.js';

export interface Proposed {
  readonly detection: Detection;
  readonly rootCause: RootCause;
  readonly plan: DraftPlan;
}

export interface Frozen extends Omit<Extract<Validation, { kind: 'allowed' }>, 'kind'> {
  readonly detection: Detection;
}

/** A plan that ran, or may have, and what is needed to judge it. */
export interface Ran extends SamplingInput {
  readonly title: string;
  readonly digest: string;
  /** Whether any of it can still be taken back. */
  readonly hasWayBack: boolean;
  /** Whether taking it back leaves nothing changed. */
  readonly isFullyReversible: boolean;
  /** Nobody had to approve it, nor has to look before it is verified. */
  readonly goesUnseen: boolean;
  readonly anomalies: number;
  readonly after: readonly Signal[];
  readonly sampledMs: number;
}

/** Where the story stands. Each stage answers with the next one. */
export type Stage =
  | { readonly kind: 'detect' }
  | { readonly kind: 'propose'; readonly detection: Detection }
  | { readonly kind: 'validate'; readonly proposed: Proposed }
  | { readonly kind: 'drifted'; readonly because: string }
  | { readonly kind: 'executionGate'; readonly frozen: Frozen }
  | { readonly kind: 'execute'; readonly frozen: Frozen; readonly gateId: string; readonly approvals: readonly Approval[] }
  | { readonly kind: 'verificationGate'; readonly ran: Ran }
  | { readonly kind: 'verify'; readonly ran: Ran }
  | { readonly kind: 'rollBack'; readonly ran: Ran; readonly cause: RollbackCause; readonly askedBy: Approval | null }
  | { readonly kind: 'askPeople'; readonly phase: Phase; readonly because: readonly string[]; readonly updateKind: UpdateKind }
  | Ending;

export interface Ending {
  readonly kind: 'end';
  readonly outcome: Outcome;
  readonly summary: string;
}

/** What the stages share. */
export interface Story {
  readonly input: IncidentInput;
  readonly ref: IncidentRef;
  readonly current: Case;
  /** The last plan that may have changed something. Once there is one, nothing closes but by a verification or a person. */
  ran: Ran | null;
  /** Plans that ran. */
  rounds: number;
  /** Who let a plan run alone, in any round; another supervisor looks at what was done before it closes. */
  brokeGlass: readonly string[];
  /** The last plan that was taken back, wholly; what follows changed nothing, but something had been run. */
  tookBack: string | null;
}

/** Who may find good what ran: where one person let it run alone, another supervisor. */
export const toReviewers = (brokeGlass: readonly string[]): Pick<GateOpening, 'mode' | 'approvalsNeeded' | 'roleNeeded' | 'reviewNeeded' | 'excluded'> => ({
  mode: 'people',
  approvalsNeeded: 1,
  roleNeeded: brokeGlass.length === 0 ? 'responder' : 'supervisor',
  reviewNeeded: false,
  excluded: brokeGlass,
});

export const detectAgain: Stage = { kind: 'detect' };
export const end = (outcome: Outcome, summary: string): Ending => ({ kind: 'end', outcome, summary });
export const askPeople = (phase: Phase, ...because: readonly string[]): Stage => ({ kind: 'askPeople', phase, because, updateKind: 'step' });
/** Nobody can tell what happened, so a person says what is true. */
export const askToReconcile = (phase: Phase, ...because: readonly string[]): Stage => ({ kind: 'askPeople', phase, because, updateKind: 'reconcile' });

/** ` by ana (responder): "the reason"`; nothing where nobody is named. */
export const by = (person: Approval | null): string =>
  person === null ? '' : ` by ${person.person} (${person.role})${person.reason === null ? '' : `: "${person.reason}"`}`;

/** Ends where nothing is changed: nothing was run, or what was run was taken back. */
export const endUnchanged = ({ tookBack }: Story, outcome: Outcome, summary: string): Ending =>
  tookBack === null ? end(outcome, `${summary}. ${outcome === 'FAILED' ? 'Nothing was changed' : 'Nothing was run'}`) : end('ROLLED_BACK', `${tookBack} was taken back. ${summary}`);

/** It cannot go on: closed where nothing has changed, else a person is asked. */
export const giveUp = (story: Story, phase: Phase, because: string): Stage =>
  story.ran === null ? endUnchanged(story, 'FAILED', because) : askPeople(phase, because);
