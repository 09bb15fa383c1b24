import { useEffect, useEffectEvent, useRef, useState } from 'react';
import type { TailEntry } from './shapes.js';
import { followTail, type TailFollower, type TailState } from './tail-stream.js';

export interface Tail {
  readonly entries: readonly TailEntry[];
  readonly state: TailState;
}

// A replay of ten thousand entries is drawn a few times, not ten thousand times.
const FLUSH_MS = 50;

/** The job tail of an incident as it grows, also after its end when `changedAt` says so. `onUpdate` hears when the incident itself may have changed. */
export function useTail(incidentId: string, changedAt: string | undefined, onUpdate: () => void): Tail {
  const [tail, setTail] = useState<Tail>({ entries: [], state: { kind: 'connecting' } });
  const follower = useRef<TailFollower>(null);
  const tellUpdate = useEffectEvent(onUpdate);
  useEffect(() => {
    setTail({ entries: [], state: { kind: 'connecting' } });
    let waiting: TailEntry[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      const arrived = waiting;
      waiting = [];
      if (arrived.length === 0) return;
      setTail(({ entries, state }) => ({ entries: [...entries, ...arrived], state }));
      if (arrived.some(({ event }) => event !== 'output')) tellUpdate();
    };
    const following = followTail(incidentId, {
      onEntry: (entry) => {
        waiting.push(entry);
        timer ??= setTimeout(flush, FLUSH_MS);
      },
      onState: (state) => {
        flush();
        setTail(({ entries }) => ({ entries, state }));
      },
    });
    follower.current = following;
    return () => {
      following.stop();
      clearTimeout(timer);
    };
  }, [incidentId]);
  useEffect(() => follower.current?.goOn(), [changedAt]);
  return tail;
}
