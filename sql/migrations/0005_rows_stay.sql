-- What was written stays, and what is written beside it belongs to it: rows of a case are never deleted,
-- change only in the columns that are meant to, and are made in the transaction of the act they tell of,
-- by somebody who could act. What a function checks for its caller, these check for everybody.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

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

-- The procedure changes with a migration, which loads it as this role.
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

-- Case file, parties ------------------------------------------------------------------------------

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

-- Events ------------------------------------------------------------------------------------------

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

-- Hearings ----------------------------------------------------------------------------------------

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

grant execute on all functions in schema conduct_gate to conduct_owner;
grant execute on function conduct_gate.window_of_chain(uuid) to conduct_timer;
reset role;
set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger policy_set_is_next before insert on policy_set
	for each row execute function conduct_gate.policy_set_is_next();
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
create trigger proceeding_keeps_its_body before update on proceeding
	for each row when (old.body_id is distinct from new.body_id)
	execute function conduct_gate.proceeding_keeps_its_body();
create trigger event_is_of_its_actor after insert on event
	for each row execute function conduct_gate.event_is_of_its_actor();
create constraint trigger event_keeps_its_window after insert on event deferrable initially deferred
	for each row when (new.action in ('close', 'appeal', 'resolve_informally'))
	execute function conduct_gate.event_keeps_its_window();
create constraint trigger hearing_lasts after insert on hearing_end deferrable initially deferred
	for each row execute function conduct_gate.hearing_lasts();
create constraint trigger waiver_is_of_its_act after insert on waiver deferrable initially deferred
	for each row execute function conduct_gate.waiver_is_of_its_act();

do $$
declare
	v_row record;
	v_table text;
begin
	foreach v_table in array array['state', 'transition', 'transition_cause', 'ballot_kind'] loop
		execute format('create trigger %I before insert on conduct.%I
			for each row execute function conduct_gate.procedure_is_loaded()', v_table || '_is_loaded', v_table);
	end loop;
	-- Tables whose rows stay, and the columns that may change.
	for v_row in select * from (values
		('case_file', '{revision,lane,privacy,severity,closed_at}'), ('party', '{id_ix,kind,notified_at,withdrew_at}'),
		('took_part', '{is_void}'), ('recusal', '{standing}'), ('assignment', '{ended_at}'),
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
	for v_table in
		select c.relname from pg_catalog.pg_class c
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and not exists (
			select from pg_catalog.pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_is_not_truncated')
		order by 1
	loop
		execute format('create trigger %I before truncate on conduct.%I
			for each statement execute function conduct_gate.rows_stay()', v_table || '_is_not_truncated', v_table);
	end loop;
end
$$;

reset role;
reset search_path;
