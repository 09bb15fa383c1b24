import { WrongSettings } from '../contracts/settings.js';
import type { Database } from '../db/database.js';
import { deliverNotifications, type DueNotification, type Lane, listDueLanes } from '../db/notifications.js';
import { type Delivery, type Notice, toIncidentUrl, toNoticeGate } from '../domain/notification.js';
import type { Channel, Workspace } from '../domain/watch.js';
import type { Log } from './log.js';

/** Tells people outside of Sluice. What cannot be told is an answer; it throws only where a secret cannot be read. */
export interface Notifier {
  tell(channel: Channel, notice: Notice, signal: AbortSignal): Promise<Delivery>;
}

const POLL_MS = 1_000;

/** Tells people what the record says they are to be told. Each channel is served by itself, so that one that is slow or away delays no other. */
export function startNotifications(options: {
  readonly db: Database;
  readonly workspaces: readonly Workspace[];
  readonly notifier: Notifier;
  /** Where the page is; empty: no links. */
  readonly publicUrl: string;
  readonly log: Log;
  readonly pollMs?: number;
}): { stop(): Promise<void> } {
  const { db, workspaces, notifier, publicUrl, log, pollMs = POLL_MS } = options;
  const stopped = new AbortController();
  const { signal } = stopped;
  const isOver = () => signal.aborted;
  const served = new Map<string, Promise<void>>();
  let wake: () => void = () => {};

  async function deliver(channel: Channel | undefined, { channel: name }: Lane, { row, incident, gate, plan }: DueNotification): Promise<Delivery> {
    if (channel === undefined) return { kind: 'gaveUp', because: `${name} is not among the channels in sluice.yaml any more` };
    const { id, kind, workspaceId, incidentId, text, onlyFor } = row;
    const { title, severity } = incident;
    const url = toIncidentUrl(publicUrl, incidentId);
    const notice = { id, kind, workspaceId, incidentId, title, severity, text, gate: gate && toNoticeGate(gate, plan), url, onlyFor };
    try {
      return await notifier.tell(channel, notice, signal);
    } catch (error) {
      log.warn({ err: error, incidentId, channel: name }, 'nobody could be told, tried again');
      return { kind: 'tryAgain', because: error instanceof WrongSettings ? error.message : "the worker's log says why", afterMs: null };
    }
  }

  async function serve(lane: Lane): Promise<void> {
    const channel = workspaces.find(({ id }) => id === lane.workspaceId)?.channels.find(({ name }) => name === lane.channel);
    const shownAs = channel === undefined ? lane.channel : `${channel.name} (${channel.kind})`;
    try {
      await deliverNotifications(db, lane, { shownAs, isOver, deliver: (due) => deliver(channel, lane, due) });
    } catch (error) {
      if (!isOver()) log.warn({ err: error, ...lane }, 'notifications could not be delivered, tried again soon');
    }
  }

  async function run(): Promise<void> {
    while (!isOver()) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, pollMs);
      });
      try {
        for (const lane of await listDueLanes(db)) {
          const key = JSON.stringify([lane.workspaceId, lane.channel]);
          if (!served.has(key)) served.set(key, serve(lane).finally(() => served.delete(key)));
        }
      } catch (error) {
        if (!isOver()) log.warn({ err: error }, 'what people are to be told could not be read, tried again soon');
      }
      if (!isOver()) await woken;
    }
    await Promise.all(served.values());
  }

  const running = run();
  return {
    async stop() {
      stopped.abort();
      wake();
      await running;
    },
  };
}
