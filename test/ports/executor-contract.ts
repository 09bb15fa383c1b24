import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CalledOff, type Change, type ChangeOptions, type Executor } from '../../activities/ports.js';
import type { Step, ValidStep } from '../../domain/plan.js';

/** One target with one step that fits it, made anew for each test. */
export interface ExecutorWorld {
  readonly executor: Executor;
  readonly workspaceId: string;
  /** Rehearsed and frozen (`freezeStep`), and not made yet. */
  readonly step: Step;
  /** How often the target was changed, by whomever, counted by the target itself: file generations, transactions that touched the rows, sessions ended. */
  readonly effects: () => Promise<number>;
  /** What is left behind at the target besides its effect, a line each: temporary files, open transactions. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** Somebody else changes what the step touches. */
  readonly disturb: () => Promise<unknown>;
  /** Whether the target is exactly as it was when the world was opened. */
  readonly restoredExactly: () => Promise<boolean>;
  readonly close: () => Promise<unknown>;
}

export interface ExecutorUnderTest {
  readonly wayBack: Step['wayBack']['kind'];
  readonly open: () => Promise<ExecutorWorld>;
}

/** Rehearses a step and freezes what that says. */
export async function freezeStep(executor: Executor, workspaceId: string, step: ValidStep): Promise<Step> {
  const rehearsal = await executor.rehearse(workspaceId, step);
  if (!rehearsal.found) throw new Error(`the step does not fit its world: ${rehearsal.lines.join('; ')}`);
  const { wayBack, pins } = rehearsal;
  return { ...step, wayBack: wayBack.kind === 'oneWay' ? wayBack : { ...wayBack, keptMs: 60_000 }, pins };
}

/** What stands for the death of a worker. */
class Died extends Error {
  override readonly name = 'Died';
}

