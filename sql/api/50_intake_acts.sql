-- Acts on an intake, and those that concern the whole case: claim, acknowledge, assign, accept, decline,
-- escalate, hand_back, resume, add_respondent, set_severity, recuse.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- Helpers ----------------------------------------------------------------------------------------

create or replace function conduct_api_1.assign_to(p_person uuid, p_body text) returns void
language plpgsql volatile
as $$
begin
	if not exists (select from conduct.assignment s
		where s.case_id = conduct.opened_case() and s.person_id = p_person and s.ended_at is null)
	then
		insert into conduct.assignment (case_id, person_id, body_id, at)
		values (conduct.opened_case(), p_person, p_body, conduct.clock());
	end if;
end
$$;

-- The limits of a triage: a body that votes on acceptance has longer.
create or replace function conduct_api_1.set_triage_deadlines(p_row conduct.proceeding) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_votes boolean := (select b.accept_rule ->> 'rule' <> 'none' from conduct.body b
		where b.body_id = p_row.body_id);
begin
	perform conduct_api_1.set_deadline(p_row.proceeding_id, 'accept',
		v_now + conduct_api_1.limit_of(case when v_votes then 'accept_by_vote' else 'accept' end));
	perform conduct_api_1.set_deadline(p_row.proceeding_id, 'decline',
		v_now + conduct_api_1.limit_of(case when v_votes then 'accept_by_vote' else 'decline' end));
end
$$;

-- The policy set and profile an allegation is pinned to: in force when the incident ended; before the
-- first set: that set; without a date: as at submission.
create or replace function conduct_api_1.pin_of(p_incident uuid, out policy_version text, out profile text)
language plpgsql stable
as $$
declare
	v_case conduct.case_file := conduct_api_1.current_case();
	v_incident conduct.incident;
begin
	select * into strict v_incident from conduct.incident i where i.incident_id = p_incident;
	select r.policy_version into strict policy_version from conduct.report r
	where r.report_id = v_incident.report_id;
	if coalesce(v_incident.to_at, v_incident.from_at) is not null then
		policy_version := coalesce(
			(select s.policy_version from conduct.policy_set s
				where s.published_at <= coalesce(v_incident.to_at, v_incident.from_at)
				order by s.revision desc limit 1),
			(select s.policy_version from conduct.policy_set s order by s.revision limit 1));
	end if;
	profile := coalesce((select w.profile from conduct.policy_wiki w
		where w.policy_version = pin_of.policy_version
			and w.wiki = coalesce(v_incident.wiki, v_case.wiki)), v_case.profile);
end
$$;

-- One allegation of p_args: the rule exists, forbids something and was in force; the incident is of this
-- case, and need not be named where there is only one.
create or replace function conduct_api_1.add_allegation(p_matter uuid, p_respondent uuid, p_allegation jsonb,
	p_pointer text)
returns void language plpgsql volatile
as $$
declare
	v_incidents uuid[];
	v_pin record;
	v_now timestamptz := conduct.clock();
begin
	select array_agg(i.incident_id) into v_incidents from conduct.incident i
	where i.case_id = conduct.opened_case()
		and (p_allegation ->> 'incident' is null or i.incident_id::text = lower(p_allegation ->> 'incident'));
	if coalesce(cardinality(v_incidents), 0) <> 1 then
		perform conduct_api_1.refuse_member(p_pointer || '/incident',
			case when v_incidents is null then 'unknown' else 'missing' end);
	end if;
	select * into v_pin from conduct_api_1.pin_of(v_incidents[1]);
	if not exists (select from conduct.profile_rule r
		where r.profile = v_pin.profile and r.rule = p_allegation ->> 'rule'
			and (r.kind = 'unacceptable' or r.rule like 'procedure/%'))
	then
		perform conduct_api_1.refuse_member(p_pointer || '/rule', 'unknown');
	end if;
	insert into conduct.allegation (allegation_id, case_id, proceeding_id, respondent_id, incident_id, rule,
		policy_version, profile, added_at)
	values (gen_random_uuid(), conduct.opened_case(), p_matter, p_respondent, v_incidents[1],
		p_allegation ->> 'rule', v_pin.policy_version, v_pin.profile, v_now)
	on conflict on constraint allegation_once do nothing;
end
$$;

