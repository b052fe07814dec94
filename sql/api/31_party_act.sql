-- What a party does in its case: withdraw and resume a report, answer, ask for more time, object to an
-- informal end. Each locks the case like an act of a handler.

set role conduct_party;

-- The proceedings of the party's act: all where it is legal. None: the refusals of target().
create or replace function conduct_api_1.party_targets(p_party conduct.party, p_action text)
returns uuid[] language plpgsql volatile
as $$
declare
	v_ids uuid[];
begin
	select array_agg(p.proceeding_id order by p.proceeding_id) into v_ids
	from conduct.proceeding p
	where p.proceeding_id = any (conduct_api_1.party_proceedings(p_party))
		and p_action = any (conduct_api_1.allowed_on(p));
	return coalesce(v_ids, conduct_api_1.target(p_action, null, '{}'));
end
$$;

create or replace function conduct_api_1.party_words(p_party conduct.party, p_word_ids uuid[],
	p_word_kinds text[], p_words bytea[])
returns void language plpgsql volatile
as $$
begin
	perform conduct_api_1.store_words(conduct_api_1.party_unit(p_party), p_word_ids, p_word_kinds, p_words);
end
$$;

-- The epilogue: what the party now sees. A replay is rendered from the present as well.
create or replace function conduct_api_1.party_again(p_party conduct.party)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_party conduct.party;
begin
	select * into strict v_party from conduct.party y where y.party_id = p_party.party_id;
	return conduct_api_1.answer(200, conduct_api_1.party_view(v_party));
end
$$;

create or replace function conduct_api_1.party_done(p_party conduct.party, p_scope bytea)
returns conduct_api_1.answer language plpgsql volatile
as $$
begin
	perform conduct_api_1.refresh_docket();
	perform conduct_api_1.finish_key(p_scope, 200, '{}', p_party.case_id);
	return conduct_api_1.party_again(p_party);
end
$$;

-- The intake ends with its last reporter, unless somebody who has claimed a grave one goes on ex officio.
create or replace function conduct_api_1.party_withdraw(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_intake uuid;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_intake := (conduct_api_1.party_targets(v_party, 'withdraw'))[1];
	if v_party.withdrew_at is not null then
		perform conduct_api_1.refuse_guard('ex-officio');
	end if;
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	update conduct.party y set withdrew_at = conduct.clock() where y.party_id = v_party.party_id;
	if exists (select from conduct.case_file f
			where f.case_id = v_party.case_id and f.severity in ('S3', 'S4')
				and exists (select from conduct.assignment a
					where a.case_id = f.case_id and a.ended_at is null))
		or exists (select from conduct.party y
			where y.case_id = v_party.case_id and y.role = 'reporter' and y.withdrew_at is null)
	then
		perform conduct_api_1.send('reporter_withdrew', jsonb_build_object('party', v_party.party_id));
	else
		perform conduct_api_1.move(gen_random_uuid(), v_intake, 'withdraw',
			p_reason => conduct_api_1.word_id(p_args -> 'reason'));
		perform conduct_api_1.void_deadlines(v_intake);
		perform conduct_api_1.set_deadline(v_intake, 'resume',
			conduct.clock() + conduct_api_1.limit_of('resume'), v_party.party_id);
		perform conduct_api_1.send('withdrawn', '{}');
	end if;
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

create or replace function conduct_api_1.party_resume(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_now timestamptz := conduct.clock();
	v_intake uuid;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_intake := (conduct_api_1.party_targets(v_party, 'resume'))[1];
	if not exists (select from conduct.deadline d
		where d.proceeding_id = v_intake and d.what = 'resume' and d.met_at is null and not d.is_void
			and v_now < d.due_at)
	then
		perform conduct_api_1.refuse_guard('resume-period');
	end if;
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	perform conduct_api_1.move(gen_random_uuid(), v_intake, 'resume',
		p_reason => conduct_api_1.word_id(p_args -> 'reason'));
	update conduct.party y set withdrew_at = null where y.party_id = v_party.party_id;
	perform conduct_api_1.meet_deadline(v_intake, 'resume');
	perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_intake));
	perform conduct_api_1.send('resumed', '{}');
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

