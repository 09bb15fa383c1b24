import { afterEach, expect, it } from '@jest/globals';
import { type Inspector, openInspector } from '../../inspection/inspector.js';

let inspector: Inspector;
afterEach(() => inspector.close());

it('judges each type of text, also the ones that come at once', async () => {
  inspector = openInspector();
  const results = await Promise.all([
    inspector.judgeText('bash', 'systemctl restart nginx'),
    inspector.judgeText('bash', 'eval "$1"'),
    inspector.judgeText('python', 'print(1)'),
    inspector.judgeText('sql', 'DROP TABLE stock'),
    inspector.judgeText('k8s', 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: web }\ndata: { GREETING: hello }\n'),
  ]);
  expect(results.map(({ result }) => result)).toEqual(['review', 'denied', 'review', 'denied', 'review']);
});

it('denies what is not judged in time, and judges the next one in another thread', async () => {
  inspector = openInspector({ deadlineMs: 1 });
  expect(await inspector.judgeText('bash', 'true')).toMatchObject({ result: 'denied', findings: [{ rule: 'inspection.failed', reason: expect.stringContaining('1 ms') }] });
  await inspector.close();
  inspector = openInspector();
  expect(await inspector.judgeText('bash', 'true')).toMatchObject({ result: 'review' });
});

it('says what is wrong with a script for the library', async () => {
  inspector = openInspector();
  expect(await inspector.findWrongInScript({ type: 'SHELL', command: 'rm -rf /', parameters: [] })).not.toEqual([]);
  expect(await inspector.findWrongInScript({ type: 'SHELL', command: 'docker restart web', parameters: [] })).toEqual([]);
});
