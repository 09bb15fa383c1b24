import type { FileUse } from './judge-path.js';

/** What calling a function does. */
export type Effect =
  /** Nothing but to compute, to print and to wait. */
  | { readonly kind: 'pure' }
  /** Something with the files that these arguments name, by their place and by their name. */
  | { readonly kind: 'paths'; readonly uses: readonly (readonly [place: number, name: string, use: FileUse])[] }
  | { readonly kind: 'open' }
  | { readonly kind: 'chmod' }
  | { readonly kind: 'link' }
  | { readonly kind: 'command'; readonly how: 'words' | 'shell' }
  | { readonly kind: 'fetch' }
  /** Makes a file or a folder of a name of its own. */
  | { readonly kind: 'temporary' }
  /** Only with constant names. */
  | { readonly kind: 'environment' }
  /** Nobody can tell from here, or it is known to be risky. */
  | { readonly kind: 'plus'; readonly because: string }
  | { readonly kind: 'never'; readonly because: string };

const pure: Effect = { kind: 'pure' };
const plus = (because: string): Effect => ({ kind: 'plus', because });
const never = (because: string): Effect => ({ kind: 'never', because });
const path = (use: FileUse, name = 'path'): Effect => ({ kind: 'paths', uses: [[0, name, use]] });
const moves: Effect = { kind: 'paths', uses: [[0, 'src', 'write'], [1, 'dst', 'write']] };
const copies: Effect = { kind: 'paths', uses: [[0, 'src', 'read'], [1, 'dst', 'write']] };

const all = (effect: Effect, names: string): readonly (readonly [string, Effect])[] => names.split(/\s+/).map((name) => [name, effect] as const);
const those = (...parts: readonly (readonly (readonly [string, Effect])[])[]): ReadonlyMap<string, Effect> => new Map(parts.flat());

const runsAnother = never('it puts another program in the place of this one, or starts one that nobody sees');
const whoRuns = never('it changes as whom or where the program runs');
const hides = never('it makes code out of what is not code');
const anything = never('it reaches whatever Python can reach, so no rule would hold any more');
const words: Effect = { kind: 'command', how: 'words' };
const shell: Effect = { kind: 'command', how: 'shell' };

/** Built in. What is missing here is not known, and a name that nothing in the text sets. */
export const builtins: ReadonlyMap<string, Effect> = those(
  all(
    pure,
    'abs all any ascii bin bool bytearray bytes callable chr complex dict dir divmod enumerate exit filter float format frozenset hash hex id int isinstance issubclass iter len list map max memoryview min next object oct ord pow print property quit range repr reversed round set slice sorted staticmethod classmethod str sum super tuple type zip Ellipsis NotImplemented',
  ),
  all(
    pure,
    'ArithmeticError AssertionError AttributeError BaseException BlockingIOError BrokenPipeError ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EnvironmentError Exception FileExistsError FileNotFoundError FloatingPointError IOError ImportError IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError OverflowError PermissionError ProcessLookupError RecursionError ReferenceError RuntimeError RuntimeWarning StopIteration SystemExit TimeoutError TypeError UnicodeDecodeError UnicodeEncodeError UnicodeError UserWarning ValueError Warning ZeroDivisionError',
  ),
  all({ kind: 'open' }, 'open'),
  all(plus('it waits for a person at a keyboard, and there is none'), 'input'),
  all(plus('which attributes it asks for cannot be followed'), 'hasattr'),
  all(hides, 'eval exec compile __import__'),
  all(anything, 'getattr setattr delattr globals locals vars breakpoint help'),
);

const stat = 'exists isfile isdir islink lexists getsize getmtime getctime getatime ismount samefile';

