import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin'];
const MAX_NAMED = 40;
// Where a command may begin: at the start of a line, behind what joins commands, and behind the words that lead one in.
const commandStart = /(?:^|[;&|({`]|\$\(|\b(?:then|do|else|elif|if|while|until|exec|sudo|time|xargs|env|nohup)\s)\s*(?:[A-Za-z_]\w*=\S*\s+)*([A-Za-z0-9_./-]+)/gm;
const imported = /^\s*(?:import|from)\s+([A-Za-z_][\w.]*(?:\s*,\s*[A-Za-z_][\w.]*)*)/gm;
const quoted = /["']([A-Za-z0-9_./-]+)["']/g;

/** What a script's text names, for people to know at a glance: the programs of this machine, and what a Python script imports. It proves nothing. */
export async function nameWords(type: 'bash' | 'python', text: string): Promise<string> {
  const words = [...text.matchAll(type === 'bash' ? commandStart : quoted)].flatMap(([, word]) => (word === undefined ? [] : [word]));
  const programs: string[] = [];
  for (const word of new Set(words)) if (programs.length < MAX_NAMED && (await isProgram(word))) programs.push(word);
  const modules = type === 'python' ? [...new Set([...text.matchAll(imported)].flatMap(([, names]) => names?.split(/\s*,\s*/) ?? []))] : [];
  return [`programs that its text names: ${programs.join(', ') || 'none'}`, ...(modules.length === 0 ? [] : [`it imports ${modules.slice(0, MAX_NAMED).join(', ')}`])].join('; ');
}

async function isProgram(word: string): Promise<boolean> {
  const places = word.includes('/') ? [word] : FOLDERS.map((folder) => join(folder, word));
  const tries = await Promise.all(places.map((place) => access(place, constants.X_OK).then(() => true, () => false)));
  return !/^[./\d-]+$/.test(word) && tries.includes(true);
}
