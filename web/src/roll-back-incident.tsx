import { api, take } from './api.js';
import { Age, formatMoment } from './clock.js';
import { ReasonDialog } from './reason-dialog.js';
import type { Me } from './shapes.js';
import { isAtLeast } from './words.js';

interface RollBackIncidentProps {
  readonly incidentId: string;
  readonly until: string;
  readonly me: Me | undefined;
  readonly onSent: () => void;
}

/** Takes back what a closed incident had changed, for as long as what was there before is kept. */
export function RollBackIncident({ incidentId, until, me, onSent }: RollBackIncidentProps) {
  return (
    <section aria-label="Way back" className="card flex flex-col gap-3">
      <p>
        What was run can be taken back until {formatMoment(until)} (<Age at={until} />
        ).
      </p>
      <ReasonDialog
        incidentId={incidentId}
        action="Take it back"
        question="Take this fix back?"
        dismissal="Leave it as it is"
        failure="It was not taken back"
        obstacle={me !== undefined && isAtLeast(me.role, 'supervisor') ? null : 'It needs a supervisor.'}
        onSent={onSent}
        send={(key, reason) =>
          take(
            api.POST('/api/incidents/{incidentId}/rollback', {
              params: { path: { incidentId }, header: { 'idempotency-key': key } },
              body: { reason },
            }),
          )
        }
      >
        <p>What it changed is put back as it was before, if it still is as the fix left it. Where it has changed since, nothing is touched and a person is asked.</p>
        <p>What cannot be undone stays.</p>
      </ReasonDialog>
    </section>
  );
}
