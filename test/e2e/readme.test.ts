import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { IncidentPage } from '../../contracts/http.js';
import { createApiClient } from '../../cli/client.js';
import { openBlockedDatabase, type BlockedDatabase } from '../harness/blocked-database.js';
import { npmStart, type NpmStart } from '../harness/npm-start.js';
import { until } from '../harness/until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Every command that the README gives: the lines of its sh blocks, and what stands in backticks and begins like one. */
const commands = new Set([
  ...[...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.trim().split('\n')),
  ...[...readme.matchAll(/`((?:npm|npx|git|docker|curl) [^`]+)`/g)].map(([, command = '']) => command),
]);

/** Run by other tests, literally: `npm test` by whoever reads this, the demo by demo.test.ts, on Kubernetes by .ci/run. */
const ranElsewhere = ['npm test', 'npm run demo', 'npm run demo -- --yes', 'npm run demo -- --scenario config --yes --then-rollback', 'npm run demo -- --scenario kubernetes --yes'];

const run = promisify(execFile);
let folder: string;
let target: BlockedDatabase;
let running: NpmStart | undefined;
const ran = new Set<string>(ranElsewhere);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-readme-'));
  chmodSync(folder, 0o711);
  target = await openBlockedDatabase();
  writeFileSync(
    join(folder, 'sluice.yaml'),
    `
version: 1
workspaces:
  shop:
    stabilization: 2s
    targets: { shop-db: { kind: postgres, connection: { env: TARGET_URL }, executor: sql, postgres: { blockedSessions: 2 } } }
`,
  );
  running = await npmStart(join(folder, 'home'), { SLUICE_CONFIG: join(folder, 'sluice.yaml'), TARGET_URL: target.url, DATABASE_URL: '', TEMPORAL_ADDRESS: '' });
  ran.add('npm start');
}, 120_000);
afterAll(async () => {
  await running?.stop();
  await target.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command of the README as it stands there, but for the incident's id. */
async function follow(command: string, id = ''): Promise<string> {
  expect(commands).toContain(command);
  ran.add(command);
  const [program = '', ...words] = command.split(' ').map((word) => (word === 'ID' ? id : word));
  const env = { ...process.env, NODE_OPTIONS: '', SLUICE_HOME: join(folder, 'home') };
  const { stdout } = await run(program, words, { cwd: root, env });
  return stdout;
}

describe('the README', () => {
  it('gives commands that work, and no others', async () => {
    const api = createApiClient(running?.apiUrl ?? '', running?.token ?? '');
    const open = () =>
      until('an incident that waits', async () => {
        const { incidents } = await api.get<IncidentPage>('/api/incidents?state=open');
        return incidents.find(({ status }) => status === 'PENDING_HUMAN_APPROVAL')?.id;
      });

    await target.block();
    const following = follow('npx sluice start');
    const first = await open();
    expect(await follow('npx sluice incidents')).toContain(first);
    expect(await follow('npx sluice show ID', first)).toContain('Database Connection Reset');
    await expect(follow('npx sluice review ID --reason TEXT', first)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('needs no review') });
    await expect(follow('npx sluice break-glass ID --reason TEXT', first)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('Nobody can be asked here') });
    await follow('npx sluice request-changes ID', first);
    await until('another plan', async () => (await api.get<{ plan: { version: number } }>(`/api/incidents/${first}`)).plan.version === 2, 60_000);
    expect(await open()).toBe(first);
    await follow('npx sluice reject ID', first);
    expect(await following).toContain('REJECTED');
    expect(await follow('npx sluice tail ID', first)).toContain('EXECUTION_GATE [PENDING_HUMAN_APPROVAL]');

    const again = follow('npx sluice start');
    const second = await open();
    await follow('npx sluice approve ID --yes', second);
    await until('the verification gate', async () => (await api.get<{ phase: string }>(`/api/incidents/${second}`)).phase === 'VERIFICATION_GATE', 60_000);
    await follow('npx sluice approve ID --yes', second);
    expect(await again).toContain('RESOLVED');
    // What this story runs has no way back, and that is what it says.
    await expect(follow('npx sluice rollback ID --reason TEXT', second)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be undone') });

    await expect(follow('npx sluice cancel ID --reason TEXT', second)).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to cancel') });
    expect(await follow('npx sluice report --since 7d')).toMatch(/RESOLVED +1\n[^]*Database Connection Reset/);
    expect(await follow('npx sluice policy show')).toContain('autonomy: supervised');
    expect(await follow('npx sluice executors')).toContain('sluice worker --queue');
    // It has a test of its own; here it has nothing to go by.
    await expect(follow('npx sluice worker --queue NAME')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('is not set') });
    await expect(follow('npx sluice validate FILE')).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('FILE cannot be read') });
    expect(await follow('npx sluice tokens list')).toContain('admin');
    expect(await follow('npx sluice audit verify')).toContain('is whole');
    expect(await follow('npx sluice kill-switch')).toContain('The kill switch of all workspaces is off');

    expect([...commands].filter((command) => !ran.has(command))).toEqual([]);
  }, 180_000);

  it('is short', () => expect(readme.split('\n').length).toBeLessThanOrEqual(150));
});
