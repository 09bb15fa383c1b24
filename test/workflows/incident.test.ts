import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eq } from 'drizzle-orm';
import { executionGateSignal } from '../../contracts/messages.js';
import { createRecorder } from '../../db/recorder.js';
import { scripts } from '../../db/schema.js';
import { seedLibrary } from '../../db/scripts.js';
import { freshDatabase, type FreshDatabase } from '../harness/database.js';
import { keepHistory } from '../harness/keep-history.js';
import { openStory, type StoryOptions } from '../harness/story.js';
import { openTemporal, type TemporalHarness } from '../harness/temporal.js';
import { until } from '../harness/until.js';

let temporal: TemporalHarness;
let database: FreshDatabase;
beforeAll(async () => {
  [temporal, database] = await Promise.all([openTemporal(), freshDatabase()]);
});
afterAll(async () => {
  await temporal.close();
  await database.close();
});
const open = (options: StoryOptions = {}) => openStory(temporal, database, options);

describe('an incident that people approve', () => {
  it('runs what was approved once, is verified and closes as RESOLVED, with the tail that a person reads', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
    expect(await story.row()).toMatchObject({ phase: 'CLOSED', outcome: 'RESOLVED', severity: 'CRITICAL' });
    const text = (await story.tailText()).replace(/digest [0-9a-f]{4}…/, 'digest D…').replace(/until .*UTC/, 'until T UTC').replace(/sampled for [\d.]+s/, 'sampled for 1s').replace(/in [\d.]+s/, 'in 0.1s');
    expect(text).toBe(
      [
        '🔍 DETECTION [IN_PROGRESS]',
        '   Measuring 0 signals',
        '⚠️ DETECTION [SUCCESS]',
        '   1 anomaly, highest severity 8.5/10 (CRITICAL)',
        '   - longest lock wait 2450 ms (threshold 100 ms)',
        '🤔 PROPOSAL_FIX [SUCCESS]',
        '   Root cause: session 4711 idle in transaction for 3m12s, blocks 14 others (confidence 92)',
        '⏸️ EXECUTION_GATE [PENDING_HUMAN_APPROVAL]',
        '   Action required. Severity 8.5/10 (CRITICAL)',
        '   Proposed remediation: Database Connection Reset, 1 step, digest D…',
        '   Risk: MEDIUM. Estimated duration: 10s. Way back: none (one-way)',
        '   Confidence 86 (HIGH). Waits for 1 responder until T UTC',
        '🛠️ EXECUTION [SUCCESS]',
        '   Approved by ana (responder): "seen the lock graph"',
        '   Execution log:',
        '   | terminated session 4711',
        '   Status: SUCCESS ✅ in 0.1s',
        '⏸️ VERIFICATION_GATE [PENDING_HUMAN_APPROVAL]',
        '   longest lock wait 2450 ms → 38 ms, sampled for 1s',
        '🔍 VERIFICATION [SUCCESS]',
        '   All signals well for 1s. Improvement: +98.4%',
        '   Asked for by ana (responder): "seen the lock graph"',
        '✅ CLOSED [SUCCESS]',
        '   RESOLVED. Detected 1 anomaly, executed Database Connection Reset, improved by 98.4%, stable',
      ].join('\n'),
    );
    await keepHistory('approved', story.handle);
  });

  it.each([{ outputLines: 10 }, { outputLines: 10_000 }])('keeps its history under 80 events with $outputLines lines of output', async ({ outputLines }) => {
    const story = await open({ trouble: { outputLines } });
    await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(await story.historyLength()).toBeLessThanOrEqual(80);
  });

  it('shows people in the Temporal Web UI what to do next, where it stands, what is planned and what happened last', async () => {
    const story = await open();
    await story.run(async () => {
      await story.openGate('execution');
      const metadata = await until('current details', async () => {
        const answer = await story.handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
        return answer.currentDetails?.includes('EXECUTION_GATE') === true ? answer.currentDetails : undefined;
      });
      expect(metadata).toMatch(/\*\*Next:\*\* approve or reject Database Connection Reset/);
      expect(metadata).toMatch(/\*\*Phase:\*\* EXECUTION_GATE, PENDING_HUMAN_APPROVAL/);
      expect(metadata).toMatch(/\*\*Plan:\*\* Database Connection Reset, version 1, digest/);
      expect(metadata).toMatch(/\*\*Last updates\*\*[\s\S]*PROPOSAL_FIX/);
      expect(Math.max(...metadata.split('\n').map((line) => line.length))).toBeLessThanOrEqual(72);
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    const { history } = await story.handle.fetchHistory().then((fetched) => ({ history: fetched.events ?? [] }));
    const scheduled = history.flatMap((event) => (event.activityTaskScheduledEventAttributes ? [event] : []));
    expect(scheduled.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)).toEqual([
      'detectAnomalies',
      'proposeRemediation',
      'validateRemediation',
      'executeRemediation',
      'sampleSignals',
      'verifyRemediation',
      'closeIncident',
    ]);
    expect(scheduled.every((event) => event.userMetadata?.summary !== undefined && event.userMetadata.summary !== null)).toBe(true);
  });
});

