import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { uidOf } from '../../activities/adapters/kubernetes-job.js';
import type { Change, ChangeOptions } from '../../activities/ports.js';
import { parseAllDocuments } from 'yaml';
import { throwSwitch } from '../../db/kill-switch.js';
import type { Json } from '../../domain/canonical.js';
import type { KubernetesObject } from '../../domain/kubernetes.js';
import type { ValidStep } from '../../domain/plan.js';
import type { Jobs } from '../../domain/watch.js';
import { until } from '../harness/until.js';
import { freezeStep, describeExecutor } from '../ports/executor-contract.js';
import { closeApis, workspaceId } from '../api/open-api.js';
import { aSandbox, type JobWorld, newKey, openJobWorld, toTelling } from './job-world.js';

let world: JobWorld;
beforeAll(async () => {
  world = await openJobWorld();
}, 60_000);
afterAll(async () => {
  await closeApis();
  await world.close();
});

describeExecutor('a bash script in a Job', {
  wayBack: 'oneWay',
  async open() {
    const { client } = world;
    const { executor, changeJobs } = world.openExecutor();
    const name = `bash-${Math.random()}`;
    const step = await freezeStep(executor, workspaceId, world.aScript({}, name));
    const { namespace } = world.cluster;
    return {
      executor,
      workspaceId,
      step,
      effects: async () => world.countTold(name),
      async leftovers() {
        const parts = await Promise.all((['v1 Secret', 'networking.k8s.io/v1 NetworkPolicy'] as const).map((kind) => client.list(...(kind.split(' ') as [string, string]), namespace, 'sluice.dev/execution')));
        return parts.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      },
      disturb: async () => changeJobs({ image: 'localhost/other:1' }),
      restoredExactly: async () => true,
      close: async () => {},
    };
  },
});

/** Rehearses a step and runs it. */
async function run(over: Partial<ValidStep> = {}, { jobs, ...options }: Partial<ChangeOptions> & { readonly jobs?: Partial<Jobs> } = {}) {
  const { executor } = world.openExecutor(jobs, { startWithinMs: 60_000 });
  const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript(over)), key: newKey(), snapshot: null };
  const telling = toTelling(options);
  return { result: await executor.run(workspaceId, change, telling.options), lines: telling.lines, change, executor };
}

const jobOf = ({ key }: Change) => ({ apiVersion: 'batch/v1', kind: 'Job', name: `sluice-${key}`, namespace: world.cluster.namespace });
const listPods = ({ key }: Change) => world.client.list('v1', 'Pod', world.cluster.namespace, `sluice.dev/execution=${key}`);

