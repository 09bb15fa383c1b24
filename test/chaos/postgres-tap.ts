import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createAskedReader, isRequestForTls, readMessages, type WireMessage } from './postgres-messages.js';

/** A moment in what is said to a Postgres. Texts are the SQL and below it its values, a line each. */
export interface Trigger {
  readonly statement: RegExp;
  /** What was said or answered before it in the same transaction. */
  readonly within?: RegExp;
  /** What its answer must say; it can be held only after it then. */
  readonly answer?: RegExp;
  /** The statement itself, or that by which its effect becomes durable: the COMMIT where it is in a transaction. */
  readonly until: 'itself' | 'durable';
  readonly hold: 'request' | 'answer';
}

/** What becomes of the message that was held. */
export type Fate = 'deliver' | 'drop';

export interface Tap {
  /** The database, by way of the tap. */
  readonly url: string;
  /** Holds the next message that the trigger fits until `strike` says what becomes of it. One trigger at a time; null for none. */
  arm(trigger: Trigger | null, strike?: () => Promise<Fate>): void;
  close(): void;
}

interface Armed {
  readonly trigger: Trigger;
  readonly strike: () => Promise<Fate>;
}

/** One thing that was asked and waits for its answer. */
interface Asked {
  readonly text: string;
  readonly armed: Armed | undefined;
}

// As much as is needed to know a transaction by; it is kept for each connection.
const MAX_TRANSCRIPT = 64_000;

/** Puts itself between a Postgres and those who speak to it without TLS, and lets everything through until a trigger fits. */
export async function openPostgresTap(url: string): Promise<Tap> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let armed: Armed | undefined;

  /** The armed trigger, for the one who is first to fire it. */
  const fire = (candidate: Armed | undefined): Armed | undefined => {
    if (candidate === undefined || candidate !== armed) return undefined;
    armed = undefined;
    return candidate;
  };

  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const readAsked = createAskedReader();
    const inFlight: Asked[] = [];
    let status = 'I';
    let transcript = '';
    let pending: Armed | undefined;

    /** The armed trigger, where this is its moment. */
    function isMomentOf(text: string): Armed | undefined {
      if (armed === undefined) return undefined;
      const { statement, within, until } = armed.trigger;
      const fits = statement.test(text) && (within === undefined || within.test(transcript));
      if (until === 'itself' || status === 'I') return fits ? armed : undefined;
      if (fits) pending = armed;
      return pending === armed && /^\s*commit\b/i.test(text) ? armed : undefined;
    }

    async function ask(messages: readonly WireMessage[]): Promise<void> {
      const text = readAsked(messages);
      const moment = isMomentOf(text);
      const fired = moment?.trigger.hold === 'request' ? fire(moment) : undefined;
      if (fired !== undefined && (await fired.strike()) === 'drop') return end();
      inFlight.push({ text, armed: moment?.trigger.hold === 'answer' ? moment : undefined });
      upstream.write(Buffer.concat(messages.map(({ bytes }) => bytes)));
    }

    async function hearClient(): Promise<void> {
      let unit: WireMessage[] = [];
      for await (const message of readMessages(client, true)) {
        if (message.type === '' && isRequestForTls(message.bytes)) client.write('N');
        else if (['', 'p', 'X'].includes(message.type)) upstream.write(message.bytes);
        else unit.push(message);
        if (message.type !== 'Q' && message.type !== 'S') continue;
        await ask(unit);
        unit = [];
      }
    }

    async function hearServer(): Promise<void> {
      let said: WireMessage[] = [];
      let unsent: WireMessage[] = [];
      let isIn = false;
      const send = (): void => {
        if (unsent.length > 0) client.write(Buffer.concat(unsent.map(({ bytes }) => bytes)));
        unsent = [];
      };
      for await (const message of readMessages(upstream, false)) {
        const [asked] = inFlight;
        const isHeld = asked?.armed !== undefined && asked.armed === armed;
        unsent.push(message);
        // Notifications, notices and settings are no part of an answer.
        if (!'ANS'.includes(message.type)) said.push(message);
        if (!isHeld) send();
        if (message.type !== 'Z') continue;
        status = message.body.toString('latin1', 0, 1);
        transcript = status === 'I' ? '' : `${transcript}${asked?.text}\n${readRows(said)}\n`.slice(-MAX_TRANSCRIPT);
        if (status === 'I') pending = undefined;
        // The first of these ends the greeting, which answers nothing.
        if (isIn) inFlight.shift();
        isIn = true;
        const fired = isHeld && isAsAwaited(said, asked.armed?.trigger) ? fire(asked.armed) : undefined;
        said = [];
        if (fired !== undefined && (await fired.strike()) === 'drop') return end();
        send();
      }
    }

    Promise.allSettled([hearClient().finally(() => upstream.end()), hearServer().finally(() => client.destroy())]).catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tapped = new URL(url);
  tapped.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: tapped.href,
    arm(trigger, strike = async () => 'deliver') {
      armed = trigger === null ? undefined : { trigger, strike };
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A refusal is no effect, and is not what is awaited. */
const isAsAwaited = (said: readonly WireMessage[], trigger: Trigger | undefined): boolean =>
  said.every(({ type }) => type !== 'E') && (trigger?.answer === undefined || trigger.answer.test(readRows(said)));

const readRows = (said: readonly WireMessage[]): string =>
  said
    .filter(({ type }) => type === 'D')
    .map(({ body }) => body.toString('utf8'))
    .join('\n');
