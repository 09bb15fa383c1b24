import type { ReactNode } from 'react';
import type { Tone } from './words.js';

const look: Record<Tone, string> = {
  plain: 'border-edge text-ink',
  good: 'border-good text-good',
  warn: 'border-warn text-warn',
  bad: 'border-bad text-bad',
  alarm: 'border-bad bg-bad text-card',
};

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span className={`inline-block rounded border px-1.5 py-px text-xs font-semibold tracking-wide whitespace-nowrap ${look[tone]}`}>
      {children}
    </span>
  );
}
