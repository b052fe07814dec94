-- What was written stays: rows are never deleted, words and history never changed, the others only in the
-- columns that are meant to; procedure and policy change as sets.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

create function conduct_gate.append_only() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.refuse(tg_table_name || '_is_append_only');
	return null;
end
$$;

create function conduct_gate.rows_stay() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.refuse(tg_table_name || '_rows_stay');
	return null;
end
$$;

-- The arguments name the columns that may change.
create function conduct_gate.columns_stay() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if to_jsonb(new) - tg_argv is distinct from to_jsonb(old) - tg_argv then
		perform conduct_gate.refuse(tg_table_name || '_columns_stay');
	end if;
	return new;
end
$$;

-- The procedure changes with a migration, which loads it as this role; policy by publishing, which does so
-- too.
create function conduct_gate.procedure_is_loaded() returns trigger
language plpgsql volatile set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if current_user <> 'conduct_admin' then
		perform conduct_gate.refuse(tg_table_name || '_is_loaded');
	end if;
	return new;
end
$$;

create function conduct_gate.transition_is_retired_only() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if tg_op = 'DELETE' or (new.kind, new.from_state, new.action, new.to_state, new.role, new.moves,
			new.needs_cause)
		is distinct from (old.kind, old.from_state, old.action, old.to_state, old.role, old.moves,
			old.needs_cause)
	then
		perform conduct_gate.refuse('transition_is_retired_only');
	end if;
	return new;
end
$$;

-- Policy sets follow each other, and each is what its version says.
create function conduct_gate.policy_set_is_next() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.policy_version <> encode(sha256(convert_to(new.canonical, 'UTF8')), 'hex') then
		perform conduct_gate.refuse('policy_set_version_is_its_hash');
	end if;
	if new.revision <= (select max(s.revision) from conduct.policy_set s) then
		perform conduct_gate.refuse('policy_set_revision_is_higher');
	end if;
	return new;
end
$$;

grant execute on function conduct_gate.append_only(), conduct_gate.transition_is_retired_only()
	to conduct_handler, conduct_party, conduct_intake, conduct_timer, conduct_admin, conduct_stats;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger transition_is_retired_only before update or delete on transition
	for each row execute function conduct_gate.transition_is_retired_only();
create trigger policy_set_is_next before insert on policy_set
	for each row execute function conduct_gate.policy_set_is_next();

-- What every table has, whenever it is made: a migration that makes one ends with a call of this.
create procedure guard_tables() language plpgsql
set search_path = conduct, pg_catalog, pg_temp
as $$
declare
	v_table text;
begin
	for v_table in
		select c.relname from pg_catalog.pg_class c
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and not exists (
			select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_is_not_truncated')
		order by 1
	loop
		execute format('create trigger %I before truncate on conduct.%I
			for each statement execute function conduct_gate.rows_stay()', v_table || '_is_not_truncated', v_table);
	end loop;
	-- Own triggers fire even under session_replication_role = replica; those of foreign keys need a
	-- superuser and are switched by sql/bootstrap.sql.
	for v_table in
		select format('alter table %s enable always trigger %I', t.tgrelid::regclass, t.tgname)
		from pg_catalog.pg_trigger t
		join pg_catalog.pg_class c on c.oid = t.tgrelid
		where c.relnamespace = 'conduct'::regnamespace and not t.tgisinternal
	loop
		execute v_table;
	end loop;
end
$$;

do $$
declare
	v_row record;
	v_table text;
begin
	-- Tables that only grow.
	foreach v_table in array array['event', 'content', 'unit', 'vote', 'tally', 'decision', 'decision_item',
		'ballot_item', 'ballot_disposition', 'hearing_end', 'waiver', 'report', 'incident', 'appeal_item',
		'appeal_claim', 'allegation', 'message', 'policy_set', 'profile', 'profile_rule', 'profile_category',
		'policy_wiki',
		'state', 'transition_cause']
	loop
		execute format('create trigger %I before update or delete on conduct.%I
			for each row execute function conduct_gate.append_only()', v_table || '_is_append_only', v_table);
		execute format('create trigger %I before truncate on conduct.%I
			for each statement execute function conduct_gate.append_only()', v_table || '_is_not_truncated',
			v_table);
	end loop;
	foreach v_table in array array['state', 'transition', 'transition_cause', 'ballot_kind', 'body', 'policy_set',
		'policy_wiki', 'profile', 'profile_rule', 'profile_category']
	loop
		execute format('create trigger %I before insert%s on conduct.%I
			for each row execute function conduct_gate.procedure_is_loaded()', v_table || '_is_loaded',
			case v_table when 'body' then ' or update' end, v_table);
	end loop;
	-- Tables whose rows stay, and the columns that may change.
	for v_row in select * from (values
		('case_file', '{revision,lane,privacy,severity,closed_at}'), ('party', '{id_ix,kind,notified_at,withdrew_at}'),
		('took_part', '{is_void}'), ('recusal', '{standing,id_ix,principal_id}'), ('assignment', '{ended_at}'),
		('hearing', '{served_at,served_how,served_revision,extension_asked_at}'), ('panel', '{}'),
		('panel_seat', '{left_at,seated_at}'), ('ballot', '{closed_at,outcome,propose_seq}'), ('ballot_voter', '{recused_at}'),
		('disposition', '{disposition,decision_id,at}'), ('sanction', '{standing}'),
		('decision_notice', '{served_at,appeal_until}'), ('pending_act', '{done_at}'),
		('deadline', '{met_at,overdue_at,is_void}'), ('role_grant', '{ended_at,ended_by}'),
		('person', '{seen_at}'), ('person_account', '{name_ix,skeleton_ix,home_wiki,name_content}'),
		('principal', '{}'), ('ballot_kind', '{}')) v (name, columns)
	loop
		execute format('create trigger %I before update on conduct.%I for each row
			execute function conduct_gate.columns_stay(%s)', v_row.name || '_columns_stay', v_row.name,
			array_to_string(array(select quote_literal(c) from unnest(v_row.columns::text[]) c), ', '));
	end loop;
	foreach v_table in array array['case_file', 'party', 'proceeding', 'took_part', 'recusal', 'assignment',
		'hearing', 'panel', 'panel_seat', 'ballot', 'disposition', 'sanction', 'decision_notice', 'pending_act',
		'deadline', 'role_grant', 'person', 'principal', 'ballot_kind', 'body', 'clock_offset']
	loop
		execute format('create trigger %I before delete on conduct.%I
			for each row execute function conduct_gate.rows_stay()', v_table || '_rows_stay', v_table);
	end loop;
end
$$;

call guard_tables();

reset role;
reset search_path;
