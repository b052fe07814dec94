-- A report costs less: fewer entries of indexes, and what is compared for each of its rows is compared for
-- all rows of a batch at once. No rule is weaker for it.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- As before; but who is accused in several of the cases, as whoever many report at once, is looked for once.
create or replace function conduct_gate.cases_with_members(p_body text, p_cases uuid[], p_needed integer) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
	v_now timestamptz := conduct.clock();
	v_is_global boolean := (select b.level = 'global' from conduct.body b where b.body_id = p_body);
	v_cases uuid[];
	v_out uuid[];
	v_counts integer[];
	v_open uuid[];
	v_recused uuid[];
	v_seen uuid[] := '{}';
	v_member record;
begin
	with accused as materialized (
		select y.case_id, y.id_ix, y.name_ix, y.skeleton_ix
		from unnest(p_cases) c (case_id),
			lateral (select * from conduct.party where case_id = c.case_id and role = 'respondent' offset 0) y),
	member as materialized (
		select o.id_ix, o.name_ix, o.skeleton_ix
		from (select distinct id_ix, name_ix, skeleton_ix from accused) o
		where exists (
			select from (
				select a.person_id from conduct.person_account a where a.id_ix = o.id_ix
				union all select a.person_id from conduct.person_account a where a.name_ix = o.name_ix
				union all select a.person_id from conduct.person_account a where a.skeleton_ix = o.skeleton_ix
				offset 0) a
			join conduct.person p on p.person_id = a.person_id
			join conduct.person q on q.principal_id = p.principal_id
			join conduct.role_grant g on g.person_id = q.person_id and g.body_id = p_body
			join conduct.body b on b.body_id = g.body_id and b.role = g.role
			where g.ended_at is null and v_now >= g.from_at and v_now < g.until_at offset 0))
	select array_agg(y.case_id) into v_out
	from member m join accused y on (y.id_ix, y.name_ix, y.skeleton_ix)
		is not distinct from (m.id_ix, m.name_ix, m.skeleton_ix);
	v_cases := case when v_out is null then p_cases
		else array(select c from unnest(p_cases) c where c <> all (v_out)) end;
	v_open := v_cases;
	v_counts := array_fill(0, array[cardinality(v_cases)]);
	for v_member in
		select p.principal_id, m.ids, m.names, m.skeletons, m.wikis
		from conduct.body b
		join conduct.role_grant g on g.body_id = b.body_id and g.role = b.role
		join conduct.person p on p.person_id = g.person_id
		cross join lateral (select array_agg(a.id_ix) as ids, array_agg(a.name_ix) as names,
				array_agg(a.skeleton_ix) as skeletons, array_agg(a.home_wiki) as wikis
			from conduct.person q join conduct.person_account a on a.person_id = q.person_id
			where q.principal_id = p.principal_id offset 0) m
		where b.body_id = p_body and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at
	loop
		exit when cardinality(v_open) = 0;
		continue when v_member.principal_id = any (v_seen);
		v_seen := v_seen || v_member.principal_id;
		v_recused := conduct_gate.recused_from(v_open, v_member.principal_id, v_member.ids, v_member.names,
			v_member.skeletons);
		select array_agg(n.count + case when x.is_out then 0 else 1 end order by n.nth),
			coalesce(array_agg(n.case_id order by n.nth)
				filter (where n.count + case when x.is_out then 0 else 1 end < p_needed), '{}')
		into v_counts, v_open
		from unnest(v_cases, v_counts) with ordinality n (case_id, count, nth),
			lateral (select n.case_id = any (v_recused)
				or exists (select from conduct.recusal r where r.case_id = n.case_id
					and r.principal_id = v_member.principal_id and r.standing = 'in_force')
				or (v_is_global and coalesce((select f.wiki from conduct.case_file f
					where f.case_id = n.case_id) = any (v_member.wikis), false)) as is_out offset 0) x;
	end loop;
	return array(select n.case_id from unnest(v_cases, v_counts) n (case_id, count) where n.count >= p_needed);
end
$$;

-- Events follow rows that are in force: those of one statement are compared together.
create or replace function conduct_gate.event_follows_a_row_in_force() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (select from new_rows n where not exists (select from conduct.transition t
		where t.kind = n.kind and t.from_state = n.from_state and t.action = n.action
			and t.to_state = n.to_state and t.role = n.role and t.in_force))
	then
		perform conduct_gate.refuse('event_follows_a_row_in_force');
	end if;
	return null;
end
$$;

-- Of several new rows, what docket_body_holds_it() says of one.
create function conduct_gate.docket_bodies_hold_them() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
	if exists (select from new_rows n where not exists (select from conduct.proceeding p
		where p.case_id = n.case_id and p.body_id = n.body_id offset 0))
	then
		perform conduct_gate.refuse('docket_body_holds_it');
	end if;
	return null;
end
$$;
grant execute on function conduct_gate.docket_bodies_hold_them() to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

drop trigger event_follows_a_row_in_force on event;
create trigger event_follows_a_row_in_force after insert on event referencing new table as new_rows
	for each statement execute function conduct_gate.event_follows_a_row_in_force();

-- Whoever opens a case writes its docket together with its proceeding, and is asked at once.
drop trigger docket_body_holds_it on docket;
create constraint trigger docket_body_holds_it after insert on docket deferrable initially deferred
	for each row when (current_user <> 'conduct_intake') execute function conduct_gate.docket_body_holds_it();
create trigger docket_bodies_hold_them after insert on docket referencing new table as new_rows
	for each statement when (current_user = 'conduct_intake')
	execute function conduct_gate.docket_bodies_hold_them();
create constraint trigger docket_body_goes_on after update of case_id, body_id on docket
	deferrable initially deferred for each row execute function conduct_gate.docket_body_holds_it();
-- It holds a proceeding (docket_body_holds_it), and that is a body's (proceeding_body_fkey).
alter table docket drop constraint docket_body_fkey;

-- A case has few limits, and whoever looks for one knows the case.
alter table deadline drop constraint deadline_pkey;
drop index deadline_case;
alter table deadline add constraint deadline_pkey primary key (case_id, deadline_id);

-- One index for what a case has and for what it has once; each appeal is by itself here.
drop index proceeding_one_round;
create unique index proceeding_one_round on proceeding (case_id, kind, (case when kind = 'appeal' then proceeding_id
	else coalesce(respondent_id, '00000000-0000-0000-0000-000000000000') end), round);
drop index proceeding_case;

call guard_tables();
reset role;
reset search_path;
