import { api, take } from './api.js';
import { ReasonDialog } from './reason-dialog.js';
import type { Me } from './shapes.js';
import { isAtLeast } from './words.js';

/** Gives an incident up. */
export function CancelIncident({ incidentId, me }: { readonly incidentId: string; readonly me: Me | undefined }) {
  return (
    <ReasonDialog
      incidentId={incidentId}
      action="Cancel incident"
      question="Cancel this incident?"
      dismissal="Keep it open"
      failure="It was not cancelled"
      obstacle={me !== undefined && isAtLeast(me.role, 'responder') ? null : 'It needs a responder.'}
      send={(key, reason) =>
        take(
          api.POST('/api/incidents/{incidentId}/cancel', {
            params: { path: { incidentId }, header: { 'idempotency-key': key } },
            body: { reason },
          }),
        )
      }
    >
      <p>Sluice stops working on it. Where something may have changed already, a person is asked first.</p>
    </ReasonDialog>
  );
}
