import { deny, plus } from '../notes.js';
import { same, type Call, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { isKnown, type Word } from '../words.js';

const reads = (options = '', operands: ProgramRule['operands'] = ['text']): ProgramRule => ({ options, operands });
const weighs = (rule: string, reason: string, options = ''): ProgramRule => ({ weight: plus(rule, reason, 'Let two people look at it.'), options, operands: ['text'] });
const lost = (options = ''): ProgramRule => weighs('git', 'what is not committed, or what others have, is lost', options);

const looks = '-pnvszqai1 -n: -p -U: --stat --oneline --graph --all --decorate? --name-only --name-status --cached --staged --numstat --shortstat --since: --until: --author: --grep: --format: --pretty? --no-color --color? --short --porcelain? --branch --reverse --max-count: --follow --no-merges --merges --abbrev-commit --show-current -# -l --list --contains: -r -a -vv --verbose --tags --always --dirty? --abbrev? --abbrev-ref --show-toplevel --verify --quiet --is-inside-work-tree --heads --left-right --count --sort: --points-at:';

const git: ProgramRule = {
  options: '-C:list --no-pager --version -c! --exec-path! --git-dir! --work-tree! -p+ --paginate+ --config-env! --namespace:plus',
  verbs: {
    ...same('status log show diff blame shortlog describe rev-parse rev-list ls-files ls-tree ls-remote cat-file merge-base name-rev reflog', { options: `${looks} --no-index! --output! --ext-diff! --textconv! --upload-pack!`, operands: ['text'], judge: judgePaths }),
    ...same('branch tag', { options: `${looks} -d+ -D! -f+ -m+ -M+ --delete+ --force+ -c+`, operands: ['text'], judge: (use) => void (use.operands.length > 0 && !['-l', '--list', '--contains', '--points-at'].some((name) => use.options.has(name)) && use.object(use.position, plus('git', 'it makes a branch or tag', 'List them only.'))) }),
    remote: { options: '-v', verbs: { show: reads('-n', ['name']), 'get-url': reads('', ['name']) }, judge: () => undefined },
    stash: { verbs: { list: reads(looks), show: reads(looks), ...same('drop clear pop apply push', lost()) } },
    fetch: { options: '-pqtv --all --prune --tags --quiet --depth: --upload-pack!', operands: ['known'], judge: judgePaths },
    ...same('reset clean checkout restore switch revert merge rebase cherry-pick pull commit add rm mv worktree submodule gc prune clone init bisect am apply', lost('-fdxqbBasmnWS -m: --hard --soft --mixed --merge --keep --force --all --staged --worktree --source: --ff-only --abort --continue --no-edit --depth: --branch: --upload-pack! --unsafe-paths! --exec!')),
    push: { options: '-fuqn --force+ --force-with-lease? --tags --delete+ -d+ --all+ --mirror! --set-upstream --force-if-includes --receive-pack!', weight: plus('git', 'others get what it pushes', 'Let two people look at it.'), operands: ['text'] },
  },
  otherwise: plus('git', 'no rule knows what git does then', 'Use a verb that reads.'),
};

function judgePaths(use: Use): void {
  for (const word of use.operands) {
    if (/:(:|\/\/)|^-|^\+/.test(word.text) || (/ (fetch|ls-remote)$/.test(use.program) && /[:/]/.test(word.text))) use.object(word.position, deny('git', 'it speaks to another repository, which can run a command', 'Name a remote that is configured.'));
    if (/^\/|^~|(^|\/)\.\.\//.test(word.text)) use.object(word.position, plus('git', 'it reads a path outside of the repository', 'Name a path inside.'));
  }
}

// What a cloud is told: the words are SERVICE VERB, or SERVICE … VERB; those that only look begin or end in one of these.
const lookVerb = /^(describe|list|get|head|ls|show|status|lookup|estimate|check|validate|batch-get|view|filter|query|tail|read)(-[a-z0-9-]+)?$/;
const secretWords = /secret|credential|password|token|key|login|session-token|get-parameter|ssm|kms|sts|auth|iam-?user|access|user-data|console-output|authorization|userdata|^get-object|^get-function$|^get-export|^get-session|^ssh|^scp/i;
// What may stand before the verb: things, by their plural or as the cloud calls them.
const group = /^(?!(status|ls|rows|access|process)$)[a-z][a-z0-9-]*s$|^(compute|container|sql|logging|run|app|vm|vmss|aks|network|webapp|monitor|storage|account|disk|postgres|mysql|redis|acr|dns|pubsub|beta|alpha|server|cluster|instance|pool|nodepool|flexible-server|lb|metrics|activity-log|resource|group)$/;

const cloud =
  (program: string) =>
  (words: readonly Word[], call: Call): void => {
    const told = words.filter((word, index) => !word.text.startsWith('-') && !(words[index - 1]?.text.startsWith('--') === true && words[index - 1]?.text.includes('=') === false));
    const [service, ...rest] = told;
    if (service === undefined) return;
    const verbs = program === 'aws' ? rest.slice(0, 1) : rest;
    for (const word of words) {
      if (/^(file|fileb|https?):\/\//.test(word.text.replace(/^--[\w-]+=/, ''))) call.object(word.position, plus('cloud', 'what it is told stands in another file', 'Write it out.'));
      if (/^--(endpoint-url|cli-input|no-verify-ssl|ca-bundle|impersonate|account|access-token|configuration|cli-binary|no-sign|debug|flags-file)/.test(word.text)) call.object(word.position, deny('cloud', 'it speaks to another cloud, or as somebody else', 'Leave it out.'));
      if (/^--query$|^--output$/.test(word.text)) continue;
    }
    if ([service, ...verbs].some((word) => secretWords.test(word.text) || !isKnown(word.text))) return call.object(service.position, plus('secret', 'it can show or change what gives access', 'Let two people look at it.'));
    const at = program === 'aws' ? 0 : verbs.findIndex((word) => !group.test(word.text));
    const verb = verbs[at];
    if (verb !== undefined && lookVerb.test(verb.text)) return;
    const isWide = verb !== undefined && /^(rb|delete-(bucket|db|cluster|table|stack|vpc|project|domain|volume|snapshot|repository))/.test(verb.text);
    if (isWide || (verb !== undefined && /^(projects|organizations|buckets|databases|clusters|group)$/.test(service.text))) return call.object(service.position, deny('cloud', 'it destroys a whole resource with all that is in it', 'Leave it to the people who own it.'));
    call.object(service.position, plus('cloud', 'it changes resources of the cloud', 'Let two people look at it.'));
  };

/** Programs that speak to platforms: repositories, clouds, packages. */
export const platforms: ProgramTable = {
  git,
  ...Object.fromEntries(['aws', 'gcloud', 'az', 'doctl', 'ibmcloud', 'oci'].map((name) => [name, { judgeWords: cloud(name) }])),
  ...same('terraform tofu', {
    isSingle: true,
    options: '-chdir:list',
    verbs: { ...same('version validate show output providers graph', { isSingle: true, options: '-json -no-color', operands: ['text'] }), state: { isSingle: true, verbs: { list: { operands: ['text'] }, ...same('rm mv push pull show', weighs('terraform', 'it changes or shows what terraform knows')) } }, ...same('plan init refresh fmt', { isSingle: true, weight: plus('terraform', 'it runs what the configuration names', 'Let two people look at it.'), options: '-no-color -out: -input: -var: -var-file: -lock: -target: -refresh-only', operands: ['text'] }), ...same('apply', { isSingle: true, weight: plus('terraform', 'what the configuration says is not in the text', 'Let two people look at it.'), options: '-auto-approve -target: -input: -no-color -replace: -var:', operands: ['text'] }), destroy: { isSingle: true, weight: deny('terraform', 'it destroys all that the configuration made', 'Name one resource to people.'), options: '-auto-approve -target:', operands: ['text'] } },
  }),
  ...same('apt apt-get dnf yum apk zypper', { options: '-yqsv --yes --quiet', verbs: { ...same('list show search policy info check-update repolist history', { options: '--installed --upgradable -a', operands: ['name'] }) }, otherwise: plus('packages', 'it installs or removes programs, and runs what they bring', 'Let two people look at it.') }),
  'apt-cache': { verbs: same('policy show search madison depends rdepends', { options: '-n', operands: ['name'] }) },
  ...same('npm yarn pnpm bun', { options: '--silent -s --version -v --prefix! -C! --cwd!', verbs: { ...same('ls list outdated view info why', { options: '-g --depth: --json --all --long --omit: --prod', operands: ['name'] }), version: {}, audit: { options: '--json --audit-level: --omit:', operands: ['plus'] }, ping: {} }, otherwise: plus('packageScript', 'what the package runs is not in the text', 'Write its commands here.') }),
  ...same('dpkg dpkg-query', { options: '-lsLSW -f: -l -s --list --status --get-selections', operands: ['text'] }),
  rpm: { options: '-qailfRVec -q -a --query --all --changelog --last --qf: --queryformat:plus -e+ -i -U+ --eval! -E! --install+ -h', operands: ['text'], judge: (use) => void (!use.options.has('-q') && !use.options.has('--query') && use.object(use.position, plus('packages', 'it installs or removes programs', 'Let two people look at it.'))) },
  ...same('pip pip3', { verbs: { ...same('list show freeze check', { options: '--outdated --format:', operands: ['name'] }) }, otherwise: plus('packages', 'it installs programs, and runs what they bring', 'Let two people look at it.') }),
  ...same('ocm', { options: '', verbs: { list: { operands: ['text'] }, version: {}, whoami: {} } }),
  'ovn-appctl': { operands: ['text'], judge: (use) => {
    for (const word of use.operands) if (!/^[\w/-]*(status|list|show|version|get)[\w/-]*$/.test(word.text)) use.object(word.position, plus('verb', 'no rule knows it', 'Let two people look at it.'));
  } },
};
