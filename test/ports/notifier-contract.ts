import { afterEach, describe, expect, it } from '@jest/globals';
import type { Delivery, Notice } from '../../domain/notification.js';
import { aNotice } from '../builders.js';

/** What the other end does with a message. */
export const moods = ['takesIt', 'hangs', 'isBusy', 'isDown', 'isGone', 'refuses', 'redirects', 'neverEnds'] as const;
export type Mood = (typeof moods)[number];

export interface NotifierWorld {
  /** Tells the other end, which is in this mood; a try that hangs is given up within a second. */
  tell(mood: Mood, notice: Notice, signal: AbortSignal): Promise<Delivery>;
  /** The ids or texts of what reached the other end: one each. */
  countReceived(): number;
  readonly close?: () => Promise<void>;
}

/** What every way of telling people holds to: each try ends, in time, with an answer that says whether another one makes sense. */
export function describeNotifier(name: string, open: () => Promise<NotifierWorld>): void {
  describe(`a notifier (${name})`, () => {
    let world: NotifierWorld | undefined;
    afterEach(() => world?.close?.());
    const tell = async (mood: Mood, signal = new AbortController().signal) => {
      world = await open();
      return world.tell(mood, aNotice(), signal);
    };

    it('delivers a message once', async () => {
      expect(await tell('takesIt')).toEqual({ kind: 'delivered' });
      expect(world?.countReceived()).toBe(1);
    });

    it('does not wait for what never answers', async () => {
      expect(await tell('hangs')).toMatchObject({ kind: 'tryAgain', because: expect.stringContaining('no answer within') });
    });

    it('stops waiting when it is told to', async () => {
      const stopped = new AbortController();
      const told = tell('hangs', stopped.signal);
      stopped.abort();
      expect(await told).toMatchObject({ kind: 'tryAgain', because: 'cut short' });
    });

    it('waits as long as it is asked to', async () => {
      expect(await tell('isBusy')).toMatchObject({ kind: 'tryAgain', afterMs: 7_000 });
    });

    it.each(['isDown', 'isGone'] as const)('comes back to what %s', async (mood) => {
      expect(await tell(mood)).toMatchObject({ kind: 'tryAgain', afterMs: null });
    });

    it('does not come back to what refuses it', async () => {
      expect(await tell('refuses')).toMatchObject({ kind: 'gaveUp' });
    });

    it('goes where it was told to and nowhere else', async () => {
      expect(await tell('redirects')).toMatchObject({ kind: 'gaveUp' });
      expect(world?.countReceived()).toBe(1);
    });

    it('does not listen for ever', async () => {
      expect((await tell('neverEnds')).kind).toMatch(/delivered|tryAgain/);
    });
  });
}
