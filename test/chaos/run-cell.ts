import { setTimeout as wait } from 'node:timers/promises';
import type { Arena } from './arena.js';
import { createRandom, nameOf, type Cell } from './cells.js';
import { answerGates, handOver, rollBack, sendAlert, type Access } from './person.js';
import { isLiving, points, victims, type Spot } from './points.js';
import type { Fate } from './postgres-tap.js';
import { query } from './worlds/target-server.js';
import type { Broken } from './worlds/world.js';

const STUCK_MS = 60_000;
// Longer than any way to the last point takes; then the moment never came.
const NEVER_MS = 90_000;
const MAX_JITTER_MS = 30;

export const breachKinds = ['lost', 'doubled', 'undone', 'stuck', 'unknown', 'wrongEnd', 'notRestored', 'leftRunning', 'notReached', 'crashed', 'error'] as const;
export interface Breach {
  readonly kind: (typeof breachKinds)[number];
  readonly because: string;
}

export interface Result {
  readonly cell: Cell;
  readonly ok: boolean;
  readonly breaches: readonly Breach[];
  readonly incidentId: string | null;
  readonly outcome: string | null;
  /** As the target counts. */
  readonly effects: number | null;
  /** From the kill until every process was there again, and from then until the incident was closed. */
  readonly recoveryMs: number | null;
  readonly closedAfterMs: number | null;
  readonly tookMs: number;
}

/** Plays one incident from alert to end, kills the victim at its moment, and looks at what came of it. Whatever cannot be looked at is a breach, too. */
export async function runCell(arena: Arena, cell: Cell): Promise<Result> {
  const startedAt = Date.now();
  try {
    return await play(arena, cell);
  } catch (error) {
    const breach = { kind: 'error', because: error instanceof Error ? error.message : String(error) } as const;
    return { cell, ok: false, breaches: [breach], incidentId: null, outcome: null, effects: null, recoveryMs: null, closedAfterMs: null, tookMs: Date.now() - startedAt };
  }
}

async function play(arena: Arena, cell: Cell): Promise<Result> {
  const startedAt = Date.now();
  const breaches: Breach[] = [];
  const note = (kind: Breach['kind'], because: string): void => void breaches.push({ kind, because });
  const { point, moment, victim, stepType } = cell;
  const { armBefore, speaker } = points[point];
  const spot = points[point].spots(stepType, cell.seed)?.[moment];
  if (spot === undefined) throw new Error(`${nameOf(cell)} is no cell`);
  const fingerprint = `${nameOf(cell)}#${startedAt}`;
  const overdue = new AbortController();
  let deadline = setTimeout(() => overdue.abort(), NEVER_MS);
  let recovery: Promise<{ readonly killedAt: number; readonly wholeAt: number }> | undefined;

  await arena.untilWhole(STUCK_MS);
  const pidsBefore = arena.pids();
  const broken = await arena.worldOf(stepType).breakIt(fingerprint);

  /** Kills, and says what becomes of the message that is held meanwhile. */
  async function strike(hold: 'request' | 'answer'): Promise<Fate> {
    const random = createRandom(nameOf(cell));
    await wait(random() * MAX_JITTER_MS);
    await arena.kill(victim);
    const killedAt = Date.now();
    clearTimeout(deadline);
    recovery = arena.untilWhole(STUCK_MS).then(() => {
      const wholeAt = Date.now();
      deadline = setTimeout(() => overdue.abort(), STUCK_MS);
      return { killedAt, wholeAt };
    });
    recovery.catch((error: unknown) => {
      note('stuck', String(error));
      overdue.abort();
    });
    if (victim === speaker) return 'drop';
    // A crash can take the last answer along, or just not.
    if (victim === 'postgres' && spot?.on === 'record') return hold === 'request' || random() < 0.5 ? 'drop' : 'deliver';
    return 'deliver';
  }

  const arm = (): void => setTrap(arena, broken, spot, strike);
  let incidentId: string | null = null;
  let outcome: string | null = null;
  let closedAt = Date.now();
  try {
    if (armBefore === 'alert') arm();
    const access = { apiUrl: arena.apiUrl, token: await arena.tokenOf(stepType) };
    incidentId = await sendAlert(access, fingerprint, overdue.signal);
    outcome = armBefore === 'alert' ? await answerGates(access, incidentId, overdue.signal, () => 'approve') : await takeBack(access, incidentId, overdue.signal, cell, arm);
    closedAt = Date.now();
    if (outcome === 'NEEDS_HUMAN') await handOver(access, incidentId, overdue.signal);
  } catch (error) {
    if (overdue.signal.aborted) note('stuck', recovery === undefined ? `not closed after ${NEVER_MS} ms` : `not closed ${STUCK_MS} ms after every process was there again`);
    else note('error', String(error));
  } finally {
    clearTimeout(deadline);
    for (const tap of Object.values(arena.taps)) tap.arm(null);
  }

  const recovered = await recovery?.catch(() => undefined);
  clearTimeout(deadline);
  if (recovery === undefined) note('notReached', 'the moment never came, so nothing was killed');
  await arena.untilWhole(STUCK_MS);
  const pidsAfter = arena.pids();
  for (const name of victims.filter(isLiving)) {
    if (name !== victim && pidsAfter[name] !== pidsBefore[name]) note('crashed', `${name} ended by itself when ${victim} was killed`);
  }
  // Of a script whose runner died nobody can tell how far it came, so a person is asked.
  const isLost = victim === 'runner';
  const wantedEnd = isLost ? 'NEEDS_HUMAN' : armBefore === 'alert' ? 'RESOLVED' : 'ROLLED_BACK';
  if (outcome !== null && outcome !== wantedEnd) note('wrongEnd', `ended as ${outcome} instead of ${wantedEnd}`);
  const wantedEffects = armBefore === 'alert' ? 1 : 2;
  const effects = await broken.countEffects();
  if (effects > wantedEffects) note('doubled', `the target counts ${effects} changes instead of ${wantedEffects}`);
  if (effects < wantedEffects && !isLost) note('undone', `the target counts ${effects} changes instead of ${wantedEffects}`);
  if (armBefore === 'rollback' && !(await broken.isAsItBroke())) note('notRestored', 'the target is not as it was before');
  if (!(await broken.isAtRest())) note('leftRunning', 'what was started to change the target still runs');
  for (const breach of await readRecord(arena, fingerprint, isLost)) note(breach.kind, breach.because);
  await broken.close();
  return {
    cell,
    ok: breaches.length === 0,
    breaches,
    incidentId,
    outcome,
    effects,
    recoveryMs: recovered === undefined ? null : recovered.wholeAt - recovered.killedAt,
    closedAfterMs: recovered === undefined || outcome === null ? null : Math.max(0, closedAt - recovered.wholeAt),
    tookMs: Date.now() - startedAt,
  };
}

