import { many, type PythonNode, word } from './python-tree.js';
import { ANY, argument, asText, isContainer, isTimeFormat, join, NAME, pairs, text, toElements, toGlobbed, toName, toParent, unknown, type Value } from './value.js';

/** What an expression may be. */
type Follow = (node: PythonNode | undefined) => readonly Value[];

/** What a function of a module answers with. */
export function ofMemberCall(name: string, call: PythonNode, of: Follow, inner: (value: Value) => Value): readonly Value[] {
  const given = many(call, 'args');
  const [first, second] = given;
  switch (name) {
    case 'os.path.join':
    case 'pathlib.Path':
    case 'pathlib.PurePath':
    case 'pathlib.PosixPath': {
      const isPath = name !== 'os.path.join';
      if (given.some(({ kind }) => kind === 'Starred')) return [unknown];
      return given.map(of).reduce<readonly Value[]>((left, right) => pairs(left, right, (a, b) => join(a, b, isPath)), [text('', isPath)]);
    }
    // Digits only.
    case 'builtins.int':
    case 'os.getpid':
      return [text(NAME)];
    case 'os.path.dirname':
      return of(first).map((value) => (value.kind === 'text' ? text(toParent(value.text)) : unknown));
    case 'os.path.basename':
      return of(first).map((value) => (value.kind === 'text' ? text(toName(value.text)) : unknown));
    case 'os.path.abspath':
    case 'os.path.normpath':
    case 'os.path.realpath':
    case 'os.fspath':
    case 'os.path.expanduser':
      return of(first).map((value) => (value.kind === 'text' ? text(value.text) : unknown));
    case 'builtins.str':
      return given.length === 1 ? of(first).map((value) => text(asText(value))) : [unknown];
    case 'time.strftime':
      return of(first).map((form) => text(isTimeFormat(asText(form)) ? NAME : ANY));
    case 'os.listdir':
      return [{ kind: 'some', isOpen: false, of: [text(NAME)] }];
    case 'os.scandir':
      return of(first).map((folder) => ({ kind: 'some', isOpen: false, of: [join(folder, text(NAME), true)] }) as const);
    case 'os.walk':
      return of(first).map((top) => ({ kind: 'some', isOpen: false, of: [{ kind: 'list', isOpen: false, entries: [[top, join(top, text(NAME), false)], [{ kind: 'some', isOpen: false, of: [text(NAME)] }], [{ kind: 'some', isOpen: false, of: [text(NAME)] }]] }] }) as const);
    case 'glob.glob':
    case 'glob.iglob':
      return given.length === 1 ? of(first).map((pattern) => ({ kind: 'some', isOpen: false, of: [pattern.kind === 'text' ? text(toGlobbed(pattern.text)) : unknown] }) as const) : [unknown];
    case 'tempfile.mkdtemp':
    case 'tempfile.gettempdir':
      return many(call, 'keywords').some((keyword) => word(keyword, 'arg') === 'dir') ? [unknown] : [text(name.endsWith('mkdtemp') ? `/tmp/${NAME}` : '/tmp')];
    case 'tempfile.mkstemp':
      return ofTemporary(call, of).map((path) => ({ kind: 'list', isOpen: false, entries: [[unknown], [path]] }) as const);
    case 'tempfile.NamedTemporaryFile':
      return [{ kind: 'handle', path: ofTemporary(call, of) }];
    case 'tempfile.TemporaryDirectory':
      return ofTemporary(call, of);
    case 'builtins.open':
    case 'gzip.open':
    case 'io.open':
      return [{ kind: 'handle', path: of(first ?? argument(call, 0, 'file')) }];
    case 'builtins.sorted':
    case 'builtins.set':
    case 'builtins.list':
    case 'builtins.tuple':
    case 'builtins.reversed':
    case 'builtins.iter':
      return of(first).map((value) => (first !== undefined && isContainer(value) ? { kind: 'some', isOpen: true, of: toElements(value) } : unknown));
    case 'builtins.next':
    case 'builtins.min':
    case 'builtins.max':
      return given.length === 1 ? of(first).flatMap(toElements).map(inner) : [unknown];
    case 'builtins.enumerate':
      return of(first).map((value) => ({ kind: 'some', isOpen: false, of: [{ kind: 'list', isOpen: false, entries: [[unknown], toElements(value)] }] }) as const);
    case 'builtins.zip':
      return pairs(of(first), of(second), (a, b) => ({ kind: 'some', isOpen: false, of: [{ kind: 'list', isOpen: false, entries: [toElements(a), toElements(b)] }] }));
    default:
      return [unknown];
  }
}

/** They lie in /tmp, or in the folder that is named. */
function ofTemporary(call: PythonNode, of: Follow): readonly Value[] {
  if (many(call, 'keywords').some((keyword) => word(keyword, 'arg') === undefined)) return [unknown];
  const folder = argument(call, 99, 'dir');
  return (folder === undefined ? [text('/tmp')] : of(folder)).map((value) => join(value, text(NAME), false));
}

/** What a method of a value answers with. */
export function ofMethodCall(object: Value, name: string, given: readonly PythonNode[], of: Follow, inner: (value: Value) => Value): readonly Value[] {
  if (object.kind === 'dict') {
    const [keys, values] = [object.entries.flatMap(([key]) => key), object.entries.flatMap(([, value]) => value)];
    if (name === 'items') return [{ kind: 'some', isOpen: false, of: object.entries.map(([key, value]) => ({ kind: 'list', isOpen: false, entries: [key, value] })) }];
    if (name === 'keys') return [{ kind: 'some', isOpen: false, of: keys }];
    if (name === 'values') return [{ kind: 'some', isOpen: false, of: values }];
    if (name === 'get') return [...values.map(inner), ...of(given[1])];
  }
  if (object.kind !== 'text') return [unknown];
  if (!object.isPath) {
    if (name === 'encode' || name === 'decode') return [object];
    // Which ones are filled in is not followed; what stands around them is.
    if (name === 'format') return [text(object.text.replace(/\{[^{}]*\}/g, ANY))];
    return [unknown];
  }
  switch (name) {
    case 'glob':
    case 'rglob':
    case 'iterdir': {
      const pattern = name === 'iterdir' ? [text(NAME)] : of(given[0]);
      return pattern.map((part) => ({ kind: 'some', isOpen: false, of: [part.kind === 'text' ? join(object, text(name === 'rglob' ? `${NAME}/${toGlobbed(part.text)}` : toGlobbed(part.text)), true) : unknown] }) as const);
    }
    case 'joinpath':
      return given.map(of).reduce<readonly Value[]>((left, right) => pairs(left, right, (a, b) => join(a, b, true)), [object]);
    case 'with_suffix':
      return of(given[0]).map((suffix) => text(object.text.replace(/(?<=[^/])\.[^./]*$/, '') + asText(suffix), true));
    case 'with_name':
      return of(given[0]).map((own) => join(text(toParent(object.text)), own, true));
    case 'resolve':
    case 'absolute':
    case 'expanduser':
    case 'rename':
      return [object];
    case 'as_posix':
      return [text(object.text)];
    default:
      return [unknown];
  }
}
