-- Panels and votes: form_panel, put_to_vote, vote, close_vote. The roll is fixed when voting opens;
-- every change of a vote is kept; a ballot below quorum is never carried.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- The roll of a ballot: its electorate as it is now.
create or replace function conduct_api_1.draw_roll(p_ballot uuid, p_row conduct.proceeding) returns void
language plpgsql volatile
as $$
begin
	delete from conduct.ballot_voter v where v.ballot_id = p_ballot and v.case_id = p_row.case_id;
	insert into conduct.ballot_voter (ballot_id, case_id, instance, principal_id, person_id)
	select p_ballot, p_row.case_id, p_row.instance, e.principal_id, e.person_id
	from conduct_api_1.electorate(p_row) e;
end
$$;

-- Opens a ballot in the proceeding's present state. p_ballot carries motion, ballot_kind, rule, quorum,
-- reasons, event_seq and, for a proposal, the hearing or waiver it rests on.
create or replace function conduct_api_1.open_ballot(p_proceeding uuid, p_ballot conduct.ballot,
	p_has_roll boolean)
returns uuid language plpgsql volatile
as $$
declare
	v_row conduct.proceeding := conduct_api_1.current_row(p_proceeding);
	v_id uuid := gen_random_uuid();
begin
	insert into conduct.ballot (ballot_id, case_id, proceeding_id, proceeding_kind, instance, event_seq,
		ballot_kind, opened_in, motion, drafter, reasons_content, rule, quorum, opened_at, hearing_id,
		hearing_nth, heard_until, waiver_id)
	values (v_id, v_row.case_id, p_proceeding, v_row.kind, v_row.instance, p_ballot.event_seq,
		p_ballot.ballot_kind, v_row.state, p_ballot.motion, conduct.actor_person(), p_ballot.reasons_content,
		p_ballot.rule, p_ballot.quorum, conduct.clock(), p_ballot.hearing_id, p_ballot.hearing_nth,
		p_ballot.heard_until, p_ballot.waiver_id);
	if p_has_roll then
		perform conduct_api_1.draw_roll(v_id, v_row);
	end if;
	return v_id;
end
$$;

-- Panels -------------------------------------------------------------------------------------------

-- A reconsideration is heard by members who did not vote on what it is against, if they make quorum, else
-- with at least a third of such members.
create or replace function conduct_api_1.check_fresh_members(p_row conduct.proceeding, p_members uuid[])
returns void language plpgsql stable
as $$
declare
	v_voted uuid[] := array(select v.principal_id from conduct.vote v
		join conduct.decision d on d.ballot_id = v.ballot_id
		where d.decision_id = (conduct_api_1.object_of(p_row)).decision_id);
	v_fresh integer;
	v_new integer;
begin
	select count(*) into v_fresh
	from conduct_gate.active_members(p_row.body_id, p_row.case_id, p_row.instance) m
	where not m.principal_id = any (v_voted);
	select count(*) into v_new from unnest(p_members) m
	where not conduct_gate.principal_of(m) = any (v_voted);
	if v_new < (case when v_fresh >= conduct_api_1.quorum_of(p_row) then cardinality(p_members)
		else (cardinality(p_members) + 2) / 3 end)
	then
		perform conduct_api_1.refuse_guard('no-prior-decider');
	end if;
end
$$;

create or replace function conduct_api_1.check_panel(p_row conduct.proceeding, p_members uuid[],
	p_pointer text)
returns void language plpgsql stable
as $$
declare
	v_member record;
	v_role text := (select b.role from conduct.body b where b.body_id = p_row.body_id);
begin
	for v_member in select m, nth - 1 as nth, conduct_gate.principal_of(m) as principal
		from unnest(p_members) with ordinality as l (m, nth)
	loop
		if v_member.principal is null or not conduct_gate.has_role(v_member.m, v_role, p_row.body_id) then
			perform conduct_api_1.refuse_member(format('%s/%s', p_pointer, v_member.nth), 'unknown');
		end if;
		if conduct_gate.is_vote_recused(p_row.case_id, p_row.body_id, v_member.principal) then
			perform conduct_api_1.refuse_guard('not-recused');
		end if;
		if conduct_gate.is_barred(p_row.case_id, p_row.instance, v_member.principal) then
			perform conduct_api_1.refuse_guard('no-prior-decider');
		end if;
	end loop;
	if (select count(distinct conduct_gate.principal_of(m)) from unnest(p_members) m)
		-- A panel below the quorum could never decide.
		< greatest(conduct_api_1.panel_floor(p_row), conduct_api_1.quorum_of(p_row))
	then
		perform conduct_api_1.refuse_guard('panel-size');
	end if;
	if p_row.is_reconsideration then
		perform conduct_api_1.check_fresh_members(p_row, p_members);
	end if;
