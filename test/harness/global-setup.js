import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Starts one Postgres and one Temporal for the whole run, and tells the tests by environment where they are. */
export default async function globalSetup() {
  const servers = fork(fileURLToPath(new URL('servers.ts', import.meta.url)), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  globalThis.sluiceTestServers = servers;
  const addresses = await new Promise((resolve, reject) => {
    servers.once('message', resolve);
    servers.once('exit', (code) => reject(new Error(`The servers for the tests did not start (exit code ${code}); see above`)));
  });
  Object.assign(process.env, addresses);
}
