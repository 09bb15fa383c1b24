import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState, type FormEvent, type ReactNode } from 'react';
import { describeTrouble } from './api.js';
import { Button } from './button.js';
import { Notice } from './notice.js';
import { newDecisionId } from './use-decision.js';

interface ReasonDialogProps {
  readonly incidentId: string;
  /** What is done, as on the button that does it. The one that opens the dialog has an ellipsis behind it. */
  readonly action: string;
  readonly question: string;
  /** What the action means. */
  readonly children: ReactNode;
  readonly dismissal: string;
  /** Begins the sentence that says why it did not happen. */
  readonly failure: string;
  /** Why this person cannot; null when nothing stands in the way. */
  readonly obstacle: string | null;
  readonly send: (key: string, reason: string) => Promise<{ readonly message: string }>;
  readonly onSent?: () => void;
}

/** A button that asks once more, and for a reason, before it does what cannot be unsaid. */
export function ReasonDialog({ incidentId, action, question, children, dismissal, failure, obstacle, send, onSent }: ReasonDialogProps) {
  const queryClient = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [titleId, reasonId] = [useId(), useId()];
  const [reason, setReason] = useState('');
  const request = useMutation({
    // The key is made at the click, so what is retried counts once.
    mutationFn: (key: string) => send(key, reason.trim()),
    onSuccess: () => {
      dialog.current?.close();
      onSent?.();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['incident', incidentId] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    request.mutate(newDecisionId());
  };
  return (
    <div className="flex flex-col items-start gap-2">
      <Button disabled={obstacle !== null} onClick={() => dialog.current?.showModal()}>
        {action}…
      </Button>
      {obstacle !== null && <p className="text-sm text-muted">{obstacle}</p>}
      {request.data !== undefined && <Notice tone="good">{request.data.message}</Notice>}
      <dialog ref={dialog} aria-labelledby={titleId} className="w-[min(32rem,calc(100vw-2rem))] rounded-lg border border-line bg-card p-5">
        <form className="flex flex-col gap-3" onSubmit={submit}>
          <h2 id={titleId} className="text-lg font-semibold">
            {question}
          </h2>
          <div className="flex flex-col gap-2">{children}</div>
          {request.error !== null && (
            <Notice tone="bad">
              {failure}: {describeTrouble(request.error)}
            </Notice>
          )}
          <div>
            <label htmlFor={reasonId} className="font-semibold">
              Reason
            </label>
            <textarea
              id={reasonId}
              className="field mt-1"
              rows={2}
              required
              maxLength={2_000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          </div>
          <div className="flex flex-wrap gap-2">
            <Button onClick={() => dialog.current?.close()}>{dismissal}</Button>
            <Button look="danger" type="submit" disabled={request.isPending || reason.trim() === ''}>
              {action}
            </Button>
          </div>
        </form>
      </dialog>
    </div>
  );
}
