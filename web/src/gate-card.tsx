import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from './button.js';
import { Age, formatMoment } from './clock.js';
import { PlanDetails } from './plan-details.js';
import type { Gate, IncidentDetail, IncidentUpdate, Me, Verdict } from './shapes.js';
import { SignalsTable } from './signals-table.js';
import { newDecisionId, type Decision } from './use-decision.js';
import { count, isAtLeast, withArticle } from './words.js';

interface Choice {
  readonly verdict: Verdict;
  readonly label: string;
  readonly look: 'primary' | 'plain' | 'danger';
  readonly means: string;
  readonly needsReason?: true;
}

const heading: Record<Gate['kind'], string> = {
  execution: 'Shall this run?',
  verification: 'Does it look good?',
  needsHuman: 'A person is needed',
};

const choices: Record<Gate['kind'], readonly Choice[]> = {
  execution: [
    { verdict: 'approve', label: 'Approve', look: 'primary', means: 'runs exactly this, once.' },
    { verdict: 'requestChanges', label: 'Request changes', look: 'plain', means: 'nothing runs; another plan is proposed.' },
    { verdict: 'reject', label: 'Reject', look: 'danger', means: 'nothing runs; the incident is closed.' },
  ],
  verification: [
    { verdict: 'approve', label: 'Looks good', look: 'primary', means: 'goes on to verification.' },
    { verdict: 'requestChanges', label: 'Request changes', look: 'plain', means: 'another plan is proposed.' },
    { verdict: 'reject', label: 'Not good', look: 'danger', means: 'a person is asked, because this fix has no way back.' },
  ],
  needsHuman: [
    { verdict: 'approve', label: 'Measure again', look: 'primary', means: 'goes on if the signals are well.' },
    { verdict: 'requestChanges', label: 'Propose again', look: 'plain', means: 'another plan is proposed.' },
    {
      verdict: 'reject',
      label: 'Close, handed over',
      look: 'danger',
      means: 'Sluice stops; you have it. Needs a reason.',
      needsReason: true,
    },
  ],
};

// A click meant for what was here a moment ago must not answer a gate that nobody has read.
const ARM_MS = 700;

interface GateCardProps {
  readonly gate: Gate;
  readonly incident: IncidentDetail;
  /** The update that opened the gate, once the tail has told it. */
  readonly opening: IncidentUpdate | undefined;
  readonly me: Me | undefined;
  readonly decision: Decision;
}

/** One open gate: what is asked, of whom, until when, and the answers. */
export function GateCard({ gate, incident, opening, me, decision }: GateCardProps) {
  const { plan, before, now, measuredAt } = incident;
  const isOtherPlan = gate.kind === 'execution' && plan?.digest !== gate.digest;
  return (
    <section aria-label="Gate" className="card flex flex-col gap-4 border-t-4 border-t-warn">
      <div>
        <h2 className="text-xl font-semibold">{heading[gate.kind]}</h2>
        <WaitingFor gate={gate} />
      </div>
      {gate.kind === 'needsHuman' && opening !== undefined && <p className="whitespace-pre-line">{opening.text}</p>}
      {gate.kind === 'execution' && plan !== null && !isOtherPlan && <PlanDetails plan={plan} />}
      <SignalsTable before={before} now={now} measuredAt={measuredAt} />
      <Answers
        gate={gate}
        decision={decision}
        obstacleTo={(verdict) => (isOtherPlan ? 'The plan that this gate asks for is being read.' : findObstacle(gate, me, verdict))}
      />
    </section>
  );
}

function WaitingFor({ gate }: { readonly gate: Gate }) {
  return (
    <div className="text-muted">
      <p>
        Waits for {count(gate.approvalsNeeded, gate.roleNeeded)}
        {gate.expiresAt === null ? (
          ', and does not expire.'
        ) : (
          <>
            {' '}
            until {formatMoment(gate.expiresAt)} (<Age at={gate.expiresAt} />
            ). Then it closes and nothing runs.
          </>
        )}
      </p>
      {gate.approvals.length > 0 && (
        <p>
          {gate.approvals.length} of {gate.approvalsNeeded} approvals:{' '}
          {gate.approvals.map(({ person, role, reason }) => `${person} (${role})${reason === null ? '' : `: “${reason}”`}`).join(', ')}
        </p>
      )}
    </div>
  );
}

/** Why this person cannot give this answer, in words; null when nothing stands in the way. */
function findObstacle(gate: Gate, me: Me | undefined, verdict: Verdict): string | null {
  if (me === undefined) return 'Reading who you are.';
  const needed = verdict === 'approve' ? gate.roleNeeded : 'responder';
  if (!isAtLeast(me.role, needed)) return `It needs ${withArticle(needed)}, and you are ${withArticle(me.role)}.`;
  if (verdict === 'approve' && gate.approvals.some(({ person }) => person === me.person)) return 'You have approved; another person is needed.';
  return null;
}

function Answers({
  gate,
  decision,
  obstacleTo,
}: {
  readonly gate: Gate;
  readonly decision: Decision;
  readonly obstacleTo: (verdict: Verdict) => string | null;
}) {
  const [reason, setReason] = useState('');
  const [isReasonMissing, setIsReasonMissing] = useState(false);
  const [isArmed, setIsArmed] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsArmed(true), ARM_MS);
    return () => clearTimeout(timer);
  }, []);
  const field = useRef<HTMLTextAreaElement>(null);
  const given = reason.trim();
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
      <div className="flex flex-col gap-2 sm:flex-row sm:flex-wrap">
        {choices[gate.kind].map((choice) => (
          <Button
            key={choice.verdict}
            look={choice.look}
            disabled={!isArmed || decision.isPending || obstacleTo(choice.verdict) !== null}
            aria-describedby={`means-${choice.verdict}`}
            onClick={() => answer(choice)}
          >
            {choice.label}
          </Button>
        ))}
      </div>
      <ul className="text-sm text-muted">
        {choices[gate.kind].map(({ verdict, label, means }) => (
          <Meaning key={verdict} id={`means-${verdict}`} label={label}>
            {obstacleTo(verdict) ?? means}
          </Meaning>
        ))}
      </ul>
    </div>
  );
}

function Meaning({ id, label, children }: { readonly id: string; readonly label: string; readonly children: ReactNode }) {
  return (
    <li>
      <span className="font-semibold">{label}</span>: <span id={id}>{children}</span>
    </li>
  );
}
