/** One message of the Postgres wire protocol; the first of a connection, the startup, has no type. */
export interface WireMessage {
  readonly type: string;
  /** Whole, with type and length. */
  readonly bytes: Buffer;
  readonly body: Buffer;
}

/** Cuts a stream of bytes into messages. The first one has no type byte where `startsUntyped`. */
export async function* readMessages(stream: AsyncIterable<Buffer>, startsUntyped: boolean): AsyncGenerator<WireMessage> {
  let rest: Buffer = Buffer.alloc(0);
  let header = startsUntyped ? 4 : 5;
  for await (const chunk of stream) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= header) {
      const length = rest.readInt32BE(header - 4) + header - 4;
      if (rest.length < length) break;
      const bytes = rest.subarray(0, length);
      yield { type: header === 5 ? String.fromCharCode(bytes[0] ?? 0) : '', bytes, body: bytes.subarray(header) };
      rest = rest.subarray(length);
      // A request for TLS comes before the startup, and is untyped like it.
      if (header === 4 && !isRequestForTls(bytes)) header = 5;
    }
  }
}

const TLS_REQUEST = 80_877_103;
export const isRequestForTls = (startup: Buffer): boolean => startup.length === 8 && startup.readInt32BE(4) === TLS_REQUEST;

/** What a client asks, from its messages: the SQL, and below it its values, a line each. Knows the prepared statements of its connection. */
export function createAskedReader() {
  const prepared = new Map<string, string>();
  return (messages: readonly WireMessage[]): string =>
    messages
      .flatMap(({ type, body }): readonly string[] => {
        switch (type) {
          case 'Q':
            return [textAt(body, 0)];
          case 'P': {
            const name = textAt(body, 0);
            prepared.set(name, textAt(body, Buffer.byteLength(name) + 1));
            return [];
          }
          case 'B': {
            const portal = textAt(body, 0);
            const name = textAt(body, Buffer.byteLength(portal) + 1);
            return [prepared.get(name) ?? '', ...readValues(body, Buffer.byteLength(portal) + Buffer.byteLength(name) + 2)];
          }
          default:
            return [];
        }
      })
      .join('\n');
}

const textAt = (body: Buffer, offset: number): string => body.toString('utf8', offset, Math.max(offset, body.indexOf(0, offset)));

function readValues(body: Buffer, offset: number): readonly string[] {
  const formats = body.readInt16BE(offset);
  let at = offset + 2 + 2 * formats;
  const values: string[] = [];
  const count = body.readInt16BE(at);
  at += 2;
  for (let left = count; left > 0; left -= 1) {
    const length = body.readInt32BE(at);
    at += 4;
    values.push(length < 0 ? 'null' : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return values;
}
