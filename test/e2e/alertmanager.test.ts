import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { anyFreePorts } from '../../cli/local/ports.js';
import { alerts, incidents, outbox } from '../../db/schema.js';
import { closeApis, openApi } from '../api/open-api.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { until } from '../harness/until.js';

afterAll(closeApis);

/** A real Alertmanager that sends to this webhook with this token. */
async function startAlertmanager(webhook: string, token: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-alertmanager-'));
  const { api: port } = await anyFreePorts();
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `
route: { receiver: sluice, group_by: [alertname], group_wait: 100ms, group_interval: 200ms, repeat_interval: 1h }
receivers:
  - name: sluice
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
        http_config: { authorization: { credentials_file: ${join(folder, 'token')} } }
`,
  );
  const child = spawn('prometheus-alertmanager', [`--config.file=${folder}/alertmanager.yml`, `--storage.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='], {
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  await until('Alertmanager', () => fetch(`${url}/-/ready`).then((response) => response.ok, () => false));
  return {
    async send(alert: object): Promise<void> {
      const response = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([alert]) });
      expect(response.status).toBe(200);
    },
    async stop(): Promise<void> {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

describeNeeds({ program: 'prometheus-alertmanager', debianPackage: 'prometheus-alertmanager' })('a real Alertmanager', () => {
  it('opens one incident, and says when it is over', async () => {
    const { app, db, tokenOf } = await openApi();
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const alertmanager = await startAlertmanager(`${address}/api/alerts/alertmanager`, tokenOf('agent'));
    try {
      const labels = { alertname: 'ShopSlow', service: 'shop', severity: 'critical' };
      const alert = { labels, annotations: { summary: 'Orders are slow' } };
      const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
      await alertmanager.send({ ...alert, endsAt: inHours(1) });
      const incident = await until('the incident', async () => (await db.select().from(incidents))[0]);
      expect(incident).toMatchObject({ trigger: 'alert', title: 'Orders are slow', labels });
      expect(await db.select().from(outbox)).toMatchObject([{ message: { kind: 'start' } }]);

      await alertmanager.send({ ...alert, endsAt: inHours(0) });
      await until('the resolved alert', async () => (await db.select().from(alerts))[0]?.state === 'resolved');
      expect((await db.select().from(outbox)).map(({ message }) => message.kind)).toEqual(['start', 'resolved']);
      expect(await db.select().from(incidents)).toHaveLength(1);
    } finally {
      await alertmanager.stop();
    }
  });
});
