import { setTimeout as wait } from 'node:timers/promises';
import type { ApiClient } from '../../client.js';
import type { Alarm } from '../scenario.js';
import type { Shop } from './open-shop.js';

/** What the shop calls slow, and the threshold in the demo's sluice.yaml. */
export const SLOW_MS = 500;
const EVERY_MS = 500;
// A stall of one moment is nobody's alert.
const ALERT_MS = 4 * SLOW_MS;
const REPEAT_MS = 5_000;

interface Receipt {
  readonly incidents: readonly { readonly incidentId: string | null }[];
}

/** Stands in for the shop's own monitoring: tells Sluice in Alertmanager's form that the shop is slow, again and again, and once when it is not any more. */
export function startMonitoring(api: ApiClient, shop: Shop, run: string): Alarm {
  const labels = { alertname: 'ShopSlow', service: 'shop', severity: 'critical', run };
  const tell = (status: 'firing' | 'resolved') =>
    api.post<Receipt>('/api/alerts/alertmanager', { version: '4', alerts: [{ status, labels, annotations: { summary: 'Orders in the shop are slow or fail' } }] });
  let stopped = false;
  let opened: (incidentId: string) => void = () => {};
  const hasOpened = new Promise<string>((resolve) => (opened = resolve));

  async function watch(): Promise<void> {
    let firing = false;
    let toldAt = 0;
    while (!stopped) {
      const { p99Ms } = await shop.stats();
      if (!firing && p99Ms > ALERT_MS) firing = true;
      if (firing && p99Ms < SLOW_MS) {
        await tell('resolved');
        return;
      }
      if (firing && Date.now() - toldAt > REPEAT_MS) {
        const { incidents } = await tell('firing');
        toldAt = Date.now();
        const id = incidents[0]?.incidentId;
        if (typeof id === 'string') opened(id);
      }
      await wait(EVERY_MS);
    }
  }

  const watching = watch();
  // Its end is awaited in stop; until then a failure must not end the demo without a word.
  watching.catch(() => {});
  return {
    incidentId: Promise.race([hasOpened, watching.then(() => new Promise<never>(() => {}))]),
    async stop(): Promise<void> {
      stopped = true;
      await watching.catch(() => {});
    },
  };
}
