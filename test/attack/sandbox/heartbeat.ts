import { Worker } from 'node:worker_threads';

const BEAT_MS = 20;

/** A thread that only asks to be woken every 20 ms, as anything else on the machine would. */
export function startHeartbeat() {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     let last = process.hrtime.bigint(), worst = 0;
     setInterval(() => { const now = process.hrtime.bigint(); worst = Math.max(worst, Number(now - last) / 1e6 - ${BEAT_MS}); last = now; }, ${BEAT_MS});
     parentPort.on('message', () => { parentPort.postMessage(worst); worst = 0; });`,
    { eval: true },
  );
  return {
    /** By how much it was late at most, in milliseconds, since it was asked last. */
    worstMs: () =>
      new Promise<number>((resolve) => {
        worker.once('message', (worst: number) => resolve(Math.round(worst)));
        worker.postMessage('ask');
      }),
    stop: () => worker.terminate(),
  };
}
