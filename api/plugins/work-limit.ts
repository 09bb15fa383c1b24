import { finished } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { Unavailable } from '../errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It stays open for as long as its reader likes, so it is counted apart from work. */
    streams?: true;
  }
}

interface Limits {
  readonly work: number;
  readonly streams: number;
}

const refusals = {
  work: 'Too much to do at once. Send the same request again in a few seconds.',
  streams: 'Too many readers at once. Send the same request again in a few seconds, or read the tail as JSON pages.',
} as const;

/** Refuses what is beyond the limits, so that what is accepted is answered in time. Senders send a refused request again. */
export function limitWork(app: FastifyInstance, limits: Limits): void {
  const open = { work: 0, streams: 0 };
  app.addHook('onRequest', async (request, reply) => {
    const { minimumRole, streams } = request.routeOptions.config;
    if (request.is404 || minimumRole === 'everyone') return;
    const kind = streams === true ? 'streams' : 'work';
    if (open[kind] >= limits[kind]) throw new Unavailable(refusals[kind]);
    open[kind] += 1;
    finished(reply.raw, () => {
      open[kind] -= 1;
    });
  });
}
