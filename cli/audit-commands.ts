import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { AuditPage, AuditReport, Me } from '../contracts/http.js';
import { openChainCheck } from '../domain/audit.js';
import { readCheckpoints } from '../keys/checkpoint-file.js';
import { openVerifier } from '../keys/keyring.js';
import type { Context } from './commands.js';
import { toPlainText } from './render.js';
import { Refused } from './surroundings.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Reads the workspace's whole chain and judges it here, by checkpoints and keys that the server cannot change. */
export async function verifyAudit({ client, json, print, home }: Context, { checkpoints, keys }: { readonly checkpoints?: string; readonly keys?: string }): Promise<void> {
  const path = checkpoints ?? join(home, 'audit', 'checkpoints.jsonl');
  const verifier = openVerifier(keys ?? join(home, 'keys', 'public-keys.json'));
  const { workspaceId } = await client.get<Me>('/api/me');
  // Before the chain, which only grows.
  const kept = await readCheckpoints(path, verifier, workspaceId);
  if (kept === undefined) throw new Refused(`There is no ${path}. Copy checkpoints.jsonl from the folder SLUICE_AUDIT_FOLDER of the API, and name it with --checkpoints.`);
  const check = openChainCheck(kept, sha256);
  for (let cursor: number | null = 0; cursor !== null; ) {
    const page: AuditPage = await client.get<AuditPage>(`/api/audit?order=oldest&limit=1000&cursor=${cursor}`);
    check.read(page.rows);
    cursor = page.nextCursor;
  }
  const report = check.finish();
  if (json) print(JSON.stringify(report));
  if (report.tampering !== null) throw new Refused(toPlainText(`The audit of ${workspaceId} was tampered with, first at row ${report.tampering.seq}: ${report.tampering.what}.${describeRevoked(report)}`));
  if (!json) print(toPlainText(describe(workspaceId, report)));
}

function describe(workspaceId: string, report: AuditReport): string {
  const { rows, checkpoints, notYetCheckpointed } = report;
  return `The audit of ${workspaceId} is whole: ${rows} rows hang together and agree with ${checkpoints} signed checkpoints; ${notYetCheckpointed} rows are not yet checkpointed.${describeRevoked(report)}`;
}

const describeRevoked = ({ revokedCheckpoints }: AuditReport): string =>
  revokedCheckpoints === 0 ? '' : ` Checkpoints by keys that are revoked: ${revokedCheckpoints}, which speak for nothing.`;
