import { openInspector } from '../../inspection/inspector.js';

/** The real one; its thread starts where a script is judged, and keeps nobody waiting at the end. */
export const inspector = openInspector();
