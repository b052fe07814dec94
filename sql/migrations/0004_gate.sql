-- The gate: the clock and the questions every predicate and constraint asks. Its functions bypass row-level
-- security: a check that saw only its caller's rows would count too little and fail open.

grant create on schema conduct to conduct_gate;
grant references on all tables in schema conduct to conduct_gate;
grant update (case_id) on conduct.case_file to conduct_gate;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Transaction time plus the demo offset.
create function conduct.clock() returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return transaction_timestamp() + (select o.shift_seconds from conduct.clock_offset o)
		* interval '1 second';
end
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
	v_ids bytea[];
	v_names bytea[];
	v_skeletons bytea[];
begin
	select array_agg(a.id_ix), array_agg(a.name_ix), array_agg(a.skeleton_ix)
	into v_ids, v_names, v_skeletons
	from conduct.person p join conduct.person_account a on a.person_id = p.person_id
	where p.principal_id = p_principal;
	return conduct_gate.is_recused_by(p_case, p_principal, v_ids, v_names, v_skeletons);
end
$$;

-- The same, of accounts that are known already.
create function conduct_gate.is_recused_by(p_case uuid, p_principal uuid, p_ids bytea[], p_names bytea[],
	p_skeletons bytea[])
returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_is_here boolean;
	v_is_elsewhere boolean;
begin
	select exists (
			-- The parties of the case first: no index on whom they stand for is as short as they are few.
			select from (select * from conduct.party where case_id = p_case offset 0) y
			where y.id_ix = any (p_ids) or y.name_ix = any (p_names)
				or (y.role = 'respondent' and y.id_ix is null and y.skeleton_ix = any (p_skeletons)))
		or exists (
			select from conduct.recusal r
			where r.case_id = p_case and r.extent = 'full' and r.standing = 'in_force'
				and (r.principal_id = p_principal or r.name_ix = any (p_names)
					or r.id_ix = any (p_ids))),
		-- Most people are a party to nothing; what is in other cases is asked only of the others.
		exists (select from unnest(p_ids) a (ix) where exists (
			select from conduct.party y where y.id_ix = a.ix and y.case_id <> p_case offset 0))
		or exists (select from unnest(p_names) a (ix) where exists (
			select from conduct.party y where y.name_ix = a.ix and y.case_id <> p_case offset 0))
	into v_is_here, v_is_elsewhere;
	return v_is_here or (v_is_elsewhere and conduct_gate.is_recused_elsewhere(p_case, p_ids, p_names));
end
$$;

