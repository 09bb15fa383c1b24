import { judgeAwk } from '../awk-program.js';
import { deny, plus } from '../notes.js';
import { same, type ProgramTable, type Use } from '../program-rule.js';
import { judgeSed } from '../sed-script.js';
import { judgeValue } from '../values.js';
import { isKnown, type Word } from '../words.js';

// The text of a program is the first operand, unless an option gives it; what follows are files.
const programThenFiles =
  (options: readonly string[], language: (text: string, word: Word, use: Use) => void) =>
  (use: Use): void => {
    const written = options.flatMap((option) => use.options.get(option) ?? []);
    const [first, ...files] = use.operands;
    for (const word of written.length > 0 ? written : first === undefined ? [] : [first]) language(word.text, word, use);
    judgeFiles(written.length > 0 ? use.operands : files, use);
  };

function judgeFiles(files: readonly Word[], use: Use): void {
  for (const file of files) judgeValue('read', file, use);
}

const grep = {
  options: '-abchHilLnoPqrRsSvVwxzEFGyIU -A: -B: -C: -m: -e: -f:read -d: -D: -# --color? --colour? --include: --exclude: --exclude-dir: --regexp: --file:read --ignore-case --invert-match --count --line-number --only-matching --quiet --silent --no-messages --recursive --extended-regexp --fixed-strings --perl-regexp --word-regexp --line-regexp --with-filename --no-filename --files-with-matches --files-without-match --max-count: --after-context: --before-context: --context: --line-buffered --text --null --null-data --byte-offset --label:',
  operands: ['text', 'text'],
  judge: (use: Use) => judgeFiles(use.options.has('-e') || use.options.has('--regexp') || use.options.has('-f') || use.options.has('--file') ? use.operands : use.operands.slice(1), use),
} as const;

/** Programs that turn text into text. */
export const text: ProgramTable = {
  ...same('grep egrep fgrep zgrep rg', grep),
  ...same('tac nl', { options: '-b: -w: -s: -n: -v: -rb', operands: ['read'] }),
  cat: { options: '-AbeEnstTuv --number --show-all --number-nonblank --squeeze-blank', operands: ['read'] },
  ...same('head tail', { options: '-n: -c: -# -fFqrvz --lines: --bytes: --follow? --quiet --silent --verbose --retry --pid:number -s: --sleep-interval:', operands: ['read'] }),
  cut: { options: '-d: -f: -c: -b: -sz --delimiter: --fields: --characters: --output-delimiter: --complement --only-delimited', operands: ['read'] },
  tr: { options: '-cCdst --delete --squeeze-repeats --complement', operands: ['text'] },
  sort: { options: '-bcCdfghiMmnRrsuVz -k: -t: -o:write -S: --key: --field-separator: --numeric-sort --reverse --unique --human-numeric-sort --version-sort --output:write --ignore-case --stable --parallel:', operands: ['read'] },
  uniq: { options: '-cdDiuz -f: -s: -w: --count --repeated --unique --ignore-case', operands: ['read', 'write', 'plus'] },
  wc: { options: '-clmwL --lines --words --bytes --chars --max-line-length', operands: ['read'] },
  ...same('column', { options: '-ctesxnR -t -s: -o: -N: -H: --table --separator:', operands: ['read'] }),
  ...same('paste', { options: '-sz -d: --serial --delimiters:', operands: ['read'] }),
  ...same('join comm', { options: '-123iz -a: -v: -t: -e: -j: -o: --nocheck-order', operands: ['read'] }),
  ...same('fold expand unexpand', { options: '-bs -w: -t: --width: --spaces', operands: ['read'] }),
  ...same('diff cmp', { options: '-abBiqrsuwyNlcp -U: -C: --brief --unified? --color? --recursive --side-by-side --ignore-all-space --ignore-space-change --ignore-blank-lines --suppress-common-lines', operands: ['read'] }),
  ...same('md5sum sha1sum sha256sum sha512sum cksum sum b2sum', { options: '-bct --check --quiet --status', operands: ['read'] }),
  rev: { operands: ['read'] },
  base64: { options: '-diw: -d -i -w: --decode --wrap: --ignore-garbage', operands: ['read'], judge: (use) => void ((use.options.has('-d') || use.options.has('--decode')) && use.input.kind === 'text' && use.object(use.position, plus('decode', 'what comes out of it is not in the text', 'Write the text itself.'))) },
  ...same('xxd hexdump hd od', { options: '-CAvbx -n: -s: -c: -l: -t: -j: -N: -r+ -p', operands: ['read', 'write'] }),
  ...same('strings file', { options: '-abn: -a -b -i -n: -L', operands: ['read'] }),
  seq: { options: '-w -s: -f: --separator: --equal-width', operands: ['number'] },
  ...same('basename dirname', { options: '-az -s: --suffix:', operands: ['text'] }),
  ...same('realpath readlink', { options: '-efmnqsz --canonicalize', operands: ['measure'] }),
  expr: { operands: ['text'] },
  bc: { options: '-lq', judge: (use) => void (use.operands.length > 0 && use.object(use.position, plus('operand', 'it reads its program from a file', 'Give it the expression.'))) },
  numfmt: { options: '--to: --from: --suffix: --field: --delimiter: --format: --header? --padding:', operands: ['text'] },
  ...same('shuf', { options: '-ez -n: -i:', operands: ['read'] }),
  ...same('zcat gunzip gzip bzcat bunzip2 bzip2 xzcat unxz xz zstdcat', { options: '-cdfkltv# -# -1 -9 -k --keep --stdout --decompress --list --test --best --fast', operands: ['read'], judge: judgeCompression }),
  iconv: { options: '-f: -t: -c -l', operands: ['read'] },
  printenv: { operands: ['text'], judge: (use) => judgePrintenv(use) },
  jq: {
    options: '-rcesSnjaCM -r -c -e -s -S -n -j -a -C -M -R --raw-output --compact-output --slurp --sort-keys --null-input --exit-status --raw-input --join-output --tab --indent: --args --jsonargs -f:plus -L:plus --from-file:plus --slurpfile:plus --rawfile:plus --arg:: --argjson:: --unbuffered',
    operands: ['text', 'read'],
    judge: (use) => judgeJq(use),
  },
  yq: { options: '-rceijPnN -i -r -e -P -o: -p: -I: --inplace --output-format: --input-format: --exit-status --no-colors --raw-output --prettyPrint --unwrapScalar?', operands: ['text'], judge: (use) => judgeYq(use) },
  ...same('awk gawk mawk nawk', { options: '-F: -v: --field-separator: --assign:', operands: ['text'], judge: programThenFiles([], judgeAwk) }),
  sed: {
    options: '-nErsuz -e: -i? -f:plus --expression: --in-place? --quiet --silent --regexp-extended --separate --unbuffered --null-data --sandbox -l:',
    operands: ['text'],
    judge: (use) => {
      const scripts = [...(use.options.get('-e') ?? []), ...(use.options.get('--expression') ?? [])];
      const [first, ...others] = use.operands;
      for (const word of scripts.length > 0 ? scripts : first === undefined ? [] : [first]) judgeSed(word.text, word, use);
      const isWriting = use.options.has('-i') || use.options.has('--in-place');
      for (const word of scripts.length > 0 ? use.operands : others) judgeValue(isWriting ? 'write' : 'read', word, use);
    },
  },
};

