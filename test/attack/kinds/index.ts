import type { Kind } from '../kind.js';
import { authorityKinds } from './authority.js';
import { autonomyKinds } from './autonomy.js';
import { chatKinds } from './chat.js';
import { doorKinds } from './door.js';
import { identityKinds } from './identity.js';
import { jwtKinds } from './jwts.js';
import { policyKinds } from './policies.js';
import { raceKinds } from './races.js';
import { recordKinds } from './record.js';
import { reuseKinds } from './reuse.js';
import { rollbackKinds } from './rollbacks.js';
import { scopeKinds } from './scope.js';
import { signalKinds } from './signals.js';
import { signatureKinds } from './signatures.js';
import { systemKinds } from './system.js';

export const kinds: readonly Kind[] = [
  ...doorKinds,
  ...authorityKinds,
  ...identityKinds,
  ...jwtKinds,
  ...chatKinds,
  ...scopeKinds,
  ...signalKinds,
  ...recordKinds,
  ...policyKinds,
  ...systemKinds,
  ...autonomyKinds,
  ...signatureKinds,
  ...raceKinds,
  ...reuseKinds,
  ...rollbackKinds,
];
