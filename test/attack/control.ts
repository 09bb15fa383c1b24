import type { Shape } from './desk.js';
import type { Lane } from './lane.js';

export interface Control {
  readonly ok: boolean;
  readonly because: string;
}

/** That nothing ever runs would pass every attack: honest approvals do run, once, and the audit of all that was tried holds. */
export async function runControl(lanes: readonly Lane[]): Promise<Control> {
  const wrong: string[] = [];
  let runs = 0;
  let rows = 0;
  async function runHonestly(lane: Lane, shape: Shape): Promise<void> {
    const incident = await lane.take(shape);
    await incident.run();
    await incident.answer('verification', 'ana');
    const outcome: unknown = await incident.handle.result();
    const effects = await incident.effects();
    if (effects !== 1 || outcome !== 'RESOLVED') wrong.push(`an honest approval had ${effects} effects and ended as ${String(outcome)}`);
    runs += 1;
  }
  for (const lane of lanes) {
    await Promise.all([runHonestly(lane, 'plain'), runHonestly(lane, 'grave')]);
    for (const desk of Object.values(lane.desks)) {
      const report = (await desk.get('/api/audit/verify')).json<{ readonly rows: number; readonly checkpoints: number; readonly tampering: { readonly what: string } | null }>();
      rows += report.rows;
      if (report.tampering !== null) wrong.push(`the audit of ${desk.workspace.id} does not hold: ${report.tampering.what}`);
      if (report.rows > 0 && report.checkpoints === 0) wrong.push(`nothing outside of the database speaks for the audit of ${desk.workspace.id}`);
    }
  }
  const held = `${runs} honest approvals ran once each, and ${rows} rows of the audit hold`;
  return { ok: wrong.length === 0, because: wrong.length === 0 ? held : wrong.join('; ') };
}
