import { randomUUID } from 'node:crypto';
import type { DecisionReceipt, Gate, IncidentDetail, IncidentPage, Me } from '../contracts/http.js';
import type { Verdict } from '../domain/gate.js';
import type { ApiClient } from './client.js';
import { renderEntry, renderIncident, renderList, toPlainText } from './render.js';
import { Refused, type Surroundings, WrongUsage } from './surroundings.js';

export interface Context extends Surroundings {
  readonly client: ApiClient;
  readonly json: boolean;
  /** Where the installation of this checkout keeps its state. */
  readonly home: string;
}

const read = (client: ApiClient, incidentId: string) => client.get<IncidentDetail>(`/api/incidents/${encodeURIComponent(incidentId)}`);

export async function listIncidents({ client, json, print }: Context, options: { readonly state: string; readonly limit: string }): Promise<void> {
  const page = await client.get<IncidentPage>(`/api/incidents?${new URLSearchParams({ ...options }).toString()}`);
  print(json ? JSON.stringify(page) : renderList(page.incidents));
}

export async function showIncident({ client, json, print }: Context, incidentId: string): Promise<void> {
  const incident = await read(client, incidentId);
  print(json ? JSON.stringify(incident) : renderIncident(incident));
}

export async function tailIncident({ client, json, print, complain, interrupted }: Context, incidentId: string): Promise<void> {
  let isLost = false;
  const onLost = () => {
    if (!isLost) complain('The connection was lost; trying again.');
    isLost = true;
  };
  for await (const entry of client.followTail(incidentId, { signal: interrupted, onLost })) {
    isLost = false;
    const text = json ? JSON.stringify(entry) : renderEntry(entry);
    if (text !== undefined) print(text);
  }
  if (interrupted.aborted) complain(`The incident goes on. Follow it again with: sluice tail ${incidentId}`);
}

export async function startDetection(context: Context, { threshold }: { readonly threshold?: string }): Promise<void> {
  const { client, complain } = context;
  const { workspaceId } = await client.get<Me>('/api/me');
  const incidentId = await client.remediate({ workspaceId, ...(threshold === undefined ? {} : { severityThreshold: threshold }) });
  complain(`Incident ${incidentId}`);
  await tailIncident(context, incidentId);
}

/** Answers the open gate: for the digest that was shown and no other. */
export async function decideAtGate(
  context: Context,
  incidentId: string,
  verdict: Extract<Verdict, 'approve' | 'reject'>,
  { reason, yes = false, confirm }: { readonly reason?: string; readonly yes?: boolean; readonly confirm?: string },
): Promise<void> {
  const { client, json, print, complain } = context;
  const incident = await read(client, incidentId);
  const { gate } = incident;
  if (gate?.state !== 'open') throw new Refused(`The incident waits at no gate; it is in ${incident.phase} [${incident.status}].`);
  complain(renderIncident(incident));
  const confirmation = verdict === 'approve' ? await askPerson(context, gate, { yes, confirm }) : undefined;
  const receipt = await client.post<DecisionReceipt>(`/api/incidents/${incident.id}/decisions`, {
    decisionId: randomUUID(),
    gateId: gate.id,
    digest: gate.digest,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    ...(confirmation === undefined ? {} : { confirmation }),
  });
  print(json ? JSON.stringify(receipt) : toPlainText(receipt.message));
}

/** Makes sure that a person means it; returns what the person typed where the gate asks for that. */
async function askPerson(
  { isTerminal, ask }: Context,
  { kind, digest, confirmation }: Gate,
  { yes, confirm }: { readonly yes: boolean; readonly confirm: string | undefined },
): Promise<string | undefined> {
  if (confirmation !== null) {
    const title = toPlainText(confirmation);
    if (confirm !== undefined) return confirm;
    if (!isTerminal || yes) throw new WrongUsage(`Its risk is high, so --yes is not enough. Look at it with \`sluice show\`, then say --confirm "${title}".`);
    return ask(`Its risk is high. Type ${title} to approve it: `);
  }
  if (yes) return undefined;
  if (!isTerminal) throw new WrongUsage('Nobody can be asked here. Look at it with `sluice show`, then say --yes.');
  const meaning = { execution: `approve the digest ${digest?.slice(0, 12)}…`, verification: 'say that it looks good', needsHuman: 'measure again' }[kind];
  const answer = await ask(`Type yes to ${meaning}: `);
  if (answer.trim() !== 'yes') throw new Refused('Not approved.');
  return undefined;
}
