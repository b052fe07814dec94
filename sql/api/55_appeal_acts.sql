-- Appeals: accept_appeal, decline_appeal, decide_appeal. Open appeals against one object end together, in
-- one act, by one panel.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- Joined appeals ---------------------------------------------------------------------------------

-- Open appeals against the same object, the given one first.
create or replace function conduct_api_1.joined_appeals(p_row conduct.proceeding) returns uuid[]
language plpgsql stable
as $$
begin
	return array(select a.proceeding_id from conduct.proceeding a
		where a.case_id = p_row.case_id and a.kind = 'appeal'
			and (a.against_id, a.against_seq) = (p_row.against_id, p_row.against_seq)
			and a.state in ('appeal_filed', 'appeal_review')
		order by (a.proceeding_id = p_row.proceeding_id) desc, a.proceeding_id);
end
$$;

-- A party that may still appeal against the same object, and has not: it was affected, and its time to
-- join, a week at least since the first appeal, is not past.
create or replace function conduct_api_1.may_still_join(p_row conduct.proceeding) returns boolean
language plpgsql stable
as $$
declare
	v_object conduct.decision := conduct_api_1.object_of(p_row);
	v_week timestamptz;
begin
	select min(a.opened_at) + conduct_api_1.limit_of('join_appeal') into v_week
	from conduct.proceeding a
	where a.case_id = p_row.case_id and (a.against_id, a.against_seq) =
		(p_row.against_id, p_row.against_seq);
	return exists (
		select from conduct.decision_notice n join conduct.party y on y.party_id = n.party_id
		where n.decision_id = v_object.decision_id and n.appeal_until is not null
			and greatest(n.appeal_until, v_week) > conduct.clock()
			and (y.role = 'respondent' or v_object.kind in ('decide_appeal', 'record')
				or v_object.outcome in ('declined', 'dismissed', 'no_violation', 'sanction'))
			and not exists (select from conduct.proceeding a
				where a.case_id = p_row.case_id and a.appellant_id = n.party_id
					and (a.against_id, a.against_seq) = (p_row.against_id, p_row.against_seq)));
end
$$;

create or replace function conduct_api_1.join_guard(p_row conduct.proceeding) returns text
language plpgsql stable
as $$
begin
	if exists (select from unnest(conduct_api_1.joined_appeals(p_row)) j
			join conduct.proceeding a on a.proceeding_id = j where a.state = 'appeal_filed')
		or conduct_api_1.may_still_join(p_row)
	then
		return 'joined-appeals';
	end if;
	return null;
end
$$;

-- The intake or matter at the bottom of a chain of appeals.
create or replace function conduct_api_1.root_of(p_row conduct.proceeding) returns conduct.proceeding
language plpgsql stable
as $$
declare
	v_row conduct.proceeding := p_row;
begin
	while v_row.kind = 'appeal' loop
		v_row := conduct_api_1.current_row(v_row.against_id);
	end loop;
	return v_row;
end
$$;

-- Hearing an appeal ------------------------------------------------------------------------------

