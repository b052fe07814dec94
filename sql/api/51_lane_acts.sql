-- More acts on an intake and the whole case: escalate and hand_back, resume, add_respondent, set_severity,
-- recuse.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- Escalation moves the intake to a body outside the community's chain, or to the emergency team.
create or replace function conduct_api_1.case_escalate(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'escalate', p_args, p_word_ids, p_word_kinds, p_words);
	v_target conduct.body;
	v_now timestamptz := conduct.clock();
	v_is_emergency boolean;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	select * into v_target from conduct.body b where b.body_id = p_args ->> 'to';
	if v_target.body_id is null then
		perform conduct_api_1.refuse_member('/to', 'unknown');
	end if;
	v_is_emergency := (conduct_api_1.current_case()).lane = 'emergency';
	if not v_target.is_external and not (v_is_emergency and v_target.role = 'ts_staff') then
		perform conduct_api_1.refuse_guard('external-target');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'escalate', null,
		conduct_api_1.uuid_member(p_args, 'reason', true), jsonb_build_object('to', v_target.body_id));
	update conduct.proceeding p set body_id = v_target.body_id
	where p.proceeding_id = v_act.proceeding_id;
	update conduct.assignment s set ended_at = v_now where s.case_id = p_case and s.ended_at is null;
	if v_is_emergency then
		update conduct.case_file f set privacy = 'restricted' where f.case_id = p_case;
	end if;
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	perform conduct_api_1.set_deadline(v_act.proceeding_id, 'acknowledge', v_now
		+ conduct_api_1.limit_of(case when v_is_emergency then 'acknowledge_emergency' else 'acknowledge' end));
	perform conduct_api_1.set_deadline(v_act.proceeding_id, 'hand_back',
		v_now + conduct_api_1.limit_of('hand_back'));
	perform conduct_api_1.send('escalated', jsonb_build_object('body', v_target.body_id));
	return conduct_api_1.end_act(v_act);
end
$$;

-- What an external body did is recorded as a resolved matter per respondent: an object for review.
create or replace function conduct_api_1.record_outside_act(p_act conduct_api_1.act, p_seq integer,
	p_reason uuid)
returns void language plpgsql volatile
as $$
declare
	v_row conduct.proceeding := conduct_api_1.current_row(p_act.proceeding_id);
	v_case conduct.case_file := conduct_api_1.current_case();
	v_party uuid;
	v_matter uuid;
	v_decision uuid;
	v_told uuid;
	v_now timestamptz := conduct.clock();
begin
	for v_party in select y.party_id from conduct.party y
		where y.case_id = v_case.case_id and y.role = 'respondent' order by y.seq
	loop
		v_matter := conduct_api_1.open_matter(p_act, p_act.proceeding_id, p_seq, v_party, 'record', 'resolved',
			'external_body', v_row.body_id, v_row.instance, p_reason);
		v_decision := gen_random_uuid();
		insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq,
			instance, body_id, kind, decider, voters, quorum, reasons_content, outcome, at)
		values (v_decision, v_case.case_id, v_matter, 'matter', 1, v_row.instance, v_row.body_id, 'record',
			conduct.actor_person(), 1, 1, p_reason, 'sanction', v_now);
		insert into conduct.decision_item (decision_id, item, case_id, kind, respondent_id, has_passed,
			text_content)
		values (v_decision, 1, v_case.case_id, 'sanction', v_party, true, p_reason);
		insert into conduct.disposition (proceeding_id, case_id, respondent_id, disposition, decision_id, at)
		values (v_matter, v_case.case_id, v_party, 'sanction', v_decision, v_now);
		for v_told in select y.party_id from conduct.party y
			where y.case_id = v_case.case_id and (y.role = 'reporter' or y.party_id = v_party)
		loop
			perform conduct_api_1.tell(v_decision, v_told, null, v_case.lang,
				v_now + conduct_api_1.window_of(v_row.body_id));
		end loop;
		perform conduct_api_1.set_window(v_matter, v_decision);
	end loop;
end
$$;

create or replace function conduct_api_1.check_hand_back(p_args jsonb) returns void
language plpgsql stable
as $$
declare
	v_outcome text := coalesce(p_args ->> 'outcome', '');
	v_to text := coalesce(p_args ->> 'to_state', '');
	v_kind text := (conduct_api_1.current_case()).kind;
