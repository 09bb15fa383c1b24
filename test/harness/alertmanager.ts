import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyFreePorts } from '../../cli/local/ports.js';
import { until } from './until.js';

/** A real Alertmanager that sends to this webhook with this token, each alert by itself where `groupBy` says so. */
export async function startAlertmanager(webhook: string, token: string, groupBy: '[alertname]' | "['...']" = '[alertname]') {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-alertmanager-'));
  const { api: port } = await anyFreePorts();
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    `
route: { receiver: sluice, group_by: ${groupBy}, group_wait: 100ms, group_interval: 200ms, repeat_interval: 1h }
receivers:
  - name: sluice
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
        http_config: { authorization: { credentials_file: ${join(folder, 'token')} } }
`,
  );
  const words = [`--config.file=${folder}/alertmanager.yml`, `--storage.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`, '--web.external-url=http://alertmanager.example', '--cluster.listen-address='];
  const child = spawn('prometheus-alertmanager', words, { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await until('Alertmanager', () => fetch(`${url}/-/ready`).then((response) => response.ok, () => false));
  return {
    async send(alert: object): Promise<void> {
      const response = await fetch(`${url}/api/v2/alerts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([alert]) });
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`);
    },
    async stop(): Promise<void> {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}
