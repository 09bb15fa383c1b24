import type { IncidentInput, IncidentView } from '../contracts/messages.js';
import type { UpdateDraft } from '../domain/incident.js';
import type { Desk, Message } from './desk.js';

const UPDATES_KEPT = 5;

export interface Case {
  readonly desk: Desk;
  readonly view: () => IncidentView;
  /** Keeps an update for the view and for the Temporal Web UI. */
  readonly tell: (update: UpdateDraft) => void;
  readonly set: (change: Partial<IncidentView>) => void;
  readonly next: (action: string) => void;
}

/** What a watcher may know of a running incident, shown anew whenever it changes. */
export function openCase(
  { workspaceId, incidentId }: IncidentInput,
  inbox: Message[],
  show: (details: { nextAction: string; phase: string; plan: string | null; lastUpdates: readonly UpdateDraft[] }) => void,
): Case {
  let view: IncidentView = {
    phase: 'DETECTION',
    status: 'IN_PROGRESS',
    outcome: null,
    anomalies: [],
    rootCause: null,
    plan: null,
    digest: null,
    gate: null,
    round: 1,
    lastUpdates: [],
  };
  let nextAction = 'none, Sluice is working';

  function set(change: Partial<IncidentView>): void {
    view = { ...view, ...change };
    const { phase, status, plan, digest, lastUpdates } = view;
    show({
      nextAction,
      phase: `${phase}, ${status}`,
      plan: plan === null ? null : `${plan.title}, version ${plan.version}, digest ${digest ?? 'not frozen yet'}`,
      lastUpdates,
    });
  }

  return {
    desk: { ref: { workspaceId, incidentId }, inbox, now: () => ({ phase: view.phase, status: view.status }) },
    view: () => view,
    tell(update) {
      const { phase, status, details } = update;
      set({ phase, status, outcome: details?.outcome ?? null, lastUpdates: [...view.lastUpdates, update].slice(-UPDATES_KEPT) });
    },
    set,
    next(action) {
      nextAction = action;
      set({});
    },
  };
}