begin
	if v_outcome not in ('acted', 'referred', 'welfare_handled', 'no_emergency') then
		perform conduct_api_1.refuse_member('/outcome', 'unknown');
	end if;
	if v_to not in ('handed_over', 'triage') or (v_outcome = 'acted' and v_to = 'triage') then
		perform conduct_api_1.refuse_member('/to_state', 'unknown');
	end if;
	-- A welfare case knows no allegation, finding or sanction.
	if (v_outcome = 'welfare_handled') <> (v_kind = 'welfare' and v_outcome <> 'referred'
		and v_outcome <> 'no_emergency')
	then
		perform conduct_api_1.refuse_member('/outcome', 'not-of-this-kind');
	end if;
end
$$;

create or replace function conduct_api_1.case_hand_back(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'hand_back', p_args, p_word_ids, p_word_kinds, p_words);
	v_seq integer;
	v_body text;
	v_reason uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	perform conduct_api_1.check_hand_back(p_args);
	v_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'hand_back', p_args ->> 'to_state',
		v_reason, jsonb_build_object('outcome', p_args ->> 'outcome'));
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	perform conduct_api_1.tell_openings();
	if p_args ->> 'to_state' = 'triage' then
		-- Jurisdiction and conflicts anew; the words stay restricted.
		update conduct.case_file f set lane = 'standard' where f.case_id = p_case;
		v_body := conduct_api_1.route(conduct_api_1.route_facts(true));
		update conduct.proceeding p set body_id = v_body where p.proceeding_id = v_act.proceeding_id;
		update conduct.assignment s set ended_at = conduct.clock()
		where s.case_id = p_case and s.ended_at is null;
		perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_act.proceeding_id));
	elsif p_args ->> 'outcome' = 'acted' then
		perform conduct_api_1.record_outside_act(v_act, v_seq, v_reason);
	end if;
	perform conduct_api_1.send('state');
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_resume(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'resume', p_args, p_word_ids, p_word_kinds, p_words);
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	if (conduct_api_1.current_row(v_act.proceeding_id)).state_at + conduct_api_1.limit_of('resume')
		<= conduct.clock()
	then
		perform conduct_api_1.refuse_guard('resume-period');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'resume');
	perform conduct_api_1.void_deadlines(v_act.proceeding_id);
	perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_act.proceeding_id));
	return conduct_api_1.end_act(v_act);
end
$$;

-- The party row of an added respondent: one that is known already (by name) and has no matter, or new.
create or replace function conduct_api_1.add_respondent_party(p_respondent jsonb) returns uuid
language plpgsql volatile
as $$
declare
	v_party uuid := gen_random_uuid();
	v_known uuid;
	v_kind text;
begin
	v_kind := case when p_respondent ? 'user' then 'account' when p_respondent ? 'body' then 'body'
		when p_respondent ? 'url' then 'off_wiki' when p_respondent ? 'unknown' then 'unknown' end;
	if v_kind is null then
		perform conduct_api_1.refuse_member('/respondent', 'malformed');
	end if;
	if v_kind = 'body' and not exists (select from conduct.body b
		where b.body_id = p_respondent ->> 'body')
	then
		perform conduct_api_1.refuse_member('/respondent/body', 'unknown');
	end if;
	select y.party_id into v_known from conduct.party y
	where y.case_id = conduct.opened_case() and y.role = 'respondent'
		and (y.name_ix = decode(p_respondent ->> 'name_ix', 'hex') or y.body_id = p_respondent ->> 'body');
	if v_known is not null and exists (select from conduct.proceeding p where p.respondent_id = v_known) then
		perform conduct_api_1.refuse_member('/respondent', 'known-already');
	end if;
	if v_known is not null then
		return v_known;
	end if;
	perform conduct_api_1.check_members_left('/respondent', 'respondent',
		decode(p_respondent ->> 'id_ix', 'hex'), decode(p_respondent ->> 'name_ix', 'hex'),
		decode(p_respondent ->> 'skeleton_ix', 'hex'));
	insert into conduct.party (party_id, case_id, seq, role, kind, id_ix, name_ix, skeleton_ix, body_id,
		name_content, added_at)
	values (v_party, conduct.opened_case(), (select 1 + coalesce(max(y.seq), 0) from conduct.party y
			where y.case_id = conduct.opened_case()), 'respondent', v_kind,
		decode(p_respondent ->> 'id_ix', 'hex'), decode(p_respondent ->> 'name_ix', 'hex'),
		decode(p_respondent ->> 'skeleton_ix', 'hex'), p_respondent ->> 'body',
		coalesce(p_respondent ->> 'user', p_respondent ->> 'url', p_respondent ->> 'unknown')::uuid,
		conduct.clock());
	return v_party;
end
$$;