-- A matter for one respondent, opened by an act on the intake or by an appeal. Its round follows the
-- respondent's last one.
create or replace function conduct_api_1.open_matter(p_act conduct_api_1.act, p_cause_id uuid,
	p_cause_seq integer, p_respondent uuid, p_action text, p_to text, p_role text, p_body text,
	p_instance integer, p_reason uuid default null)
returns uuid language plpgsql volatile
as $$
declare
	v_row conduct.proceeding;
begin
	v_row.kind := 'matter';
	v_row.respondent_id := p_respondent;
	v_row.body_id := p_body;
	v_row.instance := p_instance;
	v_row.round := 1 + coalesce((select max(p.round) from conduct.proceeding p
		where p.case_id = conduct.opened_case() and p.kind = 'matter'
			and p.respondent_id = p_respondent), 0);
	return conduct_api_1.open_proceeding(p_act.act_id, v_row, p_action, p_to, p_role, p_reason, '{}',
		p_cause_id, p_cause_seq);
end
$$;

-- Work begins on a matter: its limits until a proposal, the hearing included.
create or replace function conduct_api_1.set_matter_deadlines(p_matter uuid) returns void
language plpgsql volatile
as $$
begin
	perform conduct_api_1.set_deadline(p_matter, 'propose', conduct.clock()
		+ conduct_api_1.limit_of('hearing') + conduct_api_1.limit_of(
			case when conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) > 2
				then 'propose_severe' else 'propose' end));
end
$$;

-- Declines a report or dismisses a matter: the decision row, its one item, the disposition of a matter,
-- notices to those who may appeal, the window. p_args carries reason_code, reason and refer_to.
create or replace function conduct_api_1.turn_down(p_proceeding uuid, p_kind text, p_seq integer,
	p_args jsonb, p_second uuid default null)
returns void language plpgsql volatile
as $$
declare
	v_row conduct.proceeding := conduct_api_1.current_row(p_proceeding);
	v_case conduct.case_file := conduct_api_1.current_case();
	v_decision uuid := gen_random_uuid();
	v_now timestamptz := conduct.clock();
	v_reason uuid := conduct_api_1.uuid_member(p_args, 'reason', false);
	v_outcome text := case p_kind when 'decline' then 'declined' else 'dismissed' end;
	v_party uuid;
begin
	if p_args ->> 'refer_to' is null and p_args ->> 'reason_code' not in ('withdrawn', 'not_accepted') then
		perform conduct_api_1.refuse_guard('refer-to');
	end if;
	insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq, instance,
		body_id, kind, decider, second_person, voters, quorum, reason_code, reasons_content, refer_to,
		outcome, at)
	values (v_decision, v_case.case_id, p_proceeding, v_row.kind, p_seq, v_row.instance, v_row.body_id,
		p_kind, conduct.actor_person(), p_second, 1, 1, p_args ->> 'reason_code', v_reason,
		p_args ->> 'refer_to', v_outcome, v_now);
	insert into conduct.decision_item (decision_id, item, case_id, kind, respondent_id, has_passed,
		text_content)
	values (v_decision, 1, v_case.case_id, 'dismissal', v_row.respondent_id, true, v_reason);
	if v_row.kind = 'matter' then
		insert into conduct.disposition (proceeding_id, case_id, respondent_id, disposition, decision_id, at)
		values (p_proceeding, v_case.case_id, v_row.respondent_id, 'dismissed', v_decision, v_now)
		on conflict (proceeding_id) do update set disposition = excluded.disposition,
			decision_id = excluded.decision_id, at = excluded.at;
	end if;
	for v_party in
		select y.party_id from conduct.party y
		where y.case_id = v_case.case_id and (y.role in ('reporter', 'target')
			or (y.role = 'respondent' and y.party_id = v_row.respondent_id and y.notified_at is not null))
	loop
		perform conduct_api_1.tell(v_decision, v_party, v_reason, v_case.lang,
			v_now + conduct_api_1.window_of(v_row.body_id));
	end loop;
	perform conduct_api_1.void_deadlines(p_proceeding);
	perform conduct_api_1.set_window(p_proceeding, v_decision);
	perform conduct_api_1.send('decision', jsonb_build_object('proceeding', p_proceeding,
		'decision', v_decision));
end
$$;

-- Both kinds of turning down: the words of the reason, then a second person for what is grave. Null
-- pending: go on.
create or replace function conduct_api_1.may_turn_down(p_act conduct_api_1.act, p_action text, p_args jsonb,
	out pending uuid, out first_person uuid)
