import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Act, Place, Scenario, Scene } from '../scenario.js';
import { WINDOW_MS } from '../stats.js';
import { createShopDatabase } from './database.js';
import { SLOW_MS, startMonitoring } from './monitoring.js';
import { openShop } from './open-shop.js';

/** A shop on a real database, until one session takes every product's lock and goes idle. */
export const databaseScenario: Scenario = {
  prepare: async () => fileURLToPath(new URL('../sluice.yaml', import.meta.url)),
  oneWay: 'its fix ends a session, which cannot be brought back',
  open,
};

async function open({ databaseUrl, folder, environment, say }: Place): Promise<Scene> {
  const { shopUrl, operatorUrl } = await createShopDatabase(databaseUrl);
  const shop = await openShop(shopUrl, environment);
  let pid = 0;
  const act: Act = {
    async untilWell() {
      await wait(WINDOW_MS + 500);
      const { p99Ms, requestsPerSecond } = await shop.stats();
      say(`The shop is open: p99 ${p99Ms} ms, ${requestsPerSecond} orders a second`);
    },
    async breakIt() {
      pid = await shop.breakIt();
      say(`Now session ${pid} takes every product's lock, and its owner goes to lunch before committing\n`);
    },
    raiseAlarm: (sender) => startMonitoring(sender, shop, randomUUID()),
    async look() {
      const isHeld = await shop.isHeld();
      const { p99Ms, requestsPerSecond, failed } = await shop.stats();
      say(`The shop: p99 ${p99Ms} ms, ${requestsPerSecond} orders a second, ${failed} failed in the last 3 s`);
      if (isHeld) say(`Session ${pid} is still there`);
      return failed === 0 && requestsPerSecond > 0 && p99Ms < SLOW_MS;
    },
    lookTakenBack: () => shop.isHeld(),
  };
  return {
    variables: { SHOP_DATABASE_URL: operatorUrl, SHOP_URL: shop.url },
    whereabouts: `Postgres         ${new URL(databaseUrl).host}, database shop, password in ${join(folder, 'postgres', 'password')}`,
    acts: [act],
    stop: () => shop.stop(),
  };
}
