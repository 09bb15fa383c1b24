import createClient from 'openapi-fetch';
import type { paths } from './api-types.js';
import { readToken, signOut } from './session.js';

/** The API refused, and says in words what the reader can do. */
class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly status: number,
    readonly title: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** `fetch` as the person who is signed in; a refused token ends the session. */
export async function authorizedFetch(request: Request): Promise<Response> {
  const token = readToken();
  if (token !== null) request.headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(request);
  if (response.status === 401 && token === readToken()) {
    const { message } = toProblem(401, await readJson(response.clone()));
    signOut(`The token was refused: ${message}`);
  }
  return response;
}

export const readJson = (response: Response): Promise<unknown> => response.json().catch(() => null);

/** Reads a problem document; whatever else came (a proxy's page, nothing) becomes words of our own. */
export function toProblem(status: number, body: unknown): ProblemError {
  const fields: { title?: unknown; detail?: unknown } = typeof body === 'object' && body !== null ? body : {};
  const title = typeof fields.title === 'string' ? fields.title : `Answer ${status}`;
  const detail = typeof fields.detail === 'string' ? fields.detail : `the API answered ${status} without saying why; try again, or look at its log`;
  return new ProblemError(status, title, detail);
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: authorizedFetch });

/** What the API answered, or the problem thrown. */
export async function take<Body>(call: Promise<{ data?: Body; error?: unknown; response: Response }>): Promise<Body> {
  const { data, error, response } = await call;
  if (data === undefined) throw toProblem(response.status, error);
  return data;
}

/** In words for a person, whether the API refused or could not be reached. */
export const describeTrouble = (error: Error): string =>
  error instanceof ProblemError ? error.message : 'The API could not be reached. Is it running, and is this machine online?';

/** Whether asking the same again can help: it was not reached, or could not serve. */
export const isPassing = (error: unknown): boolean => !(error instanceof ProblemError) || error.status >= 500 || error.status === 429;
