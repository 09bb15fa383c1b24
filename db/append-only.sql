-- Run after the migrations, each time: it says what must hold of the tables as they are now, and repeating it changes nothing.

-- Statement-level, so that a statement that meets no row is refused as well.
create or replace function sluice_refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit is append-only, so % is refused', tg_op using errcode = 'insufficient_privilege';
end $$;
create or replace trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function sluice_refuse_audit_change();
-- In sessions with session_replication_role = replica, too.
alter table audit enable always trigger audit_append_only;

-- What API and workers may do: they run under this role, whoever owns the tables.
grant usage on schema public to sluice_app;
grant select, insert, update, delete on all tables in schema public to sluice_app;
revoke update, delete, truncate on audit from sluice_app;