end
$$;

-- Seats exactly these members. Who stays keeps the time of their seat; a roll nobody has voted on is
-- drawn anew.
create or replace function conduct_api_1.seat_panel(p_row conduct.proceeding, p_members uuid[],
	p_pointer text)
returns void language plpgsql volatile
as $$
declare
	v_panel uuid;
	v_now timestamptz := conduct.clock();
	v_ballot uuid;
	v_member uuid;
begin
	perform conduct_api_1.check_panel(p_row, p_members, p_pointer);
	select b.ballot_id into v_ballot from conduct.ballot b
	where b.proceeding_id = p_row.proceeding_id and b.closed_at is null;
	if exists (select from conduct.vote v where v.ballot_id = v_ballot) then
		perform conduct_api_1.refuse_guard('open-ballot');
	end if;
	select n.panel_id into v_panel from conduct.panel n where n.proceeding_id = p_row.proceeding_id;
	if v_panel is null then
		v_panel := gen_random_uuid();
		insert into conduct.panel (panel_id, case_id, proceeding_id, instance, formed_at)
		values (v_panel, p_row.case_id, p_row.proceeding_id, p_row.instance, v_now);
	end if;
	update conduct.panel_seat s set left_at = v_now
	where s.panel_id = v_panel and s.left_at is null
		and not exists (select from unnest(p_members) m where conduct_gate.principal_of(m) = s.principal_id);
	foreach v_member in array p_members loop
		perform conduct_api_1.take_part_as(v_member, p_row.instance);
		insert into conduct.panel_seat (panel_id, case_id, instance, principal_id, person_id, seated_at)
		values (v_panel, p_row.case_id, p_row.instance, conduct_gate.principal_of(v_member), v_member, v_now)
		on conflict (panel_id, principal_id) do update set left_at = null,
			seated_at = case when panel_seat.left_at is null then panel_seat.seated_at else v_now end;
	end loop;
	if v_ballot is not null then
		perform conduct_api_1.draw_roll(v_ballot, p_row);
	end if;
end
$$;

-- The person ids of a list member of p_args.
create or replace function conduct_api_1.people_member(p_args jsonb, p_name text) returns uuid[]
language plpgsql stable
as $$
begin
	if jsonb_typeof(p_args -> p_name) is distinct from 'array' then
		perform conduct_api_1.refuse_member('/' || p_name, 'missing');
	end if;
	return array(select conduct_api_1.uuid_member(jsonb_build_object(p_name, x), p_name, true)
		from jsonb_array_elements(p_args -> p_name) with ordinality as l (x, nth) order by nth);
end
$$;

create or replace function conduct_api_1.case_form_panel(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'form_panel', p_args, p_word_ids, p_word_kinds, p_words);
	v_members uuid[];
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_members := conduct_api_1.people_member(p_args, 'members');
	perform conduct_api_1.seat_panel(conduct_api_1.current_row(v_act.proceeding_id), v_members, '/members');
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'form_panel', null, null,
		jsonb_build_object('members', to_jsonb(v_members)));
	perform conduct_api_1.send('panel', jsonb_build_object('proceeding', v_act.proceeding_id));
	return conduct_api_1.end_act(v_act);
end
$$;

-- Motions ------------------------------------------------------------------------------------------

-- How many must vote on acceptance: as many as the rule itself counts.
create or replace function conduct_api_1.acceptance_quorum(p_row conduct.proceeding, p_rule jsonb)
returns integer language plpgsql stable
as $$
declare
	v_active integer;
