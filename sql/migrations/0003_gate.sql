-- The gate: the clock, the questions every predicate asks, and the constraint triggers. Its functions
-- bypass row-level security: a check that saw only its caller's rows would count too little and fail
-- open. The case row is locked before siblings are counted.

grant create on schema conduct to conduct_gate;
grant references on all tables in schema conduct to conduct_gate;
grant update (case_id) on conduct.case_file to conduct_gate;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Transaction time plus the demo offset.
create function conduct.clock() returns timestamptz
language sql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
	select transaction_timestamp() + shift_seconds * interval '1 second' from conduct.clock_offset
$$;

-- Who acts in this call; null outside of one. Bodies of this form are parsed when they are made, so that
-- they need no search_path of their own and are folded into the statements that use them.
create function conduct.actor_person() returns uuid language sql stable
return case when current_setting('conduct.actor', true) like 'person:%'
	then substr(current_setting('conduct.actor', true), 8)::uuid end;

create function conduct.actor_party() returns uuid language sql stable
return case when current_setting('conduct.actor', true) like 'party:%'
	then substr(current_setting('conduct.actor', true), 7)::uuid end;

-- The case that was opened, visibly and under its lock, in this call.
create function conduct.opened_case() returns uuid language sql stable
return nullif(current_setting('conduct.case_id', true), '')::uuid;

grant execute on function conduct.clock(), conduct.actor_person(), conduct.actor_party(),
	conduct.opened_case()
	to conduct_owner, conduct_handler, conduct_party, conduct_intake, conduct_timer, conduct_stats,
	conduct_admin, conduct_migrate;

-- Questions --------------------------------------------------------------------------------------

create function conduct_gate.person_of(p_id_ix bytea) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select a.person_id from conduct.person_account a where a.id_ix = p_id_ix);
end
$$;

create function conduct_gate.principal_of(p_person uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select p.principal_id from conduct.person p where p.person_id = p_person);
end
$$;

