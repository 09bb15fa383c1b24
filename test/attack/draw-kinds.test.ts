import { describe, expect, it } from '@jest/globals';
import { chanceOf } from './chance.js';
import { drawKinds } from './gate.js';
import { kinds } from './kinds/index.js';

const draw = (seed: number): readonly string[] => drawKinds(kinds, 300, seed).map(({ name }) => name);

describe('the tries', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    const say = (seed: number, index: number): string => chanceOf(seed, index).uuid();
    expect(say(7, 3)).toBe(say(7, 3));
    expect(new Set([say(7, 3), say(7, 4), say(8, 3)]).size).toBe(3);
  });

  it('are of every kind, which each have a name of their own', () => {
    expect(new Set(draw(1)).size).toBe(kinds.length);
    expect(new Set(kinds.map(({ name }) => name)).size).toBe(kinds.length);
  });
});
