import type { Incident } from './incident.js';
import { click } from './kinds/chat.js';
import type { Lane } from './lane.js';
import type { Caller, Shape } from './shapes.js';

export interface Control {
  readonly ok: boolean;
  readonly because: string;
}

interface Honest {
  readonly shape: Shape;
  /** As those whom it takes approve, where it is not by their tokens; answers with the last decision. */
  readonly approve?: (lane: Lane, incident: Incident) => Promise<string>;
  /** Who finds it good. */
  readonly reviewer?: Caller;
}

const honest: readonly Honest[] = [
  { shape: 'plain' },
  { shape: 'grave' },
  { shape: 'auto' },
  { shape: 'unsure' },
  { shape: 'plain', approve: async (_lane, incident) => incident.decide(await incident.gate('execution'), 'sam', 'breakGlass'), reviewer: 'sue' },
  { shape: 'paired', approve: byClickAndJwt },
];

/** Approved by ana in chat, and by bo with a JWT of the issuer. */
async function byClickAndJwt(lane: Lane, incident: Incident): Promise<string> {
  const gate = await incident.gate('execution');
  const said = await click({ lane, incident, gate });
  const token = await lane.arena.issuer.sign({ preferred_username: 'bo', groups: [incident.desk.groupOf('responder')] });
  const reply = await incident.desk.send(`Bearer ${token}`, `/api/incidents/${incident.id}/decisions`, { gateId: gate.id, digest: gate.digest, verdict: 'approve' });
  if (said !== 'counted' || reply.statusCode !== 200) throw new Error(`an honest click was answered with "${said}", and an honest JWT with ${reply.body}`);
  return reply.json<{ readonly decisionId: string }>().decisionId;
}

/** That nothing ever runs would pass every attack: honest approvals do run, once, and the audit of all that was tried holds. */
export async function runControl(lanes: readonly Lane[]): Promise<Control> {
  const wrong: string[] = [];
  let runs = 0;
  let rows = 0;
  async function runHonestly(lane: Lane, { shape, approve, reviewer = 'ana' }: Honest): Promise<void> {
    const incident = await lane.take(shape);
    if (approve === undefined) await incident.run();
    else await incident.signal('execution', await approve(lane, incident));
    await incident.answer('verification', reviewer);
    const outcome: unknown = await incident.handle.result();
    const effects = await incident.effects();
    if (effects !== 1 || outcome !== 'RESOLVED') wrong.push(`an honest approval (${shape}) had ${effects} effects and ended as ${String(outcome)}`);
    runs += 1;
  }
  for (const lane of lanes) {
    // One after the other: on one target there is one change at a time.
    for (const one of honest) await runHonestly(lane, one);
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
