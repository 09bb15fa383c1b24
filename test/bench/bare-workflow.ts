import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

export const goSignal = defineSignal('go');
const { enter } = proxyActivities<{ enter(id: string): Promise<void> }>({ startToCloseTimeout: '10 seconds' });

/** The least that waits for a person on Temporal: a signal, then an activity. */
export async function bare(id: string): Promise<void> {
  let told = false;
  setHandler(goSignal, () => {
    told = true;
  });
  await condition(() => told);
  await enter(id);
}
