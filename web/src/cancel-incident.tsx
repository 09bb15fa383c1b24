import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { api, describeTrouble, take } from './api.js';
import { Button } from './button.js';
import { Notice } from './notice.js';
import { newDecisionId } from './use-decision.js';

/** Asks once more, and for a reason, before an incident is given up. */
export function CancelIncident({ incidentId, isAllowed }: { readonly incidentId: string; readonly isAllowed: boolean }) {
  const queryClient = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const cancel = useMutation({
    // The key is made at the click, so what is retried counts once.
    mutationFn: (key: string) =>
      take(
        api.POST('/api/incidents/{incidentId}/cancel', {
          params: { path: { incidentId }, header: { 'idempotency-key': key } },
          body: { reason: reason.trim() },
        }),
      ),
    onSuccess: () => dialog.current?.close(),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['incident', incidentId] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    cancel.mutate(newDecisionId());
  };
  return (
    <div className="flex flex-col items-start gap-2">
      <Button disabled={!isAllowed} onClick={() => dialog.current?.showModal()}>
        Cancel incident…
      </Button>
      {!isAllowed && <p className="text-sm text-muted">It needs a responder.</p>}
      {cancel.data !== undefined && <Notice tone="good">{cancel.data.message}</Notice>}
      <dialog ref={dialog} aria-labelledby="cancel-title" className="w-[min(32rem,calc(100vw-2rem))] rounded-lg border border-line bg-card p-5">
        <form className="flex flex-col gap-3" onSubmit={submit}>
          <h2 id="cancel-title" className="text-lg font-semibold">
            Cancel this incident?
          </h2>
          <p>Sluice stops working on it. Where something may have changed already, a person is asked first.</p>
          {cancel.error !== null && <Notice tone="bad">It was not cancelled: {describeTrouble(cancel.error)}</Notice>}
          <div>
            <label htmlFor="cancel-reason" className="font-semibold">
              Reason
            </label>
            <textarea
              id="cancel-reason"
              className="field mt-1"
              rows={2}
              required
              maxLength={2_000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </div>
          <div className="flex flex-wrap gap-2">
            <Button onClick={() => dialog.current?.close()}>Keep it open</Button>
            <Button look="danger" type="submit" disabled={cancel.isPending || reason.trim() === ''}>
              Cancel incident
            </Button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
