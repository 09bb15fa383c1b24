import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { KeyList, KeyParams, KeyReceipt, RevokeBody, RotateBody, WriteHeaders } from '../../contracts/http.js';
import type { Database } from '../../db/database.js';
import { recordKeyChange } from '../../db/key-audit.js';
import type { Keyring } from '../../keys/keyring.js';
import type { Checkpoints } from '../checkpoints.js';
import { KeyInUse, UnknownKey } from '../errors.js';
import { problems } from '../plugins/problems.js';
import { toRequestId } from '../request-id.js';

export const keyRoutes: FastifyPluginAsyncTypebox<{ db: Database; keyring: Keyring; checkpoints: Checkpoints }> = async (app, { db, keyring, checkpoints }) => {
  app.get(
    '/api/keys',
    {
      config: { minimumRole: 'admin' },
      schema: { operationId: 'listKeys', tags: ['keys'], description: 'The keys that decisions and checkpoints are signed with, in the order they were made.', response: { 200: KeyList, ...problems } },
    },
    async () => ({ keys: [...(await keyring.list())] }),
  );
  app.post(
    '/api/keys/rotate',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'rotateKeys',
        tags: ['keys'],
        description: 'Makes a key that signs from now on. What the ones before signed stays good until they are revoked.',
        headers: WriteHeaders,
        body: RotateBody,
        response: { 200: KeyReceipt, ...problems },
      },
    },
    async (request) => {
      const { actor, body } = request;
      const change = { requestId: toRequestId(request), workspaceId: actor.workspaceId, person: actor.person, reason: body.reason ?? null };
      const keyId = await recordKeyChange(db, 'key.rotated', change, async () => (await keyring.rotate()).keyId);
      return { keyId, message: `${keyId} signs from now on` };
    },
  );
  app.post(
    '/api/keys/:keyId/revoke',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'revokeKey',
        tags: ['keys'],
        description: 'Takes all trust from a key that no longer signs: decisions that it signed are not run any more.',
        params: KeyParams,
        headers: WriteHeaders,
        body: RevokeBody,
        response: { 200: KeyReceipt, ...problems },
      },
    },
    async (request) => {
      const { actor, body, params } = request;
      const change = { requestId: toRequestId(request), workspaceId: actor.workspaceId, person: actor.person, reason: body.reason };
      await recordKeyChange(db, 'key.revoked', change, () => revoke(params.keyId));
      return { keyId: params.keyId, message: `${params.keyId} is revoked` };
    },
  );

  /** The key, or undefined where it was revoked before. */
  async function revoke(keyId: string): Promise<string | undefined> {
    const state = (await keyring.list()).find((key) => key.keyId === keyId)?.state;
    // What it has vouched for would be forgotten with it. To take its trust away goes before that.
    if (state === 'verifying') await checkpoints.renew(keyId).catch((error: unknown) => app.log.error({ err: error, keyId }, 'the last checkpoints by a key that is revoked could not be signed anew'));
    const answer = await keyring.revoke(keyId);
    switch (answer) {
      case 'revoked':
        return state === 'revoked' ? undefined : keyId;
      case 'unknownKey':
        throw new UnknownKey(keyId);
      case 'isSigning':
        throw new KeyInUse(keyId);
    }
  }
};
