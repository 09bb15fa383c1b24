import type { Anomaly } from './anomaly.js';
import { describeChange, isRecent } from './configuration-cause.js';
import { formatDuration } from './duration.js';
import type { Aim } from './root-cause.js';
import { ids, type Rule } from './root-cause-rule.js';
import type { Fact, ObjectChangeFact, PodTroubleFact } from './signal.js';

const TOLD = 3;
const PARTLY_RESTORED_CONFIDENCE = 65;

const isInTrouble = (change: ObjectChangeFact, { target, workload, isOfNewTemplate }: PodTroubleFact): boolean => target === change.target && workload === change.object && isOfNewTemplate;

const isTrouble = (fact: Fact): fact is PodTroubleFact => fact.kind === 'podTrouble';
const concerns = ({ target, serves }: ObjectChangeFact, { signal }: Anomaly): boolean => signal.target === target || serves.includes(signal.target);
/** What changed in the namespaces of what is unwell, or that serve it. */
const listChanges = (anomalies: readonly Anomaly[], facts: readonly Fact[]): readonly ObjectChangeFact[] =>
  facts.filter((fact) => fact.kind === 'objectChange').filter((change) => anomalies.some((anomaly) => concerns(change, anomaly)));

/** A pod template was changed, and then pods of it got into trouble. */
export const explainByFailedRollout: Rule = (anomalies, facts) => {
  const troubles = facts.filter(isTrouble);
  const changes = listChanges(anomalies, facts).filter((change) => change.templateChanged && troubles.some((trouble) => isInTrouble(change, trouble)));
  return explainByRollout(changes, anomalies, facts, changes.every(isRecent) ? 92 : 80);
};

/** A pod template was changed, and now its pods, what they are behind of, or what they serve is unwell. */
export const explainByRolloutOfUnwell: Rule = (anomalies, facts) => {
  const troubles = facts.filter(isTrouble);
  const isUnwell = (change: ObjectChangeFact): boolean =>
    troubles.some(({ target, workload }) => target === change.target && workload === change.object) ||
    anomalies.some(({ signal }) => (signal.target === change.target ? ['unavailableReplicas', 'emptyServices'].includes(signal.name) : change.serves.includes(signal.target)));
  return explainByRollout(listChanges(anomalies, facts).filter((change) => change.templateChanged && isUnwell(change)), anomalies, facts, 80);
};

function explainByRollout(changes: readonly ObjectChangeFact[], anomalies: readonly Anomaly[], facts: readonly Fact[], confidence: number): ReturnType<Rule> {
  if (changes.length === 0) return undefined;
  const troubles = facts.filter(isTrouble).filter(({ target, workload }) => changes.some((change) => change.target === target && change.object === workload));
  const canUndo = changes.every(({ goodRevision }) => goodRevision !== null);
  return {
    category: 'deployment',
    details: changes.map((change) => [`${change.object}: ${describeTemplate(change)}, ${describeEdit(change)}`, ...describeTroubles(troubles.filter(({ workload }) => workload === change.object))].join('; ')).join('; '),
    confidence,
    evidence: ids(findUnwell(changes, anomalies), [...changes, ...troubles]),
    suggestedActions: [
      ...changes.map(({ object, goodRevision }) => (goodRevision === null ? `put ${object} back to what it was when it last worked` : `undo the rollout of ${object}, to revision ${goodRevision}`)),
      ...adviseOwners(changes),
    ],
    // Templates that no revision has any more are put back field by field.
    aims: changes.flatMap((change): readonly Aim[] => (canUndo ? toUndo(change) : toRestore(change))),
  };
}

const toRestore = ({ target, restore }: ObjectChangeFact): readonly Aim[] => (restore === null ? [] : [{ kind: 'restore', target, ...restore }]);
const toUndo = ({ target, namespace, object, goodRevision }: ObjectChangeFact): readonly Aim[] => [{ kind: 'values', target, values: { namespace, name: object.split('/')[1] ?? '', revision: `${goodRevision}` } }];

// A new Deployment or ConfigMap is nothing that what was there before needs.
const additionsThatMatter = /^(networkpolicy|resourcequota|horizontalpodautoscaler)\//;
// Labels and annotations of the object itself are what people and tools note on it.
const matters = ({ what, object, changes }: ObjectChangeFact): boolean =>
  what === 'added' ? additionsThatMatter.test(object) : what === 'removed' || changes.some(({ pointer }) => !pointer.startsWith('/metadata/'));