describe('a script in a Job', () => {
  it('is python with its arguments, and an end that is not well is told', async () => {
    const script = 'import sys\nprint(sys.argv[1:])\nprint("wrong", file=sys.stderr)\nsys.exit(3)';
    const { result, lines } = await run({ type: 'python', script, parameters: ['one word', '$(id)'] });
    expect(lines).toEqual(["['one word', '$(id)']", 'wrong']);
    expect(result).toEqual({ kind: 'failed', changed: true, summary: 'python ended with exit code 3' });
  });

  it('is nobody in the cluster and on the node, and can write to /tmp only, for itself', async () => {
    const script = [
      'import os, socket',
      'print(os.getuid() >= 200000, open("/proc/self/status").read().split("CapEff:")[1].split()[0], open("/proc/self/status").read().split("NoNewPrivs:")[1].split()[0], open("/proc/self/status").read().split("Seccomp:")[1].split()[0])',
      'print([path for path in ("/", "/run", "/usr", "/etc", "/sluice", "/tmp") if os.access(path, os.W_OK)])',
      'print(os.path.exists("/var/run/secrets/kubernetes.io"), os.path.exists("/run/secrets"))',
      'print(any(part in " ".join(os.environ.values()) for part in ("one word", "sluice_")))',
    ].join('\n');
    const { lines, change } = await run({ type: 'python', script, parameters: ['one word'] });
    expect(lines).toEqual(['True 0000000000000000 1 2', "['/tmp']", 'False False', 'False']);
    const told = JSON.stringify([await world.client.read(jobOf(change)), await listPods(change)]);
    expect(told).toContain(`sluice-${change.key}`);
    expect(told).not.toContain('one word');
    expect(told).not.toContain('os.getuid');
  });

  it.each([
    ['memory', { type: 'python', script: 'print("begins")\nx = bytearray(400 * 1024 * 1024)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint("has it")' }, ['begins'], 'it needed more memory than its limit'],
    ['time', { type: 'bash', script: 'echo begins\ntrap "" TERM\n(trap "" TERM; while :; do sleep 1; done) &\nwhile :; do sleep 1; done', timeoutMs: 1_500 }, ['begins'], 'it was stopped at its time limit of 1.5 s'],
  ] as const)('ends at its limit of %s, which is told', async (_what, over, lines, words) => {
    const { result, lines: told } = await run(over);
    expect(told.slice(0, 1)).toEqual(lines);
    expect(result).toEqual({ kind: 'failed', changed: true, summary: `${over.type} did not end well: ${words}` });
  });

  it('has no more processes than its limit', async () => {
    const script = 'import os, time\nmade = 0\ntry:\n  while made < 500:\n    if os.fork() == 0: time.sleep(60)\n    made += 1\nexcept OSError as error: print(error.strerror, made < 32)';
    const { result, lines } = await run({ type: 'python', script });
    expect(lines).toEqual(['Resource temporarily unavailable True']);
    expect(result.kind).toBe('done');
  });

  it('is not kept beyond its limit of output, and runs on', async () => {
    const { result, lines } = await run({ script: 'yes 123456789 | head -n 100000; echo it runs on > /tmp/end; cat /tmp/end', sandbox: aSandbox({ outputBytes: 10_000 }) });
    expect(lines.slice(0, 2)).toEqual(['123456789', '123456789']);
    expect([lines.length, lines.at(-1)]).toEqual([1_001, '(what it printed beyond 10000 bytes was not kept)']);
    expect(result.kind).toBe('done');
  });

  it('finds its secrets as files, and none of them is told', async () => {
    const value = 'correct horse\nbattery "staple"';
    const { namespace } = world.cluster;
    await world.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'shop', namespace }, stringData: { password: value, other: 'not given' } }, { fieldManager: 'test' });
    const script = 'import base64\nvalue = open("/run/secrets/shop-password").read()\nprint(value)\nprint("x" + base64.b64encode(value.encode()).decode())\nimport os\nprint(os.listdir("/run/secrets/"))';
    const { lines, result } = await run({ type: 'python', script: script.replace('os.listdir("/run/secrets/")', 'sorted(name for name in os.listdir("/run/secrets/") if name[0] != ".")'), sandbox: aSandbox({ secrets: ['shop-password'] }) }, { jobs: { secrets: { 'shop-password': { secret: 'shop', key: 'password' } } } });
    expect(result.kind).toBe('done');
    expect(lines).toEqual(['[redacted:shop-password]', '', '[redacted:shop-password]', "['shop-password']"]);
  });
});

describe('a Job that starts its pod twice', () => {
  it('runs its script once: the second pod is refused, and its Job knows which one ran', async () => {
    const name = newKey();
    const began = signalOf();
    const script = `${world.aScript({}, name).script}\nwhile [ ! -e /tmp/go ]; do sleep 0.2; i=$((i+1)); [ $i -lt 40 ] || break; done\necho ends`;
    const { executor } = world.openExecutor();
    const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript({ script })), key: newKey(), snapshot: null };
    const { options, lines } = toTelling({ onOutput: (line) => (lines.push(line), began.tell()) });
    const running = executor.run(workspaceId, change, options);
    await began.told;
    const [first] = await listPods(change);
    const { nodeName: _, ...spec } = (first?.['spec'] ?? {}) as Readonly<Record<string, Json>>;
    const { namespace } = world.cluster;
    const second = { apiVersion: 'v1', kind: 'Pod', name: 'second', namespace };
    await world.client.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'second', namespace }, spec }, { fieldManager: 'test' });
    const pod = await until('the second pod to end', async () => {
      const now = await world.client.read(second);
      return (now?.['status'] as { readonly phase?: string } | undefined)?.phase === 'Failed' && now;
    });
    expect(JSON.stringify(pod['status'])).toContain('Another pod has claimed this execution');
    expect(await running).toMatchObject({ kind: 'done', summary: expect.stringContaining(first?.metadata.name ?? '') });
    expect([world.countTold(name), lines.at(-1)]).toEqual([1, 'ends']);
  });

  it('whose pod is taken away once it has claimed does not say what became of it, and makes no other', async () => {
    const name = newKey();
    const began = signalOf();
    const { executor } = world.openExecutor();
    const script = `${world.aScript({}, name).script}\nsleep 60`;
    const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript({ script })), key: newKey(), snapshot: null };
    let handle = '';
    const running = executor.run(workspaceId, change, toTelling({ onOutput: began.tell, begin: async (noted) => void (handle = noted) }).options);
    const ended = running.then(({ kind, ...more }) => [kind, more], (error: unknown) => [(error as { readonly kind?: string }).kind]);
    await began.told;
    const [pod] = await listPods(change);
    await world.client.remove({ apiVersion: 'v1', kind: 'Pod', name: pod?.metadata.name ?? '', namespace: world.cluster.namespace }, { uid: pod === undefined ? '' : uidOf(pod) });
    // What its container last said may still have been seen.
    expect([['outcomeUnknown'], ['failed', { changed: true, summary: 'bash did not end well: it was stopped' }]]).toContainEqual(await ended);
    const job = await world.client.read(jobOf(change));
    if (job !== undefined) await world.client.remove(jobOf(change), { uid: uidOf(job), propagation: 'Foreground' });
    await until('the Job to be gone', async () => (await world.client.read(jobOf(change))) === undefined);
    await expect(executor.settle(workspaceId, change, handle, toTelling().options)).rejects.toMatchObject({ kind: 'outcomeUnknown' });
    expect(world.countTold(name)).toBe(1);
  });

  it('runs nothing while the kill switch is on', async () => {
    const name = newKey();
    await throwSwitch(world.api.db, { workspaceId, scope: 'workspace', on: true, person: 'ana', reason: 'freeze' });
    try {
      const { result, lines } = await run(world.aScript({}, name));
      expect(result).toEqual({ kind: 'failed', changed: false, summary: expect.stringContaining('The kill switch is on') });
      expect([world.countTold(name), lines]).toEqual([0, []]);
    } finally {
      await throwSwitch(world.api.db, { workspaceId, scope: 'workspace', on: false, person: 'ana', reason: 'over' });
    }
  });
});

