export { detectionSweep } from './detection-sweep.js';
export { incident } from './incident.js';
export { rollback } from './rollback.js';
