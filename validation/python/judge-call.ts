import type { Bindings } from './bindings.js';
import { pathMethods } from './attributes.js';
import { type Command, judgeCommand } from './judge-command.js';
import { judgePaths } from './judge-path.js';
import { type Effect, toEffect } from './modules.js';
import { many, one, type PythonNode, toText, word } from './python-tree.js';
import type { Remarks } from './remarks.js';
import { argument, NAME, type Value } from './value.js';
import type { Values } from './values.js';

const HEALTH = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?\/(?:-\/|actuator\/|api\/|_)?(?:health[a-z]*|live[a-z]*|ready[a-z]*|status|ping|metrics)(?:\/(?:live|ready|liveness|readiness))?$/;
const ADDRESS = /^https?:\/\/(?:[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?(?:\/[\w./%?&=+~,:-]*)?$/i;
const METADATA = /^https?:\/\/(?:169\.254\.|metadata|instance-data|100\.100\.100\.200|fd00:)/i;

const mostAllowed: ReadonlyMap<string, number> = new Map([
  ['time.sleep', 3_600],
  ['builtins.range', 100_000_000],
  ['builtins.bytes', 100_000_000],
  ['builtins.bytearray', 100_000_000],
]);

/** Judges one call, and answers with the commands that it runs. */
export function judgeCall(call: PythonNode, values: Values, bindings: Bindings, remarks: Remarks): readonly Command[] {
  const called = one(call, 'func');
  const targets = values.of(called);
  if (called?.kind === 'Attribute') judgeMethod(call, called, values, remarks);
  return targets.flatMap((target): readonly Command[] => {
    if (target.kind === 'member') return judgeEffect(toEffect(target.module, target.name), target, call, values, remarks);
    const isKnown = target.kind === 'own' || called?.kind === 'Attribute';
    if (!isKnown) remarks.plus('unknownCall', call, 'what is called here cannot be followed', 'Call a function by the name under which it is defined or imported.');
    return [];
  });
}

function judgeEffect(effect: Effect, { module, name }: Extract<Value, { kind: 'member' }>, call: PythonNode, values: Values, remarks: Remarks): readonly Command[] {
  const isSpread = many(call, 'args').some(({ kind }) => kind === 'Starred') || many(call, 'keywords').some((keyword) => word(keyword, 'arg') === undefined);
  if (isSpread && !['pure', 'plus', 'never'].includes(effect.kind)) {
    remarks.plus('unknownArguments', call, `what ${name} is given cannot be followed`, 'Write its arguments one by one.');
    return [];
  }
  switch (effect.kind) {
    case 'pure':
      if (module === 'builtins' && name === 'type' && many(call, 'args').length !== 1) remarks.never('dynamicClass', call, 'it makes a class while it runs, which no rule can read', 'Write the class with the word class.');
      judgeAmount(`${module}.${name}`, call, values, remarks);
      return [];
    case 'paths':
      for (const [place, argumentName, use] of effect.uses) {
        const given = argument(call, place, argumentName);
        // A place that no call has is for what may be left out.
        if (given !== undefined || place < 9) judgePaths(given === undefined ? [{ kind: 'unknown' }] : values.of(given), use, call, remarks);
      }
      return [];
    case 'open':
      judgeOpen(call, values.of(argument(call, 0, 'file') ?? argument(call, 0, 'filename')), argument(call, 1, 'mode'), values, remarks);
      return [];
    case 'chmod':
      judgePaths(values.of(argument(call, 0, 'path')), 'write', call, remarks);
      judgeMode(values.of(argument(call, 1, 'mode')), call, remarks);
      return [];
    case 'link':
      judgePaths(values.of(argument(call, 0, 'src')), 'write', call, remarks);
      judgePaths(values.of(argument(call, 1, 'dst')), 'write', call, remarks);
      return [];
    case 'command':
      return judgeCommand(call, effect.how, values, remarks);
    case 'fetch':
      judgeFetch(call, values, remarks);
      return [];
    case 'temporary':
      judgeTemporary(call, values, remarks);
      return [];
    case 'environment':
      return [];
    case 'plus':
      remarks.plus('unknownFunction', call, effect.because, `Do without ${module}.${name}, or have two people look.`);
      return [];
    case 'never':
      remarks.never('forbiddenFunction', call, effect.because, `Do without ${module}.${name}.`);
      return [];
  }
}

/** Of what is harmless, there can be too much. */
function judgeAmount(name: string, call: PythonNode, values: Values, remarks: Remarks): void {
  const most = mostAllowed.get(name);
  const numbers = many(call, 'args').flatMap((given) => values.of(given)).flatMap((value) => (value.kind === 'number' ? [value.number] : []));
  if (most !== undefined && numbers.some((number) => Math.abs(number) > most)) remarks.plus('amount', call, `it goes on or grows beyond all use: ${name} is given more than ${most}`, 'Ask for less.');
  const isEndless = name === 'builtins.iter' && many(call, 'args')[1] !== undefined && toText(many(call, 'args')[1]) === undefined;
  if (isEndless || name === 'itertools.count' || name === 'itertools.cycle' || (name === 'itertools.repeat' && argument(call, 1, 'times') === undefined)) remarks.plus('endless', call, 'nothing says that it ends', 'Write a loop that counts, or ends at a deadline.');
}

function judgeOpen(call: PythonNode, paths: readonly Value[], mode: PythonNode | undefined, values: Values, remarks: Remarks): void {
  const modes = mode === undefined ? ['r'] : values.of(mode).map((value) => (value.kind === 'text' ? value.text : ''));
  if (modes.includes('')) remarks.plus('openMode', call, 'whether it reads or writes cannot be followed', 'Write the mode as a constant.');
  const opener = many(call, 'keywords').find((keyword) => word(keyword, 'arg') === 'opener');
  if (opener !== undefined) remarks.never('opener', opener, 'another function opens the file, by whatever path', 'Leave opener out.');
  for (const use of new Set(modes.map((letters) => (/^r[bt]*$/.test(letters) ? 'read' : 'write')))) judgePaths(paths, use, call, remarks);
}

function judgeTemporary(call: PythonNode, values: Values, remarks: Remarks): void {
  if (many(call, 'args').length > 1) remarks.plus('unknownArguments', call, 'where it makes the file cannot be followed', 'Name the arguments, as in dir=.');
  for (const keyword of many(call, 'keywords')) {
    const name = word(keyword, 'arg');
    if (name === 'dir') judgePaths(values.of(one(keyword, 'value')).map((folder) => (folder.kind === 'text' ? { ...folder, text: `${folder.text}/${NAME}` } : folder)), 'write', call, remarks);
    const isPart = (name === 'prefix' || name === 'suffix') && !values.of(one(keyword, 'value')).every((part) => part.kind === 'text' && /^[\w.-]*$/.test(part.text));
    if (isPart) remarks.plus('unknownPath', keyword, 'the name of the file may lead to another folder', 'Write it as a constant without a slash.');
  }
}

function judgeMode(modes: readonly Value[], call: PythonNode, remarks: Remarks): void {
  for (const mode of modes) {
    if (mode.kind !== 'number') remarks.plus('mode', call, 'which rights it gives cannot be followed', 'Write them as a number, such as 0o644.');
    else if ((mode.number & 0o7000) !== 0) remarks.never('mode', call, 'whoever runs the file would become its owner', 'Give no more than 0o755.');
    else if ((mode.number & 0o022) !== 0) remarks.plus('mode', call, 'others than the owner could write the file', 'Give no more than 0o755.');
  }
}

function judgeFetch(call: PythonNode, values: Values, remarks: Remarks): void {
  const hasMore = many(call, 'args').length > 1 || many(call, 'keywords').some((keyword) => !['url', 'timeout'].includes(word(keyword, 'arg') ?? ''));
  for (const address of values.of(argument(call, 0, 'url'))) {
    if (address.kind === 'text' && HEALTH.test(address.text) && !hasMore) continue;
    if (address.kind === 'text' && (!ADDRESS.test(address.text) || METADATA.test(address.text))) {
      remarks.never('address', call, 'the address is not a plain one of a host, or is where machines keep their credentials', 'Write http:// or https://, a host by its name, a port and a path.');
    } else {
      remarks.plus('network', call, 'it speaks with another service, which may change or learn something by it', 'Ask only for the health or the metrics of a service of this host.');
    }
  }
}

function judgeMethod(call: PythonNode, called: PythonNode, values: Values, remarks: Remarks): void {
  const name = word(called, 'attr') ?? '';
  const objects = values.of(one(called, 'value')).filter(({ kind }) => kind !== 'module' && kind !== 'member');
  if (objects.length === 0) return;
  const paths = objects.map((object): Value => (object.kind === 'text' && object.isPath ? object : { kind: 'unknown' }));
  const named = many(call, 'keywords').find((keyword) => ['target', 'filenames'].includes(word(keyword, 'arg') ?? ''));
  const first = many(call, 'args')[0] ?? one(named, 'value');
  const method = pathMethods.get(name);
  if (method !== undefined) {
    judgePaths(paths, method.use, call, remarks);
    if (method.other !== undefined) judgePaths(values.of(first), method.other, call, remarks);
  } else if (name === 'open') {
    judgeOpen(call, paths, argument(call, 0, 'mode'), values, remarks);
  } else if (name === 'chmod') {
    judgePaths(paths, 'write', call, remarks);
    judgeMode(values.of(argument(call, 0, 'mode')), call, remarks);
  } else if (name === 'replace' && (named !== undefined || (many(call, 'args').length === 1 && many(call, 'keywords').length === 0)) && !objects.every((object) => object.kind === 'text' && !object.isPath)) {
    judgePaths(paths, 'write', call, remarks);
    judgePaths(values.of(first), 'write', call, remarks);
  } else if (name === 'read' && first !== undefined && !values.of(first).every(({ kind }) => kind === 'number')) {
    // A configuration reads the file that it is given by name.
    judgePaths(values.of(first).flatMap((path) => (path.kind === 'list' ? path.entries.flat() : [path])), 'read', call, remarks);
  }
}
