import type { IncidentUpdate } from './shapes.js';
import { phaseWords, type Phase } from './words.js';

const order = Object.keys(phaseWords) as Phase[];

/** Where the incident stands. `updates` say which phases it lived through, once all of them are here (`isWhole`). */
export function PhaseList({
  phase,
  updates,
  isWhole,
}: {
  readonly phase: Phase;
  readonly updates: readonly IncidentUpdate[];
  readonly isWhole: boolean;
}) {
  const current = order.indexOf(phase);
  const lived = new Set(updates.map((update) => update.phase));
  return (
    <div>
      <ol aria-label="Phases" className="grid grid-cols-7 gap-1 sm:gap-2">
        {order.map((each, index) => {
          const isCurrent = index === current;
          const isOver = index < current && (!isWhole || lived.has(each));
          return (
            <li key={each} aria-current={isCurrent ? 'step' : undefined} className={isCurrent ? 'font-semibold' : 'text-muted'}>
              <span
                aria-hidden
                className={`block h-2 rounded-full border ${isCurrent ? 'border-accent bg-accent' : isOver ? 'border-good bg-good' : 'border-edge bg-card'}`}
              />
              <span className="sr-only mt-1 block text-sm sm:not-sr-only">{phaseWords[each]}</span>
              <span className="sr-only">{isCurrent ? ' (now)' : isOver ? ' (done)' : index < current ? ' (skipped)' : ' (to come)'}</span>
            </li>
          );
        })}
      </ol>
      <p className="mt-1 text-sm font-semibold sm:hidden" aria-hidden>
        {current + 1} of {order.length}: {phaseWords[phase]}
      </p>
    </div>
  );
}
