import { moments, pointNames, stepTypes, victims, whyNone, type Moment, type PointName, type StepType, type Victim } from './points.js';

/** One try: this process is killed at this moment of an incident that runs a step of this type. */
export interface Cell {
  readonly point: PointName;
  readonly moment: Moment;
  readonly victim: Victim;
  readonly stepType: StepType;
  readonly seed: number;
}

export const nameOf = ({ point, moment, victim, stepType, seed }: Cell): string => `${point}/${moment}/${victim}/${stepType}/${seed}`;

/** Those of these step types with which a victim can be killed at a moment. */
const among = (types: readonly StepType[], point: PointName, moment: Moment, victim: Victim): readonly StepType[] => types.filter((stepType) => whyNone(point, moment, victim, stepType) === null);

/** The whole matrix once for each seed. Each seed gives a cell the next step type, so that as many seeds as there are types bring every one to it. */
export function listCells(seeds: number, has: readonly StepType[] = stepTypes): readonly Cell[] {
  const places = pointNames.flatMap((point) => moments.flatMap((moment) => victims.map((victim) => ({ point, moment, victim }))));
  return Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) => {
    const cells = places.flatMap((place, index): readonly Cell[] => {
      const types = among(has, place.point, place.moment, place.victim);
      const stepType = types[(index + seed) % types.length];
      return stepType === undefined ? [] : [{ ...place, stepType, seed }];
    });
    return shuffle(cells, createRandom(`order ${seed}`));
  });
}

/** So many cells by chance, the points taken in turn so that none waits for long. */
export function sampleCells(count: number, seed: number, has: readonly StepType[] = stepTypes): readonly Cell[] {
  const seen = new Map<PointName, number>();
  return shuffle(listCells(has.length, has), createRandom(`sample ${seed}`))
    .map((cell) => {
      const turn = seen.get(cell.point) ?? 0;
      seen.set(cell.point, turn + 1);
      return { cell, turn };
    })
    .toSorted((a, b) => a.turn - b.turn)
    .slice(0, count)
    .map(({ cell }) => cell);
}

export type Random = () => number;

/** Numbers from 0 up to 1 that are the same for the same words. */
export function createRandom(words: string): Random {
  let state = 2_166_136_261;
  for (const char of words) state = Math.imul(state ^ (char.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function shuffle<Item>(all: readonly Item[], random: Random): readonly Item[] {
  return all
    .map((one) => ({ one, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ one }) => one);
}
