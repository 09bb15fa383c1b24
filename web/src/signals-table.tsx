import { Age } from './clock.js';
import type { Signal } from './shapes.js';
import { formatValue } from './words.js';

/** Each signal that was out of bounds, as it was and as it is. */
export function SignalsTable({
  before,
  now,
  measuredAt,
}: {
  readonly before: readonly Signal[];
  readonly now: readonly Signal[];
  readonly measuredAt: string | null;
}) {
  if (before.length === 0) return <p className="text-muted">No signal has been found out of bounds.</p>;
  return (
    <div>
      <table className="w-full border-collapse text-left">
        <caption className="sr-only">Signals, before and now</caption>
        <thead className="text-sm text-muted">
          <tr className="border-b border-line">
            <th scope="col" className="py-1.5 pr-2 font-normal">
              Signal
            </th>
            <th scope="col" className="py-1.5 pr-2 text-right font-normal whitespace-nowrap">
              Before
            </th>
            <th scope="col" className="py-1.5 pr-2 text-right font-normal whitespace-nowrap">
              <span aria-hidden>→ </span>Now
            </th>
            <th scope="col" className="py-1.5 text-right font-normal">
              Wanted
            </th>
          </tr>
        </thead>
        <tbody>
          {before.map((signal) => (
            <SignalRow
              key={`${signal.target}/${signal.name}`}
              signal={signal}
              now={now.find(({ target, name }) => target === signal.target && name === signal.name)}
            />
          ))}
        </tbody>
      </table>
      {measuredAt !== null && (
        <p className="mt-2 text-sm text-muted">
          Measured <Age at={measuredAt} />
        </p>
      )}
    </div>
  );
}

function SignalRow({ signal, now }: { readonly signal: Signal; readonly now: Signal | undefined }) {
  const { title, target, unit, value, threshold, better } = signal;
  const isWell = now !== undefined && isWithinBounds(now);
  return (
    <tr className="border-b border-line align-top last:border-0">
      <th scope="row" className="py-2 pr-2 font-normal">
        <bdi>{title}</bdi> <span className="text-sm text-muted">{target}</span>
      </th>
      <td className="py-2 pr-2 text-right whitespace-nowrap tabular-nums">{formatValue(value, unit)}</td>
      <td className={`py-2 pr-2 text-right font-semibold whitespace-nowrap tabular-nums ${isWell ? 'text-good' : 'text-bad'}`}>
        {formatValue(now?.value ?? null, unit)}
        <span className="block text-sm font-normal">{isWell ? 'well' : 'not well'}</span>
      </td>
      <td className="py-2 text-right whitespace-nowrap text-muted tabular-nums">
        {better === 'lower' ? '<' : '≥'} {formatValue(threshold, unit)}
      </td>
    </tr>
  );
}

function isWithinBounds({ value, threshold, better }: Signal): boolean {
  if (value === null) return false;
  return better === 'lower' ? value < threshold : value >= threshold;
}
