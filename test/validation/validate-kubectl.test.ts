import { describe, expect, it } from '@jest/globals';
import { type KubectlCommand, readKubectl } from '../../validation/kubectl/kubectl-command.js';
import { aStep } from '../builders.js';
import { inspector } from '../harness/inspector.js';

const validate = (script: string) => inspector.judgeStep({ ...aStep(), type: 'kubectl', script, parameters: [] });
const apps = (kind: string, name = 'web') => ({ apiVersion: 'apps/v1', kind, name, namespace: 'shop' });
const core = (kind: string, name: string) => ({ apiVersion: 'v1', kind, name, namespace: 'shop' });
const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', name: 'deny', namespace: 'shop' };
const aNode = { apiVersion: 'v1', kind: 'Node', name: 'node-1.example', namespace: null };
const selector = { op: 'replace' as const, path: '/spec/selector/app', value: 'web' };

describe('a command that names one object and one change', () => {
  it.each<readonly [text: string, command: KubectlCommand, reach: string]>([
    ['kubectl rollout undo deployment/web -n shop --to-revision=3', { verb: 'rolloutUndo', ref: apps('Deployment'), revision: 3 }, 'workload'],
    ['kubectl rollout undo statefulset web --to-revision 12 --namespace shop', { verb: 'rolloutUndo', ref: apps('StatefulSet'), revision: 12 }, 'workload'],
    ['kubectl --namespace=shop rollout undo --to-revision=1 ds/web', { verb: 'rolloutUndo', ref: apps('DaemonSet'), revision: 1 }, 'workload'],
    ['kubectl rollout restart deploy/web -n shop', { verb: 'restart', ref: apps('Deployment') }, 'workload'],
    ['kubectl rollout -n shop restart deployments.apps web', { verb: 'restart', ref: apps('Deployment') }, 'workload'],
    ['kubectl scale sts/web -n shop --replicas=3', { verb: 'scale', ref: apps('StatefulSet'), replicas: 3 }, 'workload'],
    ['kubectl scale deployment web -n shop --replicas 1000', { verb: 'scale', ref: apps('Deployment'), replicas: 1_000 }, 'workload'],
    ['kubectl set image deployment/web app=registry.example:5000/shop/web:v2.4.0 -n shop', { verb: 'setImage', ref: apps('Deployment'), images: { app: 'registry.example:5000/shop/web:v2.4.0' } }, 'workload'],
    [
      `kubectl set image ds web a=localhost/busybox:1 b=web@sha256:${'0a'.repeat(32)} -n shop`,
      { verb: 'setImage', ref: apps('DaemonSet'), images: { a: 'localhost/busybox:1', b: `web@sha256:${'0a'.repeat(32)}` } },
      'workload',
    ],
    ['kubectl delete pod/web-7d4b9 -n shop', { verb: 'delete', ref: core('Pod', 'web-7d4b9') }, 'pod'],
    ['kubectl delete po web-7d4b9 -n shop', { verb: 'delete', ref: core('Pod', 'web-7d4b9') }, 'pod'],
    ['kubectl delete netpol/deny -n shop', { verb: 'delete', ref: policy }, 'namespace'],
    ['kubectl cordon node-1.example', { verb: 'cordon', ref: aNode }, 'cluster'],
    ['kubectl uncordon node-1.example', { verb: 'uncordon', ref: aNode }, 'cluster'],
    [`kubectl patch svc/web -n shop --type=json -p '${JSON.stringify([selector])}'`, { verb: 'patch', ref: core('Service', 'web'), operations: [selector] }, 'namespace'],
    [
      `kubectl patch deploy web --type json --patch='[{"op":"test","path":"/metadata/uid","value":"1"},{"op":"remove","path":"/spec/template/spec/containers/0/env/2"}]' -n shop`,
      { verb: 'patch', ref: apps('Deployment'), operations: [{ op: 'test', path: '/metadata/uid', value: '1' }, { op: 'remove', path: '/spec/template/spec/containers/0/env/2' }] },
      'workload',
    ],
    [`  kubectl   "scale"\tdepl'oyment/w'eb  '-n' "shop" --replicas='2' `, { verb: 'scale', ref: apps('Deployment'), replicas: 2 }, 'workload'],
  ])('is for people to review, and is read as what it does: %s', async (text, command, reach) => {
    expect(readKubectl(text)).toEqual({ ok: true, command });
    expect(await validate(text)).toEqual({ result: 'review', findings: [], reach });
  });
});

