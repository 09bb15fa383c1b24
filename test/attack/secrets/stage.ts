import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyFreePorts } from '../../../cli/local/ports.js';
import { startStack } from '../../../cli/local/stack.js';
import type { MadeToken } from '../../../contracts/http-people.js';
import { answerGates, callApi, handOver, rollBack, sendAlert } from '../../chaos/person.js';
import { query } from '../../chaos/worlds/target-server.js';
import { openScriptService, type ScriptService } from '../../harness/script-service.js';
import type { Chance } from '../chance.js';
import type { Planted } from './planted.js';
import type { Installation } from './read-places.js';
import { failing, given, printing, toPrints } from './scripts.js';

// As many as a script may be given.
const GIVEN = 20;
const FILES = 10;
const AUTHOR_FOR_MS = 600_000;

export interface Stage extends Installation {
  /** What came of each incident, by what it is about. */
  readonly outcomes: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** Has Postgres not take what is said of a script's output, once: the error holds all of it, and is logged. */
const refuseOnce = `
  create sequence refused;
  create function refuse() returns trigger language plpgsql as $$ begin
    if nextval('refused') = 1 then raise exception 'not now'; end if;
    return new;
  end $$;
  create trigger refuse before insert on tail for each row when (new.event = 'update' and length(new.body::text) > 1500) execute function refuse();
`;

interface Planting {
  /** What Sluice reads as secrets, and what it has never heard of: that must be found. */
  readonly secrets: readonly Planted[];
  readonly strangers: readonly Planted[];
  readonly chance: Chance;
  readonly say: (line: string) => void;
}

/** A whole Sluice on which incidents were played whose scripts, errors, files and configuration are full of secrets. */
export async function playStage(planting: Planting): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-secrets-'));
  await chmod(folder, 0o711); // as root: Postgres's user must get through
  const services = new Map<string, ScriptService>();
  for (const name of ['print', 'given', 'fail', 'change', 'refused']) services.set(name, await openScriptService());
  const calledOff = new AbortController();
  const close = async (): Promise<void> => {
    calledOff.abort();
    for (const service of services.values()) await service.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return await play(planting, folder, services, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function play({ secrets, strangers, chance, say }: Planting, folder: string, services: ReadonlyMap<string, ScriptService>, close: () => Promise<void>): Promise<Stage> {
  const serviceOf = (name: string): ScriptService => {
    const service = services.get(name);
    if (service === undefined) throw new Error(`there is no service ${name}`);
    return service;
  };
  const secretFiles: Record<string, string> = {};
  await mkdir(join(folder, 'secrets'));
  for (const { name, value } of secrets) await writeFile((secretFiles[name] = join(folder, 'secrets', name)), value, { mode: 0o600 });

  const settings = join(folder, 'settings.json');
  const [first] = secrets;
  const good = `${JSON.stringify({ pool: 40, greeting: first?.value }, null, 2)}\n`;
  await writeFile(settings, `${JSON.stringify({ pool: 40, greeting: 'hello' }, null, 2)}\n`);
  // Strangers last, so that the updates, which hold the last lines, hold some too.
  await writeFile(join(serviceOf('print').home, 'prints.json'), JSON.stringify(toPrints([...secrets, ...strangers], chance)));
  await writeFile(join(serviceOf('refused').home, 'prints.json'), JSON.stringify(toPrints([...secrets.slice(0, GIVEN), ...strangers], chance)));
  await writeFile(join(serviceOf('refused').home, 'names.json'), '[]');
  const names = [...secrets, ...strangers].filter(({ kind }) => kind === 'token').slice(0, FILES).map(({ value }) => value);
  await writeFile(join(serviceOf('print').home, 'names.json'), JSON.stringify(names));
  await writeFile(join(serviceOf('fail').home, 'prints.json'), JSON.stringify(toPrints([...secrets.slice(0, GIVEN), ...strangers.slice(0, 1)], chance)));

  const sluiceConfig = join(folder, 'sluice.yaml');
  const workspaces = [...services].map(([name, service]) => {
    const settingsTarget = name === 'change' ? `      settings: { kind: config-file, path: ${settings}, executor: config-patch, serves: [service] }\n` : '';
    return `  ${name}:\n    stabilization: 1s\n    sweep: { every: 3650d }${service.toTargets(name === 'given' ? secretFiles : {})}${settingsTarget}`;
  });
  await writeFile(sluiceConfig, `version: 1\nworkspaces:\n${workspaces.join('')}`);
  const home = join(folder, 'home');
  const stack = await startStack({ home, sluiceConfig, say, ports: await anyFreePorts() });
  try {
    const { apiUrl, databaseUrl, temporalAddress } = stack;
    const [firstWorkspace] = services.keys();
    const tokenOf = async (name: string): Promise<string> => (await readFile(join(home, name === firstWorkspace ? 'admin-token' : `admin-token.${name}`), 'utf8')).trim();
    const hash = createHash('sha256').update(good).digest('hex');
    await query(databaseUrl, "insert into last_known_good (workspace_id, target, hash, content, well_since, well_at, good_at) values ('change', 'settings', $1, $2, now(), now(), now())", [hash, good]);

    const scripts: Readonly<Record<string, { readonly command: string; readonly secrets: readonly string[] }>> = {
      print: { command: printing(serviceOf('print').home, serviceOf('print').file), secrets: [] },
      given: { command: given(serviceOf('given').file), secrets: secrets.slice(0, GIVEN).map(({ name }) => name) },
      refused: { command: printing(serviceOf('refused').home, serviceOf('refused').file), secrets: [] },
      fail: { command: failing(serviceOf('fail').home), secrets: [] },
    };
    const outcomes: Record<string, string> = {};
    const readers: { readonly token: string; readonly incidentIds: readonly string[] }[] = [];
    for (const [name, service] of services) {
      const access = { apiUrl, token: await tokenOf(name) };
      const script = scripts[name];
      if (script !== undefined) {
        const expiresAt = new Date(Date.now() + AUTHOR_FOR_MS).toISOString();
        const { token } = await callApi<MadeToken>(access, 'POST', '/api/tokens', { person: 'author', role: 'supervisor', name: 'attack', expiresAt });
        const rest = { workspaceId: name, name: 'Say All', description: 'Tells what it knows.', type: 'PYTHON', parameters: [], category: 'serviceDegraded', paths: [service.home], risk: 'MEDIUM', estimatedDuration: 1_000, timeoutMs: 300_000 };
        await callApi({ apiUrl, token }, 'POST', '/api/sre/scripts', { ...rest, ...script });
      }
      if (name === 'refused') await query(databaseUrl, refuseOnce);
      const signal = AbortSignal.timeout(300_000);
      const incidentId = await sendAlert(access, `${name} is slow`, signal);
      outcomes[name] = await answerGates(access, incidentId, signal, () => 'approve');
      if (outcomes[name] === 'NEEDS_HUMAN') await handOver(access, incidentId, signal);
      // What its script left has names that are secrets, and is told when it is taken away.
      if (name === 'print') outcomes['print, taken back'] = await rollBack(access, incidentId, signal);
      if (name === 'change') {
        const { text } = await callApi<{ readonly text: string }>(access, 'GET', `/api/incidents/${incidentId}/tail`);
        outcomes[name] = text.includes('secretInScript') ? 'denied' : 'not denied';
      }
      say(`${name}: ${outcomes[name]}`);
      readers.push({ token: access.token, incidentIds: [incidentId] });
    }
    const closeAll = async (): Promise<void> => {
      await stack.stop();
      await close();
    };
    return { apiUrl, databaseUrl, temporalAddress, logs: join(home, 'logs'), readers, outcomes, close: closeAll };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
