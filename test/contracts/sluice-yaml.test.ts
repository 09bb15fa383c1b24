import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readSluiceYaml, WrongSluiceYaml } from '../../contracts/sluice-yaml.js';

const whole = readFileSync(new URL('../../cli/demo/sluice.yaml', import.meta.url), 'utf8');

const config = readFileSync(new URL('../../cli/demo/checkout/sluice.yaml', import.meta.url), 'utf8');

describe('sluice.yaml', () => {
  it('of the demo is read whole', () => {
    expect(readSluiceYaml(whole)).toEqual([
      {
        id: 'demo',
        sweepEveryMs: null,
        channels: [],
        startingPolicy: {
          autonomy: 'supervised',
          approvers: { session: 'responder', row: 'responder', file: 'responder', pod: 'responder', workload: 'responder', namespace: 'supervisor', host: 'supervisor', cluster: 'supervisor' },
          breakGlass: true,
          skipVerificationGate: false,
          escalateMs: 14_400_000,
          groups: ['responders', 'supervisors'],
          evidenceValidMs: 3_600_000,
          cooldownMs: 1_000,
          maxTries: 100,
          triesWithinMs: 86_400_000,
          stabilizationMs: 20_000,
          gateWaitMs: 86_400_000,
          gateRemindMs: 3_600_000,
          verificationEscalateMs: 3_600_000,
          maxRounds: 3,
          approvals: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 2 },
          onFailedVerification: 'ask',
          snapshotKeptMs: 604_800_000,
        },
        alertRules: [{ match: { service: 'shop' }, targets: ['shop-db', 'shop'] }],
        targets: [
          {
            kind: 'postgres',
            name: 'shop-db',
            connection: { env: 'SHOP_DATABASE_URL' },
            executor: 'sql',
            detectors: [{ kind: 'postgres', thresholds: { lockWait: 1_000, blockedSessions: 3, idleInTransaction: 300_000, connections: 90 } }],
          },
          {
            kind: 'http',
            name: 'shop',
            url: { env: 'SHOP_URL' },
            detectors: [
              {
                kind: 'http-probe',
                path: '/stats',
                timeoutMs: 5_000,
                availabilityPercent: 99,
                latencyMs: 2_000,
                readings: [{ name: 'p99', title: "p99 latency of the shop's clients", field: 'p99Ms', unit: 'ms', threshold: 500 }],
              },
            ],
          },
        ],
      },
    ]);
  });

  it('of the other demo is read whole', () => {
    expect(readSluiceYaml(config)).toMatchObject([
      {
        sweepEveryMs: 1_000,
        startingPolicy: { stabilizationMs: 6_000 },
        targets: [
          { kind: 'http', name: 'checkout' },
          { kind: 'config-file', name: 'checkout-config', path: { env: 'CHECKOUT_CONFIG' }, executor: 'config-patch', serves: ['checkout'], detectors: [{ kind: 'config-file' }] },
        ],
      },
    ]);
  });

  it('gives what is not said its default', () => {
    const [workspace] = readSluiceYaml(config.replace('        executor: config-patch', '').replace('{ env: CHECKOUT_CONFIG }', '/etc/checkout.json'));
    expect(workspace).toMatchObject({
      startingPolicy: { approvals: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 2 }, onFailedVerification: 'ask', snapshotKeptMs: 604_800_000 },
      targets: [{}, { path: '/etc/checkout.json', executor: null }],
    });
  });

  it('says who approves, what follows a failed verification and how long a change can be taken back', () => {
    const text = whole.replace(/approvals: .*/, 'approvals: { HIGH: 3 }').replace('onFailedVerification: ask', 'onFailedVerification: rollBack').replace('keep: 7d', 'keep: 1h');
    expect(readSluiceYaml(text)).toMatchObject([{ startingPolicy: { approvals: { LOW: 1, MEDIUM: 1, HIGH: 3, CRITICAL: 2 }, onFailedVerification: 'rollBack', snapshotKeptMs: 3_600_000 } }]);
  });

  it('says how much is left to people, whom it calls, and what it does not try again', () => {
    const said = {
      autonomy: 'observe',
      approvers: '{ file: admin }',
      breakGlass: 'false',
      verificationGate: '{ escalate: 1h, skipAutomatic: true }',
      escalation: '{ after: 5m, groups: [night-shift] }',
      evidence: '{ valid: 2m }',
      cooldown: '3m',
      breaker: '{ tries: 2, within: 4h }',
    };
    const text = Object.entries(said).reduce((before, [key, value]) => before.replace(new RegExp(`^    ${key}: .*`, 'm'), `    ${key}: ${value}`), whole);
    expect(readSluiceYaml(text)[0]?.startingPolicy).toMatchObject({
      autonomy: 'observe',
      approvers: { session: 'responder', row: 'responder', file: 'admin' },
      breakGlass: false,
      skipVerificationGate: true,
      escalateMs: 300_000,
      groups: ['night-shift'],
      evidenceValidMs: 120_000,
      cooldownMs: 180_000,
      maxTries: 2,
      triesWithinMs: 14_400_000,
    });
  });

  it.each([
    ['autonomy', 'full', 7, 'autonomy'],
    // Only an admin gives that much away, and the API signs it.
    ['autonomy', 'confidence', 7, 'autonomy'],
    ['verificationGate', '{ skipAutomatic: maybe }', 11, 'verificationGate.skipAutomatic'],
    ['escalation', '{ after: soon }', 12, 'escalation.after'],
    ['escalation', '{ groups: [] }', 12, 'escalation.groups'],
    ['escalation', '{ groups: [a, a] }', 12, 'escalation.groups'],
    ['escalation', '{ groups: [A Team] }', 12, 'escalation.groups.0'],
    ['approvers', '{ file: viewer }', 15, 'approvers.file'],
    ['approvers', '{ file: agent }', 15, 'approvers.file'],
    ['approvers', '{ planet: admin }', 15, 'approvers.planet'],
    ['breakGlass', 'often', 16, 'breakGlass'],
    ['cooldown', '-1m', 18, 'cooldown'],
    ['breaker', '{ tries: 0 }', 19, 'breaker.tries'],
    ['breaker', '{ within: 0h }', 19, 'breaker.within'],
    ['evidence', '{ valid: 0s }', 20, 'evidence.valid'],
    ['evidence', '{}', 20, 'evidence'],
  ])('names the line where %s is %s', (key, value, line, path) => {
    const text = whole.replace(new RegExp(`^    ${key}: .*`, 'm'), `    ${key}: ${value}`);
    expect(() => readSluiceYaml(text)).toThrow(`line ${line}: workspaces.demo.${path} `);
  });

  it.each([
    { mistake: 'a served target that is none', text: config.replace('serves: [checkout]', 'serves: [checkuot]'), says: /line 22: .*checkout-config\.serves names checkuot, which is no target$/ },
    { mistake: 'a served target of which nothing is measured', text: config.replace('serves: [checkout]', 'serves: [checkout-config]'), says: /line 22: .*names checkout-config, of which nothing is measured/ },
    { mistake: 'a file that serves nothing', text: config.replace('serves: [checkout]', 'serves: []'), says: /line 22: .*serves must not have fewer than 1 items/ },
    { mistake: 'a file without what it serves', text: config.replace('serves: [checkout]', ''), says: /line 20: .*checkout-config is of kind config-file and needs serves$/ },
    { mistake: 'a file without its place', text: config.replace('path: { env', 'x: { env'), says: /line 21: .*checkout-config\.x is unknown here/ },
    { mistake: 'a file in nobody knows which folder', text: config.replace('{ env: CHECKOUT_CONFIG }', 'checkout.yaml'), says: /line 21: .*checkout-config\.path/ },
    { mistake: 'a file of an unknown format', text: config.replace('{ env: CHECKOUT_CONFIG }', '/etc/checkout.toml'), says: /line 21: .*checkout-config\.path/ },
    { mistake: 'an executor of another kind', text: config.replace('executor: config-patch', 'executor: sql'), says: /line 23: .*executor must be config-patch where the kind is config-file$/ },
    { mistake: 'an executor where none fits', text: config.replace('probe:', 'executor: sql\n        probe:'), says: /line 14: .*executor does not belong to kind http$/ },
    { mistake: 'a file that nobody looks at', text: config.replace(/ {4}sweep: .*/, ''), says: /line 20: .*checkout-config is a configuration file, and its workspace needs sweep/ },
    { mistake: 'one person for what is critical', text: whole.replace('CRITICAL: 2', 'CRITICAL: 1'), says: /line 14: .*approvals\.CRITICAL must be >= 2/ },
    { mistake: 'more people than there are', text: whole.replace('LOW: 1', 'LOW: 6'), says: /line 14: .*approvals\.LOW must be <= 5/ },
    { mistake: 'an answer that there is not', text: whole.replace('onFailedVerification: ask', 'onFailedVerification: hope'), says: /line 21: .*onFailedVerification/ },
    { mistake: 'a snapshot that is not kept', text: whole.replace('keep: 7d', 'keep: 0d'), says: /line 22: .*snapshots\.keep must be a duration/ },
    { mistake: 'a duration in words', text: whole.replace('stabilization: 20s', 'stabilization: twenty'), says: /line 9: workspaces\.demo\.stabilization/ },
    { mistake: 'a duration of nothing', text: whole.replace('lockWait: 1s', 'lockWait: 0s'), says: /line 31: .*lockWait must be a duration .* from 1ms to 3650d$/ },
    { mistake: 'a duration of centuries', text: whole.replace('wait: 24h', 'wait: 99999999999999999d'), says: /line 10: .*executionGate\.wait must be a duration/ },
    { mistake: 'a probe that outlasts the measuring', text: whole.replace('path: /stats', 'timeout: 31s'), says: /line \d+: .*probe\.timeout must be a duration .* from 1ms to 30s/ },
    { mistake: 'a sweep that never rests', text: whole.replace('# sweep: { every: 1m }', 'sweep: { every: 1ms }'), says: /line \d+: .*sweep\.every must be a duration .* from 1s to/ },
    { mistake: 'a number without end', text: whole.replace('blockedSessions: 3', 'blockedSessions: 1e300'), says: /line \d+: .*blockedSessions must be <=/ },
    { mistake: 'a rule that names what every object has', text: whole.replace('targets: [shop-db, shop]', 'targets: [constructor]'), says: /line \d+: .*names constructor, which is no target/ },
    { mistake: 'an unknown key', text: whole.replace('maxRounds: 3', 'maxRound: 3'), says: /^sluice.yaml is wrong:\n  line 13: workspaces\.demo\.maxRound is unknown here$/ },
    { mistake: 'a rule that names no target', text: whole.replace('targets: [shop-db, shop]', 'targets: [shop-bd]'), says: /line \d+: .*names shop-bd, which is no target/ },
    { mistake: 'a target without its address', text: whole.replace('url: { env: SHOP_URL }', ''), says: /line \d+: workspaces\.demo\.targets\.shop is of kind http and needs url/ },
    { mistake: 'a key of another kind', text: whole.replace('executor: sql #', 'url: http://x #'), says: /line \d+: .*url does not belong to kind postgres/ },
    { mistake: 'a secret in plain', text: whole.replace('{ env: SHOP_DATABASE_URL }', 'postgres://u:p@h/d'), says: /line 28: workspaces\.demo\.targets\.shop-db\.connection/ },
    { mistake: 'YAML that is none', text: 'version: 1\nworkspaces: [', says: /line \d+:/ },
    { mistake: 'a key twice', text: 'version: 1\nversion: 1\nworkspaces: {}', says: /line \d+:/ },
    { mistake: 'no workspace', text: 'version: 1\nworkspaces: {}', says: /line 2: workspaces/ },
  ])('names the line of $mistake', ({ text, says }) => expect(() => readSluiceYaml(text)).toThrow(says));

  it.each([
    ['aliases that grow without end', ['a: &a [x,x,x,x,x,x,x,x,x,x]', 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]', 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]', 'd: [*c,*c,*c]'].join('\n')],
    ['an alias of nothing', 'version: *nothing'],
    ['brackets without end', '['.repeat(20_000)],
  ])('refuses %s in words', (_what, text) => expect(() => readSluiceYaml(text)).toThrow(WrongSluiceYaml));

  it('names every mistake at once', () => {
    expect(() => readSluiceYaml(whole.replace('version: 1', 'version: 2').replace('maxRounds: 3', 'maxRounds: 0'))).toThrow(/version[\s\S]*maxRounds/);
  });
});
