import type { RuntimeOptions } from '@temporalio/worker';
import { type Logger, pino } from 'pino';
import type { Redactor } from '../domain/redaction.js';
import { redactWithin } from '../domain/redact-within.js';

/** What the worker's own parts log with; an error goes under `err`, which is the only name that pino writes errors out under. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** A log without secrets: each line is redacted as what it says, before it is written out as JSON. */
export const openLog = (level: string, { redact }: Redactor): Logger =>
  pino({ level, redact: ['*.connectionString', '*.password'], hooks: { streamWrite: (line) => `${JSON.stringify(redactWithin(redact, JSON.parse(line) as unknown))}\n` } });

/** Gives what Temporal's runtime logs to our log, its details first as pino takes them. */
export function toTemporalLogger(log: Log): NonNullable<RuntimeOptions['logger']> {
  const take = (level: 'info' | 'warn' | 'error') => (message: string, { error, ...details }: Record<string | symbol, unknown> = {}) =>
    log[level](error === undefined ? details : { ...details, err: error }, message);
  const info = take('info');
  const warn = take('warn');
  const error = take('error');
  const ignore = () => {};
  return {
    trace: ignore,
    debug: ignore,
    info,
    warn,
    error,
    log(level, message, details) {
      if (level === 'WARN') warn(message, details);
      if (level === 'ERROR') error(message, details);
    },
  };
}
