-- Row-level security: forced on every table, one permissive policy per table and audience. What belongs
-- to a case is visible only for the case opened in this call (conduct.case_id), which only
-- open_case() sets, after the predicate; the predicate itself stands on case_file and docket.

set role conduct_owner;
set search_path = conduct, pg_catalog;

do $$
declare
	v_table text;
begin
	for v_table in
		select c.relname from pg_catalog.pg_class c
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
	loop
		execute format('alter table conduct.%I enable row level security', v_table);
		execute format('alter table conduct.%I force row level security', v_table);
	end loop;
end
$$;

-- Reference data everybody's functions read.
do $$
declare
	v_table text;
	v_role text;
begin
	foreach v_table in array array['policy_set', 'profile', 'profile_rule', 'profile_category', 'body', 'policy_wiki',
		'state',
		'transition', 'transition_cause', 'guard', 'transition_guard', 'ballot_kind']
	loop
		foreach v_role in array array['conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_timer',
			'conduct_stats']
		loop
			execute format('grant select on conduct.%I to %I', v_table, v_role);
			execute format('create policy %I on conduct.%I for select to %I using (true)',
				v_table || '_' || substr(v_role, 9), v_table, v_role);
		end loop;
		execute format('grant select, insert, update on conduct.%I to conduct_admin', v_table);
		execute format('create policy %I on conduct.%I to conduct_admin using (true) with check (true)',
			v_table || '_admin', v_table);
	end loop;
end
$$;

-- People and grants: written by admin; the others ask the gate.
do $$
declare
	v_table text;
begin
	foreach v_table in array array['unit', 'content', 'principal', 'person', 'person_account', 'role_grant']
	loop
		execute format('grant select, insert, update on conduct.%I to conduct_admin', v_table);
		execute format('create policy %I on conduct.%I to conduct_admin using (true) with check (true)',
			v_table || '_admin', v_table);
	end loop;
end
$$;

-- Case tables with a case_id: open for the case opened in this call.
do $$
declare
	v_table text;
	v_role text;
begin
	for v_table in
		select c.relname from pg_catalog.pg_class c
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'case_id' and a.attnum > 0
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
			and c.relname not in ('case_file', 'docket', 'outbox', 'idempotency', 'deadline')
	loop
		foreach v_role in array array['conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_timer']
		loop
			execute format('grant select, insert on conduct.%I to %I', v_table, v_role);
			execute format('create policy %I on conduct.%I to %I
				using (case_id = (select conduct.opened_case()))
				with check (case_id = (select conduct.opened_case()))',
				v_table || '_' || substr(v_role, 9), v_table, v_role);
		end loop;
	end loop;
	foreach v_role in array array['conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_timer']
	loop
		execute format('grant update (version, state, state_at, body_id) on conduct.proceeding to %I', v_role);
		execute format('grant update (notified_at, withdrew_at, id_ix, kind) on conduct.party to %I', v_role);
		execute format('grant update (served_at, served_how, served_revision, extension_asked_at)
			on conduct.hearing to %I', v_role);
		execute format('grant update (closed_at, outcome) on conduct.ballot to %I', v_role);
		execute format('grant update (recused_at) on conduct.ballot_voter to %I', v_role);
		-- The roll of a ballot is drawn anew when its panel is seated before anybody has voted.
		execute format('grant delete on conduct.ballot_voter to %I', v_role);
		execute format('grant update (left_at, seated_at) on conduct.panel_seat to %I', v_role);
		execute format('grant update (is_void) on conduct.took_part to %I', v_role);
		execute format('grant update (standing) on conduct.sanction to %I', v_role);
		execute format('grant update (standing) on conduct.recusal to %I', v_role);
		execute format('grant update (ended_at) on conduct.assignment to %I', v_role);
		execute format('grant update (disposition, decision_id, at) on conduct.disposition to %I', v_role);
		execute format('grant update (done_at) on conduct.pending_act to %I', v_role);
		execute format('grant update (served_at, appeal_until) on conduct.decision_notice to %I', v_role);
		execute format('grant select, insert on conduct.unit, conduct.content to %I', v_role);
		execute format('grant select, insert, update on conduct.case_file, conduct.docket, conduct.deadline,
			conduct.idempotency to %I', v_role);
		execute format('grant delete on conduct.docket to %I', v_role);
		execute format('grant insert on conduct.outbox to %I', v_role);
		execute format('create policy %I on conduct.outbox for insert to %I with check (true)',
			'outbox_' || substr(v_role, 9), v_role);
		-- An idempotency scope is a hash that only its owner can name.
		execute format('create policy %I on conduct.idempotency to %I using (true) with check (true)',
			'idempotency_' || substr(v_role, 9), v_role);
		-- Words are reached through rows of the opened case; a content id is never enumerable.
		execute format('create policy %I on conduct.content to %I using (true) with check (true)',
			'content_' || substr(v_role, 9), v_role);
		execute format('create policy %I on conduct.unit to %I using (true) with check (true)',
			'unit_' || substr(v_role, 9), v_role);
	end loop;
end
$$;

grant select, insert, update on idempotency to conduct_admin;
create policy idempotency_admin on idempotency to conduct_admin using (true) with check (true);

create policy case_file_handler on case_file to conduct_handler
	using (case_id = (select conduct.opened_case())
		or conduct_gate.handler_sees(case_id, (select conduct_gate.acting_viewer())))
	with check (case_id = (select conduct.opened_case()));
create policy docket_handler on docket to conduct_handler
	using (case_id = (select conduct.opened_case())
		or (conduct_gate.handler_sees(case_id, (select conduct_gate.acting_viewer()))
			and conduct_gate.handler_sees_stage(case_id, body_id, state, (select conduct_gate.acting_viewer()))))
	with check (case_id = (select conduct.opened_case()));
create policy deadline_handler on deadline to conduct_handler
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));

create policy case_file_party on case_file to conduct_party
	using (case_id = (select conduct.opened_case()) or conduct_gate.party_sees(case_id))
	with check (case_id = (select conduct.opened_case()));
create policy docket_party on docket to conduct_party
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));
create policy deadline_party on deadline to conduct_party
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));

create policy case_file_intake on case_file to conduct_intake
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));
create policy docket_intake on docket to conduct_intake
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));
create policy deadline_intake on deadline to conduct_intake
	using (case_id = (select conduct.opened_case()))
	with check (case_id = (select conduct.opened_case()));

create policy case_file_timer on case_file to conduct_timer using (true) with check (true);
create policy docket_timer on docket to conduct_timer using (true) with check (true);
create policy deadline_timer on deadline to conduct_timer using (true) with check (true);

grant update on clock_offset to conduct_migrate;

reset role;
reset search_path;
