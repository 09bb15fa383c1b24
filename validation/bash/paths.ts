import { deny, plus, type Objection } from './notes.js';
import { isPlain, shown, type Word } from './words.js';

/** What is done with a path. `measure` tells only that it is there and how large it is. */
export type PathUse = 'measure' | 'list' | 'read' | 'write' | 'own' | 'remove' | 'removeTree';

type Zone = 'nothing' | 'local' | 'scratch' | 'log' | 'systemLog' | 'cache' | 'runtime' | 'config' | 'hooks' | 'folder' | 'data' | 'system' | 'secret' | 'elsewhere';

// Programs that people run as services. Their configuration and state is what incidents are about; the rest of /etc and /var/lib is the host's own.
const service =
  'nginx|apache2|httpd|haproxy|envoy|traefik|caddy|varnish|squid|postgresql|postgres|pgbouncer|patroni|mysql|mariadb|my\\.cnf|my\\.cnf\\.d|redis|memcached|mongod|mongodb|mongod\\.conf|elasticsearch|opensearch|logstash|kibana|filebeat|fluentd|fluent-bit|rabbitmq|kafka|zookeeper|etcd|consul|nomad|prometheus|alertmanager|grafana|loki|tempo|telegraf|influxdb|collectd|statsd|node_exporter|docker|containerd|tomcat\\d*|php|php-fpm\\.d|gunicorn|jenkins|gitlab|ceph|minio|cassandra|clickhouse-server|clickhouse|solr|activemq|nats|mosquitto|unbound|bind|dnsmasq\\.d|keepalived|chrony|ntp|vector|jaeger|otelcol|app|apps|myapp|webapp|api|web|worker|shop';
// The host's own folders below /etc: who may do what, what starts when, what is loaded, where names and packages come from.
const hostFolder =
  'alternatives|apparmor(\\.d)?|apt|audit|bash_completion\\.d|binfmt\\.d|ca-certificates|cloud|cron\\.[a-z]+|dbus-1|default|dhcp|dpkg|environment\\.d|firewalld|fonts|group[-.a-z]*|grub\\.d|gss|init(\\.d)?|initramfs-tools|iproute2|kernel|kubernetes|ld\\.so\\.conf\\.d|lvm|machine-id|modprobe\\.d|modules-load\\.d|netplan|network[a-z]*|NetworkManager|nftables\\.[a-z]+|openvpn|opt|pam\\.d|pki|polkit-1|ppp|profile\\.d|rc\\d?\\.?[a-z]*|rsyslog\\.d|sasl2|security|selinux|skel|ssh|ssl|sudoers\\.d|sysconfig|sysctl\\.d|systemd|terminfo|tmpfiles\\.d|udev|ufw|update-motd\\.d|vim|wireguard|X11|xdg|yum\\.repos\\.d';
const secretName =
  /(^|\/)(\.ssh|\.kube|\.aws|\.azure|\.docker|\.gnupg|\.config\/(gcloud|gh|op)|\.vault-token|\.netrc|\.pgpass|\.my\.cnf|\.git-credentials|\.npmrc|\.pypirc|\.[a-z]*_history|\.env(\.[^/]*)?|id_(rsa|dsa|ecdsa|ed25519)[^/]*|authorized_keys|kubeconfig[^/]*|admin\.conf|kubelet\.conf|shadow-?|gshadow-?|sudoers|sudoers\.d|master\.key|secrets?|credentials?|tokens?|passwords?|private)(\/|$|\.)|\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg)$|serviceaccount|\/pki(\/|$)|^\/proc\/.*(environ|mem|maps|fd|root|cwd)(\/|$)/i;

