// What the lockfile must keep true: it installs on the oldest Node that we support and on every platform, and Temporal's packages have one version.
// With --complete it adds the platform packages that npm left out because its registry did not serve them; npm ci refuses a lockfile without them.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import semver from 'semver';

const oldestNode = '20.20.2';
const path = join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json');
const lockfile = JSON.parse(readFileSync(path, 'utf8'));
const { packages } = lockfile;

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Where npm would look for a package that this one asks for. */
function find(from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return undefined;
  }
}

/** The packages for one system and processor, told by their names, that others ask for and the lockfile lacks. */
function missingForPlatforms() {
  return Object.entries(packages).flatMap(([parent, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies).flatMap(([name, version]) => {
      const words = name.split(/[/-]/);
      const os = systems.filter((system) => words.includes(system));
      const cpu = processors.filter((processor) => words.includes(processor));
      if (os.length === 0 || cpu.length === 0 || !semver.valid(version) || find(parent, name)) return [];
      const libc = name.includes('musl') ? ['musl'] : name.includes('gnu') ? ['glibc'] : [];
      return [{ place: `node_modules/${name}`, entry: { version, cpu, ...(dev && { dev }), ...(os[0] === 'linux' && libc.length > 0 && { libc }), optional: true, os } }];
    }),
  );
}

if (process.argv.includes('--complete')) {
  for (const { place, entry } of missingForPlatforms()) packages[place] = entry;
  lockfile.packages = Object.fromEntries(Object.entries(packages).sort(([one], [other]) => one.localeCompare(other, 'en')));
  writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
}

const troubles = missingForPlatforms().map(({ place, entry }) => `${place} ${entry.version} is missing: run node scripts/lockfile.mjs --complete`);
for (const [place, { engines, optional, version }] of Object.entries(packages)) {
  // Optional packages are those of other platforms; npm leaves out what does not fit.
  if (engines?.node && !optional && !semver.satisfies(oldestNode, engines.node)) {
    troubles.push(`${place} ${version} needs Node ${engines.node}, which ${oldestNode} is not`);
  }
}
const temporal = Object.entries(packages).filter(([place]) => /node_modules\/@temporalio\/[^/]+$/.test(place));
if (new Set(temporal.map(([, { version }]) => version)).size !== 1) {
  troubles.push(`@temporalio/* must have one version, not: ${temporal.map(([place, { version }]) => `${place} ${version}`).join(', ')}`);
}

for (const trouble of troubles) process.stderr.write(`${trouble}\n`);
process.exit(troubles.length === 0 ? 0 : 1);
