const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Functions of Postgres that only compute, or only read what the query names or what the server counts. */
export const readingFunctions = words(`
  abs ceil ceiling floor round trunc mod div power sqrt cbrt exp ln log log10 sign pi degrees radians width_bucket gcd lcm scale trim_scale greatest least
  lower upper initcap length char_length character_length octet_length bit_length btrim ltrim rtrim trim substring substr overlay position strpos left right lpad rpad
  repeat reverse replace translate concat concat_ws format split_part starts_with string_to_array string_to_table array_to_string ascii chr to_hex md5 sha224 sha256 sha384 sha512
  encode decode quote_ident quote_literal quote_nullable regexp_replace regexp_match regexp_matches regexp_count regexp_like regexp_substr regexp_split_to_array regexp_split_to_table normalize like_escape similar_to_escape
  now transaction_timestamp statement_timestamp age date_part date_trunc date_bin extract make_date make_time make_timestamp make_timestamptz make_interval timezone to_char to_date to_timestamp to_number isfinite
  justify_days justify_hours justify_interval overlaps date timestamp timestamptz time interval
  int2 int4 int8 float4 float8 numeric
  count sum avg min max bool_and bool_or every array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr
  percentile_cont percentile_disc mode any_value bit_and bit_or
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  array_length array_position array_positions array_append array_prepend array_remove array_replace array_cat array_dims array_ndims array_lower array_upper cardinality unnest generate_series generate_subscripts
  json_build_object jsonb_build_object json_build_array jsonb_build_array to_json to_jsonb row_to_json jsonb_set jsonb_insert jsonb_strip_nulls jsonb_pretty jsonb_typeof json_typeof
  jsonb_array_length json_array_length jsonb_array_elements jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_each jsonb_each_text json_each json_each_text jsonb_object_keys json_object_keys
  jsonb_extract_path jsonb_extract_path_text json_extract_path json_extract_path_text jsonb_path_query jsonb_path_exists jsonb_path_query_first jsonb_path_query_array jsonb_to_record jsonb_to_recordset array_to_json
  host family masklen network netmask broadcast set_masklen inet_merge
  to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_headline setweight
  isempty lower_inc upper_inc range_merge int4range int8range numrange daterange tsrange tstzrange num_nulls num_nonnulls coalesce nullif
  version current_database current_catalog current_schema current_schemas current_user session_user user inet_client_addr inet_client_port inet_server_addr inet_server_port
  pg_backend_pid pg_blocking_pids pg_safe_snapshot_blocking_pids pg_postmaster_start_time pg_conf_load_time pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state
  pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_wal_lsn_diff pg_walfile_name pg_lsn
  pg_size_pretty pg_size_bytes pg_table_size pg_total_relation_size pg_relation_size pg_indexes_size pg_database_size pg_tablespace_size pg_column_size pg_tablespace_location
  pg_get_indexdef pg_get_constraintdef pg_get_viewdef pg_get_functiondef pg_get_triggerdef pg_get_expr pg_get_userbyid pg_get_serial_sequence pg_get_partkeydef pg_partition_tree pg_partition_ancestors pg_partition_root
  pg_get_function_arguments pg_get_function_identity_arguments pg_get_statisticsobjdef pg_describe_object obj_description col_description format_type pg_typeof pg_encoding_to_char pg_table_is_visible pg_relation_filenode
  pg_sequence_last_value pg_index_column_has_property has_table_privilege has_schema_privilege has_database_privilege has_column_privilege has_sequence_privilege has_function_privilege pg_has_role
  to_regclass to_regtype to_regproc to_regrole to_regnamespace currval lastval
  txid_current_if_assigned txid_current_snapshot txid_snapshot_xmin txid_snapshot_xmax pg_current_xact_id_if_assigned pg_current_snapshot pg_snapshot_xmin pg_snapshot_xmax pg_xact_commit_timestamp mxid_age
  pg_stat_get_activity pg_stat_get_progress_info pg_stat_get_live_tuples pg_stat_get_dead_tuples pg_stat_get_db_conflict_all pg_lock_status pg_jit_available pg_column_compression
  pgstattuple pgstattuple_approx pgstatindex pg_buffercache_summary pg_freespace similarity word_similarity`);

/** Functions that change nothing, but are computed anew for every row. */
export const volatileFunctions = words('random gen_random_uuid uuid_generate_v4 uuid_generate_v1 uuidv4 uuidv7 clock_timestamp timeofday');

