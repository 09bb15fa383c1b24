import { formatDuration } from './duration.js';
import type { Aim } from './root-cause.js';
import { ids, named, type Rule } from './root-cause-rule.js';
import type { ConfigChange, ConfigChangeFact } from './signal.js';

// Trouble that is told within the hour, of what was well until a quarter of an hour before it was changed.
const RECENT_MS = 3_600_000;
const WELL_UNTIL_CHANGED_MS = 900_000;
const PARTLY_RESTORED_CONFIDENCE = 65;
const CHANGES_TOLD = 3;

/** Whether it was changed while all was well, and not long before the trouble was measured. */
export const isRecent = ({ changeAgeMs, changedAt, goodAt }: Pick<ConfigChangeFact, 'changeAgeMs' | 'changedAt' | 'goodAt'>): boolean =>
  changeAgeMs <= RECENT_MS && Date.parse(changedAt) - Date.parse(goodAt) <= WELL_UNTIL_CHANGED_MS;

export const describeChange = ({ pointer, good, now }: ConfigChange): string =>
  `${pointer || 'all of it'} ${now ?? 'gone'} (${good === null ? 'was not there' : `was ${good}`})`;

function describeFile({ path, changeAgeMs, changes, changeCount }: ConfigChangeFact): string {
  const told = changes.slice(0, CHANGES_TOLD).map(describeChange);
  const untold = changeCount - told.length;
  return `${path.split('/').at(-1)} changed ${formatDuration(changeAgeMs)} before: ${told.join(', ')}${untold === 0 ? '' : ` and ${untold} more`}`;
}

/** What changed in a file that serves what is unwell, or that is unwell itself. */
export const explainByConfiguration =
  (confidence: number, counts: (fact: ConfigChangeFact) => boolean): Rule =>
  (anomalies, facts) => {
    const changed = facts
      .filter((fact) => fact.kind === 'configChange')
      .filter((fact) => counts(fact) && anomalies.some(({ signal }) => signal.target === fact.target || fact.serves.includes(signal.target)));
    const unwell = anomalies.filter(({ signal }) => changed.some(({ target, serves }) => signal.target === target || serves.includes(signal.target)));
    if (changed.length === 0) return undefined;
    const byHand = changed.flatMap(({ path, changes }) => changes.filter(({ isRestored }) => !isRestored).map(({ pointer }) => `${path.split('/').at(-1)} ${pointer}`));
    return {
      category: 'configuration',
      details: [...changed.map(describeFile), ...(byHand.length === 0 ? [] : [`to be put back by hand, because no plan holds it: ${byHand.slice(0, CHANGES_TOLD).join(', ')}`])].join('; '),
      // Who puts back only a part of what changed must know what the rest does.
      confidence: changed.every(({ restoresAll }) => restoresAll) ? confidence : Math.min(confidence, PARTLY_RESTORED_CONFIDENCE),
      evidence: ids(unwell, changed),
      suggestedActions: [
        'put back what it was when it last worked',
        ...byHand.map((place) => `put ${place} back by hand: it looks secret or is too large, so no plan holds it`),
        'ask who changed it, so that it is not changed again',
      ],
      aims: changed.flatMap(({ target, patch }): readonly Aim[] => (patch === null ? [] : [{ kind: 'restore', target, type: 'config-patch', script: patch }])),
    };
  };

/** A configuration file that nobody can read, and why. */
export const explainByUnreadableFile: Rule = (anomalies, facts) => {
  const unread = named(anomalies, 'readable');
  const silent = facts.filter((fact) => fact.kind === 'unreachable').filter(({ target }) => unread.some(({ signal }) => signal.target === target));
  if (silent.length === 0) return undefined;
  return {
    category: 'configuration',
    details: silent.map(({ target, because }) => `${target} cannot be read: ${because}`).join('; '),
    confidence: 80,
    evidence: ids(unread, silent),
    suggestedActions: ['correct the file, or put back the copy that last worked'],
    aims: [],
  };
};
