import { randomUUID } from 'node:crypto';
import type { CancelReceipt, DecisionReceipt, Gate, IncidentDetail, IncidentPage, Me, TailEntry } from '../contracts/http.js';
import type { Verdict } from '../domain/gate.js';
import type { Outcome } from '../domain/incident.js';
import type { ApiClient } from './client.js';
import { renderEntry, renderIncident, renderList, toPlainText } from './render.js';
import { Refused, type Surroundings, WrongUsage } from './surroundings.js';

export interface Context extends Surroundings {
  readonly client: ApiClient;
  readonly json: boolean;
  /** Where the installation of this checkout keeps its state. */
  readonly home: string;
}

/** One incident as it is now. */
export const readIncident = (client: ApiClient, incidentId: string) => client.get<IncidentDetail>(`/api/incidents/${encodeURIComponent(incidentId)}`);

export async function listIncidents({ client, json, print }: Context, options: { readonly state: string; readonly limit: string }): Promise<void> {
  const page = await client.get<IncidentPage>(`/api/incidents?${new URLSearchParams({ ...options }).toString()}`);
  print(json ? JSON.stringify(page) : renderList(page.incidents));
}

export async function showIncident({ client, json, print }: Context, incidentId: string): Promise<void> {
  const incident = await readIncident(client, incidentId);
  print(json ? JSON.stringify(incident) : renderIncident(incident));
}

/** Prints the job tail until it is done, or until an entry is enough. Returns how the incident ended, where it did. */
export async function followTail(
  { client, json, print, complain, interrupted }: Context,
  incidentId: string,
  { after = 0, isEnough = () => false }: { readonly after?: number; readonly isEnough?: (entry: TailEntry) => boolean } = {},
): Promise<Outcome | undefined> {
  let isLost = false;
  let outcome: Outcome | undefined;
  const onLost = () => {
    if (!isLost) complain('The connection was lost; trying again.');
    isLost = true;
  };
  for await (const entry of client.followTail(incidentId, { after, signal: interrupted, onLost })) {
    isLost = false;
    outcome = entry.event === 'done' ? entry.data.outcome : undefined;
    const text = json ? JSON.stringify(entry) : renderEntry(entry);
    if (text !== undefined) print(text);
    if (isEnough(entry)) return outcome;
  }
  if (interrupted.aborted) complain(`The incident goes on. Follow it again with: sluice tail ${incidentId}`);
  return outcome;
}

export async function startDetection(context: Context, { threshold }: { readonly threshold?: string }): Promise<void> {
  const { client, complain } = context;
  const { workspaceId } = await client.get<Me>('/api/me');
  const incidentId = await client.remediate({ workspaceId, ...(threshold === undefined ? {} : { severityThreshold: threshold }) });
  complain(`Incident ${incidentId}`);
  await followTail(context, incidentId);
}

export interface Answer {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly confirm?: string;
  /** The beginning of the digest of the plan that the person means. */
  readonly digest?: string;
}

/** Answers the open gate: for the digest that was shown and no other. */
export async function decideAtGate(context: Context, incidentId: string, verdict: Verdict, answer: Answer): Promise<void> {
  const incident = await readIncident(context.client, incidentId);
  const { gate } = incident;
  if (gate?.state !== 'open') throw new Refused(`The incident waits at no gate; it is in ${incident.phase} [${incident.status}].`);
  await answerGate(context, incident, gate, verdict, answer);
}

/** Shows the incident, makes sure that a person means it where something would be run or taken back, and sends the decision. */
export async function answerGate(context: Context, incident: IncidentDetail, gate: Gate, verdict: Verdict, answer: Answer): Promise<void> {
  const { client, json, print, complain } = context;
  complain(renderIncident(incident));
  const takesBack = verdict === 'rollBack' || (verdict === 'reject' && gate.kind === 'verification' && gate.offersRollback);
  if (takesBack) await askToTakeBack(context, answer);
  if (verdict === 'breakGlass') complain('This lets it run on your word alone. Everyone is told.');
  const letsRun = verdict === 'approve' || verdict === 'breakGlass';
  const meant = letsRun ? toMeaning(gate, incident) : undefined;
  const { digest } = answer;
  if (digest !== undefined && gate.digest?.startsWith(digest) !== true) throw new Refused(`The gate is for the digest ${gate.digest ?? '(none)'} now, not ${digest}. Look at it with \`sluice show\`, and decide anew.`);
  const confirmation = letsRun ? await askToApprove(context, gate, incident.closedAt !== null, answer) : undefined;
  const receipt = await client.post<DecisionReceipt>(`/api/incidents/${incident.id}/decisions`, {
    decisionId: randomUUID(),
    gateId: gate.id,
    digest: gate.digest,
    verdict,
    ...(answer.reason === undefined ? {} : { reason: answer.reason }),
    ...(confirmation === undefined ? {} : { confirmation }),
  });
  print(json ? JSON.stringify(receipt) : toPlainText(`${receipt.message}${meant === undefined ? '' : `: ${meant}`}`));
}

/** What saying yes at a gate means, as the person should read it afterwards. */
function toMeaning({ kind, digest }: Gate, { plan, closedAt }: IncidentDetail): string {
  switch (kind) {
    case 'execution':
      return `run ${plan?.title ?? 'the plan'}, digest ${digest?.slice(0, 12) ?? 'none'}…`;
    case 'verification':
      return 'it looks good';
    case 'needsHuman':
      return closedAt === null ? 'measure again' : 'leave it as it is';
  }
}

/** Asks that an incident ends; where something may have changed, it asks a person first. */
export async function cancelIncident({ client, json, print }: Context, incidentId: string, { reason }: { readonly reason: string }): Promise<void> {
  const receipt = await client.post<CancelReceipt>(`/api/incidents/${encodeURIComponent(incidentId)}/cancel`, { reason });
  print(json ? JSON.stringify(receipt) : toPlainText(receipt.message));
}

export async function askToTakeBack(context: Context, { yes }: Answer): Promise<void> {
  context.complain('This takes the fix back.');
  await askForYes(context, yes, 'take it back', 'Not taken back.');
}

/** Returns what the person typed where the gate asks for that. */
async function askToApprove(context: Context, { kind, digest, confirmation }: Gate, isClosed: boolean, { yes = false, confirm }: Answer): Promise<string | undefined> {
  if (confirmation !== null) {
    const title = toPlainText(confirmation);
    if (confirm !== undefined) return confirm;
    if (!context.isTerminal || yes) throw new WrongUsage(`Its risk is high, so --yes is not enough. Look at it with \`sluice show\`, then say --confirm "${title}".`);
    return context.ask(`Its risk is high. Type ${title} to approve it: `);
  }
  const meaning = { execution: `approve the digest ${digest?.slice(0, 12)}…`, verification: 'say that it looks good', needsHuman: isClosed ? 'leave it as it is' : 'measure again' }[kind];
  await askForYes(context, yes, meaning, 'Not approved.');
  return undefined;
}

async function askForYes({ isTerminal, ask }: Context, yes: boolean | undefined, meaning: string, refusal: string): Promise<void> {
  if (yes === true) return;
  if (!isTerminal) throw new WrongUsage('Nobody can be asked here. Look at it with `sluice show`, then say --yes.');
  if ((await ask(`Type yes to ${meaning}: `)).trim() !== 'yes') throw new Refused(refusal);
}
