import { setTimeout as wait } from 'node:timers/promises';

const EVERY_MS = 25;

/** Asks until there is an answer. Fails with what was awaited, not with jest's own time-out. */
export async function until<Answer>(what: string, ask: () => Promise<Answer | undefined | false>, withinMs = 20_000): Promise<Answer> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`gave up waiting for ${what}`);
    await wait(EVERY_MS);
  }
}
