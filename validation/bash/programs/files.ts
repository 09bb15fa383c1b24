import { judgeFind } from '../find-expression.js';
import { deny, plus } from '../notes.js';
import { same, type Call, type Kind, type ProgramTable, type Use } from '../program-rule.js';
import { judgeValue } from '../values.js';
import type { Word } from '../words.js';

const isTree = (use: Use): boolean => ['-r', '-R', '--recursive'].some((option) => use.options.has(option));

/** All but the last are of one kind, the last is of another; with `-t` all are of the first. */
const intoLast =
  (from: Kind, to: Kind) =>
  (use: Use): void => {
    const target = use.options.get('-t') ?? use.options.get('--target-directory');
    const sources = target === undefined ? use.operands.slice(0, -1) : use.operands;
    for (const word of sources) judgeValue(from, word, use);
    for (const word of target ?? use.operands.slice(-1)) judgeValue(to, word, use);
  };

/** The first says what is set, the others on which paths. */
const ownAfterFirst = (use: Use): void => {
  const [mode, ...paths] = use.operands;
  if (mode !== undefined && use.program === 'chmod') {
    if (!/^(0?[0-7]{3}|[ugoa]*[-+=][rwxX]*(,[ugoa]*[-+=][rwxX]*)*)$/.test(mode.text)) use.object(mode.position, deny('mode', 'it gives the rights of the owner to whoever runs the file, or a mode that is not in the text', 'Write a plain mode, as 640 or g+r.'));
    else if (/^0?[0-7][0-7][2367]$|^([ao]|[ugoa]*[ao][ugoa]*)?[+=]\w*w/.test(mode.text) && !/^[ug]+[+=]/.test(mode.text)) use.object(mode.position, plus('mode', 'everybody may write it then', 'Give it to the group that needs it.'));
  }
  if (mode !== undefined && use.program !== 'chmod') {
    judgeValue('name', mode, use);
    if (/^(root|0)?(:|\.)?(root|0)$/.test(mode.text)) use.object(mode.position, plus('owner', 'it gives files to root', 'Give them to the user of the service.'));
  }
  for (const path of paths) {
    judgeValue('own', path, use);
    if (isTree(use) && path.text.replace(/\/+$/, '').split('/').length < 4) use.object(path.position, plus('ownTree', 'it changes all files below a folder that holds much', 'Name the folder further down.'));
  }
};

