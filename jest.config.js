const swc = (type) => ['@swc/jest', { swcrc: false, module: { type }, jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }];

/** Tests of these rooms need no server; `npm run verify` runs them. */
const pureRooms = 'domain|contracts|validation|keys|activities|scripts';

const common = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { 'node_modules/cookie/.+\\.js$': swc('commonjs'), '\\.ts$': swc('es6') },
  transformIgnorePatterns: ['/node_modules/(?!cookie/)'],
};

const servers = { globalSetup: '<rootDir>/test/harness/global-setup.js', globalTeardown: '<rootDir>/test/harness/global-teardown.js' };

export default {
  maxWorkers: 2,
  testTimeout: 30_000,
  reporters: ['default', '<rootDir>/test/harness/summary-reporter.js'],
  projects: [
    { ...common, displayName: 'pure', testRegex: `/test/((${pureRooms})/.*|[^/]+)\\.test\\.ts$` },
    {
      ...common,
      displayName: 'real',
      testRegex: `/test/(?!(${pureRooms}|kubernetes)/)[^/]+/.*\\.test\\.ts$`,
      ...servers,
    },
    // Only by `npm run test:kubernetes`: these need a cluster.
    { ...common, displayName: 'kubernetes', testRegex: '/test/kubernetes/.*\\.test\\.ts$', ...servers },
  ],
};
