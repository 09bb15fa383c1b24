import { cancellationSignal } from '@temporalio/activity';
import { createOutputWriter, toStorable } from './output-writer.js';
import type { Beginning, Change, ChangeResult, LedgerRow, Ports } from './ports.js';
import { CalledOff } from './ports.js';

const LOG_LINES_IN_UPDATE = 20;

/** The last lines that the changes of one activity told. */
export interface ChangeLog {
  readonly lines: string[];
  linesLeftOut: number;
}

export type ChangeEnd = ChangeResult | { readonly kind: 'stopped'; readonly because: Exclude<Beginning, 'begun'> };

const stopWords = { calledOff: 'it was called off before it began', killSwitch: 'the kill switch is on' } as const;
export const explainStop = (because: Exclude<Beginning, 'begun'>): string => stopWords[because];

/** Makes one change happen once: one that had begun before is looked after first, and only what surely had no effect is made. */
export async function makeChange(
  { recorder, executor }: Pick<Ports, 'recorder' | 'executor'>,
  { plan, change, row, log, keptMs, beat }: {
    readonly plan: { readonly workspaceId: string; readonly incidentId: string };
    readonly change: Change;
    readonly row: LedgerRow;
    readonly log: ChangeLog;
    readonly keptMs: number;
    readonly beat: (detail: string) => void;
  },
): Promise<ChangeEnd> {
  const { workspaceId, incidentId } = plan;
  const { key } = change;
  const signal = cancellationSignal();
  const toldLines = await recorder.countOutputLines(incidentId, key);
  const writer = createOutputWriter(recorder, { incidentId, key, toldLines });
  const onOutput = (text: string): void => {
    const line = toStorable(text);
    writer.write(line);
    log.lines.push(line);
    if (log.lines.length > LOG_LINES_IN_UPDATE) {
      log.lines.shift();
      log.linesLeftOut += 1;
    }
    if ((log.linesLeftOut + log.lines.length) % 100 === 1) beat(line);
  };
  const telling = { signal, onOutput, toldLines, drained: () => writer.drained() };
  let beginning: Beginning = 'begun';
  // Under which this attempt knows the change: a worker that wakes up late must not speak for the one that took its place.
  let noted = row.handle;
  const begin = async (handle: string): Promise<void> => {
    beginning = await recorder.begin(key, handle, noted);
    if (beginning !== 'begun') throw new CalledOff(stopWords[beginning]);
    noted = handle;
  };

  async function make(): Promise<ChangeEnd> {
    const hasBegun = row.handle !== null && (row.state === 'started' || row.state === 'unknown');
    const settled = hasBegun ? await executor.settle(workspaceId, change, row.handle, telling) : { kind: 'notDone' as const };
    if (settled.kind !== 'notDone') return settled;
    try {
      return await executor.run(workspaceId, change, { ...telling, begin });
    } catch (error) {
      if (error instanceof CalledOff && beginning !== 'begun') return { kind: 'stopped', because: beginning };
      throw error;
    }
  }

  const result = await make();
  await writer.close();
  if (result.kind === 'done') await recorder.end(key, 'succeeded', result.summary, keptMs, noted);
  if (result.kind === 'failed') await recorder.end(key, result.changed || noted === null ? 'failed' : 'void', result.summary, keptMs, noted);
  if (result.kind === 'conflict') await recorder.end(key, 'void', result.summary, keptMs, noted);
  return result;
}
