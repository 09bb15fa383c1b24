import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client';
import { claimRefusals } from '../../domain/grant.js';
import { until } from '../harness/until.js';
import type { Chance } from './chance.js';
import type { GateRow, Incident } from './incident.js';
import { Breach, type Kind } from './kind.js';
import type { Lane } from './lane.js';
import type { Shape } from './shapes.js';

export interface Meddling {
  readonly lane: Lane;
  readonly chance: Chance;
  readonly incident: Incident;
  readonly gate: GateRow;
  /** The decision that the workflow is about to hear of; a random id where nobody decided. */
  readonly decisionId: string;
}

export interface Meddler {
  readonly name: string;
  readonly refusals: readonly string[];
  readonly weight?: number;
  readonly shape?: Shape;
  /** How many of those who must approve do so, by the API and honestly. */
  readonly approvals?: number;
  /** The workflow may fail by this name instead of going on. */
  readonly failsAs?: string;
  readonly meddle: (meddling: Meddling) => Promise<unknown>;
}

/** The name in parentheses, or the words, by which the tail says that something was refused. */
const NAMES = [/ was refused: .*\((\w+)\)/, / waits: .*\((\w+)\)/, / was refused: (.+)/, /^Refused the ([\w ]+) signal/m, /(the snapshot is not the one of what was approved)/, /(changed since the step ran)/];

/** How the workflow refused what it heard after `seq`, once it has; a claim that was refused has to be in the audit, too. */
export async function readRefusal(incident: Incident, seq: number): Promise<string> {
  let tail = '';
  const name = await until('a refusal', async () => {
    tail = await incident.tail(seq);
    return NAMES.map((words) => words.exec(tail)?.[1]).find((found) => found !== undefined);
  }).catch(() => undefined);
  if (name === undefined) throw new Breach(`not refused by name; the job tail of ${incident.id} says since then: ${tail === '' ? 'nothing' : tail}`);
  if (name in claimRefusals) {
    const rows = await incident.audit();
    if (!rows.some(({ kind, details }) => kind === 'claim.refused' && details['because'] === name)) throw new Breach(`refused as ${name}, and the audit does not say so`);
  }
  return name;
}

async function readFailure({ handle }: Incident): Promise<string> {
  const error: unknown = await handle.result().then(() => undefined, (failure: unknown) => failure);
  if (error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure) return error.cause.type ?? '';
  throw new Breach(`its workflow ended otherwise: ${String(error)}`);
}

/** Between the approval and the run: decided by the API, meddled with in the record, and only then does the workflow hear of it. */
export const toKind = ({ name, refusals, weight = 1, shape = 'plain', approvals = 1, failsAs, meddle }: Meddler): Kind => ({
  name,
  weight,
  refusals,
  async attempt(lane, chance) {
    const incident = await lane.take(shape);
    const gate = await incident.gate('execution');
    const decisionId = approvals === 0 ? chance.uuid() : await incident.approve(Math.max(0, incident.desk.approvers.length - approvals));
    const seq = await incident.seq();
    await meddle({ lane, chance, incident, gate, decisionId });
    await incident.signal('execution', decisionId);
    const refusedAs = failsAs === undefined ? await readRefusal(incident, seq) : await Promise.any([readRefusal(incident, seq), readFailure(incident)]);
    return { incident, refusedAs, effects: 0 };
  },
});