describe('a pod of a Job', () => {
  it.each([
    ['a page', () => '<html>Please sign in</html>'],
    ['what was asked', (body: string) => body],
    ['the name of another pod', (_body: string, key: string) => JSON.stringify({ key, pod: 'other' })],
  ])('runs nothing where something else answers 200 with %s', async (_what, answer) => {
    const name = newKey();
    const portal = createServer((request, reply) => void text(request).then((body) => reply.end(answer(body, request.url?.split('/').at(-2) ?? ''))));
    await new Promise<void>((resolve) => portal.listen(0, '0.0.0.0', resolve));
    try {
      const { port } = portal.address() as AddressInfo;
      const { result, lines } = await run(world.aScript({}, name), { jobs: { apiUrl: `http://${world.address}:${port}` } });
      expect(result).toEqual({ kind: 'failed', changed: false, summary: expect.stringMatching(/^the script was not run: what answers at .* is not Sluice/) });
      expect([world.countTold(name), lines]).toEqual([0, []]);
    } finally {
      portal.close();
    }
  });
});

describe('a worker of a Job', () => {
  it('may die again and again: the next one goes on with the output where it was, and nothing is run twice', async () => {
    const name = newKey();
    const script = `${world.aScript({}, name).script}\nfor i in $(printf '%s ' {1..300}); do echo line $i; [ $((i % 10)) -ne 0 ] || sleep 0.1; done`;
    const { executor } = world.openExecutor();
    const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript({ script })), key: newKey(), snapshot: null };
    const lines: string[] = [];
    let handle = '';
    let deaths = 0;
    const attempt = async () => {
      const dies = new AbortController();
      const diesAt = lines.length + 40;
      const { options } = toTelling({
        signal: dies.signal,
        toldLines: lines.length,
        begin: async (noted) => void (handle = noted),
        // What it would tell after its death is told to nobody.
        onOutput: (line) => (dies.signal.aborted || lines.push(line), lines.length === diesAt && deaths < 4 && (deaths += 1, dies.abort(new Error('WORKER_SHUTDOWN')))),
      });
      return handle === '' ? executor.run(workspaceId, change, options) : executor.settle(workspaceId, change, handle, options);
    };
    const result = await until('the result', () => attempt().catch((error: Error) => (error.message === 'WORKER_SHUTDOWN' ? undefined : Promise.reject(error))), 60_000);
    expect(result.kind).toBe('done');
    expect([deaths, world.countTold(name)]).toEqual([4, 1]);
    expect(lines.slice(2)).toEqual(Array.from({ length: 300 }, (_, index) => `line ${index + 1}`));
  });

  it('keeps a secret out of the output that has changed since: the script goes on with the value that it was given', async () => {
    const { namespace } = world.cluster;
    const have = (value: string) => world.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'turning', namespace }, stringData: { token: value } }, { fieldManager: 'test' });
    await have('first-value');
    const { executor } = world.openExecutor({ secrets: { token: { secret: 'turning', key: 'token' } } });
    const step = await freezeStep(executor, workspaceId, world.aScript({ script: 'value=$(cat /run/secrets/token); echo "$value"; sleep 2; echo "$value"', sandbox: aSandbox({ secrets: ['token'] }) }));
    const change: Change = { kind: 'execute', step, key: newKey(), snapshot: null };
    const dies = new AbortController();
    let handle = '';
    const { options, lines } = toTelling({ signal: dies.signal, begin: async (noted) => void (handle = noted), onOutput: (line) => (lines.push(line), dies.abort(new Error('WORKER_SHUTDOWN'))) });
    await expect(executor.run(workspaceId, change, options)).rejects.toThrow('WORKER_SHUTDOWN');
    await have('second-value');
    // What a node mounts of another Secret it would renew.
    const [pod] = await listPods(change);
    expect(JSON.stringify(pod?.['spec'])).not.toContain('turning');
    expect(await executor.settle(workspaceId, change, handle, toTelling({ toldLines: 1, onOutput: (line) => lines.push(line) }).options)).toMatchObject({ kind: 'done' });
    expect(lines).toEqual(['[redacted:token]', '[redacted:token]']);
  });

  it('shows no more of the output once nobody knows what to keep out of it', async () => {
    const { namespace } = world.cluster;
    await world.client.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'known', namespace }, stringData: { token: 'some-value' } }, { fieldManager: 'test' });
    const { executor } = world.openExecutor({ secrets: { token: { secret: 'known', key: 'token' } } });
    const step = await freezeStep(executor, workspaceId, world.aScript({ script: 'echo begins; sleep 2; cat /run/secrets/token', sandbox: aSandbox({ secrets: ['token'] }) }));
    const change: Change = { kind: 'execute', step, key: newKey(), snapshot: null };
    const dies = new AbortController();
    let handle = '';
    const { options, lines } = toTelling({ signal: dies.signal, begin: async (noted) => void (handle = noted), onOutput: (line) => (lines.push(line), dies.abort(new Error('WORKER_SHUTDOWN'))) });
    await expect(executor.run(workspaceId, change, options)).rejects.toThrow('WORKER_SHUTDOWN');
    const own = { apiVersion: 'v1', kind: 'Secret', name: `sluice-${change.key}`, namespace };
    const secret = await world.client.read(own);
    await world.client.remove(own, { uid: secret === undefined ? '' : uidOf(secret) });
    expect(await executor.settle(workspaceId, change, handle, toTelling({ toldLines: 1, onOutput: (line) => lines.push(line) }).options)).toMatchObject({ kind: 'done' });
    expect(lines).toEqual(['begins', expect.stringContaining('its Secret is gone')]);
  });

  it('that is told to stop stops the script, and leaves nothing of it', async () => {
    const began = signalOf();
    const stop = new AbortController();
    const { executor } = world.openExecutor();
    const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript({ script: 'trap "" TERM\necho begins\nwhile :; do sleep 1; done' })), key: newKey(), snapshot: null };
    const running = executor.run(workspaceId, change, toTelling({ signal: stop.signal, onOutput: began.tell }).options);
    await began.told;
    expect((await listLeft(change)).map((line) => line.split(' ')[0])).toEqual(['Job', 'Pod', 'Secret', 'NetworkPolicy']);
    const policy = await world.client.read({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: `sluice-${change.key}`, namespace: world.cluster.namespace });
    const { hostname, port } = new URL(world.apiUrl);
    expect(policy?.['spec']).toEqual({
      podSelector: { matchLabels: { 'sluice.dev/execution': change.key } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ to: [{ ipBlock: { cidr: `${hostname}/32` } }], ports: [{ protocol: 'TCP', port: Number(port) }] }],
    });
    stop.abort();
    expect(await running).toEqual({ kind: 'failed', changed: true, summary: 'the script was stopped while it ran; what it had done by then stays' });
    expect(await listLeft(change)).toEqual([]);
  });
});

