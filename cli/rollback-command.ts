import type { IncidentDetail, RollbackReceipt, TailEntry, TailPage } from '../contracts/http.js';
import type { ApiClient } from './client.js';
import { answerGate, askToTakeBack, type Context, followTail, readIncident } from './commands.js';
import { renderIncident, toPlainText } from './render.js';
import { Refused } from './surroundings.js';

const PAGE_ENTRIES = 1_000;

/** Takes back what an incident has changed: at its open gate, or after it was closed, and then until that has ended. */
export async function rollBackIncident(context: Context, incidentId: string, { reason, yes }: { readonly reason: string; readonly yes?: boolean }): Promise<void> {
  const { client, complain } = context;
  const incident = await readIncident(client, incidentId);
  const { id, gate, closedAt, canRollBackUntil } = incident;
  const answer = { reason, ...(yes === undefined ? {} : { yes }) };
  if (gate?.state === 'open' && gate.offersRollback) return answerGate(context, incident, gate, 'rollBack', answer);
  if (closedAt === null || canRollBackUntil === null) throw new Refused(explainWhyNot(incident));
  if (incident.status === 'IN_PROGRESS') throw new Refused(`It is being taken back already. Follow it with: sluice tail ${id}`);
  complain(renderIncident(incident));
  await askToTakeBack(context, answer);
  const after = await findEnd(client, id);
  const receipt = await client.post<RollbackReceipt>(`/api/incidents/${id}/rollback`, { reason });
  complain(toPlainText(receipt.message));
  let waits = false;
  const isEnough = (entry: TailEntry): boolean => (waits = entry.event === 'update' && entry.data.status === 'NEEDS_HUMAN');
  const outcome = await followTail(context, id, { after, isEnough });
  if (waits) throw new Refused(`It was not taken back and waits for a person: \`sluice rollback ${id} --reason TEXT\` tries again, \`sluice reject ${id} --reason TEXT\` leaves it as it is.`);
  if (outcome !== undefined && outcome !== 'ROLLED_BACK') throw new Refused('It was not taken back.');
}

function explainWhyNot({ phase, status, outcome, plan, gate, closedAt }: IncidentDetail): string {
  if (closedAt === null && gate?.state !== 'open') return `Nothing can be taken back now: the incident is in ${phase} [${status}] and waits at no gate.`;
  if (closedAt === null && gate?.kind === 'execution') return 'Its plan has not run. To keep it from running, use `sluice reject`.';
  if (outcome === 'ROLLED_BACK') return 'It was taken back before. See `sluice tail`.';
  const oneWay = plan?.steps.flatMap(({ stepId, target, wayBack }) => (wayBack.kind === 'oneWay' ? [`Step ${stepId} on ${target} cannot be undone: ${wayBack.because}`] : []));
  return ['Nothing was run that can still be taken back.', ...(oneWay ?? [])].join('\n');
}

/** The number of the last entry of the job tail. */
async function findEnd(client: ApiClient, incidentId: string): Promise<number> {
  let last = 0;
  for (;;) {
    const { entries, nextAfter } = await client.get<TailPage>(`/api/incidents/${incidentId}/tail?after=${last}&limit=${PAGE_ENTRIES}`);
    last = nextAfter;
    if (entries.length < PAGE_ENTRIES) return last;
  }
}
