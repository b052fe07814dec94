-- The decision of a matter: propose and decide, with what both need to know of items, caps and notices.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- A sanction of the case's profile; null where there is none of that id.
create or replace function conduct_api_1.sanction_rule(p_sanction text) returns jsonb
language plpgsql stable
as $$
begin
	return (select s from conduct.profile f, jsonb_array_elements(f.sanctions) s
		where f.profile = (conduct_api_1.current_case()).profile and s ->> 'id' = p_sanction);
end
$$;

-- Longer than one functionary alone may impose; indefinite is longer than every cap.
create or replace function conduct_api_1.is_over_cap(p_sanction text, p_until timestamptz) returns boolean
language plpgsql stable
as $$
declare
	v_cap bigint := (conduct_api_1.sanction_rule(p_sanction) ->> 'local_cap')::bigint;
begin
	return v_cap is not null
		and coalesce(p_until > conduct.clock() + v_cap * interval '1 second', true);
end
$$;

create or replace function conduct_api_1.check_proposal_item(p_row conduct.proceeding, p_item jsonb,
	p_pointer text)
returns void language plpgsql stable
as $$
begin
	if coalesce(p_item ->> 'kind', '') not in ('principle', 'finding', 'sanction') then
		perform conduct_api_1.refuse_member(p_pointer || '/kind', 'unknown');
	end if;
	if p_item ? 'respondent' and lower(p_item ->> 'respondent') is distinct from p_row.respondent_id::text then
		perform conduct_api_1.refuse_member(p_pointer || '/respondent', 'of-another-matter');
	end if;
	if p_item ->> 'kind' = 'finding' then
		if not exists (select from conduct.allegation a where a.proceeding_id = p_row.proceeding_id
			and a.allegation_id::text = lower(p_item ->> 'allegation'))
		then
			perform conduct_api_1.refuse_member(p_pointer || '/allegation', 'unknown');
		end if;
		if coalesce(p_item ->> 'met', '') not in ('met', 'not_met', 'undetermined') then
			perform conduct_api_1.refuse_member(p_pointer || '/met', 'unknown');
		end if;
	elsif p_item ? 'met' then
		perform conduct_api_1.refuse_member(p_pointer || '/met', 'not-allowed');
	end if;
	if p_item ->> 'kind' = 'sanction' then
		if conduct_api_1.sanction_rule(p_item ->> 'sanction') is null then
			perform conduct_api_1.refuse_member(p_pointer || '/sanction', 'unknown');
		end if;
		if (p_item ->> 'until')::timestamptz <= conduct.clock() then
			perform conduct_api_1.refuse_member(p_pointer || '/until', 'past');
		end if;
	end if;
end
$$;

-- The whole proposal: sound items, exactly one disposition for the matter's respondent, a sanction where
-- and only where the disposition says so.
create or replace function conduct_api_1.check_proposal(p_row conduct.proceeding, p_args jsonb)
returns void language plpgsql stable
as $$
declare
	v_item record;
	v_disposition jsonb := p_args #> '{dispositions,0}';
begin
	if jsonb_typeof(p_args -> 'items') is distinct from 'array' or p_args -> 'items' = '[]' then
		perform conduct_api_1.refuse_member('/items', 'missing');
	end if;
	for v_item in select x, nth - 1 as nth
		from jsonb_array_elements(p_args -> 'items') with ordinality as l (x, nth)
	loop
		perform conduct_api_1.check_proposal_item(p_row, v_item.x, format('/items/%s', v_item.nth));
	end loop;
	if jsonb_typeof(p_args -> 'dispositions') is distinct from 'array'
		or jsonb_array_length(p_args -> 'dispositions') <> 1
	then
		perform conduct_api_1.refuse_member('/dispositions', 'exactly-one');
	end if;
	if lower(v_disposition ->> 'respondent') is distinct from p_row.respondent_id::text then
		perform conduct_api_1.refuse_member('/dispositions/0/respondent', 'of-another-matter');
	end if;
	if coalesce(v_disposition ->> 'disposition', '') not in ('no_violation', 'no_sanction', 'advised',
		'sanction')
	then
		perform conduct_api_1.refuse_member('/dispositions/0/disposition', 'unknown');
	end if;
	if (v_disposition ->> 'disposition' = 'sanction') <> exists (
		select from jsonb_array_elements(p_args -> 'items') x
		where x ->> 'kind' = 'sanction' and x ->> 'sanction' <> 'advice')
	then
		perform conduct_api_1.refuse_member('/dispositions/0/disposition', 'disagrees-with-items');
	end if;
	-- Nothing is imposed without a finding, and a finding is a violation.
	if coalesce(v_disposition ->> 'disposition' = case when exists (
			select from jsonb_array_elements(p_args -> 'items') x where x ->> 'met' = 'met')
		then 'no_violation' else 'sanction' end, false)
	then
		perform conduct_api_1.refuse_member('/dispositions/0/disposition', 'disagrees-with-findings');
	end if;