-- A party does not agree with an informal end: the matter is under review again.
create or replace function conduct_api_1.party_object(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_act uuid := gen_random_uuid();
	v_now timestamptz := conduct.clock();
	v_matters uuid[];
	v_matter uuid;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_matters := conduct_api_1.party_targets(v_party, 'object');
	if exists (select from conduct.deadline d
		where d.proceeding_id = any (v_matters) and d.what = 'object_informal' and not d.is_void
			and (d.met_at is not null or d.due_at <= v_now))
	then
		perform conduct_api_1.refuse_guard('in-window');
	end if;
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	foreach v_matter in array v_matters loop
		perform conduct_api_1.move(v_act, v_matter, 'object',
			p_reason => conduct_api_1.word_id(p_args -> 'reason'));
		perform conduct_api_1.void_deadlines(v_matter);
		perform conduct_api_1.set_matter_deadlines(v_matter);
	end loop;
	perform conduct_api_1.send('objected', '{}');
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

-- The respondent of a matter under review, and its hearing.
create or replace function conduct_api_1.party_hearing(p_party conduct.party, p_matter uuid)
returns conduct.hearing language plpgsql volatile
as $$
declare
	v_hearing conduct.hearing;
begin
	select * into v_hearing from conduct.hearing h where h.proceeding_id = p_matter;
	if p_party.role <> 'respondent' or v_hearing.hearing_id is null then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	return v_hearing;
end
$$;

create or replace function conduct_api_1.party_extend(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_matter uuid;
	v_hearing conduct.hearing;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_matter := (conduct_api_1.party_targets(v_party, 'extend'))[1];
	v_hearing := conduct_api_1.party_hearing(v_party, v_matter);
	if v_hearing.extension_asked_at is not null then
		perform conduct_api_1.refuse_guard('once');
	end if;
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	perform conduct_api_1.move(gen_random_uuid(), v_matter, 'extend',
		p_reason => conduct_api_1.word_id(p_args -> 'reason'));
	update conduct.hearing h set extension_asked_at = conduct.clock()
	where h.hearing_id = v_hearing.hearing_id;
	perform conduct_api_1.send('extension_asked', jsonb_build_object('party', v_party.party_id));
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

-- The respondent's answer ends the hearing where it was still open.
create or replace function conduct_api_1.party_end_hearing(p_matter uuid) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_end conduct.hearing_end;
begin
	select e.* into v_end from conduct.hearing h join conduct.hearing_end e on e.hearing_id = h.hearing_id
	where h.proceeding_id = p_matter order by e.nth desc limit 1;
	if v_end.hearing_id is null or v_end.heard_until <= v_now then
		return;
	end if;
	insert into conduct.hearing_end (hearing_id, nth, case_id, cause, heard_until, at)
	values (v_end.hearing_id, v_end.nth + 1, v_end.case_id, 'answer', v_now, v_now);
	perform conduct_api_1.meet_deadline(p_matter, 'hearing');
	perform conduct_api_1.set_deadline(p_matter, 'propose', v_now + conduct_api_1.limit_of(case
		when (select f.severity from conduct.case_file f where f.case_id = v_end.case_id) in ('S3', 'S4')
			then 'propose_severe' else 'propose' end));
end
$$;

create or replace function conduct_api_1.party_answer(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_act uuid := gen_random_uuid();
	v_matters uuid[];
	v_matter uuid;
	v_message conduct.message;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_matters := conduct_api_1.party_targets(v_party, 'answer');
	v_message := conduct_api_1.party_say(v_party, conduct_api_1.word_id(p_args -> 'text'), p_word_ids,
		p_word_kinds, p_words);
	foreach v_matter in array v_matters loop
		perform conduct_api_1.move(v_act, v_matter, 'answer',
			p_facts => jsonb_build_object('message', v_message.message_id));
		if v_party.role = 'respondent' then
			perform conduct_api_1.party_end_hearing(v_matter);
		end if;
	end loop;
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

reset role;
