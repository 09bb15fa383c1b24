import type { FileUse } from './judge-path.js';

const set = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/** Attributes and methods, of whatever object, that compute, or go on with a file, a process or an answer that was judged where it was opened. */
export const plainAttributes = set(`
  append extend insert pop remove clear copy count index sort reverse add discard update union intersection difference issubset issuperset symmetric_difference
  keys values items get setdefault popitem fromkeys most_common elements subtract total popleft appendleft rotate maxlen
  capitalize casefold center encode decode endswith startswith expandtabs find rfind rindex isalnum isalpha isdecimal isdigit isidentifier islower isnumeric isspace isupper
  join ljust rjust lower upper lstrip rstrip strip partition rpartition removeprefix removesuffix split rsplit splitlines swapcase title translate maketrans zfill hex fromhex
  to_bytes from_bytes bit_length is_integer real imag conjugate numerator denominator
  search match fullmatch findall finditer sub subn group groups groupdict start end span pattern string lastgroup
  read readline readlines write writelines flush close closed seek tell fileno truncate readable writable name mode buffer encoding getvalue reconfigure
  now utcnow today fromtimestamp utcfromtimestamp fromisoformat isoformat strftime strptime timestamp timetuple total_seconds date time astimezone replace weekday isoweekday combine utc
  year month day hour minute second microsecond tzinfo days seconds microseconds min max tm_year tm_mon tm_mday tm_hour tm_min tm_sec
  st_size st_mtime st_ctime st_atime st_mode st_uid st_gid st_ino st_nlink st_blocks f_bavail f_blocks f_frsize f_bfree f_files f_ffree f_favail f_bsize used free
  suffix suffixes stem parent parents parts anchor root as_posix relative_to with_suffix with_name with_stem joinpath is_absolute resolve absolute expanduser is_relative_to
  returncode stdout stderr stdin args pid poll wait communicate output cmd timeout check_returncode
  status code reason headers msg getcode getheader info geturl url netloc hostname port scheme query fragment
  errno strerror filename message lineno colno pos doc
  add_argument parse_args parse_known_args add_mutually_exclusive_group add_argument_group add_subparsers add_parser set_defaults error print_help print_usage
  debug warning exception critical log setLevel setFormatter addHandler handlers propagate level
  writeheader writerow writerows fieldnames line_num
  sections has_section add_section has_option options set getint getfloat getboolean remove_option remove_section read_string read_file optionxform defaults
  hexdigest digest block_size
  submit map result shutdown done cancel as_completed acquire release locked is_set notify put put_nowait get_nowait empty full task_done qsize
  quantize exponent setter getter deleter cache_clear cache_info register seed int fields version major micro setitem safe_substitute substitute
  print_exc value args name is_loopback is_private network_address num_addresses hosts path entries
`);

interface PathMethod {
  readonly use: FileUse;
  /** Of the argument that names a second file. */
  readonly other?: FileUse;
}

/** Methods of `pathlib.Path`, by what they do with the file of the object that they are called on. */
export const pathMethods: ReadonlyMap<string, PathMethod> = new Map<string, PathMethod>([
  ...['read_text', 'read_bytes', 'exists', 'is_file', 'is_dir', 'is_symlink', 'stat', 'lstat', 'readlink', 'owner'].map((name) => [name, { use: 'read' }] as const),
  ...['iterdir', 'glob', 'rglob'].map((name) => [name, { use: 'list' }] as const),
  ...['write_text', 'write_bytes', 'touch', 'mkdir'].map((name) => [name, { use: 'write' }] as const),
  ...['unlink', 'rmdir'].map((name) => [name, { use: 'remove' }] as const),
  ['rename', { use: 'write', other: 'write' }],
  ['symlink_to', { use: 'write', other: 'read' }],
  ['hardlink_to', { use: 'write', other: 'read' }],
]);

/** Of frames, code, generators and tracebacks: from there everything can be reached. */
export const isHiddenDoor = (name: string): boolean => /^(?:gi|cr|ag|tb|co|func|f)_(?:frame|code|back|globals|locals|builtins|next|running|await|yieldfrom|origin|consts|names|lasti|trace)$/.test(name) || /^im_(?:func|self|class)$/.test(name) || name.startsWith('co_') || name === 'mro';

/** Names of two underscores that only tell something. */
export const plainDunders = set('__name__ __file__ __doc__');

/** What a class may define of that kind. */
export const definableDunders = set('__init__ __str__ __repr__ __enter__ __exit__ __len__ __iter__ __next__ __eq__ __lt__ __le__ __gt__ __ge__ __hash__ __contains__ __bool__ __post_init__ __slots__');

/** Variables of the environment that tell a program where it is, not what it may not know. */
export const isPlainVariable = (name: string): boolean => /^[A-Z][A-Z0-9_]*$/.test(name) && !/SECRET|TOKEN|PASS|PWD$|KEY|CRED|AUTH|COOKIE|SESSION|DSN|CONN|DATABASE_URL|PRIVATE|CERT|SALT|SIGN/.test(name);
