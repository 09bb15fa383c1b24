import { connect, createServer } from 'node:net';
import { hasCode, Trouble } from './trouble.js';

export interface Ports {
  readonly api: number;
  readonly temporal: number;
  readonly temporalUi: number;
  readonly postgres: number;
}

export const preferredPorts: Ports = { api: 7780, temporal: 7233, temporalUi: 8233, postgres: 7732 };

const triesAfterPreferred = 100;

/** Whether a server could listen there on loopback now. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (hasCode(error, 'EADDRINUSE', 'EACCES') ? resolve(false) : reject(error)));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });

/** Whether a server listens there; unlike `isFree` it is never in the way of one that is about to. */
export const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' });
    probe.once('error', () => resolve(false));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
  });

/** A port that the system says is free. */
export const anyFreePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });

/** For tests: a set of ports that nobody prefers. */
export const anyFreePorts = async (): Promise<Ports> => ({
  api: await anyFreePort(),
  temporal: await anyFreePort(),
  temporalUi: await anyFreePort(),
  postgres: await anyFreePort(),
});

export type ChoosePort = (label: string, preferred: number) => Promise<number>;

/** Gives the preferred port, or the next free one, which is then said; none twice. To be asked just before the port is used. */
export function portChooser(say: (line: string) => void): ChoosePort {
  const given = new Set<number>();
  return async (label, preferred) => {
    for (let port = preferred; port <= Math.min(preferred + triesAfterPreferred, 65_535); port += 1) {
      if (given.has(port)) continue;
      given.add(port);
      if (!(await isFree(port))) continue;
      if (port !== preferred) say(`Port ${preferred} is taken: ${label} uses ${port}`);
      return port;
    }
    throw new Trouble(`No port from ${preferred} to ${preferred + triesAfterPreferred} is free for ${label}`, 'stop what listens there, and start again');
  };
}

/** The port that a variable asks for, and no other. */
export async function insistOnPort(variable: string, port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new Trouble(`${variable}=${port}, but something else listens on that port`, `stop it, set ${variable} to a free port, or unset ${variable} to have one chosen`);
}
