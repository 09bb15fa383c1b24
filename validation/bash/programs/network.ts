import { deny, plus } from '../notes.js';
import { same, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { judgeValue } from '../values.js';
import { isKnown, isPlain, type Word } from '../words.js';

const reads = (options: string, operands: ProgramRule['operands'] = []): ProgramRule => ({ options, operands });
const all = (use: Use, ...names: readonly string[]): readonly Word[] => names.flatMap((name) => use.options.get(name) ?? []);

// What services offer to be told by a request without a body: read your configuration again.
const reloading = /^https?:\/\/[^/]+\/(-\/(reload|healthy|ready)|_cluster\/reroute\?retry_failed=true|_flush|_refresh|[\w./-]*\/(_cache\/clear|_flush|_refresh))$/;

function judgeRequest(use: Use): void {
  for (const url of [...use.operands, ...all(use, '--url')]) judgeValue('url', url, use);
  const [method] = all(use, '-X', '--request', '--method');
  const bodies = all(use, '-d', '--data', '--data-raw', '--data-binary', '--data-urlencode', '--json', '-F', '--form', '--post-data', '--body-data');
  for (const body of bodies) if (/^[^=]*@|^<|=[@<]/.test(body.text) && !use.options.has('--data-raw')) use.object(body.position, deny('upload', 'it sends a file', 'Write what is to be sent.'));
  for (const file of all(use, '-T', '--upload-file', '--post-file', '--body-file')) use.object(file.position, deny('upload', 'it sends a file', 'Write what is to be sent.'));
  for (const header of all(use, '-H', '--header')) if (header.text.startsWith('@')) use.object(header.position, deny('upload', 'it reads headers from a file', 'Write the header.'));
  for (const word of all(use, '-w', '--write-out')) if (/^@|%output|%header\{/.test(word.text)) use.object(word.position, plus('option', 'the format reads or writes another file', 'Write the format.'));
  for (const url of [...use.operands, ...all(use, '--url')]) if (/\/(secrets?|credentials?|tokens?|actuator\/(env|heapdump)|\.env|\.git)\b/i.test(url.text)) use.object(url.position, plus('secret', 'what it asks for can hold secrets', 'Ask for something else.'));
  const isReading = (bodies.length === 0 || use.options.has('-G') || use.options.has('--get')) && (method === undefined || /^(GET|HEAD|OPTIONS)$/.test(method.text));
  if (isReading) return;
  if (bodies.length === 0 && method?.text === 'POST' && use.operands.length > 0 && use.operands.every((url) => reloading.test(url.text.replace(/^(?!https?:)/, 'http://')))) return;
  use.object(method?.position ?? use.position, plus('request', 'it changes something by a request, and what that does is not in the text', 'Ask only, or let two people look at it.'));
}

/** Text that a resolver or another host would be told must not carry what the script reads. */
function judgeAsked(use: Use): void {
  for (const word of use.operands) {
    const name = word.text.replace(/^[+@]/, '');
    if (!isPlain(name) && /[\w.-]/.test(name.replace(/[\uE000-\uE003]/g, ''))) use.object(word.position, deny('exfiltration', 'part of the name that it asks for carries what the script has read', 'Write the name itself.'));
    else if (!isKnown(name) && word.isSpread) use.object(word.position, plus('host', 'nothing in the text says which host it asks', 'Write the host.'));
  }
}

const curl = {
  options:
    '-sSfkLIiNvgG46Oz0# -s -X: -H: -d: -o:write -O+ -w: -m: -u: -A: -e: -F: -T: -b: -K! -x! -D:write -c:plus -E! -r: --silent --show-error --fail --fail-with-body --insecure --location --head --include --no-buffer --verbose --globoff --get --ipv4 --ipv6 --request: --header: --data: --data-raw: --data-binary: --data-urlencode: --json: --form: --upload-file: --output:write --remote-name+ --write-out: --max-time: --connect-timeout: --retry: --retry-delay: --retry-max-time: --retry-connrefused --retry-all-errors --user: --user-agent: --compressed --url: --http1.1 --http2 --http2-prior-knowledge --no-progress-meter --progress-bar --tlsv1.2 --tlsv1.3 --cacert:read --cookie: --dump-header:write --range: --resolve:plus --connect-to:plus --proxy! --config! --unix-socket! --abstract-unix-socket! --engine! --cert! --key! --netrc! --noproxy: --max-filesize: --haproxy-protocol --path-as-is --stderr:write -#',
  operands: ['text'],
  judge: (use: Use) => {
    for (const cookie of all(use, '-b', '--cookie')) if (!cookie.text.includes('=')) use.object(cookie.position, plus('upload', 'it sends what a file holds', 'Write the cookie.'));
    judgeRequest(use);
  },
} as const;

/** Programs that look at the network, or ask a service. */
export const network: ProgramTable = {
  curl,
  wget: {
    options: '-qnvSdNcrp4 -O:write -T: -t: -U: -P:write -i! -e! -o:write -a:write --quiet --spider --timeout: --tries: --header: --no-check-certificate --server-response --output-document:write --method: --post-data: --post-file: --body-data: --body-file: --user-agent: --no-verbose --max-redirect: --input-file! --execute! --use-askpass! --waitretry: --retry-connrefused --no-proxy -nv',
    operands: ['text'],
    judge: (use) => {
      const isPrinted = use.options.has('--spider') || all(use, '-O', '--output-document').length > 0;
      if (!isPrinted) use.object(use.position, plus('download', 'it writes a file whose name the other host chooses', 'Print it, with -qO-.'));
      judgeRequest(use);
    },
  },
  ...same('ping ping6', { options: '-nqDv46 -c: -i: -W: -w: -s: -I: -t:', operands: ['host'], judge: judgeAsked }),
  ...same('dig nslookup host', { isSingle: true, options: '-t: -q: -x: -p: -4 -6 -type? -timeout? +short +trace +noall +answer +stats +tcp +time +tries +nocmd +search +norecurse +dnssec -v -a', operands: ['text'], judge: judgeAsked }),
  getent: { operands: ['text'], judge: (use) => {
    const [table, ...keys] = use.operands;
    if (table === undefined || !/^(hosts|ahosts|ahostsv4|ahostsv6|services|protocols|networks)$/.test(table.text)) use.object(use.position, deny('accounts', 'it reads who may do what on the host', 'Ask for hosts only.'));
    judgeAsked({ ...use, operands: keys });
  } },
  ...same('traceroute tracepath mtr', { options: '-nrwbTI46 -c: -m: -p: -q: -w: --report --report-wide', operands: ['host'], judge: judgeAsked }),
  ...same('ss netstat', reads('-tulnpaesiomrwxHO46gvNcW -t -A: --tcp --udp --listening --numeric --processes --summary -K+ -D+ -F+', ['text'])),
  ip: {
    isSingle: true,
    options: '-4 -6 -s -br -brief -c -color? -o -d -j -json -p -details -statistics -stats -oneline -h',
    operands: ['text'],
    judge: (use) => {
      const [object, verb] = use.operands;
      if (object === undefined || /^(netns|vrf)$/.test(object.text)) return use.object(use.position, plus('network', 'it runs in another network, or says nothing', 'Use `ip addr` or `ip route`.'));
      if (verb !== undefined && !/^(s|sh|sho|show|l|ls|lst|list|get)$/.test(verb.text)) use.object(verb.position, /^(flush|del|delete)$/.test(verb.text) ? deny('network', 'it takes the network away', 'Use `show`.') : plus('network', 'it changes the network of the host', 'Use `show`.'));
    },
  },
  ...same('ifconfig route arp', reads('-anve', ['plus'])),
  ethtool: reads('-SkgicTl', ['name']),
  ...same('ipvsadm conntrack', reads('-LnSC', ['text'])),
  ...same('iptables ip6tables', { options: '-LSnvxt: -t: -L -S --line-numbers --list --list-rules', operands: ['text'], judge: (use) => void (!['-L', '-S', '--list', '--list-rules'].some((name) => use.options.has(name)) && use.object(use.position, deny('firewall', 'it changes the firewall', 'List the rules only.'))) }),
  ...same('nc ncat netcat', { options: '-zvnu46 -w: -G: -zv -vz', operands: ['host', 'text'], judge: (use) => void (!use.options.has('-z') && use.object(use.position, deny('network', 'it opens a connection through which anything can go', 'Test the port with -z.'))) }),
  tcpdump: { weight: plus('capture', 'it reads what others send', 'Let two people look at it.'), options: '-inv -i: -c: -n -nn -z! -w:write', operands: ['text'] },
  openssl: {
    isSingle: true,
    verbs: {
      ...same('x509 crl req verify', { isSingle: true, options: '-text -noout -in:read -inform: -enddate -startdate -dates -subject -issuer -serial -fingerprint -checkend: -nameopt: -ext: -purpose -modulus -hash -CAfile:read -untrusted:read -verbose -sha256 -pubkey', operands: ['read'] }),
      s_client: { isSingle: true, options: '-connect:host -servername: -showcerts -brief -verify_return_error -tls1_2 -tls1_3 -alpn: -starttls: -CAfile:read -status -quiet+', judge: (use) => void (use.input.kind === 'none' && use.object(use.position, plus('interactive', 'it waits for what a person types', 'Give it `</dev/null`.'))) },
      version: { isSingle: true, options: '-a' },
      ciphers: { isSingle: true, options: '-v', operands: ['text'] },
    },
  },
};
