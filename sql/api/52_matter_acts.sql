-- Acts on a matter before its decision: dismiss, the hearing (notify_respondent, record_service,
-- grant_extension, waive_hearing), resolve_informally, send_back.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

create or replace function conduct_api_1.case_dismiss(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'dismiss', p_args, p_word_ids, p_word_kinds, p_words);
	v_two record;
	v_seq integer;
	v_proceeding uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	select * into v_two from conduct_api_1.may_turn_down(v_act, 'dismiss', p_args);
	if v_two.pending is not null then
		return conduct_api_1.end_act(v_act, v_two.pending);
	end if;
	if v_two.first_person is not null then
		perform conduct_api_1.take_part_as(v_two.first_person,
			(conduct_api_1.current_row(v_act.proceeding_id)).instance);
	end if;
	foreach v_proceeding in array v_act.proceedings loop
		v_seq := conduct_api_1.move(v_act.act_id, v_proceeding, 'dismiss', null,
			(p_args ->> 'reason')::uuid, jsonb_build_object('reason_code', p_args ->> 'reason_code'));
		perform conduct_api_1.turn_down(v_proceeding, 'dismiss', v_seq, p_args, v_two.first_person);
	end loop;
	return conduct_api_1.end_act(v_act);
end
$$;

-- The hearing ----------------------------------------------------------------------------------------

-- A matter's hearing as it stands, with its present end; null where none was opened.
create or replace function conduct_api_1.hearing_of(p_matter uuid, out hearing_id uuid, out nth integer,
	out heard_until timestamptz, out has_extension boolean)
language plpgsql stable
as $$
begin
	select e.hearing_id, e.nth, e.heard_until, exists (select from conduct.hearing_end x
			where x.hearing_id = e.hearing_id and x.cause = 'extension')
	into hearing_id, nth, heard_until, has_extension
	from conduct.hearing h join conduct.hearing_end e on e.hearing_id = h.hearing_id
	where h.proceeding_id = p_matter order by e.nth desc limit 1;
end
$$;

-- A hearing ends at another time; the proposal is due after it.
create or replace function conduct_api_1.set_hearing_end(p_matter uuid, p_hearing uuid, p_nth integer,
	p_cause text, p_until timestamptz, p_party uuid)
returns void language plpgsql volatile
as $$
begin
	insert into conduct.hearing_end (hearing_id, nth, case_id, cause, heard_until, at)
	values (p_hearing, p_nth, conduct.opened_case(), p_cause, p_until, conduct.clock());
	perform conduct_api_1.set_deadline(p_matter, 'hearing', p_until, p_party);
	perform conduct_api_1.set_deadline(p_matter, 'propose', p_until + conduct_api_1.limit_of(
		case when conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) > 2
			then 'propose_severe' else 'propose' end));
end
$$;

create or replace function conduct_api_1.case_notify_respondent(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'notify_respondent', p_args, p_word_ids, p_word_kinds, p_words);
	v_party uuid;
	v_text uuid;
	v_hearing uuid := gen_random_uuid();
	v_extra jsonb := '{}';
	v_now timestamptz := conduct.clock();
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_party := conduct_api_1.party_member(p_args, 'respondent', array['respondent']);
	if v_party <> (conduct_api_1.current_row(v_act.proceeding_id)).respondent_id then
		perform conduct_api_1.refuse_member('/respondent', 'of-another-matter');
	end if;
	v_text := conduct_api_1.uuid_member(p_args, 'text', true);
	if exists (select from conduct.hearing h where h.proceeding_id = v_act.proceeding_id) then
		perform conduct_api_1.refuse_guard('once');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'notify_respondent');
	insert into conduct.hearing (hearing_id, case_id, proceeding_id, notice_content, notice_lang, notified_at)
	values (v_hearing, p_case, v_act.proceeding_id, v_text,
		coalesce(p_args ->> 'lang', (conduct_api_1.current_case()).lang), v_now);
	perform conduct_api_1.set_hearing_end(v_act.proceeding_id, v_hearing, 1, 'notice',
		v_now + conduct_api_1.limit_of('hearing'), v_party);
	insert into conduct.message (message_id, case_id, channel, party_id, author_person, text_content, at)
	values (gen_random_uuid(), p_case, 'respondent', v_party, conduct.actor_person(), v_text, v_now);
	update conduct.party y set notified_at = coalesce(y.notified_at, v_now) where y.party_id = v_party;
	-- Who has no account to sign in with gets a word.
	if p_args ? 'word' and exists (select from conduct.party y
		where y.party_id = v_party and y.kind in ('temporary', 'unknown', 'off_wiki'))
	then
		v_extra := conduct_api_1.make_word(p_args, v_party);
	end if;
	perform conduct_api_1.send('notice', jsonb_build_object('party', v_party));
	return conduct_api_1.end_act(v_act, null, v_extra);
