import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { anyFreePort, insistOnPort, isFree, isListening, portChooser } from '../../../cli/local/ports.js';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

const occupy = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    servers.push(server);
    server.listen(port, '127.0.0.1', () => resolve(port));
  });

describe('a preferred port', () => {
  it('is used without a word when it is free', async () => {
    const said: string[] = [];
    const preferred = await anyFreePort();
    expect(await portChooser((line) => said.push(line))('the API', preferred)).toBe(preferred);
    expect(said).toEqual([]);
  });

  it('gives way to the next free one when it is taken, and that is said', async () => {
    const said: string[] = [];
    const preferred = await occupy(await anyFreePort());
    const port = await portChooser((line) => said.push(line))('the API', preferred);
    expect(port).toBeGreaterThan(preferred);
    expect(await isFree(port)).toBe(true);
    expect(said).toEqual([`Port ${preferred} is taken: the API uses ${port}`]);
  });

  it('is not given twice in one start', async () => {
    const preferred = await anyFreePort();
    const choosePort = portChooser(() => undefined);
    const ports = await Promise.all([choosePort('the API', preferred), choosePort('Temporal', preferred)]);
    expect(new Set(ports).size).toBe(2);
  });
});

describe('a port that a variable asks for', () => {
  it('is used when it is free', async () => {
    const port = await anyFreePort();
    expect(await insistOnPort('SLUICE_API_PORT', port)).toBe(port);
  });

  it('stops the start when it is taken, with the name of the variable', async () => {
    const port = await occupy(await anyFreePort());
    await expect(insistOnPort('SLUICE_API_PORT', port)).rejects.toMatchObject({ message: expect.stringContaining(`SLUICE_API_PORT=${port}`), remedy: expect.stringContaining('unset SLUICE_API_PORT') });
  });
});

describe('looking whether a server listens', () => {
  it('tells the two apart', async () => {
    const port = await anyFreePort();
    expect(await isListening(port)).toBe(false);
    await occupy(port);
    expect(await isListening(port)).toBe(true);
  });
});