/** What each module has that is known. What it has besides is for two people. */
export const modules: ReadonlyMap<string, ReadonlyMap<string, Effect>> = new Map([
  ['__future__', those(all(pure, 'annotations division print_function'))],
  ['abc', those(all(pure, 'ABC abstractmethod'))],
  ['argparse', those(all(pure, 'ArgumentParser ArgumentTypeError ArgumentDefaultsHelpFormatter RawDescriptionHelpFormatter RawTextHelpFormatter Namespace BooleanOptionalAction SUPPRESS REMAINDER'))],
  ['base64', those(all(pure, 'b64encode b64decode urlsafe_b64encode urlsafe_b64decode'))],
  ['bisect', those(all(pure, 'bisect bisect_left bisect_right insort'))],
  ['calendar', those(all(pure, 'monthrange timegm'))],
  ['collections', those(all(pure, 'Counter OrderedDict defaultdict deque namedtuple ChainMap'))],
  ['concurrent', those()],
  ['concurrent.futures', those(all(pure, 'ThreadPoolExecutor as_completed wait TimeoutError'))],
  ['configparser', those(all(pure, 'ConfigParser RawConfigParser NoSectionError NoOptionError Error'))],
  ['contextlib', those(all(pure, 'contextmanager suppress closing nullcontext'))],
  ['copy', those(all(pure, 'copy deepcopy'))],
  ['csv', those(all(pure, 'reader writer DictReader DictWriter QUOTE_ALL QUOTE_MINIMAL Error'))],
  ['dataclasses', those(all(pure, 'dataclass field asdict astuple'))],
  ['datetime', those(all(pure, 'datetime date time timedelta timezone UTC'))],
  ['decimal', those(all(pure, 'Decimal ROUND_HALF_UP'))],
  ['difflib', those(all(pure, 'unified_diff get_close_matches'))],
  ['enum', those(all(pure, 'Enum IntEnum auto'))],
  ['errno', those(all(pure, 'ENOENT EEXIST EACCES ENOSPC EAGAIN'))],
  ['fnmatch', those(all(pure, 'fnmatch filter'))],
  ['fractions', those(all(pure, 'Fraction'))],
  ['functools', those(all(pure, 'partial reduce lru_cache cache wraps cmp_to_key total_ordering'))],
  ['glob', those(all(path('read', 'pathname'), 'glob iglob'), all(pure, 'escape'))],
  ['gzip', those(all({ kind: 'open' }, 'open'), all(pure, 'compress decompress'))],
  ['hashlib', those(all(pure, 'sha1 sha224 sha256 sha384 sha512 md5 blake2b'))],
  ['heapq', those(all(pure, 'heappush heappop heapify nlargest nsmallest'))],
  ['io', those(all({ kind: 'open' }, 'open'), all(pure, 'StringIO BytesIO'), all(hides, 'open_code'))],
  ['ipaddress', those(all(pure, 'ip_address ip_network'))],
  ['itertools', those(all(pure, 'accumulate chain combinations count cycle dropwhile groupby islice permutations product repeat starmap takewhile zip_longest'))],
  ['json', those(all(pure, 'load loads dump dumps JSONDecodeError'))],
  [
    'logging',
    those(
      all(pure, 'getLogger debug info warning error exception critical log Formatter StreamHandler DEBUG INFO WARNING ERROR CRITICAL'),
      all({ kind: 'paths', uses: [[9, 'filename', 'write']] }, 'basicConfig'),
      all(path('write', 'filename'), 'FileHandler'),
    ),
  ],
  ['math', those(all(pure, 'ceil floor sqrt log log2 log10 pi inf nan isnan isinf fabs exp fsum isclose'))],
  ['numbers', those(all(pure, 'Number'))],
  ['operator', those(all(pure, 'itemgetter add sub mul'), all(anything, 'attrgetter methodcaller'))],
  [
    'os',
    those(
      all(pure, 'sep linesep extsep curdir pathsep name getpid cpu_count getloadavg fspath fdopen close fsync error SEEK_SET SEEK_END DirEntry R_OK W_OK X_OK F_OK'),
      all(path('list'), 'listdir scandir'),
      all(path('list', 'top'), 'walk'),
      all(path('read'), 'stat lstat access readlink statvfs'),
      all(path('remove'), 'remove unlink rmdir'),
      all(path('write'), 'truncate utime'),
      all(path('write', 'name'), 'makedirs'),
      all(path('write'), 'mkdir'),
      all(moves, 'rename replace'),
      all({ kind: 'chmod' }, 'chmod'),
      all({ kind: 'link' }, 'symlink link'),
      all({ kind: 'environment' }, 'environ getenv'),
      all(plus('it changes to whom a file belongs'), 'chown lchown'),
      all(plus('it ends a process that the text does not name'), 'kill killpg'),
      all(plus('it removes folders up to the first that is not empty'), 'removedirs'),
      all(shell, 'system popen'),
      all(runsAnother, 'execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle spawnlp spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp fork forkpty startfile pipe dup dup2 memfd_create openpty pidfd_open'),
      all(whoRuns, 'setuid seteuid setgid setegid setgroups setreuid setresuid setregid setresgid setsid setns unshare chroot chdir fchdir initgroups putenv unsetenv umask nice mknod mkfifo chflags setxattr sched_setaffinity abort _exit reboot'),
    ),
  ],
  [
    'os.path',
    those(all(pure, 'join dirname basename abspath normpath splitext split relpath commonpath isabs sep realpath expandvars'), all(path('read'), stat), all(pure, 'expanduser')),
  ],
  [
    'pathlib',
    those(all(pure, 'Path PurePath PosixPath PurePosixPath')),
  ],
  ['platform', those(all(pure, 'python_version'))],
  ['pprint', those(all(pure, 'pprint pformat'))],
  ['random', those(all(pure, 'choice choices randint random shuffle sample uniform randrange seed'))],
  ['re', those(all(pure, 'compile search match fullmatch findall finditer sub subn split escape error IGNORECASE I MULTILINE M DOTALL S VERBOSE X ASCII A Pattern Match'))],
  ['secrets', those(all(pure, 'token_hex token_urlsafe'))],
  ['shlex', those(all(pure, 'quote split join'))],
  [
    'shutil',
    those(
      all(copies, 'copy copy2 copyfile'),
      all(moves, 'move'),
      all(path('remove'), 'rmtree'),
      all({ kind: 'paths', uses: [[0, 'src', 'read'], [1, 'dst', 'write']] }, 'copytree copymode copystat'),
      all(pure, 'copyfileobj disk_usage which get_terminal_size Error SameFileError'),
      all(plus('it changes to whom a file belongs'), 'chown'),
      all(plus('what is in an archive cannot be inspected'), 'unpack_archive make_archive'),
    ),
  ],
  ['stat', those(all(pure, 'filemode S_ISDIR S_ISREG S_ISLNK S_IMODE S_IRUSR S_IWUSR S_IRGRP S_IROTH ST_SIZE ST_MTIME'))],
  ['statistics', those(all(pure, 'mean fmean median median_low median_high mode stdev pstdev variance quantiles StatisticsError'))],
  ['string', those(all(pure, 'ascii_letters ascii_lowercase ascii_uppercase digits punctuation whitespace Template'))],
  ['struct', those(all(pure, 'pack unpack calcsize'))],
  ['subprocess', those(all(words, 'run call check_call check_output Popen'), all(shell, 'getoutput getstatusoutput'), all(pure, 'PIPE STDOUT DEVNULL CalledProcessError TimeoutExpired SubprocessError CompletedProcess'))],
  [
    'sys',
    those(
      all(pure, 'argv exit stdin stdout stderr version version_info platform maxsize byteorder getsizeof executable exc_info'),
      all(anything, 'modules path meta_path path_hooks settrace setprofile displayhook excepthook breakpointhook addaudithook setrecursionlimit'),
    ),
  ],
  ['tempfile', those(all({ kind: 'temporary' }, 'mkstemp mkdtemp NamedTemporaryFile TemporaryDirectory TemporaryFile'), all(pure, 'gettempdir'))],
  ['textwrap', those(all(pure, 'dedent indent fill wrap shorten'))],
  ['time', those(all(pure, 'time sleep monotonic perf_counter strftime strptime localtime gmtime mktime ctime asctime time_ns monotonic_ns'))],
  ['tomllib', those(all(pure, 'load loads TOMLDecodeError'))],
  ['traceback', those(all(pure, 'print_exc format_exc print_stack'))],
  ['typing', those(all(pure, 'Any Callable Dict Iterable Iterator Generator List Mapping NamedTuple Optional Sequence Set Tuple TypedDict Union Literal Final TextIO Protocol TypeVar Generic NoReturn cast'))],
  ['unicodedata', those(all(pure, 'normalize category'))],
  ['urllib', those()],
  ['urllib.error', those(all(pure, 'URLError HTTPError'))],
  ['urllib.parse', those(all(pure, 'urlparse urlsplit urlunsplit urlencode quote quote_plus unquote parse_qs parse_qsl urljoin'))],
  ['urllib.request', those(all({ kind: 'fetch' }, 'urlopen'), all(never('it writes what another host sends into a file'), 'urlretrieve'))],
  ['uuid', those(all(pure, 'uuid4 uuid5 UUID NAMESPACE_DNS'))],
  ['warnings', those(all(pure, 'warn simplefilter filterwarnings'))],
  ['yaml', those(all(pure, 'safe_load safe_load_all safe_dump safe_dump_all dump YAMLError'), all(plus('which objects it makes depends on the loader'), 'load load_all SafeLoader CSafeLoader'), all(hides, 'full_load full_load_all unsafe_load unsafe_load_all Loader FullLoader UnsafeLoader add_constructor YAMLObject'))],
  ['zlib', those(all(pure, 'compress decompress crc32'))],
  ['zoneinfo', those(all(pure, 'ZoneInfo'))],
]);

