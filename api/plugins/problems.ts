import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../contracts/http.js';
import { InvalidRequest, MalformedRequest, toApiError, UnknownRoute } from '../errors.js';

/** The answers that every route may give besides its own. */
export const problems = {
  '4xx': { description: 'A problem of the request (RFC 9457).', content: { 'application/problem+json': { schema: Problem } } },
  '5xx': { description: 'A problem of ours; the same request may be sent again.', content: { 'application/problem+json': { schema: Problem } } },
};

/** Answers an error with its problem document. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = toApiError(error, request.id);
  if (known.status >= 500) request.log.error({ err: error }, known.title);
  const { type, title, status, message, findings } = known;
  const document: Problem = { type, title, status, detail: message, instance: `urn:sluice:request:${request.id}`, ...(findings && { findings }) };
  void reply.code(status).headers(known.headers).type('application/problem+json').serializer(JSON.stringify).send(document);
}

/** Answers what is not HTTP, for which there is no request and no reply. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { type, title, status, message } = new MalformedRequest('This is not HTTP as it should be. Send it with an HTTP client.');
  const body = JSON.stringify({ type, title, status, detail: message } satisfies Problem);
  socket.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** Makes every error a problem document, that of an unknown address too. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new UnknownRoute(`There is no ${request.method} ${request.url.split('?')[0] ?? ''}. What there is is in /openapi.json.`), request, reply),
  );
  // After validation, so that a body is no deeper than its schema where the schema says so.
  app.addHook('preHandler', async (request) => {
    if (hasUnstorableText(request.body)) {
      throw new InvalidRequest('The body has a NUL character or half a surrogate pair in a text, which cannot be stored. Leave it out.');
    }
  });
}

/** Whether a text anywhere in it is one that Postgres refuses. Without recursion: a body may nest as deep as its size allows. */
function hasUnstorableText(body: unknown): boolean {
  const waiting: unknown[] = [body];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return true;
    if (typeof value === 'object' && value !== null) for (const [name, member] of Object.entries(value)) waiting.push(name, member);
  }
  return false;
}
