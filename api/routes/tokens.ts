import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { WriteHeaders } from '../../contracts/http.js';
import { MadeToken, NewTokenBody, Token, TokenPage, TokenParams, TokensQuery } from '../../contracts/http-people.js';
import { listTokens, makeToken, revokeToken, type TokenRow } from '../../db/tokens.js';
import { isPersonName } from '../../domain/actor.js';
import { InvalidRequest, TokenShown, UnknownToken, WrongName } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

const MAX_LIFE_MS = 366 * 86_400_000;

const toState = ({ revokedAt, expiresAt }: TokenRow): Token['state'] => {
  if (revokedAt !== null) return 'revoked';
  return expiresAt.getTime() > Date.now() ? 'usable' : 'expired';
};

const toToken = (row: TokenRow): Token => ({
  id: row.id,
  person: row.person,
  role: row.role,
  name: row.name,
  state: toState(row),
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  revokedBy: row.revokedBy,
});

function readExpiry(text: string): Date {
  const expiresAt = new Date(text);
  const lifeMs = expiresAt.getTime() - Date.now();
  if (lifeMs > 0 && lifeMs <= MAX_LIFE_MS) return expiresAt;
  throw new InvalidRequest('body/expiresAt must be in the future, and at most 366 days ahead.');
}

export const tokenRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/tokens',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'listTokens',
        tags: ['people'],
        description: 'The tokens of the workspace, newest first, expired and revoked ones too.',
        querystring: TokensQuery,
        response: { 200: TokenPage, ...problems },
      },
    },
    async ({ actor, db, query: { limit = 50, cursor = null } }) => {
      const rows = await listTokens(db, actor.workspaceId, { after: cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      return { tokens: page.map(toToken), nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
  );
  app.post(
    '/api/tokens',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'makeToken',
        tags: ['people'],
        description: 'Makes a token for somebody in your workspace. Only this answer has it in plain: a repeat with the same Idempotency-Key is refused.',
        headers: WriteHeaders,
        body: NewTokenBody,
        response: { 201: MadeToken, ...problems },
      },
    },
    async (request, reply) => {
      const { actor, body, db } = request;
      if (!isPersonName(body.person)) throw new WrongName('body/person');
      const id = toRequestId(request);
      const expiresAt = readExpiry(body.expiresAt);
      const made = await makeToken(db, { id, workspaceId: actor.workspaceId, person: body.person, role: body.role, name: body.name, createdBy: actor.person, expiresAt });
      if (made === undefined) throw new TokenShown(id);
      // What is shown once must not stay in anybody's cache.
      return reply.code(201).header('cache-control', 'no-store').send({ ...toToken(made.row), token: made.token });
    },
  );
  app.delete(
    '/api/tokens/:tokenId',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'revokeToken',
        tags: ['people'],
        description: 'Revokes a token, your own too: nobody gets in with it from now on. A repeat changes nothing.',
        params: TokenParams,
        response: { 200: Token, ...problems },
      },
    },
    async ({ actor: { workspaceId, person }, db, params: { tokenId } }) => {
      const row = await revokeToken(db, { workspaceId, tokenId, person });
      if (row === undefined) throw new UnknownToken(tokenId);
      return toToken(row);
    },
  );
};
