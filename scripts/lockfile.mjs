// What the lockfile must keep true: it installs on the oldest Node that we support, and Temporal's packages have one version.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import semver from 'semver';

const oldestNode = '20.20.2';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const packages = Object.entries(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages);

const troubles = [];
for (const [path, { engines, optional, version }] of packages) {
  // Optional packages are those of other platforms; npm leaves out what does not fit.
  if (engines?.node && !optional && !semver.satisfies(oldestNode, engines.node)) {
    troubles.push(`${path} ${version} needs Node ${engines.node}, which ${oldestNode} is not`);
  }
}

const temporal = packages.filter(([path]) => /node_modules\/@temporalio\/[^/]+$/.test(path));
const versions = new Set(temporal.map(([, { version }]) => version));
if (versions.size !== 1) troubles.push(`@temporalio/* must have one version, not: ${temporal.map(([path, { version }]) => `${path} ${version}`).join(', ')}`);

for (const trouble of troubles) process.stderr.write(`${trouble}\n`);
process.exit(troubles.length === 0 ? 0 : 1);
