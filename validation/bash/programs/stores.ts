import { deny, plus } from '../notes.js';
import { same, type ProgramRule, type ProgramTable, type Use } from '../program-rule.js';
import { isKnown, isPlain } from '../words.js';

const reads = (options = '', operands: ProgramRule['operands'] = ['text']): ProgramRule => ({ options, operands });
const weighs = (rule: string, reason: string, options = ''): ProgramRule => ({ weight: plus(rule, reason, 'Let two people look at it.'), options, operands: ['text'] });
const all = (use: Use, ...names: readonly string[]) => names.flatMap((name) => use.options.get(name) ?? []);

const redisReading = /^(ping|info|get|mget|strlen|exists|ttl|pttl|type|scan|hget|hgetall|hlen|hkeys|hmget|hscan|llen|lrange|lindex|scard|smembers|sismember|sscan|zcard|zrange|zscore|zcount|xlen|xinfo|xrange|xpending|dbsize|time|lastsave|role|randomkey|object|bitcount|pfcount|echo|slowlog|latency|memory|client|cluster|config|command|sentinel|waitaof)$/;
const redisSub: Readonly<Record<string, RegExp>> = {
  slowlog: /^(get|len|reset)$/,
  latency: /^(latest|history|doctor|reset|histogram)$/,
  memory: /^(usage|stats|doctor|purge)$/,
  client: /^(list|info|id|getname|kill|no-evict)$/,
  cluster: /^(info|nodes|slots|shards|myid|keyslot|countkeysinslot)$/,
  config: /^(get|resetstat|set)$/,
  sentinel: /^(masters|master|slaves|replicas|sentinels|get-master-addr-by-name|ckquorum)$/,
  command: /^(info|count|docs)$/,
  object: /^(encoding|freq|idletime|refcount)$/,
};
const redisSettings = /^(maxmemory|maxmemory-policy|maxmemory-samples|timeout|tcp-keepalive|maxclients|slowlog-log-slower-than|slowlog-max-len|latency-monitor-threshold|lazyfree-[\w-]+|activedefrag|hz|repl-backlog-size|repl-timeout|client-output-buffer-limit|notify-keyspace-events)$/;

function judgeRedis(use: Use): void {
  const [verb, sub, key] = use.operands;
  if (verb === undefined) return use.options.has('--latency') || use.options.has('--bigkeys') || use.options.has('--memkeys') || use.options.has('--stat') || use.options.has('--scan') || use.options.has('--version') ? undefined : use.object(use.position, plus('interactive', 'it waits for commands that are not in the text', 'Write the command.'));
  const name = verb.text.toLowerCase();
  const first = (sub?.text ?? '').toLowerCase();
  if (!isKnown(name)) return use.object(verb.position, deny('hiddenVerb', 'nothing in the text says what the store is told', 'Write the command.'));
  if (redisReading.test(name)) {
    if (redisSub[name]?.test(first) === false) return use.object(verb.position, plus('redis', `no rule knows ${name} ${first}`, 'Let two people look at it.'));
    if (name === 'config' && first === 'get' && /pass|\*|auth|file/i.test(key?.text ?? '*')) return use.object(verb.position, plus('redis', 'it shows the password of the store', 'Name one setting.'));
    if (name === 'config' && first === 'set' && !redisSettings.test(key?.text ?? '')) return use.object(verb.position, deny('redis', 'it decides what files the store writes or loads, or who may enter', 'Set a limit only.'));
    return;
  }
  if (/^(del|unlink|expire|persist|lrem|srem|hdel|zrem|ltrim|bgrewriteaof|bgsave)$/.test(name)) {
    if (use.operands.length > 6 || use.operands.some((word) => word.isSpread && !isKnown(word.text))) use.object(verb.position, plus('redis', 'it removes many keys', 'Name a few.'));
    return;
  }
  // One database of a cache, named by host and number, and not in the way of others meanwhile.
  if (name === 'flushdb' && first === 'async' && [...all(use, '-h'), ...all(use, '-n')].length === 2 && all(use, '-h', '-n').every((word) => isPlain(word.text))) return;
  use.object(verb.position, /^(eval|evalsha|fcall|script|function|module|debug|slaveof|replicaof|migrate|restore|acl|shutdown|monitor|flushall|auth|psync|sync|failover|swapdb)$/.test(name) ? deny('redis', `${name} runs code in the store, empties or takes over all of it`, 'Name the keys or the database.') : plus('redis', `${name} changes data`, 'Let two people look at it.'));
}

