import { builtinModules } from 'node:module';

const folders = 'domain|contracts|validation|inspection|keys|workflows|activities|workers|api|db|cli|web|test';
const nodeBuiltin = { path: `^(node:)?(${builtinModules.join('|')})$` };

/** A folder may import only from the folders named here, from itself, and from the packages named here. */
const room = (name, { mayImport = [], packages = [] }) => [
  {
    name: `${name}-folders`,
    comment: `${name}/ may import only from: ${['itself', ...mayImport].join(', ')}`,
    severity: 'error',
    from: { path: `^${name}/` },
    to: { path: `^(${folders})/`, pathNot: `^(${[name, ...mayImport].join('|')})/` },
  },
  {
    name: `${name}-packages`,
    comment: `${name}/ may use only these packages: ${packages.join(', ') || 'none'}`,
    severity: 'error',
    from: { path: `^${name}/` },
    to: { path: 'node_modules/', pathNot: `node_modules/(@types/)?(${packages.join('|') || '(?!)'})/` },
  },
];

/** A package that only one place may name. */
const onlyIn = (place, packages, comment) => ({
  name: `${packages}-only-in-${place.replace(/\W+/g, '-')}`,
  comment,
  severity: 'error',
  from: { pathNot: `^(${place}|test/)` },
  to: { path: `node_modules/(@types/)?(${packages})/` },
});

export default {
  forbidden: [
    ...room('domain', {}),
    ...room('contracts', { mayImport: ['domain'], packages: ['typebox', 'yaml', '@temporalio/workflow'] }),
    ...room('validation', { mayImport: ['domain'], packages: ['libpg-query', 'jsonc-parser', 'yaml', 'unbash', 'sh-syntax', '@kubernetes/client-node'] }),
    ...room('inspection', { mayImport: ['domain', 'validation'], packages: ['tsx'] }),
    ...room('keys', { mayImport: ['domain'], packages: ['jose'] }),
    ...room('workflows', { mayImport: ['domain', 'contracts'], packages: ['@temporalio/workflow'] }),
    ...room('activities', { mayImport: ['domain', 'contracts', 'validation'], packages: ['@temporalio/activity', '@kubernetes/client-node', 'pg', 'diff'] }),
    ...room('db', { mayImport: ['domain'], packages: ['drizzle-orm', 'pg'] }),
    ...room('api', {
      mayImport: ['domain', 'contracts', 'inspection', 'db', 'keys'],
      packages: ['fastify', '@fastify/[^/]+', '@temporalio/(client|envconfig)', 'jose', 'pg', 'pino', 'typebox', 'yaml'],
    }),
    ...room('workers', {
      mayImport: ['domain', 'contracts', 'inspection', 'activities', 'db', 'keys'],
      packages: ['@temporalio/(worker|client|envconfig)', 'pg', 'pino', 'typebox', 'yaml'],
    }),
    ...room('cli', {
      mayImport: ['domain', 'contracts', 'validation', 'inspection', 'workers', 'api', 'db', 'keys'],
      packages: ['commander', 'eventsource-parser', 'fastify', 'pg', 'yaml', '@kubernetes/client-node', '@temporalio/(client|envconfig|worker|testing)'],
    }),
    ...room('web', { packages: ['[^/]+', '@[^/]+/[^/]+'] }),
    {
      name: 'messages-only-for-temporal',
      comment: 'only contracts/messages.ts may name the Temporal package; every other contract stays plain',
      severity: 'error',
      from: { path: '^contracts/', pathNot: '^contracts/messages\\.ts$' },
      to: { path: 'node_modules/@temporalio/' },
    },
    {
      name: 'no-node-in-sandbox',
      comment: 'nothing a workflow can reach may use a Node built-in, however many imports away',
      severity: 'error',
      from: { path: '^workflows/index\\.ts$' },
      to: { ...nodeBuiltin, reachable: true },
    },
    {
      name: 'pure-domain',
      comment: 'domain/ has no clock, no disk, no network',
      severity: 'error',
      from: { path: '^domain/' },
      to: nodeBuiltin,
    },
    {
      name: 'adapters-only-at-the-root',
      comment: 'only workers/ chooses real adapters; activities see ports',
      severity: 'error',
      from: { pathNot: '^(workers/|activities/adapters/|test/)' },
      to: { path: '^activities/adapters/' },
    },
    {
      name: 'vendors-only-in-adapters',
      comment: 'activities reach the world through ports; vendor packages stay behind them',
      severity: 'error',
      from: { path: '^activities/', pathNot: '^activities/adapters/' },
      to: { path: 'node_modules/(@types/)?(pg|diff|@kubernetes)/' },
    },
    onlyIn('cli/local/', '@temporalio/testing', 'outside tests only the download of Temporal uses it'),
    onlyIn('keys/|api/oidc\\.ts$', 'jose', 'what we sign, and what counts as signed by us, is said in one place; what an OIDC issuer signed, in another'),
    onlyIn('validation/', 'libpg-query', 'what a script means is judged in one place'),
    onlyIn('validation/bash/', 'unbash|sh-syntax', 'what bash reads is judged in one place'),
    onlyIn('validation/', 'jsonc-parser', 'how a configuration is read and edited is said in one place'),
    onlyIn('activities/adapters/kubernetes-|cli/demo/kubernetes/|validation/kubernetes/schema\\.ts$', '@kubernetes/client-node', 'what a kubeconfig means is said where it is read: for targets, and for those who change a cluster beside Sluice; the types of its models are what manifests are checked against'),
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-tests-in-code', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    {
      name: 'no-dead-files',
      comment: 'main.ts files and what a process is started from are not imported',
      severity: 'error',
      from: { orphan: true, pathNot: '(\\.d\\.ts|\\.config\\.(js|ts)|/main\\.ts|^test/.*|^web/.*)$' },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^web/dist/' },
  },
};
