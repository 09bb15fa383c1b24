import type { Objection } from './notes.js';
import type { Word } from './words.js';

/**
 * What a value or an operand is. `text` is only looked at; `name` names one thing; `url`, `host` and the uses of a path are judged as such;
 * `command` and all that follows is a command of its own; `shell` is text that a shell would run; `plus` and `deny` say how much an option weighs that may not simply be used.
 */
export type Kind = 'text' | 'name' | 'known' | 'number' | 'measure' | 'list' | 'read' | 'write' | 'own' | 'remove' | 'removeTree' | 'url' | 'host' | 'command' | 'shell' | 'sql' | 'plus' | 'deny';

/** What comes in from the left: nothing, text written in the script, a file, or what another command prints. */
export type Input = { readonly kind: 'none' } | { readonly kind: 'text'; readonly text: string } | { readonly kind: 'file' } | { readonly kind: 'pipe' };

/** What a program rule may ask of the walk. */
export interface Call {
  readonly program: string;
  readonly position: number;
  readonly input: Input;
  readonly folders: readonly string[];
  readonly object: (position: number, objection: Objection) => void;
  /** Judges a command that this one runs. */
  readonly run: (words: readonly Word[]) => void;
  /** Judges a text that a shell runs. */
  readonly runText: (text: string, position: number) => void;
  readonly judgeSql: (text: string, position: number) => void;
  readonly judgeManifest: (text: string, position: number) => void;
}

/** A call, told apart into its options and operands. */
export interface Use extends Call {
  readonly options: ReadonlyMap<string, readonly Word[]>;
  readonly operands: readonly Word[];
  /** What follows `--`, where the rule keeps it apart. */
  readonly tail: readonly Word[] | undefined;
}

/** What one program, or one verb of it, may be told. Options are written as in its manual: `-la` are two flags, `-n:` takes a value, `--arg::` two, `--out:write` one of a kind, `--color?` an attached one, `--force+` and `--raw!` weigh. */
export interface ProgramRule {
  readonly options?: string;
  /** Whether long options begin with one dash. */
  readonly isSingle?: boolean;
  /** Kinds of the operands in order, the last one for all that follow. Without them none is expected. */
  readonly operands?: readonly Kind[];
  readonly hasTail?: boolean;
  readonly verbs?: Readonly<Record<string, ProgramRule>>;
  /** What a verb that is not listed means; two people, where nothing is said. */
  readonly otherwise?: Objection;
  /** What the program weighs whatever it is told. */
  readonly weight?: Objection;
  readonly judge?: (use: Use) => void;
  /** For a language of its own among the words: takes the place of all else. */
  readonly judgeWords?: (words: readonly Word[], call: Call) => void;
}

export type ProgramTable = Readonly<Record<string, ProgramRule>>;

/** The same rule for several programs. */
export const same = (names: string, rule: ProgramRule): ProgramTable => Object.fromEntries(names.split(' ').map((name) => [name, rule]));
