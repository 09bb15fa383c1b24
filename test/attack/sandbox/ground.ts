import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openScriptHost, type ScriptHost } from '../../harness/script-host.js';

/** A machine with something on it that a script must not reach: files, services, a process. */
export interface Ground {
  readonly host: ScriptHost;
  /** Where nothing may be read or written; a file `mark` in it has the token. */
  readonly hidden: string;
  readonly token: string;
  readonly tcpPort: number;
  readonly udpPort: number;
  /** Of an interface that is not loopback; loopback where there is none. */
  readonly address: string;
  readonly abstract: string;
  readonly socketInHidden: string;
  /** In the folder that scripts are given. */
  readonly socketInGiven: string;
  readonly victim: number;
  /** What has been reached since it was asked last, a line each. */
  readonly whatHappened: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

const LISTEN_ABSTRACT = 'import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.bind("\\0" + sys.argv[1])\ns.listen()\nprint("up", flush=True)\nwhile True:\n  s.accept()\n  print("came", flush=True)';

export async function openGround(): Promise<Ground> {
  const host = await openScriptHost();
  const hidden = await mkdtemp(join(tmpdir(), 'sluice-hidden-'));
  await chmod(hidden, 0o777);
  const token = randomBytes(12).toString('hex');
  await writeFile(join(hidden, 'mark'), token);
  const reached: string[] = [];
  const tcp = createServer((socket) => {
    reached.push('a TCP connection came');
    socket.on('error', () => {});
    socket.end(`${token}\n`);
  });
  tcp.listen(0, '0.0.0.0');
  await once(tcp, 'listening');
  const udp = createSocket('udp4', () => reached.push('a UDP packet came'));
  udp.bind(0, '0.0.0.0');
  await once(udp, 'listening');
  const listenAt = async (path: string) => {
    const server = createServer((socket) => {
      reached.push(`a connection to ${path} came`);
      socket.on('error', () => {});
      socket.end(`${token}\n`);
    });
    server.listen(path);
    await once(server, 'listening');
    await chmod(path, 0o777);
    return server;
  };
  const socketInHidden = join(hidden, 'service');
  const socketInGiven = join(host.given, 'service');
  const services = [await listenAt(socketInHidden), await listenAt(socketInGiven)];
  const abstract = `sluice-attack-${token}`;
  const abstractListener = spawn('python3', ['-c', LISTEN_ABSTRACT, abstract], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(abstractListener.stdout, 'data');
  abstractListener.stdout.on('data', (chunk) => String(chunk).includes('came') && reached.push('a connection to the abstract socket came'));
  const victim = spawn('sleep', ['86400'], { stdio: 'ignore', env: { SLUICE_ATTACK: token } });
  await symlink(join(hidden, 'mark'), join(host.given, 'to-mark'));
  await symlink(hidden, join(host.given, 'to-hidden'));
  await mkdir(join(host.given, 'own'));
  await chmod(join(host.given, 'own'), 0o777);

  const listHidden = async () => (await readdir(hidden)).toSorted().join(' ');
  const before = await listHidden();
  return {
    host,
    hidden,
    token,
    tcpPort: (tcp.address() as AddressInfo).port,
    udpPort: udp.address().port,
    address: Object.values(networkInterfaces()).flat().find((each) => each !== undefined && each.family === 'IPv4' && !each.internal)?.address ?? '127.0.0.1',
    abstract,
    socketInHidden,
    socketInGiven,
    victim: victim.pid ?? 0,
    async whatHappened() {
      const changed = [
        ...((await listHidden()) === before ? [] : [`the hidden folder has ${await listHidden()}`]),
        ...((await readFile(join(hidden, 'mark'), 'utf8')) === token ? [] : ['the mark was changed']),
        ...(isAlive(victim) ? [] : ['a process of the machine was ended']),
      ];
      return [...reached.splice(0), ...changed];
    },
    async close() {
      victim.kill('SIGKILL');
      abstractListener.kill('SIGKILL');
      tcp.close();
      udp.close();
      for (const service of services) service.close();
      await host.close();
      await rm(hidden, { recursive: true, force: true });
    },
  };
}

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null;