end
$$;

create or replace function conduct_api_1.store_proposal_items(p_ballot uuid, p_row conduct.proceeding,
	p_args jsonb)
returns void language plpgsql volatile
as $$
begin
	insert into conduct.ballot_item (ballot_id, item, case_id, kind, respondent_id, allegation_id, met,
		sanction, scope, until_at, evidence, text_content)
	select p_ballot, nth, p_row.case_id, x ->> 'kind',
		case when x ->> 'kind' = 'principle' then null else p_row.respondent_id end,
		(x ->> 'allegation')::uuid, x ->> 'met', x ->> 'sanction', x -> 'scope',
		(x ->> 'until')::timestamptz, coalesce(x -> 'evidence', '[]'),
		conduct_api_1.uuid_member(x, 'text', false)
	from jsonb_array_elements(p_args -> 'items') with ordinality as l (x, nth);
	insert into conduct.ballot_disposition (ballot_id, case_id, respondent_id, disposition)
	values (p_ballot, p_row.case_id, p_row.respondent_id, p_args #>> '{dispositions,0,disposition}');
end
$$;

-- How this proposal will be decided: alone only within what one person may do, and where no panel sits.
create or replace function conduct_api_1.proposal_mode(p_row conduct.proceeding, p_args jsonb) returns text
language plpgsql stable
as $$
declare
	v_mode text := conduct_api_1.decision_mode(p_row);
begin
	if v_mode = 'single' and (exists (select from jsonb_array_elements(p_args -> 'items') x
			where x ->> 'kind' = 'sanction'
				and conduct_api_1.is_over_cap(x ->> 'sanction', (x ->> 'until')::timestamptz))
		or exists (select from conduct.panel n join conduct.panel_seat s on s.panel_id = n.panel_id
			where n.proceeding_id = p_row.proceeding_id and s.left_at is null))
	then
		return 'panel';
	end if;
	return v_mode;
end
$$;

create or replace function conduct_api_1.case_propose(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'propose', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_mode text;
	v_guard text;
	v_ballot conduct.ballot;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	perform conduct_api_1.check_proposal(v_row, p_args);
	v_guard := conduct_api_1.hearing_guard(v_act.proceeding_id);
	if v_guard is not null then
		perform conduct_api_1.refuse_guard(v_guard);
	end if;
	v_mode := conduct_api_1.proposal_mode(v_row, p_args);
	v_ballot.motion := 'propose';
	v_ballot.ballot_kind := 'proposal';
	v_ballot.reasons_content := conduct_api_1.uuid_member(p_args, 'reasons', true);
	v_ballot.quorum := case v_mode when 'single' then 1 when 'two_staff' then 2
		else conduct_api_1.quorum_of(v_row) end;
	v_ballot.rule := case v_mode when 'single' then '{"rule": "single"}'::jsonb
		else (select b.decide_rule from conduct.body b where b.body_id = v_row.body_id) end;
	select w.waiver_id into v_ballot.waiver_id from conduct.waiver w
	where w.proceeding_id = v_act.proceeding_id and w.kind in ('unserved', 'none')
	order by w.at desc limit 1;
	if v_ballot.waiver_id is null then
		select h.hearing_id, h.nth, h.heard_until
		into v_ballot.hearing_id, v_ballot.hearing_nth, v_ballot.heard_until
		from conduct_api_1.hearing_of(v_act.proceeding_id) h;
	end if;
	v_ballot.event_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'propose', null,
		v_ballot.reasons_content);
	v_ballot.ballot_id := conduct_api_1.open_ballot(v_act.proceeding_id, v_ballot, v_mode = 'panel');
	perform conduct_api_1.store_proposal_items(v_ballot.ballot_id, v_row, p_args);
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	perform conduct_api_1.set_deadline(v_act.proceeding_id, 'decide', conduct.clock()
		+ conduct_api_1.limit_of(case v_mode when 'single' then 'decide_single' else 'decide_panel' end));
	perform conduct_api_1.send('proposal', jsonb_build_object('proposal', v_ballot.ballot_id));
	return conduct_api_1.end_act(v_act, null, jsonb_build_object('proposal', v_ballot.ballot_id));
end
$$;

-- Deciding -------------------------------------------------------------------------------------------

create or replace function conduct_api_1.last_proposal(p_matter uuid) returns conduct.ballot
language plpgsql stable
as $$
declare
	v_ballot conduct.ballot;
begin
	select b.* into v_ballot from conduct.ballot b
	where b.proceeding_id = p_matter and b.motion = 'propose' order by b.event_seq desc limit 1;
	return v_ballot;
end
$$;

-- What stands in the way of deciding the last proposal of a matter, the first to be named first.
create or replace function conduct_api_1.decide_guards(p_row conduct.proceeding) returns text[]
language plpgsql stable
as $$
declare
	v_ballot conduct.ballot := conduct_api_1.last_proposal(p_row.proceeding_id);
	v_panel text;
begin
	if v_ballot.rule ->> 'rule' = 'two_staff' then
		return '{}';
	end if;
	if v_ballot.rule ->> 'rule' = 'single' then
		return case when conduct_api_1.decision_mode(p_row) <> 'single' or exists (
				select from conduct.ballot_item i
				where i.ballot_id = v_ballot.ballot_id and i.kind = 'sanction'
					and conduct_api_1.is_over_cap(i.sanction, i.until_at))
			then array['single-decider'] else '{}' end;
	end if;
	v_panel := conduct_api_1.panel_guard(p_row);
	if v_panel = 'panel-formed' and exists (select from conduct.body b
		where b.body_id = p_row.body_id and b.decides = 'single')
	then
		v_panel := 'single-decider';
	end if;
	return array_remove(array[v_panel,
		case when v_ballot.outcome is distinct from 'passed' then 'tally' end], null);
end
$$;

-- The notices of a decision: known parties, nobody else's respondent, and each party that must be told.
create or replace function conduct_api_1.check_notices(p_args jsonb, p_must uuid[], p_respondent uuid)
returns void language plpgsql stable
as $$
declare
	v_notice record;
	v_missing uuid;
begin
	if jsonb_typeof(p_args -> 'notices') is distinct from 'array' then
		perform conduct_api_1.refuse_member('/notices', 'missing');
	end if;
	for v_notice in select x, nth - 1 as nth
		from jsonb_array_elements(p_args -> 'notices') with ordinality as l (x, nth)
	loop
		if not exists (select from conduct.party y
			where y.case_id = conduct.opened_case() and y.party_id::text = lower(v_notice.x ->> 'party')
				and (y.role in ('reporter', 'target') or y.party_id = p_respondent
					or y.party_id = any (p_must)))
		then
			perform conduct_api_1.refuse_member(format('/notices/%s/party', v_notice.nth), 'unknown');
		end if;
		perform conduct_api_1.uuid_member(v_notice.x, 'text', true);
	end loop;
	select m into v_missing from unnest(p_must) m
	where not exists (select from jsonb_array_elements(p_args -> 'notices') x
		where lower(x ->> 'party') = m::text) limit 1;
	if v_missing is not null then
		perform conduct_api_1.refuse_member('/notices', 'missing-for-' || v_missing);
	end if;
end
$$;

create or replace function conduct_api_1.reporters() returns uuid[]
language plpgsql stable
as $$
begin
	return array(select y.party_id from conduct.party y
		where y.case_id = conduct.opened_case() and y.role = 'reporter' and y.withdrew_at is null
		order by y.seq);
end
$$;

create or replace function conduct_api_1.tell_all(p_decision uuid, p_args jsonb, p_until timestamptz)
returns void language plpgsql volatile
as $$
declare
	v_notice jsonb;
	v_target uuid;
begin
	for v_notice in select x from jsonb_array_elements(p_args -> 'notices') x
	loop
		perform conduct_api_1.tell(p_decision, (v_notice ->> 'party')::uuid, (v_notice ->> 'text')::uuid,
			coalesce(v_notice ->> 'lang', (conduct_api_1.current_case()).lang), p_until);
	end loop;
	-- A target that was contacted may appeal, told in words or not.
	for v_target in select y.party_id from conduct.party y
		where y.case_id = conduct.opened_case() and y.role = 'target' and y.notified_at is not null
	loop
		perform conduct_api_1.tell(p_decision, v_target, null, (conduct_api_1.current_case()).lang, p_until);
	end loop;
end
$$;

-- Makes a proposal the decision of its matter: items with what the count made of them, the disposition,
-- sanctions in force.
create or replace function conduct_api_1.store_decision(p_row conduct.proceeding, p_seq integer,
	p_ballot conduct.ballot, p_second uuid)
returns uuid language plpgsql volatile
as $$
declare
	v_decision uuid := gen_random_uuid();
	v_now timestamptz := conduct.clock();
	v_outcome text;
	v_voters integer;
begin
	select d.disposition into strict v_outcome from conduct.ballot_disposition d
	where d.ballot_id = p_ballot.ballot_id;
	v_voters := coalesce((select max(t.voters) from conduct.tally t where t.ballot_id = p_ballot.ballot_id),
		p_ballot.quorum);
	insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq, instance,
		body_id, kind, ballot_id, decider, second_person, voters, quorum, reasons_content, outcome, at)
	values (v_decision, p_row.case_id, p_row.proceeding_id, p_row.kind, p_seq, p_row.instance,
		p_row.body_id, 'decide', p_ballot.ballot_id,
		case when p_ballot.rule ->> 'rule' in ('single', 'two_staff') then conduct.actor_person() end,
		p_second, v_voters, p_ballot.quorum, p_ballot.reasons_content, v_outcome, v_now);
	insert into conduct.decision_item (decision_id, item, case_id, kind, respondent_id, allegation_id, met,
		sanction, scope, until_at, has_passed, text_content)
	select v_decision, i.item, i.case_id, i.kind, i.respondent_id, i.allegation_id, i.met, i.sanction,
		i.scope, i.until_at, coalesce(t.has_passed, p_ballot.rule ->> 'rule' in ('single', 'two_staff')),
		i.text_content
	from conduct.ballot_item i
	left join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
	where i.ballot_id = p_ballot.ballot_id;
	insert into conduct.sanction (sanction_id, case_id, decision_id, item, respondent_id, kind, scope,
		from_at, until_at, standing)
	select gen_random_uuid(), i.case_id, v_decision, i.item, i.respondent_id,
		coalesce(conduct_api_1.sanction_rule(i.sanction) ->> 'kind', i.sanction), i.scope, v_now, i.until_at,
		'active'
	from conduct.decision_item i
	where i.decision_id = v_decision and i.kind = 'sanction' and i.has_passed;
	insert into conduct.disposition (proceeding_id, case_id, respondent_id, disposition, decision_id, at)
	values (p_row.proceeding_id, p_row.case_id, p_row.respondent_id, v_outcome, v_decision, v_now)
	on conflict (proceeding_id) do update set disposition = excluded.disposition,
		decision_id = excluded.decision_id, at = excluded.at;
	return v_decision;
