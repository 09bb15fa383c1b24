import type { ReactNode } from 'react';
import { Badge } from './badge.js';
import { Digest } from './digest.js';
import { toPlainText } from './plain-text.js';
import { Rehearsal } from './rehearsal.js';
import type { Plan, Step } from './shapes.js';
import { count, formatDuration, severityTone } from './words.js';

/** Everything that a person approves: what would run, on what, how sure we are, and whether there is a way back. */
export function PlanDetails({ plan }: { readonly plan: Plan }) {
  return (
    <div className="flex flex-col gap-4">
      <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-1">
        <Term name="Proposed">
          <strong className="font-semibold">{plan.title}</strong>, {count(plan.steps.length, 'step')}, version {plan.version}
        </Term>
        <Term name="Risk">
          <Badge tone={severityTone[plan.risk]}>{plan.risk}</Badge>
        </Term>
        <Term name="Way back">
          <PlanWayBack steps={plan.steps} />
        </Term>
        <Term name="Takes about">{formatDuration(plan.estimatedDurationMs)}</Term>
        <Term name="Confidence">
          <ConfidenceFactors confidence={plan.confidence} />
        </Term>
        <Term name="Digest">
          <Digest digest={plan.digest} />
        </Term>
      </dl>
      <ol className="flex flex-col gap-4" aria-label="Steps">
        {plan.steps.map((step, index) => (
          <li key={step.stepId}>
            <StepDetails
              step={step}
              title={`Step ${index + 1} of ${plan.steps.length}`}
              rehearsal={plan.rehearsal.find(({ stepId }) => stepId === step.stepId)?.lines ?? []}
            />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Term({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}

function PlanWayBack({ steps }: { readonly steps: readonly Step[] }) {
  const oneWay = steps.filter(({ wayBack }) => wayBack.kind === 'oneWay');
  if (oneWay.length === 0) return <strong className="font-semibold">Every step can be taken back.</strong>;
  if (oneWay.length < steps.length) {
    return (
      <>
        <strong className="font-semibold text-bad">In part.</strong> What {oneWay.map(({ stepId }) => `step ${stepId}`).join(', ')} does cannot be put back.
      </>
    );
  }
  return (
    <>
      <strong className="font-semibold text-bad">None: one-way.</strong> What it does cannot be put back.
    </>
  );
}

function WayBackWords(wayBack: Step['wayBack']) {
  if (wayBack.kind === 'snapshot') return `can be taken back until it is ${formatDuration(wayBack.keptMs)} old`;
  return (
    <>
      <strong className="font-semibold text-bad">cannot be undone</strong>: {toPlainText(wayBack.because)}
    </>
  );
}

function ConfidenceFactors({ confidence }: { readonly confidence: Plan['confidence'] }) {
  return (
    <>
      {confidence.value} of 100 ({confidence.tier})
      <ul className="flex flex-wrap gap-x-4 text-sm text-muted">
        {confidence.factors.map(({ name, points }) => (
          <li key={name} className="tabular-nums">
            {points < 0 ? '−' : '+'}
            {Math.abs(points)} {name}
          </li>
        ))}
        {confidence.caps.map(({ name, atMost }) => (
          <li key={name} className="tabular-nums">
            at most {atMost}: {name}
          </li>
        ))}
      </ul>
    </>
  );
}

function StepDetails({
  step,
  title,
  rehearsal,
}: {
  readonly step: Step;
  readonly title: string;
  readonly rehearsal: readonly string[];
}) {
  return (
    <div className="flex flex-col gap-2">
      <h3 className="font-semibold">
        {title}: {step.type.toUpperCase()} on {step.target}
        <span className="font-normal text-muted">
          , reaches one {step.reach}
          {step.queue !== null && `, run by the executor worker ${step.queue}`}
        </span>
      </h3>
      <p>
        It <WayBackWords {...step.wayBack} />.
      </p>
      {step.findings.length > 0 && (
        <ul aria-label={`What to look at twice in step ${step.stepId}`} className="list-disc pl-5">
          {step.findings.map(({ rule, position, reason, remedy }) => (
            <li key={`${rule} ${position}`}>
              <strong className="font-semibold text-bad">{toPlainText(reason)}</strong>. <span className="text-muted">{toPlainText(remedy)}</span>
            </li>
          ))}
        </ul>
      )}
      <pre
        className="overflow-x-auto rounded-md border border-line bg-well p-3 font-mono text-sm wrap-anywhere whitespace-pre-wrap"
        aria-label={`Script of step ${step.stepId}`}
      >
        {toPlainText(step.script)}
      </pre>
      {step.parameters.length > 0 && (
        <ul aria-label={`Parameters of step ${step.stepId}`} className="font-mono text-sm">
          {step.parameters.map((parameter, index) => (
            <li key={index}>
              ${index + 1} = {toPlainText(parameter)}
            </li>
          ))}
        </ul>
      )}
      <Rehearsal step={step} lines={rehearsal} />
    </div>
  );
}
