import { toSecretValues } from '../contracts/secret-values.js';
import { createRedactor, type RedactedStream, type Redactor, type Secret } from '../domain/redaction.js';

/** Keeps what it has learned out of every text. */
export interface Secrets extends Redactor {
  /** From now on the secrets in this text are known by this name. */
  readonly learn: (name: string, text: string) => void;
}

/** Knows no secret yet. One that was renewed stays known too: it may still work. */
export function createSecrets(): Secrets {
  const known = new Map<string, Secret>();
  let made: Redactor | undefined;
  // Made when a text comes, since many secrets are learned one after the other.
  const redactor = (): Redactor => (made ??= createRedactor([...known.values()]));
  return {
    learn(name, text) {
      for (const value of toSecretValues(text)) {
        if (known.has(value)) continue;
        known.set(value, { name, value });
        made = undefined;
      }
    },
    redact: (text) => redactor().redact(text),
    open() {
      let current = redactor();
      let stream = current.open();
      // What was held back may turn out to be another secret by now.
      const renew = (): RedactedStream => {
        if (current !== redactor()) stream = (current = redactor()).open(stream.rest());
        return stream;
      };
      return { write: (chunk) => renew().write(chunk), end: () => renew().end(), rest: () => renew().rest() };
    },
  };
}