/** Functions that end or change something small and named, or lose something that is only counted: two people. */
export const riskyFunctions: ReadonlyMap<string, string> = new Map([
  ['nextval', 'it uses up numbers of a sequence'],
  ['setval', 'it sets which number a sequence gives next, and what was given before is not kept'],
  ['pg_stat_reset', 'it forgets what was counted of the whole database'],
  ['pg_stat_reset_shared', 'it forgets what was counted of the whole server'],
  ['pg_stat_reset_single_table_counters', 'it forgets what was counted of a table'],
  ['pg_stat_statements_reset', 'it forgets the statistics of all statements'],
  ['pg_drop_replication_slot', 'it drops a replication slot: whoever reads from it must begin anew'],
  ['pg_wal_replay_pause', 'it pauses the replay of a standby'],
  ['pg_wal_replay_resume', 'it resumes the replay of a standby'],
]);

/** Tables and views of Postgres that hold no secret and no power. */
export const readableCatalogs = words(`
  pg_stat_activity pg_stat_user_tables pg_stat_all_tables pg_stat_sys_tables pg_stat_user_indexes pg_stat_all_indexes pg_stat_xact_user_tables pg_statio_user_tables pg_statio_all_tables pg_statio_user_indexes pg_statio_all_indexes
  pg_stat_database pg_stat_database_conflicts pg_stat_bgwriter pg_stat_checkpointer pg_stat_wal pg_stat_io pg_stat_slru pg_stat_archiver pg_stat_replication pg_stat_replication_slots pg_stat_wal_receiver pg_stat_subscription pg_stat_subscription_stats
  pg_stat_ssl pg_stat_gssapi pg_stat_user_functions pg_stat_statements pg_stat_statements_info pg_stat_recovery_prefetch
  pg_stat_progress_vacuum pg_stat_progress_analyze pg_stat_progress_create_index pg_stat_progress_cluster pg_stat_progress_copy pg_stat_progress_basebackup
  pg_locks pg_prepared_xacts pg_prepared_statements pg_cursors pg_replication_slots pg_replication_origin_status pg_publication pg_publication_tables pg_settings
  pg_class pg_attribute pg_attrdef pg_index pg_indexes pg_constraint pg_namespace pg_tables pg_views pg_matviews pg_sequences pg_sequence pg_type pg_enum pg_proc pg_trigger pg_rules pg_depend pg_description pg_inherits pg_partitioned_table
  pg_database pg_tablespace pg_extension pg_available_extensions pg_roles pg_stats pg_stats_ext pg_statistic_ext pg_policies pg_am pg_opclass pg_operator pg_collation pg_language pg_timezone_names pg_timezone_abbrevs pg_buffercache pg_stat_kcache`);

const informationSchema = words('tables columns views sequences schemata table_constraints key_column_usage constraint_column_usage referential_constraints check_constraints triggers routines table_privileges role_table_grants column_privileges');

/** Whether a name is of Postgres' own; what is ours is never judged by its name. */
export const isSystemName = (schema: string, name: string): boolean => schema.startsWith('pg_') || schema === 'information_schema' || (schema === '' && name.startsWith('pg_'));

/** Whether a table or view of Postgres may be read. */
export const isReadable = (schema: string, name: string): boolean =>
  schema === 'information_schema' ? informationSchema.has(name) : schema !== 'pg_catalog' && schema !== '' && schema.startsWith('pg_') ? false : readableCatalogs.has(name);

/** Whether the value of a setting may be shown. Settings of Postgres itself are a closed set; those that a product adds may hold anything. */
export const isPlainSetting = (name: string): boolean => /^[a-z_]+$/i.test(name) && !/conninfo|command|passphrase|password|secret|key|^all$/i.test(name);

/** Settings of one session that bound or tune what it does, and change nothing of what a statement means. */
export const settableSettings = words(`
  lock_timeout statement_timeout idle_in_transaction_session_timeout idle_session_timeout transaction_timeout deadlock_timeout work_mem maintenance_work_mem max_parallel_maintenance_workers max_parallel_workers_per_gather
  application_name client_min_messages timezone datestyle intervalstyle vacuum_cost_delay vacuum_cost_limit enable_seqscan enable_indexscan enable_bitmapscan enable_indexonlyscan enable_hashjoin enable_mergejoin enable_nestloop
  enable_sort enable_hashagg enable_material enable_partition_pruning random_page_cost seq_page_cost effective_cache_size jit`);
