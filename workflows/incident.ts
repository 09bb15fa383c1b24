import { CancellationScope, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { IncidentInput } from '../contracts/messages.js';
import { cancelSignal, executionGateSignal, needsHumanGateSignal, resolvedSignal, verificationGateSignal, viewQuery } from '../contracts/messages.js';
import { toCurrentDetails } from '../domain/current-details.js';
import type { Outcome } from '../domain/incident.js';
import { close } from './activity-proxies.js';
import { openCase } from './case.js';
import type { Message } from './desk.js';
import { takeDecision } from './desk.js';
import { tellStory } from './story.js';

/** Takes one incident from alert to outcome. Nothing changes that people have not approved; the gates' rows say whether they have. */
export async function incident(input: IncidentInput): Promise<Outcome> {
  const inbox: Message[] = [];
  const current = openCase(input, inbox, (view) => setCurrentDetails(toCurrentDetails(view)));

  // Handlers only take messages in; the story decides what they mean.
  setHandler(executionGateSignal, takeDecision(inbox, 'execution gate'), { description: 'Sent by the API when a decision of the execution gate was recorded' });
  setHandler(verificationGateSignal, takeDecision(inbox, 'verification gate'), { description: 'Sent by the API when a decision of the verification gate was recorded' });
  setHandler(needsHumanGateSignal, takeDecision(inbox, 'needsHuman gate'), { description: 'Sent by the API when a person said how to go on' });
  setHandler(cancelSignal, takeDecision(inbox, 'cancel', 'cancel'), { description: 'Sent by the API when a person cancelled' });
  const takeResolved = () => {
    // One measurement answers however many said so.
    if (!inbox.some(({ kind }) => kind === 'resolved')) inbox.push({ kind: 'resolved' });
  };
  setHandler(resolvedSignal, takeResolved, { description: 'The sender says it is over; it is measured first' });
  setHandler(viewQuery, current.view, { description: 'The whole incident as it stands' });
  // A cancellation from Temporal is heard like any other: it may not cut the story off in the middle of a change.
  CancellationScope.current().cancelRequested.catch(() => void inbox.push({ kind: 'cancelledByTemporal' }));

  return CancellationScope.nonCancellable(async () => {
    const { outcome, summary } = await tellStory(input, current);
    const update = await close.closeIncident.executeWithOptions({ summary: `Close: ${outcome}` }, [{ ...current.desk.ref, outcome, summary }]);
    upsertSearchAttributes({ SluicePhase: ['CLOSED'], SluiceGate: ['none'] });
    current.tell(update);
    return outcome;
  });
}
