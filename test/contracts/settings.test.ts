import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ExecutorSettings, readExecutorSettings, readSettings, Settings } from '../../contracts/settings.js';

const example = parseEnv(readFileSync(new URL('../../.env.example', import.meta.url), 'utf8'));

describe('the environment', () => {
  it('of .env.example is right, and names every variable', () => {
    expect(readSettings(example)).toMatchObject({ SLUICE_API_PORT: 7780, SLUICE_LOG_LEVEL: 'info' });
    expect(readExecutorSettings(example)).toMatchObject({ SLUICE_URL: 'http://127.0.0.1:7780', SLUICE_RUNS: 'runs' });
    const known = new Set([...Object.keys(Settings.properties), ...Object.keys(ExecutorSettings.properties)]);
    expect(Object.keys(example).filter((name) => !name.startsWith('TEMPORAL_')).toSorted()).toEqual([...known].toSorted());
  });

  it('needs nothing but a database and keys', () => {
    expect(readSettings({ DATABASE_URL: 'postgres://u@h/d', SLUICE_KEYS: 'keys', SLUICE_API_PORT: '' })).toMatchObject({ SLUICE_API_HOST: '127.0.0.1', SLUICE_API_PORT: 7780 });
  });

  it('is refused with every variable that is wrong in one error', () => {
    const wrong = () => readSettings({ DATABASE_URL: 'mysql://x', SLUICE_API_PORT: 'many', SLUICE_LOG_LEVEL: 'loud' });
    expect(wrong).toThrow(/DATABASE_URL[\s\S]*SLUICE_API_PORT[\s\S]*SLUICE_LOG_LEVEL/);
    expect(() => readSettings({})).toThrow(/DATABASE_URL is not set\n *SLUICE_KEYS is not set/);
  });
});
