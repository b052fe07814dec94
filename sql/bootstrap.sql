-- What needs a superuser once: the database roles, what they may set, and triggers that fire even
-- under session_replication_role = replica. Safe to run again; `conductctl migrate --bootstrap` runs
-- it before the migrations and once more after them, so that new foreign keys are covered.

do $$
declare
	v_role record;
begin
	for v_role in
		select * from (values
			('conduct_owner', 'nologin nobypassrls'),
			('conduct_gate', 'nologin bypassrls'),
			('conduct_handler', 'nologin nobypassrls'),
			('conduct_party', 'nologin nobypassrls'),
			('conduct_intake', 'nologin nobypassrls'),
			('conduct_timer', 'nologin nobypassrls'),
			('conduct_stats', 'nologin nobypassrls'),
			('conduct_admin', 'nologin nobypassrls'),
			('conduct_web', 'login nobypassrls'),
			('conduct_worker', 'login nobypassrls'),
			('conduct_migrate', 'login bypassrls'),
			('conduct_backup', 'login bypassrls')
		) as r (name, options)
	loop
		if not exists (select from pg_catalog.pg_roles where rolname = v_role.name) then
			execute pg_catalog.format('create role %I %s', v_role.name, v_role.options);
		else
			execute pg_catalog.format('alter role %I %s', v_role.name, v_role.options);
		end if;
	end loop;
end
$$;

-- Every call is one function whose statements are planned for all callers alike; planning one anew for its
-- parameters costs more than the best plan saves.
alter role conduct_web set plan_cache_mode = force_generic_plan;
alter role conduct_worker set plan_cache_mode = force_generic_plan;
alter role conduct_web set jit = off;
alter role conduct_worker set jit = off;
-- Every table that grows is read by key. Where one person is named in most of its rows, the estimate for
-- anybody else is half of the table, and the plan would read all of it to find nothing.
alter role conduct_web set enable_seqscan = off;
alter role conduct_worker set enable_seqscan = off;

grant conduct_owner, conduct_gate, conduct_handler, conduct_party, conduct_intake, conduct_timer,
	conduct_stats, conduct_admin to conduct_migrate;

-- Function clauses `set conduct.… = ''` need the right to set the parameter (PostgreSQL 15).
grant set on parameter conduct.actor, conduct.case_id
	to conduct_owner, conduct_gate, conduct_handler, conduct_party, conduct_intake, conduct_timer,
	conduct_stats, conduct_admin, conduct_migrate;

do $$
begin
	execute pg_catalog.format('revoke all on database %I from public', current_database());
	execute pg_catalog.format(
		'grant connect on database %I to conduct_web, conduct_worker, conduct_migrate, conduct_backup',
		current_database());
	execute pg_catalog.format('grant create on database %I to conduct_migrate', current_database());
	-- A failed statement's text and parameters never reach the server's log.
	execute pg_catalog.format('alter database %I set log_parameter_max_length = 0', current_database());
	execute pg_catalog.format('alter database %I set log_parameter_max_length_on_error = 0',
		current_database());
	execute pg_catalog.format('alter database %I set log_min_error_statement = panic', current_database());
end
$$;
revoke all on schema public from public;
-- Large objects would be storage that no table, policy or purge knows of.
revoke execute on function lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) from public;

-- Foreign keys are triggers; only a superuser may make them fire always.
do $$
declare
	v_trigger record;
begin
	for v_trigger in
		select c.oid::regclass as relation, t.tgname
		from pg_catalog.pg_trigger t
		join pg_catalog.pg_class c on c.oid = t.tgrelid
		join pg_catalog.pg_namespace n on n.oid = c.relnamespace
		where n.nspname in ('conduct', 'keyring') and t.tgenabled <> 'A'
	loop
		execute pg_catalog.format('alter table %s enable always trigger %I',
			v_trigger.relation, v_trigger.tgname);
	end loop;
end
$$;
