-- A history stays whole: events follow the procedure, are of their time and by who may act, and head, case
-- file, parties, docket and hearings agree with them. What a function checks for its caller, these check
-- for everybody.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Proceedings ------------------------------------------------------------------------------------

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

-- A proceeding changes its body only in the transaction of an act that hands it over.
create function conduct_gate.proceeding_keeps_its_body() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if not exists (select from conduct.event e
		where e.proceeding_id = new.proceeding_id and e.seq = new.version
			and e.action in ('escalate', 'hand_back') and e.at = conduct.clock())
	then
		perform conduct_gate.refuse('proceeding_keeps_its_body');
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

-- Events -----------------------------------------------------------------------------------------

-- The actor holds the role the row asks for on this proceeding.
create function conduct_gate.actor_may(p_event conduct.event, p_row conduct.proceeding) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_party conduct.party;
begin
	if p_event.role in ('reporter', 'target', 'respondent', 'party', 'appellant') then
		select * into v_party from conduct.party y where y.party_id = p_event.actor_party;
		return coalesce(case
			when p_row.kind = 'appeal' and p_row.appellant_id <> v_party.party_id then false
			when p_event.role = 'appellant' then p_row.kind = 'appeal'
			when v_party.role = 'respondent' and p_row.kind = 'matter'
				and p_row.respondent_id <> v_party.party_id then false
			when p_event.role = 'party' then v_party.role in ('reporter', 'target', 'respondent')
			-- Who went on with a withdrawn report is a reporter as well.
			else v_party.role = p_event.role end, false);
	end if;
	if p_event.actor_person is null then
		return false;
	end if;
	if p_event.role = 'panel' then
		return exists (select from conduct.panel_seat s
				where s.case_id = p_row.case_id and s.instance = p_row.instance
					and s.person_id = p_event.actor_person and s.left_at is null)
			or exists (select from conduct.ballot_voter v
				where v.case_id = p_row.case_id and v.instance = p_row.instance
					and v.person_id = p_event.actor_person and v.recused_at is null);
	end if;
	if p_event.role = 'drafter' then
		return exists (select from conduct.ballot b
			where b.proceeding_id = p_row.proceeding_id and b.drafter = p_event.actor_person);
	end if;
	return exists (select from conduct.body b where b.body_id = p_row.body_id
		and conduct_gate.has_role(p_event.actor_person, b.role, b.body_id));
end
$$;

-- An event is of its time; its actor holds the role, is not recused, and takes part in this instance if it
-- moves; an effect is of the act and the actor of its cause.
create function conduct_gate.event_is_of_its_actor() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_row conduct.proceeding;
	v_principal uuid;
begin
	if new.at <> conduct.clock() then
		perform conduct_gate.refuse('event_is_of_its_time');
	end if;
	if new.revision <> (select f.revision from conduct.case_file f where f.case_id = new.case_id)
		or new.revision > 1 + coalesce((select max(e.revision) from conduct.event e
			where e.case_id = new.case_id and e.moves and e.act_id <> new.act_id), 0)
	then
		perform conduct_gate.refuse('case_file_revision_counts_moves');
	end if;
	if new.role = 'system' then
		return null;
	end if;
	if new.needs_cause and new.action <> 'appeal' then
		if not exists (select from conduct.event e
			where e.proceeding_id = new.cause_id and e.seq = new.cause_seq and e.act_id = new.act_id
				and (e.actor_person, e.actor_party) is not distinct from (new.actor_person, new.actor_party))
		then
			perform conduct_gate.refuse('event_is_of_its_cause');
		end if;
		return null;
	end if;
	select * into v_row from conduct.proceeding p where p.proceeding_id = new.proceeding_id;
	if not conduct_gate.actor_may(new, v_row) then
		perform conduct_gate.refuse('event_is_of_its_actor');
	end if;
	if new.actor_person is null then
		return null;
	end if;
	v_principal := conduct_gate.principal_of(new.actor_person);
	if conduct_gate.is_recused(new.case_id, v_principal) then
		perform conduct_gate.refuse('event_of_the_recused');
	end if;
	if new.moves and not exists (select from conduct.took_part t
		where t.case_id = new.case_id and t.principal_id = v_principal and t.instance = v_row.instance
			and not t.is_void)
	then
		perform conduct_gate.refuse('event_actor_took_part');
	end if;
	return null;
end
$$;

