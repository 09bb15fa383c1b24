import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { channels } from './channels.js';

const RECONNECT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Wakes those who follow a tail. A wake-up may be lost or come for nothing: whoever is woken reads what is there. */
export interface TailListener {
  /** Returns how to stop listening. */
  subscribe(incidentId: string, wake: () => void): () => void;
  close(): Promise<void>;
}

/** Listens on one connection for all subscribers; where that breaks it connects anew and then wakes everyone. */
export function openTailListener(databaseUrl: string): TailListener {
  const subscribers = new Map<string, Set<() => void>>();
  const closing = new AbortController();
  let hangUp = () => {};

  async function listen(): Promise<void> {
    const client = new pg.Client({ connectionString: databaseUrl, keepAlive: true, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    const ended = new Promise<void>((resolve) => {
      client.once('end', resolve);
      client.on('error', () => resolve());
      hangUp = resolve;
    });
    client.on('notification', ({ payload = '' }) => subscribers.get(payload)?.forEach((wake) => wake()));
    try {
      await client.connect();
      await client.query(`listen ${channels.tail}`);
      subscribers.forEach((wakes) => wakes.forEach((wake) => wake()));
      await ended;
    } finally {
      await client.end();
    }
  }

  async function keepListening(): Promise<void> {
    while (!closing.signal.aborted) {
      // However it ended, the next try is the remedy; followers still look by themselves now and then.
      await listen().catch(() => {});
      await pause(RECONNECT_MS, undefined, { signal: closing.signal }).catch(() => {});
    }
  }

  const listening = keepListening();
  return {
    subscribe(incidentId, wake) {
      const wakes = subscribers.get(incidentId) ?? new Set();
      subscribers.set(incidentId, wakes.add(wake));
      return () => {
        wakes.delete(wake);
        if (wakes.size === 0 && subscribers.get(incidentId) === wakes) subscribers.delete(incidentId);
      };
    },
    async close() {
      closing.abort();
      hangUp();
      await listening;
    },
  };
}
