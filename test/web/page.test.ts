import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AxeBuilder } from '@axe-core/playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describeInBrowser, openBrowser, openPage, phone, type OpenedPage } from './browser.js';
import { startFakeApi, type FakeApi } from './fake-api.js';
import {
  aClosedIncident,
  aClosedIncidentWithWayBack,
  aConfigPlan,
  aGate,
  anIncident,
  anIncidentThatNeedsHuman,
  anIncidentToVerify,
  anUpdate,
  aPlan,
  aRollbackThatNeedsHuman,
  incidentId,
  someOutput,
  toEnd,
  toGate,
  toRolledBack,
  toVerification,
} from './incidents.js';

describeInBrowser('the page', () => {
  let folder: string;
  let browser: Browser;
  let fake: FakeApi;
  let opened: OpenedPage;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-page-'));
    await promisify(execFile)('npm', ['run', 'build', '-w', 'web', '--', '--outDir', folder, '--emptyOutDir']);
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    fake = await startFakeApi(folder);
  });
  afterEach(async () => {
    await opened.page.context().close();
    await fake.close();
    // Also the proof that the content security policy needs no hole.
    if (opened.complaints.length > 0) throw new Error(opened.complaints.join('\n'));
  });

  async function visit(path: string, { token = 'supervisor', ...options }: BrowserContextOptions & { token?: string } = {}): Promise<Page> {
    opened = await openPage(browser, options);
    await opened.page.goto(`${fake.url}${path}#token=${token}`);
    return opened.page;
  }
  const visitIncident = (options?: Parameters<typeof visit>[1]): Promise<Page> => visit(`/incidents/${incidentId}`, options);
  const gateOf = (page: Page): Locator => page.getByRole('region', { name: 'Gate' });
  const tailOf = (page: Page): Locator => page.getByRole('log', { name: 'Job tail' });

  describe('signing in', () => {
    it('takes the token of a login link out of the address at once', async () => {
      const page = await visit('/');
      await page.getByText('ana, supervisor of demo').waitFor();
      expect(page.url()).toBe(`${fake.url}/`);
    });

    it('asks for a token, and again with the reason when it is refused', async () => {
      const page = await visit('/', { token: 'stolen' });
      await page.getByRole('alert').getByText('the token is unknown; ask for a new one').waitFor();
      await page.getByLabel('Token').fill('responder');
      await page.getByRole('button', { name: 'Sign in' }).click();
      await expect(page.getByText('ana, responder of demo').waitFor()).resolves.toBeUndefined();
    });

    it('forgets the token when the person signs out', async () => {
      const page = await visit('/');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.reload();
      await expect(page.getByLabel('Token').waitFor()).resolves.toBeUndefined();
    });
  });

  describe('the list', () => {
    it('has what is open before what is closed, and leads to it', async () => {
      fake.incidents = [{ ...aClosedIncident(), id: '5d0c1e5e-6f0a-4f5e-8a1e-000000000001', title: 'Old trouble' }, anIncident()];
      const page = await visit('/');
      await page.getByRole('list', { name: 'Open' }).getByRole('link', { name: 'Checkout is slow' }).waitFor();
      await page.getByRole('list', { name: 'Closed' }).getByRole('link', { name: 'Old trouble' }).waitFor();
      await page.getByRole('link', { name: 'Checkout is slow' }).click();
      await expect(page.getByRole('heading', { level: 1, name: 'Checkout is slow' }).waitFor()).resolves.toBeUndefined();
    });

    it('says how to start when there is nothing', async () => {
      const page = await visit('/');
      await expect(page.getByText('npm run demo').waitFor()).resolves.toBeUndefined();
    });

    it('keeps what it read, and says so, while the API is away', async () => {
      fake.incidents = [anIncident()];
      const page = await visit('/');
      await page.getByRole('link', { name: 'Checkout is slow' }).waitFor();
      fake.isDown = true;
      await page.getByText('The API could not be reached.').waitFor();
      expect(await page.getByRole('link', { name: 'Checkout is slow' }).count()).toBe(1);
      fake.isDown = false;
      await page.getByText('The API could not be reached.').waitFor({ state: 'detached' });
    });
  });

  describe('a gate', () => {
    it('shows the script with its parameters, nothing in it hidden', async () => {
      const [step] = aPlan().steps;
      if (step === undefined) throw new Error('aPlan has no step');
      const plan = aPlan({ steps: [{ ...step, script: "SELECT '\u202Eevil' -- <img src=x onerror=alert(1)>" }] });
      fake.incidents = [anIncident({ plan })];
      const page = await visitIncident();
      await gateOf(page).getByText("SELECT '⟨U+202E⟩evil' -- <img src=x onerror=alert(1)>").waitFor();
      await gateOf(page).getByText('$1 = 4711').waitFor();
      await expect(gateOf(page).getByText('None: one-way.').waitFor()).resolves.toBeUndefined();
    });

    it('says of each step whether it can be taken back, until when, and why not', async () => {
      const [session] = aPlan().steps;
      const [file] = aConfigPlan().steps;
      if (session === undefined || file === undefined) throw new Error('a plan has no step');
      fake.incidents = [anIncident({ plan: aPlan({ steps: [session, { ...file, stepId: '2' }] }) })];
      const page = await visitIncident();
      const steps = gateOf(page).getByRole('list', { name: 'Steps' }).locator('> li');
      await steps.first().getByText('It cannot be undone: a terminated session cannot be brought back.').waitFor();
      await steps.nth(1).getByText('It can be taken back until it is 7d old.').waitFor();
      await expect(gateOf(page).getByText('In part. What step 1 does cannot be put back.').waitFor()).resolves.toBeUndefined();
    });

    it('shows what a patch would make of a file, added and taken away told by more than colour', async () => {
      fake.incidents = [anIncident({ plan: aConfigPlan() })];
      const page = await visitIncident();
      const rehearsal = gateOf(page).getByRole('list', { name: 'Rehearsal of step 1' });
      await rehearsal.waitFor();
      expect(await rehearsal.getByRole('listitem').allInnerTexts()).toEqual(aConfigPlan().rehearsal[0]?.lines);
      expect(await rehearsal.getByRole('insertion').allInnerTexts()).toEqual(['+  size: 20']);
      expect(await rehearsal.getByRole('deletion').allInnerTexts()).toEqual(['-  size: 0', '--- <b>old</b>']);
    });

    it('has the title of a plan of high risk typed before it can be approved', async () => {
      const plan = aPlan({ risk: 'HIGH' });
      fake.incidents = [anIncident({ plan, gate: aGate({ confirmation: plan.title }) })];
      const page = await visitIncident();
      const approve = gateOf(page).getByRole('button', { name: 'Approve' });
      const field = gateOf(page).getByLabel(`To approve, type “${plan.title}”`);
      await gateOf(page).getByText('Type the title of the plan first.').waitFor();
      await field.fill('Database');
      expect(await approve.isEnabled()).toBe(false);
      await field.fill(plan.title);
      await approve.click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ verdict: 'approve', confirmation: plan.title }]);
    });

    it('sends the digest that was shown, the same decision again when the answer was lost', async () => {
      fake.incidents = [anIncident()];
      fake.answers = ['drop'];
      const page = await visitIncident();
      await gateOf(page).getByLabel('Reason').fill('seen the lock graph');
      await gateOf(page).getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      const [first, second, ...more] = fake.posted;
      expect(first).toEqual({
        decisionId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
        gateId: aGate().id,
        digest: aGate().digest,
        verdict: 'approve',
        reason: 'seen the lock graph',
      });
      expect(second).toEqual(first);
      expect(more).toEqual([]);
    });

    it('leads back to the top once the answer has settled it', async () => {
      fake.incidents = [anIncident()];
      const page = await visitIncident();
      await gateOf(page).waitFor();
      fake.incidents = [anIncident({ phase: 'EXECUTION', status: 'IN_PROGRESS', gate: aGate({ state: 'approved' }) })];
      await gateOf(page).getByRole('button', { name: 'Approve' }).click();
      await page.locator('h1:focus').waitFor();
      await expect(page.getByRole('status').getByText('Action approved').waitFor()).resolves.toBeUndefined();
    });

    it('says a refusal in words and shows the incident as it is now', async () => {
      fake.incidents = [anIncident()];
      const page = await visitIncident();
      await gateOf(page).waitFor();
      fake.answers = [{ status: 409, body: { title: 'Gate closed', status: 409, detail: 'ben has rejected it already' } }];
      fake.incidents = [anIncident({ gate: aGate({ state: 'rejected' }) })];
      await gateOf(page).getByRole('button', { name: 'Approve' }).click();
      await page.getByRole('alert').getByText('ben has rejected it already').waitFor();
      await gateOf(page).waitFor({ state: 'detached' });
      expect(fake.posted).toHaveLength(1);
    });

    it('never offers to approve another plan than it asks for', async () => {
      fake.incidents = [anIncident({ plan: aPlan({ version: 2, digest: 'f'.repeat(64) }) })];
      const page = await visitIncident();
      await gateOf(page).getByText('The plan that this gate asks for is being read.').first().waitFor();
      expect(await readEnabled(gateOf(page))).toMatchObject({ Approve: false, Reject: false });
    });

    it.each([
      ['execution', anIncident, { Approve: 'approve', 'Request changes': 'requestChanges', Reject: 'reject' }],
      ['verification', anIncidentToVerify, { 'Looks good': 'approve', 'Request changes': 'requestChanges', 'Not good': 'reject' }],
      ['needsHuman', anIncidentThatNeedsHuman, { 'Measure again': 'approve', 'Propose again': 'requestChanges', 'Close, handed over': 'reject' }],
    ])('of kind %s has a button for each verdict', async (_, build, verdicts) => {
      fake.incidents = [build()];
      const page = await visitIncident();
      for (const [name, verdict] of Object.entries(verdicts)) {
        await gateOf(page).getByLabel('Reason').fill('because');
        await gateOf(page).getByRole('button', { name }).click();
        await page.getByRole('status').getByText('Action approved').waitFor();
        expect(fake.posted.at(-1)).toMatchObject({ verdict });
      }
    });

    it.each([
      ['viewer', { Approve: false, Reject: false }, 'It needs a responder, and you are a viewer.'],
      ['responder', { Approve: false, Reject: true }, 'It needs a supervisor, and you are a responder.'],
      ['supervisor', { Approve: true, Reject: true }, 'runs exactly this, once.'],
    ])('tells a %s what the role may', async (token, enabled, words) => {
      fake.incidents = [anIncident({ gate: aGate({ roleNeeded: 'supervisor' }) })];
      const page = await visitIncident({ token });
      await gateOf(page).getByText(words).first().waitFor();
      await gateOf(page).getByRole('button', { name: 'Reject', disabled: !enabled.Reject }).waitFor();
      expect(await readEnabled(gateOf(page))).toMatchObject(enabled);
    });

    it('says at verification that to reject takes the fix back, where it can', async () => {
      const { gate, ...incident } = anIncidentToVerify();
      if (gate === null) throw new Error('it has no gate');
      fake.incidents = [{ ...incident, gate: { ...gate, offersRollback: true } }];
      const page = await visitIncident({ token: 'responder' });
      await gateOf(page).getByText('the fix is taken back at once.').waitFor();
      await gateOf(page).getByRole('button', { name: 'Not good, take it back' }).click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ verdict: 'reject' }]);
    });

    it('offers to take the fix back where a person is needed, to a supervisor with a reason', async () => {
      const gate = aGate({ kind: 'needsHuman', offersRollback: true, expiresAt: null });
      fake.incidents = [anIncident({ phase: 'VERIFICATION', status: 'NEEDS_HUMAN', gate })];
      const page = await visitIncident();
      const takeBack = gateOf(page).getByRole('button', { name: 'Take it back' });
      await takeBack.click();
      await gateOf(page).getByText('Write a reason first').waitFor();
      await gateOf(page).getByLabel('Reason').fill('it made it worse');
      await takeBack.click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ gateId: gate.id, digest: gate.digest, verdict: 'rollBack', reason: 'it made it worse' }]);
    });

    it('lets nobody below a supervisor take the fix back, nor anybody what has no way back', async () => {
      fake.incidents = [anIncident({ status: 'NEEDS_HUMAN', gate: aGate({ kind: 'needsHuman', offersRollback: true }) })];
      const page = await visitIncident({ token: 'responder' });
      await gateOf(page).getByText('It needs a supervisor, and you are a responder.').waitFor();
      await gateOf(page).getByRole('button', { name: 'Measure again', disabled: false }).waitFor();
      expect(await readEnabled(gateOf(page))).toMatchObject({ 'Take it back': false, 'Close, handed over': true });
      fake.incidents = [anIncident({ status: 'NEEDS_HUMAN', gate: aGate({ kind: 'needsHuman', offersRollback: false }) })];
      await expect(gateOf(page).getByRole('button', { name: 'Take it back' }).waitFor({ state: 'detached' })).resolves.toBeUndefined();
    });

    it('shows what would run where it is only observed, and lets nobody approve it', async () => {
      fake.incidents = [anIncident({ status: 'IN_PROGRESS', gate: aGate({ mode: 'nobody' }) })];
      const page = await visitIncident({ token: 'admin' });
      await gateOf(page).getByText('Observe mode: nothing is run. It would wait for 1 responder').waitFor();
      await gateOf(page).getByRole('button', { name: 'Reject', disabled: false }).waitFor();
      expect(await gateOf(page).getByRole('button', { name: 'Approve' }).count()).toBe(0);
    });

    it('lets nobody approve what they wrote', async () => {
      fake.incidents = [anIncident({ gate: aGate({ excluded: ['ana'] }) })];
      const page = await visitIncident({ token: 'supervisor' });
      await gateOf(page).getByText('You wrote it; another person is needed.').waitFor();
      expect(await readEnabled(gateOf(page))).toMatchObject({ Approve: false });
    });

    it('asks a supervisor for a review first where the confidence is low', async () => {
      fake.incidents = [anIncident({ gate: aGate({ reviewNeeded: true, roleNeeded: 'supervisor' }) })];
      const page = await visitIncident({ token: 'supervisor' });
      await gateOf(page).getByLabel('Reason').fill('the plan is what I would do');
      await gateOf(page).getByRole('button', { name: 'Reviewed', disabled: false }).click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ verdict: 'review', reason: 'the plan is what I would do' }]);
      fake.incidents = [anIncident({ gate: aGate({ reviewNeeded: true, roleNeeded: 'supervisor', reviews: [{ person: 'ben', role: 'supervisor', reason: 'looked', at: new Date().toISOString() }] }) })];
      await gateOf(page).getByText('Reviewed by ben (supervisor): “looked”').waitFor();
      await gateOf(page).getByRole('button', { name: 'Approve', disabled: false }).waitFor();
    });

    it('has the glass broken by a supervisor with a reason, where one approval is not enough', async () => {
      fake.incidents = [anIncident({ gate: aGate({ approvalsNeeded: 2, confirmation: 'Drop it' }) })];
      const page = await visitIncident({ token: 'supervisor' });
      const breakGlass = gateOf(page).getByRole('button', { name: 'Break the glass' });
      await gateOf(page).getByText('Type the title of the plan first.').first().waitFor();
      await gateOf(page).getByLabel('To approve, type').fill('Drop it');
      await breakGlass.click();
      await gateOf(page).getByText('Write a reason first').waitFor();
      await gateOf(page).getByLabel('Reason').fill('nobody else is awake');
      await breakGlass.click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ verdict: 'breakGlass', reason: 'nobody else is awake', confirmation: 'Drop it' }]);
    });

    it.each([['admin', 1], ['supervisor', 0]] as const)('offers to break the glass to a supervisor where one %s has to approve: %d', async (roleNeeded, count) => {
      fake.incidents = [anIncident({ gate: aGate({ roleNeeded }) })];
      const page = await visitIncident({ token: 'supervisor' });
      await gateOf(page).getByText(`Waits for 1 ${roleNeeded}`).waitFor();
      await gateOf(page).getByRole('button', { name: 'Reject', disabled: false }).waitFor();
      expect(await gateOf(page).getByRole('button', { name: 'Break the glass' }).count()).toBe(count);
    });

    it('offers to break the glass neither to a responder nor where one approval is enough', async () => {
      fake.incidents = [anIncident({ gate: aGate({ approvalsNeeded: 2 }) })];
      const page = await visitIncident({ token: 'responder' });
      await gateOf(page).getByRole('button', { name: 'Approve', disabled: false }).waitFor();
      expect(await gateOf(page).getByRole('button', { name: 'Break the glass' }).count()).toBe(0);
    });

    it('asks for a reason before an incident is handed over', async () => {
      fake.incidents = [anIncidentThatNeedsHuman()];
      const page = await visitIncident();
      await gateOf(page).getByRole('button', { name: 'Close, handed over' }).click();
      await gateOf(page).getByText('Write a reason first').waitFor();
      expect(fake.posted).toEqual([]);
    });
  });

  it('cancels only after asking again, with a reason', async () => {
    fake.incidents = [anIncident()];
    fake.answers = [{ status: 200, body: { decisionId: 'd', message: 'Cancelling' } }];
    const page = await visitIncident();
    await page.getByRole('button', { name: 'Cancel incident…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancel this incident?' });
    expect(await readEnabled(dialog)).toMatchObject({ 'Cancel incident': false });
    await dialog.getByLabel('Reason').fill('a drill');
    await dialog.getByRole('button', { name: 'Cancel incident' }).click();
    await page.getByText('Cancelling').waitFor();
    expect(fake.posted).toEqual([{ reason: 'a drill' }]);
  });

  describe('a closed incident', () => {
    const wayBackOf = (page: Page): Locator => page.getByRole('region', { name: 'Way back' });

    beforeEach(() => {
      fake.incidents = [aClosedIncidentWithWayBack()];
      fake.tail = [...toEnd];
    });

    it('is taken back after asking again, with a reason, and its tail goes on', async () => {
      fake.answers = [{ status: 202, body: { decisionId: 'd', message: 'Rollback requested' } }];
      const page = await visitIncident();
      await page.getByText('Ended').waitFor();
      await wayBackOf(page).getByText('in 6d23h').waitFor();
      await wayBackOf(page).getByRole('button', { name: 'Take it back…' }).press('Enter');
      const dialog = page.getByRole('dialog', { name: 'Take this fix back?' });
      expect(await readEnabled(dialog)).toMatchObject({ 'Take it back': false });
      expect(fake.posted).toEqual([]);
      await dialog.getByLabel('Reason').fill('worse than before');
      fake.incidents = [{ ...aClosedIncidentWithWayBack(), status: 'IN_PROGRESS', updatedAt: new Date().toISOString() }];
      fake.tail.push(...toRolledBack.slice(0, 2));
      await dialog.getByRole('button', { name: 'Take it back' }).click();
      await tailOf(page).getByText('Took back Restore Last Known Good Configuration').waitFor();
      expect(fake.posted).toEqual([{ reason: 'worse than before' }]);
      await page.locator('h1:focus').waitFor();
      await page.getByText('It is being taken back.').waitFor();
      expect(await wayBackOf(page).count()).toBe(0);
      fake.incidents = [{ ...aClosedIncident(), outcome: 'ROLLED_BACK' }];
      fake.tell(...toRolledBack.slice(2));
      await page.getByText('Rolled back', { exact: true }).waitFor({ timeout: 1_500 });
      await page.getByText('Ended').waitFor();
      expect(await tailOf(page).locator('article').count()).toBe(11);
    });

    it('goes on telling when somebody else takes it back', async () => {
      const page = await visitIncident();
      await page.getByText('Ended').waitFor();
      fake.tail.push(...toRolledBack);
      fake.incidents = [{ ...aClosedIncident(), outcome: 'ROLLED_BACK', updatedAt: new Date().toISOString() }];
      await expect(tailOf(page).getByText('Took back Restore Last Known Good Configuration').waitFor()).resolves.toBeUndefined();
    });

    it('tells a rollback from a step, by sign and by word', async () => {
      fake.tail = [...toEnd, ...toRolledBack, anUpdate(15, { phase: 'EXECUTION', status: 'NEEDS_HUMAN', kind: 'reconcile', text: 'UNKNOWN' })];
      const page = await visitIncident();
      const rows = tailOf(page).locator('article');
      await rows.filter({ hasText: 'Took back' }).getByText('Rollback', { exact: true }).waitFor();
      expect(await rows.filter({ hasText: 'Took back' }).innerText()).toContain('↩️');
      expect(await rows.filter({ hasText: 'UNKNOWN' }).innerText()).toMatch(/🆘[\s\S]*Reconcile/);
      expect(await rows.filter({ hasText: 'RESOLVED' }).getByText('Rollback').count()).toBe(0);
    });

    it('says in words why it cannot be taken back', async () => {
      fake.answers = [{ status: 409, body: { title: 'Too late', status: 409, detail: 'the snapshot was kept until noon' } }];
      const page = await visitIncident();
      await wayBackOf(page).getByRole('button', { name: 'Take it back…' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('Reason').fill('worse');
      await dialog.getByRole('button', { name: 'Take it back' }).click();
      await expect(dialog.getByRole('alert').getByText('It was not taken back: the snapshot was kept until noon').waitFor()).resolves.toBeUndefined();
    });

    it('is taken back by a supervisor only', async () => {
      const page = await visitIncident({ token: 'responder' });
      await wayBackOf(page).getByText('It needs a supervisor.').waitFor();
      expect(await readEnabled(wayBackOf(page))).toMatchObject({ 'Take it back…': false });
    });

    it('asks a person how to leave it when it did not go back', async () => {
      fake.incidents = [aRollbackThatNeedsHuman()];
      const page = await visitIncident();
      await page.getByText('Closed: resolved; rollback needs a person').waitFor();
      await gateOf(page).getByRole('button', { name: 'Take it back', disabled: false }).waitFor();
      expect(Object.keys(await readEnabled(gateOf(page)))).toEqual(['Take it back', 'Leave it as it is']);
      await gateOf(page).getByLabel('Reason').fill('fixed by hand');
      await gateOf(page).getByRole('button', { name: 'Leave it as it is' }).click();
      await page.getByRole('status').getByText('Action approved').waitFor();
      expect(fake.posted).toMatchObject([{ verdict: 'reject', reason: 'fixed by hand' }]);
    });
  });

  describe('the job tail', () => {
    beforeEach(() => {
      fake.incidents = [anIncident()];
      fake.tail = [...toGate];
    });

    const readUpdates = (page: Page): Promise<string[]> => tailOf(page).locator('article').allInnerTexts();

    it('loses and doubles nothing when the connection drops, and says that it reconnects', async () => {
      const page = await visitIncident();
      await tailOf(page).getByText('EXECUTION_GATE [PENDING_HUMAN_APPROVAL]').waitFor();
      fake.isDown = true;
      fake.dropTails();
      await page.getByText('Reconnecting…').waitFor();
      fake.tell(...toVerification.slice(4));
      fake.isDown = false;
      await tailOf(page).getByText('VERIFICATION_GATE [PENDING_HUMAN_APPROVAL]').waitFor();
      expect(await readUpdates(page)).toHaveLength(6);
      expect(await tailOf(page).getByText('terminated session 4711').count()).toBe(2);
    });

    it('loses and doubles nothing when the page is loaded again', async () => {
      const page = await visitIncident();
      await tailOf(page).getByText('EXECUTION_GATE [PENDING_HUMAN_APPROVAL]').waitFor();
      await page.reload();
      await tailOf(page).getByText('EXECUTION_GATE [PENDING_HUMAN_APPROVAL]').waitFor();
      fake.tell(...toEnd.slice(4));
      await page.getByText('Ended').waitFor();
      expect(await readUpdates(page)).toHaveLength(8);
    });

    it('has the incident read again when it tells something new', async () => {
      const page = await visitIncident();
      await gateOf(page).waitFor();
      fake.incidents = [aClosedIncident()];
      fake.tell(...toEnd.slice(4));
      await page.getByText('Resolved', { exact: true }).waitFor({ timeout: 1_500 });
      await expect(gateOf(page).waitFor({ state: 'detached' })).resolves.toBeUndefined();
    });

    it('follows the newest line only while the reader is there, and draws few of many', async () => {
      const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index + 1} of many ${'words that wrap '.repeat(index % 7)}`);
      const page = await visitIncident({ viewport: phone });
      await tailOf(page).getByText('EXECUTION_GATE [PENDING_HUMAN_APPROVAL]').waitFor();
      fake.tell(someOutput(5, 1, lines));
      await tailOf(page).getByText('line 20000 of many').waitFor();
      expect(await tailOf(page).getByText('of many').count()).toBeLessThan(1_000);
      fake.tell(someOutput(6, 20_001, lines.map((line) => `again ${line}`)));
      await tailOf(page).getByText('again line 20000 of many').waitFor();
      expect(await page.getByRole('button', { name: 'Newest' }).count()).toBe(0);
      await tailOf(page).press('Home');
      await tailOf(page).getByText('DETECTION [IN_PROGRESS]').waitFor();
      fake.tell(someOutput(7, 40_001, ['the newest line']));
      await page.getByRole('button', { name: 'Newest' }).waitFor();
      expect(await tailOf(page).getByText('the newest line').count()).toBe(0);
      await page.getByRole('button', { name: 'Newest' }).click();
      await tailOf(page).getByText('the newest line').waitFor();
    });

    it('colours output as a terminal would and obeys nothing else of it', async () => {
      fake.tail = [someOutput(1, 1, ['\u001B[31mred\u001B[0m <b>plain</b>\rover'])];
      const page = await visitIncident();
      await tailOf(page).locator('.ansi-red', { hasText: 'red' }).waitFor();
      await expect(tailOf(page).getByText('<b>plain</b>⟨U+000D⟩over').waitFor()).resolves.toBeUndefined();
    });
  });

  it('shows the phases, and which of them is now', async () => {
    fake.incidents = [anIncident()];
    const page = await visitIncident();
    const phases = page.getByRole('list', { name: 'Phases' }).getByRole('listitem');
    await phases.first().waitFor();
    expect(await phases.count()).toBe(7);
    expect(await page.locator('[aria-current=step]').innerText()).toContain('Execution gate');
  });

  it('never takes text from outside for markup or for an address', async () => {
    const hostile = '<img src=x onerror=document.title="broken">';
    fake.incidents = [anIncident({ title: hostile, temporalUrl: 'javascript:alert(1)' })];
    fake.tail = [anUpdate(1, { phase: 'DETECTION', text: hostile })];
    const page = await visitIncident();
    await page.getByRole('heading', { level: 1, name: hostile }).waitFor();
    await tailOf(page).getByText(hostile).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Open in Temporal' }).count()).toBe(0);
  });

  it('says that there is no such incident', async () => {
    const page = await visitIncident();
    await expect(page.getByRole('alert').getByText('there is no such incident').waitFor()).resolves.toBeUndefined();
  });

  const screens = [
    { screen: 'the sign-in form', path: '/', build: () => [], token: '' },
    { screen: 'an empty list', path: '/', build: () => [] },
    { screen: 'the list', path: '/', build: () => [anIncident(), { ...aClosedIncident(), id: 'closed' }] },
    { screen: 'an execution gate', path: `/incidents/${incidentId}`, build: () => [anIncident()] },
    { screen: 'a gate of low confidence that two supervisors have to approve', path: `/incidents/${incidentId}`, build: () => [anIncident({ gate: aGate({ approvalsNeeded: 2, reviewNeeded: true, excluded: ['ana'], roleNeeded: 'supervisor' }) })] },
    { screen: 'an observed plan', path: `/incidents/${incidentId}`, build: () => [anIncident({ status: 'IN_PROGRESS', gate: aGate({ mode: 'nobody' }) })] },
    { screen: 'a verification gate', path: `/incidents/${incidentId}`, build: () => [anIncidentToVerify()] },
    { screen: 'a call for a person', path: `/incidents/${incidentId}`, build: () => [anIncidentThatNeedsHuman()] },
    { screen: 'a patch at its gate', path: `/incidents/${incidentId}`, build: () => [anIncident({ plan: aConfigPlan() })] },
    { screen: 'a closed incident', path: `/incidents/${incidentId}`, build: () => [aClosedIncidentWithWayBack()] },
    { screen: 'a rollback that needs a person', path: `/incidents/${incidentId}`, build: () => [aRollbackThatNeedsHuman()] },
  ];

  const looks = [
    { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { viewport: phone, colorScheme: 'dark' },
  ] as const;

  it.each(screens)('is accessible and fits, light on a desktop and dark on a phone: $screen', async ({ path, build, token = 'supervisor' }) => {
    fake.incidents = build();
    fake.tail = [...toEnd, ...toRolledBack];
    const page = await visit(path, { token });
    await page.getByRole('heading', { level: 1 }).waitFor();
    if (path !== '/') await page.getByText('Ended').waitFor();
    for (const { viewport, colorScheme } of looks) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      for (const button of await page.getByRole('button').all()) expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => ({ id, where: nodes.map(({ target }) => target) }))).toEqual([]);
    }
  });
});

/** Which buttons can be pressed, by name. */
async function readEnabled(where: Locator): Promise<Record<string, boolean>> {
  const buttons = await where.getByRole('button').all();
  return Object.fromEntries(await Promise.all(buttons.map(async (button) => [await button.innerText(), await button.isEnabled()] as const)));
}