/** What every executor promises, fakes included. */
export function describeExecutor(name: string, { wayBack, open }: ExecutorUnderTest): void {
  let world: ExecutorWorld;
  let counted: number;
  /** From here on only what follows counts. */
  const countFromHere = async () => (counted = await world.effects());
  const effects = async () => (await world.effects()) - counted;
  beforeEach(async () => {
    world = await open();
    await countFromHere();
  });
  afterEach(() => world.close());

  const newKey = () => randomBytes(16).toString('hex');
  const toExecution = async (): Promise<Change> => ({
    kind: 'execute',
    step: world.step,
    key: newKey(),
    snapshot: wayBack === 'snapshot' ? await world.executor.snapshot(world.workspaceId, world.step) : null,
  });
  const toRollback = ({ snapshot }: Change, left: string): Change => ({ kind: 'rollback', step: world.step, key: newKey(), snapshot: snapshot ?? '', left });

  /** Makes a change, noting its handles and lines; `then` is what follows once a handle is noted. */
  async function make(change: Change, then: () => unknown = () => {}) {
    const handles: string[] = [];
    const lines: string[] = [];
    const result = await world.executor.run(world.workspaceId, change, toOptions(async (handle) => {
      handles.push(handle);
      await then();
    }, lines));
    return { result, lines, handles, handle: handles.at(-1) ?? '' };
  }
  const toOptions = (begin: ChangeOptions['begin'], lines: string[] = []): ChangeOptions => ({
    begin,
    signal: new AbortController().signal,
    onOutput: (line) => lines.push(line),
    toldLines: 0,
    drained: async () => {},
  });
  const settle = (change: Change, handle: string, over: Partial<ChangeOptions> = {}) => world.executor.settle(world.workspaceId, change, handle, { ...toOptions(async () => {}), ...over });

  /** Begins a change whose worker then dies before the effect. */
  async function dieBeforeEffect(change: Change): Promise<string> {
    let noted = '';
    const begin = async (handle: string) => {
      noted = handle;
      throw new Died('the worker died');
    };
    await expect(world.executor.run(world.workspaceId, change, toOptions(begin))).rejects.toBeInstanceOf(Died);
    return noted;
  }

  /** Begins a change whose worker then hangs before the effect, until it is woken. */
  async function hangBeforeEffect(change: Change) {
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => (wake = resolve));
    let note = (_handle: string) => {};
    const noted = new Promise<string>((resolve) => (note = resolve));
    const run = world.executor.run(world.workspaceId, change, toOptions((handle) => (note(handle), asleep)));
    const ended = run.then((result) => result.kind, (error: unknown) => String(error));
    const handle = await Promise.race([noted, ended.then((how) => Promise.reject(new Error(`it ended without beginning: ${how}`)))]);
    return { handle, wakeUp: () => (wake(), ended) };
  }

  async function execute() {
    const change = await toExecution();
    const made = await make(change);
    expect(made.result).toMatchObject({ kind: 'done' });
    return { change, ...made };
  }

  describe(`${name}: a step`, () => {
    it('is rehearsed without effect, and says the same each time', async () => {
      const rehearsed = await world.executor.rehearse(world.workspaceId, world.step);
      expect(rehearsed).toMatchObject({ found: true, pins: world.step.pins, wayBack: { kind: world.step.wayBack.kind } });
      expect(rehearsed.lines.length).toBeGreaterThan(0);
      expect(await world.executor.rehearse(world.workspaceId, world.step)).toEqual(rehearsed);
      expect(world.step.wayBack.kind).toBe(wayBack);
      expect(await effects()).toBe(0);
      expect(await world.leftovers()).toEqual([]);
    });

    it('has its effect once, and begins once before it', async () => {
      const effectsAtBegin: number[] = [];
      const { result, lines, handles } = await make(await toExecution(), async () => effectsAtBegin.push(await effects()));
      expect(result).toMatchObject({ kind: 'done', summary: expect.stringMatching(/./) });
      expect(lines.length).toBeGreaterThan(0);
      expect(handles).toHaveLength(1);
      expect(effectsAtBegin).toEqual([0]);
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });

    it('that is called off has no effect, leaves nothing behind and is in nobody\'s way', async () => {
      const change = await toExecution();
      await expect(make(change, () => Promise.reject(new CalledOff()))).rejects.toBeInstanceOf(CalledOff);
      expect(await effects()).toBe(0);
      expect(await world.leftovers()).toEqual([]);
      await execute();
      expect(await effects()).toBe(1);
    });

    it('has no more effect when it is made again', async () => {
      const { change } = await execute();
      const { result } = await make(change);
      expect(['done', 'conflict']).toContain(result.kind);
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });

    it('is not made on a target that somebody changed after it was rehearsed', async () => {
      const change = await toExecution();
      await world.disturb();
      await countFromHere();
      const { result, handles } = await make(change);
      expect(result).toMatchObject({ kind: 'conflict', summary: expect.stringMatching(/\w+ \w+/) });
      expect(handles).toEqual([]);
      expect(await effects()).toBe(0);
      expect(await world.leftovers()).toEqual([]);
    });

    it('whose worker died before the effect is known not to be done, and can be made', async () => {
      const change = await toExecution();
      const handle = await dieBeforeEffect(change);
      expect(await settle(change, handle)).toEqual({ kind: 'notDone' });
      // Whoever settled it may die, too.
      expect(await settle(change, handle)).toEqual({ kind: 'notDone' });
      expect(await effects()).toBe(0);
      const again = await make(change);
      expect(again.result).toMatchObject({ kind: 'done' });
      expect(await settle(change, again.handle)).toMatchObject({ kind: 'done' });
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });

    it('whose worker was thought dead and wakes up has no second effect', async () => {
      const change = await toExecution();
      const lost = await hangBeforeEffect(change);
      expect(await settle(change, lost.handle)).toEqual({ kind: 'notDone' });
      expect((await make(change)).result).toMatchObject({ kind: 'done' });
      await lost.wakeUp();
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });

    it('whose worker died after the effect is known to be done, and is not done again', async () => {
      const { change, handle, lines } = await execute();
      const told = lines.length;
      expect(await settle(change, handle, { toldLines: told, onOutput: (line) => lines.push(line) })).toMatchObject({ kind: 'done', summary: expect.stringMatching(/./) });
      expect(lines).toHaveLength(told);
      expect(await settle(change, handle)).toMatchObject({ kind: 'done' });
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });
  });

  if (wayBack === 'oneWay') {
    describe(`${name}: a one-way step`, () => {
      it('says why there is no way back, and refuses one', async () => {
        expect(world.step.wayBack).toMatchObject({ kind: 'oneWay', because: expect.stringMatching(/\w+ \w+/) });
        const { change, handle } = await execute();
        expect((await make(toRollback(change, handle))).result).toMatchObject({ kind: 'failed', changed: false });
        expect(await effects()).toBe(1);
      });
    });
    return;
  }

  describe(`${name}: a step that is not harmless to repeat`, () => {
    it('whose worker wakes up after it was settled has no effect at all', async () => {
      const change = await toExecution();
      const lost = await hangBeforeEffect(change);
      expect(await settle(change, lost.handle)).toEqual({ kind: 'notDone' });
      await lost.wakeUp();
      expect(await effects()).toBe(0);
      expect(await settle(change, lost.handle)).toEqual({ kind: 'notDone' });
    });
  });

  describe(`${name}: a snapshot`, () => {
    it('is what was rehearsed: its SHA-256 is the pin', async () => {
      const snapshot = await world.executor.snapshot(world.workspaceId, world.step);
      expect(createHash('sha256').update(snapshot, 'utf8').digest('hex')).toBe(world.step.pins?.before);
      expect(await effects()).toBe(0);
    });

    it('is refused of a target that somebody changed after it was rehearsed', async () => {
      await world.disturb();
      await expect(world.executor.snapshot(world.workspaceId, world.step)).rejects.toMatchObject({ kind: 'targetChanged', message: expect.stringMatching(/\w+ \w+/) });
    });
  });

  describe(`${name}: a rollback`, () => {
    it('puts back exactly what was there, in one change that begins once', async () => {
      const { change, handle } = await execute();
      expect(await world.restoredExactly()).toBe(false);
      const effectsAtBegin: number[] = [];
      const { result, handles } = await make(toRollback(change, handle), async () => effectsAtBegin.push(await effects()));
      expect(result).toMatchObject({ kind: 'done', summary: expect.stringMatching(/./) });
      expect(handles).toHaveLength(1);
      expect(effectsAtBegin).toEqual([1]);
      expect(await world.restoredExactly()).toBe(true);
      expect(await effects()).toBe(2);
      expect(await world.leftovers()).toEqual([]);
    });

    it('of a target that somebody changed since says so, and changes nothing', async () => {
      const { change, handle } = await execute();
      await world.disturb();
      await countFromHere();
      const { result, handles } = await make(toRollback(change, handle));
      expect(result).toMatchObject({ kind: 'conflict', summary: expect.stringMatching(/\w+ \w+/) });
      expect(handles).toEqual([]);
      expect(await effects()).toBe(0);
      expect(await world.leftovers()).toEqual([]);
    });

    it('that was made before is harmless', async () => {
      const { change, handle } = await execute();
      const rollback = toRollback(change, handle);
      await make(rollback);
      expect((await make(rollback)).result).toMatchObject({ kind: 'done' });
      expect(await effects()).toBe(2);
      expect(await world.restoredExactly()).toBe(true);
    });

    it('of a step that began and never happened succeeds without effect', async () => {
      const change = await toExecution();
      const handle = await dieBeforeEffect(change);
      expect(await settle(change, handle)).toEqual({ kind: 'notDone' });
      expect((await make(toRollback(change, handle))).result).toMatchObject({ kind: 'done' });
      expect(await effects()).toBe(0);
      expect(await world.restoredExactly()).toBe(true);
    });

    it('that is called off has no effect and leaves nothing behind', async () => {
      const { change, handle } = await execute();
      await expect(make(toRollback(change, handle), () => Promise.reject(new CalledOff()))).rejects.toBeInstanceOf(CalledOff);
      expect(await effects()).toBe(1);
      expect(await world.leftovers()).toEqual([]);
    });

    it('from anything but the snapshot of what was approved is refused', async () => {
      const { change, handle } = await execute();
      const { result, handles } = await make({ ...toRollback(change, handle), snapshot: `${change.snapshot} ` });
      expect(result).toMatchObject({ kind: 'failed', changed: false });
      expect(handles).toEqual([]);
      expect(await effects()).toBe(1);
    });

    it('whose worker died before the effect is known not to be done, and can be made', async () => {
      const { change, handle } = await execute();
      const rollback = toRollback(change, handle);
      const noted = await dieBeforeEffect(rollback);
      expect(await settle(rollback, noted)).toEqual({ kind: 'notDone' });
      expect(await settle(rollback, noted)).toEqual({ kind: 'notDone' });
      expect((await make(rollback)).result).toMatchObject({ kind: 'done' });
      expect(await world.restoredExactly()).toBe(true);
      expect(await effects()).toBe(2);
      expect(await world.leftovers()).toEqual([]);
    });

    it('whose worker was thought dead and wakes up has no second effect', async () => {
      const { change, handle } = await execute();
      const rollback = toRollback(change, handle);
      const lost = await hangBeforeEffect(rollback);
      expect(await settle(rollback, lost.handle)).toEqual({ kind: 'notDone' });
      expect((await make(rollback)).result).toMatchObject({ kind: 'done' });
      await lost.wakeUp();
      expect(await world.restoredExactly()).toBe(true);
      expect(await effects()).toBe(2);
    });

    it('whose worker died after the effect is known to be done', async () => {
      const { change, handle } = await execute();
      const rollback = toRollback(change, handle);
      const { handle: noted } = await make(rollback);
      expect(await settle(rollback, noted)).toMatchObject({ kind: 'done' });
      expect(await world.restoredExactly()).toBe(true);
      expect(await effects()).toBe(2);
    });
  });
}
