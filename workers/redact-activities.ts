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

/** The same error, because what is done with it goes by its class. */
function redactError(redact: (text: string) => string, error: unknown): unknown {
  if (!(error instanceof Error)) return redactWithin(redact, error);
  error.message = redact(error.message);
  if (error.stack !== undefined) error.stack = redact(error.stack);
  if ('details' in error && Array.isArray(error.details)) Object.assign(error, { details: redactWithin(redact, error.details) });
  if (error.cause !== undefined) error.cause = redactError(redact, error.cause);
  return error;
}
