export interface Word {
  /** What it is made of, as numbers of 16 bits. */
  readonly units: readonly number[];
  readonly label: number;
  /** Each makes a longer word of it. */
  readonly ends?: readonly (readonly number[])[];
}

/** Finds many words in one pass (Aho and Corasick). State 0 is where no word has begun. */
export interface WordFinder {
  readonly longest: number;
  /** The state after one more unit. */
  step(state: number, unit: number): number;
  /** How many of the last units may still be the beginning of a word. */
  depthOf(state: number): number;
  /** How long the longest word is that ends here; 0 where none does. */
  foundAt(state: number): number;
  labelAt(state: number): number;
}

/** Builds the finder; its memory is in proportion to the words' total length. */
export function createWordFinder(words: readonly Word[]): WordFinder {
  const size = words.reduce((total, { units, ends = [] }) => total + units.length + ends.flat().length, 1);
  const unitOf = new Uint16Array(size);
  const firstChild = new Int32Array(size);
  const nextSibling = new Int32Array(size);
  const fallback = new Int32Array(size);
  const depth = new Int32Array(size);
  const found = new Int32Array(size);
  const label = new Int32Array(size);
  // Most texts hold no beginning of a word, so the first step is the one that must be quick.
  const first = new Int32Array(65_536);
  let count = 1;

  const childOf = (state: number, unit: number): number => {
    if (state === 0) return first[unit] ?? 0;
    let child = firstChild[state] ?? 0;
    while (child !== 0 && unitOf[child] !== unit) child = nextSibling[child] ?? 0;
    return child;
  };

  function step(state: number, unit: number): number {
    let at = state;
    while (at !== 0) {
      const child = childOf(at, unit);
      if (child !== 0) return child;
      at = fallback[at] ?? 0;
    }
    return first[unit] ?? 0;
  }

  function add(from: number, units: readonly number[], own: number): number {
    let state = from;
    for (const unit of units) {
      let child = childOf(state, unit);
      if (child === 0) {
        child = count;
        count += 1;
        unitOf[child] = unit;
        depth[child] = (depth[state] ?? 0) + 1;
        nextSibling[child] = firstChild[state] ?? 0;
        firstChild[state] = child;
        if (state === 0) first[unit] = child;
      }
      state = child;
    }
    if ((found[state] ?? 0) === 0) {
      found[state] = depth[state] ?? 0;
      label[state] = own;
    }
    return state;
  }

  for (const { units, label: own, ends = [] } of words) {
    const state = add(0, units, own);
    for (const more of ends) add(state, more, own);
  }

  // By growing depth, so that the state that one falls back to is complete before it is asked.
  const queue = new Int32Array(count);
  let end = 1;
  for (let next = 0; next < end; next += 1) {
    const state = queue[next] ?? 0;
    for (let child = firstChild[state] ?? 0; child !== 0; child = nextSibling[child] ?? 0) {
      const back = state === 0 ? 0 : step(fallback[state] ?? 0, unitOf[child] ?? 0);
      fallback[child] = back;
      if ((found[child] ?? 0) === 0) {
        found[child] = found[back] ?? 0;
        label[child] = label[back] ?? 0;
      }
      queue[end] = child;
      end += 1;
    }
  }

  return {
    longest: depth.reduce((longest, each) => Math.max(longest, each), 0),
    step,
    depthOf: (state) => depth[state] ?? 0,
    foundAt: (state) => found[state] ?? 0,
    labelAt: (state) => label[state] ?? 0,
  };
}
