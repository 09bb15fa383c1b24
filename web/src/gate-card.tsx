import { Age, formatMoment } from './clock.js';
import { GateAnswers } from './gate-answers.js';
import { PlanDetails } from './plan-details.js';
import type { Gate, IncidentDetail, IncidentUpdate, Me, Verdict } from './shapes.js';
import { SignalsTable } from './signals-table.js';
import type { Decision } from './use-decision.js';
import { count, isAtLeast, withArticle } from './words.js';

const heading: Record<Gate['kind'], string> = {
  execution: 'Shall this run?',
  verification: 'Does it look good?',
  needsHuman: 'A person is needed',
};

const modeWords: Record<Gate['mode'], string> = {
  people: 'Waits for',
  policy: 'The policy lets it run by itself; else it waits for',
  nobody: 'Observe mode: nothing is run. It would wait for',
};

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
        <h2 className="text-xl font-semibold">{gate.mode === 'nobody' ? 'This would run' : heading[gate.kind]}</h2>
        <WaitingFor gate={gate} />
      </div>
      {gate.kind === 'needsHuman' && opening !== undefined && <p className="whitespace-pre-line">{opening.text}</p>}
      {gate.kind === 'execution' && plan !== null && !isOtherPlan && <PlanDetails plan={plan} />}
      <SignalsTable before={before} now={now} measuredAt={measuredAt} />
      <GateAnswers
        gate={gate}
        isClosed={incident.outcome !== null}
        me={me}
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
        {modeWords[gate.mode]} {count(gate.approvalsNeeded, gate.roleNeeded)}
        {gate.excluded.length > 0 && `, not ${gate.excluded.join(', ')}`}
        {gate.reviewNeeded && ", after a supervisor's review"}
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
      {gate.reviews.map(({ person, role, reason }) => (
        <p key={person}>
          Reviewed by {person} ({role}): “{reason}”
        </p>
      ))}
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
  const role = ({ approve: gate.roleNeeded, breakGlass: 'supervisor', review: 'supervisor', rollBack: 'supervisor', reject: 'responder', requestChanges: 'responder' } as const)[verdict];
  if (!isAtLeast(me.role, role)) return `It needs ${withArticle(role)}, and you are ${withArticle(me.role)}.`;
  if ((verdict === 'approve' || verdict === 'review') && gate.excluded.includes(me.person)) {
    return gate.kind === 'execution' ? 'You wrote it; another person is needed.' : 'You let it run alone; another person is needed.';
  }
  if (verdict === 'approve' && gate.approvals.some(({ person }) => person === me.person)) return 'You have approved; another person is needed.';
  return null;
}
