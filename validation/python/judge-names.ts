import { isHiddenDoor, isPlainVariable, pathMethods, plainAttributes, plainDunders } from './attributes.js';
import type { Bindings } from './bindings.js';
import { builtins, modules, neverModules, toEffect } from './modules.js';
import { many, one, type PythonNode, word } from './python-tree.js';
import type { Remarks } from './remarks.js';
import { argument, type Value } from './value.js';
import type { Values } from './values.js';

const isDunder = (name: string): boolean => name.startsWith('__');
/** They do something with a file, or read attributes by name, so it matters on what they are called. */
const actsWhenCalled = (name: string): boolean => pathMethods.has(name) || ['open', 'chmod', 'replace', 'read', 'format'].includes(name);

/** Judges one import. */
export function judgeImport(node: PythonNode, remarks: Remarks): void {
  const from = word(node, 'module');
  if (node.kind === 'ImportFrom' && (from === undefined || node.fields['level'] !== 0)) {
    remarks.never('import', node, 'it imports a file that lies beside the script', 'Import modules of Python itself.');
    return;
  }
  for (const alias of many(node, 'names')) {
    const name = word(alias, 'name') ?? '';
    const module = from ?? name;
    const forbidden = neverModules.get(module) ?? neverModules.get(module.split('.')[0] ?? '');
    if (forbidden !== undefined) remarks.never('forbiddenModule', node, `${module}: ${forbidden}`, `Do without ${module}.`);
    else if (!modules.has(module)) remarks.plus('unknownModule', node, `no rule knows what the module ${module} does`, 'Use what Python brings, such as json, pathlib, re and subprocess.');
    else if (name === '*') remarks.never('starImport', node, 'it gives names a meaning that the text does not tell', `Import what is used of ${module} by its name.`);
    else if (from !== undefined && !modules.has(`${from}.${name}`)) judgeMember(from, name, node, remarks);
    const own = word(alias, 'asname');
    if (own !== undefined && isDunder(own)) remarks.never('dunder', node, `it changes what ${own} is`, 'Give it another name.');
  }
}

/** What is called is judged where it is called. Here only whether a module has it at all. */
function judgeMember(module: string, name: string, node: PythonNode, remarks: Remarks): void {
  const effect = toEffect(module, name);
  if (effect.kind === 'never') remarks.never('forbiddenFunction', node, effect.because, `Do without ${module}.${name}.`);
  if (effect.kind === 'plus') remarks.plus('unknownFunction', node, effect.because, `Do without ${module}.${name}, or have two people look.`);
}

/** Judges a name where it stands for something. */
export function judgeName(node: PythonNode, values: Values, bindings: Bindings, remarks: Remarks): void {
  const name = word(node, 'id') ?? '';
  const isLoad = one(node, 'ctx')?.kind === 'Load';
  if (isDunder(name) && !(isLoad ? plainDunders.has(name) : /^__(?:version|author|slots)__$/.test(name))) {
    remarks.never('dunder', node, `from ${name} everything can be reached or changed`, `Do without ${name}.`);
  } else if (isLoad && !bindings.names.has(bindings.keyOf(name, node)) && !builtins.has(name) && !isDunder(name)) {
    remarks.never('unknownName', node, `nothing in the text says what ${name} is`, 'Define or import it.');
  } else if (isLoad) {
    judgeUse(node, values, bindings, remarks);
  }
}

/** Judges an attribute, of whatever object. */
export function judgeAttribute(node: PythonNode, values: Values, bindings: Bindings, dynamic: ReadonlySet<string>, remarks: Remarks): void {
  const name = word(node, 'attr') ?? '';
  const object = one(node, 'value');
  const objects = values.of(object);
  const isLoad = one(node, 'ctx')?.kind === 'Load';
  const parent = bindings.parents.get(node);
  const isCalled = parent?.kind === 'Call' && one(parent, 'func') === node;
  const isSuper = object?.kind === 'Call' && word(one(object, 'func'), 'id') === 'super' && name === '__init__';
  if (isHiddenDoor(name) || (isDunder(name) && !plainDunders.has(name) && !isSuper)) {
    remarks.never('dunder', node, `from ${name} everything can be reached`, `Do without ${name}.`);
  } else if (!isLoad && objects.some(({ kind }) => kind === 'module' || kind === 'member')) {
    remarks.never('patch', node, 'it changes what a module does, for all that comes after', 'Write a function of your own.');
  } else if (isLoad && (name === 'format' || name === 'format_map')) {
    judgeFormat(node, objects, isCalled, remarks);
  } else if (isLoad && actsWhenCalled(name) && !isCalled && !(name === 'read' && objects.every(({ kind }) => kind === 'handle'))) {
    remarks.plus('methodAsValue', node, `what ${name} will be called with cannot be followed`, `Call ${name} where its object is.`);
  }
  for (const { kind, ...of } of objects) {
    if (kind === 'module' && 'name' in of) {
      if (!modules.has(`${of.name}.${name}`) && modules.has(of.name)) judgeMember(of.name, name, node, remarks);
      if (!modules.has(of.name) && toEffect(of.name, name).kind === 'never') judgeMember(of.name, name, node, remarks);
    } else if (kind === 'member' && 'module' in of && toEffect(of.module, of.name).kind === 'pure' && pathMethods.has(name)) {
      remarks.plus('methodAsValue', node, `which file ${name} is about cannot be followed`, `Call ${name} of a path.`);
    }
  }
  const isData = objects.some((value) => value.kind !== 'module' && !(value.kind === 'member' && toEffect(value.module, value.name).kind !== 'pure'));
  const isKnown = plainAttributes.has(name) || actsWhenCalled(name) || bindings.attributes.has(name) || dynamic.has(name) || isDunder(name) || name === 'format_map';
  if (isLoad && isData && !isKnown) remarks.plus('unknownAttribute', node, `no rule knows what ${name} does`, 'Use what the objects of Python have, or functions of your own.');
  if (isLoad) judgeUse(node, values, bindings, remarks);
}

