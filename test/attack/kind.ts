import type { LightMyRequestResponse } from 'fastify';
import type { Chance } from './chance.js';
import type { Incident } from './incident.js';
import type { Lane } from './lane.js';

/** What came of one try. */
export interface Attempt {
  readonly incident: Incident;
  /** The name of the refusal. */
  readonly refusedAs: string;
  /** How often the target may have been changed by now: by what was honest. */
  readonly effects: number;
}

/** One way of trying to have something run that nobody allowed. */
export interface Kind {
  readonly name: string;
  /** How often it is tried beside the others: what takes a new incident is tried less. */
  readonly weight: number;
  /** Any other refusal, and none, is a breach. */
  readonly refusals: readonly string[];
  readonly attempt: (lane: Lane, chance: Chance) => Promise<Attempt>;
}

export class Breach extends Error {
  override readonly name = 'Breach';
}

/** The name of a problem document; what is no such document has none. */
export function problemOf(reply: LightMyRequestResponse): string {
  const name = /^urn:sluice:problem:(.+)$/.exec(readType(reply))?.[1];
  if (name === undefined) throw new Breach(`answered ${reply.statusCode} without a problem's name: ${reply.body.slice(0, 300)}`);
  return name;
}

function readType(reply: LightMyRequestResponse): string {
  if (reply.headers['content-type'] !== 'application/problem+json') return '';
  const { type, status } = reply.json<{ readonly type: string; readonly status: number }>();
  return status === reply.statusCode && status >= 400 && status < 500 ? type : '';
}