-- Recused by what is in other cases, to which these accounts are a party.
create function conduct_gate.is_recused_elsewhere(p_case uuid, p_ids bytea[], p_names bytea[])
returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return exists (
		select from (select y.* from unnest(p_ids) a (ix), conduct.party y where y.id_ix = a.ix
			union all select y.* from unnest(p_names) a (ix), conduct.party y where y.name_ix = a.ix) own
		where own.case_id <> p_case and (exists (
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
	if conduct_gate.is_recused(p_case, p_principal) or exists (select from conduct.recusal r
		where r.case_id = p_case and r.principal_id = p_principal and r.standing = 'in_force')
	then
		return true;
	end if;
	return coalesce((select b.level from conduct.body b where b.body_id = p_body) = 'global', false)
		and exists (select from conduct.person p
			join conduct.person_account a on a.person_id = p.person_id
			where p.principal_id = p_principal and a.home_wiki = (select f.wiki from conduct.case_file f
				where f.case_id = p_case));
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

-- Who looks: asked once for a statement, however many cases it shows.
create type conduct_gate.viewer as (person_id uuid, principal_id uuid, ids bytea[], names bytea[],
	skeletons bytea[], at timestamptz);

create function conduct_gate.acting_viewer() returns conduct_gate.viewer
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_viewer conduct_gate.viewer;
begin
	v_viewer.person_id := conduct.actor_person();
	if v_viewer.person_id is null then
		return v_viewer;
	end if;
	v_viewer.at := conduct.clock();
	v_viewer.principal_id := conduct_gate.principal_of(v_viewer.person_id);
	select array_agg(a.id_ix), array_agg(a.name_ix), array_agg(a.skeleton_ix)
	into v_viewer.ids, v_viewer.names, v_viewer.skeletons
	from conduct.person p join conduct.person_account a on a.person_id = p.person_id
	where p.principal_id = v_viewer.principal_id;
	return v_viewer;
end
$$;

-- The one access predicate of handlers: a body of theirs holds or held the case, they are not recused,
-- a case that was closed before they came is theirs only where assigned, and a restricted one by name
-- (until somebody has claimed it, every member may).
create function conduct_gate.handler_sees(p_case uuid, p_viewer conduct_gate.viewer) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_person uuid := p_viewer.person_id;
	v_privacy text;
begin
	if v_person is null then
		return false;
	end if;
	select f.privacy into v_privacy
	from conduct.docket d
	join conduct.body b on b.body_id = d.body_id
	join conduct.role_grant g on g.body_id = d.body_id and g.role = b.role
	join conduct.case_file f on f.case_id = d.case_id
	where d.case_id = p_case and g.person_id = v_person and g.ended_at is null
		and p_viewer.at >= g.from_at and p_viewer.at < g.until_at
		and (coalesce(f.closed_at > g.from_at, true)
			or exists (select from conduct.assignment s
				where s.case_id = p_case and s.person_id = v_person and s.ended_at is null))
	limit 1;
	if v_privacy is null or conduct_gate.is_recused_by(p_case, p_viewer.principal_id, p_viewer.ids,
		p_viewer.names, p_viewer.skeletons)
	then
		return false;
	end if;
	if v_privacy <> 'restricted' then
		return true;
	end if;
	return not exists (select from conduct.assignment s where s.case_id = p_case and s.ended_at is null)
		or exists (select from conduct.assignment s
			where s.case_id = p_case and s.person_id = v_person and s.ended_at is null)
		or exists (select from conduct.panel_seat s
			where s.case_id = p_case and s.person_id = v_person and s.left_at is null);
end
$$;

create function conduct_gate.handler_sees(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return conduct_gate.handler_sees(p_case, conduct_gate.acting_viewer());
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
create function conduct_gate.handler_sees_stage(p_case uuid, p_body text, p_state text,
	p_viewer conduct_gate.viewer)
returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if not exists (select from conduct.took_part t
		where t.case_id = p_case and t.principal_id = p_viewer.principal_id and not t.is_void)
	then
		return true;
	end if;
	return exists (select from conduct.proceeding p
		where p.case_id = p_case and p.body_id = p_body and p.state = p_state
			and not conduct_gate.is_barred(p_case, p.instance, p_viewer.principal_id));
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

-- A body has members who are respondents of a case, by id, name or skeleton. Respondents are few and
-- mostly unknown here, so that they are asked first.
create function conduct_gate.has_accused_member(p_case uuid, p_body text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_principals uuid[];
	v_now timestamptz;
begin
	select array_agg(p.principal_id) into v_principals
	from conduct.party y
	join conduct.person_account a
		on a.id_ix = y.id_ix or a.name_ix = y.name_ix or a.skeleton_ix = y.skeleton_ix
	join conduct.person p on p.person_id = a.person_id
	where y.case_id = p_case and y.role = 'respondent';
	if v_principals is null then
		return false;
	end if;
	v_now := conduct.clock();
	return exists (
		select from conduct.person p
		join conduct.role_grant g on g.person_id = p.person_id and g.body_id = p_body
		join conduct.body b on b.body_id = g.body_id and b.role = g.role
		where p.principal_id = any (v_principals)
			and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at);
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
	v_now timestamptz := conduct.clock();
	v_principal uuid;
	v_found uuid[] := '{}';
begin
	for v_principal in
		select p.principal_id
		from conduct.body b
		join conduct.role_grant g on g.body_id = b.body_id and g.role = b.role
		join conduct.person p on p.person_id = g.person_id
		where b.body_id = p_body and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at
	loop
		if not v_principal = any (v_found)
			and (p_case is null or not conduct_gate.is_vote_recused(p_case, p_body, v_principal))
		then
			v_found := v_found || v_principal;
		end if;
		exit when cardinality(v_found) >= p_needed;
	end loop;
	return cardinality(v_found) >= p_needed;
end
$$;

-- What constraints do ----------------------------------------------------------------------------

-- The case row is locked before siblings are counted.
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

grant execute on all functions in schema conduct_gate to conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_admin, conduct_stats;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;
revoke create on schema conduct from conduct_gate;
reset search_path;
