import { isSecretKey } from './looks-secret.js';
import { MIN_SECRET_LENGTH } from './redaction.js';

const userinfo = /^[a-z][\w+.-]*:\/\/([^/?#@:]*)(?::([^/?#]*))?@/i;
const bareAddress = /^[a-z][\w+.-]*:\/\/[^/?#@]*\/?$/i;
const setting = /(?:^|[?&\s])([\w.-]+)\s*=\s*('(?:[^'\\]|\\.)*'|[^&#\s]+)/g;
const kubeconfigMember = /["']?(token|password|client-key-data|id-token|refresh-token|access-token|client-secret)["']?\s*:\s*["']?([^"'\s,}]+)/g;

/** What of a secret's text must not be seen: the parts of a kubeconfig that are one, else all of it, and the password in it; an address alone hides nothing. */
export function toSecretValues(text: string): readonly string[] {
  const whole = text.trim();
  const values = isKubeconfig(whole) ? toKubeconfigValues(whole) : [...(bareAddress.test(whole) ? [] : [whole]), ...toConnectionValues(whole)];
  return [...new Set(values)].filter((value) => value.trim().length >= MIN_SECRET_LENGTH);
}

function toConnectionValues(text: string): readonly string[] {
  if (/\n/.test(text)) return [];
  const [, user = '', password = ''] = userinfo.exec(text) ?? [];
  const settings = [...text.matchAll(setting)].filter(([, name = '']) => isSecretKey(name)).map(([, , value = '']) => value.replace(/^'(.*)'$/s, '$1'));
  // A password that is the user's name hides nothing, and would hide that name everywhere.
  return (password === user ? settings : [password, ...settings]).flatMap((value) => [value, decode(value)]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const isKubeconfig = (text: string): boolean => /["']?kind["']?\s*:\s*["']?Config\b/.test(text) && /["']?users["']?\s*:/.test(text);

function toKubeconfigValues(text: string): readonly string[] {
  return [...text.matchAll(kubeconfigMember)].flatMap(([, name, value = '']) => (name === 'client-key-data' ? [value, atob(value.replaceAll(/[^\w+/]/g, ''))] : [value]));
}