/** What calling it does. A module may be unknown as a whole. */
export function toEffect(module: string, name: string): Effect {
  const known = module === 'builtins' ? builtins : modules.get(module);
  const effect = known?.get(name);
  if (effect !== undefined) return effect;
  if (known !== undefined && (name.startsWith('_') || modules.has(name) || neverModules.has(name))) return never(`it reaches ${name} through the module ${module}, which is not meant for it`);
  if (neverModules.has(name) || ['os', 'sys', 'subprocess'].includes(name)) return anything;
  return plus(`no rule knows what ${module}.${name} does`);
}

/** Modules that nobody can allow: what they do takes the ground from under every other rule. */
export const neverModules: ReadonlyMap<string, string> = new Map(
  (
    [
      ['it makes code or objects out of bytes', 'pickle cPickle _pickle marshal shelve dill cloudpickle joblib types dis code codeop runpy timeit pdb bdb doctest imp importlib zipimport pkgutil builtins __builtin__ __main__ site sitecustomize ast inspect gc'],
      ['it calls what is not Python, past every rule', 'ctypes _ctypes cffi mmap _posixsubprocess posix nt _winapi fcntl termios'],
      ['it gives somebody a shell, or watches one', 'pty tty readline rlcompleter'],
      ['it reads the secrets of people or of this host', 'spwd crypt getpass netrc keyring'],
    ] as const
  ).flatMap(([because, names]) => names.split(' ').map((name) => [name, because] as const)),
);
