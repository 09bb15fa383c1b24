import { throwSwitch } from '../../db/kill-switch.js';
import type { Arena } from './arena.js';
import { type Desk, openDesk } from './desk.js';
import { type Incident, openIncident } from './incident.js';
import { type Shape, shapeNames } from './shapes.js';

// A workflow that hears many signals gets slow to replay.
const MAX_USES = 200;
const ENDED_LATER = 3;

/** Tries are made one after the other in a lane; its workspaces and incidents are its own. */
export interface Lane {
  readonly arena: Arena;
  readonly desks: Readonly<Record<Shape, Desk>>;
  /** An incident that waits at its execution gate, and must be left so. */
  waiting(shape: Shape): Promise<Incident>;
  /** A new one, to do with as one likes. */
  take(shape: Shape): Promise<Incident>;
  /** One in a certain state, which it keeps: `make` brings it there the first time. */
  exhibit(name: string, shape: Shape, make: (incident: Incident) => Promise<unknown>): Promise<Incident>;
  throwKillSwitch(desk: Desk): Promise<void>;
  /** After a try: leaves all as it was. Nothing that a try has spoilt is used again. */
  tidy(isSpoilt: boolean): Promise<void>;
}

export async function openLane(arena: Arena): Promise<Lane> {
  const entries = await Promise.all(shapeNames.map(async (shape) => [shape, await openDesk(arena, shape)] as const));
  const desks = Object.fromEntries(entries) as Readonly<Record<Shape, Desk>>;
  const kept = new Map<string, { readonly incident: Incident; uses: number }>();
  const taken: Incident[] = [];
  const over: Incident[] = [];
  const stopped = new Set<Desk>();
  const setKillSwitch = async ({ workspace }: Desk, on: boolean): Promise<void> => void (await throwSwitch(arena.db, { workspaceId: workspace.id, scope: 'workspace', on, person: 'sam', reason: 'attack' }));

  async function exhibit(name: string, shape: Shape, make: (incident: Incident) => Promise<unknown>): Promise<Incident> {
    const known = kept.get(name);
    if (known !== undefined && (known.uses += 1) <= MAX_USES) return known.incident;
    await known?.incident.end();
    const incident = await openIncident(arena, desks[shape]);
    await make(incident);
    kept.set(name, { incident, uses: 1 });
    return incident;
  }

  return {
    arena,
    desks,
    exhibit,
    waiting: (shape) => exhibit(`waiting ${shape}`, shape, async () => {}),
    async take(shape) {
      const incident = await openIncident(arena, desks[shape]);
      taken.push(incident);
      return incident;
    },
    async throwKillSwitch(desk) {
      stopped.add(desk);
      await setKillSwitch(desk, true);
    },
    async tidy(isSpoilt) {
      for (const desk of Object.values(desks)) await desk.restorePolicy();
      for (const desk of stopped) await setKillSwitch(desk, false);
      stopped.clear();
      // What was meddled with must not look as if it were under way for ever.
      await arena.sql("update executions set state = 'void' where incident_id = any($1) and state in ('claimed', 'started', 'unknown')", [taken.map(({ id }) => id)]);
      over.push(...taken.splice(0), ...(isSpoilt ? [...kept.values()].map(({ incident }) => incident) : []));
      if (isSpoilt) kept.clear();
      // Their workflows have come to rest by then.
      await Promise.all(over.splice(0, Math.max(0, over.length - ENDED_LATER)).map((incident) => incident.end()));
    },
  };
}
