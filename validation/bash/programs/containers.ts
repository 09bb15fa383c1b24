import { deny, plus } from '../notes.js';
import { same, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { isKnown } from '../words.js';

const one = (use: Use): void => {
  if (use.operands.length === 0) use.object(use.position, plus('objects', 'it names nothing', 'Name one container.'));
  for (const word of use.operands) if (word.isSpread && !isKnown(word.text)) use.object(word.position, plus('objects', 'nothing in the text says how many containers it is about', 'Name them.'));
};
const reads = (options: string, operands: ProgramRule['operands'] = ['name']): ProgramRule => ({ options, operands });
const weighs = (rule: string, reason: string, options = '-afvqt -t: --force --all --rm --volumes', remedy = 'Let two people look at it.'): ProgramRule => ({ weight: plus(rule, reason, remedy), options, operands: ['text'] });

const exec: ProgramRule = {
  options: '-itTd -u:plus -w: -e:plus --user:plus --workdir: --privileged! --detach --interactive --tty --index:',
  operands: ['name', 'command'],
  judge: (use) => {
    if (use.operands.length === 0) use.object(use.position, plus('objects', 'it names no container', 'Name one container.'));
  },
};
const shown = '--format: -f: --filter: -q --quiet --no-trunc -a --all -n: --last: -s --size --no-stream --since: --until: --tail: -t --timestamps --follow --details --type:';
const running: ProgramRule = {
  options: '-itdq -t: -p:plus -e:plus -v:plus -u:plus --rm --name: --privileged! --net:plus --network:plus --pid:plus --ipc:plus --cap-add! --device! --security-opt! --mount:plus --volume:plus --userns! --entrypoint:plus --restart: --env:plus --uts:plus --cgroupns! --runtime! --volumes-from:plus --memory: --cpus: --platform:',
  operands: ['text', 'command'],
  weight: plus('run', 'what the image does is not in the text', 'Restart what runs already.'),
  judge: (use) => {
    for (const word of [...(use.options.get('-v') ?? []), ...(use.options.get('--volume') ?? []), ...(use.options.get('--mount') ?? []), ...(use.options.get('--pid') ?? []), ...(use.options.get('--net') ?? []), ...(use.options.get('--network') ?? []), ...(use.options.get('--ipc') ?? [])]) {
      if (/(^|source=|src=)(\/(:|$|,)|\/(etc|root|var\/run|run|proc|sys|dev|boot|usr|home)\b)|docker\.sock|^host$/.test(word.text)) use.object(word.position, deny('hostAccess', 'the container gets at the host', 'Leave it out.'));
    }
  },
};

const common: ProgramTable = {
  ...same('ps ls images logs stats top port diff history version info events search', reads(shown)),
  inspect: reads(shown),
  ...same('restart start', { options: '-t: --time: -a+ -i+', operands: ['name'], judge: one }),
  ...same('stop kill rm rmi pause unpause rename update commit tag load import build create', weighs('containers', 'it stops, removes or replaces containers or images')),
  ...same('pull', weighs('image', 'it takes in an image from elsewhere', '-q')),
  ...same('cp save export push attach', weighs('copyOut', 'it moves files or images to where people do not look')),
  exec,
  run: running,
  image: { verbs: { ...same('ls inspect history', reads(shown)), prune: { options: '-f --force -a+ --all+ --filter:' }, ...same('rm pull build tag', weighs('image', 'it removes or replaces images')) } },
  container: { verbs: { ...same('ls inspect logs stats top port', reads(shown)), ...same('restart start', { options: '-t:', operands: ['name'], judge: one }), prune: { options: '-f --force --filter:' }, ...same('stop rm kill', weighs('containers', 'it stops or removes containers')), exec } },
  builder: { verbs: { prune: { options: '-f --force --filter: -a --all --keep-storage:' }, du: {} } },
  buildx: { verbs: { prune: { options: '-f --force --filter: -a --all' }, ls: {}, du: {} } },
  network: { verbs: { ...same('ls inspect', reads(shown)), ...same('rm prune connect disconnect create', weighs('network', 'it changes who can reach whom')) } },
  volume: { verbs: { ...same('ls inspect', reads(shown)), ...same('rm prune create', weighs('volume', 'it removes data')) } },
  system: { verbs: { ...same('df info events', reads(`${shown} -v --verbose`)), prune: { options: '-f --force -a --all --volumes! --filter:', weight: plus('prune', 'it removes all that does not run at the moment', 'Prune images only.') } } },
  service: { verbs: { ...same('ls ps inspect logs', reads(shown)), scale: { options: '-d --detach', operands: ['text'], judge: (use) => {
    for (const word of use.operands) if (!/^[\w.-]+=([1-9]\d?|[\uE000\uE002\uE003])$/.test(word.text)) use.object(word.position, plus('scale', 'it is not one service and a small number above none', 'Write NAME=NUMBER.'));
  } }, ...same('update rm create rollback', weighs('service', 'it changes what the service runs', '--force --image: --with-registry-auth -d')) } },
  node: { verbs: { ...same('ls ps inspect', reads(shown)) } },
  stack: { verbs: { ...same('ls ps services', reads(shown)) } },
};

const compose: ProgramRule = {
  options: '-f:read -p: --file:read --project-name: --profile: --project-directory:list --env-file! --ansi:',
  verbs: {
    ...same('ps ls logs top images port config version events stats', reads(`${shown} --services --no-color --no-log-prefix -f`)),
    ...same('restart start', { options: '-t: --timeout: --no-deps', operands: ['name'] }),
    ...same('up down stop rm pull build run create kill pause scale', weighs('compose', 'what the file says is not in the text', '-dvtf -t: --force-recreate --no-deps --build --scale: --remove-orphans --volumes -v --pull: --wait --detach --no-build --timeout: --rmi:')),
    exec,
  },
};

/** Programs that run containers. */
export const containers: ProgramTable = {
  ...same('docker podman nerdctl', { options: '-l: --log-level: -H! --host! --context! -c! --config! --tlsverify+ --url! --connection!', verbs: { ...common, compose } }),
  'docker-compose': compose,
  crictl: {
    options: '-r! --runtime-endpoint! -D --timeout: -t:',
    verbs: { ...same('ps pods images stats statsp info version inspect inspecti inspectp imagefsinfo', reads('-aqov -o: --all --name: --state: --label: --quiet --output: --namespace: --pod: --no-trunc --id: --latest')), logs: reads('-ftp --tail: --since: --previous --timestamps'), rmi: { options: '-q --prune -a+', operands: ['plus'] }, ...same('stop stopp rm rmp pull', weighs('containers', 'it stops or removes containers')), exec: { ...exec, options: '-its --timeout:' } },
  },
  helm: {
    options: '-n: --namespace: --kube-context:known --debug --kubeconfig! --kube-apiserver! --kube-token! --kube-as-user! --kube-insecure-skip-tls-verify! --registry-config! --repository-config!',
    verbs: {
      ...same('list ls status history version', reads('-aAqo -o: --all --all-namespaces --max: --filter: --revision: --show-resources --show-desc --short --failed --pending --deployed --output: -f: -m: --time-format:')),
      rollback: { options: '--wait --timeout: --cleanup-on-fail --history-max: --force+ --recreate-pods+ --no-hooks+ --dry-run', operands: ['name', 'number'], judge: (use) => void (use.operands.length !== 2 && use.object(use.position, plus('objects', 'to which revision it goes back is not in the text', 'Write RELEASE REVISION.'))) },
      get: { verbs: { notes: reads('--revision:'), ...same('values manifest hooks all metadata', weighs('secret', 'what it shows can hold secrets', '-o: -a --revision: --all')) } },
      ...same('upgrade install uninstall delete template test repo dependency search show pull lint', weighs('chart', 'what the chart does is not in the text', '-if -f: --set:plus --set-string:plus --version: --reuse-values --atomic --wait --timeout: --install --values: --keep-history --create-namespace --repo:plus --dry-run --post-renderer! --no-hooks')),
    },
    otherwise: deny('helm', 'it can run programs of others', 'Use list, status, history or rollback.'),
  },
  virtctl: { options: '-n: --namespace:', verbs: { version: {}, ...same('guestosinfo fslist userlist', reads('')), ...same('start stop restart pause migrate addvolume removevolume', weighs('machine', 'it changes a virtual machine', '--volume-name: --persist --force --grace-period:')) }, },
};
