import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import type { Redactor } from '../domain/redaction.js';
import { redactWithin } from '../domain/redact-within.js';

/** Results and failures of activities, on their way into the history that everybody can read. */
export const redactActivities = ({ redact }: Redactor): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    try {
      return redactWithin(redact, await next(input));
    } catch (error) {
      throw redactError(redact, error);
    }
  },
});

/** The same error, because what is done with it goes by its class; of one that cannot be changed, one that stands on it. */
function redactError(redact: (text: string) => string, error: unknown, above: readonly Error[] = []): unknown {
  if (!(error instanceof Error)) return redactWithin(redact, error);
  // Who writes an error down follows its causes to their end.
  if (above.includes(error)) return undefined;
  const { message, stack, cause } = error;
  const inner = (each: unknown): unknown => redactError(redact, each, [...above, error]);
  const safe = {
    message: redact(message),
    ...(stack !== undefined && { stack: redact(stack) }),
    ...('details' in error && Array.isArray(error.details) && { details: redactWithin(redact, error.details) }),
    ...('errors' in error && Array.isArray(error.errors) && { errors: error.errors.map(inner) }),
    ...(cause !== undefined && { cause: inner(cause) }),
  };
  try {
    return Object.assign(error, safe);
  } catch {
    return Object.create(error, Object.getOwnPropertyDescriptors(safe)) as Error;
  }
}
