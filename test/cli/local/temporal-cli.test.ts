import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { findTemporalCli, temporalVersion, type TemporalSearch } from '../../../cli/local/temporal-cli.js';
import { buildTemporal, type Fetch } from '../../../cli/local/temporal-fetch.js';
import { temporaryFolder } from './surroundings.js';

const works = '#!/bin/sh\necho temporal version 1.5.1\n';

function executable(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function unreachable(why: string): Fetch {
  return () => Promise.reject(new Error(why));
}

const brings = (fetched: string[], how: string): Fetch => ({ folder }) => {
  fetched.push(how);
  return Promise.resolve(executable(join(folder, `temporal-${how}`), works));
};

function aSearch(folder: string, over: Partial<TemporalSearch> & { temporalCliPath?: string | null; path?: string } = {}): TemporalSearch {
  const { temporalCliPath = null, path = join(folder, 'bin'), ...rest } = over;
  return {
    config: { temporalCliPath, cacheFolder: join(folder, 'cache'), environment: { PATH: `${path}:/usr/bin:/bin` } },
    fallbackFolder: join(folder, 'home'),
    say: () => undefined,
    stopping: new AbortController().signal,
    fetches: [
      { how: 'download', fetch: unreachable('the host is unreachable') },
      { how: 'build', fetch: unreachable('go is not on the PATH') },
    ],
    ...rest,
  };
}

const keptIn = (folder: string): string => join(folder, `temporal-${temporalVersion}`, 'temporal');

describe('Temporal is looked for', () => {
  it('first where TEMPORAL_CLI_PATH says', async () => {
    const folder = temporaryFolder();
    executable(join(folder, 'bin/temporal'), works);
    const named = executable(join(folder, 'named'), works);
    expect(await findTemporalCli(aSearch(folder, { temporalCliPath: named }))).toBe(named);
  });

  it('then on the PATH', async () => {
    const folder = temporaryFolder();
    const onPath = executable(join(folder, 'bin/temporal'), works);
    executable(keptIn(join(folder, 'cache')), works);
    expect(await findTemporalCli(aSearch(folder))).toBe(onPath);
  });

  it('then in the cache, when the PATH has none that runs', async () => {
    const folder = temporaryFolder();
    executable(join(folder, 'bin/temporal'), '#!/bin/sh\nexit 1\n');
    const kept = executable(keptIn(join(folder, 'cache')), works);
    expect(await findTemporalCli(aSearch(folder))).toBe(kept);
  });

  it('then by download, which is kept', async () => {
    const folder = temporaryFolder();
    const fetched: string[] = [];
    const fetches = [{ how: 'download', fetch: brings(fetched, 'download') }, { how: 'build', fetch: brings(fetched, 'build') }];
    expect(await findTemporalCli(aSearch(folder, { fetches }))).toBe(keptIn(join(folder, 'cache')));
    expect(await findTemporalCli(aSearch(folder, { fetches }))).toBe(keptIn(join(folder, 'cache')));
    expect(fetched).toEqual(['download']);
  });

  it('at last by building it with Go, when the download fails', async () => {
    const folder = temporaryFolder();
    executable(join(folder, 'bin/go'), `#!/bin/sh\necho "$@" > "${folder}/asked"\nprintf '${works.replaceAll('\n', '\\n')}' > "$GOBIN/temporal"\nchmod +x "$GOBIN/temporal"\n`);
    const fetches = [{ how: 'download', fetch: unreachable('the host is unreachable') }, { how: 'build', fetch: buildTemporal }];
    expect(await findTemporalCli(aSearch(folder, { fetches }))).toBe(keptIn(join(folder, 'cache')));
    expect(existsSync(join(folder, 'asked'))).toBe(true);
  });
});

describe('a Temporal that is fetched', () => {
  it('is kept in the state folder when there is no cache folder', async () => {
    const folder = temporaryFolder();
    const search = aSearch(folder, { fetches: [{ how: 'download', fetch: brings([], 'download') }] });
    expect(await findTemporalCli({ ...search, config: { ...search.config, cacheFolder: executable(join(folder, 'not-a-folder'), '') } })).toBe(keptIn(join(folder, 'home')));
  });

  it('is not kept when the fetch fails half way', async () => {
    const folder = temporaryFolder();
    const half: Fetch = ({ folder: own }) => {
      executable(join(own, 'temporal'), 'half');
      return Promise.reject(new Error('interrupted'));
    };
    await expect(findTemporalCli(aSearch(folder, { fetches: [{ how: 'download', fetch: half }] }))).rejects.toThrow('none was found');
    expect(existsSync(keptIn(join(folder, 'cache')))).toBe(false);
  });
});

describe('when there is no Temporal', () => {
  it('the error names what was tried and the four remedies', async () => {
    const search = findTemporalCli(aSearch(temporaryFolder()));
    await expect(search).rejects.toMatchObject({
      name: 'Trouble',
      message: expect.stringMatching(/not on the PATH[\s\S]*not there[\s\S]*host is unreachable[\s\S]*go is not on the PATH/),
      remedy: expect.stringMatching(/TEMPORAL_ADDRESS[\s\S]*on the PATH[\s\S]*download[\s\S]*Go/),
    });
  });

  it('a named program that does not run is not passed over', async () => {
    const folder = temporaryFolder();
    executable(join(folder, 'bin/temporal'), works);
    await expect(findTemporalCli(aSearch(folder, { temporalCliPath: join(folder, 'missing') }))).rejects.toMatchObject({ message: expect.stringContaining('TEMPORAL_CLI_PATH') });
  });
});