create or replace function conduct_api_1.case_accept_appeal(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'accept_appeal', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_proposal uuid;
	v_proceeding uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_proposal := conduct_api_1.uuid_member(p_args, 'proposal', false);
	foreach v_proceeding in array v_act.proceedings loop
		v_row := conduct_api_1.current_row(v_proceeding);
		-- An appeal joins one that is heard already without another vote.
		if exists (select from conduct.body b where b.body_id = v_row.body_id
				and b.accept_rule ->> 'rule' <> 'none')
			and not exists (select from conduct.ballot b
				where b.ballot_id = v_proposal
					and b.proceeding_id = any (conduct_api_1.joined_appeals(v_row))
					and b.motion = 'accept_appeal' and b.outcome = 'passed')
			and not exists (select from unnest(conduct_api_1.joined_appeals(v_row)) j
				join conduct.proceeding a on a.proceeding_id = j where a.state = 'appeal_review')
		then
			perform conduct_api_1.refuse_guard('acceptance-vote');
		end if;
		perform conduct_api_1.move(v_act.act_id, v_proceeding, 'accept_appeal');
		if p_args ? 'panel' then
			perform conduct_api_1.seat_panel(conduct_api_1.current_row(v_proceeding),
				conduct_api_1.people_member(p_args, 'panel'), '/panel');
		end if;
		update conduct.ballot b set closed_at = conduct.clock(), outcome = 'lapsed'
		where b.proceeding_id = v_proceeding and b.closed_at is null;
		perform conduct_api_1.void_deadlines(v_proceeding);
		perform conduct_api_1.set_deadline(v_proceeding, 'decide_appeal',
			conduct.clock() + conduct_api_1.limit_of('decide_appeal'));
		perform conduct_api_1.send('state');
	end loop;
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_decline_appeal(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'decline_appeal', p_args, p_word_ids, p_word_kinds, p_words);
	v_reason uuid;
	v_row conduct.proceeding;
	v_proceeding uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	if coalesce(octet_length(p_args ->> 'reason_code'), 0) not between 1 and 40 then
		perform conduct_api_1.refuse_member('/reason_code', 'missing');
	end if;
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	foreach v_proceeding in array v_act.proceedings loop
		v_row := conduct_api_1.current_row(v_proceeding);
		perform conduct_api_1.move(v_act.act_id, v_proceeding, 'decline_appeal', null, v_reason,
			jsonb_build_object('reason_code', p_args ->> 'reason_code'));
		update conduct.ballot b set closed_at = conduct.clock(), outcome = 'lapsed'
		where b.proceeding_id = v_proceeding and b.closed_at is null;
		perform conduct_api_1.void_deadlines(v_proceeding);
		insert into conduct.message (message_id, case_id, channel, party_id, author_person, text_content, at)
		select gen_random_uuid(), p_case,
			case y.role when 'respondent' then 'respondent' else 'reporter' end, y.party_id,
			conduct.actor_person(), v_reason, conduct.clock()
		from conduct.party y where y.party_id = v_row.appellant_id;
		perform conduct_api_1.send('state');
	end loop;
	return conduct_api_1.end_act(v_act);
end
$$;

-- Deciding an appeal -----------------------------------------------------------------------------

-- Until when an appeal's decision may itself be appealed: where a higher instance is, or once before the
-- same high-level body, which then reconsiders.
create or replace function conduct_api_1.further_window(p_row conduct.proceeding) returns timestamptz
language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	select * into strict v_body from conduct.body b where b.body_id = p_row.body_id;
	if p_row.is_reconsideration
		or (v_body.appeal_body_id is null and not v_body.high_level)
		or ((v_body.high_level or v_body.appeal_body_id in ('self', v_body.body_id))
			and exists (select from conduct.proceeding a
				where a.case_id = p_row.case_id and a.kind = 'appeal' and a.is_reconsideration
					and (conduct_api_1.root_of(a)).respondent_id
						is not distinct from (conduct_api_1.root_of(p_row)).respondent_id))
	then
		return null;
	end if;
	return conduct.clock() + conduct_api_1.window_of(p_row.body_id);
end
$$;

-- The item of a first decision at the bottom of a chain of outcomes on outcomes.
create or replace function conduct_api_1.root_item(p_decision uuid, p_item integer)
returns conduct.decision_item language plpgsql stable
as $$
declare
	v_item conduct.decision_item;
begin
	select * into strict v_item from conduct.decision_item i
	where i.decision_id = p_decision and i.item = p_item;
	while v_item.on_decision is not null loop
		select i.* into strict v_item from conduct.decision_item i
		where i.decision_id = v_item.on_decision and i.item = v_item.on_item;
	end loop;
	return v_item;
end
$$;

-- One appeal's decision: its outcomes as the count made them; what did not pass stands.
create or replace function conduct_api_1.store_appeal_decision(p_appeal uuid, p_seq integer,
	p_ballot conduct.ballot)
returns uuid language plpgsql volatile
as $$
declare
	v_row conduct.proceeding := conduct_api_1.current_row(p_appeal);
	v_decision uuid := gen_random_uuid();
	v_outcome text;
begin
	select case when bool_or(t.has_passed and i.outcome = 'overturned') then 'overturned'
		when bool_or(t.has_passed and i.outcome = 'modified') then 'modified' else 'ratified' end
	into v_outcome
	from conduct.ballot_item i join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
	join conduct.appeal_item x on x.proceeding_id = p_appeal
		and x.decision_id = i.on_decision and x.item = i.on_item
	where i.ballot_id = p_ballot.ballot_id;
	insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq, instance,
		body_id, kind, ballot_id, voters, quorum, reasons_content, outcome, at)
	values (v_decision, v_row.case_id, p_appeal, 'appeal', p_seq, v_row.instance, v_row.body_id,
		'decide_appeal', p_ballot.ballot_id,
		(select max(t.voters) from conduct.tally t where t.ballot_id = p_ballot.ballot_id), p_ballot.quorum,
		p_ballot.reasons_content, v_outcome, conduct.clock());
	insert into conduct.decision_item (decision_id, item, case_id, kind, respondent_id, sanction, scope,
		until_at, outcome, on_decision, on_item, has_passed, text_content)
	select v_decision, i.item, i.case_id, 'outcome', i.respondent_id, i.sanction, i.scope, i.until_at,
		i.outcome, i.on_decision, i.on_item, t.has_passed, i.text_content
	from conduct.ballot_item i join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
	join conduct.appeal_item x on x.proceeding_id = p_appeal
		and x.decision_id = i.on_decision and x.item = i.on_item
	where i.ballot_id = p_ballot.ballot_id;
	return v_decision;