const patch = (kind: string, ...operations: readonly unknown[]) => `kubectl patch ${kind} -n shop --type=json -p '${JSON.stringify(operations)}'`;
const container = '/spec/template/spec/containers/0';

describe('any other command', () => {
  it.each<readonly [rule: string, text: string]>([
    // What a shell would make of it.
    ['commandLine.empty', ''],
    ['commandLine.empty', ' \t '],
    ['commandLine.shell', 'kubectl delete pod/a -n shop; kubectl delete pod/b -n shop'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop && reboot'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop | sh'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop > /etc/passwd'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop < x'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop &'],
    ['commandLine.shell', 'kubectl delete pod/$(id) -n shop'],
    ['commandLine.shell', 'kubectl delete pod/`id` -n shop'],
    ['commandLine.shell', 'kubectl delete pod/"$HOME" -n shop'],
    ['commandLine.shell', 'kubectl delete pod/"`id`" -n shop'],
    ['commandLine.shell', 'kubectl delete pod/"a\\"b" -n shop'],
    ['commandLine.shell', 'kubectl delete pod/a* -n shop'],
    ['commandLine.shell', 'kubectl delete pod/a? -n shop'],
    ['commandLine.shell', 'kubectl delete pod/{a,b} -n shop'],
    ['commandLine.shell', 'kubectl delete pod/[ab] -n shop'],
    ['commandLine.shell', 'kubectl delete pod/~ -n shop'],
    ['commandLine.shell', 'kubectl delete pod/a\\ b -n shop'],
    ['commandLine.shell', 'kubectl delete pod/a -n shop # and more'],
    ['commandLine.shell', 'kubectl delete pod/é -n shop'],
    ['commandLine.oneLine', 'kubectl delete pod/a -n shop\nkubectl delete pod/b -n shop'],
    ['commandLine.oneLine', "kubectl delete 'pod/a\n' -n shop"],
    ['commandLine.oneLine', 'kubectl delete pod/a -n shop\r'],
    ['commandLine.quote', "kubectl delete 'pod/a -n shop"],
    ['commandLine.quote', 'kubectl delete "pod/a -n shop'],
    ['commandLine.characters', 'kubectl delete pod/a\u0000 -n shop'],
    ['commandLine.characters', "kubectl delete 'pod/a\u200b' -n shop"],
    ['commandLine.characters', 'kubectl delete pod/a -n \u202eshop'],
    ['commandLine.size', `kubectl delete pod/${'a'.repeat(20_000)} -n shop`],
    ['kubectl.program', 'kubectl.sh delete pod/a -n shop'],
    ['kubectl.program', '/tmp/kubectl delete pod/a -n shop'],
    ['kubectl.program', 'KUBECONFIG=/tmp/x kubectl delete pod/a -n shop'],
    ['kubectl.program', 'sudo kubectl delete pod/a -n shop'],
    // What is not among the verbs.
    ['kubectl.verb', 'kubectl'],
    ['kubectl.verb', 'kubectl exec web -n shop'],
    ['kubectl.verb', 'kubectl drain node-1'],
    ['kubectl.verb', 'kubectl apply'],
    ['kubectl.verb', 'kubectl rollout pause deployment/web -n shop'],
    ['kubectl.verb', 'kubectl rollout'],
    ['kubectl.verb', 'kubectl set env deployment/web A=1 -n shop'],
    ['kubectl.verb', 'kubectl DELETE pod/a -n shop'],
    ['kubectl.verb', 'kubectl pod/a delete -n shop'],
    // Flags.
    ['kubectl.selector', 'kubectl delete pod -l app=web -n shop'],
    ['kubectl.selector', 'kubectl delete pod -lapp=web -n shop'],
    ['kubectl.selector', 'kubectl delete pod --selector=app=web -n shop'],
    ['kubectl.selector', 'kubectl delete pod --field-selector status.phase=Failed -n shop'],
    ['kubectl.all', 'kubectl delete pod --all -n shop'],
    ['kubectl.all', 'kubectl delete pod --all=true -n shop'],
    ['kubectl.all', 'kubectl delete pod/a -A'],
    ['kubectl.force', 'kubectl delete pod/a -n shop --force'],
    ['kubectl.force', 'kubectl delete pod/a -n shop --grace-period=0'],
    ['kubectl.force', 'kubectl delete pod/a -n shop --now'],
    ['kubectl.file', 'kubectl scale -f web.yaml --replicas=2 -n shop'],
    ['kubectl.file', 'kubectl delete -fweb.yaml -n shop'],
    ['kubectl.file', 'kubectl patch svc/web -n shop --type=json --patch-file=x.json'],
    ['kubectl.connection', 'kubectl delete pod/a -n shop --kubeconfig=/tmp/x'],
    ['kubectl.connection', 'kubectl delete pod/a -n shop --context other'],
    ['kubectl.connection', 'kubectl delete pod/a -n shop --as=system:admin'],
    ['kubectl.connection', 'kubectl delete pod/a -n shop -s=https://evil.example'],
    ['kubectl.dryRun', 'kubectl delete pod/a -n shop --dry-run=server'],
    ['kubectl.flag', 'kubectl delete pod/a -n shop --wait=false'],
    ['kubectl.flag', 'kubectl delete pod/a -nshop'],
    ['kubectl.flag', 'kubectl delete pod/a -n=shop'],
    ['kubectl.flag', 'kubectl delete -n shop -- pod/a'],
    ['kubectl.flag', 'kubectl delete - -n shop'],
    ['kubectl.flag', 'kubectl delete pod/a -n'],
    ['kubectl.flag', 'kubectl delete pod/a --namespace='],
    ['kubectl.flag', "kubectl delete pod/a -n ''"],
    ['kubectl.flag', 'kubectl delete pod/a -n shop --replicas=2'],
    ['kubectl.flag', 'kubectl rollout undo deploy/web -n shop --to-revision=2 --replicas=3'],
    ['kubectl.flag', 'kubectl scale deploy/web -n shop --replicas=3 --current-replicas=2'],
    ['kubectl.repeated', 'kubectl delete pod/a -n shop -n other'],
    ['kubectl.repeated', 'kubectl delete pod/a -n shop --namespace=shop'],
    ['kubectl.repeated', 'kubectl scale deploy/web -n shop --replicas=3 --replicas=0'],
    // Objects.
    ['kubectl.object', 'kubectl delete -n shop'],
    ['kubectl.name', 'kubectl delete pod -n shop'],
    ['kubectl.name', 'kubectl delete pod/ -n shop'],
    ['kubectl.name', 'kubectl delete pod/a/b -n shop'],
    ['kubectl.name', 'kubectl delete pod/../nodes/a -n shop'],
    ['kubectl.name', 'kubectl delete pod/.. -n shop'],
    ['kubectl.name', 'kubectl delete pod/A -n shop'],
    ['kubectl.name', 'kubectl delete pod/a%2Fb -n shop'],
    ['kubectl.name', "kubectl delete 'pod/a b' -n shop"],
    ['kubectl.name', `kubectl delete pod/${'a'.repeat(254)} -n shop`],
    ['kubectl.name', 'kubectl cordon node/a'],
    ['kubectl.name', "kubectl cordon ''"],
    ['kubectl.oneObject', 'kubectl delete pod/a pod/b -n shop'],
    ['kubectl.oneObject', 'kubectl delete pod a b -n shop'],
    ['kubectl.oneObject', 'kubectl cordon a b'],
    ['kubectl.oneObject', 'kubectl scale deploy/web deploy/api -n shop --replicas=2'],
    ['kubectl.oneObject', 'kubectl set image deploy/web deploy/api a=b:1 -n shop'],
    ['kubectl.kind', 'kubectl delete pod,svc x -n shop'],
    ['kubectl.kind', 'kubectl delete all x -n shop'],
    ['kubectl.kind', 'kubectl delete a -n shop'],
    ['kubectl.kind', 'kubectl delete deployment/web -n shop'],
    ['kubectl.kind', 'kubectl delete secret/a -n shop'],
    ['kubectl.kind', 'kubectl delete namespace shop -n shop'],
    ['kubectl.kind', 'kubectl delete pvc/a -n shop'],
    ['kubectl.kind', 'kubectl delete node/a -n shop'],
    ['kubectl.kind', 'kubectl scale ds/web -n shop --replicas=2'],
    ['kubectl.kind', 'kubectl scale rs/web -n shop --replicas=2'],
    ['kubectl.kind', 'kubectl rollout restart pod/web -n shop'],
    ['kubectl.kind', 'kubectl rollout undo deployments.extensions/web -n shop --to-revision=2'],
    ['kubectl.namespace', 'kubectl delete pod/a'],
    ['kubectl.namespace', 'kubectl delete pod/a -n shop/../other'],
    ['kubectl.namespace', 'kubectl delete pod/a -n Shop'],
    ['kubectl.namespace', 'kubectl delete pod/a -n -shop'],
    ['kubectl.namespace', 'kubectl cordon a -n shop'],
    // What each verb needs.
    ['kubectl.revision', 'kubectl rollout undo deploy/web -n shop'],
    ['kubectl.revision', 'kubectl rollout undo deploy/web -n shop --to-revision=0'],
    ['kubectl.revision', 'kubectl rollout undo deploy/web -n shop --to-revision=-1'],
    ['kubectl.revision', 'kubectl rollout undo deploy/web -n shop --to-revision=1e3'],
    ['kubectl.revision', 'kubectl rollout undo deploy/web -n shop --to-revision=0x3'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop --replicas=0'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop --replicas=00'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop --replicas=+0'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop --replicas=1001'],
    ['kubectl.replicas', 'kubectl scale deploy/web -n shop --replicas=2.5'],
    ['kubectl.image', 'kubectl set image deploy/web -n shop'],
    ['kubectl.image', 'kubectl set image deploy/web app= -n shop'],
    ['kubectl.image', 'kubectl set image deploy/web app=UPPER/web -n shop'],
    ['kubectl.image', 'kubectl set image deploy/web app=https://evil.example/web -n shop'],
    ['kubectl.image', 'kubectl set image deploy/web app=web=2 -n shop'],
    ['kubectl.container', "kubectl set image deploy/web '*=web:2' -n shop"],
    ['kubectl.container', 'kubectl set image deploy/web =web:2 -n shop'],
    ['kubectl.repeated', 'kubectl set image deploy/web app=web:2 app=web:3 -n shop'],
    // Patches.
    ['kubectl.patchType', "kubectl patch svc/web -n shop -p '[]'"],
    ['kubectl.patchType', `kubectl patch svc/web -n shop --type=merge -p '{"spec":{}}'`],
    ['kubectl.patch', 'kubectl patch svc/web -n shop --type=json'],
    ['kubectl.kind', patch('secret/web', selector)],
    ['kubectl.kind', patch('pod/web', selector)],
    ['kubectl.kind', patch('node/web', selector)],
    ['kubectl.kind', patch('clusterrolebinding/web', selector)],
    ['kubectl.oneObject', `${patch('svc/web', selector)} svc/api`],
    ['patch.syntax', "kubectl patch svc/web -n shop --type=json -p 'spec'"],
    ['patch.syntax', `kubectl patch svc/web -n shop --type=json -p '[{"op":"remove","op":"test","path":"/spec/selector/app"}]'`],
    ['patch.nothing', "kubectl patch svc/web -n shop --type=json -p '[]'"],
    ['patch.operation', patch('svc/web', { op: 'merge', path: '/spec' })],
    ['patch.pointer', patch('svc/web', { op: 'remove', path: 'spec' })],
    ['patch.nothing', patch('svc/web', { op: 'test', path: '/spec', value: 1 })],
    ['patch.characters', `kubectl patch cm/web -n shop --type=json -p '[{"op":"add","path":"/data/a","value":"\\u202e"}]'`],
    ['manifest.field', patch('svc/web', { op: 'move', from: '/spec/selector/a', path: '/spec/selector/b' })],
    ['manifest.field', patch('svc/web', { op: 'copy', from: '/spec/selector/a', path: '/spec/selector/b' })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '', value: {} })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/spec', value: {} })],
    ['manifest.field', patch('svc/web', { op: 'add', path: '/spec/externalIPs', value: ['10.0.0.1'] })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/spec/type', value: 'ExternalName' })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/spec/ports/00/port', value: 80 })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/spec/ports/0/port', value: 'http' })],
    ['manifest.field', patch('svc/web', { op: 'add', path: '/spec/__proto__/x', value: 1 })],
    ['manifest.field', patch('svc/web', { op: 'add', path: '/spec/constructor', value: 1 })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/metadata/name', value: 'other' })],
    ['manifest.field', patch('svc/web', { op: 'remove', path: '/metadata/finalizers' })],
    ['manifest.field', patch('svc/web', { op: 'add', path: '/metadata/ownerReferences/-', value: {} })],
    ['manifest.field', patch('svc/web', { op: 'replace', path: '/status', value: {} })],
    ['manifest.field', patch('deploy/web', { op: 'replace', path: '/spec/replicas', value: 0 })],
    ['manifest.field', patch('ds/web', { op: 'replace', path: '/spec/replicas', value: 2 })],
    ['manifest.field', patch('deploy/web', { op: 'remove', path: `${container}/securityContext` })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: `${container}/securityContext/privileged`, value: true })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: '/spec/template/spec/volumes/-', value: { name: 'a', hostPath: { path: '/' } } })],
    ['k8s.environment', patch('deploy/web', { op: 'add', path: `${container}/env/-`, value: { name: 'LD_PRELOAD', value: '/tmp/x.so' } })],
    ['manifest.field', patch('deploy/web', { op: 'remove', path: container })],
    ['manifest.field', patch('deploy/web', { op: 'replace', path: container, value: { name: 'web', image: 'web:2' } })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'side', image: 'web:2' } })],
    ['manifest.field', patch('deploy/web', { op: 'replace', path: '/spec/template/spec/containers', value: [] })],
    ['manifest.field', patch('deploy/web', { op: 'replace', path: '/spec/template/spec', value: { containers: [] } })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: '/spec/template/spec/hostNetwork', value: true })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: '/spec/template/spec/volumes/-', value: { name: 'x', hostPath: { path: '/' } } })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: `${container}/env/-`, value: { name: 'A', valueFrom: { other: 1 } } })],
    ['manifest.field', patch('deploy/web', { op: 'replace', path: '/metadata/annotations', value: {} })],
    ['manifest.field', patch('deploy/web', { op: 'remove', path: '/metadata/annotations/deployment.kubernetes.io~1revision' })],
    ['manifest.field', patch('deploy/web', { op: 'add', path: '/spec/template/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1web', value: 'unconfined' })],
    ['manifest.field', patch('cm/web', { op: 'add', path: '/immutable', value: true })],
  ])('is denied by %s: %s', async (rule, text) => {
    const { result, findings } = await validate(text);
    expect(result).toBe('denied');
    expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([rule]);
  });

  it('has no more findings than anybody reads', async () => {
    expect((await validate(`kubectl delete pod/a -n shop${' --force'.repeat(1_000)}`)).findings).toHaveLength(20);
  });

  it('says where in the line each thing is that is wrong', () => {
    const positionsOf = (text: string) => {
      const reading = readKubectl(text);
      return reading.ok ? [] : reading.findings.map(({ rule, position }) => [rule, text.slice(position - 1).split(' ')[0]]);
    };
    expect(positionsOf('kubectl delete pod --all -l app=x --force -n shop')).toEqual([
      ['kubectl.all', '--all'],
      ['kubectl.selector', '-l'],
      ['kubectl.force', '--force'],
    ]);
    expect(positionsOf('kubectl rollout undo deploy/web -n shop --to-revision=zero')).toEqual([['kubectl.revision', 'zero']]);
    expect(positionsOf('kubectl delete pod/a pod/b -n shop;')).toEqual([['commandLine.shell', ';']]);
    expect(positionsOf('kubectl delete pod/a "$x" -n shop')).toEqual([['commandLine.shell', '$x"']]);
    expect(positionsOf(`kubectl patch svc/web -n shop --type=json -p '[{"op":"remove","path":"/spec/selector/a"}, {"op":"remove","path":"/status"}]'`)).toEqual([['manifest.field', `{"op":"remove","path":"/status"}]'`]]);
  });
});
