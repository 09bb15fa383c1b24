import type { FastifyRequest } from 'fastify';
import { receiveAlerts } from '../../db/alerts.js';
import type { Alert } from '../../domain/alert.js';
import { toRequestId } from '../request-id.js';

/** Commits a batch, and only then acknowledges it. */
export async function receive(request: FastifyRequest, alerts: readonly Alert[]) {
  const incidents = await receiveAlerts(request.db, request.actor.workspaceId, alerts, (fingerprint) => toRequestId(request, fingerprint));
  return { accepted: alerts.length, incidents: [...incidents] };
}