begin
	select count(*) into v_active from conduct_api_1.electorate(p_row);
	return case p_rule ->> 'rule'
		when 'fixed' then (p_rule ->> 'n')::integer
		when 'net' then case when coalesce((p_rule ->> 'or_majority')::boolean, false)
			then least((p_rule ->> 'n')::integer, v_active / 2 + 1) else (p_rule ->> 'n')::integer end
		when 'majority_of_voters' then (p_rule ->> 'voters')::integer
		else conduct_api_1.quorum_of(p_row) end;
end
$$;

-- The items of a decision that the open appeals against it name.
create or replace function conduct_api_1.appealed_items(p_row conduct.proceeding)
returns setof conduct.decision_item language plpgsql stable rows 8
as $$
begin
	return query
		select distinct i.* from conduct.proceeding a
		join conduct.appeal_item x on x.proceeding_id = a.proceeding_id
		join conduct.decision_item i on i.decision_id = x.decision_id and i.item = x.item
		where a.case_id = p_row.case_id and (a.against_id, a.against_seq) =
				(p_row.against_id, p_row.against_seq)
			and a.state in ('appeal_filed', 'appeal_review');
end
$$;

-- One outcome per appealed item. What was declined or dismissed is ratified here or remanded; to be harsher
-- needs notice and hearing, that is a remand.
create or replace function conduct_api_1.store_outcomes(p_ballot uuid, p_row conduct.proceeding,
	p_items jsonb)
returns void language plpgsql volatile
as $$
declare
	v_item record;
	v_on conduct.decision_item;
	v_pointer text;
begin
	for v_item in select x, nth from jsonb_array_elements(coalesce(p_items, '[]')) with ordinality as l (x, nth)
	loop
		v_pointer := format('/items/%s', v_item.nth - 1);
		select i.* into v_on from conduct_api_1.appealed_items(p_row) i
		where i.item::text = v_item.x ->> 'item';
		if v_on.item is null then
			perform conduct_api_1.refuse_member(v_pointer || '/item', 'unknown');
		end if;
		if coalesce(v_item.x ->> 'outcome', '') not in ('ratified', 'modified', 'overturned')
			or (v_item.x ->> 'outcome' <> 'ratified'
				and (v_on.kind = 'dismissal' or coalesce(v_on.met = 'not_met', false)))
		then
			perform conduct_api_1.refuse_member(v_pointer || '/outcome', 'not-allowed');
		end if;
		if v_item.x ? 'until' and v_on.until_at is not null
			and (v_item.x ->> 'until')::timestamptz > v_on.until_at
		then
			perform conduct_api_1.refuse_member(v_pointer || '/until', 'harsher');
		end if;
		insert into conduct.ballot_item (ballot_id, item, case_id, kind, respondent_id, sanction, scope,
			until_at, outcome, on_decision, on_item, text_content)
		values (p_ballot, v_item.nth, p_row.case_id, 'outcome', v_on.respondent_id, v_on.sanction,
			coalesce(v_item.x -> 'scope', v_on.scope),
			coalesce((v_item.x ->> 'until')::timestamptz, v_on.until_at), v_item.x ->> 'outcome',
			v_on.decision_id, v_on.item, conduct_api_1.uuid_member(v_item.x, 'text', false));
	end loop;
	if exists (select from conduct_api_1.appealed_items(p_row) i
		where not exists (select from conduct.ballot_item b where b.ballot_id = p_ballot
			and b.on_decision = i.decision_id and b.on_item = i.item))
		or exists (select from conduct.ballot_item b where b.ballot_id = p_ballot
			group by b.on_item having count(*) > 1)
	then
		perform conduct_api_1.refuse_member('/items', 'one-for-each-appealed');
	end if;
end
$$;

-- The ballot kind that fits a motion in a state; anything else is no motion of this stage.
create or replace function conduct_api_1.motion_kind(p_row conduct.proceeding, p_motion text) returns text
language plpgsql stable
as $$
declare
	v_kind text := case
		when p_motion = 'accept' and p_row.state = 'triage' then 'acceptance'
		when p_motion = 'accept_appeal' and p_row.state = 'appeal_filed' then 'acceptance'
		when p_motion in ('decide_appeal', 'remand', 'take_up') and p_row.state = 'appeal_review'
			then 'appeal' end;