end
$$;

-- The notice of a hearing, or of a decision, has reached the party. A decision's window runs from there.
create or replace function conduct_api_1.case_record_service(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'record_service', p_args, p_word_ids, p_word_kinds, p_words);
	v_party uuid;
	v_row conduct.proceeding;
	v_decision conduct.decision;
	v_now timestamptz := conduct.clock();
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_party := conduct_api_1.party_member(p_args, 'respondent', array['respondent', 'reporter', 'target']);
	if coalesce(p_args ->> 'how', '') not in ('login', 'mail', 'talk_page', 'notice_page') then
		perform conduct_api_1.refuse_member('/how', 'unknown');
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'record_service', null, null,
		jsonb_build_object('party', v_party, 'how', p_args ->> 'how'));
	if v_row.state = 'review' then
		update conduct.hearing h set served_at = v_now, served_how = p_args ->> 'how',
			revision_content = conduct_api_1.word_id(p_args -> 'revision')
		where h.proceeding_id = v_act.proceeding_id and v_row.respondent_id = v_party;
	else
		select d.* into v_decision from conduct.decision d
		where d.proceeding_id = v_act.proceeding_id order by d.event_seq desc limit 1;
		update conduct.decision_notice n set served_at = v_now,
			appeal_until = case when n.appeal_until is not null
				then v_now + conduct_api_1.window_of(v_decision.body_id) end
		where n.decision_id = v_decision.decision_id and n.party_id = v_party;
		if found then
			perform conduct_api_1.set_window(v_act.proceeding_id, v_decision.decision_id);
		end if;
	end if;
	if not found then
		perform conduct_api_1.refuse_member('/respondent', 'not-notified');
	end if;
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_grant_extension(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'grant_extension', p_args, p_word_ids, p_word_kinds, p_words);
	v_party uuid;
	v_hearing record;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_party := conduct_api_1.party_member(p_args, 'party', array['respondent']);
	select * into v_hearing from conduct_api_1.hearing_of(v_act.proceeding_id);
	if v_hearing.hearing_id is null
		or v_party <> (conduct_api_1.current_row(v_act.proceeding_id)).respondent_id
	then
		perform conduct_api_1.refuse_member('/party', 'not-notified');
	end if;
	if v_hearing.has_extension then
		perform conduct_api_1.refuse_guard('once');
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'grant_extension', null, null,
		jsonb_build_object('party', v_party));
	perform conduct_api_1.set_hearing_end(v_act.proceeding_id, v_hearing.hearing_id, v_hearing.nth + 1,
		'extension', greatest(v_hearing.heard_until, conduct.clock())
			+ conduct_api_1.limit_of('hearing_extension'), v_party);
	perform conduct_api_1.send('extension', jsonb_build_object('party', v_party));
	return conduct_api_1.end_act(v_act);
end
$$;

-- Less than a hearing, least first: redacted, gist only, postponed, unserved, none. The last two take two
-- people; none only for S3 and above; unserved only when the notice has gone unserved long enough.
create or replace function conduct_api_1.check_waiver(p_matter uuid, p_kind text) returns void
language plpgsql stable
as $$
begin
	if coalesce(p_kind, '') not in ('redacted', 'gist_only', 'postponed', 'unserved', 'none') then
		perform conduct_api_1.refuse_member('/kind', 'unknown');
	end if;
	if p_kind = 'none'
		and conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) < 3
	then
		perform conduct_api_1.refuse_guard('heard');
	end if;
	if p_kind = 'unserved' and not exists (select from conduct.hearing h
		where h.proceeding_id = p_matter and h.served_at is null
			and h.notified_at + conduct_api_1.limit_of('notice_unserved') <= conduct.clock())
	then
		perform conduct_api_1.refuse_guard('hearing-ended');
	end if;
end
$$;

