import { areAllWell, judgeGood, toMaxGapMs } from '../domain/last-known-good.js';
import type { Policy } from '../domain/policy.js';
import type { Signal } from '../domain/signal.js';
import type { Workspace } from '../domain/watch.js';
import type { ConfigFile, ConfigReading, Detectors, Recorder } from './ports.js';

interface Content {
  readonly file: ConfigFile;
  readonly reading: ConfigReading;
  readonly readAt: Date;
}

/** The configuration files of a workspace as they are now. Read before anything is measured: what is measured then cannot be of an older content. */
export function readContents(detectors: Detectors, { targets }: Workspace, now: () => Date): Promise<readonly Content[]> {
  const files = targets.filter((target) => target.kind === 'config-file');
  return Promise.all(files.map(async (file) => ({ file, reading: await detectors.readConfiguration(file), readAt: now() })));
}

/** Notes for each configuration file whether all that it serves is well with it, and what is its last known good. */
export async function noteGood(
  recorder: Recorder,
  { id: workspaceId, sweepEveryMs }: Workspace,
  { stabilizationMs }: Pick<Policy, 'stabilizationMs'>,
  contents: readonly Content[],
  signals: readonly Signal[],
): Promise<void> {
  for (const { file, reading, readAt } of contents) {
    const judgement = judgeGood({
      known: await recorder.listKnownContents(workspaceId, file.name),
      hash: reading.kind === 'read' ? reading.hash : null,
      allWell: areAllWell([file.name, ...file.serves], signals),
      now: readAt,
      stabilizationMs,
      maxGapMs: toMaxGapMs(sweepEveryMs ?? 0),
    });
    if (judgement.kind === 'notWell' || reading.kind === 'unreadable') await recorder.noteUnwell(workspaceId, file.name);
    else await recorder.noteWell(workspaceId, file.name, { hash: reading.hash, content: reading.content, wellSince: judgement.wellSince, wellAt: readAt, goodAt: judgement.goodAt });
  }
}