describe('a plan of CRITICAL risk', () => {
  it('waits for two different people, and says how many have approved', async () => {
    const story = await open({ library: 'empty' });
    const outcome = await story.run(async () => {
      await story.openGate('needsHuman');
      await seedLibrary(database.db, story.workspaceId);
      await database.db.update(scripts).set({ risk: 'CRITICAL' }).where(eq(scripts.workspaceId, story.workspaceId));
      await story.answer('needsHuman', 'requestChanges');
      expect(await story.answer('execution', 'approve', story.person('ana'))).toMatchObject({ kind: 'refused', because: 'notAllowed' });
      expect(await story.answer('execution', 'approve', story.person('sam', 'supervisor'))).toMatchObject({ kind: 'counted', gateState: 'open', approvals: 1 });
      expect(await story.answer('execution', 'approve', story.person('sam', 'supervisor'))).toMatchObject({ kind: 'refused', because: 'alreadyDecided' });
      await until('the first approval in the tail', async () => (await story.updates()).some(({ text }) => text === '1 of 2 approvals: sam (supervisor): "seen the lock graph"'));
      expect(story.ran).toEqual([]);
      await story.answer('execution', 'approve', story.person('kim', 'supervisor'));
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(story.ran).toHaveLength(1);
  });
});

describe('an incident that is not approved', () => {
  it('closes as REJECTED and runs nothing', async () => {
    const story = await open();
    expect(await story.run(() => story.answer('execution', 'reject'))).toBe('REJECTED');
    expect(story.ran).toEqual([]);
    await keepHistory('rejected', story.handle);
  });

  it('reminds once and then expires when nobody answers, and runs nothing', async () => {
    const story = await open({ policy: { gateRemindMs: 300, gateWaitMs: 3_000 } });
    expect(await story.run()).toBe('EXPIRED');
    expect(story.ran).toEqual([]);
    expect((await story.updates()).filter(({ text }) => text.startsWith('Still waiting'))).toHaveLength(1);
    await keepHistory('expired', story.handle);
  });

  it('proposes anew when changes are requested, under a gate and a digest of their own', async () => {
    const story = await open();
    const digests: (string | null)[] = [];
    const outcome = await story.run(async () => {
      digests.push((await story.openGate('execution')).digest);
      await story.answer('execution', 'requestChanges', story.person('ana'), 'look at the other session');
      digests.push((await until('the second gate', async () => {
        const gate = await story.openGate('execution');
        return gate.planVersion === 2 ? gate : undefined;
      })).digest);
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect(new Set(digests).size).toBe(2);
    expect(story.ran).toHaveLength(1);
    await keepHistory('changes-requested', story.handle);
  });

  it('closes as CANCELLED when a person cancels, and runs nothing', async () => {
    const story = await open();
    expect(
      await story.run(async () => {
        await story.openGate('execution');
        await story.askToCancel();
      }),
    ).toBe('CANCELLED');
    expect(story.ran).toEqual([]);
    expect((await story.updates()).at(-1)?.text).toContain('Cancelled by ana (responder): "not now"');
    await keepHistory('cancelled', story.handle);
  });

  it('closes as CANCELLED when Temporal is asked to cancel the workflow', async () => {
    const story = await open();
    expect(
      await story.run(async () => {
        await story.openGate('execution');
        await story.handle.cancel();
      }),
    ).toBe('CANCELLED');
  });

  it('closes as RECOVERED when it is measured well after somebody said so', async () => {
    const story = await open();
    expect(
      await story.run(async () => {
        await story.openGate('execution');
        story.recover();
        await story.tellResolved();
      }),
    ).toBe('RECOVERED');
    expect(story.ran).toEqual([]);
    await keepHistory('recovered-before-approval', story.handle);
  });

  it('stays at its gate when somebody says that it is over and it is not', async () => {
    const story = await open();
    await story.run(async () => {
      const gate = await story.openGate('execution');
      await story.tellResolved();
      await until('the second measurement', async () => (await story.measurements()).length === 2);
      expect((await story.openGate('execution')).id).toBe(gate.id);
      await story.answer('execution', 'reject');
    });
  });

  it('finds nothing, says so and closes', async () => {
    const story = await open();
    story.recover();
    expect(await story.run()).toBe('NOTHING_FOUND');
    expect(await story.headlines()).toEqual(['DETECTION IN_PROGRESS', 'DETECTION SUCCESS', 'CLOSED SUCCESS']);
  });
});

describe('an approval that comes after the world has moved', () => {
  it('runs nothing when all is well again', async () => {
    const story = await open();
    expect(
      await story.run(async () => {
        await story.openGate('execution');
        story.recover();
        await story.answer('execution', 'approve');
      }),
    ).toBe('RECOVERED');
    expect(story.ran).toEqual([]);
  });

  it('asks again, with a new plan, when what it aims at has changed', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      const first = await story.openGate('execution');
      story.replaceHolder();
      await story.answer('execution', 'approve');
      const second = await until('a second gate', async () => {
        const gate = await story.openGate('execution');
        return gate.id === first.id ? undefined : gate;
      });
      expect(second.digest).not.toBe(first.digest);
      expect(story.ran).toEqual([]);
      // Whoever approved the first reads what became of it.
      expect(await story.tailText()).toContain(
        '⛔ EXECUTION [REJECTED]\n   Approved by ana (responder): "seen the lock graph"\n   Database Connection Reset does not fit any more: session 4711 is gone. Nothing was run; a new plan is made',
      );
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
  });
});

describe('a signal', () => {
  const refused = (story: Awaited<ReturnType<typeof open>>, signal: string) =>
    until('the refusal', async () => (await story.updates()).some(({ text }) => text.startsWith(`Refused the ${signal} signal`)));

  it.each([
    { what: 'names a decision that nobody made', signal: 'executionGate', args: [{ decisionId: 'forged' }], named: 'execution gate' },
    { what: 'names nothing', signal: 'executionGate', args: [], named: 'execution gate' },
    { what: 'is malformed', signal: 'needsHumanGate', args: [{ decisionId: 7 }], named: 'needsHuman gate' },
    { what: 'cancels, and nobody did', signal: 'cancel', args: [{ decisionId: 'forged' }], named: 'cancel' },
    { what: 'cancels under the id of no decision', signal: 'cancel', args: [{ decisionId: '5b0f6a52-3f0e-4b8e-9d53-0f1f3f6f7a10' }], named: 'cancel' },
    { what: 'cancels and names nothing', signal: 'cancel', args: [{ decisionId: null }], named: 'cancel' },
  ])('that $what is refused by name, and the gate goes on hearing people', async ({ signal, args, named }) => {
    const story = await open();
    const outcome = await story.run(async () => {
      await story.openGate('execution');
      await story.handle.signal(signal, ...args);
      await refused(story, named);
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
    expect(story.ran).toEqual([]);
  });

  it('that repeats a decision is no second one, and is not called forged', async () => {
    const story = await open();
    await story.run(async () => {
      const { decisionId } = await story.answer('execution', 'approve');
      await story.handle.signal(executionGateSignal, { decisionId });
      await story.openGate('verification');
      await story.handle.signal(executionGateSignal, { decisionId });
      await story.answer('verification', 'approve');
    });
    expect(story.ran).toHaveLength(1);
    expect(await story.tailText()).not.toContain('Refused');
  });
});

describe('a target that cannot be measured any more', () => {
  it('while a gate waits, leaves the gate open', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      const gate = await story.openGate('execution');
      story.forgetTargets();
      await story.tellResolved();
      await until('the word of it', async () => (await story.updates()).some(({ text }) => text.startsWith('Said to be over, and could not be measured')));
      expect((await story.openGate('execution')).id).toBe(gate.id);
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
  });

  it('while people look at the outcome, does not stop the incident', async () => {
    const story = await open({ policy: { stabilizationMs: 6_000 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.openGate('verification');
      story.forgetTargets();
      await until('the sampling to fail', async () => ((await story.handle.fetchHistory()).events ?? []).some((event) => event.activityTaskFailedEventAttributes));
      await story.answer('verification', 'reject', story.person('ana'), 'what happened to the database?');
      await story.answer('needsHuman', 'reject', story.person('ana'), 'it was moved');
    });
    expect(outcome).toBe('HANDED_OVER');
  });

  it('before anything ran, fails the incident and says why', async () => {
    const story = await open({ targets: ['gone'] });
    expect(await story.run()).toBe('FAILED');
    expect((await story.updates()).at(-1)?.text).toContain('target gone is not in sluice.yaml any more. Nothing was changed');
  });
});

describe('a target that moves faster than plans are made', () => {
  it('is handed to a person, not chased without end', async () => {
    const story = await open({ trouble: { rehearsal: 'neverFound' } });
    const outcome = await story.run(async () => {
      await story.openGate('needsHuman');
      await story.answer('needsHuman', 'reject', story.person('ana'), 'too fast');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(await story.measurements()).toHaveLength(4);
  }, 60_000);
});

describe('a fix that does not help', () => {
  it('fails its verification, is followed by another round, and after the last one asks a person', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { maxRounds: 2, stabilizationMs: 500 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      await until('the first failure', async () => (await story.headlines()).includes('VERIFICATION FAILED'));
      story.blockAgain();
      // Nothing holds locks any more, or something new does: either way a person or a new plan is needed.
      const next = await until('what comes next', async () => (await story.view()).gate?.kind);
      if (next === 'needsHuman') await story.answer('needsHuman', 'requestChanges');
      await story.answer('execution', 'approve');
      await story.answer('verification', 'approve');
      await until('the second failure', async () => (await story.headlines()).filter((line) => line === 'VERIFICATION FAILED').length === 2);
      await story.answer('needsHuman', 'reject', story.person('ana'), 'the database team took over');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect(story.ran).toHaveLength(2);
    await keepHistory('verification-failed', story.handle);
  });

  it('that people find not good is handed to a person, because it has no way back', async () => {
    const story = await open();
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.answer('verification', 'reject', story.person('ana'), 'customers still complain');
      const gate = await story.openGate('needsHuman');
      expect(gate.expiresAt).toBeNull();
      await story.answer('needsHuman', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect((await story.headlines()).at(-2)).toBe('VERIFICATION SUCCESS');
    expect((await story.headlines()).filter((line) => line === 'VERIFICATION_GATE NEEDS_HUMAN')).toHaveLength(1);
  });
});

describe('an execution', () => {
  it('whose effect nobody can tell asks a person and is never run again blindly', async () => {
    const story = await open({ trouble: { run: 'isUnknown' } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.openGate('needsHuman');
      expect(await story.executions()).toMatchObject([{ state: 'unknown' }]);
      expect((await story.updates()).at(-1)).toMatchObject({ status: 'NEEDS_HUMAN', text: expect.stringContaining('UNKNOWN') });
      await story.answer('needsHuman', 'reject', story.person('ana'), 'looked by hand');
    });
    expect(outcome).toBe('HANDED_OVER');
  });

  it('that fails after it may have changed something asks a person, and gets no credit for what people do then', async () => {
    const story = await open({ trouble: { run: 'fails' } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await story.openGate('needsHuman');
      story.recover();
      await story.answer('needsHuman', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect((await story.updates()).at(-1)?.text).toContain('Database Connection Reset did not run to its end and people went on');
    const records = await createRecorder(database.db).readTrackRecords(story.workspaceId);
    expect(Object.values(records)).toEqual([{ succeeded: 0, failed: 1 }]);
    expect(await story.headlines()).toContain('EXECUTION FAILED');
  });

  it('that is cancelled while it runs stops, and a person is asked', async () => {
    const story = await open({ trouble: { run: 'takesUntilCancelled' } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await until('the run', async () => (await story.executions())[0]?.state === 'started');
      await story.askToCancel('wrong database');
      await story.answer('needsHuman', 'reject', story.person('ana'), 'seen');
    });
    expect(outcome).toBe('HANDED_OVER');
    expect((await story.updates()).map(({ text }) => text).join('\n')).toContain('Cancelled by ana (responder): "wrong database"');
  });
});

describe('once something has changed', () => {
  async function failed(story: Awaited<ReturnType<typeof open>>): Promise<void> {
    await story.answer('execution', 'approve');
    await story.answer('verification', 'approve');
    await until('the failed verification', async () => (await story.headlines()).includes('VERIFICATION FAILED'));
    story.blockAgain();
    const next = await until('what comes next', async () => {
      const gate = (await story.view()).gate?.kind;
      return gate === 'execution' || gate === 'needsHuman' ? gate : undefined;
    });
    if (next === 'needsHuman') await story.answer('needsHuman', 'requestChanges');
    await until('the next plan', async () => (await story.openGate('execution')).planVersion !== 1);
  }

  it('rejecting the next plan asks a person and does not close as if nothing had been run', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { stabilizationMs: 500 } });
    const outcome = await story.run(async () => {
      await failed(story);
      await story.answer('execution', 'reject');
      await story.answer('needsHuman', 'reject', story.person('ana'), 'we go on by hand');
    });
    expect(outcome).toBe('HANDED_OVER');
  });

  it('hearing that it is over closes nothing by itself', async () => {
    const story = await open({ trouble: { run: 'doesNotHelp' }, policy: { stabilizationMs: 500 } });
    const outcome = await story.run(async () => {
      await failed(story);
      story.recover();
      await story.tellResolved();
      await story.answer('execution', 'reject');
      await story.answer('needsHuman', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
    expect((await story.headlines()).at(-2)).toBe('VERIFICATION SUCCESS');
  });

  it('a late look at the outcome still gets its whole time to verify', async () => {
    const story = await open({ policy: { stabilizationMs: 500 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      const gate = await story.openGate('verification');
      // More than three windows: what verification may take, counted from the wrong moment.
      await until('time to pass', async () => Date.now() > gate.openedAt.getTime() + 2_500);
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
  });
});

describe('an unanswered verification gate', () => {
  it('calls a person and stays open, because something has changed', async () => {
    const story = await open({ policy: { verificationEscalateMs: 300 } });
    const outcome = await story.run(async () => {
      await story.answer('execution', 'approve');
      await until('the escalation', async () => (await story.headlines()).includes('VERIFICATION_GATE NEEDS_HUMAN'));
      await story.answer('verification', 'approve');
    });
    expect(outcome).toBe('RESOLVED');
  });
});

describe('an incident that nothing in the library answers', () => {
  it('asks a person, and proposes again when a script was added', async () => {
    const story = await open({ library: 'empty' });
    const outcome = await story.run(async () => {
      await story.openGate('needsHuman');
      await seedLibrary(database.db, story.workspaceId);
      await story.answer('needsHuman', 'requestChanges');
      await story.answer('execution', 'reject');
    });
    expect(outcome).toBe('REJECTED');
  });
});
