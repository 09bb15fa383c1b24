import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from './button.js';
import type { Gate, Me, Verdict } from './shapes.js';
import { newDecisionId, type Decision } from './use-decision.js';
import { isAtLeast } from './words.js';

interface Choice {
  readonly verdict: Verdict;
  readonly label: string;
  readonly look: 'primary' | 'plain' | 'danger';
  readonly means: string;
  readonly needsReason?: true;
}

const approve: Choice = { verdict: 'approve', label: 'Approve', look: 'primary', means: 'runs exactly this, once.' };
const review: Choice = { verdict: 'review', label: 'Reviewed', look: 'primary', means: 'says that you looked at it, so that it can be approved. Needs a reason.', needsReason: true };
const breakGlass: Choice = {
  verdict: 'breakGlass',
  label: 'Break the glass',
  look: 'danger',
  means: 'runs it on your word alone; everyone is told, and somebody else looks at it afterwards. Needs a reason.',
  needsReason: true,
};
const rollBack: Choice = { verdict: 'rollBack', label: 'Take it back', look: 'plain', means: 'puts back what was changed. Needs a reason.', needsReason: true };

/** What can be answered at a gate. One of a closed incident is about a rollback that did not succeed. */
function listChoices({ kind, mode, offersRollback, approvalsNeeded, roleNeeded, reviewNeeded, reviews, excluded }: Gate, isClosed: boolean, me: Me | undefined): readonly Choice[] {
  switch (kind) {
    case 'execution':
      return [
        ...(mode === 'nobody' ? [] : [reviewNeeded && reviews.length === 0 ? review : approve]),
        // Offered where this person's approval is not enough, and to whom it is open.
        ...(mode !== 'nobody' && me !== undefined && isAtLeast(me.role, 'supervisor') && (approvalsNeeded > 1 || reviewNeeded || excluded.includes(me.person) || !isAtLeast(me.role, roleNeeded)) ? [breakGlass] : []),
        { verdict: 'requestChanges', label: 'Request changes', look: 'plain', means: 'nothing runs; another plan is proposed.' },
        { verdict: 'reject', label: 'Reject', look: 'danger', means: 'nothing runs; the incident is closed.' },
      ];
    case 'verification':
      return [
        { verdict: 'approve', label: 'Looks good', look: 'primary', means: 'goes on to verification.' },
        { verdict: 'requestChanges', label: 'Request changes', look: 'plain', means: 'another plan is proposed.' },
        offersRollback
          ? { verdict: 'reject', label: 'Not good, take it back', look: 'danger', means: 'the fix is taken back at once.' }
          : { verdict: 'reject', label: 'Not good', look: 'danger', means: 'a person is asked, because this fix has no way back.' },
      ];
    case 'needsHuman':
      if (isClosed) {
        return [
          ...(offersRollback ? [rollBack] : []),
          { verdict: 'reject', label: 'Leave it as it is', look: 'danger', means: 'nothing more is put back; you have it. Needs a reason.', needsReason: true },
        ];
      }
      return [
        { verdict: 'approve', label: 'Measure again', look: 'primary', means: 'goes on if the signals are well.' },
        { verdict: 'requestChanges', label: 'Propose again', look: 'plain', means: 'another plan is proposed.' },
        ...(offersRollback ? [rollBack] : []),
        { verdict: 'reject', label: 'Close, handed over', look: 'danger', means: 'Sluice stops; you have it. Needs a reason.', needsReason: true },
      ];
  }
}

// A click meant for what was here a moment ago must not answer a gate that nobody has read.
const ARM_MS = 700;

/** The answers that a person can give at a gate, and what each needs first. */
export function GateAnswers({
  gate,
  isClosed,
  me,
  decision,
  obstacleTo,
}: {
  readonly gate: Gate;
  readonly isClosed: boolean;
  readonly me: Me | undefined;
  readonly decision: Decision;
  readonly obstacleTo: (verdict: Verdict) => string | null;
}) {
  const [reason, setReason] = useState('');
  const [isReasonMissing, setIsReasonMissing] = useState(false);
  const [typed, setTyped] = useState('');
  const [isArmed, setIsArmed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsArmed(true), ARM_MS);
    return () => clearTimeout(timer);
  }, []);
  const field = useRef<HTMLTextAreaElement>(null);
  const given = reason.trim();
  const choices = listChoices(gate, isClosed, me);
  const isUnconfirmed = gate.confirmation !== null && withoutExtraSpace(typed) !== withoutExtraSpace(gate.confirmation);
  const findAnyObstacle = (verdict: Verdict): string | null =>
    obstacleTo(verdict) ?? (letsRun(verdict) && isUnconfirmed ? 'Type the title of the plan first.' : null);
  const answer = ({ verdict, needsReason }: Choice): void => {
    const isMissing = needsReason === true && given === '';
    setIsReasonMissing(isMissing);
    if (isMissing) return field.current?.focus();
    decision.mutate({
      decisionId: newDecisionId(),
      gateId: gate.id,
      digest: gate.digest,
      verdict,
      ...(given === '' ? {} : { reason: given }),
      ...(letsRun(verdict) && gate.confirmation !== null ? { confirmation: typed } : {}),
    });
  };
  return (
    <div className="flex flex-col gap-3">
      <div>
        <label htmlFor="gate-reason" className="font-semibold">
          Reason
        </label>
        <textarea
          ref={field}
          id="gate-reason"
          className="field mt-1"
          rows={2}
          maxLength={2_000}
          aria-describedby="gate-reason-help"
          aria-invalid={isReasonMissing}
          value={reason}
          onChange={(event) => {
            setReason(event.target.value);
            setIsReasonMissing(false);
          }}
        />
        <p id="gate-reason-help" className={`text-sm ${isReasonMissing ? 'font-semibold text-bad' : 'text-muted'}`}>
          {isReasonMissing ? 'Write a reason first: whoever reads the record needs it.' : 'Kept in the record, with your name.'}
        </p>
      </div>
      {gate.confirmation !== null && gate.mode !== 'nobody' && (
        <div>
          <label htmlFor="gate-confirmation" className="font-semibold">
            To approve, type “{gate.confirmation}”
          </label>
          <input
            id="gate-confirmation"
            className="field mt-1"
            autoComplete="off"
            maxLength={1_000}
            aria-describedby="gate-confirmation-help"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <p id="gate-confirmation-help" className="text-sm text-muted">
            The risk of this plan is high.
          </p>
        </div>
      )}
      <div className="flex flex-col gap-2 sm:flex-row sm:flex-wrap">
        {choices.map((choice) => (
          <Button
            key={choice.verdict}
            look={choice.look}
            disabled={!isArmed || decision.isPending || findAnyObstacle(choice.verdict) !== null}
            aria-describedby={`means-${choice.verdict}`}
            onClick={() => answer(choice)}
          >
            {choice.label}
          </Button>
        ))}
      </div>
      <ul className="text-sm text-muted">
        {choices.map(({ verdict, label, means }) => (
          <Meaning key={verdict} id={`means-${verdict}`} label={label}>
            {findAnyObstacle(verdict) ?? means}
          </Meaning>
        ))}
      </ul>
    </div>
  );
}

const letsRun = (verdict: Verdict): boolean => verdict === 'approve' || verdict === 'breakGlass';
const withoutExtraSpace = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

function Meaning({ id, label, children }: { readonly id: string; readonly label: string; readonly children: ReactNode }) {
  return (
    <li>
      <span className="font-semibold">{label}</span>: <span id={id}>{children}</span>
    </li>
  );
}
