import type { ReactNode } from 'react';
import type { Tone } from './words.js';

const look: Record<Tone, string> = {
  plain: 'border-edge',
  good: 'border-good',
  warn: 'border-warn',
  bad: 'border-bad',
  alarm: 'border-bad',
};

/** Words that a person must not miss. Read out at once where something went wrong. */
export function Notice({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <div role={tone === 'bad' ? 'alert' : 'status'} className={`rounded-md border border-l-4 bg-card px-4 py-3 ${look[tone]}`}>
      {children}
    </div>
  );
}
