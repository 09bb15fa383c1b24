import type { Kind } from '../kind.js';
import { doorKinds } from './door.js';
import { raceKinds } from './races.js';
import { recordKinds } from './record.js';
import { reuseKinds } from './reuse.js';
import { rollbackKinds } from './rollbacks.js';
import { signalKinds } from './signals.js';
import { signatureKinds } from './signatures.js';

export const kinds: readonly Kind[] = [...doorKinds, ...signalKinds, ...recordKinds, ...signatureKinds, ...raceKinds, ...reuseKinds, ...rollbackKinds];
