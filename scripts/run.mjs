// What `npm start`, `npm run demo`, `npm test` and `npm run verify` call. Nothing may be imported that is not part of Node: it installs the rest.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const needed = [20, 20];
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
const verbs = {
  start: ['--import', 'tsx', 'cli/local/main.ts'],
  demo: ['--import', 'tsx', 'cli/demo/main.ts'],
  // The configuration is named only because the list before it would take up what follows.
  test: [...jest, '--ignoreProjects', 'kubernetes', '--config', 'jest.config.js'],
  'test:kubernetes': [...jest, '--selectProjects', 'kubernetes', '--config', 'jest.config.js'],
  verify: ['scripts/verify.mjs'],
  bench: ['--import', 'tsx', 'test/bench/main.ts'],
  chaos: ['--import', 'tsx', 'test/chaos/main.ts'],
  attack: ['--import', 'tsx', 'test/attack/main.ts'],
  fuzz: ['--import', 'tsx', 'test/fuzz/main.ts'],
};

const say = (line) => process.stderr.write(`${line}\n`);

function refuse(message) {
  say(message);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > needed[0] || (major === needed[0] && minor >= needed[1])) return;
  refuse(`Sluice needs Node ${needed.join('.')} or later, and this is Node ${process.versions.node}.\n  What to do: install a later Node, for example the current LTS, and try again`);
}

/** Tests make and delete namespaces, so no cluster is taken that was not named for it. */
function checkCluster() {
  if (process.env.KUBECONFIG) return;
  refuse(
    'The tests on Kubernetes need a cluster, and KUBECONFIG names none.\n' +
      '  What to do: kind create cluster --kubeconfig ~/.kube/kind; export KUBECONFIG=~/.kube/kind DEMO_IMAGE=busybox:1.36; then try again',
  );
}

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));

/** npm writes down what it installed once it is through, so this also notices an installation that was interrupted. */
function isInstalled() {
  let installed;
  try {
    installed = readJson('node_modules/.package-lock.json').packages;
  } catch {
    return false;
  }
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, link, optional }]) => !path.includes('node_modules/') || link || optional || installed[path]?.version === version,
  );
}

/** Runs it in the foreground; the answer is what the shell would call its exit code. */
function runToEnd(command, args, { onTick = () => {}, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env });
    // A Ctrl-C reaches the child from the terminal too; it takes care of hearing it twice.
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    // npm runs us below a shell, which dies of a signal without passing it on.
    const parent = process.ppid;
    const watching = setInterval(() => process.env.npm_lifecycle_event && process.ppid !== parent && child.kill('SIGTERM'), 500);
    const startedAt = Date.now();
    const ticking = setInterval(() => onTick(Math.round((Date.now() - startedAt) / 1000)), 10_000);
    const settle = (action) => (value, signal) => {
      clearInterval(watching);
      clearInterval(ticking);
      for (const each of signals) process.off(each, forward);
      action(signal ? 128 + constants.signals[signal] : value);
    };
    child.once('error', settle(reject));
    child.once('exit', settle(resolve));
  });
}

async function install() {
  say('Installing dependencies with npm ci, about a minute');
  // The tools that start things are development dependencies, whatever NODE_ENV says.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const code = await runToEnd('npm', args, { onTick: (seconds) => say(`  installing, ${seconds} s`) }).catch((error) => {
    refuse(`npm could not be run: ${error.message}\n  What to do: install npm, which comes with Node, and try again`);
  });
  if (code === 0) return;
  if (code > 128) process.exit(code);
  refuse(
    'The dependencies could not be installed; npm says above why.\n' +
      '  What to do: without a network or behind a proxy, give npm one that reaches its registry (npm config set registry, npm config set proxy); with a full disk, make room; then try again',
  );
}

const [verb, ...rest] = process.argv.slice(2);
if (!(verb in verbs)) refuse(`usage: node scripts/run.mjs ${Object.keys(verbs).join('|')} [arguments]`);
checkNode();
if (verb === 'test:kubernetes') checkCluster();
if (!isInstalled()) await install();
process.exit(await runToEnd(process.execPath, [...verbs[verb], ...rest]));
