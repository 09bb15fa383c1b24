/** Chance that comes out the same for the same seed. */
export interface Chance {
  /** A whole number from 0 to below `bound`. */
  below(bound: number): number;
  pick<Choice>(choices: readonly Choice[]): Choice;
  hex(length: number): string;
  uuid(): string;
}

/** A small generator (mulberry32): nothing here is a secret, it only must come out the same. */
export function openChance(seed: number): Chance {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
  const below = (bound: number): number => next() % bound;
  const hex = (length: number): string => Array.from({ length }, () => below(16).toString(16)).join('');
  return {
    below,
    hex,
    pick(choices) {
      const choice = choices[below(choices.length)];
      if (choice === undefined) throw new Error('there is nothing to pick from');
      return choice;
    },
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${'89ab'.charAt(below(4))}${hex(3)}-${hex(12)}`,
  };
}

/** The chance of one try: it does not depend on what other tries drew. */
export const chanceOf = (seed: number, index: number): Chance => openChance(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35));
