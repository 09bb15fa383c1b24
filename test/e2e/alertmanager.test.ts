import { afterAll, expect, it } from '@jest/globals';
import { alerts, incidents, outbox } from '../../db/schema.js';
import { closeApis, openApi } from '../api/open-api.js';
import { startAlertmanager } from '../harness/alertmanager.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { until } from '../harness/until.js';

afterAll(closeApis);

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
