import type { Json } from '../../domain/canonical.js';
import { at, findPlaces, type Remark, textOf } from './rules.js';

// What makes a program load or run something else, or trust somebody else.
const loads = /^(LD_\w+|DYLD_\w+|GCONV_PATH|GLIBC_TUNABLES|BASH_ENV|BASH_FUNC\w*.*|ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|PYTHON(STARTUP|PATH|HOME|INSPECT|BREAKPOINT|USERBASE)|PERL5?(OPT|LIB|DB)|PERL5DB|RUBY(OPT|LIB)|NODE_PATH|CLASSPATH|LUA_(INIT|C?PATH)\w*|PHPRC|PHP_INI_SCAN_DIR|GIT_\w+|OPENSSL_(CONF|MODULES|ENGINES)|SSLKEYLOGFILE|KUBECONFIG|DOTNET_STARTUP_HOOKS|CORECLR_\w+|COR_PROFILER\w*|ERL_(FLAGS|AFLAGS|ZFLAGS)|GOPROXY)$/;
const trusts = /^(PATH|IFS|\w*_proxy|\w*_PROXY|SSL_CERT_(FILE|DIR)|\w*CA_(BUNDLE|CERTS?|FILE)|NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|\w*_(ENDPOINT_URL|METADATA_HOST)(_\w+)?)$/;
const options = /^(NODE_OPTIONS|_?JAVA_(TOOL_)?OPTIONS|JDK_JAVA_OPTIONS|\w*JAVA_OPTS|\w*JVM_OPTS|CATALINA_OPTS|GRADLE_OPTS|MAVEN_OPTS)$/;
// Sizes, limits and properties of a runtime; nothing that loads or runs.
const plainOption = /^(--max-(old|semi)-space-size=\d+|--max-http-header-size=\d+|--enable-source-maps|--dns-result-order=\w+|-X(ms|mx|mn|ss)\d+[kKmMgG]?|-XX:[+-](?!EnableJVMCI)\w+|-XX:(?!On\w*|\w*(File|Path|Command|Flags|Options|Agent)\b)\w+=[\w.%]+|-server|-Dfile\.encoding=[\w-]+|-Djava\.net\.\w+=\w+|-Duser\.\w+=[\w/]+)$/;
const secretName = /(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL)S?(_\w+)?$/i;
const notSecret = /(_(FILE|PATH|NAME|URL|TTL|LENGTH|ENABLED|REQUIRED|EXPIRY|LIMIT|TIMEOUT|SECONDS|MS|MAX|MIN|COUNT))$/i;
const secretValue = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bxox[abprs]-\w+|\beyJ[\w-]{10,}\.[\w-]{10,}\.|\bsk[-_](live|proj|ant)\w*[-_]\w{10,}|:\/\/[^/\s:@]+:[^/\s@]+@/;

/** Whether a text looks like what only its owner should know. */
export const holdsSecret = (name: string, value: Json | undefined): boolean =>
  typeof value === 'string' && value !== '' && (secretValue.test(value) || (secretName.test(name) && !notSecret.test(name) && !/^(true|false|\d{1,6}|\$\(\w+\))$/.test(value)));

/** Judges the variables of a container. */
export function judgeVariables(container: Json, keys: readonly string[]): readonly Remark[] {
  return findPlaces(container, ['env', '*'], keys).flatMap(({ value: variable, keys: place }): readonly Remark[] => {
    const name = at(variable, 'name');
    const value = at(variable, 'value');
    if (typeof name !== 'string') return [];
    const remark = (result: Remark['result'], rule: string, reason: string, remedy: string): readonly Remark[] => [{ result, rule: `k8s.${rule}`, keys: place, reason: `${name}: ${reason}`, remedy }];
    if (loads.test(name)) return remark('denied', 'environment', 'it makes a program load or run something else', 'Leave it out.');
    if (options.test(name) && !(typeof value === 'string' && value.split(/\s+/).every((option) => option === '' || plainOption.test(option)))) {
      return /agent|require|import|-r\b|loader|OnError|OnOutOfMemoryError|inspect|@|Flags/i.test(textOf(value ?? '@'))
        ? remark('denied', 'environment', 'it makes a program load or run something else', 'Write sizes and limits only.')
        : remark('review_plus', 'environment', 'no rule knows all of these options', 'Write sizes and limits only.');
    }
    if (trusts.test(name)) return remark('review_plus', 'environment', 'it decides what a program finds, or whom it trusts', 'Leave it out, or let two people look at it.');
    if (holdsSecret(name, value)) return remark('review_plus', 'secret', 'its value looks like a secret, and is kept and shown with the plan', 'Take it from a Secret with secretKeyRef.');
    return [];
  });
}