language plpgsql volatile
as $$
begin
	if coalesce(p_args ->> 'reason_code', '') not in ('out_of_scope', 'no_rule', 'insufficient',
		'unidentified', 'withdrawn', 'bad_faith')
	then
		perform conduct_api_1.refuse_member('/reason_code', 'unknown');
	end if;
	perform conduct_api_1.uuid_member(p_args, 'reason', true);
	if p_args ->> 'refer_to' is null and p_args ->> 'reason_code' <> 'withdrawn' then
		perform conduct_api_1.refuse_guard('refer-to');
	end if;
	if conduct_api_1.effective_severity() > 2 or p_args ->> 'reason_code' = 'bad_faith' then
		select a.pending, a.first_person into pending, first_person
		from conduct_api_1.await_second(p_act.proceeding_id, p_action, p_args) a;
	elsif p_args ? 'confirm' then
		-- Who confirms confirms what the first person did, nothing that one may do alone.
		perform conduct_api_1.refuse_member('/confirm', 'unknown');
	end if;
end
$$;

-- The first of two people takes part like the second.
create or replace function conduct_api_1.take_part_as(p_person uuid, p_instance integer) returns void
language plpgsql volatile
as $$
declare
	v_principal uuid := conduct_gate.principal_of(p_person);
begin
	if conduct_gate.is_barred(conduct.opened_case(), p_instance, v_principal)
		or conduct_gate.is_recused(conduct.opened_case(), v_principal)
	then
		perform conduct_api_1.refuse_guard('no-prior-decider');
	end if;
	insert into conduct.took_part (took_part_id, case_id, principal_id, instance, at)
	values (gen_random_uuid(), conduct.opened_case(), v_principal, p_instance, conduct.clock())
	on conflict (case_id, principal_id, instance) do nothing;
end
$$;

-- Taking up, naming ------------------------------------------------------------------------------

create or replace function conduct_api_1.case_claim(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'claim', p_args, p_word_ids, p_word_kinds, p_words);
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'claim');
	perform conduct_api_1.assign_to(conduct.actor_person(),
		(conduct_api_1.current_row(v_act.proceeding_id)).body_id);
	perform conduct_api_1.meet_deadline(v_act.proceeding_id, 'claim');
	perform conduct_api_1.meet_deadline(v_act.proceeding_id, 'acknowledge');
	perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_act.proceeding_id));
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_acknowledge(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'acknowledge', p_args, p_word_ids, p_word_kinds, p_words);
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'acknowledge');
	perform conduct_api_1.meet_deadline(v_act.proceeding_id, 'acknowledge');
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_assign(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'assign', p_args, p_word_ids, p_word_kinds, p_words);
	v_person uuid;
	v_row conduct.proceeding;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_person := conduct_api_1.uuid_member(p_args, 'person', true);
	if not exists (select from conduct.body b where b.body_id = v_row.body_id
		and conduct_gate.has_role(v_person, b.role, b.body_id))
	then
		perform conduct_api_1.refuse_member('/person', 'unknown');
	end if;
	if conduct_gate.is_recused(p_case, conduct_gate.principal_of(v_person)) then
		perform conduct_api_1.refuse_guard('not-recused');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'assign', null, null,
		jsonb_build_object('person', v_person));
	perform conduct_api_1.assign_to(v_person, v_row.body_id);
	return conduct_api_1.end_act(v_act);
end
$$;

-- Acceptance -------------------------------------------------------------------------------------

-- What acceptance asks: an allegation at least, a known severity not below its rules, the body's vote.
create or replace function conduct_api_1.check_acceptance(p_row conduct.proceeding, p_args jsonb)
returns void language plpgsql stable
as $$
declare
	v_rules text[];
	v_proposal uuid := conduct_api_1.uuid_member(p_args, 'proposal', false);