-- Until when the last decision about a matter, those of appeals against it included, may be appealed.
create function conduct_gate.window_of_chain(p_matter uuid) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (with recursive chain as (
			select p_matter as proceeding_id
			union
			select p.proceeding_id from conduct.proceeding p
			join chain c on p.against_id = c.proceeding_id)
		select max(n.appeal_until) from chain c
		join conduct.decision d on d.proceeding_id = c.proceeding_id
		join conduct.decision_notice n on n.decision_id = d.decision_id);
end
$$;

-- What ends by time ends after it; what is open for a time is not opened later.
create function conduct_gate.event_keeps_its_window() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.action = 'close' and coalesce(conduct_gate.window_of_chain(new.proceeding_id) > new.at, false) then
		perform conduct_gate.refuse('event_close_is_past_the_window');
	end if;
	if new.action = 'appeal' and not exists (
		select from conduct.proceeding p
		join conduct.decision d on d.proceeding_id = p.against_id and d.event_seq = p.against_seq
		join conduct.decision_notice n on n.decision_id = d.decision_id and n.party_id = p.appellant_id
			and n.appeal_until > new.at
		where p.proceeding_id = new.proceeding_id)
	then
		perform conduct_gate.refuse('event_appeal_is_in_its_window');
	end if;
	if new.action = 'resolve_informally' and (select f.severity from conduct.case_file f
		where f.case_id = new.case_id) in ('S3', 'S4')
	then
		perform conduct_gate.refuse('event_advice_only');
	end if;
	return null;
end
$$;

-- Case file, parties, people ---------------------------------------------------------------------

-- The revision counts one by one, words get no more public, and nothing closed has an end to come.
create function conduct_gate.case_file_goes_forward() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_levels text[] := array['parties', 'handlers', 'restricted'];
begin
	if new.revision not in (old.revision, old.revision + 1) then
		perform conduct_gate.refuse('case_file_revision_counts_moves');
	end if;
	if array_position(v_levels, new.privacy) < array_position(v_levels, old.privacy) then
		perform conduct_gate.refuse('case_file_privacy_only_tightens');
	end if;
	if old.closed_at is null and new.closed_at is not null and exists (
		select from conduct.proceeding p join conduct.state s on s.state = p.state and s.class <> 'ended'
		where p.case_id = new.case_id)
	then
		perform conduct_gate.refuse('case_file_closed_has_ended');
	end if;
	return new;
end
$$;

-- Whom a party row stands for is learnt once.
create function conduct_gate.party_keeps_its_account() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if old.id_ix is not null and new.id_ix is distinct from old.id_ix then
		perform conduct_gate.refuse('party_keeps_its_account');
	end if;
	return new;
end
$$;

-- A recusal ends only where somebody had to rule on it.
create function conduct_gate.recusal_stands() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.standing <> old.standing and old.standing <> 'pending' then
		perform conduct_gate.refuse('recusal_stands');
	end if;
	return new;
end
$$;

-- A part is void for who is out of the case, and stays void: a prior decider does not become a new one.
create function conduct_gate.took_part_stands() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if (old.is_void and not new.is_void)
		or (new.is_void and not old.is_void and not conduct_gate.is_recused(new.case_id, new.principal_id))
	then
		perform conduct_gate.refuse('took_part_stands');
	end if;
	return new;
end
$$;

-- A body has a case on its docket while it holds a proceeding of it.
create function conduct_gate.docket_body_holds_it() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (select from conduct.docket d where d.case_id = new.case_id and d.body_id = new.body_id)
		and not exists (select from conduct.proceeding p
			where p.case_id = new.case_id and p.body_id = new.body_id)
	then
		perform conduct_gate.refuse('docket_body_holds_it');
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

-- Hearings ---------------------------------------------------------------------------------------

-- A hearing's time is the policy's; it ends sooner only by the answer, later only by the extension.
create function conduct_gate.hearing_lasts() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_hearing conduct.hearing;
	v_limit interval;
begin
	select * into v_hearing from conduct.hearing h where h.hearing_id = new.hearing_id;
	select (r.procedure ->> 'hearing')::bigint * interval '1 second' into v_limit
	from conduct.case_file f join conduct.profile r on r.profile = f.profile where f.case_id = new.case_id;
	if new.at <> conduct.clock() or v_hearing.case_id <> new.case_id
		or (new.cause = 'notice' and (new.nth <> 1 or v_hearing.notified_at <> new.at
			or new.heard_until < new.at + v_limit))
		or (new.cause = 'extension' and new.heard_until < (select max(e.heard_until)
			from conduct.hearing_end e where e.hearing_id = new.hearing_id and e.nth < new.nth))
		or not exists (select from conduct.event e
			where e.proceeding_id = v_hearing.proceeding_id and e.at = new.at and e.action = case new.cause
				when 'notice' then 'notify_respondent' when 'extension' then 'grant_extension'
				else 'answer' end)
	then
		perform conduct_gate.refuse('hearing_lasts');
	end if;
	return null;
