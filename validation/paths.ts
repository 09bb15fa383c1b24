/** What is done with a path. */
export type PathUse = 'read' | 'write' | 'remove';

/** `plain`: one look is enough. `plus`: two people look. `never`: nobody can allow it. */
export type PathJudgement = 'plain' | 'plus' | 'never';

interface Root {
  /** The folder, and which folders or files of it are meant: it is itself never meant. */
  readonly below: RegExp;
  readonly read: PathJudgement;
  readonly write: PathJudgement;
  readonly remove: PathJudgement;
}

const name = '[^/*?\\[\\]{}]+';
const services =
  'alertmanager|apache2|caddy|cassandra|consul|elasticsearch|envoy|filebeat|fluent-bit|fluentd|grafana|haproxy|httpd|kafka|kibana|logstash|loki|mariadb|memcached|mongodb|my\\.cnf\\.d|mysql|nats|nginx|otelcol|pgbouncer|php|postgresql|prometheus|promtail|rabbitmq|redis|telegraf|tomcat[0-9]*|traefik|varnish|vector|zookeeper';
// A folder that an application has of its own names what it is: nothing of the system is called so.
const applications = `${name}-(?:api|app|service|server|worker|web|gateway|proxy|agent|exporter|backend|frontend)|(?:my|web|our)?app|application|${name}-app-${name}`;

/** The first that fits counts. What fits none is for the system, and is not plain. */
const roots: readonly Root[] = [
  { below: new RegExp(`^/(?:var/)?tmp/${name}(?:/|$)`), read: 'plain', write: 'plain', remove: 'plain' },
  { below: /^\/var\/log\/(?:syslog|messages|kern\.log|daemon\.log)(?:\.\d+)?$/, read: 'plain', write: 'never', remove: 'never' },
  { below: /^\/var\/log\/(?:apt|audit|dist-upgrade|installer|journal|pam|private|samba|sssd|unattended-upgrades)(?:\/|$)/, read: 'plus', write: 'never', remove: 'never' },
  { below: new RegExp(`^/var/log/${name}/`), read: 'plain', write: 'plain', remove: 'plain' },
  { below: new RegExp(`^/var/log/${name}$`), read: 'plus', write: 'never', remove: 'plus' },
  { below: new RegExp(`^/var/cache/(?:${services}|${applications})/`), read: 'plain', write: 'plain', remove: 'plain' },
  { below: new RegExp(`^/(?:srv|opt|app|data|var/www|var/opt)/(?:${name}/)*(?:cache|caches|tmp|temp|log|logs)/`), read: 'plain', write: 'plain', remove: 'plain' },
  { below: new RegExp(`^/(?:srv|opt|app|data|var/www|var/opt|backup|backups|mnt/${name})/${name}(?:/|$)`), read: 'plain', write: 'plain', remove: 'plus' },
  { below: new RegExp(`^/etc/(?:${services}|${applications})(?:/|$)`), read: 'plain', write: 'plain', remove: 'plus' },
  { below: new RegExp(`^/var/(?:lib|spool)/(?:${services}|${applications})/(?:${name}/)*(?:cache|tmp|temp)/`), read: 'plain', write: 'plain', remove: 'plain' },
  { below: new RegExp(`^/var/(?:lib|spool)/(?:${services}|${applications})(?:/|$)`), read: 'plain', write: 'plus', remove: 'plus' },
  { below: new RegExp(`^/(?:var/)?run/(?:(?:${name}/)*${name}\\.(?:pid|lock|sock))$`), read: 'plain', write: 'plus', remove: 'plain' },
  { below: new RegExp(`^/(?:var/)?run/(?:${services}|${applications})/`), read: 'plain', write: 'plus', remove: 'plus' },
  { below: /^\/proc\/(?:loadavg|uptime|pressure\/(?:cpu|io|memory))$/, read: 'plain', write: 'never', remove: 'never' },
  { below: /^\/(?:home|mnt|media|data|usr\/local)\/./, read: 'plus', write: 'plus', remove: 'plus' },
];

/** The keys of people and machines, wherever they lie. */
const secret =
  /(?:^|\/)(?:\.ssh|\.aws|\.azure|\.kube|\.gnupg|\.docker|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.vault-token|\.config\/gcloud|g?shadow-?|sudoers(?:\.d)?|id_(?:rsa|dsa|ecdsa|ed25519)|secrets?|credentials)(?:\/|$)|\.(?:key|p12|pfx|jks|keystore|kdbx)$|^\/proc\/[^/]+\/(?:environ|mem|maps|fd|root|cwd)(?:\/|$)|kubernetes\.io\/serviceaccount/i;
/** What starts a program some day, whatever folder it lies in. */
const runs = /(?:^|\/)(?:bin|sbin|\.git|hooks|cron[^/]*|init\.d|profile\.d|systemd|autostart)(?:\/|$)|\.(?:sh|bash|py|pyc|pth|pl|rb|so|service|timer|socket|desktop|php|jar|war)$|(?:^|\/)\.[^/]*(?:rc|profile|login|logout)$/i;

/** Judges what is done with a path, by where it lies. A path that does not begin at `/` is taken to lie in the folder that the script runs in. */
export function judgePath(path: string, use: PathUse): PathJudgement {
  // Nobody names a file so, and it is read differently by different programs.
  if (path === '' || path.length > 4_096 || /\p{Cc}/u.test(path)) return 'never';
  if (path.startsWith('~')) return secret.test(path) || use !== 'read' ? 'never' : 'plus';
  const isRelative = !path.startsWith('/');
  const real = toReal(path);
  if (secret.test(real)) return 'never';
  if (isRelative) return real.startsWith('..') || real === '.' || (use !== 'read' && runs.test(real)) ? 'plus' : use === 'read' ? 'plain' : 'plus';
  // A device that takes all and gives nothing.
  if (real === '/dev/null' && use !== 'remove') return 'plain';
  const root = roots.find(({ below }) => below.test(real));
  if (root === undefined) return use === 'read' ? 'plus' : 'never';
  return use !== 'read' && root[use] === 'plain' && runs.test(real) ? 'plus' : root[use];
}

/** Without `.`, `..` and doubled slashes. */
export function toReal(path: string): string {
  const parts = path.split('/').reduce<readonly string[]>((before, part) => {
    if (part === '' || part === '.') return before;
    if (part !== '..') return [...before, part];
    return before.length === 0 || before.at(-1) === '..' ? (path.startsWith('/') ? [] : [...before, part]) : before.slice(0, -1);
  }, []);
  return path.startsWith('/') ? `/${parts.join('/')}` : parts.join('/') || '.';
}
