type Json = unknown;

/** What RFC 6902 and RFC 6901 say: a document, a patch, and what comes of it; without `after` the patch cannot be applied. */
export interface PatchCase {
  readonly what: string;
  readonly before: Json;
  readonly patch: readonly Readonly<Record<string, Json>>[];
  readonly after?: Json;
}

const stock = { shelf: [10, 20, 30], 'a/b': 1, 'm~n': 2, '': 3, '~1': 4, box: { lid: null } };

export const patchCases: readonly PatchCase[] = [
  { what: 'adds a member', before: { a: 1 }, patch: [{ op: 'add', path: '/b', value: [1, 2] }], after: { a: 1, b: [1, 2] } },
  { what: 'adds a member of a member', before: { a: [{ b: 1 }] }, patch: [{ op: 'add', path: '/a/0/c', value: 'x' }], after: { a: [{ b: 1, c: 'x' }] } },
  { what: 'adds over a member', before: { a: null }, patch: [{ op: 'add', path: '/a', value: 1 }], after: { a: 1 } },
  { what: 'adds false, null and empty things', before: {}, patch: ['f', 'n', 'l', 'o'].map((name, index) => ({ op: 'add', path: `/${name}`, value: [false, null, [], {}][index] })), after: { f: false, n: null, l: [], o: {} } },
  { what: 'adds a member without a name', before: { a: {} }, patch: [{ op: 'add', path: '/', value: 1 }, { op: 'add', path: '/a/', value: 2 }], after: { a: { '': 2 }, '': 1 } },
  { what: 'adds a member whose name is a number', before: { a: 1 }, patch: [{ op: 'add', path: '/0', value: 'x' }], after: { a: 1, '0': 'x' } },
  { what: 'tells names apart by case', before: { a: 1 }, patch: [{ op: 'add', path: '/A', value: 2 }], after: { a: 1, A: 2 } },
  { what: 'adds before an element', before: [1, 2], patch: [{ op: 'add', path: '/0', value: 0 }, { op: 'add', path: '/2', value: 1.5 }], after: [0, 1, 1.5, 2] },
  { what: 'adds after the last element', before: [1], patch: [{ op: 'add', path: '/1', value: 2 }, { op: 'add', path: '/-', value: [3] }], after: [1, 2, [3]] },
  { what: 'adds the first element', before: { a: [] }, patch: [{ op: 'add', path: '/a/-', value: 1 }], after: { a: [1] } },
  { what: 'adds to a list in a list', before: [1, [2, [3]]], patch: [{ op: 'add', path: '/1/1/-', value: { a: [4] } }], after: [1, [2, [3, { a: [4] }]]] },
  { what: 'does not add beyond a list', before: [1, 2], patch: [{ op: 'add', path: '/3', value: 9 }] },
  { what: 'does not add before a list', before: [1, 2], patch: [{ op: 'add', path: '/-1', value: 9 }] },
  { what: 'does not add a member to a list', before: [1], patch: [{ op: 'add', path: '/a', value: 9 }] },
  { what: 'does not add to what is not there', before: { a: 1 }, patch: [{ op: 'add', path: '/b/c', value: 9 }] },
  { what: 'does not add to a number', before: { a: 1 }, patch: [{ op: 'add', path: '/a/b', value: 9 }] },
  { what: 'replaces the whole', before: { a: 1 }, patch: [{ op: 'add', path: '', value: [1] }], after: [1] },
  { what: 'replaces the whole by an object', before: [1], patch: [{ op: 'replace', path: '', value: { a: 1 } }], after: { a: 1 } },
  { what: 'replaces values of all kinds', before: { a: 1, b: [{ c: 'x' }], d: [''] }, patch: [{ op: 'replace', path: '/a', value: [1] }, { op: 'replace', path: '/b/0/c', value: true }, { op: 'replace', path: '/d/0', value: null }], after: { a: [1], b: [{ c: true }], d: [null] } },
  { what: 'does not replace what is not there', before: { a: 1 }, patch: [{ op: 'replace', path: '/b', value: 1 }] },
  { what: 'does not replace a member of text', before: { a: 'x' }, patch: [{ op: 'replace', path: '/a/b', value: 1 }] },
  { what: 'does not replace the end of a list', before: [1], patch: [{ op: 'replace', path: '/-', value: 1 }] },
  { what: 'removes members', before: { a: 1, b: [{ c: 1 }], d: null }, patch: [{ op: 'remove', path: '/a' }, { op: 'remove', path: '/b/0/c' }, { op: 'remove', path: '/d' }], after: { b: [{}] } },
  { what: 'removes elements one after the other', before: [1, 2, 3, 4], patch: [{ op: 'remove', path: '/1' }, { op: 'remove', path: '/2' }], after: [1, 3] },
  { what: 'does not remove what is not there', before: { a: 1 }, patch: [{ op: 'remove', path: '/b' }] },
  { what: 'does not remove an element that is not there', before: [1], patch: [{ op: 'remove', path: '/1' }] },
  { what: 'does not remove below what is not there', before: { a: 1 }, patch: [{ op: 'remove', path: '/b/c' }] },
  { what: 'moves a member', before: { a: { b: 1, c: 2 }, d: {} }, patch: [{ op: 'move', from: '/a/b', path: '/d/e' }], after: { a: { c: 2 }, d: { e: 1 } } },
  { what: 'moves null', before: { a: null }, patch: [{ op: 'move', from: '/a', path: '/b' }], after: { b: null } },
  { what: 'moves an element to where it is when it was taken away', before: [1, 2, 3, 4], patch: [{ op: 'move', from: '/1', path: '/3' }], after: [1, 3, 4, 2] },
  { what: 'moves to its own place', before: { a: 1 }, patch: [{ op: 'move', from: '/a', path: '/a' }], after: { a: 1 } },
  { what: 'does not move into itself', before: { a: { b: {} } }, patch: [{ op: 'move', from: '/a', path: '/a/b' }] },
  { what: 'does not move what is not there', before: { a: 1 }, patch: [{ op: 'move', from: '/b', path: '/a' }] },
  { what: 'copies, and the copy is another', before: { a: { b: [1] } }, patch: [{ op: 'copy', from: '/a', path: '/c' }, { op: 'replace', path: '/c/b/0', value: 2 }, { op: 'add', path: '/a/d', value: 3 }], after: { a: { b: [1], d: 3 }, c: { b: [2] } } },
  { what: 'does not copy what is not there', before: { a: 1 }, patch: [{ op: 'copy', from: '/b', path: '/a' }] },
  { what: 'does not copy from an index that is no number', before: [1, 2], patch: [{ op: 'copy', from: '/1e0', path: '/-' }] },
  { what: 'does not move from an index that is no number', before: [1, 2], patch: [{ op: 'move', from: '/1e0', path: '/0' }] },
  { what: 'tests whatever the order of members', before: { a: [{ b: 1, c: 2 }] }, patch: [{ op: 'test', path: '/a', value: [{ c: 2, b: 1 }] }], after: { a: [{ b: 1, c: 2 }] } },
  { what: 'tests null', before: { a: null }, patch: [{ op: 'test', path: '/a', value: null }], after: { a: null } },
  { what: 'tests the whole', before: { a: 1 }, patch: [{ op: 'test', path: '', value: { a: 1 } }], after: { a: 1 } },
  { what: 'tests names that are escaped', before: stock, patch: [{ op: 'test', path: '/a~1b', value: 1 }, { op: 'test', path: '/m~0n', value: 2 }, { op: 'test', path: '/', value: 3 }, { op: 'test', path: '/~01', value: 4 }], after: stock },
  { what: 'tests elements', before: stock, patch: [{ op: 'test', path: '/shelf/2', value: 30 }, { op: 'test', path: '/box/lid', value: null }], after: stock },
  { what: 'does not take the beginning of a list for it', before: stock, patch: [{ op: 'test', path: '/shelf', value: [10, 20] }] },
  { what: 'does not take text for a number', before: stock, patch: [{ op: 'test', path: '/a~1b', value: '1' }] },
  { what: 'does not take nothing for null', before: stock, patch: [{ op: 'test', path: '/lid', value: null }] },
  { what: 'does not take an object for a list', before: { a: [] }, patch: [{ op: 'test', path: '/a', value: {} }] },
  { what: 'takes 1.0 for 1', before: { a: 1 }, patch: [{ op: 'test', path: '/a', value: 1.0 }], after: { a: 1 } },
  { what: 'does not read 01 as an index', before: [1, 2], patch: [{ op: 'test', path: '/01', value: 2 }] },
  { what: 'does not read 00 as an index', before: [1, 2], patch: [{ op: 'test', path: '/00', value: 1 }] },
  { what: 'does not read 1e0 as an index', before: [1, 2], patch: [{ op: 'replace', path: '/1e0', value: 1 }] },
  { what: 'does not read 1e0 as an index on the way', before: [[1], [2]], patch: [{ op: 'remove', path: '/1e0/0' }] },
  { what: 'reads 1e0 as a name', before: { '1e0': 1 }, patch: [{ op: 'test', path: '/1e0', value: 1 }], after: { '1e0': 1 } },
  { what: 'ignores what it does not know in an operation', before: { a: 1 }, patch: [{ op: 'add', path: '/b', value: 2, note: 'x' }], after: { a: 1, b: 2 } },
  { what: 'does all or nothing', before: { a: 1 }, patch: [{ op: 'add', path: '/b', value: 2 }, { op: 'test', path: '/a', value: 2 }] },
  { what: 'takes __proto__ and constructor for names', before: JSON.parse('{"__proto__": {"a": 1}, "x": 1}'), patch: [{ op: 'replace', path: '/__proto__/a', value: 2 }, { op: 'add', path: '/constructor', value: { prototype: { b: 1 } } }], after: JSON.parse('{"__proto__": {"a": 2}, "x": 1, "constructor": {"prototype": {"b": 1}}}') },
  { what: 'does not find what JavaScript objects inherit', before: { a: 1 }, patch: [{ op: 'copy', from: '/__proto__', path: '/b' }] },
  { what: 'does not find the length of a list', before: [1], patch: [{ op: 'test', path: '/length', value: 1 }] },
];
