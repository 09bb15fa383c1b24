import { deny, plus } from '../notes.js';
import { same, type Call, type ProgramRule, type ProgramTable } from '../program-rule.js';
import { isKnown, COMPUTED, type Word } from '../words.js';

const wraps = (options: string, before: ProgramRule['operands'] = []): ProgramRule => ({ options, operands: [...before, 'command'] });

/** `env` sets variables before the command, and prints all of them where there is none. */
function judgeEnv(words: readonly Word[], call: Call): void {
  const rest = [...words];
  while (rest[0] !== undefined && rest[0].text.startsWith('-')) {
    const option = rest.shift();
    if (option?.text === '-u') rest.shift();
    else if (!/^(-i|--ignore-environment|--|-u.+)$/.test(option?.text ?? '')) call.object(option?.position ?? call.position, deny('option', 'env takes the command out of one text', 'Write the command itself.'));
  }
  while (rest[0] !== undefined && /^[A-Za-z_]\w*=/.test(rest[0].text)) {
    const setting = rest.shift();
    const name = setting?.text.split('=')[0] ?? '';
    if (!/^(LC_\w+|LANG|TZ|TERM|NO_COLOR|PG\w+|DEBIAN_FRONTEND)$/.test(name)) call.object(setting?.position ?? call.position, /^(PATH|LD_|BASH|ENV$|IFS|HOME|GIT_|\w*PAGER|\w*EDITOR|PYTHON|PERL|RUBY|NODE_|KUBECONFIG|\w*PROXY|\w*proxy)/.test(name) ? deny('variable', `${name} decides what a program runs, loads or trusts`, 'Leave it out.') : plus('variable', `no rule knows what a program does with ${name}`, 'Leave it out, or let two people look at it.'));
  }
  if (rest.length === 0) return call.object(call.position, deny('environment', 'it prints every variable of the environment, which is where secrets are', 'Print the one that you need.'));
  call.run(rest);
}

/** `xargs` adds words from a pipe, which nobody can see here. */
function judgeXargs(words: readonly Word[], call: Call): void {
  let at = 0;
  let mark: string | undefined;
  for (; at < words.length; at += 1) {
    const text = words[at]?.text ?? '';
    if (!text.startsWith('-')) break;
    if (/^-[IJ]$/.test(text)) mark = words[(at += 1)]?.text;
    else if (/^-I./.test(text)) mark = text.slice(2);
    else if (/^-[nPLsdE]$|^--(max-args|max-procs|delimiter|max-lines)$/.test(text)) at += 1;
    else if (!/^-([0rtxi]+|[nPLds].+)$|^--(null|no-run-if-empty|verbose|max-args=.*|max-procs=.*|delimiter=.*)$/.test(text)) call.object(words[at]?.position ?? call.position, deny('option', 'xargs takes its words from elsewhere, or asks', 'Give it a pipe.'));
  }
  const command = words.slice(at);
  if (command.length === 0) return;
  const given: Word = { text: COMPUTED, position: call.position, isPattern: false, isSpread: true };
  const text = mark;
  call.run(text === undefined ? [...command, given] : command.map((word) => (text !== '' && word.text.includes(text) ? { ...word, text: word.text.replaceAll(text, COMPUTED) } : word)));
}

/** A shell runs a text that stands in the script, which is judged, or something else, which cannot be. */
function judgeShell(words: readonly Word[], call: Call): void {
  const at = words.findIndex((word) => !/^-[euxlo]+$|^(pipefail|errexit|nounset)$/.test(word.text));
  const first = at < 0 ? undefined : words[at];
  const isText = first !== undefined && /^-[euxl]*c[euxl]*$/.test(first.text);
  const text = isText ? words[at + 1] : undefined;
  if (isText) {
    if (text === undefined || !isKnown(text.text)) return call.object(first.position, deny('hiddenScript', 'it runs text that nobody can see here', 'Write the commands themselves.'));
    return call.runText(text.text, text.position);
  }
  if (first === undefined || /^(-s|-|--|\/dev\/stdin)$/.test(first.text)) {
    if (call.input.kind === 'text' && isKnown(call.input.text)) return call.runText(call.input.text, call.position);
    return call.object(call.position, deny('hiddenScript', call.input.kind === 'none' ? 'it opens a shell, and what is typed into it is not in the text' : 'it runs what comes in, which nobody can see here', 'Write the commands themselves.'));
  }
  if (!first.text.startsWith('-') && isKnown(first.text) && !/^(\/tmp|\/var\/tmp|\/dev|\/proc|~|\/home)/.test(first.text)) return call.object(first.position, plus('scriptFile', 'what the script file does is not in the text', 'Write its commands here.'));
  call.object(first.position, deny('hiddenScript', 'it runs what nobody can see here', 'Write the commands themselves.'));
}

/** Other languages are judged where they are steps of their own. */
function judgeInterpreter(words: readonly Word[], call: Call): void {
  const [first] = words;
  if (words.length === 1 && first !== undefined && /^(-V|-v|--version)$/.test(first.text)) return;
  const isInline = words.some((word) => /^-[a-zA-Z]*[cermnpE]$|^--(eval|exec|print|run)/.test(word.text)) || first === undefined || first.text === '-';
  call.object(call.position, isInline ? deny('inlineCode', `code of ${call.program} inside of a shell script is not inspected`, 'Make it a step of its own.') : plus('scriptFile', 'what the file does is not in the text', 'Make it a step of its own.'));
}

/** Programs that run other programs. */
export const wrappers: ProgramTable = {
  ...same('sudo', { options: '-nEHSk -u:known --user:known -i! -s! --login! --shell! -E+ --preserve-env? -n --non-interactive -e! -l', operands: ['command']}),
  nohup: wraps(''),
  nice: wraps('-n: -# --adjustment:'),
  ionice: wraps('-tc -c: -n: -p+ --class:'),
  timeout: wraps('-vk -k: -s: --kill-after: --signal: --preserve-status --foreground', ['text']),
  stdbuf: wraps('-o: -e: -i:'),
  setsid: wraps('-wfc --wait'),
  unbuffer: wraps('-p'),
  chrt: { weight: plus('priority', 'it takes the processor from others', 'Use nice.'), operands: ['text', 'command'] },
  taskset: wraps('-c -p+', ['text']),
  time: wraps('-pv -f: -o:plus'),
  flock: { options: '-nxsuoe -w: -c:shell -E: --nonblock --wait: --timeout: --exclusive --shared', operands: ['write', 'command'] },
  watch: { options: '-dnteb -n: --interval: -t --no-title -d? -x', operands: ['text'], judge: (use) => {
    // It hands its words to a shell, as one text.
    const text = use.operands.map((word) => word.text).join(' ');
    if (isKnown(text)) use.runText(text, use.position);
    else use.object(use.position, deny('hiddenScript', 'it hands text to a shell that nobody can see here', 'Use a loop.'));
  } },
  env: { judgeWords: judgeEnv },
  xargs: { judgeWords: judgeXargs },
  ...same('bash sh dash ash zsh ksh mksh', { judgeWords: judgeShell }),
  ...same('python python2 python3 perl ruby node nodejs php lua deno tclsh Rscript java groovy jshell julia', { judgeWords: judgeInterpreter }),
  busybox: { judgeWords: (words, call) => (words.length === 0 ? undefined : call.run(words)) },
};