end
$$;

-- What passed takes effect once: a sanction overturned is lifted, one modified is superseded by a milder;
-- without a finding that stands there is no violation, and no sanction.
create or replace function conduct_api_1.apply_outcomes(p_row conduct.proceeding, p_ballot conduct.ballot,
	p_decisions uuid[])
returns void language plpgsql volatile
as $$
declare
	v_root conduct.proceeding := conduct_api_1.root_of(p_row);
	v_item conduct.decision_item;
	v_on conduct.decision_item;
	v_overturned integer[] := '{}';
	v_first uuid;
begin
	for v_item in select distinct on (i.on_decision, i.on_item) i.* from conduct.decision_item i
		where i.decision_id = any (p_decisions) and i.has_passed and i.outcome in ('modified', 'overturned')
		order by i.on_decision, i.on_item, array_position(p_decisions, i.decision_id)
	loop
		v_on := conduct_api_1.root_item(v_item.on_decision, v_item.on_item);
		v_first := v_on.decision_id;
		if v_item.outcome = 'overturned' then
			v_overturned := v_overturned || v_on.item;
		end if;
		if v_on.kind = 'sanction' and v_item.outcome = 'modified' then
			insert into conduct.sanction (sanction_id, case_id, decision_id, item, respondent_id, kind, scope,
				from_at, until_at, standing)
			select gen_random_uuid(), s.case_id, v_item.decision_id, v_item.item, s.respondent_id, s.kind,
				v_item.scope, s.from_at, v_item.until_at, 'active'
			from conduct.sanction s
			where s.decision_id = v_on.decision_id and s.item = v_on.item and s.standing in ('active', 'stayed');
		end if;
		update conduct.sanction s set standing =
			case v_item.outcome when 'modified' then 'superseded' else 'lifted' end
		where s.decision_id = v_on.decision_id and s.item = v_on.item and s.standing in ('active', 'stayed');
	end loop;
	if v_first is null or v_root.kind <> 'matter' then
		return;
	end if;
	if exists (select from conduct.decision_item i
			where i.decision_id = v_first and i.has_passed and i.met = 'met' and i.item = any (v_overturned))
		and not exists (select from conduct.decision_item i
			where i.decision_id = v_first and i.has_passed and i.met = 'met'
				and not i.item = any (v_overturned))
	then
		update conduct.sanction s set standing = 'lifted'
		where s.case_id = p_row.case_id and s.respondent_id = v_root.respondent_id
			and s.standing in ('active', 'stayed');
		perform conduct_api_1.set_disposition(v_root.proceeding_id, 'no_violation', p_decisions[1]);
	elsif not exists (select from conduct.sanction s
		where s.case_id = p_row.case_id and s.respondent_id = v_root.respondent_id and s.standing = 'active')
		and exists (select from conduct.disposition d
			where d.proceeding_id = v_root.proceeding_id and d.disposition = 'sanction')
	then
		perform conduct_api_1.set_disposition(v_root.proceeding_id, 'no_sanction', p_decisions[1]);
	end if;
