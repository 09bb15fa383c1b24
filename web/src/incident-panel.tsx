import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode, type Ref } from 'react';
import { api, describeTrouble, isPassing, take } from './api.js';
import { Badge } from './badge.js';
import { CancelIncident } from './cancel-incident.js';
import { Age } from './clock.js';
import { DecisionNotice } from './decision-notice.js';
import { GateCard } from './gate-card.js';
import { JobTail } from './job-tail.js';
import { Notice } from './notice.js';
import { PhaseList } from './phase-list.js';
import { PlanDetails } from './plan-details.js';
import { RollBackIncident } from './roll-back-incident.js';
import { RootCauseSection } from './root-cause-section.js';
import type { Gate, IncidentDetail, IncidentUpdate } from './shapes.js';
import { SignalsTable } from './signals-table.js';
import { StaleNotice } from './stale-notice.js';
import { useDecision } from './use-decision.js';
import { useMe } from './use-me.js';
import { useTail } from './use-tail.js';
import { count, describeState, gateStateWords, isRollingBack, outcomeSentence, outcomeTone, outcomeWords, severityTone, triggerWords } from './words.js';

const POLL_MS = 3_000;

/** One incident: where it stands, what it waits for, and what happens. */
export function IncidentPanel({ incidentId }: { readonly incidentId: string }) {
  const queryClient = useQueryClient();
  const { data: incident, error, dataUpdatedAt } = useQuery({
    queryKey: ['incident', incidentId],
    queryFn: () => take(api.GET('/api/incidents/{incidentId}', { params: { path: { incidentId } } })),
    refetchInterval: ({ state: { data } }) => (data === undefined || mayChange(data) ? POLL_MS : false),
  });
  const tail = useTail(incidentId, incident?.updatedAt, () => void queryClient.invalidateQueries({ queryKey: ['incident', incidentId] }));
  const me = useMe();
  const decision = useDecision(incidentId);
  const gate = incident?.gate?.state === 'open' ? incident.gate : null;
  const heading = useRef<HTMLHeadingElement>(null);
  const hasSettled = decision.isSuccess && gate === null;
  useEffect(() => {
    // The card that had the focus is gone; what happens next is at the top.
    if (hasSettled) heading.current?.focus();
  }, [hasSettled]);
  if (incident === undefined) {
    return error === null ? <p className="text-muted">Reading the incident…</p> : <NotRead error={error} />;
  }
  const updates = tail.entries.flatMap((entry) => (entry.event === 'update' ? [entry.data] : []));
  // A new gate is not answered by what was said to the one before it; a refusal still explains itself.
  const isAnswered = gate !== null && decision.isSuccess && decision.variables.gateId !== gate.id;
  return (
    <div className="flex flex-col gap-4">
      <title>{`${gate === null ? '' : '⏸ '}${incident.title} · Sluice`}</title>
      <IncidentHeader incident={incident} heading={heading} />
      <PhaseList phase={incident.phase} updates={updates} isWhole={tail.state.kind === 'ended'} />
      {error !== null && <StaleNotice error={error} readAt={dataUpdatedAt} />}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)] lg:grid-rows-[auto_1fr]">
        <div className="flex flex-col gap-4">
          {incident.outcome !== null && <OutcomeBanner outcome={incident.outcome} updates={updates} />}
          {isRollingBack(incident) && gate === null && <Notice tone="warn">It is being taken back.</Notice>}
          {incident.outcome !== null && !isRollingBack(incident) && incident.canRollBackUntil !== null && (
            <RollBackIncident incidentId={incidentId} until={incident.canRollBackUntil} me={me} onSent={() => heading.current?.focus()} />
          )}
          {gate !== null && (
            <GateCard
              key={gate.id}
              gate={gate}
              incident={incident}
              opening={updates.find(({ id }) => id === gate.updateId)}
              me={me}
              decision={decision}
            />
          )}
          {!isAnswered && <DecisionNotice decision={decision} />}
        </div>
        <div className="h-[28rem] lg:sticky lg:top-4 lg:col-start-2 lg:row-span-2 lg:row-start-1 lg:h-[max(26rem,calc(100dvh-18rem))]">
          <JobTail tail={tail} />
        </div>
        <div className="flex flex-col gap-4 lg:col-start-1">
          {gate === null && (
            <Section title="Signals">
              <SignalsTable before={incident.before} now={incident.now} measuredAt={incident.measuredAt} />
            </Section>
          )}
          {incident.rootCause !== null && <RootCauseSection cause={incident.rootCause} />}
          {incident.plan !== null && gate?.kind !== 'execution' && (
            <Section title="Plan">
              {incident.gate !== null && gate === null && <SettledGate gate={incident.gate} />}
              <PlanDetails plan={incident.plan} />
            </Section>
          )}
          {incident.outcome === null && <CancelIncident incidentId={incidentId} me={me} />}
        </div>
      </div>
    </div>
  );
}

