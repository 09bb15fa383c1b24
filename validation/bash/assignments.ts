import { deny, plus, type Objection } from './notes.js';
import type { Value } from './variables.js';
import { isKnown } from './words.js';

/** For whom a variable is set: the script, every program after it, or the one command that follows. */
export type Setting = 'plain' | 'export' | 'prefix' | 'read';

// What the shell and the loader obey, set in whatever way.
const obeyed = /^(PATH|LD_\w+|DYLD_\w+|BASH\w*|ENV|SHELLOPTS|GLOBIGNORE|CDPATH|PROMPT_COMMAND|PS[0-4]|HOME|SHELL|EXECIGNORE|FIGNORE|FUNCNEST|HISTFILE|HISTCONTROL|INPUTRC|MAIL|MAILPATH|MAILCHECK|OPTIND|TIMEFORMAT|TMOUT|UID|EUID|PPID|GCONV_PATH|LOCPATH|MALLOC_\w+|GLIBC_TUNABLES|HOSTALIASES|RESOLV_HOST_CONF|NLSPATH|TERMINFO\w*|TERMCAP)$/;
// What programs run, load, obey or trust.
const trusted =
  /^(\w*(PROXY|proxy)|\w*PAGER|\w*EDITOR|VISUAL|BROWSER|GIT_\w+|SSH_(AUTH_SOCK|ASKPASS\w*)|PYTHON[A-Z0-9]+|PERL5?(LIB|OPT|DB)?|RUBY(LIB|OPT|PATH)|GEM_(HOME|PATH)|BUNDLE_\w+|NODE_(OPTIONS|PATH|EXTRA_CA_CERTS|TLS\w*|DEBUG\w*)|NPM_CONFIG_\w+|npm_\w+|(JAVA|JDK_JAVA|_JAVA)_(HOME|TOOL)?_?OPTIONS|JAVA_HOME|CLASSPATH|LUA_(INIT|C?PATH)\w*|PHPRC|PHP_INI_\w+|GO(FLAGS|PATH|PROXY|ROOT|BIN|TOOLCHAIN|ENV)|CARGO_\w+|RUSTC?\w*|CC|CXX|LESS([A-Z]\w*)?|MAN(PATH|OPT|ROFFOPT)|KUBECONFIG|KUBE_(EDITOR|CONFIG\w*)|KUBECTL_\w+|HELM_(PLUGINS|\w*CONFIG|\w*HOME|KUBE\w+|DRIVER)|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS\w*)|COMPOSE_(FILE|ENV_FILES?|PROJECT_NAME)|CONTAINER_HOST|AWS_(ACCESS\w+|SECRET\w+|SESSION\w+|SECURITY\w+|ENDPOINT\w*|CONFIG_FILE|SHARED\w+|CA_BUNDLE|ROLE\w+|WEB\w+|CONTAINER\w+|EC2\w+)|GOOGLE_APPLICATION\w+|CLOUDSDK_\w+|AZURE_CONFIG\w*|VAULT_(ADDR|TOKEN|CACERT|SKIP\w+)|TF_(CLI\w+|PLUGIN\w+|DATA_DIR)|PSQL_\w+|PGSERVICE\w*|PGSYSCONFDIR|PGOPTIONS|MYSQL_\w+|OPENSSL_\w+|SSL_CERT_\w+|SSLKEYLOGFILE|CURL_(HOME|CA\w+)|WGETRC|TMPDIR|XDG_\w+|SYSTEMD_\w+|DBUS_\w+|NOTIFY_SOCKET|SUDO_\w+|ANSIBLE_\w+|MAKEFLAGS|\w*_COMMAND|\w*_CMD|\w*PRELOAD\w*|\w*_OPTIONS|\w*_OPTS|\w+RC)$/;
const harmless = /^(LC_\w+|LANG|LANGUAGE|TZ|TERM|COLUMNS|LINES|NO_COLOR|PGHOST|PGPORT|PGUSER|PGDATABASE|PGPASSWORD|PGCONNECT_TIMEOUT|PGAPPNAME|REDISCLI_AUTH|ETCDCTL_API|ETCDCTL_ENDPOINTS|AWS_REGION|AWS_DEFAULT_REGION|AWS_PROFILE|DEBIAN_FRONTEND|NODE_ENV|RAILS_ENV)$/;

/** What setting a variable would change beside its value. */
export function assignmentTrouble(name: string, value: Value, setting: Setting): Objection | undefined {
  if (name === 'IFS') return setting === 'read' || value.texts.every((text) => isKnown(text) && /^[ \t\n]*$/.test(text)) ? undefined : deny('variable', 'with another IFS words fall apart where nobody sees it', 'Set IFS for one `read` only.');
  if (obeyed.test(name)) return deny('variable', `${name} decides what the shell or the loader runs`, 'Leave it as it is, and write whole paths.');
  if (trusted.test(name) && (setting !== 'plain' || !/_(COMMAND|CMD|OPTIONS|OPTS)$|RC$/.test(name))) return deny('variable', `${name} decides what a program runs, loads or trusts`, 'Leave it as it is.');
  if (setting === 'prefix' && !harmless.test(name)) return plus('variable', `no rule knows what a program does with ${name}`, 'Leave it out, or let two people look at it.');
  return undefined;
}
