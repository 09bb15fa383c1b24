// Every path that a Markdown document of this repository names must exist.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What is made when things run, and so need not be there. */
const made = ['node_modules', '.git', '.sluice', 'build', 'dist'];
const topLevel = new Set(readdirSync(root));
const names = new Set();
const documents = [];

function walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (made.includes(entry.name)) continue;
    names.add(entry.name);
    if (entry.isDirectory()) walk(join(folder, entry.name));
    else if (entry.name.endsWith('.md')) documents.push(join(folder, entry.name));
  }
}
walk(root);

const isMade = (path) => path.split('/').some((part) => made.includes(part));
const hasExtension = (path) => /\.[a-z]{1,6}$/i.test(path);

/** Whether a word of code means a file or folder of ours. */
function looksLikeOurs(word) {
  if (!/^\.?[\w][\w./-]*$/.test(word) || isMade(word)) return false;
  if (!word.includes('/')) return /\.(md|mjs|ts|tsx|ya?ml|json|sql|sh)$/.test(word);
  return topLevel.has(word.split('/')[0]) || word.endsWith('/') || hasExtension(word);
}

function namedIn(document) {
  const text = readFileSync(document, 'utf8').replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ''));
  const found = [];
  text.split('\n').forEach((line, index) => {
    for (const [, target] of line.matchAll(/\]\(([^)\s]+)[^)]*\)/g)) {
      if (!/^([a-z]+:|#|\/)/i.test(target)) found.push({ line: index + 1, path: target.replace(/#.*$/, ''), isLink: true });
    }
    for (const [, code] of line.matchAll(/`([^`]+)`/g)) {
      for (const word of code.split(/\s+/)) if (looksLikeOurs(word)) found.push({ line: index + 1, path: word, isLink: false });
    }
  });
  return found;
}

function isThere(document, { path, isLink }) {
  if (existsSync(resolve(dirname(document), path))) return true;
  if (isLink) return false;
  return existsSync(join(root, path)) || (!path.includes('/') && names.has(path));
}

const dead = documents.flatMap((document) =>
  namedIn(document)
    .filter((named) => !isThere(document, named))
    .map(({ line, path }) => `${relative(root, document)}:${line} names ${path}, which does not exist`),
);
for (const line of dead) process.stderr.write(`${line}\n`);
process.stdout.write(`${documents.length} documents, ${dead.length} dead paths\n`);
process.exit(dead.length === 0 ? 0 : 1);
