-- Run after the migrations, each time: it says what must hold of the tables as they are now, and repeating it changes nothing.
-- Which rows a role sees is said beside each table in schema.ts.

-- Statement-level, so that a statement that meets no row is refused as well.
create or replace function sluice_refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit is append-only, so % is refused', tg_op using errcode = 'insufficient_privilege';
end $$;
create or replace trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function sluice_refuse_audit_change();
-- In sessions with session_replication_role = replica, too.
alter table audit enable always trigger audit_append_only;

grant usage on schema public to sluice_app, sluice_api;

-- What workers may do, and the API on its own account: they run under this role, whoever owns the tables.
grant select, insert, update, delete on all tables in schema public to sluice_app;
-- What was said stays said: a policy that is not wanted any more gets a newer version.
revoke update, delete, truncate on audit, policies from sluice_app;

-- What a request may do: read, and write what people and senders say. What happens to an incident is written by its workflow.
revoke all on all tables in schema public from sluice_api;
grant select on all tables in schema public to sluice_api;
grant insert on audit, decisions, outbox, policies, scripts, tokens to sluice_api;
grant insert, update on alerts, gates, incidents, kill_switches, notifications, scripts, tail to sluice_api;
grant insert, update, delete on people to sluice_api;
-- Executor workers come in by the API: they take calls and answer them, and never make one.
grant insert, update on executors to sluice_api;
grant update (worker_id, worker_until, handle, beginning, answer) on executor_calls to sluice_api;
grant insert on executor_output to sluice_api;
-- A token's hash goes in and does not come out; what a token may do is not changed, only that it may no more.
revoke select on tokens from sluice_api;
grant select (id, workspace_id, person, role, name, created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by), update (revoked_at, revoked_by) on tokens to sluice_api;
