import { useSyncExternalStore } from 'react';
import { formatDuration } from './words.js';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

const readSecond = (): number => Math.floor(Date.now() / 1_000);

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => listeners.forEach((each) => each()), 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const format = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});

/** `24 Nov 2026, 09:00 UTC`, in the reader's time zone. */
export const formatMoment = (at: string): string => format.format(new Date(at));

/** How long ago, or until: `3m ago`, `in 23h59m`. The exact moment is its tooltip. */
export function Age({ at }: { readonly at: string }) {
  const seconds = useSyncExternalStore(listen, readSecond);
  const distanceMs = new Date(at).getTime() - seconds * 1_000;
  return (
    <time dateTime={at} title={formatMoment(at)} className="whitespace-nowrap tabular-nums">
      {distanceMs > 1_000 ? `in ${formatDuration(distanceMs)}` : `${formatDuration(-distanceMs)} ago`}
    </time>
  );
}
