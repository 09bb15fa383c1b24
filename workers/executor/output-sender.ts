import { setTimeout as wait } from 'node:timers/promises';
import { CallGone, type ExecutorApi } from './executor-api.js';

const CHUNK_CHARACTERS = 262_144;
const MAX_LINE_CHARACTERS = 1_000_000;
const MAX_PENDING_CHARACTERS = 1_048_576;
const FULL_PAUSE_MS = 100;

/** Sends the lines of a call in order, numbered, in as few requests as their speed allows. */
export function createOutputSender(api: Pick<ExecutorApi, 'sendOutput'>, callId: string) {
  let pending: string[] = [];
  let pendingCharacters = 0;
  let nextLine = 1;
  let isGone = false;
  let sending: Promise<void> | undefined;

  function take(): { readonly firstLine: number; readonly text: string } {
    let characters = 0;
    let lines = 0;
    while (lines < pending.length && (lines === 0 || characters + (pending[lines]?.length ?? 0) < CHUNK_CHARACTERS)) {
      characters += (pending[lines]?.length ?? 0) + 1;
      lines += 1;
    }
    const chunk = { firstLine: nextLine, text: pending.slice(0, lines).join('\n') };
    pending = pending.slice(lines);
    pendingCharacters -= characters;
    nextLine += lines;
    return chunk;
  }

  async function send(): Promise<void> {
    try {
      while (pending.length > 0 && !isGone) {
        const { firstLine, text } = take();
        while (await api.sendOutput(callId, firstLine, text)) await wait(FULL_PAUSE_MS);
      }
    } catch (error) {
      if (!(error instanceof CallGone)) throw error;
      // Whoever asks again what became of it reads the output from where it is kept.
      isGone = true;
      pending = [];
      pendingCharacters = 0;
    } finally {
      sending = undefined;
    }
  }

  /** Resolves when all of it has been sent, or nobody wants it any more. */
  async function close(): Promise<void> {
    while (pending.length > 0 || sending !== undefined) await (sending ??= send());
  }

  return {
    write(line: string): void {
      if (isGone) return;
      // Postgres takes no text with a zero in it.
      const text = line.replaceAll('\0', '\uFFFD').slice(0, MAX_LINE_CHARACTERS);
      pending.push(text);
      pendingCharacters += text.length + 1;
      // After what is told at once, so that it goes in one request. Whoever closes or waits hears of a failure.
      if (sending === undefined) {
        sending = Promise.resolve().then(send);
        sending.catch(() => {});
      }
    },
    drained: async (): Promise<void> => {
      while (pendingCharacters > MAX_PENDING_CHARACTERS && sending !== undefined) await sending;
    },
    close,
  };
}
