import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { KillSwitchBody, KillSwitches } from '../../contracts/http.js';
import type { Database } from '../../db/database.js';
import { readSwitches, type SwitchRow, type Switches, throwSwitch } from '../../db/kill-switch.js';
import { isAtLeast } from '../../domain/actor.js';
import { NotAllowed } from '../errors.js';
import { problems } from '../plugins/problems.js';

const toSwitch = (row: SwitchRow | undefined): KillSwitches['all'] =>
  row === undefined ? { on: false, person: null, reason: null, changedAt: null } : { on: row.isOn, person: row.person, reason: row.reason, changedAt: row.changedAt.toISOString() };

const toSwitches = ({ workspace, all }: Switches): KillSwitches => ({ workspace: toSwitch(workspace), all: toSwitch(all) });

export const killSwitchRoutes: FastifyPluginAsyncTypebox<{ db: Database }> = async (app, { db: everything }) => {
  app.get(
    '/api/kill-switch',
    {
      config: { minimumRole: 'viewer' },
      schema: {
        operationId: 'readKillSwitch',
        tags: ['kill switch'],
        description: 'The kill switch of the workspace and that of all workspaces. While one of them is on, nothing is run and nothing rolled back.',
        response: { 200: KillSwitches, ...problems },
      },
    },
    async ({ actor, db }) => toSwitches(await readSwitches(db, actor.workspaceId)),
  );
  app.put(
    '/api/kill-switch',
    {
      config: { minimumRole: 'supervisor' },
      schema: {
        operationId: 'throwKillSwitch',
        tags: ['kill switch'],
        description: 'Turns a kill switch on or off; for all workspaces this needs admin. Once it is answered, nothing new begins; what had begun is not stopped. A repeat changes nothing.',
        body: KillSwitchBody,
        response: { 200: KillSwitches, ...problems },
      },
    },
    async ({ actor: { workspaceId, person, role }, db, body: { scope, on, reason } }) => {
      if (scope === 'all' && !isAtLeast(role, 'admin')) throw new NotAllowed(`Your role is ${role}; the switch of all workspaces needs admin. Throw that of your workspace with "scope": "workspace".`);
      return toSwitches(await throwSwitch(scope === 'all' ? everything : db, { workspaceId, scope, on, person, reason }));
    },
  );
};
