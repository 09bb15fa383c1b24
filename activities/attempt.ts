import { heartbeat } from '@temporalio/activity';
import { asFailure } from './faults.js';

const BEAT_MS = 2_000;

/** One attempt of an activity: beats while it runs, so that it can be cancelled and its death be noticed, and names its faults. */
export async function attempt<Result>(work: (beat: (detail: string) => void) => Promise<Result>): Promise<Result> {
  let detail = 'started';
  const beat = setInterval(() => heartbeat(detail), BEAT_MS);
  try {
    return await work((next) => {
      detail = next;
      heartbeat(detail);
    });
  } catch (error) {
    throw asFailure(error);
  } finally {
    clearInterval(beat);
  }
}
