import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import type { Actor, PersonRole } from '../../domain/actor.js';
import { isAtLeast } from '../../domain/actor.js';
import { ApiError, NotAllowed, NotAuthenticated } from '../errors.js';

/** `executor` is for executor workers alone. */
export type MinimumRole = PersonRole | 'executor' | 'everyone';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route. A route without it is refused when the app is built. */
    minimumRole?: MinimumRole;
    /** Agents may call it too, whom no minimum includes. */
    orAgent?: true;
  }
  interface FastifyRequest {
    /** As the token says; not there on routes for everyone. */
    actor: Actor;
    /** Whether the same request would be let in now. An answer that lasts asks it again and again. */
    isStillAllowed: () => Promise<boolean>;
  }
}

/** Who holds a token; `wantedWorkspace` is the one that the request names, for a token that is good in several. */
type FindActor = (token: string, wantedWorkspace: string | undefined) => Promise<Actor | undefined>;

/** Lets a request reach its route only as the route's rule says: no rule, no app. */
export function authorize(app: FastifyInstance, findActor: FindActor): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => {
    routes.push(route);
  });
  app.addHook('onReady', async () => {
    const open = routes.filter(({ config }) => config?.minimumRole === undefined).map(({ method, url }) => `${String(method)} ${url}`);
    if (open.length > 0) throw new Error(`Routes without config.minimumRole: ${open.join(', ')}`);
  });

  app.decorateRequest('actor');
  app.decorateRequest('isStillAllowed');
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.minimumRole === 'everyone') return;
    request.actor = await admit(request);
    request.isStillAllowed = async () => {
      try {
        await admit(request);
        return true;
      } catch (error) {
        if (error instanceof ApiError) return false;
        throw error;
      }
    };
  });

  async function admit({ headers, routeOptions }: FastifyRequest): Promise<Actor> {
    const { minimumRole, orAgent } = routeOptions.config;
    const actor = await identify(headers);
    if (!mayCall(actor, minimumRole, orAgent)) throw new NotAllowed(`Your role is ${actor.role}; this needs ${minimumRole ?? 'nobody'}${orAgent === true ? ' or agent' : ''}. Ask an admin for a token with it.`);
    return actor;
  }

  function mayCall({ role }: Actor, minimumRole: MinimumRole | undefined, orAgent: true | undefined): boolean {
    if (minimumRole === undefined || minimumRole === 'everyone') return false;
    if (minimumRole === 'executor') return role === 'executor';
    return isAtLeast(role, minimumRole) || (orAgent === true && role === 'agent');
  }

  async function identify({ authorization, 'sluice-workspace': named }: IncomingHttpHeaders): Promise<Actor> {
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
    const wantedWorkspace = typeof named === 'string' ? named : undefined;
    const actor = token === undefined ? undefined : await findActor(token, wantedWorkspace);
    if (actor === undefined) {
      throw new NotAuthenticated(
        authorization === undefined
          ? 'There is no token. Send the header `Authorization: Bearer <token>` with a token of your workspace.'
          : 'The token is not known here: it has expired, was revoked, or was never made. Ask an admin for a new one, and send it as `Authorization: Bearer <token>`.',
      );
    }
    if (wantedWorkspace !== undefined && wantedWorkspace !== actor.workspaceId) throw new NotAllowed(`Your token is for the workspace ${actor.workspaceId}, and the header Sluice-Workspace names another. Leave it out, or use that workspace's token.`);
    return actor;
  }
}
