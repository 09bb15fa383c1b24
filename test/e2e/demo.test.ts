import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startDemo, type Demo } from '../harness/demo.js';
import { describeInBrowser, openBrowser, openPage } from '../web/browser.js';

// What is refused where there is no cluster is refused here, whoever runs this.
delete process.env['KUBECONFIG'];

let demo: Demo;
afterEach(() => demo.close());

async function askShop<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[]): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: await demo.shopUrl() });
  await client.connect();
  const { rows } = await client.query<Row>(statement, [...values]);
  await client.end();
  return rows;
}

const brokenBy = async () => Number((await demo.says(/Now session (\d+)/))[1]);

describe('npm run demo', () => {
  it('with --yes repairs the shop, closes as RESOLVED with the measured improvement, and exits with 0', async () => {
    demo = await startDemo('--yes');
    expect({ code: await demo.ended, output: demo.output() }).toMatchObject({ code: 0 });
    expect(demo.output()).toMatch(
      new RegExp(
        [
          '🔍 DETECTION \\[IN_PROGRESS\\]\n   Measuring 8 signals',
          "⚠️ DETECTION \\[SUCCESS\\]\n   \\d anomalies, highest severity [\\d.]+/10 \\((HIGH|CRITICAL)\\)[\\s\\S]*- p99 latency of the shop's clients \\d+ ms \\(threshold 500 ms\\)",
          '🤔 PROPOSAL_FIX \\[SUCCESS\\]\n   Root cause: session \\d+ idle in transaction for [\\d.]+s, blocks \\d+ others \\(confidence 92\\)',
          '⏸️ EXECUTION_GATE \\[PENDING_HUMAN_APPROVAL\\]\n   Action required.*\n   Proposed remediation: Database Connection Reset, 1 step, digest [0-9a-f]{4}…\n   Risk: MEDIUM.*one-way\\)\n   Confidence 86 \\(HIGH\\). Waits for 1 responder until .* UTC',
          '🛠️ EXECUTION \\[SUCCESS\\]\n   Approved by demo-supervisor \\(supervisor\\).*\n   Execution log:\n   \\| terminated session \\d+ started .* UTC\n   Status: SUCCESS ✅ in [\\d.]+s',
          '⏸️ VERIFICATION_GATE \\[PENDING_HUMAN_APPROVAL\\]\n   .* → .*, sampled for [\\d.]+s',
          '🔍 VERIFICATION \\[SUCCESS\\]\n   All signals well for 20s. Improvement: \\+[\\d.]+%',
          '✅ CLOSED \\[SUCCESS\\]\n   RESOLVED. Detected \\d anomalies, executed Database Connection Reset, improved by [\\d.]+%, stable',
        ].join('[\\s\\S]*'),
      ),
    );
  }, 180_000);

  it('runs nothing and closes as RECOVERED when the session is ended by hand while the gate waits', async () => {
    demo = await startDemo();
    const pid = await brokenBy();
    await demo.says(/Run this plan\?/);
    await askShop('select pg_terminate_backend($1)', [pid]);
    await demo.says(/until you press Enter/);
    demo.type('');
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/CLOSED \[SUCCESS\]\n   RECOVERED\. Healthy again\. Nothing was run/);
    expect(demo.output()).not.toMatch(/EXECUTION \[|terminated session/);
  }, 180_000);

  it('runs nothing and closes as REJECTED when it is told to reject, and the session is still there', async () => {
    demo = await startDemo();
    const pid = await brokenBy();
    await demo.says(/Run this plan\?/);
    const isThere = () => askShop('select state from pg_stat_activity where pid = $1', [pid]);
    expect(await isThere()).toEqual([{ state: 'idle in transaction' }]);
    demo.type('reject');
    await demo.says(/CLOSED \[REJECTED\]\n   REJECTED\. Rejected by demo-supervisor/);
    await demo.says(new RegExp(`Session ${pid} is still there`));
    demo.type('');
    expect(await demo.ended).toBe(1);
    expect(demo.output()).not.toMatch(/EXECUTION \[/);
  }, 180_000);

  it('with --scenario config restores the changed configuration, and with --then-rollback takes that back, byte for byte', async () => {
    demo = await startDemo('--scenario', 'config', '--yes', '--then-rollback');
    expect({ code: await demo.ended, output: demo.output() }).toMatchObject({ code: 0 });
    expect(demo.output()).toMatch(
      new RegExp(
        [
          'Its configuration is now the last known good',
          'Now somebody sets the timeout of the payment provider from 2000 ms to 5 ms',
          '⚠️ DETECTION \\[SUCCESS\\]\n   .*\n   - failed checkouts \\d+ % \\(threshold 5 %\\)',
          '🤔 PROPOSAL_FIX \\[SUCCESS\\]\n   Root cause: checkout.yaml changed [\\d.]+s before: /provider/timeoutMs 5 \\(was 2000\\) \\(confidence 92\\)',
          '⏸️ EXECUTION_GATE \\[PENDING_HUMAN_APPROVAL\\]\n   Action required.*\n   Proposed remediation: Restore Last Known Good Configuration, 1 step, digest [0-9a-f]{4}…\n   Risk: MEDIUM.*Way back: rollback, kept for 7d',
          '🛠️ EXECUTION \\[SUCCESS\\]\n   Approved by demo-supervisor \\(supervisor\\)',
          '🔍 VERIFICATION \\[SUCCESS\\]\n   All signals well for 6s. Improvement: \\+[\\d.]+%',
          '✅ CLOSED \\[SUCCESS\\]\n   RESOLVED. Detected \\d anomal(y|ies), executed Restore Last Known Good Configuration, improved by [\\d.]+%, stable',
          'checkout.yaml is byte for byte what it was before somebody changed it',
          'ROLLED_BACK',
          'checkout.yaml is byte for byte what it was before the fix',
        ].join('[\\s\\S]*'),
      ),
    );
  }, 240_000);

  it.each([
    { args: ['--then-rollback'], says: /--then-rollback does not go with the scenario database: its fix ends a session, which cannot be brought back/ },
    { args: ['--scenario', 'kubernetes'], says: /needs a Kubernetes cluster, and KUBECONFIG names none\n  What to do: kind create cluster/ },
    { args: ['--scenario', 'moon'], says: /'moon' is invalid. Allowed choices are database, config, kubernetes/ },
  ])('refuses $args in words, before anything starts', async ({ args, says }) => {
    demo = await startDemo(...args);
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(says);
    expect(demo.output()).not.toContain('Bringing up');
  }, 60_000);
});

describeInBrowser('the page', () => {
  it('leads the demo from alert to RESOLVED by clicks, and a reload in the middle loses and doubles nothing', async () => {
    demo = await startDemo();
    const [, link = ''] = await demo.says(/Page {13}(\S+)/);
    const browser = await openBrowser();
    try {
      const { page, complaints } = await openPage(browser);
      await page.goto(link);
      await demo.says(/Run this plan\?/);
      await page.getByRole('list', { name: 'Open' }).getByRole('link').first().click();
      const gate = page.getByRole('region', { name: 'Gate' });
      await gate.getByRole('button', { name: 'Approve' }).click({ timeout: 20_000 });
      await gate.getByRole('button', { name: 'Looks good' }).waitFor({ timeout: 60_000 });
      await page.reload();
      await gate.getByRole('button', { name: 'Looks good' }).click({ timeout: 20_000 });
      await page.getByText('Resolved').first().waitFor({ timeout: 90_000 });
      const updates = await page.getByRole('log', { name: 'Job tail' }).getByRole('article').allInnerTexts();
      const headlines = updates.map((text) => /[A-Z_]+ \[[A-Z_]+\]/.exec(text)?.[0]);
      expect(headlines).toEqual([
        'DETECTION [IN_PROGRESS]',
        'DETECTION [SUCCESS]',
        'PROPOSAL_FIX [SUCCESS]',
        'EXECUTION_GATE [PENDING_HUMAN_APPROVAL]',
        'EXECUTION [SUCCESS]',
        'VERIFICATION_GATE [PENDING_HUMAN_APPROVAL]',
        'VERIFICATION [SUCCESS]',
        'CLOSED [SUCCESS]',
      ]);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
    await demo.says(/until you press Enter/);
    demo.type('');
    expect(await demo.ended).toBe(0);
  }, 240_000);
});
