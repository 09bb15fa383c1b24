import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Api, closeApis, openApi, problemOf } from './open-api.js';

let api: Api;
let webFolder: string;
beforeAll(async () => {
  webFolder = await mkdtemp(join(tmpdir(), 'sluice-web-'));
  await mkdir(join(webFolder, 'assets'));
  await writeFile(join(webFolder, 'index.html'), '<!doctype html><title>Sluice</title>');
  await writeFile(join(webFolder, 'assets/app-1a2b.js'), 'start();');
  api = await openApi({ webFolder });
});
afterAll(async () => {
  await closeApis();
  await rm(webFolder, { recursive: true });
});

const get = (url: string) => api.call('nobody', 'GET', url);

describe('the page', () => {
  it.each(['/', '/incidents/7d4f4c2e-5a55-4a3e-9c1e-0d5c3f1b2a10', '/incidents/a/b'])('is at %s without a token', async (url) => {
    const reply = await get(url);
    expect([reply.statusCode, reply.headers['content-type'], reply.body]).toEqual([200, 'text/html; charset=utf-8', '<!doctype html><title>Sluice</title>']);
    expect(reply.headers['cache-control']).toBe('no-cache');
  });

  it('has its files, which may be kept as long as they have their name', async () => {
    const reply = await get('/assets/app-1a2b.js');
    expect([reply.statusCode, reply.body]).toEqual([200, 'start();']);
    expect(reply.headers['cache-control']).toContain('immutable');
  });

  it.each(['/assets/none.js', '/assets/../../package.json', '/assets/%2e%2e/%2e%2e/etc/passwd', '/other', '/api/none'])('is nowhere else: %s', async (url) => {
    expect(problemOf(await get(url))).toEqual([404, 'unknown-route']);
  });

  it('is not there before it is built, and all else is', async () => {
    const bare = await openApi();
    expect(problemOf(await bare.call('nobody', 'GET', '/'))).toEqual([404, 'unknown-route']);
    expect((await bare.call('nobody', 'GET', '/healthz')).statusCode).toBe(200);
  });
});
