import { Type, type Static, type TObject } from 'typebox';
import { Value } from 'typebox/value';

/** Every variable that Sluice reads, but for Temporal's own, which `@temporalio/envconfig` reads. */
export const Settings = Type.Object({
  DATABASE_URL: Type.String({ pattern: '^postgres(ql)?://', description: 'Postgres of Sluice itself.' }),
  SLUICE_KEYS: Type.String({ minLength: 1, description: 'The folder with the keys that decisions and checkpoints are signed with; a worker needs only public-keys.json of it.' }),
  SLUICE_AUDIT_FOLDER: Type.String({ default: '', description: "Where the API keeps the audit's signed checkpoints, outside of Postgres; empty: nowhere." }),
  SLUICE_CONFIG: Type.String({ default: '', description: 'The sluice.yaml that says what is watched and acted on; empty: nothing is.' }),
  SLUICE_OIDC: Type.String({ default: '', description: 'The file that says whose bearer JWTs count, and what the groups in them may do; empty: only tokens of Sluice count.' }),
  SLUICE_API_HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
  SLUICE_API_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 7780 }),
  SLUICE_BODY_LIMIT_BYTES: Type.Integer({ minimum: 1_024, maximum: 16_777_216, default: 1_048_576, description: 'The largest request body.' }),
  SLUICE_LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'], { default: 'info' }),
  SLUICE_PUBLIC_URL: Type.String({ pattern: '^(https?://.+)?$', default: '', description: 'Where people open the web page, for links in what they are told; empty: no links.' }),
  SLUICE_SLACK_SIGNING_SECRET_FILE: Type.String({ default: '', description: "The file with the signing secret of the Slack app whose buttons decide; empty: nothing is decided in Slack." }),
  SLUICE_RUNS: Type.String({ minLength: 1, default: 'runs', description: 'The folder where a worker keeps what it runs on its own machine; one that outlasts a restart of it.' }),
  SLUICE_HOST_PATH: Type.String({ minLength: 1, default: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', description: 'Where systemctl, docker and what runs them are looked for; never in the PATH of whoever starts it.' }),
  SLUICE_TEMPORAL_UI_URL: Type.String({ pattern: '^(https?://.+)?$', default: '', description: 'Where people open the Temporal Web UI; empty: no links.' }),
  SLUICE_WORKFLOW_BUNDLE: Type.String({ default: '', description: 'A pre-built workflow bundle; empty: built at start.' }),
});
export type Settings = Static<typeof Settings>;

/** What an executor worker reads: neither a database nor Temporal. */
export const ExecutorSettings = Type.Object({
  SLUICE_URL: Type.String({ pattern: '^https?://', description: 'Where an executor worker reaches the API.' }),
  SLUICE_TOKEN: Type.String({ default: '', description: 'Its token, of the role executor.' }),
  SLUICE_TOKEN_FILE: Type.String({ default: '', description: 'The file with its token, in place of SLUICE_TOKEN.' }),
  SLUICE_KEYS: Settings.properties.SLUICE_KEYS,
  SLUICE_CONFIG: Type.String({ minLength: 1, description: 'The sluice.yaml with the host targets that name its queue.' }),
  SLUICE_RUNS: Settings.properties.SLUICE_RUNS,
  SLUICE_HOST_PATH: Settings.properties.SLUICE_HOST_PATH,
  SLUICE_LOG_LEVEL: Settings.properties.SLUICE_LOG_LEVEL,
});
export type ExecutorSettings = Static<typeof ExecutorSettings>;

export class WrongSettings extends Error {
  override readonly name = 'WrongSettings';
}

/** Reads the environment and names every variable that is wrong in one error. Empty variables count as not set. */
export const readSettings = (env: Environment): Settings => read(Settings, env);

/** The same for an executor worker. */
export const readExecutorSettings = (env: Environment): ExecutorSettings => read(ExecutorSettings, env);

type Environment = Readonly<Record<string, string | undefined>>;

function read<Schema extends TObject>(schema: Schema, env: Environment): Static<Schema> {
  const given = Object.fromEntries(Object.keys(schema.properties).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const candidate = Value.Convert(schema, Value.Default(schema, given));
  if (Value.Check(schema, candidate)) return candidate;
  const wrong = Value.Errors(schema, candidate).flatMap(({ instancePath, keyword, params, message }) =>
    keyword === 'required' && 'requiredProperties' in params
      ? params.requiredProperties.map((name) => `${name} is not set`)
      : [`${instancePath.slice(1)} ${message}`],
  );
  throw new WrongSettings(`The environment is wrong; see .env.example.\n  ${[...new Set(wrong)].join('\n  ')}`);
}