/** Has the change taken back: from the verification gate, or after the incident is closed. */
async function takeBack(access: Access, incidentId: string, signal: AbortSignal, { seed }: Cell, arm: () => void): Promise<string> {
  const isLate = seed % 2 === 0;
  const outcome = await answerGates(access, incidentId, signal, (gateKind) => {
    if (isLate || gateKind === 'execution') return 'approve';
    arm();
    return 'reject';
  });
  if (!isLate || outcome !== 'RESOLVED') return outcome;
  arm();
  return rollBack(access, incidentId, signal);
}

function setTrap(arena: Arena, broken: Broken, spot: Spot, strike: (hold: 'request' | 'answer') => Promise<Fate>): void {
  if (spot.on !== 'change') return arena.taps[spot.on].arm(spot.trigger, () => strike(spot.trigger.hold));
  let isFirst = true;
  broken.onChange(() => {
    if (isFirst) strike('answer').catch(() => {});
    isFirst = false;
  });
}

/** What the record must say of one alert: exactly one incident, of which no line is missing, and nothing is unknown but what was lost. */
async function readRecord({ databaseUrl }: Arena, fingerprint: string, isLost: boolean): Promise<readonly Breach[]> {
  const found = await query<{ id: string }>(databaseUrl, 'select id from incidents where fingerprint = $1', [`alert:${fingerprint}`]);
  const [incident] = found;
  if (incident === undefined) return [{ kind: 'lost', because: 'the alert has no incident' }];
  const breaches: Breach[] = found.length === 1 ? [] : [{ kind: 'doubled', because: `the alert has ${found.length} incidents` }];
  const unknown = await query<{ said: string }>(
    databaseUrl,
    `select body->'update'->>'text' as said from tail where incident_id = $1 and (body->'update'->>'text' like '%UNKNOWN%' or body->'update'->>'kind' = 'reconcile')
     union all select 'the ledger says unknown of ' || key from executions where incident_id = $1 and state = 'unknown'`,
    [incident.id],
  );
  if (!isLost) for (const { said } of unknown) breaches.push({ kind: 'unknown', because: said });
  if (isLost && !unknown.some(({ said }) => said.includes('UNKNOWN'))) breaches.push({ kind: 'unknown', because: 'nobody was told that the outcome is UNKNOWN' });
  const [begun] = await query<{ runs: number }>(databaseUrl, "select count(*)::int as runs from executions where incident_id = $1 and kind = 'execute' and handle is not null", [incident.id]);
  if (begun?.runs !== 1) breaches.push({ kind: 'doubled', because: `${begun?.runs} runs were begun instead of one` });
  const [tail] = await query<{ lines: number; last: number }>(databaseUrl, 'select count(*)::int as lines, max(seq) as last from tail where incident_id = $1', [incident.id]);
  if (tail === undefined || tail.lines !== tail.last) breaches.push({ kind: 'lost', because: 'the job tail has a gap' });
  return breaches;
}
