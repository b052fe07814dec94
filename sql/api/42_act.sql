-- What the acts of handlers share: prologue and epilogue, members of p_args, who may decide, what a
-- vote needs, telling a decision, and which guards stand in the way.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

do $$
begin
	if to_regtype('conduct_api_1.act') is null then
		create type conduct_api_1.act as (act_id uuid, case_id uuid, proceeding_id uuid,
			proceedings uuid[], scope bytea,
			replayed integer, answer jsonb);
	end if;
end
$$;

-- Members of p_args ------------------------------------------------------------------------------

create or replace function conduct_api_1.uuid_member(p_args jsonb, p_name text, p_is_required boolean)
returns uuid language plpgsql immutable
as $$
declare
	v_text text := p_args ->> p_name;
begin
	if v_text is null and not p_is_required then
		return null;
	end if;
	if v_text is null or v_text !~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
		perform conduct_api_1.refuse_member('/' || p_name, case when v_text is null then 'missing'
			else 'malformed' end);
	end if;
	return v_text::uuid;
end
$$;

-- A party of the opened case named in p_args, in one of the roles given.
create or replace function conduct_api_1.party_member(p_args jsonb, p_name text, p_roles text[])
returns uuid language plpgsql stable
as $$
declare
	v_party uuid := conduct_api_1.uuid_member(p_args, p_name, true);
begin
	if not exists (select from conduct.party y where y.party_id = v_party
		and y.case_id = conduct.opened_case() and y.role = any (p_roles))
	then
		perform conduct_api_1.refuse_member('/' || p_name, 'unknown');
	end if;
	return v_party;
end
$$;

create or replace function conduct_api_1.current_row(p_proceeding uuid) returns conduct.proceeding
language plpgsql stable
as $$
declare
	v_row conduct.proceeding;
begin
	select * into strict v_row from conduct.proceeding p where p.proceeding_id = p_proceeding;
	return v_row;
end
$$;

create or replace function conduct_api_1.current_case() returns conduct.case_file
language plpgsql stable
as $$
declare
	v_case conduct.case_file;
begin
	select * into strict v_case from conduct.case_file f where f.case_id = conduct.opened_case();
	return v_case;
end
$$;

-- Prologue, epilogue -----------------------------------------------------------------------------

-- An act that names a respondent or a proposal means its proceeding; one that concerns the whole case
-- sits on the intake where that is legal, else on the first proceeding where it is.
create or replace function conduct_api_1.aim(p_action text, p_args jsonb) returns jsonb
language plpgsql stable
as $$
declare
	v_proceeding uuid;