/** Whether the incident can become another one without this page: it goes on, or somebody can take it back. */
const mayChange = (incident: IncidentDetail): boolean => incident.outcome === null || isRollingBack(incident) || incident.canRollBackUntil !== null;

function IncidentHeader({ incident, heading }: { readonly incident: IncidentDetail; readonly heading: Ref<HTMLHeadingElement> }) {
  const { severity, score, temporalUrl } = incident;
  return (
    <div>
      <Link to="/" className="inline-flex min-h-11 items-center text-accent underline">
        All incidents
      </Link>
      <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold">
        <bdi>{incident.title}</bdi>
      </h1>
      <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1">
        {severity !== null && (
          <Badge tone={severityTone[severity]}>
            {severity}
            {score !== null && ` ${score}/10`}
          </Badge>
        )}
        <strong className="font-semibold">{describeState(incident)}</strong>
        <span className="text-muted">
          {triggerWords[incident.trigger]}
          {incident.alerts > 1 && `, ${count(incident.alerts, 'alert')}`}, opened <Age at={incident.openedAt} />
        </span>
        {temporalUrl !== null && /^https?:\/\//.test(temporalUrl) && (
          <a href={temporalUrl} target="_blank" rel="noreferrer" className="inline-flex min-h-11 items-center text-accent underline">
            Open in Temporal
          </a>
        )}
      </p>
    </div>
  );
}

function OutcomeBanner({
  outcome,
  updates,
}: {
  readonly outcome: NonNullable<IncidentDetail['outcome']>;
  readonly updates: readonly IncidentUpdate[];
}) {
  const told = updates.findLast(({ details }) => details?.outcome === outcome)?.text;
  return (
    <Notice tone={outcomeTone[outcome]}>
      <p className="text-lg font-semibold">{outcomeWords[outcome]}</p>
      <p>{told?.replace(`${outcome}. `, '') ?? outcomeSentence[outcome]}</p>
    </Notice>
  );
}

function SettledGate({ gate }: { readonly gate: Gate }) {
  const { settledBy } = gate;
  return (
    <p className="mb-3">
      {gate.kind === 'verification' ? 'Verification gate' : gate.kind === 'execution' ? 'Execution gate' : 'Gate'} {gateStateWords[gate.state]}
      {settledBy !== null && (
        <>
          {' '}
          by {settledBy.person} ({settledBy.role}) <Age at={settledBy.at} />
          {settledBy.reason !== null && `: “${settledBy.reason}”`}
        </>
      )}
    </p>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const id = `section-${title.toLowerCase()}`;
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id} className="mb-3 text-lg font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}

function NotRead({ error }: { readonly error: Error }) {
  return (
    <Notice tone="bad">
      <p>
        {describeTrouble(error)} {isPassing(error) && 'Trying again.'}
      </p>
      <Link to="/" className="inline-flex min-h-11 items-center text-accent underline">
        All incidents
      </Link>
    </Notice>
  );
}