end
$$;

-- Who was never served may appeal while a sanction lasts.
create or replace function conduct_api_1.keep_window_of_unserved(p_row conduct.proceeding, p_decision uuid)
returns void language plpgsql volatile
as $$
begin
	update conduct.decision_notice n
	set appeal_until = greatest(n.appeal_until, (select max(coalesce(s.until_at, 'infinity'))
		from conduct.sanction s where s.decision_id = p_decision and s.standing = 'active'))
	where n.decision_id = p_decision and n.party_id = p_row.respondent_id
		and exists (select from conduct.waiver w
			where w.proceeding_id = p_row.proceeding_id and w.kind = 'unserved');
end
$$;

create or replace function conduct_api_1.case_decide(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'decide', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_ballot conduct.ballot;
	v_guards text[];
	v_rule text;
	v_first uuid;
	v_pending uuid;
	v_seq integer;
	v_decision uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_ballot := conduct_api_1.last_proposal(v_act.proceeding_id);
	v_rule := v_ballot.rule ->> 'rule';
	if conduct_api_1.uuid_member(p_args, 'proposal', true) is distinct from v_ballot.ballot_id then
		perform conduct_api_1.refuse_member('/proposal', 'unknown');
	end if;
	perform conduct_api_1.check_notices(p_args, conduct_api_1.reporters() || v_row.respondent_id,
		v_row.respondent_id);
	v_guards := conduct_api_1.decide_guards(v_row);
	if cardinality(v_guards) > 0 then
		perform conduct_api_1.refuse_guard(v_guards[1]);
	end if;
	if v_rule = 'two_staff' then
		select a.pending, a.first_person into v_pending, v_first
		from conduct_api_1.await_second(v_act.proceeding_id, 'decide', p_args - 'notices') a;
		if v_pending is not null then
			return conduct_api_1.end_act(v_act, v_pending);
		end if;
		perform conduct_api_1.take_part_as(v_first, v_row.instance);
	elsif v_rule <> 'single' and not 'panel' = any (conduct_api_1.roles_on(v_row)) then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	if v_rule in ('single', 'two_staff') then
		update conduct.ballot b set closed_at = conduct.clock(), outcome = 'passed'
		where b.ballot_id = v_ballot.ballot_id and b.closed_at is null;
	end if;
	v_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'decide', null, null,
		jsonb_build_object('proposal', v_ballot.ballot_id),
		case v_rule when 'single' then 'functionary' when 'two_staff' then 'ts_staff' else 'panel' end);
	v_decision := conduct_api_1.store_decision(v_row, v_seq, v_ballot, v_first);
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	perform conduct_api_1.tell_all(v_decision, p_args,
		conduct.clock() + conduct_api_1.window_of(v_row.body_id));
	perform conduct_api_1.keep_window_of_unserved(v_row, v_decision);
	perform conduct_api_1.set_window(v_act.proceeding_id, v_decision);
	perform conduct_api_1.send('decision', jsonb_build_object('decision', v_decision));
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
