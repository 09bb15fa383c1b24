import { Type, type Static } from 'typebox';
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
  SLUICE_TEMPORAL_UI_URL: Type.String({ pattern: '^(https?://.+)?$', default: '', description: 'Where people open the Temporal Web UI; empty: no links.' }),
  SLUICE_WORKFLOW_BUNDLE: Type.String({ default: '', description: 'A pre-built workflow bundle; empty: built at start.' }),
});
export type Settings = Static<typeof Settings>;

export class WrongSettings extends Error {
  override readonly name = 'WrongSettings';
}

/** Reads the environment and names every variable that is wrong in one error. Empty variables count as not set. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.fromEntries(Object.keys(Settings.properties).flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const candidate = Value.Convert(Settings, Value.Default(Settings, given));
  if (Value.Check(Settings, candidate)) return candidate;
  const wrong = Value.Errors(Settings, candidate).flatMap(({ instancePath, keyword, params, message }) =>
    keyword === 'required' && 'requiredProperties' in params
      ? params.requiredProperties.map((name) => `${name} is not set`)
      : [`${instancePath.slice(1)} ${message}`],
  );
  throw new WrongSettings(`The environment is wrong; see .env.example.\n  ${[...new Set(wrong)].join('\n  ')}`);
}
