import type { Delivery, Notice } from '../../domain/notification.js';
import type { Mood } from '../ports/notifier-contract.js';

const TIMEOUT_MS = 50;

const deliveries: Readonly<Record<Exclude<Mood, 'hangs'>, Delivery>> = {
  takesIt: { kind: 'delivered' },
  isBusy: { kind: 'tryAgain', because: 'busy', afterMs: 7_000 },
  isDown: { kind: 'tryAgain', because: 'down', afterMs: null },
  isGone: { kind: 'tryAgain', because: 'gone', afterMs: null },
  refuses: { kind: 'gaveUp', because: 'refused' },
  redirects: { kind: 'gaveUp', because: 'redirected' },
  neverEnds: { kind: 'delivered' },
};

/** Tells nobody, and answers as if the other end were in the mood that `moodOf` names. */
export function createFakeNotifier(moodOf: (notice: Notice) => Mood) {
  const received: Notice[] = [];
  return {
    received: received as readonly Notice[],
    async tell(_channel: unknown, notice: Notice, signal: AbortSignal): Promise<Delivery> {
      const mood = moodOf(notice);
      if (mood !== 'isGone') received.push(notice);
      return mood === 'hangs' ? hang(signal) : deliveries[mood];
    },
  };
}

const hang = (signal: AbortSignal): Promise<Delivery> =>
  new Promise((resolve) => {
    const end = (because: string) => () => resolve({ kind: 'tryAgain', because, afterMs: null });
    const timer = setTimeout(end(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    const stop = () => {
      clearTimeout(timer);
      end('cut short')();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
