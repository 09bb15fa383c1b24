import { afterEach, describe, expect, it } from '@jest/globals';
import { openCluster } from '../../cli/demo/kubernetes/cluster.js';
import { startDemo, type Demo } from '../harness/demo.js';
import { image, kubeconfig } from '../harness/kubernetes.js';
import { until } from '../harness/until.js';

process.env['DEMO_IMAGE'] = image;

let demo: Demo;
afterEach(() => demo.close());

const namespaceOf = async (): Promise<string> => (await demo.says(/in the namespace (sluice-demo-\w+)/))[1] ?? '';
const isGone = (namespace: string): Promise<boolean> => until(`the end of ${namespace}`, async () => !(await openCluster(kubeconfig, namespace).hasNamespace()), 60_000);

describe('npm run demo -- --scenario kubernetes', () => {
  it('undoes a rollout that fails and mends a Service that finds no pods, closes both as RESOLVED, takes the last one back, and leaves nothing behind', async () => {
    demo = await startDemo('--scenario', 'kubernetes', '--yes', '--then-rollback');
    const namespace = await namespaceOf();
    expect({ code: await demo.ended, output: demo.output() }).toMatchObject({ code: 0 });
    expect(demo.output()).toMatch(
      new RegExp(
        [
          'What is in the namespace is now the last known good',
          'Now a pipeline rolls out v2.4.1, whose image \\S+-v2\\.4\\.1 nobody has pushed',
          '⚠️ DETECTION \\[SUCCESS\\]\n   .*\n[\\s\\S]*pods that cannot start',
          `🤔 PROPOSAL_FIX \\[SUCCESS\\]\n   Root cause: .*deployment/shop.*${image}.*-v2\\.4\\.1`,
          '⏸️ EXECUTION_GATE \\[PENDING_HUMAN_APPROVAL\\]\n   Action required.*\n   Proposed remediation: Rollback Deployment, 1 step, digest [0-9a-f]{4}…\n   Risk: MEDIUM.*Way back: rollback, kept for 7d',
          `Rehearsed:\n[\\s\\S]*\\| *-.*image: ${image}-v2\\.4\\.1\n[\\s\\S]*\\| *\\+.*image: ${image}\n`,
          '🛠️ EXECUTION \\[SUCCESS\\]\n   Approved by demo-supervisor \\(supervisor\\)',
          '✅ CLOSED \\[SUCCESS\\]\n   RESOLVED. Detected \\d anomal(y|ies), executed Rollback Deployment',
          `deployment/shop runs ${image}, 2 of 2 pods are ready, service/shop answers welcome to shop v2\\.4\\.0`,
          'Now somebody edits service/shop, and its selector says app=shopp',
          '🤔 PROPOSAL_FIX \\[SUCCESS\\]\n   Root cause: .*service/shop.*/spec/selector/app .*shopp.*was .*shop',
          'Proposed remediation: Restore Last Known Good Configuration, 1 step',
          '✅ CLOSED \\[SUCCESS\\]\n   RESOLVED. Detected \\d anomal(y|ies), executed Restore Last Known Good Configuration',
          'service/shop answers welcome to shop v2\\.4\\.0',
          'ROLLED_BACK',
          'service/shop finds no pods again, as before the fix',
        ].join('[\\s\\S]*'),
      ),
    );
    expect(await isGone(namespace)).toBe(true);
  }, 400_000);

  it('takes its namespace away when it is interrupted', async () => {
    demo = await startDemo('--scenario', 'kubernetes');
    const namespace = await namespaceOf();
    await demo.says(/Run this plan\?/, 180_000);
    await demo.close();
    expect(await isGone(namespace)).toBe(true);
  }, 300_000);
});
