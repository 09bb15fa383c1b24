export { detectionSweep } from './detection-sweep.js';
export { incident } from './incident.js';
