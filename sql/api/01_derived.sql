-- What is derived from a case's proceedings: stage and state, the docket, a handler's roles; and the
-- outbox. Helpers, security invoker, like those of 00_core.sql.

set search_path = pg_catalog, conduct, conduct_api_1;

-- Stage and state over some proceedings of the opened case (domain: the first that fits).
create or replace function conduct_api_1.stage_of(p_proceedings uuid[], out stage text, out state text)
language plpgsql stable
as $$
begin
	select s.stage, p.state into stage, state
	from conduct.proceeding p
	join (values (1, 'report', array['received', 'triage', 'escalated']),
		(2, 'review', array['review', 'info_wait', 'mediation']),
		(3, 'resolution', array['deliberation']),
		(4, 'appeal', array['appeal_filed', 'appeal_review']),
		(5, 'resolution', array['resolved', 'dismissed', 'settled', 'declined'])) as s (nth, stage, states)
		on p.state = any (s.states)
	where p.proceeding_id = any (p_proceedings)
		and (p.state <> 'declined' or exists (select from conduct.deadline d
			where d.proceeding_id = p.proceeding_id and d.what = 'appeal_window'
				and d.met_at is null and not d.is_void))
	order by s.nth, p.state_at desc, p.proceeding_id limit 1;
	if stage is null then
		stage := 'closed';
		select p.state into state from conduct.proceeding p
		where p.proceeding_id = any (p_proceedings)
		order by (p.kind = 'matter') desc, (p.kind = 'appeal') desc, p.state_at desc, p.proceeding_id limit 1;
	end if;
end
$$;

-- The docket of the opened case: one row per body that holds a proceeding, open while it owes an act.
-- A body that holds none any more loses its row, and with it the case.
create or replace function conduct_api_1.refresh_docket() returns void
language plpgsql volatile
as $$
declare
	v_case conduct.case_file;
	v_now timestamptz := conduct.clock();
	v_is_closed boolean;
begin
	select * into strict v_case from conduct.case_file f where f.case_id = conduct.opened_case();
	delete from conduct.docket d where d.case_id = v_case.case_id and not exists (
		select from conduct.proceeding p where p.case_id = d.case_id and p.body_id = d.body_id);
	insert into conduct.docket (case_id, body_id, rank, due_at, is_open, stage, state, lane, wiki)
	select v_case.case_id, b.body_id,
		case when v_case.lane = 'emergency' and b.has_escalated then 0 else 1 end,
		coalesce((select min(d.due_at) from conduct.deadline d
			join conduct.proceeding p on p.proceeding_id = d.proceeding_id and p.body_id = b.body_id
			where d.case_id = v_case.case_id and d.met_at is null and not d.is_void), 'infinity'),
		b.is_open, s.stage, s.state, v_case.lane, v_case.wiki
	from (select p.body_id, array_agg(p.proceeding_id) as ids,
			bool_or(t.class = 'open') as is_open, bool_or(p.state = 'escalated') as has_escalated
		from conduct.proceeding p join conduct.state t on t.state = p.state
		where p.case_id = v_case.case_id group by p.body_id) b,
		lateral conduct_api_1.stage_of(b.ids) s
	on conflict (case_id, body_id) do update set rank = excluded.rank, due_at = excluded.due_at,
		is_open = excluded.is_open, stage = excluded.stage, state = excluded.state, lane = excluded.lane,
		wiki = excluded.wiki;
	v_is_closed := not exists (select from conduct.proceeding p join conduct.state t on t.state = p.state
			where p.case_id = v_case.case_id and t.class <> 'ended')
		and not exists (select from conduct.deadline d
			where d.case_id = v_case.case_id and d.what in ('appeal_window', 'resume')
				and d.met_at is null and d.overdue_at is null and not d.is_void);
	update conduct.case_file f set closed_at = case when v_is_closed then coalesce(f.closed_at, v_now) end
	where f.case_id = v_case.case_id and (f.closed_at is not null) <> v_is_closed;
end
$$;

-- Whether the actor sits on a proceeding's panel or on the roll of its open ballot.
create or replace function conduct_api_1.is_seated(p_proceeding uuid) returns boolean
language plpgsql stable
as $$
begin
	return exists (select from conduct.panel n
			join conduct.panel_seat s on s.panel_id = n.panel_id
			where n.proceeding_id = p_proceeding and s.person_id = conduct.actor_person() and s.left_at is null)
		or exists (select from conduct.ballot t
			join conduct.ballot_voter v on v.ballot_id = t.ballot_id
			where t.proceeding_id = p_proceeding and t.closed_at is null
				and v.person_id = conduct.actor_person() and v.recused_at is null);
end
$$;

-- The words of transition.role that a handler holds on a proceeding in sight, whose body has this role, and
-- which their own body holds or not.
create or replace function conduct_api_1.held_roles(p_row conduct.proceeding, p_body_role text,
	p_is_own boolean, p_is_seated boolean)
returns text[] language plpgsql stable
as $$
declare
	v_roles text[] := '{}';
begin
	if p_is_own then
		if p_row.kind = 'appeal' then
			v_roles := array['appeal_body'];
		elsif p_row.kind = 'intake' and p_row.state = 'escalated' then
			v_roles := array['external_body'];
		elsif p_body_role = 'ts_staff' then
			v_roles := array['functionary', 'ts_staff'];
		else
			v_roles := array['functionary'];
		end if;
	end if;
	if p_is_seated then
		v_roles := v_roles || 'panel'::text;
	end if;
	if p_row.state = 'deliberation' then
		if conduct.actor_person() = (select b.drafter from conduct.ballot b
			where b.proceeding_id = p_row.proceeding_id and b.motion = 'propose' order by b.event_seq desc limit 1)
		then
			v_roles := v_roles || 'drafter'::text;
		end if;
	end if;
	return v_roles;
end
$$;

-- The same, of one by itself.
create or replace function conduct_api_1.handler_roles(p_row conduct.proceeding, p_is_own boolean)
returns text[] language plpgsql stable
as $$
begin
	return conduct_api_1.held_roles(p_row, (select b.role from conduct.body b where b.body_id = p_row.body_id),
		p_is_own, conduct_api_1.is_seated(p_row.proceeding_id));
end
$$;

create or replace function conduct_api_1.send(p_kind text, p_facts jsonb default '{}') returns void
language plpgsql volatile
as $$
begin
	insert into conduct.outbox (outbox_id, case_id, kind, facts, at)
	values (gen_random_uuid(), conduct.opened_case(), p_kind, p_facts, conduct.clock());
end
$$;

-- Parties are told whose eyes their identity was opened to: this opening, or, when the danger is over, all
-- that were kept back.
create or replace function conduct_api_1.tell_openings(p_opening uuid default null) returns void
language plpgsql volatile
as $$
declare
	v_party uuid;
begin
	for v_party in
		update conduct.identity_opening o set told_at = conduct.clock()
		where o.case_id = conduct.opened_case() and o.told_at is null
			and (p_opening is null or o.opening_id = p_opening)
		returning o.party_id
	loop
		update conduct.deadline d set met_at = conduct.clock()
		where d.case_id = conduct.opened_case() and d.what = 'tell_identity' and d.party_id = v_party
			and d.met_at is null and not d.is_void;
		perform conduct_api_1.send('identity_opened', jsonb_build_object('party', v_party));
	end loop;
end
$$;

reset search_path;
grant execute on all functions in schema conduct_api_1 to conduct_handler, conduct_party,
	conduct_intake, conduct_timer, conduct_stats, conduct_admin;
