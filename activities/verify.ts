import { activityInfo, sleep } from '@temporalio/activity';
import type { Verification, WatchActivities } from '../contracts/activities.js';
import { notVerified, verified } from '../domain/updates.js';
import { judgeVerification, toSampleEveryMs } from '../domain/verification.js';
import { attempt } from './attempt.js';
import type { Ports } from './ports.js';
import { takeSample } from './sample.js';

export function createVerifyActivities(ports: Ports): WatchActivities {
  const { recorder } = ports;
  return {
    sampleSignals: (input) =>
      attempt(async (beat) => {
        let samples = 0;
        while (ports.now().getTime() - input.sinceMs < input.stabilizationMs) {
          await takeSample(ports, input);
          samples += 1;
          beat(`${samples} samples`);
          await sleep(toSampleEveryMs(input.stabilizationMs));
        }
        return { samples };
      }),

    verifyRemediation: (input) =>
      attempt(async (beat): Promise<Verification> => {
        const { incidentId, planVersion, before, stabilizationMs, sinceMs, succeeded, approvals } = input;
        await recorder.showPhase(incidentId, 'VERIFICATION');
        // Of the first attempt: a worker that died has watched too.
        const watchedSinceMs = activityInfo().scheduledTimestampMs;
        for (;;) {
          const samples = await recorder.readSamples(incidentId, planVersion);
          const nowMs = ports.now().getTime();
          const result = judgeVerification({ before, samples, stabilizationMs, sinceMs, watchedSinceMs, nowMs });
          switch (result.kind) {
            case 'waiting':
              beat(result.unwell.length === 0 ? `well for ${result.wellForMs} ms` : `not well: ${result.unwell.join(', ')}`);
              await takeSample(ports, input);
              await sleep(toSampleEveryMs(stabilizationMs));
              break;
            case 'well': {
              const update = verified(stabilizationMs, result.improvementPercent, approvals);
              await recorder.markVerified(incidentId, planVersion, succeeded);
              await recorder.recordUpdate(incidentId, `verify:${planVersion}:${sinceMs}`, update);
              return { kind: 'well', improvementPercent: result.improvementPercent, update };
            }
            case 'failed': {
              const update = notVerified(result.unwell, nowMs - watchedSinceMs);
              await recorder.markVerified(incidentId, planVersion, false);
              await recorder.recordUpdate(incidentId, `verify:${planVersion}:${sinceMs}`, update);
              return { kind: 'failed', unwell: result.unwell, update };
            }
          }
        }
      }),
  };
}