end
$$;

create or replace function conduct_api_1.set_disposition(p_matter uuid, p_disposition text,
	p_decision uuid)
returns void language plpgsql volatile
as $$
begin
	update conduct.disposition d set disposition = p_disposition, decision_id = p_decision,
		at = conduct.clock()
	where d.proceeding_id = p_matter;
end
$$;

-- Who must be told in words: every appellant, the reporters, and the respondent once anything exists for
-- them.
create or replace function conduct_api_1.told_of_appeal(p_row conduct.proceeding) returns uuid[]
language plpgsql stable
as $$
begin
	return array(
		select a.appellant_id from unnest(conduct_api_1.joined_appeals(p_row)) j
		join conduct.proceeding a on a.proceeding_id = j
		union select r from unnest(conduct_api_1.reporters()) r
		union select y.party_id from conduct.party y
		where y.party_id = (conduct_api_1.root_of(p_row)).respondent_id and y.notified_at is not null);
end
$$;

create or replace function conduct_api_1.case_decide_appeal(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'decide_appeal', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_ballot conduct.ballot;
	v_guard text;
	v_appeal uuid;
	v_until timestamptz;
	v_decisions uuid[] := '{}';
	v_decision uuid;
	v_seq integer;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_ballot := conduct_api_1.ballot_member(p_args, v_act.proceeding_id);
	if v_ballot.motion <> 'decide_appeal' then
		perform conduct_api_1.refuse_member('/proposal', 'unknown');
	end if;
	perform conduct_api_1.check_notices(p_args, conduct_api_1.told_of_appeal(v_row),
		(conduct_api_1.root_of(v_row)).respondent_id);
	v_guard := coalesce(
		case when conduct_api_1.panel_guard(v_row) = 'panel-formed' then 'panel-formed' end,
		case when v_ballot.outcome is distinct from 'passed' then 'tally' end,
		conduct_api_1.panel_guard(v_row), conduct_api_1.join_guard(v_row),
		-- Who joined after the vote opened has items nobody voted on.
		case when exists (select from conduct_api_1.appealed_items(v_row) i
			where not exists (select from conduct.ballot_item b where b.ballot_id = v_ballot.ballot_id
				and b.on_decision = i.decision_id and b.on_item = i.item)) then 'tally' end);
	if v_guard is not null then
		perform conduct_api_1.refuse_guard(v_guard);
	end if;
	v_until := conduct_api_1.further_window(v_row);
	foreach v_appeal in array conduct_api_1.joined_appeals(v_row) loop
		v_seq := conduct_api_1.move(v_act.act_id, v_appeal, 'decide_appeal', null, null,
			jsonb_build_object('proposal', v_ballot.ballot_id), 'panel');
		v_decision := conduct_api_1.store_appeal_decision(v_appeal, v_seq, v_ballot);
		v_decisions := v_decisions || v_decision;
		perform conduct_api_1.void_deadlines(v_appeal);
		perform conduct_api_1.tell_all(v_decision, p_args, v_until);
		perform conduct_api_1.set_window(v_appeal, v_decision);
	end loop;
	perform conduct_api_1.apply_outcomes(v_row, v_ballot, v_decisions);
	perform conduct_api_1.send('decision', jsonb_build_object('decision', v_decisions[1]));
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
