import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Starts a Postgres and a Temporal of our own, as the tests have them, and tells the harness by environment where they are. */
export async function startServers(): Promise<{ readonly stop: () => Promise<void> }> {
  const servers = fork(fileURLToPath(new URL('servers.ts', import.meta.url)), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(servers, 'exit');
  const addresses = await Promise.race([once(servers, 'message').then(([message]) => message as Readonly<Record<string, string>>), ended.then(() => undefined)]);
  if (addresses === undefined) throw new Error('the servers did not start; see above');
  Object.assign(process.env, addresses);
  return {
    async stop() {
      servers.disconnect();
      await ended;
    },
  };
}
