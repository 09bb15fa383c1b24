import { randomUUID } from 'node:crypto';
import type { Gate, IncidentDetail, Plan } from '../../contracts/http.js';
import { ApiRefusal, type ApiClient } from '../client.js';
import { toPlainText } from '../render.js';
import type { Terminal } from './terminal.js';

interface Asking {
  readonly api: ApiClient;
  readonly incidentId: string;
  readonly terminal: Terminal;
  readonly page: string;
  readonly say: (line: string) => void;
  readonly yes: boolean;
}

/** Answers an incident's open gate by the terminal or, with `yes`, at once. Somebody on the page may be faster. */
export async function answerGate({ api, incidentId, terminal, page, say, yes }: Asking): Promise<void> {
  const { gate, plan } = await api.get<IncidentDetail>(`/api/incidents/${incidentId}`);
  if (gate?.state !== 'open') return;
  if (gate.kind === 'execution' && plan !== null) say(renderRehearsal(plan));
  const verdict = yes ? 'approve' : await terminal.ask(`\n   Decide here or on the page ${page}\n   ${questionOf(gate)} [approve/reject] `);
  try {
    await api.post(`/api/incidents/${incidentId}/decisions`, {
      decisionId: randomUUID(),
      gateId: gate.id,
      digest: gate.digest,
      verdict,
      reason: yes ? 'npm run demo -- --yes' : `${verdict} in the demo's terminal`,
    });
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    say(`   ${error.message}`);
  }
}

/** What it would do, before anybody says yes. */
const renderRehearsal = ({ rehearsal }: Plan): string => toPlainText(['   Rehearsed:', ...rehearsal.flatMap(({ lines }) => lines).flatMap((line) => line.split('\n')).map((line) => `   | ${line}`)].join('\n'));

const questionOf = ({ kind, offersRollback }: Gate): string =>
  ({
    execution: 'Run this plan?',
    verification: offersRollback ? 'Does it look good (approve), or shall it be taken back (reject)?' : 'Does it look good?',
    needsHuman: 'Measure again (approve) or close it (reject)?',
  })[kind];
