import type { KnownPerson, PeoplePage } from '../contracts/http-people.js';
import type { Context } from './commands.js';
import { renderTable, toPlainText } from './render.js';

const path = (person: string): string => `/api/people/${encodeURIComponent(person)}`;

export async function listPeople({ client, json, print }: Context): Promise<void> {
  const people = (await client.getPages<PeoplePage>('/api/people')).flatMap((page) => page.people);
  if (json) print(JSON.stringify({ people }));
  else print(people.length === 0 ? 'Nobody may decide in chat' : renderTable(people.map(({ person, role, slackUser, changedBy, changedAt }) => [person, role, slackUser, `by ${changedBy}, ${changedAt}`])));
}

export async function setPerson({ client, json, print }: Context, person: string, body: { readonly role: string; readonly slackUser: string }): Promise<void> {
  const known = await client.put<KnownPerson>(path(person), body);
  print(json ? JSON.stringify(known) : toPlainText(`${known.slackUser} is ${known.person}, who may decide in chat as ${known.role}`));
}

export async function removePerson({ client, json, print }: Context, person: string): Promise<void> {
  const known = await client.delete<KnownPerson>(path(person));
  print(json ? JSON.stringify(known) : toPlainText(`${known.person} may not decide in chat any more. Tokens that they hold stay good: see \`sluice tokens list\`.`));
}
