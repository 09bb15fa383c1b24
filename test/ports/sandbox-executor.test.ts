import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { restorePaths } from '../../activities/adapters/sandbox/path-restore.js';
import { readPaths } from '../../activities/adapters/sandbox/path-snapshot.js';
import { toSeccompFilter } from '../../activities/adapters/sandbox/seccomp.js';
import { OUTPUT } from '../../activities/adapters/sandbox/run-folder.js';
import type { Change, ChangeOptions, Executor } from '../../activities/ports.js';
import type { ValidStep } from '../../domain/plan.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { fingerprint, openScriptHost, type ScriptHost } from '../harness/script-host.js';
import { until } from '../harness/until.js';
import { describeExecutor, freezeStep } from './executor-contract.js';
import { watchFile } from './watched-folder.js';

const describeSandbox = describeNeeds({ program: 'bwrap', debianPackage: 'bubblewrap' });

describeSandbox('the sandbox', () => {
  describeExecutor('bash', {
    wayBack: 'snapshot',
    async open() {
      const host = await openScriptHost();
      const before = await fingerprint(host.file);
      const watched = watchFile(host.given, 'app.log');
      return {
        executor: host.executor,
        workspaceId: host.workspaceId,
        step: await freezeStep(host.executor, host.workspaceId, host.toStep(`echo two >>${host.file}; echo written`, {}, { paths: [host.file] })),
        effects: () => watched.count(),
        leftovers: async () => (await readdir(host.given)).filter((name) => name !== 'app.log' && !name.startsWith('mark-')),
        disturb: host.disturb,
        restoredExactly: async () => (await fingerprint(host.file)) === before,
        close: async () => {
          watched.close();
          await host.close();
        },
      };
    },
  });

  let host: ScriptHost;
  beforeEach(async () => {
    host = await openScriptHost();
  });
  afterEach(() => host.close());

  const KEY = 'ab'.repeat(16);
  async function toChange(step: ValidStep): Promise<Extract<Change, { kind: 'execute' }>> {
    const frozen = await freezeStep(host.executor, host.workspaceId, step);
    return { kind: 'execute', step: frozen, key: KEY, snapshot: frozen.wayBack.kind === 'snapshot' ? await host.executor.snapshot(host.workspaceId, frozen) : null };
  }
  const toOptions = (over: Partial<ChangeOptions> = {}): ChangeOptions => ({ begin: async () => {}, signal: new AbortController().signal, onOutput: () => {}, toldLines: 0, drained: async () => {}, ...over });

  /** Runs a change to its end. */
  async function run(change: Change, over: Partial<ChangeOptions> = {}, executor: Executor = host.executor) {
    const lines: string[] = [];
    let handle = '';
    const result = await executor.run(host.workspaceId, change, toOptions({ begin: async (noted) => void (handle = noted), onOutput: (line) => lines.push(line), ...over }));
    return { result, lines, handle };
  }
  const runScript = async (script: string, over: Partial<ValidStep> = {}, sandbox: Partial<ValidStep['sandbox']> = {}) => run(await toChange(host.toStep(script, over, sandbox)));

  /** Whether any process of this machine was called with these words. */
  const isAnywhere = (words: string): boolean =>
    readdirSync('/proc').some((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').includes(words);
      } catch {
        return false;
      }
    });

  describe('a script', () => {
    it('has its arguments, nothing of our environment, and prints both its streams in order', async () => {
      const { result, lines } = await runScript('echo "1 $1"; echo "2 $2" >&2; echo 3 >/dev/stdout; env | grep -c . ; hostname 2>/dev/null || cat /proc/sys/kernel/hostname', { parameters: ['a b', '$(id)'] });
      expect(result).toMatchObject({ kind: 'done' });
      expect(lines.slice(0, 3)).toEqual(['1 a b', '2 $(id)', '3']);
      expect(Number(lines[3])).toBeLessThanOrEqual(8);
      expect(lines[4]).toBe('sluice');
    });

    it('may be Python', async () => {
      const { result, lines } = await runScript('import sys, threading, subprocess\nprint(sys.argv[1:], flush=True)\nsubprocess.run(["echo", "from a child"])\nt = threading.Thread(target=print, args=("from a thread",)); t.start(); t.join()', { type: 'python', parameters: ['x'] });
      expect(result).toMatchObject({ kind: 'done' });
      expect(lines).toEqual(["['x']", 'from a child', 'from a thread']);
    });

    it('that fails says with what, and whether it had changed anything', async () => {
      expect((await runScript('exit 3')).result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('ended with 3') });
      await host.close();
      host = await openScriptHost();
      expect((await runScript(`echo two >>${host.file}; exit 4`)).result).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('ended with 4') });
    });

    it('finds its secrets as files, and what it prints of them is not kept', async () => {
      const { lines } = await runScript('cat /run/secrets/token; echo; base64 </run/secrets/token; for part in $(fold -w 5 </run/secrets/token); do printf "%s" "$part"; sleep 0.05; done; echo; echo more >>/run/secrets/token');
      expect(lines.slice(0, 3)).toEqual(['[redacted:token]', '[redacted:token]', '[redacted:token]']);
      expect(lines[3]).toMatch(/Permission denied|Read-only/);
      const kept = await Promise.all((await readdir(host.runs, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')));
      expect(kept.join('')).not.toContain(host.secret);
    });

    it('is given an address, and what it prints of the password in it is not kept', async () => {
      await host.close();
      host = await openScriptHost({ secret: 'postgres://ana:correct-horse@db/shop' });
      const { lines } = await runScript('sed "s/.*ana:\\(.*\\)@.*/for \\1/" /run/secrets/token');
      expect(lines).toEqual(['for [redacted:token]']);
      for (const name of await readdir(host.runs)) expect(await readFile(join(host.runs, name, OUTPUT), 'utf8').catch(() => '')).not.toContain('correct-horse');
    });

    it('whose target or machine does not fit is refused in words, and has no effect', async () => {
      await symlink('/srv', join(host.given, 'link'));
      await writeFile(join(host.given, 'closed'), '', { mode: 0o600 });
      const steps: readonly (readonly [ValidStep, string])[] = [
        [host.toStep('id', {}, { paths: ['/srv'] }), 'is not below one of the `paths` of the target'],
        [host.toStep('id', {}, { paths: [`${host.given}/../given`] }), 'is not absolute and plain'],
        [host.toStep('id', {}, { paths: [join(host.given, 'link')] }), 'symbolic link'],
        [host.toStep('id', {}, { paths: [join(host.given, 'missing')] }), 'is not there; declare the folder'],
        [host.toStep('id', {}, { paths: [host.given, host.file] }), 'is within another one'],
        [host.toStep('id', {}, { secrets: ['password'] }), 'is not among the `secrets`'],
        [{ ...host.toStep('id'), sandbox: null }, 'does not say what its sandbox is'],
        ...(process.getuid?.() === 0 ? [[host.toStep('id', {}, { paths: [join(host.given, 'closed')] }), 'never runs as root'] as const] : []),
      ];
      for (const [step, because] of steps) {
        expect(await host.executor.rehearse(host.workspaceId, step)).toEqual({ found: false, lines: [expect.stringContaining(because)] });
        const change: Change = { kind: 'execute', step: { ...step, wayBack: { kind: 'oneWay', because: '' }, pins: { before: '', after: null } }, key: KEY, snapshot: null };
        expect((await run(change)).result).toEqual({ kind: 'failed', changed: false, summary: expect.stringContaining(because) });
      }
      expect(await readdir(host.runs).catch(() => [])).toEqual([]);
    });

    it('is refused in words without bubblewrap, also when it was there at the rehearsal', async () => {
      const change = await toChange(host.toStep('id'));
      const bare = await openScriptHost({ path: '/nowhere' });
      expect(await bare.executor.rehearse('demo', bare.toStep('id'))).toEqual({ found: false, lines: [expect.stringContaining('apt-get install bubblewrap')] });
      expect((await run(change, {}, bare.executor)).result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('bubblewrap') });
      await bare.close();
    });

    it('with a secret too short to be kept out of its output is refused in words', async () => {
      await host.close();
      host = await openScriptHost({ secret: 'ab' });
      expect((await runScript('id')).result).toMatchObject({ kind: 'failed', changed: false, summary: expect.stringContaining('fewer than') });
    });

    it('is told at the gate: what it may take and change, what it names, and what cannot be undone', async () => {
      const rehearsal = await host.executor.rehearse(host.workspaceId, host.toStep('sed -i s/a/b/ x\nnosuchprogram | sort'));
      expect(rehearsal.lines.join('\n')).toMatch(/sandbox without a network[^]*128 MiB of memory[^]*names: sed, sort\n[^]*secrets token[^]*1 files of 4 bytes[^]*cannot be undone/);
      const many = join(host.given, 'many');
      await mkdir(many);
      for (let index = 0; index < 2_001; index += 1) await writeFile(join(many, `${index}`), '');
      expect(await host.executor.rehearse(host.workspaceId, host.toStep('id'))).toMatchObject({ found: true, wayBack: { kind: 'oneWay', because: expect.stringContaining('more than 2000') } });
      expect(await host.executor.rehearse(host.workspaceId, host.toStep('id', {}, { paths: [] }))).toMatchObject({ found: true, wayBack: { kind: 'oneWay', because: expect.stringContaining('declares no paths') } });
    });
  });

  describe('a limit', () => {
    it.each([
      ['time', 'trap "" TERM INT HUP QUIT; (setsid sleep 97531 &); while :; do :; done', { timeoutMs: 1_500 }, 'it was not done in time'],
      ['memory', 'a=x; while :; do a=$a$a; done', {}, 'more memory'],
      ['disk in files without a name', 'exec 3<>"/..$1/x"; rm "/..$1/x"; for fd in 4 5 6 7; do eval "exec $fd<>\\"/..$1/x\\""; rm "/..$1/x"; head -c 4000000 /dev/zero >&$fd; done; sleep 60', {}, 'more below its paths'],
      ['disk in a folder too deep to be named', 'cd "/..$1"; for i in $(seq 25); do d=$(printf %0200d 1); mkdir $d; cd $d; done; sleep 60', {}, 'cannot be measured'],
      ['disk in a folder that is shut', 'mkdir -m 300 "/..$1/shut"; for i in 1 2 3 4; do head -c 4000000 /dev/zero >"/..$1/shut/$i"; done; sleep 60', {}, 'more below its paths'],
      ['disk below its paths', 'for i in $(seq 1000); do head -c 4000000 /dev/zero >"$(dirname "$0")$1/$i"; done', {}, 'more below its paths'],
    ] as const)('of %s ends the whole tree', async (_name, script, over, because) => {
      const { result } = await runScript(script, { timeoutMs: 15_000, ...over, parameters: [`/..${host.given}`] });
      expect(result).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining(because) });
      expect(isAnywhere('sleep 97531')).toBe(false);
    });

    it('of time leaves nothing two seconds later, whatever it ignores', async () => {
      const { handle } = await runScript('trap "" TERM INT HUP; for i in 1 2 3 4; do (trap "" TERM; while :; do :; done) & done; wait', { timeoutMs: 1_000 });
      const { run: name } = JSON.parse(handle) as { readonly run: string };
      const { tookMs } = JSON.parse(await readFile(join(host.runs, name, 'exit'), 'utf8')) as { readonly tookMs: number };
      expect(tookMs).toBeLessThan(3_000);
    });

    it('of processes lets no more be made, and the script goes on', async () => {
      const { result, lines } = await runScript(
        'import os, time\nmade = 0\nfor _ in range(40):\n  try:\n    if os.fork() == 0:\n      os.execvp("sleep", ["sleep", "97532"])\n    made += 1\n  except BlockingIOError:\n    pass\nprint(made)',
        { type: 'python' },
        { processes: 10 },
      );
      expect(result).toMatchObject({ kind: 'done' });
      expect(Number(lines[0])).toBeGreaterThan(5);
      expect(Number(lines[0])).toBeLessThanOrEqual(10);
      await until('the end of all of it', async () => !isAnywhere('sleep 97532'));
    });

    it('of output keeps whole lines, and says how much it left out', async () => {
      const { result, lines } = await runScript('for i in $(seq 1000); do echo "line $i"; done; head -c 50000 /dev/zero | tr "\\0" x; echo; echo end', {}, { outputBytes: 5_000 });
      expect(result).toMatchObject({ kind: 'done' });
      expect(lines.slice(0, -1)).toEqual(Array.from({ length: lines.length - 1 }, (_, index) => `line ${index + 1}`));
      expect(lines.at(-1)).toMatch(/^\[\d+ bytes more were printed and are not kept: the limit is 5000\]$/);
    });

    it('of a line folds what is longer', async () => {
      const { lines } = await runScript('head -c 40000 /dev/zero | tr "\\0" x; echo; echo end');
      expect(lines.map((line) => line.length)).toEqual([16_384, 16_384, 7_232, 3]);
    });
  });

  const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;
  describeAsRoot('a limit of disk', () => {
    it('holds what is in no list, by what is free', async () => {
      // A quarter of it and the limit are less than it has; the file is on its way through a socket only.
      const disk = join(host.given, 'disk');
      await mkdir(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=64m,uid=${host.uid},gid=${host.uid}`, 'tmpfs', disk]);
      try {
        const script = `import os, socket, time\nfor i in range(12):\n  a, b = socket.socketpair()\n  f = os.open("${disk}/x", os.O_CREAT | os.O_WRONLY)\n  os.unlink("${disk}/x")\n  socket.send_fds(a, [b"x"], [f])\n  os.write(f, bytes(4000000))\n  os.close(f)\n  globals()[f"kept{i}"] = (a, b)\ntime.sleep(60)`;
        const { result } = await runScript(script, { type: 'python', timeoutMs: 8_000 }, { paths: [disk], diskBytes: 8 * 1_048_576 });
        expect(result).toMatchObject({ kind: 'failed', summary: expect.stringContaining('was filling up') });
      } finally {
        execFileSync('umount', [disk]);
      }
    });
  });

  describe('a script that was cancelled', () => {
    it('ends with all that it had started, and may have changed something', async () => {
      const cancelling = new AbortController();
      const { result } = await run(await toChange(host.toStep('trap "" TERM; (setsid sleep 97533 &); echo up; sleep 60')), { signal: cancelling.signal, onOutput: () => cancelling.abort() });
      expect(result).toMatchObject({ kind: 'failed', changed: true, summary: expect.stringContaining('it was cancelled') });
      expect(isAnywhere('sleep 97533')).toBe(false);
    });
  });

  describe('a script whose runner was killed', () => {
    it('leaves nothing of its tree, and nobody says what it did', async () => {
      const change = await toChange(host.toStep(`echo two >>${host.file}; (setsid sleep 97534 &); echo up; sleep 60`));
      let handle = '';
      const killed = run(change, {
        begin: async (noted) => void (handle = noted),
        onOutput: () => void (async () => process.kill(await readRunner(handle), 'SIGKILL'))(),
      });
      await expect(killed).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringMatching(/nobody can tell/) });
      expect(isAnywhere('sleep 97534')).toBe(false);
      const settle = () => host.restart().settle(host.workspaceId, change, handle, toOptions());
      await expect(settle()).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      await expect(settle()).rejects.toMatchObject({ kind: 'outcomeUnknown' });
      // A person may still have what it left taken back, and not what others did since.
      const rollback: Change = { kind: 'rollback', step: change.step, key: 'cd'.repeat(16), snapshot: change.snapshot ?? '', left: handle };
      expect((await run(rollback)).result).toMatchObject({ kind: 'done' });
      expect(await host.readFile()).toBe('one\n');
    });

    const readRunner = async (handle: string): Promise<number> => {
      const { run: name } = JSON.parse(handle) as { readonly run: string };
      const { pid } = JSON.parse(await readFile(join(host.runs, name, 'started'), 'utf8')) as { readonly pid: number };
      return pid;
    };
  });

  describe('a script whose worker was lost', () => {
    const counting = 'for i in $(seq 300); do echo "line $i"; sleep 0.004; done; echo two >>"$1"';
    const expected = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);

    it('goes on, and whoever comes next tells the rest of its output once', async () => {
      const change = await toChange(host.toStep(counting, { parameters: [host.file] }));
      const worker = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('../harness/script-worker.ts', import.meta.url)), JSON.stringify({ change, runs: host.runs, given: host.given, secret: host.secret })], { stdio: ['ignore', 'pipe', 'inherit'] });
      const told: string[] = [];
      let handle = '';
      for await (const line of createInterface({ input: worker.stdout })) {
        const { kind, text } = JSON.parse(line) as { readonly kind: string; readonly text: string };
        if (kind === 'handle') handle = text;
        if (kind === 'line') told.push(text);
        if (told.length >= 40) worker.kill('SIGKILL');
      }
      expect(told.length).toBeLessThan(expected.length);
      const rest: string[] = [];
      const settled = await host.restart().settle(host.workspaceId, change, handle, toOptions({ onOutput: (line) => rest.push(line), toldLines: told.length }));
      expect(settled).toMatchObject({ kind: 'done' });
      expect([...told, ...rest]).toEqual(expected);
      expect(await host.readFile()).toBe('one\ntwo\n');
    });

    it('is not ended by a worker that shuts down', async () => {
      const change = await toChange(host.toStep(counting, { parameters: [host.file] }));
      const stopping = new AbortController();
      let handle = '';
      const stopped = run(change, { signal: stopping.signal, begin: async (noted) => void (handle = noted), onOutput: () => stopping.abort(new Error('WORKER_SHUTDOWN')) });
      await expect(stopped).rejects.toThrow('WORKER_SHUTDOWN');
      expect(await host.restart().settle(host.workspaceId, change, handle, toOptions())).toMatchObject({ kind: 'done' });
      expect(await host.readFile()).toBe('one\ntwo\n');
    });

    it.each([
      ['in another PID namespace', 'execute', { namespace: 'pid:[1]' }, 'may still run'],
      ['whose rollback began in another PID namespace', 'rollback', { namespace: 'pid:[1]' }, 'may still run'],
      ['on another machine', 'execute', { boot: 'another', machine: 'another' }, 'may still run'],
      ['on this machine before it was started again', 'execute', { boot: 'another' }, 'nothing of it runs any more'],
    ])('%s is told as what can be told from here', async (_name, kind, place, because) => {
      const change = await toChange(host.toStep('id'));
      const { handle } = await run(change);
      const { run: name } = JSON.parse(handle) as { readonly run: string };
      const started = join(host.runs, name, 'started');
      const taker = JSON.parse(await readFile(started, 'utf8')) as { readonly place: object };
      await writeFile(started, JSON.stringify({ ...taker, place: { ...taker.place, ...place } }));
      await rm(join(host.runs, name, 'exit'));
      const settled: Change = kind === 'execute' ? change : { kind: 'rollback', step: change.step, key: KEY, snapshot: change.snapshot ?? '', left: handle };
      await expect(host.restart().settle(host.workspaceId, settled, handle, toOptions())).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringContaining(because) });
      expect((await readdir(join(host.runs, name))).includes('exit')).toBe(because !== 'may still run');
    });

    it('on another machine is unknown here', async () => {
      const change = await toChange(host.toStep('id'));
      await expect(host.executor.settle(host.workspaceId, change, JSON.stringify({ run: `${KEY}-01234567` }), toOptions())).rejects.toMatchObject({ kind: 'outcomeUnknown', message: expect.stringContaining('not on this machine') });
    });
  });

  describe('a rollback', () => {
    it('puts back what was changed, removed and replaced, and takes away what was added', async () => {
      await mkdir(join(host.given, 'sub'));
      await writeFile(join(host.given, 'sub', 'kept'), 'kept');
      await symlink('app.log', join(host.given, 'latest'));
      if (process.getuid?.() === 0) await chmod(join(host.given, 'sub'), 0o777);
      const before = await fingerprint(host.given);
      const change = await toChange(
        host.toStep(`cd ${host.given}; echo two >app.log; chmod 600 app.log; rm -r sub; ln -s /etc sub; rm latest; mkdir latest; echo x >latest/x; touch -d 2001-01-01 app.log; mkdir -p new/deep; echo end`),
      );
      const { result, handle } = await run(change);
      expect(result).toMatchObject({ kind: 'done' });
      expect((await lstat(join(host.given, 'sub'))).isSymbolicLink()).toBe(true);
      const rollback: Change = { kind: 'rollback', step: change.step, key: 'cd'.repeat(16), snapshot: change.snapshot ?? '', left: handle };
      expect((await run(rollback)).result).toMatchObject({ kind: 'done' });
      expect(await fingerprint(host.given)).toBe(before);
      expect(await realpath(join(host.given, 'latest'))).toBe(host.file);
    });

    it('never follows a link that took the place of a folder meanwhile', async () => {
      const [sub, outside] = [join(host.given, 'sub'), join(host.runs, '..', 'outside')];
      await mkdir(sub);
      await mkdir(outside, { mode: 0o750 });
      await writeFile(join(sub, 'kept'), 'kept');
      await writeFile(join(outside, 'secret'), 'secret', { mode: 0o600 });
      const { text } = await readPaths([host.given]);
      const before = await fingerprint(outside);
      const swapping = spawn('python3', ['-c', `import ctypes, os, sys\nlibc = ctypes.CDLL(None)\na, b = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[1]) + b"-link"\nwhile True:\n  if not os.path.lexists(b): os.symlink(sys.argv[2], b)\n  libc.renameat2(-100, a, -100, b, 2)`, sub, outside], { stdio: 'ignore' });
      try {
        for (let tries = 0; tries < 60; tries += 1) await restorePaths(text, 'ab'.repeat(16)).catch(() => {});
      } finally {
        swapping.kill('SIGKILL');
      }
      expect(await fingerprint(outside)).toBe(before);
    });

    it.each([
      ['a folder too deep to be named', 'for i in $(seq 300); do mkdir dddddddddddddddddddd; cd dddddddddddddddddddd; done'],
      ['a folder that may be listed and not entered', 'mkdir d; echo x >d/f; chmod 644 d'],
      ['a folder that may be entered and not listed', 'mkdir -p d/e; echo x >d/e/f; chmod 300 d/e d'],
      ['a folder shut to everybody', 'rm app.log; mkdir app.log; echo x >app.log/f; chmod 0 app.log'],
    ])('takes away %s', async (_name, script) => {
      const before = await fingerprint(host.given);
      const change = await toChange(host.toStep(`cd ${host.given}; ${script}`));
      const { result, handle } = await run(change);
      expect(result.kind).toMatch(/^(done|failed)$/);
      const rollback: Change = { kind: 'rollback', step: change.step, key: 'cd'.repeat(16), snapshot: change.snapshot ?? '', left: handle };
      expect((await run(rollback)).result).toMatchObject({ kind: 'done' });
      expect(await fingerprint(host.given)).toBe(before);
    });
  });

  it('is refused on a processor whose system calls are not known', () => {
    expect(toSeccompFilter('riscv64')).toBeUndefined();
    expect(toSeccompFilter('x64')?.equals(toSeccompFilter('arm64') ?? Buffer.alloc(0))).toBe(false);
  });
});
