import { describe, expect, it } from '@jest/globals';
import type { ScriptParameter } from '../../domain/root-cause.js';
import { type ScriptType, seedScripts } from '../../domain/script-library.js';
import { inspector } from '../harness/inspector.js';


const session = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2';
const rollback = 'kubectl rollout undo deployment/{name} -n {namespace} --to-revision={revision}';

describe('a script for the library', () => {
  it.each(seedScripts.map((script) => [script.name, script] as const))('is allowed where Sluice brings it: %s', async (_, script) => {
    expect(await inspector.findWrongInScript(script)).toEqual([]);
  });

  it.each<readonly [type: ScriptType, command: string, parameters: readonly ScriptParameter[]]>([
    ['SQL', session, ['pid', 'backendStart']],
    ['SQL', 'DELETE FROM shop.carts WHERE owner = $2 AND n = $1', ['pid', 'actor']],
    ['KUBECTL', rollback, ['namespace', 'name', 'revision']],
    ['KUBECTL', 'kubectl scale deployment/{name} -n {namespace} --replicas={replicas}', ['name', 'namespace', 'replicas']],
    ['KUBECTL', 'kubectl set image deployment/{name} {name}=shop/{name}:v2 -n shop', ['name']],
    ['KUBECTL', 'kubectl rollout restart deployment/web -n shop', []],
    ['SHELL', 'systemctl restart {unit}', ['unit']],
    ['SHELL', 'docker restart {container}', ['container']],
    ['BASH', 'echo "$1" {unit}', ['unit']],
    ['PYTHON', 'print({})', []],
  ])('is allowed where the rules of %s allow it once its parameters are filled in: %s', async (type, command, parameters) => {
    expect(await inspector.findWrongInScript({ type, command, parameters })).toEqual([]);
  });

  it('may give files and secrets to what runs in a sandbox', async () => {
    const more = { parameters: [], paths: ['/srv/shop'], secrets: ['token'] };
    expect(await inspector.findWrongInScript({ ...more, type: 'BASH', command: 'echo' })).toEqual([]);
    expect(await inspector.findWrongInScript({ ...more, type: 'PYTHON', command: 'print()' })).toEqual([]);
    expect(await inspector.findWrongInScript({ type: 'KUBECTL', command: rollback, parameters: ['namespace', 'name', 'revision'], secrets: ['token'] })).toMatchObject([{ rule: 'script.sandbox' }]);
    expect(await inspector.findWrongInScript({ type: 'SQL', command: session, parameters: ['pid', 'backendStart'], paths: ['/srv'] })).toMatchObject([{ rule: 'script.sandbox' }]);
  });

  it.each<readonly [rule: string, type: ScriptType, command: string, parameters: readonly ScriptParameter[]]>([
    ['script.parameters', 'KUBECTL', rollback, ['namespace', 'name']],
    ['script.parameters', 'KUBECTL', rollback, ['namespace', 'name', 'revision', 'replicas']],
    ['script.parameters', 'KUBECTL', rollback, ['namespace', 'name', 'name']],
    ['script.parameters', 'KUBECTL', 'kubectl delete pod/{pod} -n {namespace}', ['name', 'namespace']],
    ['script.parameters', 'SHELL', 'systemctl restart nginx', ['unit']],
    ['kubectl.revision', 'KUBECTL', 'kubectl rollout undo deployment/{name} -n {namespace}', ['name', 'namespace']],
    ['kubectl.verb', 'KUBECTL', 'kubectl {name} deployment/web', ['name']],
    ['kubectl.kind', 'KUBECTL', 'kubectl rollout restart {name} -n {namespace}', ['name', 'namespace']],
    ['kubectl.flag', 'KUBECTL', 'kubectl rollout restart deployment/web -n {namespace} --{name}', ['name', 'namespace']],
    ['commandLine.shell', 'KUBECTL', 'kubectl rollout restart deployment/{na-me} -n shop', []],
    ['commandLine.shell', 'SHELL', 'systemctl restart {unit}; reboot', ['unit']],
    ['script.nothing', 'BASH', '# nothing', []],
    ['script.characters', 'PYTHON', 'print("\u202e")', []],
    ['sql.parameters', 'SQL', session, ['backendStart', 'pid']],
  ])('is refused by %s: %s %s %j', async (rule, type, command, parameters) => {
    expect(await inspector.findWrongInScript({ type, command, parameters })).toMatchObject([{ rule }]);
  });

  it('has its findings where they stand in the command, before its parameters are filled in', async () => {
    const placesOf = async (command: string) =>
      (await inspector.findWrongInScript({ type: 'KUBECTL', command, parameters: ['namespace', 'name'] })).map(({ position }) => command.slice(position - 1));
    expect(await placesOf('kubectl scale deployment/{name} -n {namespace} --replicas=0')).toEqual(['0']);
    expect(await placesOf('kubectl rollout restart {name}/web -n {namespace}')).toEqual(['{name}/web -n {namespace}']);
    expect(await placesOf('kubectl set image ds/{name} {namespace}={name}: -n {namespace}')).toEqual(['{namespace}={name}: -n {namespace}']);
    expect(await placesOf('kubectl delete pod/{name} -n {namespace} {name}')).toEqual(['{name}']);
  });
});