create or replace function conduct_api_1.case_waive_hearing(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'waive_hearing', p_args, p_word_ids, p_word_kinds, p_words);
	v_party uuid;
	v_two record;
	v_reason uuid;
	v_kind text := p_args ->> 'kind';
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_party := conduct_api_1.party_member(p_args, 'respondent', array['respondent']);
	if v_party <> (conduct_api_1.current_row(v_act.proceeding_id)).respondent_id then
		perform conduct_api_1.refuse_member('/respondent', 'of-another-matter');
	end if;
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	perform conduct_api_1.check_waiver(v_act.proceeding_id, v_kind);
	if v_kind in ('unserved', 'none') then
		select * into v_two from conduct_api_1.await_second(v_act.proceeding_id, 'waive_hearing', p_args);
		if v_two.pending is not null then
			return conduct_api_1.end_act(v_act, v_two.pending);
		end if;
	elsif p_args ? 'confirm' then
		perform conduct_api_1.refuse_member('/confirm', 'unknown');
	else
		select null::uuid as pending, null::uuid as first_person into v_two;
	end if;
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'waive_hearing', null, v_reason,
		jsonb_build_object('kind', v_kind));
	insert into conduct.waiver (waiver_id, case_id, proceeding_id, kind, reason_content, first_person,
		second_person, at)
	values (gen_random_uuid(), p_case, v_act.proceeding_id, v_kind, v_reason,
		coalesce(v_two.first_person, conduct.actor_person()),
		case when v_two.first_person is not null then conduct.actor_person() end, conduct.clock());
	if v_kind = 'postponed' then
		perform conduct_api_1.set_deadline(v_act.proceeding_id, 'notice_postponed',
			conduct.clock() + conduct_api_1.limit_of('notice_postponed'));
	end if;
	return conduct_api_1.end_act(v_act);
end
$$;

-- Other ends -----------------------------------------------------------------------------------------

-- Advice only: no finding, no history. A party that does not agree brings it back within the window.
create or replace function conduct_api_1.case_resolve_informally(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'resolve_informally', p_args, p_word_ids, p_word_kinds, p_words);
	v_advice uuid;
	v_row conduct.proceeding;
	v_now timestamptz := conduct.clock();
	v_proceeding uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_advice := conduct_api_1.uuid_member(p_args, 'advice', true);
	if conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) > 2 then
		perform conduct_api_1.refuse_guard('advice-only');
	end if;
	foreach v_proceeding in array v_act.proceedings loop
		v_row := conduct_api_1.current_row(v_proceeding);
		perform conduct_api_1.move(v_act.act_id, v_proceeding, 'resolve_informally', null, v_advice);
		insert into conduct.disposition (proceeding_id, case_id, respondent_id, disposition, at)
		values (v_proceeding, p_case, v_row.respondent_id, 'settled', v_now)
		on conflict (proceeding_id) do update set disposition = 'settled', decision_id = null, at = v_now;
		insert into conduct.message (message_id, case_id, channel, party_id, author_person, text_content, at)
		values (gen_random_uuid(), p_case, 'respondent', v_row.respondent_id, conduct.actor_person(), v_advice,
			v_now);
		update conduct.party y set notified_at = v_now
		where y.party_id = v_row.respondent_id and y.notified_at is null;
		perform conduct_api_1.void_deadlines(v_proceeding);
		perform conduct_api_1.set_deadline(v_proceeding, 'object_informal',
			v_now + conduct_api_1.limit_of('object_informal'));
		perform conduct_api_1.send('settled', jsonb_build_object('proceeding', v_proceeding));
	end loop;
	return conduct_api_1.end_act(v_act);
end
$$;

-- The proposal is withdrawn, or has failed: its ballot lapses with it, votes and all.
create or replace function conduct_api_1.case_send_back(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'send_back', p_args, p_word_ids, p_word_kinds, p_words);
	v_proceeding uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	foreach v_proceeding in array v_act.proceedings loop
		perform conduct_api_1.move(v_act.act_id, v_proceeding, 'send_back', null,
			conduct_api_1.uuid_member(p_args, 'reason', true));
		update conduct.ballot b set closed_at = conduct.clock(), outcome = 'lapsed'
		where b.proceeding_id = v_proceeding and b.closed_at is null;
		perform conduct_api_1.void_deadlines(v_proceeding);
		perform conduct_api_1.set_deadline(v_proceeding, 'propose',
			conduct.clock() + conduct_api_1.limit_of(
				case when conduct_api_1.severity_rank((conduct_api_1.current_case()).severity) > 2
					then 'propose_severe' else 'propose' end));
	end loop;
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
