import { deny, plus, type Objection } from './notes.js';
import { isKnown, isPlain, shown, type Word } from './words.js';

const inside = /^(localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1\]|10(\.\d{1,3}){3}|192\.168(\.\d{1,3}){2}|172\.(1[6-9]|2\d|3[01])(\.\d{1,3}){2}|[a-z0-9]([a-z0-9_-]*[a-z][a-z0-9_-]*)?|([a-z0-9_-]+\.)+(svc|svc\.cluster\.local|cluster\.local|local|internal|lan|intra|corp|home\.arpa))$/i;
const remedy = 'Ask the service by its name inside the network.';

/** Whether an address may be asked: by http, of a host inside the network, with nothing hidden in it. */
export function judgeUrl(word: Word): Objection | undefined {
  const text = word.text;
  if (!isPlain(text.replace(/^(https?:\/\/)?[^/]+\//, ''))) {
    if (!isKnown(hostOf(text) ?? text)) return unknownHost();
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase() ?? (/^(file|dict|gopher|ftp|scp|ldap|telnet|smb|data|jar):/i.test(text) ? 'other' : 'http');
  if (scheme !== 'http' && scheme !== 'https') return deny('url.scheme', `${shown(text)} is read by something else than http`, remedy);
  const host = hostOf(text);
  if (host === undefined || /[@#\\\s{}]/.test(text.replace(/^[^/]*\/\/[^/]*\/[^#@]*/, '')) || /[@\\{}]/.test(text.split('?')[0] ?? '') || text.includes('#')) {
    return deny('url.disguise', `${shown(text)} can be read as more than one address`, 'Write scheme, host, port and path, and nothing else.');
  }
  return judgeHostName(host);
}

/** Whether a host may be asked. */
export function judgeHost(word: Word): Objection | undefined {
  if (word.isPattern) return plus('host', `${shown(word.text)} is not one host`, 'Name one host.');
  return judgeHostName(word.text.replace(/^(tcp|udp):\/\//, '').replace(/:\d+$/, '').split(',')[0] ?? '');
}

function judgeHostName(host: string): Objection | undefined {
  if (!isPlain(host)) return unknownHost();
  if (/^(169\.254\.|metadata(\.|$)|100\.100\.100\.200|fd00:ec2|\[fd00:ec2)/i.test(host)) return deny('url.metadata', `${host} gives credentials of the machine`, remedy);
  if (/^(0x[0-9a-f.x]+|\d+|0\d+(\..*)?|[\d.]*0x.*)$/i.test(host) || (/^[\d.]+$/.test(host) && !/^(\d{1,3}\.){3}\d{1,3}$/.test(host))) return deny('url.disguise', `${shown(host)} is an address in disguise`, 'Write the host by its name.');
  return inside.test(host) ? undefined : plus('url.outside', `${shown(host)} is outside of the network`, remedy);
}

const unknownHost = (): Objection => plus('url.unknown', 'nothing in the text says which host it asks', 'Write the host itself.');

const hostOf = (text: string): string | undefined => /^(?:https?:\/\/)?(\[[0-9a-f:]+\]|[^/:?#]+)(?::[\d\uE003]+)?(?:[/?].*)?$/i.exec(text)?.[1];
