import { definableDunders } from './attributes.js';
import { type Bindings, collectBindings } from './bindings.js';
import { judgeCall } from './judge-call.js';
import type { Command } from './judge-command.js';
import { judgeAttribute, judgeImport, judgeName } from './judge-names.js';
import { everyNode, many, one, type PythonNode, toText, word, words } from './python-tree.js';
import type { Remarks } from './remarks.js';
import type { Value } from './value.js';
import { followValues, type Values } from './values.js';

/** What Python is made of, as far as these rules know it. A later Python has more, and that is denied. */
const known = new Set(
  `Module Expr Assign AnnAssign AugAssign For While If With Raise Try TryStar Assert Import ImportFrom Global Nonlocal Pass Break Continue Return Delete FunctionDef ClassDef Match match_case
  MatchValue MatchSingleton MatchSequence MatchMapping MatchClass MatchStar MatchAs MatchOr BoolOp NamedExpr BinOp UnaryOp Lambda IfExp Dict Set ListComp SetComp DictComp GeneratorExp Yield YieldFrom
  Compare Call FormattedValue JoinedStr Constant Attribute Subscript Starred Name List Tuple Slice comprehension ExceptHandler arguments arg keyword alias withitem Load Store Del And Or Add Sub Mult MatMult
  Div Mod Pow LShift RShift BitOr BitXor BitAnd FloorDiv Invert Not UAdd USub Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn`.split(/\s+/),
);
const asynchronous = new Set(['AsyncFunctionDef', 'AsyncFor', 'AsyncWith', 'Await']);
const decorators = new Set(['staticmethod', 'classmethod', 'property', 'dataclass', 'lru_cache', 'cache', 'wraps', 'contextmanager', 'total_ordering', 'abstractmethod']);
const MAX_COPIES = 1_000_000;
const MAX_EXPONENT = 10_000;

/** Judges every node of a text by the rules of the language, and answers with the commands that it runs. */
export function judgeTree(tree: PythonNode, remarks: Remarks): readonly Command[] {
  const all = [...everyNode(tree)];
  const bindings = collectBindings(all);
  const values = followValues(bindings);
  const dynamic = collectDynamicAttributes(all);
  const commands: Command[] = [];
  for (const node of all) {
    if (asynchronous.has(node.kind)) remarks.plus('asynchronous', node, 'what runs at the same time cannot be followed', 'Write it without async.');
    else if (!known.has(node.kind)) remarks.never('unknownSyntax', node, `no rule knows ${node.kind}`, 'Write it in plainer Python.');
    if (node.kind === 'Import' || node.kind === 'ImportFrom') judgeImport(node, remarks);
    if (node.kind === 'Name') judgeName(node, values, bindings, remarks);
    if (node.kind === 'Attribute') judgeAttribute(node, values, bindings, dynamic, remarks);
    if (node.kind === 'Call') commands.push(...judgeCall(node, values, bindings, remarks));
    judgeShape(node, values, bindings, remarks);
  }
  return commands;
}

function judgeShape(node: PythonNode, values: Values, bindings: Bindings, remarks: Remarks): void {
  switch (node.kind) {
    case 'ClassDef':
      judgeClass(node, values, remarks);
      judgeDecorators(node, values, remarks);
      return;
    case 'FunctionDef':
      judgeDecorators(node, values, remarks);
      judgeDefinition(word(node, 'name') ?? '', bindings.parents.get(node)?.kind === 'ClassDef', node, remarks);
      return;
    case 'arg':
    case 'keyword':
      judgeDefinition(word(node, 'arg') ?? '', false, node, remarks);
      return;
    case 'ExceptHandler':
    case 'MatchAs':
    case 'MatchStar':
      judgeDefinition(word(node, 'name') ?? '', false, node, remarks);
      return;
    case 'MatchClass':
      for (const name of words(node, 'kwd_attrs')) judgeDefinition(name, false, node, remarks);
      return;
    case 'While':
      judgeLoop(node, remarks);
      return;
    case 'Yield':
    case 'YieldFrom':
      if (isInLambda(node, bindings)) remarks.never('yield', node, 'it makes of an expression something that runs later', 'Write a function with the word def.');
      return;
    case 'BinOp':
      judgeSize(node, values, remarks);
      return;
    default:
  }
}

function judgeDefinition(name: string, isMethod: boolean, node: PythonNode, remarks: Remarks): void {
  if (name.startsWith('__') && !(isMethod && definableDunders.has(name))) remarks.never('dunder', node, `Python itself calls ${name}, where the text does not show it`, 'Write a function with a name of its own.');
}

