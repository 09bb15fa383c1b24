import type { FastifyInstance } from 'fastify';
import type { Database, RequestDatabase } from '../../db/database.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The database, in which nothing is but what the actor's workspace has; not there on routes for everyone. */
    db: Database;
  }
}

/** Gives each request the rows of its actor's workspace. Call it after what says who the actor is. */
export function scopeRequests(app: FastifyInstance, requests: Pick<RequestDatabase, 'in'>): void {
  app.decorateRequest('db');
  app.addHook('onRequest', async (request) => {
    if (request.is404 || request.routeOptions.config.minimumRole === 'everyone') return;
    request.db = requests.in(request.actor.workspaceId);
  });
}
