import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { closeApis, openApi } from '../api/open-api.js';

const web = fileURLToPath(new URL('../../web', import.meta.url));
afterAll(closeApis);

it("the page's types are those of the API as it is now (else: npm run generate -w web -- openapi.json)", async () => {
  const api = await openApi();
  const { body } = await api.call('nobody', 'GET', '/openapi.json');
  const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'));
  writeFileSync(join(folder, 'openapi.json'), body);
  await promisify(execFile)('npx', ['openapi-typescript', join(folder, 'openapi.json'), '--output', join(folder, 'api-types.ts')], { cwd: web });
  expect(readFileSync(join(folder, 'api-types.ts'), 'utf8')).toBe(readFileSync(join(web, 'src/api-types.ts'), 'utf8'));
  rmSync(folder, { recursive: true });
});