const zones: readonly (readonly [RegExp, Zone])[] = [
  [/^\/dev\/(null|stdout|stderr|stdin|fd\/\d+)$/, 'nothing'],
  [/^\/(tmp|var\/tmp)\/[^/*?]+/, 'scratch'],
  [/^\/var\/log\/(apt|audit|installer|private|sssd|unattended-upgrades|journal)(\/|$)/, 'systemLog'],
  [/^\/var\/log\/(alternatives|auth|boot|bootstrap|btmp|cloud-init[a-z-]*|dmesg|dpkg|faillog|fontconfig|kern|lastlog|messages|secure|sudo|syslog|tallylog|ubuntu-[a-z-]+|wtmp|yum|dnf)([.-][^/]*)?$/, 'systemLog'],
  [/^\/var\/log\/[^/*?]*[^/*?.][^/]*/, 'log'],
  [/^\/var\/cache\/(?!(apt|debconf|dnf|yum|ldconfig|man)(\/|$))[^/*?]+/, 'cache'],
  [new RegExp(`^(/var)?/run/(?!(systemd|dbus|udev|sshd|user|secrets|lock|docker\\.sock|containerd|crio|sudo|utmp))[^/*?]+`), 'runtime'],
  // Their configuration names commands that run as root.
  [/^\/etc\/(logrotate\.(d|conf)|supervisor|supervisord|uwsgi|docker|containerd|kubernetes\/manifests|monit|incron\.d|acpi|keepalived|dhcp|udev|letsencrypt)(\/|$)/, 'hooks'],
  [new RegExp(`^(/usr/local)?/etc/(${service})([./_-]|$)`), 'config'],
  [new RegExp(`^/etc/(?!(${hostFolder})(/|$))[^/.*?]+/[^/]+`), 'config'],
  [/^\/(srv|data|app|apps|backup|backups|workspace|var\/www|var\/backups|usr\/share\/nginx|mnt|media|volumes)\/[^/*?]+/, 'folder'],
  [/^\/opt\/[^/*?]+\/[^/*?]+/, 'folder'],
  [new RegExp(`^/var/(lib|spool)/(${service}|pgsql|kubelet/pods|containers|longhorn|rook)(/|$)`), 'data'],
  [/^\/(bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|usr|var|opt|srv|home|tmp|mnt|media|data|app)?(\/?\*?|\/\.?\*)$/, 'system'],
  [/^\/(bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|usr|var)(\/|$)/, 'system'],
  [/^\//, 'elsewhere'],
  [/^~/, 'elsewhere'],
  [/^\./, 'elsewhere'],
  [/./, 'local'],
];

type Ruling = 'yes' | 'two' | 'no';
/** What each zone allows, in the order of `uses`. */
const rulings: Record<Zone, readonly Ruling[]> = {
  nothing: ['yes', 'yes', 'yes', 'yes', 'two', 'no', 'no'],
  local: ['yes', 'yes', 'yes', 'yes', 'two', 'two', 'two'],
  scratch: ['yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
  log: ['yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'two'],
  systemLog: ['yes', 'two', 'two', 'no', 'no', 'no', 'no'],
  cache: ['yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'yes'],
  runtime: ['yes', 'yes', 'yes', 'two', 'two', 'yes', 'two'],
  config: ['yes', 'yes', 'yes', 'yes', 'yes', 'two', 'two'],
  hooks: ['yes', 'yes', 'yes', 'two', 'two', 'two', 'two'],
  folder: ['yes', 'yes', 'yes', 'yes', 'yes', 'two', 'two'],
  data: ['yes', 'yes', 'two', 'two', 'two', 'two', 'no'],
  system: ['yes', 'two', 'two', 'no', 'no', 'no', 'no'],
  secret: ['two', 'no', 'no', 'no', 'no', 'no', 'no'],
  elsewhere: ['yes', 'two', 'two', 'two', 'two', 'two', 'two'],
};
const uses: readonly PathUse[] = ['measure', 'list', 'read', 'write', 'own', 'remove', 'removeTree'];
const words: Record<PathUse, string> = { measure: 'looks at', list: 'lists', read: 'reads', write: 'writes', own: 'changes the owner or mode of', remove: 'removes', removeTree: 'removes all below' };
const changing: readonly PathUse[] = ['write', 'own', 'remove', 'removeTree'];

/** Whether a use of a path is within what an engineer would touch to put a service right. */
export function judgePath(use: PathUse, word: Word, folder: string): Objection | undefined {
  const path = resolve(word.text, folder);
  const what = `it ${words[use]} ${shown(path)}`;
  const remedy = changing.includes(use) ? 'Name one file of the service: its configuration, its log, its cache, or below /tmp.' : 'Read what the service itself writes: its log, its configuration, its state.';
  const zone = zoneOf(path);
  const ruling = rulings[zone][uses.indexOf(use)] ?? 'no';
  if (ruling === 'no') return deny(`path.${zone}`, `${what}, which is ${zone === 'secret' ? 'where secrets are kept' : "the host's own"}`, remedy);
  if (use !== 'measure' && climbs(word.text)) return plus('path.climbs', `${what}, by a path that climbs out of its folder`, 'Write the path itself, without `..`.');
  if (use === 'measure') return ruling === 'two' ? plus(`path.${zone}`, `${what}, which is where secrets are kept`, remedy) : undefined;
  if (changing.includes(use) ? !isPlain(path) : !isBelowKnown(path, zone)) return plus('path.unknown', `${what}: nothing in the text says which path that is`, 'Write the whole path.');
  if (ruling === 'two') return plus(`path.${zone}`, what, remedy);
  if (use === 'write' && word.isPattern) return plus('path.pattern', `${what}, whatever the pattern stands for`, 'Name the file.');
  return fits(use, zone, path) ? undefined : plus(`path.${zone}`, `${what}, which may be more than a file that is no longer needed`, remedy);
}

/** What a file is called decides whether it may be overwritten or thrown away. */
function fits(use: PathUse, zone: Zone, path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (use === 'remove' && zone === 'log') return /\.(log|gz|bz2|xz|zst|old|out|err|\d+)$|\.log[.-]/.test(name);
  if (use === 'remove' && zone === 'runtime') return /\.(pid|lock|sock)$/.test(name);
  if (use === 'write' && zone === 'log') return /\.(log|out|err|txt|json)$/.test(name);
  if (use === 'write' && zone === 'folder') return /\.(conf|cfg|cnf|ini|yaml|yml|json|toml|properties|xml|html|txt|csv|md|log|bak|orig|old)$|\.bak|\.[0-9\uE003-]+$|~$/.test(name);
  return true;
}

/** The path as the kernel would take it, as far as text can tell. */
export function resolve(text: string, folder: string): string {
  const isAbsolute = text.startsWith('/');
  const whole = isAbsolute || folder === '' || text.startsWith('~') ? text : `${folder}/${text}`;
  const steps: string[] = [];
  for (const step of whole.split('/')) {
    if (step === '' || step === '.') continue;
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '..' || !whole.startsWith('/')) steps.push(step);
  }
  const path = steps.join('/');
  return whole.startsWith('/') ? `/${path}${whole.endsWith('/') && path !== '' ? '/' : ''}` : path === '' ? 'here' : path;
}

const climbs = (text: string): boolean => /(^|\/)\.\.(\/|$)/.test(text);

// A name that is not known may be borne below a known folder, where nothing changes.
function isBelowKnown(path: string, zone: Zone): boolean {
  if (isPlain(path)) return true;
  const known = path.slice(0, path.search(/[\uE000-\uE002]/));
  return known !== '' && zoneOf(`${known}x`) === zone;
}

function zoneOf(path: string): Zone {
  if (secretName.test(path)) return 'secret';
  if (/(^|\/)\.[^./]/.test(path) && !/^\/(bin|boot|dev|etc|lib|proc|root|run|sbin|sys|usr|var)(\/|$)/.test(path)) return 'elsewhere';
  return zones.find(([form]) => form.test(path))?.[1] ?? 'elsewhere';
}
