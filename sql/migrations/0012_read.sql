-- Reading costs less: what the gate is asked of each case or proceeding that an answer shows is asked once,
-- of all of them. What it answers stays the same. Whoever takes an array has its plan made once for any
-- number: planning anew for every few cases would cost more than all the rest.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

create or replace function conduct_gate.acting_viewer() returns conduct_gate.viewer
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_viewer conduct_gate.viewer;
	v_person uuid := conduct.actor_person();
begin
	if v_person is not null then
		select v_person, p.principal_id, array_agg(a.id_ix), array_agg(a.name_ix), array_agg(a.skeleton_ix),
			transaction_timestamp() + (select o.shift_seconds from conduct.clock_offset o) * interval '1 second'
		into v_viewer
		from conduct.person p join conduct.person q on q.principal_id = p.principal_id
		join conduct.person_account a on a.person_id = q.person_id
		where p.person_id = v_person group by p.principal_id;
	end if;
	return v_viewer;
end
$$;

-- From which of these cases a principal with these accounts is fully recused (see is_recused).
create function conduct_gate.recused_from(p_cases uuid[], p_principal uuid, p_ids bytea[], p_names bytea[],
	p_skeletons bytea[])
returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
	return array(
		select c.case_id from unnest(p_cases) c (case_id)
		where exists (
				-- The parties of the case first: no index on whom they stand for is as short as they are few.
				select from (select * from conduct.party where case_id = c.case_id offset 0) y
				where y.id_ix = any (p_ids) or y.name_ix = any (p_names)
					or (y.role = 'respondent' and y.id_ix is null and y.skeleton_ix = any (p_skeletons)) offset 0)
			or exists (
				select from conduct.recusal r
				where r.case_id = c.case_id and r.extent = 'full' and r.standing = 'in_force'
					and (r.principal_id = p_principal or r.name_ix = any (p_names) or r.id_ix = any (p_ids))
				offset 0)
			-- Most people are a party to nothing; what is in other cases is asked only of the others.
			or ((exists (select from unnest(p_ids) a (ix) where exists (
						select from conduct.party y where y.id_ix = a.ix offset 0))
					or exists (select from unnest(p_names) a (ix) where exists (
						select from conduct.party y where y.name_ix = a.ix offset 0)))
				and conduct_gate.is_recused_elsewhere(c.case_id, p_ids, p_names)));
end
$$;

create or replace function conduct_gate.is_recused_by(p_case uuid, p_principal uuid, p_ids bytea[],
	p_names bytea[], p_skeletons bytea[])
returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return p_case = any (conduct_gate.recused_from(array[p_case], p_principal, p_ids, p_names, p_skeletons));
end
$$;

-- The one access predicate of handlers, of the cases given those that the viewer sees: a body of theirs
-- holds or held the case, they are not recused, a case that was closed before they came is theirs only
-- where assigned, and a restricted one by name (until somebody has claimed it, every member may).
create function conduct_gate.seen_cases(p_cases uuid[], p_viewer conduct_gate.viewer) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
	v_seen uuid[];
	v_recused uuid[];
begin
	if p_viewer.person_id is null then
		return '{}';
	end if;
	v_seen := array(
		select f.case_id
		from unnest(p_cases) c (case_id),
			lateral (select * from conduct.case_file where case_id = c.case_id offset 0) f
		where exists (
				select from (select * from conduct.docket where case_id = f.case_id offset 0) d
				join conduct.body b on b.body_id = d.body_id
				join conduct.role_grant g on g.person_id = p_viewer.person_id and g.body_id = d.body_id
					and g.role = b.role
				where g.ended_at is null and p_viewer.at >= g.from_at and p_viewer.at < g.until_at
					and (coalesce(f.closed_at > g.from_at, true)
						or exists (select from conduct.assignment s
							where s.case_id = f.case_id and s.person_id = p_viewer.person_id
								and s.ended_at is null offset 0))
				offset 0)
			and (f.privacy <> 'restricted' or conduct_gate.is_named(f.case_id, p_viewer.person_id)));
	if cardinality(v_seen) = 0 then
		return v_seen;
	end if;
	v_recused := conduct_gate.recused_from(v_seen, p_viewer.principal_id, p_viewer.ids, p_viewer.names,
		p_viewer.skeletons);
	if cardinality(v_recused) = 0 then
		return v_seen;
	end if;
	return array(select s from unnest(v_seen) s where s <> all (v_recused));
end
$$;

-- Who may see a restricted case: the assigned, the seated, and, while nobody is assigned, all.
create function conduct_gate.is_named(p_case uuid, p_person uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return not exists (select from conduct.assignment s where s.case_id = p_case and s.ended_at is null)
		or exists (select from conduct.assignment s
			where s.case_id = p_case and s.person_id = p_person and s.ended_at is null)
		or exists (select from conduct.panel_seat s
			where s.case_id = p_case and s.person_id = p_person and s.left_at is null);
end
$$;

create or replace function conduct_gate.handler_sees(p_case uuid, p_viewer conduct_gate.viewer)
returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return p_case = any (conduct_gate.seen_cases(array[p_case], p_viewer));
end
$$;

-- What of a visible case is in the acting handler's sight: `seen`, the proceedings their own bodies hold
-- and what came before them, in order; `own`, those of them that a body of theirs holds. Who took part
-- in another instance gets there neither by that appeal nor by the round it opens; the file up to their
-- own decision stays theirs.
create type conduct_gate.sight as (seen uuid[], own uuid[]);

create function conduct_gate.handler_sight(p_case uuid) returns conduct_gate.sight
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_sight conduct_gate.sight;
	v_person uuid := conduct.actor_person();
	v_principal uuid;
	v_bodies text[];
begin
	select p.principal_id, array(
		select g.body_id from conduct.role_grant g join conduct.clock_offset o on true
		join conduct.body b on b.body_id = g.body_id and b.role = g.role
		where g.person_id = v_person and g.ended_at is null
			and transaction_timestamp() + o.shift_seconds * interval '1 second' >= g.from_at
			and transaction_timestamp() + o.shift_seconds * interval '1 second' < g.until_at)
	into v_principal, v_bodies
	from conduct.person p where p.person_id = v_person;
	select coalesce(array_agg(p.proceeding_id order by p.opened_at, p.proceeding_id), '{}'),
		coalesce(array_agg(p.proceeding_id) filter (where p.body_id = any (v_bodies)), '{}')
	into v_sight
	from conduct.proceeding p
	where p.case_id = p_case and exists (
		select from conduct.proceeding held
		where held.case_id = p_case and held.body_id = any (v_bodies)
			and (held.proceeding_id = p.proceeding_id or held.opened_at > p.opened_at
				or (held.opened_at = p.opened_at and p.kind = 'intake'))
			and not exists (select from conduct.took_part t
				where t.case_id = p_case and t.principal_id = v_principal and not t.is_void
					and t.instance <> held.instance offset 0)
		offset 0);
	return v_sight;
end
$$;

create or replace function conduct_gate.handler_sees_proceeding(p_proceeding uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return p_proceeding = any ((conduct_gate.handler_sight((select p.case_id from conduct.proceeding p
		where p.proceeding_id = p_proceeding))).seen);
end
$$;

grant execute on function conduct_gate.recused_from(uuid[], uuid, bytea[], bytea[], bytea[]),
	conduct_gate.seen_cases(uuid[], conduct_gate.viewer), conduct_gate.is_named(uuid, uuid),
	conduct_gate.handler_sight(uuid)
	to conduct_handler, conduct_party, conduct_intake, conduct_timer, conduct_admin, conduct_stats,
	conduct_owner;
reset role;
reset search_path;
