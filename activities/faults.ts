import { ApplicationFailure } from '@temporalio/activity';
import { failureTypes } from '../contracts/failures.js';

/** A port's plain word for a fault it knows. Anything else it throws is a bug or weather and stays so. */
export class Fault extends Error {
  override readonly name = 'Fault';
  constructor(
    readonly kind: keyof typeof failureTypes,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Turns a known fault into a failure the workflow can name. Known faults are never worth retrying. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof Fault)) return error;
  return ApplicationFailure.create({ type: failureTypes[error.kind], message: error.message, nonRetryable: true, cause: error });
}