/** Programs that look at, make, change and remove files. */
export const files: ProgramTable = {
  ls: { options: '-aAbBcdDfFgGhHiIklLmnNopqQrRsStTuUvwxXZ1 --all --almost-all --color? --human-readable --full-time --time-style: --sort: --reverse --recursive --size --directory --group-directories-first --time: --inode -I:', operands: ['list'] },
  tree: { options: '-adfhLpsugD -L: -I: -P: --du --dirsfirst --noreport', operands: ['list'] },
  stat: { options: '-c: -f -t -L --format: --printf:', operands: ['measure'] },
  du: { options: '-abcdhHklmsSxLBt -d: -B: -t: --max-depth: --human-readable --summarize --total --apparent-size --exclude: --all --one-file-system --threshold: --time', operands: ['measure'] },
  df: { options: '-ahHiklmPTtBx -t: -x: -B: --output? --human-readable --inodes --total --print-type --type: --local --portability --exclude-type:', operands: ['measure'] },
  find: { judgeWords: judgeFind },
  tee: { options: '-aip --append', operands: ['write'] },
  touch: { options: '-acmr -d: -t: -r:measure --no-create --date:', operands: ['write'] },
  mkdir: { options: '-pv -m: --parents --mode: --verbose', operands: ['own'] },
  rmdir: { options: '-pv --ignore-fail-on-non-empty', operands: ['remove'] },
  mktemp: { options: '-dqut -p:list --directory --suffix: --tmpdir?', operands: ['text'] },
  rm: {
    options: '-fivrRd -I --force --recursive --verbose --one-file-system --no-preserve-root! --interactive? --preserve-root --dir',
    operands: ['text'],
    judge: (use) => {
      if (use.operands.length === 0) use.object(use.position, plus('operand', 'it names nothing', 'Name what is to be removed.'));
      for (const word of use.operands) judgeValue(isTree(use) ? 'removeTree' : 'remove', word, use);
    },
  },
  unlink: { operands: ['remove'] },
  cp: { options: '-afnpRrduvTLHPiblx -t: -S: --archive --preserve? --recursive --force --no-clobber --backup? --suffix: --update? --verbose --target-directory: --no-target-directory --no-dereference --parents --reflink? --sparse: --attributes-only+', operands: ['text'], judge: intoLast('read', 'write') },
  mv: { options: '-fnvTuib -t: -S: --force --no-clobber --backup? --suffix: --verbose --target-directory: --no-target-directory', operands: ['text'], judge: intoLast('remove', 'write') },
  install: { options: '-dvDpbcT -m: -o: -g: -t: --mode: --owner: --group: --directory', operands: ['text'], judge: (use) => {
    for (const mode of [...(use.options.get('-m') ?? []), ...(use.options.get('--mode') ?? [])]) if (!/^0?[0-7]{3}$/.test(mode.text)) use.object(mode.position, deny('mode', 'it gives the rights of the owner to whoever runs the file', 'Write a plain mode.'));
    if (use.options.has('-d') || use.options.has('--directory')) for (const word of use.operands) judgeValue('own', word, use);
    else intoLast('read', 'write')(use);
  } },
  ln: { options: '-sfnvTrib -t: --symbolic --force --no-dereference --relative', operands: ['text'], judge: intoLast('read', 'own') },
  chmod: { options: '-Rvcf --recursive --verbose --changes --reference:own', operands: ['text'], judge: ownAfterFirst },
  ...same('chown chgrp', { options: '-RvcfhHLP --recursive --verbose --changes --no-dereference --from:', operands: ['text'], judge: ownAfterFirst }),
  truncate: { options: '-co -s: --size: --no-create', operands: ['write'] },
  fallocate: { options: '-l: --length: -n', operands: ['write'], weight: plus('fills', 'it can fill the disk', 'Let two people look at it.') },
  dd: { operands: ['text'], weight: plus('fills', 'it copies until a disk is full, unless it is told where to end', 'Use cp.'), judge: (use) => {
    for (const word of use.operands) {
      const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(word.text) ?? [];
      if (name === 'if') judgeValue(value === '/dev/zero' || value === '/dev/urandom' ? 'text' : 'read', { ...word, text: value }, use);
      else if (name === 'of') judgeValue('write', { ...word, text: value }, use);
      else if (!/^(bs|count|conv|status|iflag|oflag|skip|seek|ibs|obs)$/.test(name)) use.object(word.position, plus('operand', 'no rule knows this word of dd', 'Leave it out.'));
    }
  } },
  split: { options: '-dxn -l: -b: -n: -a: --lines: --bytes: --filter!', operands: ['read', 'write'] },
  sync: { options: '-df', operands: ['measure'] },
  tar: { judgeWords: judgeTar },
  ...same('zip unzip', { options: '-rqlvtpj', operands: ['write', 'read'], judge: (use) => use.object(use.position, plus('archive', 'what it writes is named inside the archive', 'List it first.')) }),
  rsync: {
    options: '-avzhrltpogDnuHAXPxcSWi -e! --rsh! --archive --compress --verbose --dry-run --progress --exclude: --include: --partial --numeric-ids --delete+ --delete-after+ --delete-before+ --delete-during+ --delete-excluded+ --remove-source-files+ --bwlimit: --stats --rsync-path!',
    operands: ['text'],
    judge: (use) => {
      for (const word of use.operands) if (/^[^/]*:/.test(word.text)) use.object(word.position, plus('copyOut', 'it copies from or to another host', 'Copy inside the host.'));
      intoLast('read', 'own')(use);
    },
  },
  shred: { weight: plus('destroys', 'it overwrites files so that nothing can bring them back', 'Remove them, or move them away.'), options: '-uvzfn -n:', operands: ['remove'] },
  ...same('chattr setfacl setfattr setcap', { weight: plus('rights', 'it changes who may do what with a file in ways that people do not see', 'Use chmod or chown.'), options: '-Rmbxdk', operands: ['text'] }),
  ...same('lsattr getfacl', { options: '-Radv', operands: ['measure'] }),
};

const tarOptions = /^(--(create|list|gzip|bzip2|xz|zstd|verbose|exclude=.*|file=.*|directory=.*|one-file-system|no-recursion|append|update)|-?[ctzjJvfC]+)$/;

/** `tar` may make and list archives; what it unpacks is named inside. */
function judgeTar(words: readonly Word[], use: Call): void {
  const [first] = words;
  const mode = first?.text.replace(/^-/, '') ?? '';
  let isNext: 'file' | 'folder' | undefined;
  const isMaking = /c/.test(mode) || words.some((word) => word.text === '--create');
  if (!isMaking && !/t/.test(mode) && !words.some((word) => word.text === '--list')) use.object(use.position, plus('archive', 'what it unpacks, and where, is named inside the archive', 'List it with -tf.'));
  words.forEach((word, index) => {
    if (isNext !== undefined) {
      judgeValue(isNext === 'file' ? (isMaking ? 'write' : 'read') : 'list', word, use);
      isNext = undefined;
    } else if (index === 0 || word.text.startsWith('-')) {
      if (!tarOptions.test(word.text)) use.object(word.position, deny('option', 'tar can run commands by its options; no rule knows this one', 'Use -czf or -tzf.'));
      if (word.text.endsWith('f') && !word.text.startsWith('--')) isNext = 'file';
      if (word.text.endsWith('C') && !word.text.startsWith('--')) isNext = 'folder';
      const [, name = '', value = ''] = /^--(file|directory)=(.*)$/s.exec(word.text) ?? [];
      if (name !== '') judgeValue(name === 'file' ? (isMaking ? 'write' : 'read') : 'list', { ...word, text: value }, use);
    } else judgeValue('read', word, use);
  });
}
