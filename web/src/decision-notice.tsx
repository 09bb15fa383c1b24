import { describeTrouble, isPassing } from './api.js';
import { Button } from './button.js';
import { Notice } from './notice.js';
import type { Decision } from './use-decision.js';

/** What became of the last answer, in the API's words. It outlives the gate that was answered. */
export function DecisionNotice({ decision }: { readonly decision: Decision }) {
  const { error, data, variables, isPending, mutate, reset } = decision;
  if (isPending) return <Notice tone="plain">Sending…</Notice>;
  if (error !== null) {
    return (
      <Notice tone="bad">
        <p>Your answer did not count: {describeTrouble(error)}</p>
        <p className="mt-2 flex gap-2">
          {isPassing(error) && <Button onClick={() => mutate(variables)}>Send it again</Button>}
          <Button onClick={reset}>Dismiss</Button>
        </p>
      </Notice>
    );
  }
  return data === undefined ? null : <Notice tone="good">{data.message}</Notice>;
}
