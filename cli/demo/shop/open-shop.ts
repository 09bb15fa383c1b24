import { openProcess, type DemoProcess } from '../open-process.js';
import type { Stats } from '../stats.js';

export interface Shop extends DemoProcess {
  stats(): Promise<Stats>;
  /** Makes one session hold every product's lock. Returns its pid. */
  breakIt(): Promise<number>;
  /** Whether that session still holds them. */
  isHeld(): Promise<boolean>;
}

/** Opens the demo's shop in a process of its own. */
export async function openShop(databaseUrl: string, env: Readonly<Record<string, string>>): Promise<Shop> {
  const opened = await openProcess(new URL('main.ts', import.meta.url), { ...env, SHOP_DATABASE_URL: databaseUrl });
  const { url } = opened;
  return {
    url,
    async stats() {
      return (await (await fetch(`${url}/stats`)).json()) as Stats;
    },
    async breakIt() {
      const { pid } = (await (await fetch(`${url}/fault`, { method: 'POST' })).json()) as { readonly pid: number };
      return pid;
    },
    async isHeld() {
      return (await (await fetch(`${url}/fault`)).json()) === true;
    },
    stop: () => opened.stop(),
  };
}
