-- Reports that come in together are routed together, and what each row of a report is compared with is
-- compared once.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Of these cases those that a body may take as it is: none of its members is accused in them (see
-- has_accused_member) and so many may act on them (see has_members). Each member is asked about all cases
-- at once, and no more members than it takes.
create function conduct_gate.cases_with_members(p_body text, p_cases uuid[], p_needed integer) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
declare
	v_now timestamptz := conduct.clock();
	v_is_global boolean := (select b.level = 'global' from conduct.body b where b.body_id = p_body);
	v_cases uuid[];
	v_counts integer[];
	v_open uuid[];
	v_recused uuid[];
	v_seen uuid[] := '{}';
	v_member record;
begin
	v_cases := array(
		select c.case_id from unnest(p_cases) c (case_id)
		where not exists (
			select from (select * from conduct.party where case_id = c.case_id and role = 'respondent' offset 0) y
			cross join lateral (
				select a.person_id from conduct.person_account a where a.id_ix = y.id_ix
				union all select a.person_id from conduct.person_account a where a.name_ix = y.name_ix
				union all select a.person_id from conduct.person_account a where a.skeleton_ix = y.skeleton_ix
				offset 0) a
			join conduct.person p on p.person_id = a.person_id
			join conduct.person q on q.principal_id = p.principal_id
			join conduct.role_grant g on g.person_id = q.person_id and g.body_id = p_body
			join conduct.body b on b.body_id = g.body_id and b.role = g.role
			where g.ended_at is null and v_now >= g.from_at and v_now < g.until_at offset 0));
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

grant execute on function conduct_gate.cases_with_members(text, uuid[], integer) to conduct_intake;
reset role;
reset search_path;

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- A head is its last event's state (proceeding_head_fkey), that event is of the proceeding's kind
-- (event_proceeding_fkey), and its row leads to a state of that kind (transition_to_state_fkey).
alter table proceeding drop constraint proceeding_state_fkey;
-- What is on a docket has a proceeding of that case there (docket_body_holds_it), and both stay.
alter table docket drop constraint docket_case_fkey;
-- Only appeals are against something.
alter table proceeding drop constraint proceeding_one_appeal;
create unique index proceeding_one_appeal on proceeding (against_id, against_seq, appellant_id, nth)
	where against_id is not null;

reset role;
reset search_path;
