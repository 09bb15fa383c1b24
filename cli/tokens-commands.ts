import { type FileHandle, open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MadeToken, Token, TokenPage } from '../contracts/http-people.js';
import { readDurationMs } from '../domain/duration.js';
import type { Context } from './commands.js';
import { renderTable, toPlainText } from './render.js';
import { Refused, WrongUsage } from './surroundings.js';

export async function listTokens({ client, json, print }: Context): Promise<void> {
  const tokens = (await client.getPages<TokenPage>('/api/tokens')).flatMap((page) => page.tokens);
  if (json) print(JSON.stringify({ tokens }));
  else print(renderTable(tokens.map((token) => [token.id, token.person, token.role, describe(token), token.name])));
}

function describe({ state, expiresAt, lastUsedAt, revokedAt, revokedBy }: Token): string {
  const used = lastUsedAt === null ? 'never used' : `used ${lastUsedAt}`;
  if (state === 'revoked') return `revoked ${revokedAt} by ${revokedBy}, ${used}`;
  return `${state === 'expired' ? 'expired' : 'until'} ${expiresAt}, ${used}`;
}

export interface Wanted {
  readonly person: string;
  readonly role: string;
  readonly name: string;
  readonly for: string;
  readonly out?: string;
}

/** Makes a token and prints it, this once; or writes it to a new file that only you can read. */
export async function makeToken({ client, json, print, complain }: Context, { person, role, name, for: life, out }: Wanted): Promise<void> {
  const lifeMs = readDurationMs(life);
  if (lifeMs === undefined) throw new WrongUsage(`${life} is not a duration. Say --for 90d, or 8h.`);
  // Before it is made, so that none is made that cannot be kept.
  const file = out === undefined ? undefined : await openNewFile(resolve(out));
  let isWritten = false;
  try {
    const { token, ...made } = await client.post<MadeToken>('/api/tokens', { person, role, name, expiresAt: new Date(Date.now() + lifeMs).toISOString() });
    if (file === undefined) {
      complain(toPlainText(`The token ${made.id} of ${made.person} (${made.role}), until ${made.expiresAt}. It is shown only now:`));
      print(json ? JSON.stringify({ ...made, token }) : toPlainText(token));
      return;
    }
    await file.writeFile(`${token}\n`);
    isWritten = true;
    print(json ? JSON.stringify(made) : toPlainText(`The token ${made.id} of ${made.person} (${made.role}), until ${made.expiresAt}, is in ${out}`));
  } finally {
    await file?.close();
    if (file !== undefined && out !== undefined && !isWritten) await rm(resolve(out));
  }
}

/** Never one that is there: somebody else may be able to read it. */
const openNewFile = (path: string): Promise<FileHandle> =>
  open(path, 'wx', 0o600).catch((error: unknown) => {
    throw new Refused(`${path} cannot be made: ${error instanceof Error ? error.message : String(error)}. Name a file that is not there yet with --out.`, { cause: error });
  });

export async function revokeToken({ client, json, print }: Context, tokenId: string): Promise<void> {
  const token = await client.delete<Token>(`/api/tokens/${encodeURIComponent(tokenId)}`);
  print(json ? JSON.stringify(token) : toPlainText(`The token ${token.id} of ${token.person} is revoked`));
}
