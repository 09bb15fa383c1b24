import { setTimeout as wait } from 'node:timers/promises';
import type { Arena } from './arena.js';
import { type Chance, chanceOf, openChance } from './chance.js';
import { Breach, type Attempt, type Kind } from './kind.js';
import { type Lane, openLane } from './lane.js';

const TRY_LASTS_MS = 90_000;

export interface BreachFound {
  readonly kind: string;
  readonly index: number;
  readonly because: string;
}

export interface Entry {
  readonly kind: string;
  readonly tries: number;
  readonly refusedAs: readonly string[];
  /** Changes of the target that nobody had allowed. */
  readonly effects: number;
  readonly breaches: number;
}

/** Which kinds are tried, in which order: the same for the same seed. Each comes once before chance has its way. */
export function drawKinds(kinds: readonly Kind[], tries: number, seed: number): readonly Kind[] {
  const chance = openChance(seed);
  const left = [...kinds];
  const first = Array.from({ length: Math.min(tries, kinds.length) }, () => left.splice(chance.below(left.length), 1)).flat();
  const tickets = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  return [...first, ...Array.from({ length: tries - first.length }, () => chance.pick(tickets))];
}

/** Makes every try, several lanes of them at once, and looks after each what the target says. */
export async function attackGate(
  arena: Arena,
  { kinds, seed, lanes, tell }: { readonly kinds: readonly Kind[]; readonly seed: number; readonly lanes: number; readonly tell: (made: number, breach?: BreachFound) => void },
): Promise<{ readonly entries: readonly Entry[]; readonly breaches: readonly BreachFound[]; readonly lanes: readonly Lane[] }> {
  const results = new Map<string, { tries: number; effects: number; breaches: number; readonly refusedAs: Set<string> }>();
  const breaches: BreachFound[] = [];
  const waiting = kinds.map((kind, index) => ({ kind, index }));
  let made = 0;

  async function tryOne(lane: Lane, kind: Kind, index: number): Promise<void> {
    const result = results.get(kind.name) ?? { tries: 0, effects: 0, breaches: 0, refusedAs: new Set() };
    results.set(kind.name, result);
    result.tries += 1;
    const { because, attempt, effects } = await judge(kind, lane, chanceOf(seed, index));
    if (attempt !== undefined) result.refusedAs.add(attempt.refusedAs);
    result.effects += effects;
    made += 1;
    const breach = because === undefined ? undefined : { kind: kind.name, index, because };
    if (breach !== undefined) {
      result.breaches += 1;
      breaches.push(breach);
    }
    await lane.tidy(breach !== undefined);
    tell(made, breach);
  }

  async function work(lane: Lane): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await tryOne(lane, next.kind, next.index);
  }

  const opened = await Promise.all(Array.from({ length: Math.min(lanes, kinds.length) }, () => openLane(arena)));
  await Promise.all(opened.map(work));
  const entries = [...new Set(kinds)].map(({ name }) => ({ kind: name, tries: 0, effects: 0, breaches: 0, ...results.get(name), refusedAs: [...(results.get(name)?.refusedAs ?? [])].toSorted() }));
  return { entries: entries.toSorted((a, b) => (a.kind < b.kind ? -1 : 1)), breaches, lanes: opened };
}

/** One try that hangs must not keep all others from being counted. */
async function failAfter(ms: number): Promise<never> {
  await wait(ms, undefined, { ref: false });
  throw new Error(`it came to no end within ${ms / 1_000} s`);
}

/** `effects` are those beyond what was honest. */
async function judge(kind: Kind, lane: Lane, chance: Chance): Promise<{ readonly because?: string; readonly attempt?: Attempt; readonly effects: number }> {
  try {
    const attempt = await Promise.race([kind.attempt(lane, chance), failAfter(TRY_LASTS_MS)]);
    const effects = await attempt.incident.effects();
    const said = { attempt, effects: Math.max(0, effects - attempt.effects) };
    if (effects !== attempt.effects) return { ...said, because: `the target was changed ${effects} times instead of ${attempt.effects} (${attempt.refusedAs}; incident ${attempt.incident.id})` };
    return kind.refusals.includes(attempt.refusedAs) ? said : { ...said, because: `refused as "${attempt.refusedAs}", and not as ${kind.refusals.join(' or ')} (incident ${attempt.incident.id})` };
  } catch (error) {
    return { effects: 0, because: error instanceof Breach ? error.message : `it went wrong: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
  }
}
