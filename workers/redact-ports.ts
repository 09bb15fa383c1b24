import type { ChangeOptions, Executor, Ports, Recorder } from '../activities/ports.js';
import type { Redactor } from '../domain/redaction.js';
import { redactWithin } from '../domain/redact-within.js';
import type { Notifier } from './notifications.js';

/** What the ports tell and write, without secrets. What is hashed, signed or put back to the byte stays as it is: snapshots, handles, plans, pins. */
export function redactPorts(ports: Ports, redactor: Redactor): Ports {
  return { ...ports, executor: redactExecutor(ports.executor, redactor), recorder: redactRecorder(ports.recorder, redactor) };
}

export function redactExecutor(executor: Executor, redactor: Redactor): Executor {
  const clean = <Value>(value: Value): Value => redactWithin(redactor.redact, value);

  /** The lines as one text, since a secret may have several. */
  async function telling<Result>({ onOutput }: Pick<ChangeOptions, 'onOutput'>, make: (onOutput: ChangeOptions['onOutput']) => Promise<Result>): Promise<Result> {
    const stream = redactor.open();
    let rest = '';
    const tell = (text: string): void => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onOutput);
    };
    try {
      return clean(await make((line) => tell(stream.write(`${line}\n`))));
    } finally {
      tell(stream.end());
    }
  }

  return {
    async rehearse(workspaceId, step) {
      const rehearsal = await executor.rehearse(workspaceId, step);
      return rehearsal.found ? { ...rehearsal, lines: clean(rehearsal.lines), wayBack: clean(rehearsal.wayBack) } : clean(rehearsal);
    },
    snapshot: (workspaceId, step) => executor.snapshot(workspaceId, step),
    run: (workspaceId, change, options) => telling(options, (onOutput) => executor.run(workspaceId, change, { ...options, onOutput })),
    settle: (workspaceId, change, handle, options) => telling(options, (onOutput) => executor.settle(workspaceId, change, handle, { ...options, onOutput })),
  };
}

/** Output is not looked at again: it comes from the executor. */
export function redactRecorder(recorder: Recorder, redactor: Redactor): Recorder {
  const clean = <Value>(value: Value): Value => redactWithin(redactor.redact, value);
  return {
    ...recorder,
    recordUpdate: (incidentId, key, update, tell) => recorder.recordUpdate(incidentId, key, clean(update), tell),
    saveMeasurement: ({ measurement, ...row }) => recorder.saveMeasurement({ ...row, measurement: clean(measurement) }),
    setRootCause: (incidentId, rootCause) => recorder.setRootCause(incidentId, clean(rootCause)),
    savePlan: ({ rehearsal, ...row }) => recorder.savePlan({ ...row, rehearsal: clean(rehearsal) }),
    openGate: (ref, gate, update, tell) => recorder.openGate(ref, gate, clean(update), tell),
    end: (key, state, result, keptMs, handle) => recorder.end(key, state, redactor.redact(result), keptMs, handle),
    close: (incidentId, outcome, update) => recorder.close(incidentId, outcome, clean(update)),
    closeRollback: (ref, decisionId, update, rolledBack) => recorder.closeRollback(ref, decisionId, clean(update), rolledBack),
    openFromSweep: ({ title, ...opening }) => recorder.openFromSweep({ ...opening, title: redactor.redact(title) }),
  };
}

/** What people are told, and what is noted where they could not be. */
export const redactNotifier = (notifier: Notifier, redactor: Redactor): Notifier => ({
  tell: async (channel, notice, signal) => redactWithin(redactor.redact, await notifier.tell(channel, redactWithin(redactor.redact, notice), signal)),
});
