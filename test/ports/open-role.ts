import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A role that may log in and nothing else. */
export async function openRole(serverUrl: string) {
  const name = `plain_${randomUUID().replaceAll('-', '')}`;
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create role ${name} login password 'plain'`);
  const url = new URL(serverUrl);
  url.username = name;
  url.password = 'plain';
  return {
    name,
    url: url.href,
    grantMonitor: () => server.query(`grant pg_monitor to ${name}`),
    async drop(): Promise<void> {
      await server.query(`drop role ${name}`);
      await server.end();
    },
  };
}
