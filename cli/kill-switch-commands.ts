import type { KillSwitches } from '../contracts/http.js';
import type { Context } from './commands.js';
import { toPlainText } from './render.js';
import { WrongUsage } from './surroundings.js';

/** Shows both switches, or throws one of them first. */
export async function killSwitch(
  { client, json, print }: Context,
  state: string | undefined,
  { reason, all = false }: { readonly reason?: string; readonly all?: boolean },
): Promise<void> {
  if (state !== undefined && reason === undefined) throw new WrongUsage('Say why with --reason; it is kept in the audit.');
  const switches =
    state === undefined
      ? await client.get<KillSwitches>('/api/kill-switch')
      : await client.put<KillSwitches>('/api/kill-switch', { scope: all ? 'all' : 'workspace', on: state === 'on', reason });
  print(json ? JSON.stringify(switches) : toPlainText(`${describe('this workspace', switches.workspace)}\n${describe('all workspaces', switches.all)}`));
}

const describe = (of: string, { on, person, reason, changedAt }: KillSwitches['all']): string =>
  `The kill switch of ${of} is ${on ? 'on' : 'off'}${changedAt === null ? '' : `, by ${person} since ${changedAt}: "${reason}"`}`;
