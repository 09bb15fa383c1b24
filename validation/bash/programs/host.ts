import { deny, plus, type Objection } from '../notes.js';
import { same, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { isKnown, type Word } from '../words.js';

// Without these nobody gets in any more, nothing is recorded, or the host does not come up again.
const keystone = /^(ssh|sshd|auditd|rsyslog|systemd-[\w-]+|dbus|dbus-broker|firewalld|iptables|nftables|ufw|fail2ban|polkit|getty@?.*|networking|NetworkManager|network|wpa_supplicant|falco|crowdsec|sssd|debug-shell|rescue|emergency|serial-getty@?.*|-\.mount|.*\.target)(\.service|\.socket)?$/;
const twoForService = (rule: string, what: string): Objection => plus(rule, what, 'Restart or reload one service of your own.');

const unit = (use: Use): void => {
  if (use.operands.length === 0 && /(start|stop|reload|restart|enable|disable|kill)$/.test(use.program)) use.object(use.position, plus('unit', 'it names no unit', 'Name one unit.'));
  for (const word of use.operands) judgeUnit(word, use);
};
function judgeUnit(word: Word, use: Use): void {
  if (!/^[\w:.@\\*?\uE000\uE002\uE003-]+$/.test(word.text)) use.object(word.position, deny('unit', 'a unit is given by a path', 'Name a unit that is installed.'));
  else if (!isKnown(word.text)) use.object(word.position, plus('unit', 'nothing in the text says which unit that is', 'Name the unit.'));
  else if (/[*?]/.test(word.text)) use.object(word.position, plus('unit', 'it is about every unit of such a name', 'Name the unit.'));
  else if (keystone.test(word.text)) use.object(word.position, use.program.endsWith('stop') ? deny('unit', `without ${word.text} the host cannot be reached or watched`, 'Leave it running.') : plus('unit', `with ${word.text} the host can be lost`, 'Let two people look at it.'));
}

const watchUnit: ProgramRule = { operands: ['name'] };
const changeUnit: ProgramRule = { operands: ['text'], judge: unit };
const stopUnit: ProgramRule = { ...changeUnit, weight: twoForService('service', 'the service is not there until somebody starts it again') };

const systemctl: ProgramRule = {
  options: '-alqtnp -n: -t: -p: -o: --no-pager --lines: --full --quiet --all --failed --state: --type: --property: --value --plain --no-legend --output: --no-block --wait --now+ --runtime+ --force+ --recursive --reverse --no-ask-password --signal:plus --kill-who:',
  verbs: {
    ...same('status is-active is-failed is-enabled show cat list-units list-timers list-unit-files list-sockets list-dependencies list-jobs get-default is-system-running help', watchUnit),
    ...same('start restart reload try-restart reload-or-restart try-reload-or-restart reset-failed', changeUnit),
    'daemon-reload': {},
    ...same('stop kill enable disable unmask clean freeze thaw reenable', stopUnit),
  },
  otherwise: deny('systemctl', 'it changes what the host starts, or stops the host', 'Use start, restart or reload of one unit.'),
  judge: (use) => void (use.operands.length === 0 && !use.options.has('--failed') && use.object(use.position, plus('verb', 'systemctl is told nothing', 'Say what to list.'))),
};

const onlyReads = (options: string, operands: ProgramRule['operands'] = []): ProgramRule => ({ options, operands });

/** Programs that look at the host and its services, or change them in known ways. */
export const host: ProgramTable = {
  systemctl,
  service: {
    operands: ['text'],
    judge: (use) => {
      const [name, verb, more] = use.operands;
      if (name === undefined || verb === undefined || more !== undefined) return use.object(use.position, plus('unit', 'it is not one verb for one service', 'Write `service NAME restart`.'));
      judgeUnit(name, { ...use, program: `service ${verb.text}` });
      if (verb.text === 'stop') use.object(use.position, twoForService('service', 'the service is not there until somebody starts it again'));
      else if (!/^(start|restart|reload|status|force-reload|try-restart)$/.test(verb.text)) use.object(verb.position, plus('verb', 'no rule knows what the service does then', 'Use restart, reload or status.'));
    },
  },
  journalctl: {
    options: '-abefklmnoprtuxqSUg -u: -n? -b? -p: -o: -t: -S: -U: -g: --unit: --lines? --since: --until: --no-pager --follow --priority: --output: --identifier: --boot? --dmesg --catalog --reverse --grep: --quiet --utc --disk-usage --list-boots --vacuum-time: --vacuum-size: --vacuum-files: --rotate --pager-end --no-hostname --all --user-unit: --no-full',
    operands: ['text'],
    judge: (use) => {
      if (use.options.size === 0) use.object(use.position, plus('pager', 'it shows all of the journal, in a program from which others can be started', 'Say of which unit, and add --no-pager.'));
      for (const word of [...(use.options.get('--vacuum-time') ?? []), ...(use.options.get('--vacuum-size') ?? [])]) {
        if (!/^([2-9]|\d{2,})(d|days?)$|^([1-9]\d*)(w|weeks?|months?|G|g)$|^\d{3,}M$/.test(word.text)) use.object(word.position, plus('journal', 'little of the journal is left then', 'Keep at least two days, or 100M.'));
      }
    },
  },
  logrotate: { options: '-fdv --force --debug --verbose', operands: ['read'], judge: (use) => {
    for (const word of use.operands) if (!/^\/etc\/logrotate\.(conf|d\/[\w.-]+)$/.test(word.text)) use.object(word.position, plus('logrotate', 'a configuration can name commands that it runs', 'Name a file in /etc/logrotate.d.'));
  } },
  loginctl: { verbs: { 'list-sessions': {}, 'list-users': {} }, options: '--no-pager' },
  hostnamectl: { verbs: { status: {} }, judge: () => undefined },
  timedatectl: { options: '--no-pager', verbs: { status: {}, show: {}, 'timesync-status': {}, 'set-ntp': { operands: ['known'] } }, judge: () => undefined },
  chronyc: { options: '-na', verbs: { ...same('tracking sources sourcestats activity ntpdata', { options: '-va', operands: ['text'] }), makestep: {}, burst: { operands: ['text'] } } },
  free: onlyReads('-bkmgthwls -s: -c: --human --mega --giga --total'),
  uptime: onlyReads('-ps'),
  ...same('w who whoami groups nproc arch tty users', onlyReads('-abdHhflmqrsTu --all', ['text'])),
  id: onlyReads('-ugnGr', ['name']),
  hostname: onlyReads('-fisdAIy', ['plus']),
  uname: onlyReads('-asnrvmpio'),
  date: { options: '-uRI -d: -I? --date: --utc --iso-8601? --rfc-3339: -r:measure', operands: ['text'], judge: (use) => {
    for (const word of use.operands) if (!word.text.startsWith('+')) use.object(word.position, deny('clock', 'it sets the clock', 'Let chrony do it.'));
  } },
  cal: onlyReads('-13my', ['number']),
  logger: onlyReads('-ist -t: -p: --tag: --priority:', ['text']),
  sleep: onlyReads('', ['number']),
  ps: {
    options: '-aAdefFHjlLmMNOPTwyu -o: -p: -C: -u: -U: -G: -g: -t: --sort: --no-headers --no-heading --forest --pid: --ppid: --user: --format: --cols: -ww',
    operands: ['text'],
    judge: (use) => {
      for (const word of use.operands) if (/^[a-zA-Z]*e[a-zA-Z]*$/.test(word.text) && !word.text.startsWith('-')) use.object(word.position, deny('environment', 'it shows the environment of other processes, which is where secrets are', 'Use `ps aux` or `ps -ef`.'));
    },
  },
  ...same('top htop atop', { options: '-bHcSi -n: -d: -p: -o: -u: -w:', judge: (use) => void (!use.options.has('-b') && use.object(use.position, plus('interactive', 'it waits for what a person types', 'Write `top -b -n 1`.'))) }),
  ...same('vmstat iostat mpstat pidstat sar nfsstat', onlyReads('-adDfhkmnpstwxyzANPrRuSBbqWv -p: -P: -n: -u --human --dec? -S -t', ['text'])),
  lsof: onlyReads('-abhlnPRsStUVwX -i? -p: -u: -c: -s? -t +D:list +L1 -L +L -nP -nPi -iTCP', ['list']),
  fuser: onlyReads('-vmn4 -n: -a -u -k+', ['list']),
  pgrep: onlyReads('-alfoxcnvw -u: -P: -g: -t: --list-name --list-full --full', ['text']),
  pidof: onlyReads('-sx', ['text']),
  pstree: onlyReads('-apnulhHcg', ['text']),
  lsblk: onlyReads('-abdfhilmnoprstJpP -o: --output:', ['text']),
  ...same('findmnt', onlyReads('-lnrJDsTt -o: -t: --df', ['text'])),
  blkid: onlyReads('-o: -s:', ['text']),
  ...same('lscpu lspci lsusb lsmod lsmem lsns numactl dmidecode', onlyReads('-abekmnpstvxHJ -s: -t: --hardware --show', ['text'])),
  dmesg: onlyReads('-TkxHdLPw -l: -f: -n+ --ctime --level: --facility: --human+ --follow --since: --nopager -H+'),
  ...same('smartctl', onlyReads('-aiHAxc -l: -d: --all --info --health', ['text'])),
  ...same('nvme', { verbs: { list: {}, 'smart-log': { operands: ['text'] } } }),
  ...same('pvs vgs lvs pvdisplay vgdisplay lvdisplay pvscan vgscan', onlyReads('-aovhS -o: --units: --noheadings --nosuffix --all --separator:', ['text'])),
  lvextend: { options: '-rnt -L: -l: --resizefs --size: --extents: --test', operands: ['text'], judge: (use) => {
    for (const word of [...(use.options.get('-L') ?? []), ...(use.options.get('-l') ?? []), ...(use.options.get('--size') ?? [])]) if (!/^\+?\d+(\.\d+)?(%FREE|%VG|[kmgtKMGT]i?[bB]?)?$/.test(word.text)) use.object(word.position, plus('number', 'this is no size', 'Write it as +10G.'));
  } },
  ...same('resize2fs xfs_growfs', { options: '-pd', operands: ['text'], judge: (use) => void (use.operands.length > 1 && use.object(use.position, plus('shrink', 'with a size it can shrink the file system', 'Name the device only.'))) }),
  fstrim: { options: '-vaA --all --verbose --fstab', operands: ['measure'] },
  growpart: { options: '', operands: ['text'], weight: plus('partition', 'it changes the table of partitions', 'Let two people look at it.') },
  ...same('mount', { options: '-lvt -t: -o:plus -a+ --bind+ --rbind+', operands: ['plus'] }),
  ...same('swapon', { options: '-s --show', operands: ['plus'] }),
  sysctl: {
    options: '-anwqeN -w -p+ --system+ --values --all',
    operands: ['text'],
    judge: (use) => {
      for (const word of use.operands) {
        const [key = '', value] = word.text.split('=');
        if (/\/|\.\./.test(key) && /\.\./.test(key)) use.object(word.position, deny('sysctl', 'the name leads to another file', 'Write the name with dots.'));
        if (value === undefined) continue;
        if (/^(net\.(core|ipv4)\.(somaxconn|netdev_max_backlog|rmem_max|wmem_max|rmem_default|wmem_default|tcp_[a-z_]+|ip_local_port_range)|net\.netfilter\.nf_conntrack_max|net\.nf_conntrack_max|vm\.(swappiness|max_map_count|overcommit_memory|dirty_\w+|min_free_kbytes|vfs_cache_pressure)|fs\.(file-max|nr_open|inotify\.max_user_\w+|aio-max-nr)|kernel\.(pid_max|threads-max|shmmax|shmall|sem))$/.test(key)) {
          if (!/^[\d\s]+$/.test(value)) use.object(word.position, plus('sysctl', 'this is no number', 'Write a number.'));
        } else use.object(word.position, /^kernel\.(core_pattern|modprobe|hotplug|poweroff_cmd|sysrq|yama|randomize|kptr|dmesg)|^fs\.(suid|protected|binfmt)/.test(key) ? deny('sysctl', `${key} decides what the kernel runs or protects`, 'Leave it as it is.') : plus('sysctl', `no rule knows what ${key} does`, 'Let two people look at it.'));
      }
    },
  },
  kill: {
    options: '-ls -s: -l -L -# -9 --signal: -TERM -HUP -KILL -USR1 -USR2 -INT -QUIT -STOP -CONT -SIGTERM -SIGHUP -SIGKILL -SIGUSR1 -SIGUSR2 -SIGINT -SIGQUIT',
    isSingle: true,
    operands: ['text'],
    judge: (use) => {
      if (use.operands.length === 0 && !use.options.has('-l')) use.object(use.position, deny('kill', 'it ends every process that may be ended', 'Name one process.'));
      if (use.operands.length > 3) use.object(use.position, plus('kill', 'it ends many processes', 'Name one.'));
      for (const word of use.operands) {
        if (/^(-1?|0|1|-\d+)$/.test(word.text)) use.object(word.position, deny('kill', 'it ends the first process of the host, or all that may be ended', 'Name one process.'));
        else if (word.isSpread && !isKnown(word.text)) use.object(word.position, plus('kill', 'nothing in the text says how many processes it ends', 'Name one process, in double quotes.'));
        else if (!/^%?[\d\uE000\uE002\uE003]+$/.test(word.text)) use.object(word.position, plus('kill', 'this is not one process', 'Name one process.'));
      }
    },
  },
  ...same('pkill killall', { options: '-fxeou -u: -# -9 -HUP -TERM -USR1 -KILL --signal: -s: -P:', operands: ['text'], weight: plus('kill', 'it ends every process of such a name', 'Restart the service, or end one process by its number.'), judge: (use) => {
    for (const word of use.operands) if (keystone.test(word.text) || word.text.length < 3 || /[.*]/.test(word.text)) use.object(word.position, deny('kill', 'it ends more than one service', 'Restart the service.'));
  } }),
  renice: { options: '-n: -p: -u+ -g+', operands: ['number'] },
  ulimit: onlyReads('-a'),
  ...same('nginx', { options: '-tTqvV -s: -c+ -p+ -g+', judge: (use) => {
    for (const word of use.options.get('-s') ?? []) if (word.text !== 'reload' && word.text !== 'reopen') use.object(word.position, twoForService('service', 'the server is not there until somebody starts it again'));
    if (use.options.size === 0) use.object(use.position, plus('verb', 'it starts a second server', 'Use systemctl.'));
  } }),
  ...same('apachectl apache2ctl httpd', { isSingle: true, options: '-t -S -M -v -V -l -t -D:plus -k:', operands: ['known'], judge: (use) => {
    for (const word of [...use.operands, ...(use.options.get('-k') ?? [])]) if (!/^(configtest|graceful|status|fullstatus|restart)$/.test(word.text)) use.object(word.position, twoForService('service', 'no rule knows what the server does then'));
  } }),
  haproxy: { options: '-cvV -f:read -q', judge: (use) => void (!use.options.has('-c') && !use.options.has('-v') && use.object(use.position, plus('verb', 'it starts a second server', 'Use systemctl.'))) },
  ...same('php-fpm php-fpm8.2 php-fpm8.1', { options: '-tvm' }),
  supervisorctl: { verbs: { status: { operands: ['text'] }, ...same('restart start', { operands: ['name'], judge: (use) => {
    for (const word of use.operands) if (word.text === 'all') use.object(word.position, plus('unit', 'it is about every program', 'Name one.'));
  } }), tail: { options: '-f', operands: ['name'] } } },
  pm2: { options: '--no-color', verbs: { ...same('ls list status jlist show describe logs', { options: '--lines: --nostream', operands: ['name'] }), ...same('restart reload', { operands: ['name'], judge: (use) => {
    for (const word of use.operands) if (word.text === 'all' || /[./]/.test(word.text)) use.object(word.position, plus('unit', 'it is not one app that runs already', 'Name one.'));
  } }) } },
  varnishadm: { verbs: { ...same('status ping backend.list vcl.list panic.show ban.list', { operands: ['text'] }), ban: { operands: ['text'] } } },
  varnishstat: onlyReads('-1 -f:'),
};
