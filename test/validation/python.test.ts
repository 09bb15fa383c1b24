import { afterAll, describe, expect, test, jest } from '@jest/globals';
import { openPythonParser } from '../../inspection/python-parser.js';
import { validatePython } from '../../validation/python/validate-python.js';
import { describeNeeds } from '../harness/describe-needs.js';
import { type CorpusLine, describeShared, readOwn, readShared } from '../harness/read-corpus.js';

// Whole corpora, on whatever machine.
jest.setTimeout(180_000);

const parser = openPythonParser({ path: process.env['PATH'] ?? '' });
afterAll(() => parser.close());

const judge = (text: string) => validatePython(text, parser.parse);
const resultOf = async (text: string): Promise<string> => (await judge(text)).result;
const rulesOf = async (text: string): Promise<readonly string[]> => (await judge(text)).findings.map(({ rule }) => rule);

/** The lines that come to one of these results, by their ids. */
async function comingTo(lines: readonly CorpusLine[], ...results: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const { id, text } of lines) if (results.includes(await resultOf(text))) ids.push(id);
  return ids;
}

const needsPython = describeNeeds({ program: 'python3', debianPackage: 'python3' });

needsPython('the evasions that we know in Python', () => {
  test('come to no plain review', async () => expect(await comingTo(readOwn('evasions-python', 'python'), 'review')).toEqual([]));
});

needsPython('ordinary fixes in Python', () => {
  const lines = readOwn('benign-python', 'python');
  test('can all be approved', async () => expect(await comingTo(lines, 'denied')).toEqual([]));
  test('need one look only, nine of ten', async () => expect((await comingTo(lines, 'review')).length).toBeGreaterThanOrEqual(lines.length * 0.9));
});

describeShared('the shared corpora of Python', () => {
  test.each(['evasions', 'redcode_exec'])('%s: nothing that is to be denied comes to plain review', async (name) => {
    const lines = readShared(name, 'python', 'deny');
    expect(lines.length).toBeGreaterThan(30);
    expect(await comingTo(lines, 'review')).toEqual([]);
  });
});

needsPython('a name', () => {
  test.each([
    ['is followed through another name', 'import os as o\nf = o.system\ng = f\ng("reboot")', 'denied'],
    ['is followed into a function that it is given to', 'def show(p):\n    print(open(p).read())\nshow("/etc/shadow")', 'denied'],
    ['is followed out of a function', 'def place():\n    return "/etc/shadow"\nprint(open(place()).read())', 'denied'],
    ['is followed through a loop', 'for p in ["/var/log/app/a.log", "/etc/shadow"]:\n    print(open(p).read())', 'denied'],
    ['stands for all that it is ever set to', 'p = "/var/log/app/a.log"\nif len(p) > 3:\n    p = "/etc/shadow"\nprint(open(p).read())', 'denied'],
    ['that stands for a constant is as good as the constant', 'import os\nd = "/var/log/app"\nos.remove(os.path.join(d, "old.log"))', 'review'],
    ['of all that a function is given is followed', 'import subprocess\ndef kubectl(*words):\n    subprocess.run(["kubectl", "-n", "shop", *words], check=True)\nkubectl("get", "pods")\nkubectl("rollout", "restart", "deployment/cart")', 'review'],
    ['of a function is its own', 'path = "/etc/shadow"\ndef show(path):\n    print(open(path).read())\nshow("/var/log/app/a.log")', 'review'],
    ['that a function says is global is not its own', 'path = "/var/log/app/a.log"\ndef turn():\n    global path\n    path = "/etc/shadow"\nturn()\nprint(open(path).read())', 'denied'],
    ['of a default is that of outside', 'path = "/etc/shadow"\ndef show(path=path):\n    print(open(path).read())\nshow()', 'denied'],
    ['that comes from outside is not followed', 'import os, sys\nos.remove(sys.argv[1])', 'review_plus'],
    ['that nothing defines is denied', 'restart("nginx")', 'denied'],
    ['that stands for itself again ends somewhere', 'a = "/tmp/app/x"\nfor _ in range(3):\n    b = a\n    a = b\nprint(open(a).read())', 'review'],
    ['that is made longer and longer is not followed', 'a = "/tmp/app"\nfor _ in range(3):\n    a = a + "/../x"\nprint(open(a).read())', 'review_plus'],
  ])('%s', async (_name, text, result) => expect(await resultOf(text)).toBe(result));
});