/** Something else than a pod template was changed in a namespace that is unwell, or that serves what is. */
export const explainByObjects =
  (confidence: number, counts: (change: ObjectChangeFact) => boolean): Rule =>
  (anomalies, facts) => {
    const changes = listChanges(anomalies, facts).filter((change) => counts(change) && !change.templateChanged && matters(change));
    if (changes.length === 0) return undefined;
    const byHand = changes.filter(({ restoresAll }) => !restoresAll).map(({ object }) => object);
    const troubles = facts.filter(isTrouble).filter(({ target }) => changes.some((change) => change.target === target));
    return {
      category: 'configuration',
      details: [
        ...changes.map((change) => `${change.object} ${describeEdit(change)}${change.changes.length === 0 ? '' : `: ${describeChanges(change)}`}`),
        ...describeTroubles(troubles),
        ...(byHand.length === 0 ? [] : [`to be put back by hand, because no plan holds all of it: ${byHand.slice(0, TOLD).join(', ')}`]),
      ].join('; '),
      // Who puts back only a part of what changed must know what the rest does.
      confidence: byHand.length === 0 ? confidence : Math.min(confidence, PARTLY_RESTORED_CONFIDENCE),
      evidence: ids(findUnwell(changes, anomalies), [...changes, ...troubles]),
      suggestedActions: ['put back what it was when it last worked', ...byHand.map((object) => `put ${object} back by hand: no plan holds all of it`), ...adviseOwners(changes)],
      aims: changes.flatMap(toRestore),
    };
  };

/** Pods that do not run, and nothing that is known to have changed. */
export const explainByPods: Rule = (anomalies, facts) => {
  const troubles = facts.filter(isTrouble).filter(({ target }) => anomalies.some(({ signal }) => signal.target === target));
  const [first] = troubles;
  if (first === undefined) return undefined;
  const { target, namespace } = first;
  return {
    category: 'podFailure',
    details: describeTroubles(troubles).join('; '),
    confidence: 50,
    evidence: ids(anomalies.filter(({ signal }) => troubles.some(({ target }) => target === signal.target)), troubles),
    suggestedActions: ['see what the pods say: kubectl describe pod, kubectl logs --previous', 'look at what they depend on'],
    aims: troubles.every((trouble) => trouble.target === target) ? [{ kind: 'values', target, values: { namespace } }] : [],
  };
};

const findUnwell = (changes: readonly ObjectChangeFact[], anomalies: readonly Anomaly[]): readonly Anomaly[] => anomalies.filter((anomaly) => changes.some((change) => concerns(change, anomaly)));

const describeEdit = ({ what, changeAgeMs, changedBy }: ObjectChangeFact): string => `was ${what} ${formatDuration(changeAgeMs)} before${changedBy === null ? '' : ` by ${changedBy}`}`;

function describeChanges({ changes, changeCount }: Pick<ObjectChangeFact, 'changes' | 'changeCount'>): string {
  const told = changes.slice(0, TOLD).map(describeChange);
  return `${told.join(', ')}${changeCount === told.length ? '' : ` and ${changeCount - told.length} more`}`;
}

/** The images, where they changed: what people call a version. */
function describeTemplate(change: ObjectChangeFact): string {
  const images = change.changes.filter(({ pointer }) => /^\/spec\/template\/spec\/(initC|c)ontainers\/\d+\/image$/.test(pointer));
  if (images.length === 0) return describeChanges(change);
  return images.map(({ good, now }) => `image ${unquote(good)} → ${unquote(now)}`).join(', ');
}
const unquote = (text: string | null): string => (text ?? 'none').replaceAll(/^"|"$/g, '');

/** Each reason once, with the first message. */
function describeTroubles(troubles: readonly PodTroubleFact[]): readonly string[] {
  const kinds = [...new Set(troubles.map(({ workload, reason }) => JSON.stringify([workload, reason])))].slice(0, TOLD);
  return kinds.map((kind) => {
    const same = troubles.filter(({ workload, reason }) => JSON.stringify([workload, reason]) === kind);
    const [first] = same;
    const of = first?.workload === null ? `pod/${first.pod}` : `${same.length} ${same.length === 1 ? 'pod' : 'pods'} of ${first?.workload}`;
    return `${of} ${first?.reason}${first?.message === '' ? '' : `: ${first?.message}`}`;
  });
}

const adviseOwners = (changes: readonly ObjectChangeFact[]): readonly string[] =>
  changes.flatMap(({ object, owner }) => (owner === null ? [] : [`${object} is kept by ${owner}, which will take back what is changed here: change it in its source, too`]));
