import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ShopStats } from './stats.js';

export interface Shop {
  readonly url: string;
  stats(): Promise<ShopStats>;
  /** Makes one session hold every product's lock. Returns its pid. */
  breakIt(): Promise<number>;
  /** Whether that session still holds them. */
  isHeld(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Opens the demo's shop in a process of its own. */
export async function openShop(databaseUrl: string, env: Readonly<Record<string, string>>): Promise<Shop> {
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), { execArgv: ['--import', 'tsx'], env: { ...env, SHOP_DATABASE_URL: databaseUrl } });
  const url = await untilReady(child);
  return {
    url,
    async stats() {
      return (await (await fetch(`${url}/stats`)).json()) as ShopStats;
    },
    async breakIt() {
      const { pid } = (await (await fetch(`${url}/fault`, { method: 'POST' })).json()) as { readonly pid: number };
      return pid;
    },
    async isHeld() {
      return (await (await fetch(`${url}/fault`)).json()) === true;
    },
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
    },
  };
}

function untilReady(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: { readonly url: string }) => resolve(message.url));
    child.once('exit', (code) => reject(new Error(`the shop did not open (exit code ${code})`)));
  });
}
