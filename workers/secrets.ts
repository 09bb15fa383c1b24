import { createRedactor, type Redactor, type Secret } from '../domain/redaction.js';
import { toSecretValues } from '../domain/secret-values.js';

/** Keeps what it has learned out of every text. */
export interface Secrets extends Redactor {
  /** From now on the secrets in this text are known by this name. */
  readonly learn: (name: string, text: string) => void;
}

/** Knows no secret yet. One that was renewed stays known too: it may still work. */
export function createSecrets(): Secrets {
  const known = new Map<string, Secret>();
  let redactor = createRedactor([]);
  return {
    learn(name, text) {
      const fresh = toSecretValues(text).filter((value) => !known.has(value));
      if (fresh.length === 0) return;
      for (const value of fresh) known.set(value, { name, value });
      redactor = createRedactor([...known.values()]);
    },
    redact: (text) => redactor.redact(text),
    open() {
      let current = redactor;
      let stream = current.open();
      return {
        write(chunk) {
          if (current === redactor) return stream.write(chunk);
          const before = stream.end();
          current = redactor;
          stream = current.open();
          return before + stream.write(chunk);
        },
        end: () => stream.end(),
      };
    },
  };
}
