import type { LightMyRequestResponse } from 'fastify';
import type { Refusal } from '../../domain/gate.js';
import type { Chance } from './chance.js';
import type { GateRow, Incident } from './incident.js';
import { Breach, type Kind, problemOf } from './kind.js';
import type { Lane } from './lane.js';
import type { Caller, Shape } from './shapes.js';

export interface Knock {
  readonly lane: Lane;
  readonly chance: Chance;
  readonly incident: Incident;
  readonly gate: GateRow;
}

export interface DoorKind {
  readonly name: string;
  readonly refusals: readonly string[];
  readonly weight?: number;
  /** Refused when it was heard, which the audit keeps. */
  readonly audited?: readonly Refusal[];
  readonly at?: (lane: Lane) => Promise<Incident>;
  /** The answer; or the name of the refusal, where it is no answer that says it. */
  readonly knock: (knock: Knock) => Promise<LightMyRequestResponse | string>;
}

export const waitingAt = (shape: Shape) => (lane: Lane): Promise<Incident> => lane.waiting(shape);
/** One of the two approvals is given. */
export const halfApproved = (lane: Lane): Promise<Incident> => lane.exhibit('half approved', 'grave', (incident) => incident.answer('execution', 'sam'));
/** Run, and waiting for somebody who looks. */
export const ran = (lane: Lane): Promise<Incident> => lane.exhibit('ran', 'plain', (incident) => incident.run());

export const approval = ({ gate, incident }: Pick<Knock, 'gate' | 'incident'>) => ({ gateId: gate.id, digest: gate.digest, verdict: 'approve', confirmation: incident.desk.title });
export const decisionsUrl = (incident: Incident): string => `/api/incidents/${incident.id}/decisions`;
export const approve = (knock: Knock, caller: Caller, change: object = {}, headers?: Readonly<Record<string, string>>) => knock.incident.desk.decide(caller, knock.incident, { ...approval(knock), ...change }, headers);
/** Says it at the one door or at the other. */
export const sayWith = ({ incident, gate, chance }: Knock, authorization: string | undefined, headers?: Readonly<Record<string, string>>) =>
  chance.below(2) === 0
    ? incident.desk.send(authorization, decisionsUrl(incident), approval({ incident, gate }), headers)
    : incident.desk.send(authorization, '/api/ai/sre/approve', { updateId: gate.update_id, approved: true, confirmation: incident.desk.title }, headers);

export function spoil(text: string, chance: Chance): string {
  const place = chance.below(text.length);
  const other = text.charAt(place) === '0' ? '1' : '0';
  return text.slice(0, place) + other + text.slice(place + 1);
}

/** At the door of the API: it is refused by a problem of its own name, and the gate stays as it was. */
export const toDoorKind = ({ name, weight = 18, refusals, audited, at = waitingAt('plain'), knock }: DoorKind): Kind => ({
  name,
  weight,
  refusals,
  async attempt(lane, chance) {
    const incident = await at(lane);
    const readGate = async () => (await lane.arena.sql<GateRow & { readonly decisions: string }>('select *, (select count(*) from decisions where gate_id = gates.id) as decisions from gates where incident_id = $1 order by opened_at desc limit 1', [incident.id]))[0];
    const gate = await readGate();
    if (gate === undefined) throw new Error('there is no gate to knock at');
    const effects = await incident.effects();
    const answer = await knock({ lane, chance, incident, gate });
    const refusedAs = typeof answer === 'string' ? answer : problemOf(answer);
    if (JSON.stringify(await readGate()) !== JSON.stringify(gate)) throw new Breach(`refused as ${refusedAs}, and the gate is not as it was`);
    if (audited !== undefined) {
      const last = await incident.desk.lastAudit();
      const because = last?.kind === 'decision.refused' && last.subject === incident.id ? last.details['because'] : undefined;
      if (!audited.some((known) => known === because)) throw new Breach(`refused as ${refusedAs}, and the audit does not say so but ${JSON.stringify(last)}`);
    }
    return { incident, refusedAs, effects };
  },
});
