import type { UpdateDraft } from './incident.js';

const MAX_COLUMNS = 72;
const MAX_BYTES = 4_096;

/** What the Temporal Web UI shows of a running incident: the next action first. Markdown, at most 4 KiB and 72 columns, because the UI puts it into a URL. */
export function toCurrentDetails(input: {
  readonly nextAction: string;
  readonly phase: string;
  readonly plan: string | null;
  readonly lastUpdates: readonly UpdateDraft[];
}): string {
  const text = [
    `**Next:** ${input.nextAction}`,
    '',
    `**Phase:** ${input.phase}`,
    `**Plan:** ${input.plan ?? 'none yet'}`,
    '',
    '**Last updates**',
    ...input.lastUpdates.map((update) => `- ${update.phase} [${update.status}] ${update.text.split('\n')[0] ?? ''}`),
  ]
    .flatMap(wrap)
    .map(withoutMarkup)
    .join('\n');
  return text.length <= MAX_BYTES / 4 ? text : text.slice(0, MAX_BYTES / 4);
}

/** Text from outside must stay text where Markdown is shown: no links, no tags, no code. */
export const withoutMarkup = (line: string): string => line.replace(/[<>[\]`]/g, (sign) => ({ '<': '‹', '>': '›', '[': '(', ']': ')', '`': "'" })[sign] ?? '');

function wrap(line: string): readonly string[] {
  const wrapped: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const next = current === '' ? word : `${current} ${word}`;
    if (Array.from(next).length <= MAX_COLUMNS) {
      current = next;
      continue;
    }
    if (current !== '') wrapped.push(current);
    current = Array.from(word).slice(0, MAX_COLUMNS).join('');
  }
  return [...wrapped, current];
}
