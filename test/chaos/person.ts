import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { IncidentDetail } from '../../contracts/http.js';

export interface Access {
  readonly apiUrl: string;
  readonly token: string;
}

// Monitoring sends no keys: that a repeat is one is known by its fingerprint.
const alertsPath = '/api/alerts/json';
const GIVE_UP_MS = 5_000;
const AGAIN_MS = 100;

/** The API answered, and the answer was no. */
export class Refused extends Error {
  override readonly name = 'Refused';
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`${status}: ${text.slice(0, 300)}`);
  }
}

/** One call as a client with a timeout makes it. */
export async function callApi<Answer>({ apiUrl, token }: Access, method: 'GET' | 'POST', path: string, body?: object, key = randomUUID()): Promise<Answer> {
  const response = await fetch(new URL(path, apiUrl), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...(path === alertsPath ? {} : { 'idempotency-key': key }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
  if (!response.ok) throw new Refused(response.status, await response.text());
  return (await response.json()) as Answer;
}

/** Again and again until it is answered. Only what the API itself refuses for good is thrown, and when `signal` says so. */
async function insist<Answer>(signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (error instanceof Refused && error.status < 500) throw error;
    }
    await wait(AGAIN_MS);
  }
}

/** Sends an alert as monitoring does: again until it is acknowledged. */
export async function sendAlert(access: Access, fingerprint: string, signal: AbortSignal): Promise<string> {
  const alert = { title: fingerprint, fingerprint, severity: 'critical' };
  const receipt = await insist(signal, () => callApi<{ incidents: readonly { incidentId: string | null }[] }>(access, 'POST', alertsPath, alert));
  const [opened] = receipt.incidents;
  if (opened?.incidentId == null) throw new Error('an alert was acknowledged without an incident');
  return opened.incidentId;
}

export type Verdict = 'approve' | 'reject';

/** Answers every gate until the incident has ended, and says how. A gate that asks a person for help ends it, too: nothing here may need one. */
export async function answerGates(
  access: Access,
  incidentId: string,
  signal: AbortSignal,
  decide: (gateKind: 'execution' | 'verification') => Verdict,
  isEnd: (outcome: string) => boolean = () => true,
): Promise<string> {
  const answered = new Set<string>();
  for (;;) {
    const { outcome, gate } = await insist(signal, () => callApi<IncidentDetail>(access, 'GET', `/api/incidents/${incidentId}`));
    if (gate?.state === 'open' && gate.kind === 'needsHuman') return 'NEEDS_HUMAN';
    if (outcome !== null && isEnd(outcome)) return outcome;
    if (gate?.state === 'open' && gate.kind !== 'needsHuman' && !answered.has(gate.id)) {
      const { id: gateId, digest, confirmation } = gate;
      const body = { decisionId: randomUUID(), gateId, digest, verdict: decide(gate.kind), reason: 'chaos', ...(confirmation === null ? {} : { confirmation }) };
      try {
        await insist(signal, () => callApi(access, 'POST', `/api/incidents/${incidentId}/decisions`, body));
        answered.add(gateId);
      } catch (error) {
        // The gate was closed meanwhile: look again.
        if (!(error instanceof Refused) || error.status !== 409) throw error;
      }
    }
    await wait(AGAIN_MS);
  }
}

/** Closes an incident that asks a person for help: somebody sees to it elsewhere. */
export async function handOver(access: Access, incidentId: string, signal: AbortSignal): Promise<void> {
  const readDetail = (): Promise<IncidentDetail> => insist(signal, () => callApi<IncidentDetail>(access, 'GET', `/api/incidents/${incidentId}`));
  const { gate } = await readDetail();
  if (gate === null) throw new Error(`incident ${incidentId} has no gate to be handed over at`);
  const body = { decisionId: randomUUID(), gateId: gate.id, digest: gate.digest, verdict: 'reject', reason: 'chaos' };
  await insist(signal, () => callApi(access, 'POST', `/api/incidents/${incidentId}/decisions`, body));
  while ((await readDetail()).outcome === null) await wait(AGAIN_MS);
}

/** Asks to take back what a closed incident had changed, and waits until it is. */
export async function rollBack(access: Access, incidentId: string, signal: AbortSignal): Promise<string> {
  const key = randomUUID();
  await insist(signal, () => callApi(access, 'POST', `/api/incidents/${incidentId}/rollback`, { reason: 'chaos' }, key));
  return answerGates(access, incidentId, signal, () => 'approve', (outcome) => outcome === 'ROLLED_BACK');
}