end
$$;

-- A waiver is its act's; a hearing falls away altogether only in grave cases.
create function conduct_gate.waiver_is_of_its_act() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if not exists (select from conduct.event e
			where e.proceeding_id = new.proceeding_id and e.action = 'waive_hearing' and e.at = new.at)
		or (new.kind = 'none' and (select f.severity from conduct.case_file f
			where f.case_id = new.case_id) not in ('S3', 'S4'))
	then
		perform conduct_gate.refuse('waiver_is_of_its_act');
	end if;
	return null;
end
$$;

grant execute on function conduct_gate.event_follows_a_row_in_force(),
	conduct_gate.head_is_last_event(), conduct_gate.proceeding_keeps_its_identity(),
	conduct_gate.event_has_its_effect(), conduct_gate.proceedings_agree(),
	conduct_gate.revision_counts_moves(), conduct_gate.auditor_is_no_functionary()
	to conduct_handler, conduct_party, conduct_intake, conduct_timer, conduct_admin, conduct_stats;
grant execute on function conduct_gate.window_of_chain(uuid) to conduct_timer;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger event_follows_a_row_in_force before insert on event
	for each row execute function conduct_gate.event_follows_a_row_in_force();
-- A proceeding that opens has its one event by the two foreign keys between them; whatever follows is
-- compared.
create constraint trigger event_head_is_last after insert on event deferrable initially deferred
	for each row when (new.seq > 1) execute function conduct_gate.head_is_last_event();
create constraint trigger proceeding_opens_at_first after insert on proceeding
	deferrable initially deferred for each row when (new.version > 1)
	execute function conduct_gate.head_is_last_event();
create constraint trigger proceeding_head_is_last after update on proceeding
	deferrable initially deferred for each row execute function conduct_gate.head_is_last_event();
create trigger proceeding_keeps_its_identity before update on proceeding
	for each row execute function conduct_gate.proceeding_keeps_its_identity();
create trigger proceeding_keeps_its_body before update on proceeding
	for each row when (old.body_id is distinct from new.body_id)
	execute function conduct_gate.proceeding_keeps_its_body();
create constraint trigger event_has_its_effect after insert on event deferrable initially deferred
	for each row when (new.action in ('accept', 'add_respondent', 'remand', 'take_up'))
	execute function conduct_gate.event_has_its_effect();
-- An intake that is not accepted has nothing to agree with.
create constraint trigger proceedings_agree after insert or update on proceeding
	deferrable initially deferred for each row when (new.kind <> 'intake' or new.state = 'accepted')
	execute function conduct_gate.proceedings_agree();
-- An event has the revision of its case from the start (event_is_of_its_actor), so that only a case file
-- can be ahead of its events.
create constraint trigger case_file_revision_counts_moves after insert or update of revision on case_file
	deferrable initially deferred for each row execute function conduct_gate.revision_counts_moves();
create trigger event_is_of_its_actor after insert on event
	for each row execute function conduct_gate.event_is_of_its_actor();
create constraint trigger event_keeps_its_window after insert on event deferrable initially deferred
	for each row when (new.action in ('close', 'appeal', 'resolve_informally'))
	execute function conduct_gate.event_keeps_its_window();
create trigger case_file_goes_forward before update on case_file
	for each row execute function conduct_gate.case_file_goes_forward();
create trigger party_keeps_its_account before update on party
	for each row execute function conduct_gate.party_keeps_its_account();
create trigger recusal_stands before update on recusal
	for each row execute function conduct_gate.recusal_stands();
create trigger took_part_stands before update on took_part
	for each row execute function conduct_gate.took_part_stands();
create constraint trigger docket_body_holds_it after insert or update of case_id, body_id on docket
	deferrable initially deferred for each row execute function conduct_gate.docket_body_holds_it();
create constraint trigger role_grant_auditor_is_no_functionary after insert or update on role_grant
	deferrable initially deferred for each row execute function conduct_gate.auditor_is_no_functionary();
create constraint trigger hearing_lasts after insert on hearing_end deferrable initially deferred
	for each row execute function conduct_gate.hearing_lasts();
create constraint trigger waiver_is_of_its_act after insert on waiver deferrable initially deferred
	for each row execute function conduct_gate.waiver_is_of_its_act();

reset role;
reset search_path;