create or replace function conduct_api_1.case_add_respondent(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'add_respondent', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_party uuid;
	v_matter uuid;
	v_seq integer;
	v_allegation record;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	if jsonb_typeof(p_args -> 'respondent') is distinct from 'object' then
		perform conduct_api_1.refuse_member('/respondent', 'missing');
	end if;
	if jsonb_typeof(p_args -> 'allegations') is distinct from 'array' then
		perform conduct_api_1.refuse_member('/allegations', 'missing');
	end if;
	if jsonb_array_length(p_args -> 'allegations') = 0 then
		perform conduct_api_1.refuse_guard('has-allegation');
	end if;
	perform conduct_api_1.check_severity((conduct_api_1.current_case()).severity,
		(conduct_api_1.current_case()).profile,
		array(select x ->> 'rule' from jsonb_array_elements(p_args -> 'allegations') x));
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_party := conduct_api_1.add_respondent_party(p_args -> 'respondent');
	v_seq := conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'add_respondent');
	v_matter := conduct_api_1.open_matter(v_act, v_act.proceeding_id, v_seq, v_party, 'add_respondent',
		'review', 'functionary', v_row.body_id, v_row.instance);
	for v_allegation in select x, nth - 1 as nth
		from jsonb_array_elements(p_args -> 'allegations') with ordinality as l (x, nth)
	loop
		perform conduct_api_1.add_allegation(v_matter, v_party, v_allegation.x,
			format('/allegations/%s', v_allegation.nth));
	end loop;
	perform conduct_api_1.set_matter_deadlines(v_matter);
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_set_severity(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'set_severity', p_args, p_word_ids, p_word_kinds, p_words);
	v_rules text[];
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	if coalesce(p_args ->> 'severity', '') not in ('S1', 'S2', 'S3', 'S4') then
		perform conduct_api_1.refuse_member('/severity', 'unknown');
	end if;
	v_rules := array(select a.rule from conduct.allegation a where a.case_id = p_case);
	perform conduct_api_1.check_severity(p_args ->> 'severity', (conduct_api_1.current_case()).profile,
		v_rules);
	-- Before acceptance nothing is alleged yet: not below what any rule of the reported category asks.
	if cardinality(v_rules) = 0 and (conduct_api_1.current_case()).severity is null
		and conduct_api_1.effective_severity() > conduct_api_1.severity_rank(p_args ->> 'severity')
	then
		perform conduct_api_1.refuse_guard('severity-floor');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'set_severity', null,
		conduct_api_1.uuid_member(p_args, 'reason', true),
		jsonb_build_object('severity', p_args ->> 'severity'));
	update conduct.case_file f set severity = p_args ->> 'severity' where f.case_id = p_case;
	return conduct_api_1.end_act(v_act);
end
$$;

-- Out of the whole case (full), or of its votes. The conflict itself needs no vote and no permission.
create or replace function conduct_api_1.recuse_actor(p_extent text, p_reason uuid) returns void
language plpgsql volatile
as $$
declare
	v_principal uuid := conduct_gate.principal_of(conduct.actor_person());
	v_now timestamptz := conduct.clock();
begin
	insert into conduct.recusal (recusal_id, case_id, principal_id, extent, source, standing, reason_content,
		at)
	values (gen_random_uuid(), conduct.opened_case(), v_principal, p_extent, 'declared', 'in_force',
		p_reason, v_now);
	update conduct.panel_seat s set left_at = v_now
	where s.case_id = conduct.opened_case() and s.principal_id = v_principal and s.left_at is null;
	update conduct.ballot_voter v set recused_at = v_now
	where v.case_id = conduct.opened_case() and v.principal_id = v_principal and v.recused_at is null
		and exists (select from conduct.ballot b where b.ballot_id = v.ballot_id and b.closed_at is null);
	if p_extent = 'full' then
		update conduct.assignment s set ended_at = v_now
		where s.case_id = conduct.opened_case() and s.ended_at is null
			and conduct_gate.principal_of(s.person_id) = v_principal;
	end if;
end
$$;

create or replace function conduct_api_1.case_recuse(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'recuse', p_args, p_word_ids, p_word_kinds, p_words);
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	if coalesce(p_args ->> 'kind', '') not in ('full', 'vote_only') then
		perform conduct_api_1.refuse_member('/kind', 'unknown');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'recuse', null, null,
		jsonb_build_object('kind', p_args ->> 'kind'));
	perform conduct_api_1.recuse_actor(p_args ->> 'kind', conduct_api_1.uuid_member(p_args, 'reason', false));
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
