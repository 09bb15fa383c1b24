import type { Activities } from '../contracts/activities.js';
import { createDetectActivities } from './detect.js';
import { createExecuteActivities } from './execute.js';
import type { Ports } from './ports.js';
import { createProposeActivities } from './propose.js';
import { createRecordActivities } from './record.js';
import { createValidateActivities } from './validate.js';
import { createVerifyActivities } from './verify.js';

/** Every activity that the worker registers. */
export const createActivities = (ports: Ports): Activities => ({
  ...createDetectActivities(ports),
  ...createProposeActivities(ports),
  ...createValidateActivities(ports),
  ...createExecuteActivities(ports),
  ...createVerifyActivities(ports),
  ...createRecordActivities(ports),
});
