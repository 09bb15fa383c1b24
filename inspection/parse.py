"""Reads texts by Python's own parser and prints their trees, one line of JSON each. Nothing of a text is compiled, imported or run.

A text may be read by a newer grammar than that of the host which runs it: that host then refuses all of it before its first line.
"""
import ast
import json
import re
import resource
import sys

MAX_NODES = 20000
MAX_DEPTH = 120
MAX_MEMORY_BYTES = 1 << 29


class TooMuch(Exception):
    pass


class Places:
    """Where a node is: the character, counted from 1 as JavaScript counts them. Python counts bytes of a line."""

    def __init__(self, text):
        self.lines = re.split('(?<=\n)|(?<=\r)(?!\n)', text)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + units(line))

    def at(self, line, byte):
        text = self.lines[line - 1]
        return self.starts[line - 1] + (byte if text.isascii() else units(text.encode()[:byte].decode())) + 1


def units(text):
    return len(text) if text.isascii() else len(text.encode('utf-16-le', 'surrogatepass')) // 2


def to_json(node, places, left, depth):
    left[0] -= 1
    if left[0] < 0:
        raise TooMuch('it has more than %d parts' % MAX_NODES)
    if depth > MAX_DEPTH:
        raise TooMuch('it is nested more than %d deep' % MAX_DEPTH)
    # Only Python 3.8 has these two, around what others have by itself.
    if type(node).__name__ in ('Index', 'Suite'):
        return to_json(node.value, places, left, depth)
    told = {'kind': type(node).__name__, 'at': 0, 'end': 0, 'fields': {}}
    if hasattr(node, 'lineno'):
        told['at'] = places.at(node.lineno, node.col_offset)
        told['end'] = places.at(node.end_lineno, node.end_col_offset)
    if isinstance(node, ast.Constant):
        told['fields'] = to_constant(node.value)
        return told
    for name, value in ast.iter_fields(node):
        told['fields'][name] = to_field(value, places, left, depth + 1)
    return told


def to_field(value, places, left, depth):
    if isinstance(value, ast.AST):
        return to_json(value, places, left, depth)
    if isinstance(value, list):
        return [to_field(one, places, left, depth) for one in value]
    return value if value is None or isinstance(value, (str, int)) else str(value)


def to_constant(value):
    kind = type(value).__name__
    if kind in ('str', 'bool', 'NoneType'):
        return {'type': kind, 'value': value}
    if kind == 'bytes':
        return {'type': kind, 'value': value.decode('latin-1')}
    if kind == 'int' and value.bit_length() <= 53:
        return {'type': kind, 'value': value}
    return {'type': kind, 'value': None}


def read(text):
    if sys.version_info < (3, 8):
        return {'ok': False, 'because': 'its parser is Python %d.%d, and 3.8 is needed' % sys.version_info[:2], 'position': 0, 'isSyntax': False}
    try:
        return {'ok': True, 'tree': to_json(ast.parse(text, type_comments=False), Places(text), [MAX_NODES], 0)}
    except SyntaxError as error:
        return {'ok': False, 'because': str(error.msg), 'position': to_position(text, error), 'isSyntax': True}
    except (RecursionError, MemoryError):
        return {'ok': False, 'because': 'it is nested too deep', 'position': 0, 'isSyntax': True}
    except (ValueError, TooMuch) as error:
        return {'ok': False, 'because': str(error), 'position': 0, 'isSyntax': True}


def to_position(text, error):
    """Here Python counts characters, from 1."""
    try:
        places = Places(text)
        return places.starts[error.lineno - 1] + units(places.lines[error.lineno - 1][:error.offset - 1]) + 1
    except (TypeError, IndexError, ValueError):
        return 0


def main():
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(read(json.loads(line))) + '\n')
        sys.stdout.flush()


main()