begin
	if coalesce(p_motion, '') not in ('accept', 'accept_appeal', 'decide_appeal', 'remand', 'take_up') then
		perform conduct_api_1.refuse_member('/motion', 'unknown');
	end if;
	if v_kind is null then
		perform conduct_api_1.refuse(409, 'conduct-transition-illegal',
			jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
	end if;
	return v_kind;
end
$$;

create or replace function conduct_api_1.case_put_to_vote(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'put_to_vote', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_ballot conduct.ballot;
	v_body conduct.body;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	select * into strict v_body from conduct.body b where b.body_id = v_row.body_id;
	v_ballot.motion := p_args ->> 'motion';
	v_ballot.ballot_kind := conduct_api_1.motion_kind(v_row, v_ballot.motion);
	if exists (select from conduct.ballot b
		where b.proceeding_id = v_act.proceeding_id and b.closed_at is null)
	then
		perform conduct_api_1.refuse_guard('open-ballot');
	end if;
	v_ballot.reasons_content := conduct_api_1.uuid_member(p_args, 'reasons', true);
	if v_ballot.ballot_kind = 'acceptance' and v_body.accept_rule ->> 'rule' <> 'none' then
		v_ballot.rule := v_body.accept_rule;
		v_ballot.quorum := conduct_api_1.acceptance_quorum(v_row, v_ballot.rule);
	else
		v_ballot.rule := case when v_body.decide_rule ->> 'rule' in ('majority_of_active',
			'majority_of_voters') and conduct_api_1.panel_floor(v_row) > 1 then v_body.decide_rule
			else '{"rule": "majority"}' end;
		v_ballot.quorum := conduct_api_1.quorum_of(v_row);
	end if;
	v_ballot.event_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'put_to_vote', null,
		v_ballot.reasons_content, jsonb_build_object('motion', v_ballot.motion));
	v_ballot.ballot_id := conduct_api_1.open_ballot(v_act.proceeding_id, v_ballot, true);
	if v_ballot.motion = 'decide_appeal' then
		perform conduct_api_1.store_outcomes(v_ballot.ballot_id, v_row, p_args -> 'items');
	else
		insert into conduct.ballot_item (ballot_id, item, case_id, kind, text_content)
		values (v_ballot.ballot_id, 0, p_case, 'motion', v_ballot.reasons_content);
	end if;
	perform conduct_api_1.send('proposal', jsonb_build_object('proposal', v_ballot.ballot_id));
	return conduct_api_1.end_act(v_act, null, jsonb_build_object('proposal', v_ballot.ballot_id));
end
$$;

-- Voting -------------------------------------------------------------------------------------------

-- The ballot p_args names, of the proceeding aimed at.
create or replace function conduct_api_1.ballot_member(p_args jsonb, p_proceeding uuid)
returns conduct.ballot language plpgsql stable
as $$
declare
	v_ballot conduct.ballot;
begin
	select b.* into v_ballot from conduct.ballot b
	where b.ballot_id = conduct_api_1.uuid_member(p_args, 'proposal', true)
		and b.proceeding_id = p_proceeding;
	if v_ballot.ballot_id is null then
		perform conduct_api_1.refuse_member('/proposal', 'unknown');
	end if;
	return v_ballot;
end
$$;

create or replace function conduct_api_1.case_vote(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'vote', p_args, p_word_ids, p_word_kinds, p_words);
	v_ballot conduct.ballot;
	v_principal uuid;
	v_item integer;
	v_reason uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_ballot := conduct_api_1.ballot_member(p_args, v_act.proceeding_id);
	v_principal := conduct_gate.principal_of(conduct.actor_person());
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', false);
	if coalesce(p_args ->> 'vote', '') not in ('support', 'oppose', 'abstain', 'recuse') then
		perform conduct_api_1.refuse_member('/vote', 'unknown');
	end if;
	select i.item into v_item from conduct.ballot_item i
	where i.ballot_id = v_ballot.ballot_id and i.item::text = p_args ->> 'item';
	if v_item is null then
		perform conduct_api_1.refuse_member('/item', 'unknown');
	end if;
	if v_ballot.closed_at is not null then
		perform conduct_api_1.refuse_guard('open-ballot');
	end if;
	if not exists (select from conduct.ballot_voter v where v.ballot_id = v_ballot.ballot_id
		and v.principal_id = v_principal and v.recused_at is null)
	then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'vote', null, v_reason,
		jsonb_build_object('proposal', v_ballot.ballot_id, 'item', v_item));
	insert into conduct.vote (ballot_id, item, principal_id, seq, case_id, instance, vote, reason_content, at)
	values (v_ballot.ballot_id, v_item, v_principal, 1 + coalesce((select max(v.seq) from conduct.vote v
			where v.ballot_id = v_ballot.ballot_id and v.item = v_item and v.principal_id = v_principal), 0),
		p_case, v_ballot.instance, p_args ->> 'vote', v_reason, conduct.clock());
	if p_args ->> 'vote' = 'recuse' then
		perform conduct_api_1.recuse_actor('full', v_reason);
	end if;
	return conduct_api_1.end_act(v_act);