needsPython('the words of a command', () => {
  const run = 'import subprocess\n';
  test.each([
    ['changed in the list', `${run}a = ["uptime"]\na[0] = "reboot"\nsubprocess.run(a)`],
    ['changed by a method', `${run}a = ["kubectl"]\na.extend(["delete", "ns", "shop"])\nsubprocess.run(a)`],
    ['changed under another name', `${run}a = ["uptime"]\nb = a\nb[0] = "reboot"\nsubprocess.run(a)`],
    ['changed under a name set at the same time', `${run}a = b = ["uptime"]\nb[0] = "reboot"\nsubprocess.run(a)`],
    ['changed under a name set within', `${run}print(b := ["uptime"])\nb[0] = "reboot"\nsubprocess.run(b)`],
    ['changed in a list of lists', `${run}a = [["uptime"]]\nfor b in a:\n    b[0] = "reboot"\nfor c in a:\n    subprocess.run(c)`],
    ['changed in a copy that is not deep', `${run}a = [["uptime"]]\nlist(a)[0][0] = "reboot"\nfor c in a:\n    subprocess.run(c)`],
    ['changed as an entry', `${run}a = {"x": ["uptime"]}\na.get("x")[0] = "reboot"\nsubprocess.run(a["x"])`],
    ['changed by a function', `${run}def f(w):\n    w[0] = "reboot"\na = ["uptime"]\nf(a)\nsubprocess.run(a)`],
  ])('%s are not believed', async (_name, text) => expect(await rulesOf(text)).toContain('python.unknownCommand'));

  test('are believed where they are only read', async () => {
    expect(await resultOf(`${run}for words in [["uptime"], ["systemctl", "reload", "nginx"]]:\n    print(" ".join(words))\n    subprocess.run(words)`)).toBe('review');
    expect(await resultOf(`${run}a = {"x": ["uptime"]}\nfor name, words in a.items():\n    subprocess.run(["nice", *words])`)).not.toBe('denied');
  });

  test('are judged as bash would run them', async () => {
    expect(await resultOf(`${run}subprocess.run(["systemctl", "restart", "nginx"], check=True)`)).toBe('review');
    expect(await resultOf(`${run}subprocess.run(["rm", "-rf", "/usr"])`)).toBe('denied');
    expect(await resultOf(`${run}subprocess.run(["cat", "hosts"], cwd="/etc")`)).not.toBe('review');
    expect(await resultOf(`${run}subprocess.run(["ls; rm -rf /usr"])`)).not.toBe('review');
  });
});

needsPython('a finding', () => {
  test('says where the part begins, counted in characters', async () => {
    const text = 'name = "größe 🚀"; print(open("/etc/shadow").read())';
    expect((await judge(text)).findings).toMatchObject([{ rule: 'python.path', position: text.indexOf('open') + 1 }]);
  });

  test('of what Python cannot read says where', async () => {
    expect((await judge('x = 1\nprint("a"')).findings).toMatchObject([{ rule: 'python.syntax', position: 12 }]);
  });

  test('comes the same each time', async () => {
    const text = 'import socket, requests\nopen(input())';
    expect(await judge(text)).toEqual(await judge(text));
  });
});

needsPython('a text that asks too much of whoever reads it', () => {
  test.each([
    ['nested', `print(${'['.repeat(150)}${']'.repeat(150)})`],
    ['deeply nested', '-'.repeat(60_000)],
    ['of many parts', `print(${'1, '.repeat(20_000)})`],
    ['of names that lead to names', Array.from({ length: 3_000 }, (_, place) => `a${place + 1} = a${place}`).join('\n')],
    ['too long', `print("${'a'.repeat(70_000)}")`],
  ])('%s is denied', async (_name, text) => expect(await resultOf(text)).toBe('denied'));

  test('is judged in little time where its names multiply', async () => {
    const text = `a0 = "x"\n${Array.from({ length: 200 }, (_, place) => `a${place + 1} = a${place} + a${place}`).join('\n')}\nprint(a200)`;
    expect(await resultOf(text)).toBe('review');
  });
});

describe('without Python', () => {
  test('nothing is allowed, and it says what to install', async () => {
    const none = openPythonParser({ path: '/nonexistent' });
    const { result, findings } = await validatePython('print(1)', none.parse);
    await none.close();
    expect(result).toBe('denied');
    expect(findings).toMatchObject([{ rule: 'python.parser', remedy: expect.stringContaining('Install python3') }]);
  });
});
