import { proxySinks, type Sinks, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What a replayed workflow says of what it does, at which workflow time in milliseconds. */
export interface ReplaySinks extends Sinks {
  readonly replay: {
    localActivity(atMs: number, name: string, input: unknown): void;
    timer(endsAtMs: number): void;
  };
}

const { replay } = proxySinks<ReplaySinks>();

/** Bundled beside the workflows by tests that look at a replay from outside; adds no command. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleLocalActivity(input, next) {
        replay.localActivity(Date.now(), input.activityType, input.args[0]);
        return next(input);
      },
      startTimer(input, next) {
        replay.timer(Date.now() + input.durationMs);
        return next(input);
      },
    },
  ],
});
