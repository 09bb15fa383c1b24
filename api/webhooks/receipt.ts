import type { FastifyRequest } from 'fastify';
import type { Database } from '../../db/database.js';
import { receiveAlerts } from '../../db/alerts.js';
import type { Alert } from '../../domain/alert.js';
import { toRequestId } from '../request-id.js';

/** Commits a batch, and only then acknowledges it. */
export async function receive(db: Database, request: FastifyRequest, alerts: readonly Alert[]) {
  const incidents = await receiveAlerts(db, request.actor.workspaceId, alerts, (fingerprint) => toRequestId(request, fingerprint));
  return { accepted: alerts.length, incidents: [...incidents] };
}
