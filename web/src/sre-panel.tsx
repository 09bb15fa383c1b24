import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, take } from './api.js';
import { Badge } from './badge.js';
import { Button } from './button.js';
import { Age } from './clock.js';
import type { IncidentSummary } from './shapes.js';
import { StaleNotice } from './stale-notice.js';
import { count, describeState, outcomeTone, severityTone, triggerWords, type Tone } from './words.js';

const POLL_MS = 3_000;

/** The way in: what is open and may wait for somebody, then what is over. */
export function SREPanel() {
  const open = useIncidents('open');
  const closed = useIncidents('closed');
  const trouble = open.error ?? closed.error;
  const isEmpty = open.incidents?.length === 0 && closed.incidents?.length === 0;
  return (
    <div className="flex flex-col gap-6">
      <title>Incidents · Sluice</title>
      <h1 className="text-2xl font-semibold">Incidents</h1>
      {trouble !== null && <StaleNotice error={trouble} readAt={Math.min(open.readAt, closed.readAt)} />}
      {isEmpty ? (
        <HowToStart />
      ) : (
        <>
          <IncidentList title="Open" page={open} none="No incident is open." />
          <IncidentList title="Closed" page={closed} none="No incident was closed yet." />
        </>
      )}
    </div>
  );
}

interface Incidents {
  readonly incidents: readonly IncidentSummary[] | undefined;
  readonly error: Error | null;
  readonly readAt: number;
  readonly showMore: (() => void) | null;
}

function useIncidents(state: 'open' | 'closed'): Incidents {
  const { data, error, dataUpdatedAt, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['incidents', state],
    queryFn: ({ pageParam }) =>
      take(api.GET('/api/incidents', { params: { query: { state, limit: 25, ...(pageParam === null ? {} : { cursor: pageParam }) } } })),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: POLL_MS,
  });
  return {
    incidents: data?.pages.flatMap(({ incidents }) => incidents),
    error,
    readAt: dataUpdatedAt,
    showMore: hasNextPage ? () => void fetchNextPage() : null,
  };
}

function IncidentList({ title, page, none }: { readonly title: string; readonly page: Incidents; readonly none: string }) {
  const id = `${title.toLowerCase()}-incidents`;
  return (
    <section aria-labelledby={id} className="flex flex-col gap-2">
      <h2 id={id} className="text-lg font-semibold">
        {title}
      </h2>
      {page.incidents === undefined && page.error === null && <p className="text-muted">Reading…</p>}
      {page.incidents?.length === 0 && <p className="text-muted">{none}</p>}
      {page.incidents !== undefined && page.incidents.length > 0 && (
        <ul aria-labelledby={id} className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-card">
          {page.incidents.map((incident) => (
            <li key={incident.id}>
              <IncidentRow incident={incident} />
            </li>
          ))}
        </ul>
      )}
      {page.showMore !== null && (
        <div>
          <Button onClick={page.showMore}>Show more</Button>
        </div>
      )}
    </section>
  );
}

function IncidentRow({ incident }: { readonly incident: IncidentSummary }) {
  const { severity, closedAt } = incident;
  return (
    <Link
      to="/incidents/$incidentId"
      params={{ incidentId: incident.id }}
      className="grid gap-x-4 gap-y-1 px-4 py-3 -outline-offset-4 hover:bg-well sm:grid-cols-[6rem_1fr_auto] sm:items-center"
    >
      <span>
        <Badge tone={severity === null ? 'plain' : severityTone[severity]}>{severity ?? 'not scored'}</Badge>
      </span>
      <span className="min-w-0">
        <bdi className="block font-semibold">{incident.title}</bdi>
        <span className="text-sm text-muted">
          {triggerWords[incident.trigger]}
          {incident.alerts > 1 && `, ${count(incident.alerts, 'alert')}`}, opened <Age at={incident.openedAt} />
          {closedAt !== null && (
            <>
              , closed <Age at={closedAt} />
            </>
          )}
        </span>
      </span>
      <span>
        <Badge tone={toTone(incident)}>{describeState(incident)}</Badge>
      </span>
    </Link>
  );
}

function toTone({ outcome, status }: IncidentSummary): Tone {
  if (status === 'NEEDS_HUMAN') return 'bad';
  if (outcome !== null) return outcomeTone[outcome];
  return status === 'PENDING_HUMAN_APPROVAL' ? 'warn' : 'plain';
}

function HowToStart() {
  return (
    <section className="card flex flex-col gap-3" aria-labelledby="how-to-start">
      <h2 id="how-to-start" className="text-lg font-semibold">
        No incidents yet
      </h2>
      <p>Sluice opens one when an alert comes in, when its schedule finds a signal out of bounds, or when somebody asks it to look:</p>
      <pre className="overflow-x-auto rounded-md bg-well p-3 font-mono text-sm" tabIndex={0} aria-label="A request that opens an incident">
        {`curl ${location.origin}/api/alerts/json \\
  -H "authorization: Bearer $TOKEN" \\
  -H "content-type: application/json" \\
  -d '{"title":"Checkout is slow","severity":"critical"}'`}
      </pre>
      <p>
        Alertmanager sends to <code className="font-mono">/api/alerts/alertmanager</code>. To see a whole incident on a real fault, run{' '}
        <code className="font-mono">npm run demo</code>.
      </p>
    </section>
  );
}
