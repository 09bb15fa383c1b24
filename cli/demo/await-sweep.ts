import { setTimeout as wait } from 'node:timers/promises';
import type { IncidentPage } from '../../contracts/http.js';
import type { ApiClient } from '../client.js';
import type { Alarm } from './scenario.js';

const EVERY_MS = 500;

/** Waits for the incident that the sweep opens about a target. One that an earlier run left open is taken up. */
export function awaitSweep(api: ApiClient, target: string): Alarm {
  let stopped = false;
  async function look(): Promise<string> {
    while (!stopped) {
      const { incidents } = await api.get<IncidentPage>('/api/incidents?state=open');
      const swept = incidents.find(({ trigger, title }) => trigger === 'schedule' && title.includes(` of ${target}`));
      if (swept !== undefined) return swept.id;
      await wait(EVERY_MS);
    }
    throw new Error('nobody waits for the incident any more');
  }
  return {
    incidentId: look(),
    async stop() {
      stopped = true;
    },
  };
}