describe('a Job that does not start', () => {
  it('is given up in words after a while, and taken away', async () => {
    const { executor } = world.openExecutor({ image: 'localhost/not-there:1' }, { startWithinMs: 3_000 });
    const change: Change = { kind: 'execute', step: await freezeStep(executor, workspaceId, world.aScript()), key: newKey(), snapshot: null };
    let handle = '';
    const result = await executor.run(workspaceId, change, toTelling({ begin: async (noted) => void (handle = noted) }).options);
    expect(result).toEqual({ kind: 'failed', changed: false, summary: expect.stringMatching(/no pod of it started within 3 s: .*localhost\/not-there:1/) });
    expect(await listLeft(change)).toEqual([]);
    expect(await executor.settle(workspaceId, change, handle, toTelling().options)).toEqual({ kind: 'notDone' });
  });

  it.each([
    ['paths of a host', { sandbox: aSandbox({ paths: ['/etc/shop'] }) }, {}, '/etc/shop: a script in a pod has no files of a host to change'],
    ['a secret that the target does not name', { sandbox: aSandbox({ secrets: ['other'] }) }, {}, 'the target gives scripts no secret other'],
    ['a secret that is not there', { sandbox: aSandbox({ secrets: ['token'] }) }, { secrets: { token: { secret: 'nothing', key: 'token' } } }, 'has no secret/nothing with the key token'],
    ['a service account that is not there', {}, { serviceAccount: 'nobody' }, 'the cluster refuses its Pod: .*nobody'],
  ])('is found out when it is rehearsed: %s', async (_what, over, jobs, words) => {
    const { executor } = world.openExecutor(jobs);
    expect(await executor.rehearse(workspaceId, world.aScript(over))).toEqual({ found: false, lines: [expect.stringMatching(words)] });
  });

  it('is rehearsed with all that it is given', async () => {
    const { executor } = world.openExecutor({ serviceAccount: 'default' });
    const { lines } = await executor.rehearse(workspaceId, world.aScript());
    expect(lines.join('\n')).toMatch(/96 MiB of memory.*32 processes[^]*rights of service account default[^]*network: only to .* to claim, and to the API of the cluster/);
  });
});