function judgeFormat(node: PythonNode, objects: readonly Value[], isCalled: boolean, remarks: Remarks): void {
  for (const object of objects) {
    if (object.kind !== 'text' || !isCalled) remarks.plus('format', node, 'the form that it fills in cannot be followed, and could read attributes', 'Write an f-string, or a constant form.');
    else if (/\{[^{}]*[.[][^{}]*/.test(object.text.replace(/:[^{}]*/g, ''))) remarks.never('format', node, 'the form reads attributes of what it is given', 'Write an f-string.');
  }
}

/** A module, or a function that does something, may only be called, or be given another name. Anywhere else nobody could follow it. */
function judgeUse(node: PythonNode, values: Values, bindings: Bindings, remarks: Remarks): void {
  const parent = bindings.parents.get(node);
  const isFollowed =
    (parent?.kind === 'Call' && one(parent, 'func') === node) ||
    (parent?.kind === 'Attribute' && values.of(node).every(({ kind }) => kind === 'module')) ||
    (parent?.kind === 'Assign' && one(parent, 'value') === node && many(parent, 'targets').every(({ kind }) => kind === 'Name'));
  for (const value of values.of(node)) {
    if (value.kind === 'module' && !isFollowed) {
      remarks.never('moduleAsValue', node, `where the module ${value.name} goes cannot be followed`, 'Name the function of it that is meant.');
    } else if (value.kind === 'member') {
      const effect = toEffect(value.module, value.name);
      if (effect.kind === 'environment') judgeEnvironment(node, value.name, values, bindings, remarks);
      else if (effect.kind === 'pure' || isFollowed || value.module === 'os.path' || (parent?.kind === 'Attribute' && effect.kind === 'plus')) continue;
      else if (effect.kind === 'never' || (effect.kind === 'command' && effect.how === 'shell')) remarks.never('functionAsValue', node, `where ${value.name} goes, and what it will be called with, cannot be followed`, 'Call it by its name.');
      else remarks.plus('functionAsValue', node, `where ${value.name} goes, and what it will be called with, cannot be followed`, 'Call it by its name.');
    }
  }
}

/** Only single variables are read, by a constant name that says that they hold no secret. */
function judgeEnvironment(node: PythonNode, name: string, values: Values, bindings: Bindings, remarks: Remarks): void {
  const parent = bindings.parents.get(node);
  const above = parent === undefined ? undefined : bindings.parents.get(parent);
  const isGet = parent?.kind === 'Attribute' && word(parent, 'attr') === 'get' && above?.kind === 'Call' && one(above, 'func') === parent;
  const call = name === 'getenv' && parent?.kind === 'Call' && one(parent, 'func') === node ? parent : isGet ? above : undefined;
  const key = call !== undefined ? argument(call, 0, 'key') : name === 'environ' && parent?.kind === 'Subscript' ? one(parent, 'slice') : parent?.kind === 'Compare' ? one(parent, 'left') : undefined;
  const names = key === undefined ? [] : values.of(key).map((value) => (value.kind === 'text' ? value.text : ''));
  if (parent?.kind === 'Subscript' && one(parent, 'ctx')?.kind !== 'Load') {
    const isHarmless = names.length > 0 && names.every((variable) => /^[A-Z]/.test(variable) && !/^(?:LD_|PYTHON|BASH_|PATH$|ENV$|IFS$|SHELL)/.test(variable));
    remarks[isHarmless ? 'plus' : 'never']('environment', node, 'what it sets in the environment changes which code the programs run that it starts', 'Give a program its options by its words.');
  } else if (names.length === 0 || !names.every(isPlainVariable)) {
    remarks.plus('environment', node, 'it reads variables of the environment that may hold secrets', "Read single variables by a constant name, as in os.getenv('NAMESPACE').");
  }
}
