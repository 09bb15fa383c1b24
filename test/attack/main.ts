/** One file for each thing that is attacked; it takes the words after the name and returns the exit code. */
const attacks: Readonly<Record<string, () => Promise<(words: readonly string[]) => Promise<number>>>> = {
  gate: async () => (await import('./run-gate.js')).runGate,
  sandbox: async () => (await import('./run-sandbox.js')).runSandbox,
  secrets: async () => (await import('./run-secrets.js')).runSecrets,
};

const [what = '', ...words] = process.argv.slice(2);
const attack = Object.hasOwn(attacks, what) ? attacks[what] : undefined;
if (attack === undefined) {
  process.stderr.write(`usage: npm run attack -- ${Object.keys(attacks).join('|')} [options]; --help after the name says which options there are\n`);
  process.exit(2);
}
process.exit(await (await attack())(words));
