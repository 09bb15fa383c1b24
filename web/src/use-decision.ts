import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, take } from './api.js';
import type { DecisionBody } from './shapes.js';

/** Sends a person's answer. What is retried carries the same decisionId, so it counts once however often it arrives. */
export function useDecision(incidentId: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: DecisionBody) => take(api.POST('/api/incidents/{incidentId}/decisions', { params: { path: { incidentId } }, body })),
    // Counted or refused, the gate is not as it was shown.
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['incident', incidentId] }),
  });
}

export type Decision = ReturnType<typeof useDecision>;

/** A random UUID; `crypto.randomUUID` is missing where the page came over plain http from another machine. */
export function newDecisionId(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
