import { judgePatch } from '../kubernetes-patch.js';
import { deny, plus } from '../notes.js';
import { same, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { judgeValue } from '../values.js';
import { isKnown, isPlain, shown, type Word } from '../words.js';

const options =
  '-n: -v: --v: --namespace: --context:known --cluster:known --request-timeout: --kubeconfig! --server! -s! --token! --as! --as-group! --as-uid! --user! --username! --password! --insecure-skip-tls-verify! --certificate-authority! --client-certificate! --client-key! --tls-server-name! --cache-dir! --raw! --help -h --warnings-as-errors';
const shape = '-o: --output: --no-headers --show-labels --template: --sort-by: --show-kind --show-managed-fields? --allow-missing-template-keys?';
const choice = '-l: --selector: -A --all-namespaces? --field-selector: -L: --label-columns: --ignore-not-found? --chunk-size: -w --watch? --watch-only --output-watch-events';

const all = (use: Use, ...names: readonly string[]): readonly Word[] => names.flatMap((name) => use.options.get(name) ?? []);
const isEverything = (use: Use): boolean => all(use, '-A', '--all-namespaces', '--all').some((word) => !/^false$/.test(word.text));
const isSelected = (use: Use): boolean => all(use, '-l', '--selector', '--field-selector').length > 0;

// What gives a kind by any of its names, with or without group and name: `secret`, `Secrets`, `secrets.v1.`, `secret/x`.
const kindOf = (text: string): string => (text.split('/')[0] ?? '').split('.')[0]?.toLowerCase() ?? '';
const secretKinds = /^(secrets?|sealedsecrets?|externalsecrets?|tokenrequests?|tokenreviews?|certificatesigningrequests?|csr|vaultauths?|oauthaccesstokens?|oauthauthorizetokens?|oauthclients?|sealedsecret)$/;
const rightKinds = /^(clusterroles?|clusterrolebindings?|roles?|rolebindings?|serviceaccounts?|sa|securitycontextconstraints|scc|podsecuritypolic(y|ies)|psp|(mutating|validating)\w*|customresourcedefinitions?|crds?|apiservices?|users?|groups?|oauths?|identit(y|ies)|networkpolic(y|ies)|netpol|priorityclass(es)?|flowschemas?|runtimeclass(es)?)$/;
const wideKinds = /^(namespaces?|ns|projects?|nodes?|no|persistentvolumes?|pv|storageclass(es)?|sc|all|machines?|machinesets?|clusteroperators?|co|clusterversions?)$/;
const podKinds = /^(pods?|po)$/;
const workloads = /^(deployments?|deploy|statefulsets?|sts|daemonsets?|ds|deploymentconfigs?|dc|replicasets?|rs|replicationcontrollers?|rc)$/;

/** Kinds and names that the operands give; a kind must stand in the text, a name need not. */
function judgeObjects(use: Use, words: readonly Word[] = use.operands): readonly string[] {
  const [first] = words;
  if (first === undefined) return [];
  const kinds = first.text.includes('/') ? words.flatMap((word) => word.text.split(',')) : first.text.split(',');
  for (const word of words) judgeValue('name', word, use);
  if (!isPlain(first.text.split('/')[0] ?? '')) use.object(first.position, plus('kind', 'nothing in the text says which kind of object this is', 'Write the kind.'));
  if (words.slice(1).some((word) => /[/,]/.test(word.text) && !first.text.includes('/'))) use.object(first.position, plus('kind', 'kinds and names are mixed', 'Write KIND NAME.'));
  const found = kinds.map(kindOf);
  for (const kind of found) if (secretKinds.test(kind)) use.object(first.position, deny('secret', `${use.program} shows or touches ${kind}`, 'Leave secrets alone.'));
  return found;
}

function judgeFormat(use: Use): void {
  for (const word of all(use, '-o', '--output')) {
    if (!/^=?(json|yaml|wide|name|table|kyaml|(jsonpath|jsonpath-as-json|go-template|custom-columns|template)(=.*)?)?$/s.test(word.text)) use.object(word.position, deny('format', `${shown(word.text)} reads its form from a file, or is none`, 'Use json, yaml, wide, name or jsonpath=….'));
  }
}

const reading: ProgramRule = {
  options: `${shape} ${choice} --show-events? --all -f:plus -R --recursive+`,
  operands: ['text'],
  judge: (use) => {
    judgeObjects(use);
    judgeFormat(use);
  },
};

/** One named object, or a few; not whatever matches. */
function judgeNamed(use: Use, words: readonly Word[] = use.operands): readonly string[] {
  const kinds = judgeObjects(use, words);
  const [first] = words;
  if (isEverything(use) || isSelected(use) || (words.length < 2 && first?.text.includes('/') !== true)) use.object(use.position, plus('objects', 'it is about all objects that match', 'Name the objects.'));
  if (kinds.some((kind) => rightKinds.test(kind))) use.object(use.position, plus('rights', 'it changes who may do what in the cluster', 'Let two people look at it.'));
  return kinds;
}

const changing = (more: string, judge: (use: Use, kinds: readonly string[]) => void): ProgramRule => ({
  options: `${shape} -l: --selector: --all? -A --all-namespaces? --field-selector: --dry-run? --record? --overwrite? --field-manager: --timeout: ${more}`,
  operands: ['text'],
  judge: (use) => {
    judgeFormat(use);
    // What follows the objects as NAME=VALUE or NAME- is set on them.
    judge(use, judgeNamed(use, use.operands.filter((word, index) => index === 0 || !/=|-$/.test(word.text))));
  },
});

/** `-f`: a manifest in the text is judged, one that is elsewhere cannot be. */
const applying: ProgramRule = {
  options: `${shape} -f:text --filename:text -R --recursive+ -k! --kustomize! --dry-run? --server-side+ --force+ --prune+ --validate? --wait? --timeout: --overwrite? --save-config? --grace-period: --cascade:`,
  operands: ['plus'],
  judge: (use) => {
    for (const file of all(use, '-f', '--filename')) {
      if (/^\w+:\/\//.test(file.text) || !isKnown(file.text)) use.object(file.position, deny('manifest', 'it takes its manifest from the network, or from nobody knows where', 'Write the manifest into the script.'));
      else if (file.text === '-' && use.input.kind === 'text' && isKnown(use.input.text)) use.judgeManifest(use.input.text, use.position);
      else use.object(file.position, plus('manifest', 'what the manifest holds is not in the text', 'Write the manifest into the script.'));
    }
    if (all(use, '-f', '--filename').length === 0) use.object(use.position, plus('manifest', 'what it applies is not in the text', 'Write the manifest into the script.'));
  },
};

const labelling: ProgramRule = changing('--resource-version: --list', (use, kinds) => {
  const [first] = use.operands;
  const pairs = use.operands.slice(first?.text.includes('/') === true ? 1 : 2);
  for (const pair of pairs) {
    const key = pair.text.replace(/[=-][^/]*$/s, '');
    if (!isKnown(key)) use.object(pair.position, plus('label', 'nothing in the text says what is set', 'Write the name.'));
    if (/pod-security|kubernetes\.io\/enforce|security|apparmor|seccomp|node-role|admission|openshift\.io\/(scc|sa)/.test(key)) use.object(pair.position, deny('label', `${shown(key)} decides what pods may do`, 'Leave it as it is.'));
    else if (/snippet|server-alias|auth|permission|iam|role|-lua|configuration-|proxy-pass|rewrite-target|lua-/.test(key)) use.object(pair.position, plus('label', `${shown(key)} can carry configuration or rights`, 'Let two people look at it.'));
  }
  if (kinds.some((kind) => wideKinds.test(kind))) use.object(use.position, plus('wide', 'it changes what is true of a whole namespace or node', 'Let two people look at it.'));
});

const deleting = changing('--force? --grace-period: --now? --wait? --cascade? -f:plus --filename:plus -k! --ignore-not-found? --raw! -R+', (use, kinds) => {
  const kind = kinds[0] ?? '';
  if (isEverything(use) || kinds.some((each) => wideKinds.test(each) || rightKinds.test(each))) return use.object(use.position, deny('delete', 'it deletes all objects of a kind, or what a whole cluster or namespace stands on', 'Delete one object by its name.'));
  const names = use.operands.flatMap((word) => (word.text.includes('/') ? [word] : use.operands.indexOf(word) === 0 ? [] : [word]));
  if (names.some((word) => word.isSpread && !isKnown(word.text) && word.text.includes('\uE002'))) use.object(use.position, plus('delete', 'nothing in the text says how many objects it deletes', 'Name the objects.'));
  if (!/^(pods?|po|jobs?|lease|leases|events?|ev|volumeattachments?|endpointslices?)$/.test(kind) || kinds.length > 1 && !use.operands.every((word) => podKinds.test(kindOf(word.text)))) use.object(use.position, plus('delete', `it deletes ${kind}, and nothing brings it back by itself`, 'Restart it instead.'));
  if (all(use, '--force').some((word) => word.text !== 'false') || all(use, '--grace-period').some((word) => word.text === '0') || use.options.has('--now')) use.object(use.position, plus('delete', 'the pod is not given time to end', 'Leave --force out.'));
});

const rolling: ProgramRule = {
  verbs: {
    ...same('status history', { options: `${shape} -l: --selector: -w --watch? --timeout: --revision: -f:plus`, operands: ['text'], judge: (use) => void judgeObjects(use) }),
    ...same('restart undo pause resume', changing('--to-revision: -f:plus --to-last:', (use, kinds) => {
      for (const kind of kinds) if (!workloads.test(kind)) use.object(use.position, plus('kind', `no rule knows how ${shown(kind)} rolls`, 'Name a deployment.'));
    })),
    ...same('latest retry cancel', changing('', () => undefined)),
  },
};

const setting: ProgramRule = {
  verbs: {
    image: changing('-c: --containers:', (use) => {
      for (const pair of use.operands.filter((word) => word.text.includes('='))) {
        const [name = '', image = ''] = pair.text.split('=');
        if (name === '*' || !isKnown(image) || !/^[\w.-]+(:\d+)?\/[\w./-]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/.test(image)) use.object(pair.position, plus('image', `${shown(image)} may be anything when it is pulled`, 'Name registry, image and a fixed version.'));
      }
    }),
    env: changing('-c: --containers: --list --from! --keys! --prefix! -e:plus --resolve!', (use) => {
      for (const pair of use.operands.slice(1)) {
        if (/^-$|^(LD_|DYLD_|BASH_ENV|ENV=|PATH=|PYTHON|PERL|RUBY|NODE_OPTIONS|JAVA_TOOL|_JAVA|JDK_JAVA|GIT_|.*(PROXY|proxy)=|.*PRELOAD|KUBE|AWS_(ACCESS|SECRET|SESSION)|GCONV)/.test(pair.text)) use.object(pair.position, deny('env', `${shown(pair.text)} decides what the program loads or trusts`, 'Leave it out.'));
        if (!isKnown(pair.text.split('=')[0] ?? '')) use.object(pair.position, plus('env', 'nothing in the text says what is set', 'Write the name.'));
      }
    }),
    resources: changing('-c: --containers: --limits: --requests:', () => undefined),
    ...same('probe triggers route-backends', { weight: plus('set', 'it changes how the workload is reached or started', 'Let two people look at it.'), operands: ['text'], options: '-c:' }),
  },
  otherwise: deny('set', 'it changes under which rights the workload runs', 'Leave it as it is.'),
};

const scaling = changing('--replicas: --current-replicas: --resource-version: -f:plus', (use, kinds) => {
  for (const word of all(use, '--replicas')) {
    if (word.text === '0') use.object(word.position, plus('scale', 'with no replicas the service is not there', 'Scale to one at least.'));
    else if (!/^([1-9]\d?|[\uE000\uE002\uE003])$/.test(word.text)) use.object(word.position, plus('scale', `${shown(word.text)} are many replicas`, 'Scale to fewer than a hundred.'));
  }
  for (const kind of kinds) if (!workloads.test(kind)) use.object(use.position, plus('kind', `no rule knows how ${shown(kind)} is scaled`, 'Name a deployment.'));
});

const nodeVerb = (more: string, judge: (use: Use) => void = () => undefined): ProgramRule => ({
  options: `-l: --selector: --dry-run? ${more}`,
  operands: ['name'],
  judge: (use) => {
    if (use.operands.length !== 1 || isSelected(use) || use.operands.some((word) => word.isPattern)) use.object(use.position, plus('objects', 'it is about no node, or about more than one', 'Name one node.'));
    judge(use);
  },
});
const draining = nodeVerb('--ignore-daemonsets? --delete-emptydir-data? --delete-local-data? --force? --grace-period: --timeout: --pod-selector: --disable-eviction? --skip-wait-for-delete-timeout:', (use) => {
  const [hard] = all(use, '--force', '--disable-eviction', '--delete-emptydir-data', '--delete-local-data');
  if (hard !== undefined) use.object(hard.position, plus('drain', 'pods that nothing starts again, or what they have written, are lost', 'Drain without this option.'));
});

const logs: ProgramRule = { options: '-c: --container: -f --follow? -l: --selector: -p --previous? --tail: --since: --since-time: --timestamps? --all-containers? --all-pods? --prefix? --max-log-requests: --ignore-errors? --pod-running-timeout: --limit-bytes: --version:', operands: ['name'] };

/** Inside of a pod the command after `--` is judged like any other. */
const executing: ProgramRule = {
  options: '-c: --container: -i -t -it -ti --stdin? --tty? -q --quiet --pod-running-timeout: -f:plus',
  operands: ['name'],
  hasTail: true,
  judge: (use) => {
    const inner = use.tail ?? use.operands.slice(1);
    const [program] = inner;
    if (program === undefined || (inner.length === 1 && /^(\/(usr\/)?bin\/)?(ba|da|z|a)?sh$/.test(program.text))) return use.object(use.position, plus('interactive', 'it opens a shell, and what is typed into it is not in the text', 'Write the command after `--`.'));
    use.run(inner);
  },
};

const kubectl: ProgramRule = {
  options,
  verbs: {
    ...same('get describe', reading),
    events: { options: `${shape} ${choice} --for: --types:`, judge: judgeFormat },
    logs,
    top: { options: `${choice} --containers --no-headers --sort-by: --use-protocol-buffers --sum`, operands: ['name'] },
    explain: { options: '--recursive? --api-version: -o:', operands: ['name'] },
    ...same('api-resources api-versions version', { options: '--namespaced? --verbs: -o: --api-group: --client? --short --no-headers --cached', operands: [] }),
    'cluster-info': { options: '' },
    wait: { options: '--for: --timeout: -l: --selector: --all? -A --field-selector: -f:plus', operands: ['text'], judge: (use) => void judgeObjects(use) },
    auth: { verbs: { 'can-i': { options: '-A --all-namespaces --list -q --quiet --subresource: --no-headers', operands: ['name'] }, whoami: { options: '-o:' } }, otherwise: deny('rights', 'it changes who may do what', 'Leave it as it is.') },
    config: { verbs: { ...same('current-context get-contexts get-clusters', { options: '-o: --no-headers', operands: ['name'] }), view: { options: '--minify -o: --flatten!' }, 'use-context': { operands: ['known'], weight: plus('context', 'what follows goes to another cluster', 'Write --context where it is needed.') } }, otherwise: deny('config', 'it changes to whom kubectl speaks, and as whom', 'Leave it as it is.') },
    rollout: rolling,
    scale: scaling,
    autoscale: changing('--min: --max: --cpu-percent: --cpu: --memory: --name:', () => undefined),
    set: setting,
    ...same('label annotate', labelling),
    patch: changing('-p:text --patch:text --type: --subresource: --patch-file:plus -f:plus', (use, kinds) => {
      if (kinds.some((kind) => rightKinds.test(kind) || wideKinds.test(kind))) use.object(use.position, plus('rights', 'it changes who may do what, or what is true of a whole node or namespace', 'Let two people look at it.'));
      for (const body of all(use, '-p', '--patch')) judgePatch(body, kinds[0] ?? '', use);
    }),
    cordon: nodeVerb(''),
    uncordon: nodeVerb(''),
    drain: draining,
    taint: { options: '--overwrite? --all! -l:plus --selector:plus', operands: ['text'], weight: plus('taint', 'pods may have to leave the node', 'Cordon the node.'), judge: (use) => void judgeObjects(use) },
    delete: deleting,
    ...same('apply replace', applying),
    create: {
      options: applying.options ?? '',
      verbs: {
        job: { options: '--from: --image:plus --dry-run? -o:', operands: ['name'], judge: (use) => void (!all(use, '--from').every((word) => /^cronjobs?(\.batch)?\//.test(word.text)) && use.object(use.position, plus('job', 'what the job runs is not in the text', 'Make it from a cron job.'))) },
        ...same('configmap cm namespace ns deployment deploy service svc ingress cronjob quota poddisruptionbudget pdb priorityclass route', { weight: plus('create', 'it makes a new object', 'Let two people look at it.'), options: '--from-literal: --from-file:read --image: --dry-run? -o: --min-available: --selector: --schedule: --tcp: --rule: --hard:', operands: ['name'] }),
      },
      otherwise: deny('create', 'it makes rights, tokens or secrets', 'Leave that to the people who give rights.'),
      judge: (use) => void (use.operands.length === 0 && applying.judge?.(use)),
    },
    edit: { weight: plus('interactive', 'a person edits the object, and what they write is not in the text', 'Write a patch.'), options: `${shape}`, operands: ['text'], judge: (use) => void judgeNamed(use) },
    exec: executing,
    ...same('attach', { weight: plus('interactive', 'what is typed into it is not in the text', 'Use logs.'), options: '-c: -it -i -t', operands: ['name'] }),
    cp: { weight: plus('copyOut', 'it copies files between a pod and here', 'Print what you need.'), options: '-c:', operands: ['text'] },
    'port-forward': { weight: plus('tunnel', 'it opens a way into the cluster for as long as it runs', 'Ask from inside of a pod.'), options: '--address:plus', operands: ['name'] },
    ...same('run debug', { weight: plus('run', 'it starts a container beside what is approved', 'Use logs and describe.'), options: '-it -i -t -c: --image: --rm --restart: --target: --profile! --share-processes+ --copy-to: --privileged! --overrides! --command --port: --env: --quiet --labels: --to-namespace:', operands: ['name'], hasTail: true, judge: (use) => use.tail !== undefined && use.tail.length > 0 && use.run(use.tail) }),
    ...same('expose diff kustomize', { weight: plus('manifest', 'what it does depends on files or opens a service', 'Let two people look at it.'), options: '-f:plus -k! --port: --target-port: --type: --name:', operands: ['text'] }),
  },
};

const toolbox: ProgramRule = { weight: plus('mustGather', 'it starts a container that reads all of the cluster', 'Read what you need.'), options: '--image: --dest-dir:write --since: --timeout: --node-name:', operands: ['text'] };

/** kubectl, and oc, which is kubectl with more. */
export const kubernetes: ProgramTable = {
  ...same('kubectl k microk8s.kubectl', kubectl),
  oc: {
    options,
    verbs: {
      ...kubectl.verbs,
      ...same('project projects status', { options: '-q --short --suggest', operands: ['name'] }),
      whoami: { options: '--show-server --show-console --show-context -t! --show-token! -c' },
      rsh: { ...executing, options: '-c: --container: -T -t --shell:plus --timeout:', hasTail: false },
      adm: {
        verbs: {
          cordon: nodeVerb(''),
          uncordon: nodeVerb(''),
          drain: draining,
          top: { options: `${choice} --containers --no-headers --sort-by:`, operands: ['name'] },
          'node-logs': { options: '--role: -u: --unit: --path: --since: --until: --tail: -l: --grep: -g: --boot: -o: --raw --unify', operands: ['name'] },
          inspect: { options: '--dest-dir:write -A --all-namespaces --since: --rotated-pod-logs', operands: ['text'], judge: (use) => void judgeObjects(use) },
          'must-gather': toolbox,
        },
        otherwise: deny('rights', 'it changes who may do what, or takes the cluster apart', 'Leave it to the people who run the cluster.'),
      },
      'import-image': { options: '--confirm --all+ --from:plus', operands: ['name'], weight: plus('image', 'it takes in a new image', 'Let two people look at it.') },
      extract: { weight: deny('secret', 'it writes out what an object holds', 'Leave secrets alone.'), operands: ['text'], options: '--to: --keys: --confirm' },
      process: { weight: plus('manifest', 'what the template holds is not in the text', 'Write the manifest into the script.'), operands: ['text'], options: '-f: -p: -o:' },
      sa: { otherwise: deny('token', 'it shows the token of an account', 'Use your own.'), verbs: {} },
      ...same('dev_tool', { weight: plus('unknownProgram', 'no rule knows this verb', 'Let two people look at it.'), operands: ['text'], options: '-f: -o: --by: --user: --failed-only' }),
    },
  },
};
