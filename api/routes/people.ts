import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { KnownPerson, PeoplePage, PeopleQuery, PersonBody, PersonParams } from '../../contracts/http-people.js';
import { listPeople, type PersonRow, removePerson, setPerson } from '../../db/people.js';
import { isPersonName } from '../../domain/actor.js';
import { SlackUserTaken, UnknownPerson, WrongName } from '../errors.js';
import { problems } from '../plugins/problems.js';

const toPerson = ({ person, role, slackUser, changedBy, changedAt }: PersonRow): KnownPerson => ({ person, role, slackUser, changedBy, changedAt: changedAt.toISOString() });

export const peopleRoutes: FastifyPluginAsyncTypebox = async (app) => {
  app.get(
    '/api/people',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'listPeople',
        tags: ['people'],
        description: 'Who may decide in chat, by name.',
        querystring: PeopleQuery,
        response: { 200: PeoplePage, ...problems },
      },
    },
    async ({ actor, db, query: { limit = 50, cursor = null } }) => {
      const rows = await listPeople(db, actor.workspaceId, { after: cursor, limit: limit + 1 });
      const page = rows.slice(0, limit);
      return { people: page.map(toPerson), nextCursor: rows.length > limit ? (page.at(-1)?.person ?? null) : null };
    },
  );
  app.put(
    '/api/people/:person',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'setPerson',
        tags: ['people'],
        description: 'Says who a Slack user is in your workspace, and what they may decide there. A repeat changes nothing.',
        params: PersonParams,
        body: PersonBody,
        response: { 200: KnownPerson, ...problems },
      },
    },
    async ({ actor, db, params: { person }, body }) => {
      if (!isPersonName(person)) throw new WrongName('params/person');
      const change = await setPerson(db, { ...body, person, workspaceId: actor.workspaceId, changedBy: actor.person });
      switch (change.kind) {
        case 'set':
          return toPerson(change.row);
        case 'slackUserTaken':
          throw new SlackUserTaken(`The Slack user ${body.slackUser} is ${change.by}. Remove that person first, or check the id.`);
      }
    },
  );
  app.delete(
    '/api/people/:person',
    {
      config: { minimumRole: 'admin' },
      schema: {
        operationId: 'removePerson',
        tags: ['people'],
        description: 'Takes away that somebody may decide in chat. Tokens that they hold stay good until they are revoked.',
        params: PersonParams,
        response: { 200: KnownPerson, ...problems },
      },
    },
    async ({ actor, db, params: { person } }) => {
      const row = await removePerson(db, { workspaceId: actor.workspaceId, person, changedBy: actor.person });
      if (row === undefined) throw new UnknownPerson(person);
      return toPerson(row);
    },
  );
};