function judgePsql(use: Use): void {
  const statements = all(use, '-c', '--command');
  for (const file of all(use, '-f', '--file')) use.object(file.position, plus('sqlFile', 'what the file holds is not in the text', 'Write the statement with -c.'));
  for (const word of statements) {
    if (/^\s*\\(d[a-zA-Z]*\+?|l\+?|conninfo|timing|x|dt\+?)(\s+[\w.*]+)?\s*$/.test(word.text)) continue;
    if (/\\/.test(word.text)) use.object(word.position, deny('psqlCommand', 'commands of psql itself can run programs and write files', 'Write SQL only.'));
    else if (isKnown(word.text)) use.judgeSql(word.text, word.position);
    else use.object(word.position, plus('sql', 'part of the SQL is not in the text', 'Write the whole statement.'));
  }
  if (statements.length === 0 && !use.options.has('-l') && !use.options.has('--list') && !use.options.has('--version') && !use.options.has('-f') && !use.options.has('--file')) {
    if (use.input.kind === 'text' && isKnown(use.input.text) && !use.input.text.includes('\\')) use.judgeSql(use.input.text, use.position);
    else use.object(use.position, plus('interactive', 'the SQL that it runs is not in the text', 'Write the statement with -c.'));
  }
  for (const word of use.operands) if (/[=:/]/.test(word.text) && !/^postgres(ql)?:\/\/[\w.:@/\uE000-\uE003-]+$|^(\w+=[\w./\uE000-\uE003-]+ ?)+$/.test(word.text)) use.object(word.position, plus('psql', 'it connects in a way that no rule knows', 'Write -h, -d and -U.'));
}

