import { and, asc, eq } from 'drizzle-orm';
import type { Measurement } from '../domain/signal.js';
import type { Database } from './database.js';
import { measurements } from './schema.js';

/** Evidence, kept whole. */
export const createMeasurementRecords = (db: Database) => ({
  async saveMeasurement(row: { readonly id: string; readonly incidentId: string; readonly purpose: 'detection' | 'recheck' | 'verification'; readonly planVersion: number; readonly measurement: Measurement }): Promise<void> {
    const { measurement, ...rest } = row;
    const { measuredAt, signals, facts } = measurement;
    await db.insert(measurements).values({ ...rest, measuredAt: new Date(measuredAt), signals, facts }).onConflictDoNothing();
  },

  async readMeasurement(id: string): Promise<Measurement | undefined> {
    const [row] = await db.select().from(measurements).where(eq(measurements.id, id));
    return row && { measuredAt: row.measuredAt.toISOString(), signals: row.signals, facts: row.facts };
  },

  async readSamples(incidentId: string, planVersion: number): Promise<readonly Measurement[]> {
    const rows = await db
      .select()
      .from(measurements)
      .where(and(eq(measurements.incidentId, incidentId), eq(measurements.purpose, 'verification'), eq(measurements.planVersion, planVersion)))
      .orderBy(asc(measurements.measuredAt));
    return rows.map((row) => ({ measuredAt: row.measuredAt.toISOString(), signals: row.signals, facts: row.facts }));
  },
});