it('a script with a service account needs the rights of the documents, and says which one is missing', async () => {
  const { namespace } = world.cluster;
  const page = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const documented = [...page.matchAll(/```yaml\n(apiVersion: rbac[^]*?)```/g)].flatMap(([, yaml = '']) => parseAllDocuments(yaml).map((one) => one.toJS() as KubernetesObject));
  const [there, elsewhere] = ['shop', 'default'].map((place) => documented.find(({ kind, metadata }) => kind === 'Role' && metadata.namespace === place));
  const as = await world.openAccount('worker');
  const { executor } = world.openExecutor({ serviceAccount: 'default' }, { as: as.kubeconfig });
  try {
    await as.grant(namespace, there);
    expect(await executor.rehearse(workspaceId, world.aScript())).toEqual({ found: false, lines: [expect.stringMatching(/the credentials of target shop may not .* in namespace default/)] });
    await as.grant('default', elsewhere);
    expect(await executor.rehearse(workspaceId, world.aScript())).toMatchObject({ found: true });
  } finally {
    await as.close();
  }
});

it('a script with a service account has its rights, and no other', async () => {
  const script = [
    'import json, ssl, os, urllib.request, urllib.error',
    'folder = "/var/run/secrets/kubernetes.io/serviceaccount/"',
    'def ask(path):',
    '  request = urllib.request.Request("https://" + os.environ["KUBERNETES_SERVICE_HOST"] + path, headers={"authorization": "Bearer " + open(folder + "token").read()})',
    '  context = ssl.create_default_context(cafile=folder + "ca.crt")',
    '  try: return urllib.request.urlopen(request, context=context).status',
    '  except urllib.error.HTTPError as error: return json.load(error)["message"].split(" cannot ")[0]',
    'print(open(folder + "namespace").read(), ask("/api/v1/pods"))',
  ].join('\n');
  const { namespace } = world.cluster;
  const { result, lines } = await run({ type: 'python', script }, { jobs: { serviceAccount: 'default' } });
  expect([lines, result.kind]).toEqual([[expect.stringContaining(`system:serviceaccount:${namespace}:default`)], 'done']);
});

/** All that is there of an execution. */
async function listLeft({ key }: Change): Promise<readonly string[]> {
  const kinds = [['batch/v1', 'Job'], ['v1', 'Pod'], ['v1', 'Secret'], ['networking.k8s.io/v1', 'NetworkPolicy']] as const;
  const found = await Promise.all(kinds.map(([apiVersion, kind]) => world.client.list(apiVersion, kind, world.cluster.namespace, `sluice.dev/execution=${key}`)));
  return found.flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

/** Told once or more, awaited by whoever likes. */
function signalOf() {
  let tell = () => {};
  const told = new Promise<void>((resolve) => (tell = resolve));
  return { told, tell: () => tell() };
}
