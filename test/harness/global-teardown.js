import { once } from 'node:events';

export default async function globalTeardown() {
  const servers = globalThis.sluiceTestServers;
  if (servers === undefined || servers.exitCode !== null) return;
  const ended = once(servers, 'exit');
  servers.disconnect();
  await ended;
}