end
$$;

-- What the count makes of a ballot. Below quorum with everybody's vote in, it lapses. A failing item just
-- falls: a proposal stands while an item does, where it promises a sanction one with a finding; an appeal's
-- outcomes stand once counted, for what does not pass leaves the decision as it was.
create or replace function conduct_api_1.outcome_of(p_ballot conduct.ballot) returns text
language plpgsql stable
as $$
begin
	if exists (select from conduct.tally t
		where t.ballot_id = p_ballot.ballot_id and t.voters < p_ballot.quorum)
	then
		return 'lapsed';
	end if;
	if p_ballot.motion = 'decide_appeal' then
		return 'passed';
	end if;
	if not exists (select from conduct.tally t where t.ballot_id = p_ballot.ballot_id and t.has_passed)
		or (exists (select from conduct.ballot_disposition d
				where d.ballot_id = p_ballot.ballot_id and d.disposition = 'sanction')
			and 2 > (select count(distinct i.kind) from conduct.tally t
				join conduct.ballot_item i on i.ballot_id = t.ballot_id and i.item = t.item
				where t.ballot_id = p_ballot.ballot_id and t.has_passed
					and (i.kind = 'sanction' or i.met = 'met')))
	then
		return 'failed';
	end if;
	return 'passed';
end
$$;

create or replace function conduct_api_1.case_close_vote(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'close_vote', p_args, p_word_ids, p_word_kinds, p_words);
	v_ballot conduct.ballot;
	v_item integer;
	v_count record;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_ballot := conduct_api_1.ballot_member(p_args, v_act.proceeding_id);
	if v_ballot.closed_at is not null then
		perform conduct_api_1.refuse_guard('open-ballot');
	end if;
	if v_ballot.rule ->> 'rule' in ('single', 'two_staff') then
		perform conduct_api_1.refuse_guard('quorum');
	end if;
	for v_item in select i.item from conduct.ballot_item i
		where i.ballot_id = v_ballot.ballot_id order by i.item
	loop
		select * into v_count from conduct_gate.count_votes(v_ballot.ballot_id, v_item);
		if v_count.voters < v_ballot.quorum and v_count.voters < v_count.active then
			perform conduct_api_1.refuse_guard('quorum');
		end if;
		insert into conduct.tally (ballot_id, item, case_id, active, voters, support, oppose, abstain, quorum,
			has_passed)
		values (v_ballot.ballot_id, v_item, p_case, v_count.active, v_count.voters, v_count.support,
			v_count.oppose, v_count.abstain, v_ballot.quorum,
			conduct_gate.item_passes(v_ballot.rule, v_ballot.quorum, v_count.active::integer,
				v_count.support::integer, v_count.oppose::integer, v_count.abstain::integer));
	end loop;
	update conduct.ballot b set closed_at = conduct.clock(), outcome = conduct_api_1.outcome_of(v_ballot)
	where b.ballot_id = v_ballot.ballot_id returning b.* into v_ballot;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'close_vote', null, null,
		jsonb_build_object('proposal', v_ballot.ballot_id, 'outcome', v_ballot.outcome));
	perform conduct_api_1.send('ballot', jsonb_build_object('proposal', v_ballot.ballot_id,
		'outcome', v_ballot.outcome));
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
