import { areAllWell, judgeGood, toMaxGapMs } from '../domain/last-known-good.js';
import type { Policy } from '../domain/policy.js';
import type { Signal } from '../domain/signal.js';
import type { Workspace } from '../domain/watch.js';
import type { ConfigurationReading, Configured, Detectors, Recorder } from './ports.js';

interface Content {
  readonly target: Configured;
  readonly reading: ConfigurationReading;
  readonly readAt: Date;
}

/** The configurations of a workspace as they are now. Read before anything is measured: what is measured then cannot be of an older content. */
export function readContents(detectors: Detectors, { targets }: Workspace, now: () => Date): Promise<readonly Content[]> {
  const configured = targets.filter((target) => target.kind === 'config-file' || target.kind === 'kubernetes');
  return Promise.all(configured.map(async (target) => ({ target, reading: await detectors.readConfiguration(target), readAt: now() })));
}

/** Notes for each configuration whether its target and all that it serves is well with it, and what is its last known good. */
export async function noteGood(
  recorder: Recorder,
  { id: workspaceId, sweepEveryMs }: Workspace,
  { stabilizationMs }: Pick<Policy, 'stabilizationMs'>,
  contents: readonly Content[],
  signals: readonly Signal[],
): Promise<void> {
  for (const { target, reading, readAt } of contents) {
    const judgement = judgeGood({
      known: await recorder.listKnownContents(workspaceId, target.name),
      hash: reading.kind === 'read' ? reading.hash : null,
      allWell: areAllWell([target.name, ...target.serves], signals),
      now: readAt,
      stabilizationMs,
      maxGapMs: toMaxGapMs(sweepEveryMs ?? 0),
    });
    if (judgement.kind === 'notWell' || reading.kind === 'unreadable') await recorder.noteUnwell(workspaceId, target.name);
    else await recorder.noteWell(workspaceId, target.name, { hash: reading.hash, content: reading.content, wellSince: judgement.wellSince, wellAt: readAt, goodAt: judgement.goodAt });
  }
}
