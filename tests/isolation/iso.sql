-- Cases brought to where a race begins. A name stands for the case made last under it, so that each
-- permutation has one of its own. Loaded as conduct_migrate after fixture.sql and acts.psql.

create table w.race (name text primary key, number integer not null);
create sequence w.race_number;
grant select, insert, update on w.race to public;

create function w.iso_name(p_name text) returns void language sql volatile security definer
as $$
	insert into w.race values (p_name, nextval('w.race_number'))
	on conflict (name) do update set number = excluded.number
$$;

create function w.iso_case_name(p_name text) returns text language sql stable security definer
as $$ select p_name || number from w.race where name = p_name $$;

create function w.iso_case(p_name text) returns uuid language sql stable security definer
as $$ select t.id(w.iso_case_name(p_name)) $$;

create function w.iso_submit(p_name text) returns conduct_api_1.answer language sql volatile
as $$ select t.submit(w.iso_case_name(p_name), 'Rep') $$;

create function w.iso_do(p_who text, p_name text, p_action text, p_args jsonb default '{}') returns text
language sql volatile
as $$ select w.do(p_who, w.iso_case_name(p_name), p_action, p_args) $$;

-- The tester ends a step at the first closing brace: arguments stand here.
create function w.iso_dismiss(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, w.iso_case_name(p_name), 'dismiss',
		'{"reason_code": "no_rule", "reason": "w:none", "refer_to": "talk"}')
$$;

create function w.iso_recuse(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, w.iso_case_name(p_name), 'recuse', '{"kind": "full", "reason": "w:a friend"}')
$$;