function judgeMysql(use: Use): void {
  for (const word of all(use, '-e', '--execute')) {
    if (/^\s*(show (full )?(processlist|(global |session )?(status|variables)|(master|slave|replica) status|engine innodb status|(full )?tables|databases|open tables|binary logs)(\s+like\s+'[\w%]*')?|select 1|explain\s[\w\s.*=<>',()-]+|kill( query| connection)? \d+|analyze table [\w.]+|flush (logs|status))\s*(;|\\G)?\s*$/i.test(word.text)) continue;
    use.object(word.position, /\b(system|source|drop\s+(database|schema)|into\s+(out|dump)file|load_file|create\s+(user|function)|grant|\\!|tee|pager|load\s+data|delimiter|sys_exec|set\s+password|alter\s+user)\b|\\[!.PT]/i.test(word.text) ? deny('mysql', 'it runs programs, touches files or rights, or drops a whole database', 'Write one plain statement.') : plus('mysql', 'no rule knows this statement', 'Let two people look at it.'));
  }
  if (all(use, '-e', '--execute').length === 0) use.object(use.position, plus('interactive', 'the SQL that it runs is not in the text', 'Write the statement with -e.'));
}

const kafka = (use: Use): void => {
  if (use.options.has('--delete') || use.options.has('--reset-offsets') || use.options.has('--execute') || use.options.has('--delete-config')) use.object(use.position, plus('kafka', 'it deletes, or moves what readers have read', 'Describe it first.'));
};
const kafkaOptions = '--bootstrap-server: --list --describe --topic: --group: --all-groups --under-replicated-partitions --unavailable-partitions --alter --partitions: --entity-type: --entity-name: --entity-default+ --add-config: --delete --delete-config: --execute --reset-offsets --members --verbose --state --command-config:plus --all-topics --verify --topics-with-overrides --timeout: --version --to-latest --to-earliest --dry-run --exclude-internal';
const kafkaProgram: ProgramRule = { options: kafkaOptions, judge: kafka };

/** Programs that speak to databases, caches, queues and other stores. */
export const stores: ProgramTable = {
  'redis-cli': { isSingle: true, options: '-h: -p: -n: -a: -c -r: -i: -u:plus --user: --pass: --no-auth-warning --tls --cacert:read --raw --no-raw --csv --json --latency --bigkeys --memkeys --stat --scan --pattern: --version --eval! --rdb! --pipe! --cluster! -x+ --askpass -s:plus --count:', operands: ['text'], judge: judgeRedis },
  psql: { options: '-AtqxXnweElV1 -h: -p: -U: -d: -c: -f: -v: -F: -R: -P:plus -o! -L! --host: --port: --username: --dbname: --command: --file: --tuples-only --no-align --quiet --expanded --no-psqlrc --csv --no-password --field-separator: --set: --list --version --variable: --output! --log-file! --single-transaction', operands: ['text'], judge: judgePsql },
  ...same('mysql mariadb', { options: '-NBstvE -h: -P: -u: -p? -D: -e: --host: --port: --user: --password? --database: --execute: --batch --silent --table --skip-column-names --connect-timeout: --defaults-file! --defaults-extra-file! --pager! --tee! --protocol:', operands: ['name'], judge: judgeMysql }),
  ...same('mysqladmin mariadb-admin', { options: '-h: -P: -u: -p? --host: --user: --password?', verbs: { ...same('ping status processlist variables extended-status version', {}), 'flush-hosts': {}, 'flush-logs': {}, kill: { operands: ['number'] } } }),
  pg_isready: reads('-q -h: -p: -U: -d: -t: --host: --port: --timeout:'),
  pg_controldata: weighs('postgres', 'no rule knows it'),
  ...same('vacuumdb reindexdb analyzedb', { options: '-zvqeZ -h: -p: -U: -d: -t: -j: -i: --analyze --table: --index: --jobs: --dbname: --concurrently --analyze-only --analyze-in-stages --verbose -a+ --all+ --full+ -f+', operands: ['name'] }),
  patronictl: { options: '-c:read -k', verbs: { ...same('list history topology version', reads()), ...same('failover switchover restart reload reinit pause resume edit-config', weighs('patroni', 'it changes which server leads', '--force --master: --leader: --candidate: --wait')) } },
  rabbitmqctl: {
    options: '-n: -q --quiet --formatter: --timeout: -t: -p: --vhost: --apply-to: --priority: --offline --online --local --no-table-headers -s --node:',
    verbs: {
      ...same('status cluster_status list_queues list_exchanges list_bindings list_connections list_channels list_consumers list_vhosts list_policies list_users list_permissions list_parameters list_unresponsive_queues node_health_check environment report ping version list_feature_flags', reads()),
      ...same('set_policy set_vm_memory_high_watermark set_disk_free_limit sync_queue cancel_sync_queue close_connection', reads()),
      ...same('purge_queue delete_queue clear_policy stop_app start_app forget_cluster_node close_all_connections restart_vhost set_user_tags', weighs('rabbitmq', 'messages or connections are lost', '')),
    },
    otherwise: deny('rabbitmq', 'it changes who may do what, runs code, or removes much', 'Use list_… or set_policy.'),
  },
  'rabbitmq-diagnostics': { options: '-n: -q', verbs: same('status ping check_running check_local_alarms check_port_connectivity cluster_status memory_breakdown check_virtual_hosts alarms listeners', reads()) },
  ...same('kafka-topics kafka-topics.sh kafka-consumer-groups kafka-consumer-groups.sh kafka-configs kafka-configs.sh kafka-broker-api-versions kafka-broker-api-versions.sh', kafkaProgram),
  ...same('kafka-log-dirs kafka-log-dirs.sh', { options: '--bootstrap-server: --describe --topic-list: --broker-list:' }),
  etcdctl: {
    options: '--endpoints: --cacert:text --cert:text --key:text -w: --write-out: --command-timeout: --dial-timeout: --cluster --hex --insecure-skip-tls-verify+ --user:',
    verbs: {
      endpoint: { verbs: same('health status hashkv', reads('--cluster')) },
      member: { verbs: { list: {} } },
      alarm: { verbs: { list: {}, disarm: {} } },
      get: { options: '--prefix --keys-only --count-only --limit: --from-key --print-value-only', operands: ['text'], judge: (use) => void (!use.options.has('--keys-only') && !use.options.has('--count-only') && use.object(use.position, deny('secret', 'the values can hold the secrets of the cluster', 'Add --keys-only.'))) },
      ...same('defrag compact compaction', weighs('etcd', 'the member answers nobody meanwhile', '--cluster --physical')),
      version: {},
    },
    otherwise: deny('etcd', 'it changes what the cluster stands on', 'Use kubectl.'),
  },
  ceph: {
    isSingle: true,
    options: '-s -w+ -f: --format: --connect-timeout: --cluster:',
    operands: ['text'],
    judge: (use) => {
      const told = use.operands.map((word) => word.text).join(' ');
      if (!/^(|status|health( detail)?|df( detail)?|osd (status|tree|df( tree)?|stat|dump|perf|ls|pool (ls( detail)?|stats|get-quota [\w.-]+|get [\w.-]+ \w+))|mon (stat|dump)|quorum_status|mds stat|fs (status|ls|dump)|pg (stat|dump(_stuck \w+)?|ls)|mgr (module ls|services|stat)|crash (ls|ls-new|stat|info .*)|versions|orch (ls|ps|status|host ls)|daemon [\w.]+ (ops|dump_historic_ops|perf dump|status|dump_ops_in_flight)|osd (set|unset) (noout|norebalance|nobackfill|norecover|noscrub|nodeep-scrub))$/.test(told)) use.object(use.position, plus('ceph', 'it changes the storage of the cluster', 'Let two people look at it.'));
    },
  },
  promtool: { isSingle: true, verbs: { check: { isSingle: true, verbs: same('rules config metrics', { isSingle: true, options: '-lint:', operands: ['read'] }) }, query: { isSingle: true, options: '-o: -format:', verbs: same('instant range labels series', { isSingle: true, options: '-start: -end: -step:', operands: ['url', 'text'] }) }, tsdb: { isSingle: true, verbs: same('list analyze', { isSingle: true, operands: ['list'] }) }, test: { isSingle: true, verbs: { rules: { isSingle: true, operands: ['read'] } } } } },
  amtool: {
    options: '--alertmanager.url:url -o: --output: --config.file! --timeout:',
    verbs: {
      alert: { options: '-a -i -s -u --active --silenced --inhibited', operands: ['text'] },
      silence: { options: '', verbs: { ...same('query expire', reads('-q -r: --expired --within: --created-by:')), add: { options: '-d: -c: -a: --duration: --comment: --author: --start: --end:', operands: ['text'], judge: (use) => {
        for (const word of use.operands) if (!/^\w+(=|=~)[^*]{2,}$/.test(word.text) || /=~\.\*?$/.test(word.text) || /\.\*/.test(word.text)) use.object(word.position, plus('silence', 'it silences more than one kind of alert', 'Name alert and instance.'));
        if (use.operands.length === 0) use.object(use.position, plus('silence', 'it silences all alerts', 'Name alert and instance.'));
      } } } },
      ...same('check-config', { operands: ['read'] }),
      config: { verbs: { show: {}, routes: { operands: ['text'] } } },
      cluster: { verbs: { show: {} } },
    },
  },
  ...same('mongosh mongo', { weight: plus('script', 'it runs JavaScript, which is not inspected here', 'Let two people look at it.'), options: '--eval: --quiet --host: --port: -u: -p: --nodb+', operands: ['text'] }),
  ...same('dropdb dropuser createuser', { weight: deny('destroys', 'it removes a whole database, or changes who may enter', 'Leave it to a person at the machine.'), operands: ['text'] }),
};
