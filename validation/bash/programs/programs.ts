import type { ProgramTable } from '../program-rule.js';
import { containers } from './containers.js';
import { files } from './files.js';
import { host } from './host.js';
import { kubernetes } from './kubernetes.js';
import { network } from './network.js';
import { never } from './never.js';
import { platforms } from './platforms.js';
import { stores } from './stores.js';
import { text } from './text.js';
import { wrappers } from './wrappers.js';

/** All programs that a rule knows. */
export const programs: ProgramTable = { ...text, ...files, ...host, ...network, ...kubernetes, ...containers, ...stores, ...platforms, ...wrappers, ...never };
