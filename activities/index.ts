import type { Activities } from '../contracts/activities.js';
import { createClaimActivities } from './claim.js';
import { createDetectActivities } from './detect.js';
import { createExecuteActivities } from './execute.js';
import type { Ports } from './ports.js';
import { createProposeActivities } from './propose.js';
import { createRecordActivities } from './record.js';
import { createRollbackActivities } from './roll-back.js';
import { createValidateActivities } from './validate.js';
import { createVerifyActivities } from './verify.js';

/** Every activity that the worker registers. */
export const createActivities = (ports: Ports): Activities => ({
  ...createDetectActivities(ports),
  ...createProposeActivities(ports),
  ...createValidateActivities(ports),
  ...createClaimActivities(ports),
  ...createExecuteActivities(ports),
  ...createRollbackActivities(ports),
  ...createVerifyActivities(ports),
  ...createRecordActivities(ports),
});