begin
	if p_args ? 'proceedings' then
		return p_args;
	end if;
	if p_args ? 'proposal' then
		select b.proceeding_id into v_proceeding from conduct.ballot b
		where b.case_id = conduct.opened_case()
			and b.ballot_id::text = lower(p_args ->> 'proposal')
			and conduct_gate.handler_sees_proceeding(b.proceeding_id);
	elsif p_action in ('notify_respondent', 'record_service', 'waive_hearing', 'grant_extension', 'propose')
	then
		select p.proceeding_id into v_proceeding from conduct.proceeding p
		where p.case_id = conduct.opened_case() and p.kind = 'matter'
			and p.respondent_id::text = lower(coalesce(p_args ->> 'respondent', p_args ->> 'party',
				p_args #>> '{dispositions,0,respondent}'))
			and conduct_gate.handler_sees_proceeding(p.proceeding_id)
		order by p.round desc limit 1;
	elsif p_action in ('acknowledge', 'assign', 'recuse', 'set_severity', 'open_identity', 'invite_witness',
		'hold') then
		select p.proceeding_id into v_proceeding from conduct.proceeding p
		where p.case_id = conduct.opened_case() and p_action = any (conduct_api_1.allowed_on(p))
		order by (p.kind = 'intake') desc, p.opened_at, p.proceeding_id limit 1;
	end if;
	return case when v_proceeding is null then p_args
		else p_args || jsonb_build_object('proceedings', jsonb_build_array(v_proceeding)) end;
end
$$;

-- The prologue of every act, in the fixed order of refusal: who, the key, 404, then 403, 412, 422, 409.
-- `replayed` says that the key was spent: the verb returns replay_act() and does nothing.
create or replace function conduct_api_1.begin_act(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_action text, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.act language plpgsql volatile
as $$
declare
	v_act conduct_api_1.act;
	v_key conduct.idempotency;
	v_targets uuid[];
begin
	perform conduct_api_1.enter_person(p_account);
	v_key := conduct_api_1.claim_key(p_scope, p_mac);
	v_act.case_id := p_case;
	v_act.scope := p_scope;
	if v_key.scope is not null then
		if v_key.case_id is distinct from p_case then
			perform conduct_api_1.refuse(422, 'conduct-idempotency-key-reused');
		end if;
		v_act.replayed := v_key.status;
		v_act.answer := v_key.answer;
		return v_act;
	end if;
	perform conduct_api_1.open_case(p_case);
	v_targets := conduct_api_1.target(p_action, p_expected, conduct_api_1.aim(p_action, p_args));
	-- What is the same for each may be done to several at once; else the body names its one proceeding.
	if cardinality(v_targets) > 1 and p_action not in ('dismiss', 'resolve_informally', 'send_back',
		'accept_appeal', 'decline_appeal')
	then
		perform conduct_api_1.refuse_member('/proceedings', 'one-only');
	end if;
	v_act.act_id := gen_random_uuid();
	v_act.proceeding_id := v_targets[1];
	v_act.proceedings := v_targets;
	perform conduct_api_1.store_words((conduct_api_1.current_case()).unit_id, p_word_ids, p_word_kinds,
		p_words);
	return v_act;
end
$$;

-- 200 with the case, or 204 where the actor sees it no more.
create or replace function conduct_api_1.answer_case(p_case uuid) returns conduct_api_1.answer
language plpgsql volatile
as $$
begin
	if not conduct_gate.handler_sees(p_case) then
		return row(204, null, '{}', '{}')::conduct_api_1.answer;
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
	return conduct_api_1.answer(200, conduct_api_1.case_view());
end
$$;

create or replace function conduct_api_1.replay_act(p_act conduct_api_1.act)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	if p_act.replayed = 204 or not conduct_gate.handler_sees(p_act.case_id) then
		return row(204, null, '{}', '{}')::conduct_api_1.answer;
	end if;
	if p_act.replayed = 202 then
		return conduct_api_1.answer(202, p_act.answer);
	end if;
	v_answer := conduct_api_1.answer_case(p_act.case_id);
	v_answer.body := v_answer.body || p_act.answer;
	return v_answer;
end
$$;

-- p_extra: what the verb answers beside the case.
create or replace function conduct_api_1.end_act(p_act conduct_api_1.act, p_pending uuid default null,
	p_extra jsonb default '{}')
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	perform conduct_api_1.refresh_docket();
	if p_pending is not null then
		v_answer := conduct_api_1.answer(202, jsonb_build_object('pending', p_pending));
	else
		v_answer := conduct_api_1.answer_case(p_act.case_id);
		v_answer.body := v_answer.body || p_extra;
	end if;
	perform conduct_api_1.finish_key(p_act.scope, v_answer.status,
		case when v_answer.status = 202 then v_answer.body else p_extra end, p_act.case_id);
	return v_answer;
end
$$;

-- Two people ------------------------------------------------------------------------------------

-- What two people must agree in: everything but their words, which are content of their own.
create or replace function conduct_api_1.hash_of_act(p_args jsonb) returns bytea
language plpgsql stable
as $$
declare
	v_text text := (p_args - 'confirm' - 'reason')::text;
	v_word uuid;
begin
	for v_word in
		select c.content_id from conduct.content c
		where c.content_id in (select m[1]::uuid
			from regexp_matches(v_text, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') m)
	loop
		v_text := replace(v_text, v_word::text, '');
	end loop;
	return sha256(convert_to(v_text, 'UTF8'));
end
$$;

-- Two-person acts. Null: go on, p_confirm names the first person's act. Else the id of the pending act,
-- to be answered with 202. The same person twice is one person.
create or replace function conduct_api_1.await_second(p_proceeding uuid, p_action text, p_args jsonb,
	out pending uuid, out first_person uuid)
language plpgsql volatile
as $$
declare
	v_row conduct.pending_act;
	v_hash bytea := conduct_api_1.hash_of_act(p_args);
begin
	if not p_args ? 'confirm' then
		pending := gen_random_uuid();
		insert into conduct.pending_act (pending_id, case_id, proceeding_id, action, first_person, args_hash,
			args, revision, at)
		values (pending, conduct.opened_case(), p_proceeding, p_action, conduct.actor_person(), v_hash,
			p_args, (select f.revision from conduct.case_file f where f.case_id = conduct.opened_case()),
			conduct.clock());
		return;
	end if;
	select * into v_row from conduct.pending_act a
	where a.pending_id = (p_args ->> 'confirm')::uuid and a.proceeding_id = p_proceeding
		and a.action = p_action and a.done_at is null;
	if v_row.pending_id is null or v_row.args_hash <> v_hash then
		perform conduct_api_1.refuse_member('/confirm', 'unknown');
	end if;
	if conduct_gate.principal_of(v_row.first_person) = conduct_gate.principal_of(conduct.actor_person()) then
		perform conduct_api_1.refuse_guard('second-person');
	end if;
	update conduct.pending_act a set done_at = conduct.clock() where a.pending_id = v_row.pending_id;
	first_person := v_row.first_person;
end
$$;

-- Severity ---------------------------------------------------------------------------------------

-- S1 … S4 as a number; 0 where none is set.
create or replace function conduct_api_1.severity_rank(p_severity text) returns integer
language sql immutable
as $$
	select coalesce(substr(p_severity, 2)::integer, 0)
$$;

-- The severity set, or before that the least that any rule of the reported category could have: nobody
-- turns a grave report down alone by not weighing it.
create or replace function conduct_api_1.effective_severity() returns integer
language plpgsql stable
as $$
declare
	v_case conduct.case_file := conduct_api_1.current_case();
begin
	if v_case.severity is not null then
		return conduct_api_1.severity_rank(v_case.severity);
	end if;
	return coalesce((
		select max(least_of.rank) from (
			select min(conduct_api_1.severity_rank(pr.severity_floor)) as rank
			from conduct.report r
			join conduct.profile f on f.profile = v_case.profile,
				jsonb_array_elements(f.categories) c, jsonb_array_elements_text(c -> 'rules') u
			join conduct.profile_rule pr on pr.profile = v_case.profile and pr.rule = u
			where r.case_id = v_case.case_id and c ->> 'id' = r.category
			group by r.report_id) least_of), 0);
end
$$;

-- The severity is not below the floor of any rule alleged.
create or replace function conduct_api_1.check_severity(p_severity text, p_profile text, p_rules text[])
returns void language plpgsql stable
as $$
begin
	if exists (select from conduct.profile_rule r
		where r.profile = p_profile and r.rule = any (p_rules)
			and conduct_api_1.severity_rank(r.severity_floor) > conduct_api_1.severity_rank(p_severity))
	then
		perform conduct_api_1.refuse_guard('severity-floor');
	end if;
end
$$;

-- Who decides ------------------------------------------------------------------------------------

-- The decision an appeal is against.
create or replace function conduct_api_1.object_of(p_appeal conduct.proceeding) returns conduct.decision
language plpgsql stable
as $$
declare
	v_decision conduct.decision;
begin
	select d.* into v_decision from conduct.decision d
	where d.proceeding_id = p_appeal.against_id and d.event_seq = p_appeal.against_seq;
	return v_decision;
end
$$;

-- How a proceeding is decided: by one person (S1, S2 at a body of single deciders), by two of the staff,
-- or by a panel. Appeals by a panel, always.
create or replace function conduct_api_1.decision_mode(p_row conduct.proceeding) returns text
language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	select * into strict v_body from conduct.body b where b.body_id = p_row.body_id;
	if p_row.kind <> 'appeal' and v_body.decide_rule ->> 'rule' = 'two_staff' then
		return 'two_staff';
	end if;
	if p_row.kind <> 'appeal' and v_body.decides = 'single'
		and conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) between 1 and 2
	then
		return 'single';
	end if;
	return 'panel';
end
$$;

-- The fewest members a panel may have. One other person hears an appeal against an individual's S1 or S2
-- dismissal where the body is of single deciders.
create or replace function conduct_api_1.panel_floor(p_row conduct.proceeding) returns integer
language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	select * into strict v_body from conduct.body b where b.body_id = p_row.body_id;
	if p_row.kind = 'appeal' and v_body.decides = 'single'
		and (conduct_api_1.object_of(p_row)).kind in ('decline', 'dismiss')
		and conduct_api_1.effective_severity() between 1 and 2
	then
		return 1;
	end if;
	if p_row.kind = 'intake' then
		return v_body.panel_size;
	end if;
	return greatest(v_body.panel_size, conduct_api_1.procedure_number(
		case when v_body.level = 'wiki' or p_row.kind = 'matter' then 'panel_size_local'
			else 'panel_size_global' end));
end
$$;

-- Who votes on a proceeding: its seated panel, else the body's active members; never the recused, never
-- a prior decider.
create or replace function conduct_api_1.electorate(p_row conduct.proceeding)
returns table (person_id uuid, principal_id uuid) language plpgsql stable
as $$
begin
	if exists (select from conduct.panel n where n.proceeding_id = p_row.proceeding_id) then
		return query
			select s.person_id, s.principal_id from conduct.panel n
			join conduct.panel_seat s on s.panel_id = n.panel_id and s.left_at is null
			where n.proceeding_id = p_row.proceeding_id
				and not conduct_gate.is_vote_recused(p_row.case_id, p_row.body_id, s.principal_id);
	else
		return query select m.person_id, m.principal_id
			from conduct_gate.active_members(p_row.body_id, p_row.case_id, p_row.instance) m;
	end if;
end
$$;

-- The quorum of a decision, fixed when voting opens: the body's own, and never less than the greater
-- half of the smallest panel.
create or replace function conduct_api_1.quorum_of(p_row conduct.proceeding) returns integer
language plpgsql stable
as $$
declare
	v_body conduct.body;
	v_floor integer := conduct_api_1.panel_floor(p_row);
	v_active integer;
begin
	if v_floor = 1 then
		return 1;
	end if;
	select * into strict v_body from conduct.body b where b.body_id = p_row.body_id;
	if v_body.quorum ->> 'rule' = 'majority_of_active' then
		select count(*) into v_active
		from conduct_gate.active_members(p_row.body_id, p_row.case_id, p_row.instance);
		return greatest(v_active / 2 + 1, v_floor / 2 + 1);
	end if;
	return greatest(coalesce((v_body.quorum ->> 'n')::integer, 1), v_floor / 2 + 1);
end
$$;

-- Telling ----------------------------------------------------------------------------------------

-- The window against a body's decision: office actions longest, then bodies of the whole movement.
create or replace function conduct_api_1.window_of(p_body text) returns interval
language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	select * into strict v_body from conduct.body b where b.body_id = p_body;
	return conduct_api_1.limit_of(case
		when v_body.role = 'ts_staff' then 'appeal_window_office'
		when v_body.level in ('global', 'special') then 'appeal_window_global'
		else 'appeal_window' end);
end
$$;

-- One party is told a decision; p_until: until when it may appeal, null: not at all.
create or replace function conduct_api_1.tell(p_decision uuid, p_party uuid, p_text uuid, p_lang text,
	p_until timestamptz)
returns void language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_role text;
begin
	insert into conduct.decision_notice (decision_id, party_id, case_id, text_content, lang, made_at,
		served_at, appeal_until)
	values (p_decision, p_party, conduct.opened_case(), p_text, p_lang, v_now, v_now, p_until)
	on conflict (decision_id, party_id) do nothing;
	select y.role into strict v_role from conduct.party y where y.party_id = p_party;
	if p_text is not null and v_role in ('reporter', 'target', 'respondent') then
		insert into conduct.message (message_id, case_id, channel, party_id, author_person, text_content, at)
		values (gen_random_uuid(), conduct.opened_case(),
			case v_role when 'respondent' then 'respondent' else 'reporter' end, p_party,
			conduct.actor_person(), p_text, v_now);
	end if;
	update conduct.party y set notified_at = v_now where y.party_id = p_party and y.notified_at is null;
end
$$;

-- The window of a decision's proceeding stays open while any of its parties has one.
create or replace function conduct_api_1.set_window(p_proceeding uuid, p_decision uuid) returns void
language plpgsql volatile
as $$
declare
	v_until timestamptz;
begin
	select max(n.appeal_until) into v_until from conduct.decision_notice n where n.decision_id = p_decision;
	if v_until is not null then
		perform conduct_api_1.set_deadline(p_proceeding, 'appeal_window', v_until);
	end if;
end
$$;

-- Guards in the way ------------------------------------------------------------------------------

-- The last ballot of a proceeding on a motion that was counted and passed.
create or replace function conduct_api_1.passed_ballot(p_proceeding uuid, p_motions text[]) returns uuid
language plpgsql stable
as $$
begin
	return (select b.ballot_id from conduct.ballot b
		where b.proceeding_id = p_proceeding and b.motion = any (p_motions) and b.outcome = 'passed'
		order by b.closed_at desc, b.event_seq desc limit 1);
end
$$;

-- Seated long enough for the parties to challenge a member.
create or replace function conduct_api_1.panel_guard(p_row conduct.proceeding) returns text
language plpgsql stable
as $$
declare
	v_seats integer;
	v_named_at timestamptz;
begin
	select count(*), max(s.seated_at) into v_seats, v_named_at
	from conduct.panel n join conduct.panel_seat s on s.panel_id = n.panel_id and s.left_at is null
	where n.proceeding_id = p_row.proceeding_id;
	return case when v_seats = 0 then 'panel-formed'
		when v_named_at + conduct_api_1.limit_of('panel_named') > conduct.clock() then 'panel-named' end;
end
$$;

-- What a proposal waits for: a hearing that has ended, or a waiver that replaces one.
create or replace function conduct_api_1.hearing_guard(p_proceeding uuid) returns text
language plpgsql stable
as $$
declare
	v_until timestamptz;
begin
	if exists (select from conduct.waiver w
		where w.proceeding_id = p_proceeding and w.kind in ('unserved', 'none'))
	then
		return null;
	end if;
	select e.heard_until into v_until from conduct.hearing h
	join conduct.hearing_end e on e.hearing_id = h.hearing_id
	where h.proceeding_id = p_proceeding order by e.nth desc limit 1;
	return case when v_until is null then 'heard'
		when v_until > conduct.clock() then 'hearing-ended' end;
end
$$;

-- Unmet guards of the actions the actor could take on a proceeding: {action: [guards]}.
create or replace function conduct_api_1.blocked_on(p_row conduct.proceeding, p_allowed text[])
returns jsonb language plpgsql stable
as $$
declare
	v_accept text;
	v_panel text;
	v_severity integer;
begin
	if not p_allowed && array['accept', 'propose', 'decide', 'resolve_informally', 'accept_appeal',
		'decide_appeal', 'remand', 'take_up']
	then
		return '{}';
	end if;
	if 'resolve_informally' = any (p_allowed) then
		v_severity := conduct_api_1.severity_rank((conduct_api_1.current_case()).severity);
	end if;
	v_accept := (select case when b.accept_rule ->> 'rule' <> 'none'
			and conduct_api_1.passed_ballot(p_row.proceeding_id, array['accept', 'accept_appeal']) is null
			then 'acceptance-vote' end
		from conduct.body b where b.body_id = p_row.body_id);
	-- At the intake nothing else can be in the way.
	if p_row.kind = 'intake' then
		return case when v_accept is not null and 'accept' = any (p_allowed)
			then jsonb_build_object('accept', jsonb_build_array(v_accept)) else '{}' end;
	end if;
	if p_row.kind = 'appeal' then
		v_panel := conduct_api_1.panel_guard(p_row);
	end if;
	return coalesce((
		select jsonb_object_agg(g.action, g.guards)
		from (select b.action, jsonb_agg(b.guard order by b.guard) as guards
			from (select 'decide' as action, d as guard
				from unnest(case when 'decide' = any (p_allowed)
					then conduct_api_1.decide_guards(p_row) end) d
				union all values
				('accept', v_accept), ('accept_appeal', v_accept),
				('propose', case when 'propose' = any (p_allowed)
					then conduct_api_1.hearing_guard(p_row.proceeding_id) end),
				('resolve_informally', case when v_severity > 2 then 'advice-only' end),
				('decide_appeal', v_panel),
				('decide_appeal', case when 'decide_appeal' = any (p_allowed)
					and conduct_api_1.passed_ballot(p_row.proceeding_id, array['decide_appeal']) is null
					then 'tally' end),
				('decide_appeal', case when 'decide_appeal' = any (p_allowed)
					then conduct_api_1.join_guard(p_row) end),
				('remand', case when 'remand' = any (p_allowed) then conduct_api_1.remand_guard(p_row) end),
				('take_up', case when 'take_up' = any (p_allowed)
					and conduct_api_1.remand_guard(p_row) is null then 'remand-spent' end)
			) as b
			where b.guard is not null and b.action = any (p_allowed)
			group by b.action) g), '{}');
end
$$;

-- Parties and time set windows through the same helpers.
grant execute on function conduct_api_1.current_row(uuid), conduct_api_1.current_case(),
	conduct_api_1.severity_rank(text), conduct_api_1.set_window(uuid, uuid) to conduct_party, conduct_timer;

reset role;
reset search_path;
