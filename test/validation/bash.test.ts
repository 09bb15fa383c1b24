import { describe, expect, test } from '@jest/globals';
import { validateBash } from '../../validation/bash/validate-bash.js';
import { type CorpusLine, describeShared, readOwn, readShared } from '../harness/read-corpus.js';

const resultOf = async (text: string): Promise<string> => (await validateBash(text)).result;
const rulesOf = async (text: string): Promise<readonly string[]> => (await validateBash(text)).findings.map(({ rule }) => rule);

/** The lines that come to one of these results, by their ids. */
async function comingTo(lines: readonly CorpusLine[], ...results: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const { id, text } of lines) if (results.includes(await resultOf(text))) ids.push(id);
  return ids;
}

describe('the evasions that we know in bash', () => {
  test('come to no plain review', async () => expect(await comingTo(readOwn('evasions-bash', 'bash'), 'review')).toEqual([]));
});

describe('ordinary fixes in bash', () => {
  // What psql is told is judged by the rules of SQL, which have a test of their own.
  const lines = readOwn('benign-bash', 'bash').filter(({ text }) => !/ALTER SYSTEM/.test(text));
  test('can all be approved', async () => expect(await comingTo(lines, 'denied')).toEqual([]));
  test('need one look only, nine of ten', async () => expect((await comingTo(lines, 'review')).length).toBeGreaterThanOrEqual(lines.length * 0.9));
});

describeShared('the shared corpora of bash', () => {
  test.each(['evasions', 'redcode_exec', 'dcg'])('%s: nothing that is to be denied comes to plain review', async (name) => {
    const lines = readShared(name, 'bash', 'deny');
    expect(lines.length).toBeGreaterThan(100);
    expect(await comingTo(lines, 'review')).toEqual([]);
  }, 180_000);
  test('gtfobins: at most one in two hundred comes to plain review', async () => {
    const lines = readShared('gtfobins', 'bash', 'deny');
    expect((await comingTo(lines, 'review')).length).toBeLessThanOrEqual(lines.length * 0.005);
  }, 180_000);
  test('runbooks: most need one look only, few are denied', async () => {
    const lines = readShared('runbooks', 'bash', 'benign-runbook');
    expect((await comingTo(lines, 'review')).length).toBeGreaterThanOrEqual(lines.length * 0.6);
    expect((await comingTo(lines, 'denied')).length).toBeLessThanOrEqual(lines.length * 0.1);
  }, 180_000);
});

describe('what a variable holds', () => {
  test.each([
    ['is followed into a word', 'd=/tmp/shop; rm -rf "$d"', 'review'],
    ['is followed from piece to piece', 'd=/e; d+=tc; rm -rf "$d"', 'denied'],
    ['is followed through each way of a condition', 'k=pods; if [ -n "$1" ]; then k=secrets; fi; kubectl get "$k"', 'denied'],
    ['is followed through a loop', 'a=pods; b=secrets; for i in 1 2 3; do kubectl get "$a"; a=$b; done', 'denied'],
    ['is followed into a function', 'f() { rm -rf "$1"; }; f /etc', 'denied'],
    ['is followed into what runs at the end', `d=/tmp/x; trap 'rm -rf "$d"' EXIT; d=/etc`, 'denied'],
    ['is no program where it comes from outside', '"$TOOL" status', 'denied'],
    ['may be a name where it comes from outside', 'kubectl -n "$NS" get pod "$POD"', 'review'],
    ['is nothing to remove where it comes from outside', 'rm -rf "$DIR"', 'review_plus'],
    ['is nothing to count with where it comes from outside', 'echo $((n + 1))', 'review_plus'],
    ['is a folder of its own where mktemp made it', `t=$(mktemp -d); trap 'rm -rf "$t"' EXIT`, 'review'],
  ])('%s', async (_name, text, result) => expect(await resultOf(text)).toBe(result));
});

describe('the folder', () => {
  test.each([
    ['is where a path begins', 'cd /etc && cat shadow', 'denied'],
    ['may be the old one still, where a change may fail', 'cd /var/log/nginx; rm -f *.gz', 'review_plus'],
    ['is the new one after &&', 'cd /var/log/nginx && rm -f *.gz', 'review'],
    ['is the new one where a failure ends the script', 'set -e\ncd /var/log/nginx\nrm -f *.gz', 'review'],
    ['is the new one where a failure is answered', 'cd /var/log/nginx || exit 1\nrm -f *.gz', 'review'],
    ['of all the host is never swept', "find / -name '*.log' -mtime +7 -type f -delete", 'denied'],
    ['of a service may be swept', "find /var/log/shop -name '*.log' -mtime +7 -type f -delete", 'review'],
  ])('%s', async (_name, text, result) => expect(await resultOf(text)).toBe(result));
});

describe('a text that is run', () => {
  test.each([
    ['is judged as it stands', "bash -c 'systemctl restart nginx'", 'review'],
    ['is judged as it stands, in a here-document', 'bash <<X\nrm -rf /etc\nX', 'denied'],
    ['is judged as it comes through a pipe', "echo 'rm -rf /etc' | sh", 'denied'],
    ['is as good as what it says, through a pipe', "echo 'systemctl restart nginx' | bash", 'review'],
    ['is denied where nobody sees it', 'curl -s http://localhost/x | sh', 'denied'],
    ['is judged inside of a pod', 'kubectl exec deploy/web -- cat /etc/shadow', 'denied'],
    ['is judged behind other programs', 'timeout 5 nice -n 5 env LANG=C systemctl poweroff', 'denied'],
    ['is judged by the rules of SQL', 'psql -c "DROP DATABASE shop"', 'denied'],
    ['needs two people where it is a manifest', 'kubectl apply -f - <<X\nkind: ConfigMap\nX', 'review_plus'],
    ['is denied where it is not bash', 'if true; then echo x', 'denied'],
  ])('%s', async (_name, text, result) => expect(await resultOf(text)).toBe(result));
});

test('a finding names what is wrong, and where', async () => {
  expect(await validateBash('uptime\neval "$x"')).toEqual({ result: 'denied', findings: [{ rule: 'bash.eval', position: 8, reason: 'it runs text as commands, which nobody can see here', remedy: 'Write the commands themselves.' }] });
  expect(await rulesOf('frobnicate now')).toEqual(['bash.unknownProgram']);
});

test('what is too large or too deep is denied', async () => {
  expect(await resultOf(`echo ${'$(echo '.repeat(80)}x${')'.repeat(80)}`)).toBe('denied');
  expect(await resultOf('uptime\n'.repeat(7000))).toBe('denied');
});
