import { allowedCalls, judgedCalls } from './system-calls.js';

/** Processors whose system calls we know: the column of their numbers, and their name for the kernel. */
const processors: Readonly<Record<string, { readonly column: 0 | 1; readonly audit: number }>> = {
  x64: { column: 0, audit: 0xc000003e },
  arm64: { column: 1, audit: 0xc00000b7 },
};

// The verbs of the filter language (linux/bpf_common.h): load a word, mask it, compare it, return.
const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_OVER = 0x25;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const MASK = 0x54;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (code: number): number => 0x00050000 + code;
const EPERM = errno(1);
const ENOTTY = errno(25);
const ENOSYS = errno(38);

// Where the kernel shows the filter what is asked (linux/seccomp.h).
const CALL = 0;
const PROCESSOR = 4;
const argument = (index: number): number => 16 + 8 * index;

/** Calls of another way to count on the same processor (x32) begin here. */
const X32 = 0x40000000;
/** Who asks for a newer call and does not have it falls back on an older one. */
const FIRST_NEW_CALL = 435;
/** CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET. */
const NEW_NAMESPACES = 0x7e020000;
const AF_UNIX = 1;
const SOCK_TYPE = 0xf;
const SOCK_STREAM = 1;
/** What a program asks a terminal, and how much there is to read; none of it changes anything outside of its own descriptors. */
const terminalQuestions = [0x5401, 0x5402, 0x5403, 0x5404, 0x540f, 0x5410, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451];
const personalities = [0, 0xffffffff];
/** O_CREAT, and what makes a file without a name. */
const MAKES_A_FILE = 0x400040;
/** What would let whoever runs a file be somebody else. */
const SET_USER_OR_GROUP = 0o6000;

type Instruction = readonly [code: number, jumpIfTrue: number, jumpIfFalse: number, value: number];

const load = (offset: number): Instruction => [LOAD, 0, 0, offset];
const end = (verdict: number): Instruction => [RETURN, 0, 0, verdict];
const refuseSetUser = (mode: number): readonly Instruction[] => [load(argument(mode)), [IF_ANY_BIT, 0, 1, SET_USER_OR_GROUP], end(EPERM), end(ALLOW)];
const refuseMakingSetUser = (flags: number): readonly Instruction[] => [load(argument(flags)), [IF_ANY_BIT, 1, 0, MAKES_A_FILE], end(ALLOW), ...refuseSetUser(flags + 1)];
const allowIfEqual = (value: number): readonly Instruction[] => [[IF_EQUAL, 0, 1, value], end(ALLOW)];

/**
 * The filter of a script's system calls, as the kernel reads it; undefined on a processor whose calls we do not know. What is not allowed fails with EPERM.
 * There are no sockets but pairs of connected ones: one that can be aimed would reach what listens in a folder that the script was given.
 */
export function toSeccompFilter(arch: string): Buffer | undefined {
  const processor = processors[arch];
  if (processor === undefined) return undefined;
  const { column, audit } = processor;
  const judge = (call: keyof typeof judgedCalls, body: readonly Instruction[]): readonly Instruction[] =>
    judgedCalls[call][column] < 0 ? [] : [[IF_EQUAL, 0, body.length, judgedCalls[call][column]], ...body];
  const numbers = Object.values(allowedCalls).map((columns) => columns[column]).filter((number) => number >= 0);
  return encode([
    load(PROCESSOR),
    [IF_EQUAL, 1, 0, audit],
    end(KILL),
    load(CALL),
    [IF_AT_LEAST, 0, 1, X32],
    end(ENOSYS),
    ...judge('clone', [load(argument(0)), [IF_ANY_BIT, 0, 1, NEW_NAMESPACES], end(EPERM), end(ALLOW)]),
    ...judge('socketpair', [load(argument(0)), [IF_EQUAL, 1, 0, AF_UNIX], end(EPERM), load(argument(1)), [MASK, 0, 0, SOCK_TYPE], ...allowIfEqual(SOCK_STREAM), end(EPERM)]),
    ...judge('ioctl', [load(argument(1)), ...terminalQuestions.flatMap(allowIfEqual), end(ENOTTY)]),
    ...judge('personality', [load(argument(0)), ...personalities.flatMap(allowIfEqual), end(EPERM)]),
    ...judge('open', refuseMakingSetUser(1)),
    ...judge('openat', refuseMakingSetUser(2)),
    ...judge('creat', refuseSetUser(1)),
    ...judge('chmod', refuseSetUser(1)),
    ...judge('fchmod', refuseSetUser(1)),
    ...judge('fchmodat', refuseSetUser(2)),
    ...judge('mknod', refuseSetUser(1)),
    ...judge('mknodat', refuseSetUser(2)),
    ...toRanges(numbers).flatMap(([first, last]): readonly Instruction[] => [[IF_AT_LEAST, 0, 2, first], [IF_OVER, 1, 0, last], end(ALLOW)]),
    [IF_AT_LEAST, 0, 1, FIRST_NEW_CALL],
    end(ENOSYS),
    end(EPERM),
  ]);
}

/** Numbers that follow each other, as one. */
function toRanges(numbers: readonly number[]): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((one, other) => one - other)) {
    const range = ranges.at(-1);
    if (range !== undefined && number <= range[1] + 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, jumpIfTrue, jumpIfFalse, value], index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpIfTrue, index * 8 + 2);
    bytes.writeUInt8(jumpIfFalse, index * 8 + 3);
    bytes.writeUInt32LE(value, index * 8 + 4);
  });
  return bytes;
}