create function w.iso_assign(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do('Fd', w.iso_case_name(p_name), 'assign', jsonb_build_object('person', w.person_id(p_who)))
$$;

create function w.iso_severity(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, w.iso_case_name(p_name), 'set_severity', '{"severity": "S2", "reason": "w:worse"}')
$$;

-- A claimed case with a witness, whose word is named like the case.
create function w.iso_invite(p_name text) returns text language plpgsql volatile
as $$
declare
	v_case text;
begin
	perform w.iso_name(p_name);
	v_case := w.iso_case_name(p_name);
	perform w.iso_submit(p_name);
	perform w.do('Fd', v_case, 'claim');
	return w.do('Fd', v_case, 'invite_witness', jsonb_build_object('name', 'w:Wit', 'question', 'w:what',
		'word', jsonb_build_object('hash', encode(t.ix('word:' || v_case), 'hex'), 'sealed', '')));
end
$$;

create function w.iso_prove(p_name text, p_receipt text) returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	v_answer := conduct_api_1.receipt_prove(t.ix('word:' || w.iso_case_name(p_name)),
		t.ix(p_receipt || w.iso_case_name(p_name)), t.ix(gen_random_uuid()::text), t.ix('mac'), '',
		decode('00000001' || repeat('ab', 60), 'hex'));
	return v_answer.status;
exception when sqlstate 'UC404' then
	return sqlerrm;
end
$$;

-- A case whose one matter is in review.
create function w.iso_review(p_name text) returns text language plpgsql volatile
as $$
declare
	v_case text;
begin
	perform w.iso_name(p_name);
	v_case := w.iso_case_name(p_name);
	perform w.iso_submit(p_name);
	perform w.do('Fd', v_case, 'claim');
	return w.do('Fd', v_case, 'accept', jsonb_build_object('severity', 'S1', 'reason', 'w:ok', 'allegations',
		jsonb_build_array(jsonb_build_object('rule', 'ucoc/3.1/insults',
			'respondent', w.party_id(v_case, 'respondent')))));
end
$$;

create function w.iso_proposal(p_case text, p_item jsonb) returns jsonb language sql volatile
as $$
	select jsonb_build_object('reasons', 'w:why', 'items', jsonb_build_array(p_item || jsonb_build_object(
			'kind', 'finding', 'allegation', w.allegation(p_case, w.proc(p_case, 'matter')), 'text', 'w:text')),
		'dispositions', jsonb_build_array(jsonb_build_object('respondent', w.party_id(p_case, 'respondent'),
			'disposition', 'no_sanction')))
$$;

-- In deliberation, heard, with a proposal one person may decide.
create function w.iso_deliberate(p_name text) returns text language plpgsql volatile
as $$
declare
	v_case text;
begin
	perform w.iso_review(p_name);
	v_case := w.iso_case_name(p_name);
	perform w.do('Fd', v_case, 'notify_respondent', jsonb_build_object(
		'respondent', w.party_id(v_case, 'respondent'), 'text', 'w:notice', 'lang', 'aa'));
	perform w.shift('8 days');
	return w.do('Fd', v_case, 'propose', w.iso_proposal(v_case, '{"met": "met"}'));
end
$$;

create function w.iso_decide(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, c, 'decide', jsonb_build_object('proposal', w.ballot(c, 'propose'), 'notices',
		jsonb_build_array(
			jsonb_build_object('party', w.party_id(c, 'respondent'), 'text', 'w:told', 'lang', 'aa'),
			jsonb_build_object('party', w.party_id(c, 'reporter'), 'text', 'w:told', 'lang', 'aa'))))
	from w.iso_case_name(p_name) c
$$;

-- A panel of three has two votes in support.
create function w.iso_ballot(p_name text) returns text language plpgsql volatile
as $$
declare
	v_case text;
begin
	perform w.iso_review(p_name);
	v_case := w.iso_case_name(p_name);
	perform w.do('Fd', v_case, 'notify_respondent', jsonb_build_object(
		'respondent', w.party_id(v_case, 'respondent'), 'text', 'w:notice', 'lang', 'aa'));
	perform w.shift('8 days');
	perform w.do('Fd', v_case, 'form_panel', jsonb_build_object('proceedings',
		jsonb_build_array(w.proc(v_case, 'matter')), 'members', jsonb_build_array(w.person_id('Fa'),
		w.person_id('Fb'), w.person_id('Fc'), w.person_id('Fe'))));
	perform w.do('Fd', v_case, 'propose', w.iso_proposal(v_case, '{"met": "met"}'));
	perform w.iso_vote('Fe', p_name, 'support');
	perform w.iso_vote('Fa', p_name, 'support');
	return w.iso_vote('Fb', p_name, 'support');
end
$$;

create function w.iso_vote(p_who text, p_name text, p_vote text) returns text language sql volatile
as $$
	select w.do(p_who, c, 'vote', jsonb_build_object('proposal', w.ballot(c, 'propose'), 'item', 1,
		'vote', p_vote))
	from w.iso_case_name(p_name) c
$$;

create function w.iso_close(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, c, 'close_vote', jsonb_build_object('proposal', w.ballot(c, 'propose')))
	from w.iso_case_name(p_name) c
$$;

create function w.iso_grant(p_who text) returns boolean language sql volatile security definer
as $$ select t.person(p_who, 'functionary', 'aawiki-functionaries') is not null $$;

-- An admin ends the person's grants in force.
create function w.iso_end_grant(p_who text) returns integer language sql volatile security definer
as $$
	select max((conduct_api_1.grant_end(t.ix('id:Admi'), g.grant_id, t.ix(gen_random_uuid()::text), t.ix('mac'))).status)
	from conduct.role_grant g
	where g.person_id = w.person_id(p_who) and g.role = 'functionary' and g.ended_at is null
$$;

-- Declined long ago, with a request of its reporter; the last day to appeal has begun.
create function w.iso_declined(p_name text) returns text language plpgsql volatile security definer
as $$
declare
	v_case text;
	v_epoch bigint;
begin
	perform w.iso_name(p_name);
	v_case := w.iso_case_name(p_name);
	perform w.iso_submit(p_name);
	perform w.do('Fd', v_case, 'claim');
	perform w.do('Fd', v_case, 'decline', '{"reason_code": "no_rule", "reason": "w:none", "refer_to": "talk"}');
	perform conduct_api_1.party_erasure(null, t.ix('receipt:' || v_case), null, t.ix(gen_random_uuid()::text), t.ix('m'));
	perform w.shift('31 days');
	while ((conduct_api_1.timer_run(50)).body ->> 'done')::integer > 0 loop
	end loop;
	update conduct.decision_notice n set appeal_until = conduct.clock() + interval '1 day' where n.case_id = t.id(v_case);
	v_epoch := ((conduct_api_1.audit_begin(true)).body ->> 'epoch')::bigint;
	while ((conduct_api_1.audit_sequence(v_epoch, 1000)).body ->> 'moved')::integer > 0 loop
	end loop;
	return 'declined';
end
$$;

create function w.iso_hold(p_who text, p_name text) returns text language sql volatile
as $$
	select w.do(p_who, w.iso_case_name(p_name), 'hold', jsonb_build_object('reason', 'w:a court asks',
		'until', conduct.clock() + interval '30 days'))
$$;

create function w.iso_appeal(p_name text) returns text language sql volatile
as $$
	select w.party('Rep', c, 'reporter', 'appeal', jsonb_build_object('decision', w.decision(c, 'decline'),
		'items', '[1]'::jsonb, 'grounds', '["factual_error"]'::jsonb, 'reasons', 'w:why'))
	from w.iso_case_name(p_name) c
$$;

-- As the worker does, but that it waits for whoever has the case.
create function w.iso_erase(p_name text) returns text language plpgsql volatile security definer
as $$
begin
	return conduct_gate.erase(w.iso_case(p_name), 'party', w.party_id(w.iso_case_name(p_name), 'reporter'), false);
exception when check_violation then
	return sqlerrm;
end
$$;

create function w.iso_has_words(p_name text) returns boolean language sql stable security definer
as $$
	select exists (select from conduct.content c join conduct.report r on r.unit_id = c.unit_id
		where r.case_id = w.iso_case(p_name) and c.body <> '')
$$;

grant execute on all functions in schema w to public;
select t.people();