-- A role counts while its grant lasts, for the body it names.
create function conduct_gate.has_role(p_person uuid, p_role text, p_body text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (
		select from conduct.role_grant g
		where g.person_id = p_person and g.role = p_role and g.body_id is not distinct from p_body
			and g.ended_at is null and conduct.clock() >= g.from_at and conduct.clock() < g.until_at);
end
$$;

-- Bodies whose handling role the person holds now.
create function conduct_gate.bodies_of(p_person uuid) returns table (body_id text)
language plpgsql stable security definer rows 4 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		select g.body_id from conduct.role_grant g
		join conduct.body b on b.body_id = g.body_id and b.role = g.role
		where g.person_id = p_person and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at;
end
$$;

-- Full recusal, computed over every account of the principal: a party or witness of the case, by id,
-- by name or, for a respondent not yet resolved to an account, by skeleton; declared or named; party
-- to another accepted case with this case's respondent or reporter; under an active sanction.
create function conduct_gate.is_recused(p_case uuid, p_principal uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	if exists (
		select from conduct.person p
		join conduct.person_account a on a.person_id = p.person_id
		join conduct.party y on y.case_id = p_case
			and (y.id_ix = a.id_ix or y.name_ix = a.name_ix
				or (y.role = 'respondent' and y.id_ix is null and y.skeleton_ix = a.skeleton_ix))
		where p.principal_id = p_principal)
	then
		return true;
	end if;
	if exists (
		select from conduct.recusal r
		where r.case_id = p_case and r.extent = 'full' and r.standing = 'in_force'
			and (r.principal_id = p_principal
				or exists (select from conduct.person p
					join conduct.person_account a on a.person_id = p.person_id
					where p.principal_id = p_principal and a.name_ix = r.name_ix)))
	then
		return true;
	end if;
	return exists (
		-- every party row of this principal in other cases
		select from conduct.person p
		join conduct.person_account a on a.person_id = p.person_id
		join conduct.party own on (own.id_ix = a.id_ix or own.name_ix = a.name_ix) and own.case_id <> p_case
		where p.principal_id = p_principal
			and (exists (
					select from conduct.sanction s
					where s.respondent_id = own.party_id and s.standing = 'active'
						and s.from_at <= v_now and coalesce(s.until_at > v_now, true)
						and s.kind <> 'advice')
				or (own.role <> 'witness' and exists (
					select from conduct.party other
					join conduct.party here on here.case_id = p_case
						and here.role in ('respondent', 'reporter')
						and (here.id_ix = other.id_ix or here.name_ix = other.name_ix)
					join conduct.event e on e.case_id = own.case_id and e.kind = 'intake'
						and e.action = 'accept'
					join conduct.case_file f on f.case_id = p_case and e.at < f.submitted_at
					where other.case_id = own.case_id and other.party_id <> own.party_id
						and other.role in ('respondent', 'reporter', 'target')))));
end
$$;

-- Vote-only recusal: declared, or the home wiki is the jurisdiction before a global body.
create function conduct_gate.is_vote_recused(p_case uuid, p_body text, p_principal uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return conduct_gate.is_recused(p_case, p_principal)
		or exists (select from conduct.recusal r
			where r.case_id = p_case and r.principal_id = p_principal and r.standing = 'in_force')
		or exists (select from conduct.case_file f
			join conduct.body b on b.body_id = p_body and b.level = 'global'
			join conduct.person p on p.principal_id = p_principal
			join conduct.person_account a on a.person_id = p.person_id and a.home_wiki = f.wiki
			where f.case_id = p_case);
end
$$;

-- Another instance of this case already has the principal: a prior decider.
create function conduct_gate.is_barred(p_case uuid, p_instance integer, p_principal uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (select from conduct.took_part t
		where t.case_id = p_case and t.principal_id = p_principal and not t.is_void
			and t.instance <> p_instance);
end
$$;

-- The one access predicate of handlers: a body of theirs holds or held the case, they are not recused,
-- a case that was closed before they came is theirs only where assigned, and a restricted one by name
-- (until somebody has claimed it, every member may).
create function conduct_gate.handler_sees(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_person uuid := conduct.actor_person();
	v_now timestamptz;
begin
	if v_person is null then
		return false;
	end if;
	v_now := conduct.clock();
	return exists (
			select from conduct.docket d
			join conduct.body b on b.body_id = d.body_id
			join conduct.role_grant g on g.body_id = d.body_id and g.role = b.role
			join conduct.case_file f on f.case_id = d.case_id
			where d.case_id = p_case and g.person_id = v_person and g.ended_at is null
				and v_now >= g.from_at and v_now < g.until_at
				and (coalesce(f.closed_at > g.from_at, true)
					or exists (select from conduct.assignment s
						where s.case_id = p_case and s.person_id = v_person and s.ended_at is null)))
		and not conduct_gate.is_recused(p_case, conduct_gate.principal_of(v_person))
		and (exists (select from conduct.case_file f where f.case_id = p_case and f.privacy <> 'restricted')
			or not exists (select from conduct.assignment s where s.case_id = p_case and s.ended_at is null)
			or exists (select from conduct.assignment s
				where s.case_id = p_case and s.person_id = v_person and s.ended_at is null)
			or exists (select from conduct.panel_seat s
				where s.case_id = p_case and s.person_id = v_person and s.left_at is null));
end
$$;

-- Which proceedings of a visible case the acting handler sees: those their own bodies hold, and what came
-- before them. Who took part in another instance gets there neither by that appeal nor by the round it
-- opens; the file up to their own decision stays theirs.
create function conduct_gate.handler_sees_proceeding(p_proceeding uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_person uuid := conduct.actor_person();
	v_principal uuid := conduct_gate.principal_of(v_person);
	v_row conduct.proceeding;
begin
	select * into v_row from conduct.proceeding p where p.proceeding_id = p_proceeding;
	return exists (
		select from conduct_gate.bodies_of(v_person) b
		join conduct.proceeding held on held.case_id = v_row.case_id and held.body_id = b.body_id
			and (held.proceeding_id = p_proceeding or held.opened_at > v_row.opened_at
				or (held.opened_at = v_row.opened_at and v_row.kind = 'intake'))
		where not conduct_gate.is_barred(v_row.case_id, held.instance, v_principal));
end
$$;

-- Whether what a body owes on a case is in the acting handler's sight: the queue tells no prior decider
-- of the appeal or of the round it opens.
create function conduct_gate.handler_sees_stage(p_case uuid, p_body text, p_state text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_principal uuid := conduct_gate.principal_of(conduct.actor_person());
begin
	return not exists (select from conduct.took_part t
			where t.case_id = p_case and t.principal_id = v_principal and not t.is_void)
		or exists (select from conduct.proceeding p
			where p.case_id = p_case and p.body_id = p_body and p.state = p_state
				and not conduct_gate.is_barred(p_case, p.instance, v_principal));
end
$$;

-- A party sees the case of the party row it acts as.
create function conduct_gate.party_sees(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (select from conduct.party y
		where y.party_id = conduct.actor_party() and y.case_id = p_case);
end
$$;

-- The party row behind a receipt, or behind an account and the participation it names.
create function conduct_gate.party_of(p_receipt bytea, p_id_ix bytea, p_participation uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if p_receipt is not null then
		return (select r.party_id from conduct.receipt r where r.receipt_hash = p_receipt);
	end if;
	return (
		select y.party_id from conduct.party y
		join conduct.person_account own on own.id_ix = p_id_ix
		join conduct.person p on p.person_id = own.person_id
		join conduct.person q on q.principal_id = p.principal_id
		join conduct.person_account a on a.person_id = q.person_id
			and (a.id_ix = y.id_ix or (y.id_ix is null and a.name_ix = y.name_ix))
		where y.party_id = p_participation
			-- Nothing exists for a respondent until notified, nor for others until contacted.
			and (y.role = 'reporter' or y.notified_at is not null)
			and y.identity <> 'anonymous'
		limit 1);
end
$$;

create function conduct_gate.case_of_party(p_party uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select y.case_id from conduct.party y where y.party_id = p_party);
end
$$;

-- Members of a body who may act on a case now. Non-voting members are no members here.
create function conduct_gate.active_members(p_body text, p_case uuid, p_instance integer)
returns table (person_id uuid, principal_id uuid)
language plpgsql stable security definer rows 12 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		select distinct on (p.principal_id) p.person_id, p.principal_id
		from conduct.role_grant g
		join conduct.body b on b.body_id = g.body_id and b.role = g.role
		join conduct.person p on p.person_id = g.person_id
		where g.body_id = p_body and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at
			and (p_case is null or not conduct_gate.is_vote_recused(p_case, p_body, p.principal_id))
			and (p_case is null or p_instance is null
				or not conduct_gate.is_barred(p_case, p_instance, p.principal_id))
		order by p.principal_id, p.person_id;
end
$$;

-- What is known of an account: for matching a reporter's own party rows.
create function conduct_gate.account_of(p_id_ix bytea) returns conduct.person_account
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_row conduct.person_account;
begin
	select * into v_row from conduct.person_account a where a.id_ix = p_id_ix;
	return v_row;
end
$$;

create function conduct_gate.principal_by_name(p_name_ix bytea) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select p.principal_id from conduct.person_account a
		join conduct.person p on p.person_id = a.person_id
		where a.name_ix = p_name_ix order by p.principal_id limit 1);
end
$$;

-- The content that holds a person's present name.
create function conduct_gate.name_of(p_person uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select a.name_content from conduct.person_account a
		where a.person_id = p_person order by a.id_ix limit 1);
end
$$;

-- Members of a body who are respondents of a case, by id, name or skeleton.
create function conduct_gate.accused_members(p_case uuid, p_body text) returns integer
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select count(*) from conduct_gate.active_members(p_body, null, null) m
		where exists (select from conduct.person p
			join conduct.person_account a on a.person_id = p.person_id
			join conduct.party y on y.case_id = p_case and y.role = 'respondent'
				and (y.id_ix = a.id_ix or y.name_ix = a.name_ix or y.skeleton_ix = a.skeleton_ix)
			where p.principal_id = m.principal_id));
end
$$;

-- Party rows an account may act as. A sealed report is reached by its receipt or its own id alone.
create function conduct_gate.participations_of(p_id_ix bytea) returns table (party_id uuid)
language plpgsql stable security definer rows 4 set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return query
		select distinct y.party_id
		from conduct.person_account own
		join conduct.person p on p.person_id = own.person_id
		join conduct.person q on q.principal_id = p.principal_id
		join conduct.person_account a on a.person_id = q.person_id
		join conduct.party y on y.id_ix = a.id_ix or (y.id_ix is null and y.name_ix = a.name_ix)
		where own.id_ix = p_id_ix and y.identity = 'named'
			and (y.role = 'reporter' or y.notified_at is not null);
end
$$;

-- Locks every case a person is assigned to, seated in or votes on, so that the end of a grant waits for
-- an act under way.
create function conduct_gate.lock_cases_of(p_person uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform from conduct.case_file f
	where f.case_id in (
		select s.case_id from conduct.assignment s where s.person_id = p_person and s.ended_at is null
		union select s.case_id from conduct.panel_seat s where s.person_id = p_person and s.left_at is null
		union select v.case_id from conduct.ballot_voter v
			join conduct.ballot b on b.ballot_id = v.ballot_id and b.closed_at is null
			where v.person_id = p_person)
	order by f.case_id for update;
end
$$;

-- Cases in which time has brought something: a limit, the end of a sanction, a decided matter whose
-- windows are all past and whose appeals have ended.
create function conduct_gate.due_cases(p_limit integer) returns table (case_id uuid)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		select x.case_id from (
			select d.case_id, d.due_at from conduct.deadline d
			where d.due_at <= v_now and d.met_at is null and d.overdue_at is null and not d.is_void
			union all
			select s.case_id, s.until_at from conduct.sanction s
			where s.standing = 'active' and s.until_at <= v_now
			union all
			select p.case_id, p.state_at from conduct.proceeding p
			where p.kind = 'matter' and p.state in ('resolved', 'dismissed')
				and not exists (select from conduct.proceeding a
					where a.case_id = p.case_id and a.kind = 'appeal'
						and a.state in ('appeal_filed', 'appeal_review'))
				and not exists (select from conduct.decision_notice n
					where n.case_id = p.case_id and n.appeal_until > v_now)
				and not exists (select from conduct.deadline d
					where d.case_id = p.case_id and d.what in ('appeal_window', 'join_appeal')
						and d.due_at > v_now and d.met_at is null and not d.is_void)) x
		group by x.case_id order by min(x.due_at), x.case_id limit p_limit;
end
$$;

-- Somebody is assigned to the case.
create function conduct_gate.is_assigned(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (select from conduct.assignment s where s.case_id = p_case and s.ended_at is null);
end
$$;

-- Candidates of a queue filter: cases assigned to a person, cases of a named respondent, or both. What
-- the caller may see of them the docket's policy says.
create function conduct_gate.named_cases(p_person uuid, p_respondent bytea) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return coalesce((
		select array_agg(c.case_id) from (
			select s.case_id from conduct.assignment s
			where p_person is not null and s.person_id = p_person and s.ended_at is null
				and (p_respondent is null or exists (select from conduct.party y
					where y.case_id = s.case_id and y.role = 'respondent' and y.name_ix = p_respondent))
			union
			select y.case_id from conduct.party y
			where p_person is null and y.role = 'respondent' and y.name_ix = p_respondent) c), '{}');
end
$$;

-- So many members may act on a case; asks no more of them than it takes.
create function conduct_gate.has_members(p_body text, p_case uuid, p_needed integer) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_member record;
	v_found integer := 0;
begin
	for v_member in select m.principal_id from conduct_gate.active_members(p_body, null, null) m loop
		exit when v_found >= p_needed;
		if p_case is null or not conduct_gate.is_vote_recused(p_case, p_body, v_member.principal_id) then
			v_found := v_found + 1;
		end if;
	end loop;
	return v_found >= p_needed;
end
$$;

-- Constraint triggers ----------------------------------------------------------------------------

create function conduct_gate.lock_case(p_case uuid) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform from conduct.case_file f where f.case_id = p_case for update;
end
$$;

create function conduct_gate.refuse(p_what text) returns void
language plpgsql volatile set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	raise exception using errcode = '23514', message = p_what, constraint = p_what;
end
$$;

create function conduct_gate.append_only() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.refuse(tg_table_name || '_is_append_only');
	return null;
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

create function conduct_gate.event_follows_a_row_in_force() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if not exists (select from conduct.transition t
		where t.kind = new.kind and t.from_state = new.from_state and t.action = new.action
			and t.to_state = new.to_state and t.role = new.role and t.in_force)
	then
		perform conduct_gate.refuse('event_follows_a_row_in_force');
	end if;
	return new;
end
$$;

-- Foreign keys alone accept a head that did not move, or moved back.
create function conduct_gate.head_is_last_event() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if (select p.version from conduct.proceeding p where p.proceeding_id = new.proceeding_id)
		is distinct from
		(select max(e.seq) from conduct.event e where e.proceeding_id = new.proceeding_id)
	then
		perform conduct_gate.refuse('proceeding_head_is_last_event');
	end if;
	return null;
end
$$;

-- What a proceeding is may not change under it; its state moves only with its version.
create function conduct_gate.proceeding_keeps_its_identity() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if (new.proceeding_id, new.case_id, new.kind, new.respondent_id, new.round, new.instance, new.nth,
			new.appellant_id, new.against_id, new.against_seq, new.opened_by, new.opened_at)
		is distinct from
		(old.proceeding_id, old.case_id, old.kind, old.respondent_id, old.round, old.instance, old.nth,
			old.appellant_id, old.against_id, old.against_seq, old.opened_by, old.opened_at)
		or new.version < old.version
	then
		perform conduct_gate.refuse('proceeding_keeps_its_identity');
	end if;
	return new;
end
$$;

-- An act that must open something has opened it.
create function conduct_gate.event_has_its_effect() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.from_state <> 'new'
		and (new.kind, new.action) in (('intake', 'accept'), ('intake', 'add_respondent'))
		and not exists (select from conduct.event e
			where e.cause_id = new.proceeding_id and e.cause_seq = new.seq and e.from_state = 'new')
	then
		perform conduct_gate.refuse('event_has_its_effect');
	end if;
	-- One of the appeals ended together is the cause.
	if new.kind = 'appeal' and new.action in ('remand', 'take_up') and not exists (
		select from conduct.event e
		join conduct.proceeding cause on cause.proceeding_id = e.cause_id
		join conduct.proceeding own on own.proceeding_id = new.proceeding_id
		where e.case_id = new.case_id and e.from_state = 'new' and e.action = new.action
			and e.act_id = new.act_id
			and (cause.against_id, cause.against_seq) = (own.against_id, own.against_seq))
	then
		perform conduct_gate.refuse('event_has_its_effect');
	end if;
	return null;
end
$$;

-- Checked on both sides, under the case's lock: an accepted intake has a matter; no matter is final,
-- and no appeal remanded, beside an open appeal.
create function conduct_gate.proceedings_agree() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.lock_case(new.case_id);
	if new.kind = 'intake' and new.state = 'accepted' and not exists (
		select from conduct.proceeding p where p.case_id = new.case_id and p.kind = 'matter')
	then
		perform conduct_gate.refuse('proceeding_accepted_has_a_matter');
	end if;
	if new.kind = 'matter' and exists (
		select from conduct.proceeding p
		where p.case_id = new.case_id and p.kind = 'intake' and p.state in ('received', 'triage', 'escalated'))
	then
		perform conduct_gate.refuse('proceeding_matter_needs_accepted_intake');
	end if;
	if exists (
		select from conduct.proceeding a
		join conduct.proceeding m on m.case_id = a.case_id and m.kind = 'matter' and m.state = 'final'
			and m.proceeding_id = a.against_id
		where a.case_id = new.case_id and a.kind = 'appeal'
			and a.state in ('appeal_filed', 'appeal_review'))
	then
		perform conduct_gate.refuse('proceeding_final_has_no_open_appeal');
	end if;
	if exists (
		select from conduct.proceeding a
		join conduct.proceeding r on r.case_id = a.case_id and r.kind = 'appeal'
			and r.state = 'appeal_remanded'
			and (r.against_id, r.against_seq) = (a.against_id, a.against_seq)
		where a.case_id = new.case_id and a.kind = 'appeal'
			and a.state in ('appeal_filed', 'appeal_review'))
	then
		perform conduct_gate.refuse('proceeding_remanded_together');
	end if;
	return null;
end
$$;

-- A case's revision is that of its last moving act.
create function conduct_gate.revision_counts_moves() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if (select f.revision from conduct.case_file f where f.case_id = new.case_id)
		is distinct from
		(select max(e.revision) from conduct.event e where e.case_id = new.case_id and e.moves)
	then
		perform conduct_gate.refuse('case_file_revision_counts_moves');
	end if;
	return null;
end
$$;

-- Votes fall only on an open ballot, in the state it was opened in, by a voter who is not recused.
create function conduct_gate.vote_is_in_order() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.lock_case(new.case_id);
	if not exists (
		select from conduct.ballot b
		join conduct.proceeding p on p.proceeding_id = b.proceeding_id and p.state = b.opened_in
		where b.ballot_id = new.ballot_id and b.closed_at is null)
	then
		perform conduct_gate.refuse('vote_needs_an_open_ballot');
	end if;
	if exists (select from conduct.ballot_voter v
		where v.ballot_id = new.ballot_id and v.principal_id = new.principal_id
			and v.recused_at is not null)
		or conduct_gate.is_recused(new.case_id, new.principal_id)
		or exists (select from conduct.took_part t
			where t.case_id = new.case_id and t.principal_id = new.principal_id
				and t.instance = new.instance and t.is_void)
	then
		perform conduct_gate.refuse('vote_of_the_recused');
	end if;
	if new.seq <> 1 + coalesce((select max(v.seq) from conduct.vote v
		where v.ballot_id = new.ballot_id and v.item = new.item and v.principal_id = new.principal_id), 0)
	then
		perform conduct_gate.refuse('vote_keeps_all_changes');
	end if;
	return new;
end
$$;

-- The count of an item: the last vote of each voter who is not recused.
create function conduct_gate.count_votes(p_ballot uuid, p_item integer,
	out active integer, out voters integer, out support integer, out oppose integer, out abstain integer)
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	select count(*), count(l.vote), count(*) filter (where l.vote = 'support'),
		count(*) filter (where l.vote = 'oppose'), count(*) filter (where l.vote = 'abstain')
	into active, voters, support, oppose, abstain
	from conduct.ballot_voter b
	left join lateral (
		select v.vote from conduct.vote v
		where v.ballot_id = b.ballot_id and v.item = p_item and v.principal_id = b.principal_id
		order by v.seq desc limit 1) l on true
	where b.ballot_id = p_ballot and b.recused_at is null and l.vote is distinct from 'recuse'
		and not exists (select from conduct.took_part t
			where t.case_id = b.case_id and t.principal_id = b.principal_id
				and t.instance = b.instance and t.is_void);
end
$$;

create function conduct_gate.tally_is_the_count() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_count record;
begin
	perform conduct_gate.lock_case(new.case_id);
	select * into v_count from conduct_gate.count_votes(new.ballot_id, new.item);
	if (new.active, new.voters, new.support, new.oppose, new.abstain)
		is distinct from
		(v_count.active, v_count.voters, v_count.support, v_count.oppose, v_count.abstain)
		or new.quorum is distinct from
			(select b.quorum from conduct.ballot b where b.ballot_id = new.ballot_id)
	then
		perform conduct_gate.refuse('tally_is_the_count');
	end if;
	return null;
end
$$;

-- A decision rests on a ballot of the same proceeding with its quorum: counted, or, for a single
-- decider, the act of one person who took part in this instance and in no other.
create function conduct_gate.decision_is_carried() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_ballot conduct.ballot;
begin
	perform conduct_gate.lock_case(new.case_id);
	if new.instance is distinct from
		(select p.instance from conduct.proceeding p where p.proceeding_id = new.proceeding_id)
	then
		perform conduct_gate.refuse('decision_instance_is_its_proceedings');
	end if;
	if new.ballot_id is not null then
		select * into v_ballot from conduct.ballot b where b.ballot_id = new.ballot_id;
		-- Of this proceeding, or of an appeal against the same object: those are decided together.
		if v_ballot.proceeding_id <> new.proceeding_id and not exists (
			select from conduct.proceeding own
			join conduct.proceeding voted on voted.proceeding_id = v_ballot.proceeding_id
				and voted.instance = own.instance
				and (voted.against_id, voted.against_seq) = (own.against_id, own.against_seq)
			where own.proceeding_id = new.proceeding_id and own.kind = 'appeal')
		then
			perform conduct_gate.refuse('decision_rests_on_its_own_ballot');
		end if;
		if v_ballot.outcome is distinct from 'passed' or new.quorum <> v_ballot.quorum
			or (v_ballot.quorum > 1 and not coalesce((select max(t.voters) >= v_ballot.quorum
				and max(t.voters) = new.voters
				from conduct.tally t where t.ballot_id = new.ballot_id), false)
				and new.second_person is null)
		then
			perform conduct_gate.refuse('decision_needs_its_tally');
		end if;
	end if;
	if exists (
		select from unnest(array[new.decider, new.second_person]) as d (person_id)
		where d.person_id is not null and not exists (
			select from conduct.took_part t
			where t.case_id = new.case_id and t.instance = new.instance and not t.is_void
				and t.principal_id = conduct_gate.principal_of(d.person_id)))
	then
		perform conduct_gate.refuse('decision_decider_took_part');
	end if;
	return null;
end
$$;

-- Nobody reads aggregates of the body whose cases they handle.
create function conduct_gate.auditor_is_no_functionary() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (
		select from conduct.role_grant a
		join conduct.role_grant f on f.person_id = a.person_id and f.grant_id <> a.grant_id
		where a.person_id = new.person_id and a.role = 'auditor' and a.ended_at is null
			and f.role not in ('auditor', 'ombud', 'admin', 'policy_maintainer', 'translator')
			and f.ended_at is null
			and (a.body_id is null or a.body_id is not distinct from f.body_id)
			and (a.from_at, a.until_at) overlaps (f.from_at, f.until_at))
	then
		perform conduct_gate.refuse('role_grant_auditor_is_no_functionary');
	end if;
	return null;
end
$$;

grant execute on all functions in schema conduct_gate to conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_admin, conduct_stats;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;
revoke create on schema conduct from conduct_gate;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger transition_is_retired_only before update or delete on transition
	for each row execute function conduct_gate.transition_is_retired_only();
create trigger event_follows_a_row_in_force before insert on event
	for each row execute function conduct_gate.event_follows_a_row_in_force();
create constraint trigger event_head_is_last after insert on event deferrable initially deferred
	for each row execute function conduct_gate.head_is_last_event();
create constraint trigger proceeding_head_is_last after insert or update on proceeding
	deferrable initially deferred for each row execute function conduct_gate.head_is_last_event();
create trigger proceeding_keeps_its_identity before update on proceeding
	for each row execute function conduct_gate.proceeding_keeps_its_identity();
create constraint trigger event_has_its_effect after insert on event deferrable initially deferred
	for each row execute function conduct_gate.event_has_its_effect();
create constraint trigger proceedings_agree after insert or update on proceeding
	deferrable initially deferred for each row execute function conduct_gate.proceedings_agree();
create constraint trigger event_revision_counts after insert on event deferrable initially deferred
	for each row when (new.moves) execute function conduct_gate.revision_counts_moves();
create constraint trigger case_file_revision_counts_moves after insert or update of revision on case_file
	deferrable initially deferred for each row execute function conduct_gate.revision_counts_moves();
create trigger vote_is_in_order before insert on vote
	for each row execute function conduct_gate.vote_is_in_order();
create constraint trigger tally_is_the_count after insert or update on tally deferrable initially deferred
	for each row execute function conduct_gate.tally_is_the_count();
create constraint trigger decision_is_carried after insert on decision deferrable initially deferred
	for each row execute function conduct_gate.decision_is_carried();
create constraint trigger role_grant_auditor_is_no_functionary after insert or update on role_grant
	deferrable initially deferred for each row execute function conduct_gate.auditor_is_no_functionary();

do $$
declare
	v_table text;
begin
	foreach v_table in array array['event', 'content', 'unit', 'vote', 'tally', 'decision', 'decision_item',
		'ballot_item', 'ballot_disposition', 'hearing_end', 'waiver', 'report', 'incident', 'appeal_item',
		'appeal_claim', 'allegation', 'message', 'policy_set', 'profile', 'profile_rule', 'policy_wiki',
		'state', 'transition_cause']
	loop
		execute format('create trigger %I before update or delete on conduct.%I
			for each row execute function conduct_gate.append_only()', v_table || '_is_append_only', v_table);
		execute format('create trigger %I before truncate on conduct.%I
			for each statement execute function conduct_gate.append_only()', v_table || '_is_not_truncated',
			v_table);
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

reset role;
reset search_path;
