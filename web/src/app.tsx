import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRootRoute, createRoute, createRouter, Link, Outlet, RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { isPassing } from './api.js';
import { IncidentPanel } from './incident-panel.js';
import { Notice } from './notice.js';
import { signOut, useSession } from './session.js';
import { SignIn } from './sign-in.js';
import { SREPanel } from './sre-panel.js';
import { useMe } from './use-me.js';

// The API is often on this very machine, where being offline means nothing.
const createQueryClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: { networkMode: 'always', retry: false, staleTime: 1_000 },
      mutations: { networkMode: 'always', retry: (failures, error) => failures < 3 && isPassing(error), retryDelay: 500 },
    },
  });

const rootRoute = createRootRoute({
  component: Layout,
  notFoundComponent: () => <Nowhere />,
  errorComponent: () => <Notice tone="bad">This page broke, and nothing was sent. Reload it.</Notice>,
});
const listRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: SREPanel });
const incidentRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/incidents/$incidentId',
  component: function OneIncident() {
    const { incidentId } = incidentRoute.useParams();
    return <IncidentPanel key={incidentId} incidentId={incidentId} />;
  },
});
const router = createRouter({ routeTree: rootRoute.addChildren([listRoute, incidentRoute]), scrollRestoration: true });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

export function App() {
  const { token, notice } = useSession();
  return token === null ? <SignIn notice={notice} /> : <SignedIn key={token} />;
}

/** Everything read belongs to one token: what one person could read is not shown to the next. */
function SignedIn() {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  );
}

function Layout() {
  const me = useMe();
  return (
    <>
      <header className="border-b border-line bg-card">
        <div className="mx-auto flex max-w-7xl items-center gap-3 px-4">
          <Link to="/" className="inline-flex min-h-14 shrink-0 items-center gap-2 text-lg font-semibold whitespace-nowrap">
            <img src="/favicon.svg" alt="" width="24" height="24" />
            Sluice
          </Link>
          <p className="ml-auto min-w-0 truncate text-right text-sm text-muted">
            {me !== undefined && `${me.person}, ${me.role} of ${me.workspaceId}`}
          </p>
          <button type="button" className="min-h-11 shrink-0 cursor-pointer text-accent underline" onClick={() => signOut(null)}>
            Sign out
          </button>
        </div>
      </header>
      <main className="mx-auto max-w-7xl p-4">
        <Outlet />
      </main>
    </>
  );
}

function Nowhere() {
  return (
    <Notice tone="warn">
      There is no page here. <Link to="/" className="underline">All incidents</Link>
    </Notice>
  );
}
