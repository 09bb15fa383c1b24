import { useSyncExternalStore } from 'react';

const KEY = 'sluice.token';

interface Session {
  readonly token: string | null;
  /** Why there is no token any more, in words for the sign-in form. */
  readonly notice: string | null;
}

let session: Session = { token: localStorage.getItem(KEY), notice: null };
const listeners = new Set<() => void>();

function change(next: Session): void {
  if (next.token === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next.token);
  session = next;
  listeners.forEach((listener) => listener());
}

export const readToken = (): string | null => session.token;
export const signIn = (token: string): void => change({ token, notice: null });
export const signOut = (notice: string | null): void => change({ token: null, notice });

/** Takes the token of a login link, and takes it out of the address at once: addresses are kept, shared and shown. */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (token !== '') signIn(token);
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}
