import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure, type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

// More than this no single answer of a cluster should be.
const MAX_ANSWER_BYTES = 64 * 1_048_576;

/** Sends one request to a cluster as the kubeconfig's user; comes back once the answer begins. `signal` ends both. */
export async function askCluster(
  config: KubeConfig,
  { method, path, body, signal }: { readonly method: string; readonly path: string; readonly body?: { readonly type: string; readonly value: unknown } | undefined; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, '') ?? '';
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body.value));
  const options: RequestOptions = {
    method,
    signal,
    headers: { accept: 'application/json', 'user-agent': 'sluice', ...(body !== undefined && { 'content-type': body.type, 'content-length': content?.length }) },
  };
  await config.applyToHTTPSOptions(options);
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const send = server.startsWith('http:') ? requestPlain : requestSecure;
    const asking = send(`${server}${path}`, options, resolve);
    asking.once('error', reject);
    asking.end(content);
  });
}

/** The whole text of an answer. */
export async function readWhole(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
