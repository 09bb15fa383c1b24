import type { TailEntry } from '../contracts/http.js';
import type { TailEntryRow } from '../db/tail-reads.js';
import { formatUpdate } from '../domain/tail-text.js';

export function toTailEntry({ seq, id, incidentId, body, createdAt }: TailEntryRow): TailEntry {
  if ('update' in body) return { event: 'update', seq, data: { id, incidentId, seq, ...body.update, createdAt: createdAt.toISOString() } };
  return 'output' in body ? { event: 'output', seq, data: body.output } : { event: 'done', seq, data: body.done };
}

/** The entries as a person reads them. */
export const toTailText = (entries: readonly TailEntry[]): string => entries.flatMap(formatEntry).join('\n');

function formatEntry(entry: TailEntry): readonly string[] {
  switch (entry.event) {
    case 'update':
      return [formatUpdate(entry.data)];
    case 'output':
      return entry.data.text.replace(/\n$/, '').split('\n').map((line) => `   | ${line}`);
    case 'done':
      return [];
  }
}