function judgeCompression(use: Use): void {
  const isReading = use.program.endsWith('cat') || use.options.has('-c') || use.options.has('--stdout') || use.options.has('-l') || use.options.has('-t');
  if (use.input.kind === 'text' && (use.options.has('-d') || /^(un|gun|bun|.*cat$)/.test(use.program))) use.object(use.position, plus('decode', 'what comes out of it is not in the text', 'Write the text itself.'));
  if (!isReading) for (const word of use.operands) judgeValue('write', word, use);
}

function judgePrintenv(use: Use): void {
  if (use.operands.length === 0) use.object(use.position, deny('environment', 'it prints every variable of the environment, which is where secrets are', 'Print the one that you need.'));
  for (const word of use.operands) if (/KEY|TOKEN|SECRET|PASS|CRED|AUTH/i.test(word.text)) use.object(word.position, deny('environment', 'it prints a secret', 'Leave it out.'));
}

function judgeJq(use: Use): void {
  const [filter, ...files] = use.operands;
  if (filter !== undefined && (!isKnown(filter.text) || /\$ENV|\benv\b|\binput_filename\b|\b(import|include)\b|\$__|\bget_search_list\b|\bdebug\b|\bhalt_error\b/.test(filter.text.replace(/\.env\b|"env"/g, '')))) {
    use.object(filter.position, isKnown(filter.text) ? deny('jq', 'the filter reads the environment or other files', 'Take only what comes in.') : plus('jq', 'part of the filter is not in the text', 'Hand it over with --arg.'));
  }
  judgeFiles(files, use);
}

function judgeYq(use: Use): void {
  const words = use.operands[0] !== undefined && /^(e|eval|r|w)$/.test(use.operands[0].text) ? use.operands.slice(1) : use.operands;
  const [expression, ...files] = words;
  if (expression !== undefined && /\b(env|strenv|envsubst|load\w*|system|eval)\b/.test(expression.text.replace(/\.(env|eval)\b/g, ''))) use.object(expression.position, deny('yq', 'the expression reads the environment, other files, or runs text', 'Take only what comes in.'));
  const isWriting = use.options.has('-i') || use.options.has('--inplace');
  for (const file of files) judgeValue(isWriting ? 'write' : 'read', file, use);
}