begin
	if coalesce(p_args ->> 'severity', '') not in ('S1', 'S2', 'S3', 'S4') then
		perform conduct_api_1.refuse_member('/severity', 'unknown');
	end if;
	if jsonb_typeof(p_args -> 'allegations') is distinct from 'array' then
		perform conduct_api_1.refuse_member('/allegations', 'missing');
	end if;
	if not exists (select from conduct.party y
		where y.case_id = p_row.case_id and y.role = 'respondent')
	then
		perform conduct_api_1.refuse_member('/allegations', 'no-respondents');
	end if;
	if jsonb_array_length(p_args -> 'allegations') = 0 then
		perform conduct_api_1.refuse_guard('has-allegation');
	end if;
	if exists (select from conduct.body b where b.body_id = p_row.body_id
			and b.accept_rule ->> 'rule' <> 'none')
		and (v_proposal is null or not exists (select from conduct.ballot b
			where b.ballot_id = v_proposal and b.proceeding_id = p_row.proceeding_id
				and b.motion = 'accept' and b.outcome = 'passed'))
	then
		perform conduct_api_1.refuse_guard('acceptance-vote');
	end if;
	select array_agg(x ->> 'rule') into v_rules from jsonb_array_elements(p_args -> 'allegations') x;
	perform conduct_api_1.check_severity(p_args ->> 'severity', (conduct_api_1.current_case()).profile,
		v_rules);
end
$$;

create or replace function conduct_api_1.case_accept(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'accept', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_reason uuid;
	v_seq integer;
	v_party record;
	v_matter uuid;
	v_allegation record;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', false);
	perform conduct_api_1.check_acceptance(v_row, p_args);
	for v_allegation in select x, nth - 1 as nth
		from jsonb_array_elements(p_args -> 'allegations') with ordinality as l (x, nth)
	loop
		if not exists (select from conduct.party y where y.case_id = p_case and y.role = 'respondent'
			and y.party_id::text = lower(v_allegation.x ->> 'respondent'))
		then
			perform conduct_api_1.refuse_member(format('/allegations/%s/respondent', v_allegation.nth),
				'unknown');
		end if;
	end loop;
	update conduct.case_file f set severity = p_args ->> 'severity' where f.case_id = p_case;
	v_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'accept', null, v_reason,
		jsonb_build_object('severity', p_args ->> 'severity'));
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	for v_party in select y.party_id, exists (select from jsonb_array_elements(p_args -> 'allegations') x
				where lower(x ->> 'respondent') = y.party_id::text) as is_carried
		from conduct.party y where y.case_id = p_case and y.role = 'respondent' order by y.seq
	loop
		v_matter := conduct_api_1.open_matter(v_act, v_act.proceeding_id, v_seq, v_party.party_id,
			case when v_party.is_carried then 'accept' else 'dismiss' end,
			case when v_party.is_carried then 'review' else 'dismissed' end,
			'functionary', v_row.body_id, v_row.instance, v_reason);
		if v_party.is_carried then
			perform conduct_api_1.set_matter_deadlines(v_matter);
		else
			perform conduct_api_1.turn_down(v_matter, 'dismiss', 1,
				jsonb_build_object('reason_code', 'not_accepted', 'reason', v_reason));
		end if;
		for v_allegation in select x, nth - 1 as nth
			from jsonb_array_elements(p_args -> 'allegations') with ordinality as l (x, nth)
			where lower(x ->> 'respondent') = v_party.party_id::text
		loop
			perform conduct_api_1.add_allegation(v_matter, v_party.party_id, v_allegation.x,
				format('/allegations/%s', v_allegation.nth));
		end loop;
	end loop;
	perform conduct_api_1.send('state');
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_decline(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'decline', p_args, p_word_ids, p_word_kinds, p_words);
	v_two record;
	v_seq integer;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	select * into v_two from conduct_api_1.may_turn_down(v_act, 'decline', p_args);
	if v_two.pending is not null then
		return conduct_api_1.end_act(v_act, v_two.pending);
	end if;
	if v_two.first_person is not null then
		perform conduct_api_1.take_part_as(v_two.first_person,
			(conduct_api_1.current_row(v_act.proceeding_id)).instance);
	end if;
	v_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'decline', null,
		(p_args ->> 'reason')::uuid, jsonb_build_object('reason_code', p_args ->> 'reason_code'));
	perform conduct_api_1.turn_down(v_act.proceeding_id, 'decline', v_seq, p_args, v_two.first_person);
	return conduct_api_1.end_act(v_act);
end
$$;

grant execute on function conduct_api_1.set_triage_deadlines(conduct.proceeding),
	conduct_api_1.set_matter_deadlines(uuid) to conduct_party, conduct_timer;

reset role;
reset search_path;
