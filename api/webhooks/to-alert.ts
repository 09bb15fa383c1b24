import { createHash } from 'node:crypto';
import { type Alert, toFingerprintText } from '../../domain/alert.js';
import { readSeverity } from '../../domain/severity.js';

const MAX_TITLE = 200;

/** What every sender says in its own words. */
export interface Notification {
  readonly source: Alert['source'];
  readonly state: Alert['state'];
  readonly title: string;
  readonly severity: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly startsAt: string | undefined;
  readonly fingerprint: string | undefined;
}

/** Normalizes a notification, whatever its sender leaves out or overdoes. */
export function toAlert(notification: Notification): Alert {
  const { labels, severity = '', startsAt = '', fingerprint } = notification;
  const title = toTitle(notification.title);
  const startedAt = new Date(startsAt);
  return {
    ...notification,
    title,
    severity: readSeverity(severity) ?? null,
    // Neither Go's year 1 nor a leap second is a moment worth keeping.
    startsAt: startedAt.getTime() > 0 ? startedAt : null,
    // Without a label, the title is all that one trouble has of its own.
    fingerprint: fingerprint ?? hash(toFingerprintText(Object.keys(labels).length > 0 ? labels : { title })),
  };
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/** One line that lists and headlines can hold. */
function toTitle(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= MAX_TITLE ? line : `${line.slice(0, MAX_TITLE - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
