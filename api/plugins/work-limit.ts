import { finished } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Unavailable } from '../errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It stays open for as long as its reader likes, so it is not counted as work. */
    streams?: true;
  }
}

/** Refuses work beyond what can be done soon, so that what is accepted is answered in time. Senders send a refused request again. */
export function limitWork(app: FastifyInstance, maxAtOnce: number): void {
  let atWork = 0;
  app.addHook('onRequest', async (request, reply) => {
    const { minimumRole, streams } = request.routeOptions.config;
    if (request.is404 || minimumRole === 'everyone' || streams === true) return;
    if (atWork >= maxAtOnce) throw new Unavailable('Too much to do at once. Send the same request again in a few seconds.');
    atWork += 1;
    finished(reply.raw, () => {
      atWork -= 1;
    });
  });
}