function judgeClass(node: PythonNode, values: Values, remarks: Remarks): void {
  for (const keyword of many(node, 'keywords')) remarks.never('metaclass', keyword, 'another class decides what this class is', 'Write a plain class.');
  const isPlain = (base: Value): boolean => base.kind === 'own' || (base.kind === 'member' && (/(?:Error|Exception)$/.test(base.name) || ['object', 'NamedTuple', 'TypedDict', 'Enum', 'IntEnum', 'ABC', 'Protocol'].includes(base.name)));
  for (const base of many(node, 'bases')) {
    if (!values.of(base).every(isPlain)) remarks.plus('base', base, 'what the class takes over from its base cannot be inspected', 'Write a class of its own, or a function.');
  }
}

function judgeDecorators(node: PythonNode, values: Values, remarks: Remarks): void {
  for (const decorator of many(node, 'decorator_list')) {
    const maker = decorator.kind === 'Call' ? one(decorator, 'func') : decorator;
    const isSetter = maker?.kind === 'Attribute' && /^(?:setter|deleter|getter)$/.test(word(maker, 'attr') ?? '');
    const makers = values.of(maker);
    if (isSetter || makers.every((value) => value.kind === 'member' && decorators.has(value.name))) continue;
    if (makers.every(({ kind }) => kind === 'own')) remarks.plus('decorator', decorator, 'what it makes of the function cannot be followed', 'Call the function where it is needed.');
    else remarks.never('decorator', decorator, 'it hands the function to something that no rule knows', 'Call the function where it is needed.');
  }
}

/** Does it end by itself? Only an endless one without any way out is sure not to. */
function judgeLoop(node: PythonNode, remarks: Remarks): void {
  const test = one(node, 'test');
  const inTest = test === undefined ? [] : [...everyNode(test)];
  const inBody = new Set(many(node, 'body').flatMap((part) => [...everyNode(part)].map((one) => word(one, 'id'))));
  const isFixed = inTest.every((part) => !['Call', 'Attribute', 'Subscript', 'NamedExpr'].includes(part.kind) && (part.kind !== 'Name' || !inBody.has(word(part, 'id'))));
  const isEndless = isFixed && !(test?.kind === 'Constant' && !test.fields['value']);
  const hasEnd = [...everyNode(node)].some((part) => ['Break', 'Return', 'Raise'].includes(part.kind) || (part.kind === 'Call' && /^(?:exit|quit)$/.test(word(one(part, 'func'), 'attr') ?? word(one(part, 'func'), 'id') ?? '')));
  if (isEndless && !hasEnd) remarks.never('endless', node, 'it never ends by itself', 'Write a loop that counts, or ends at a deadline.');
}

function isInLambda(node: PythonNode, bindings: Bindings): boolean {
  const parent = bindings.parents.get(node);
  if (parent === undefined || parent.kind === 'FunctionDef' || parent.kind === 'AsyncFunctionDef') return false;
  return parent.kind === 'Lambda' || isInLambda(parent, bindings);
}

/** A short text can ask for more memory than there is. */
function judgeSize(node: PythonNode, values: Values, remarks: Remarks): void {
  const operation = one(node, 'op')?.kind;
  const [left, right] = [one(node, 'left'), one(node, 'right')];
  const numbers = (side: PythonNode | undefined): readonly number[] => values.of(side).flatMap((value) => (value.kind === 'number' ? [value.number] : []));
  const makesCopies = [left, right].some((side) => toText(side) !== undefined || ['List', 'Tuple', 'JoinedStr'].includes(side?.kind ?? '') || values.of(side).some((value) => value.kind === 'text' || value.kind === 'list'));
  const isHuge = (operation === 'Mult' && makesCopies && [...numbers(left), ...numbers(right)].some((count) => count >= MAX_COPIES)) || ((operation === 'Pow' || operation === 'LShift') && numbers(right).some((exponent) => exponent > MAX_EXPONENT));
  if (isHuge) remarks.plus('size', node, 'it asks for a very large amount of memory', 'Work with smaller parts.');
}

/** Attributes that the text names as words: options of a command line, fields of a tuple. */
function collectDynamicAttributes(all: readonly PythonNode[]): ReadonlySet<string> {
  const texts = all.flatMap((node) => {
    const name = node.kind === 'Call' ? (word(one(node, 'func'), 'attr') ?? word(one(node, 'func'), 'id')) : undefined;
    if (name === 'add_argument') return [...many(node, 'args'), ...many(node, 'keywords').filter((keyword) => word(keyword, 'arg') === 'dest').flatMap((keyword) => one(keyword, 'value') ?? [])];
    return name === 'namedtuple' ? many(node, 'args').flatMap((given) => [given, ...many(given, 'elts')]) : [];
  });
  return new Set(texts.flatMap((node) => (toText(node) ?? '').split(/[\s,]+/).map((name) => name.replace(/^-+/, '').replaceAll('-', '_'))).filter((name) => /^[a-z]\w*$/i.test(name)));
}
