-- Who a hidden party is, and words that become receipts.
select t.people() \g /dev/null
create function t.of(p_case text, p_role text) returns uuid language sql stable
as $$ select party_id from conduct.party where case_id = t.id(p_case) and role = p_role order by seq desc limit 1 $$;
-- The last answer of an act, or its refusal with what it points at.
create function t.try(p_who text, p_case text, p_action text, p_args jsonb default '{}', p_word text default 'reason')
returns jsonb language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
	v_key text := p_who || p_case || p_action || clock_timestamp();
	v_detail text;
	v_words t.words := t.seal(t.id(p_case), array[t.id(v_key)], array[p_word]);
begin
	execute format('select * from conduct_api_1.case_%s($1, $2, null, $3, $4, $5, $6, $7, $8)', p_action)
	into v_answer using t.ix('id:' || p_who), t.id(p_case), t.ix(v_key), t.ix('mac'),
		p_args || jsonb_build_object(p_word, t.id(v_key)), v_words.ids, v_words.kinds, v_words.words;
	set constraints all immediate;
	set constraints all deferred;
	return coalesce(v_answer.body, '{}') || jsonb_build_object('status', v_answer.status);
exception when others then
	get stacked diagnostics v_detail = pg_exception_detail;
	return jsonb_build_object('status', sqlstate, 'key', sqlerrm, 'at', case when v_detail like '{%'
		then v_detail::jsonb #> '{errors,0}' end);
end
$$;
create function t.open(p_who text, p_case text, p_confirm jsonb default null, p_party uuid default null) returns jsonb language sql volatile
as $$ select t.try(p_who, p_case, 'open_identity', jsonb_build_object('party', coalesce(p_party, t.of(p_case, 'reporter')))
	|| case when p_confirm is null then '{}' else jsonb_build_object('confirm', p_confirm) end) $$;
create function t.short(p jsonb) returns text language sql immutable
as $$ select concat_ws(' ', p ->> 'status', p ->> 'key', p ->> 'at', case when p ? 'pending' then 'pending' end) $$;
-- What somebody is shown of a party.
create function t.shown(p_who text, p_case text, p_role text) returns jsonb language sql volatile
as $$ select y - 'id' - 'notified_at' - 'body' from conduct_api_1.case_show(t.ix('id:' || p_who), t.id(p_case)) a, jsonb_array_elements(a.body -> 'parties') y
	where y ->> 'role' = p_role order by y ->> 'pseudonym' desc limit 1 $$;
create function t.dull(p jsonb) returns jsonb language sql immutable
as $$ select regexp_replace(regexp_replace(p::text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'ID', 'g'), '\d{4}-\d\d-\d\dT[0-9:]+Z', 'TIME', 'g')::jsonb $$;
create function t.told(p_case text) returns jsonb language sql volatile
as $$ select t.dull(body -> 'identity_opened') from conduct_api_1.receipt_show(null, t.ix('receipt:' || p_case), null) $$;
create function t.claimed(p_case text, p_who text, p_more jsonb default '{}') returns text language sql volatile
as $$ select (t.submit(p_case, p_who, p_more)).status || ' ' || t.act('Fa', p_case, 'claim') $$;

\echo pseudonyms
select t.claimed('one', 'Rep', '{"targets": [{"self": true}]}');
select t.claimed('nobody', null);
select t.claimed('named', 'Rep', '{"identity": "named"}');
select t.shown('Fa', 'one', r), t.shown('Fb', 'one', r) = t.shown('Fa', 'one', r) from unnest(array['reporter', 'target', 'respondent']) r;

\echo by two, and the party is told
select t.short(t.open('Fa', 'nobody'));
select t.short(t.open('Fa', 'named'));
select t.short(t.open('Fa', 'one', null, t.of('nobody', 'reporter')));
select t.short(t.open('Ba', 'one'));
select t.open('Fa', 'one') as first \gset
select t.short(:'first');
select t.told('one'), t.shown('Fa', 'one', 'reporter') -> 'user';
select t.short(t.open('Fa', 'one', :'first'::jsonb -> 'pending'));
select t.short(t.open('Fb', 'one', to_jsonb(t.id('nix'))));
select t.short(t.open('Fb', 'one', :'first'::jsonb -> 'pending', t.of('one', 'target')));
\echo one person with two accounts is one
insert into conduct.unit values (t.id('twin unit'), 'person', conduct.clock());
insert into conduct.content (content_id, unit_id, kind, body) values (t.id('twin name'), t.id('twin unit'), 'name', t.sealed('Twin'));
insert into conduct.person (person_id, principal_id, unit_id, seen_at) select t.id('twin'), p.principal_id, t.id('twin unit'), conduct.clock()
from conduct.person p join conduct.person_account a using (person_id) where a.id_ix = t.ix('id:Fa');
insert into conduct.person_account (id_ix, name_ix, skeleton_ix, person_id, name_content) values (t.ix('id:Twin'), t.ix('name:Twin'), t.ix('skeleton:twin'), t.id('twin'), t.id('twin name'));
select t.person('Twin', 'functionary', 'aawiki-functionaries') = t.id('twin');
select t.short(t.open('Twin', 'one', :'first'::jsonb -> 'pending'));
\echo somebody who is out of the case has never asked
begin;
select t.act('Fa', 'one', 'recuse', '{"kind": "full"}');
select t.short(t.open('Fa', 'one'));
select t.short(t.open('Fb', 'one', :'first'::jsonb -> 'pending'));
rollback;
select t.short(t.open('Fb', 'one', :'first'::jsonb -> 'pending'));
select t.told('one');
select w, t.dull(t.shown(w, 'one', 'reporter')) from unnest(array['Fa', 'Fb', 'Fc']) w;
select t.dull(t.shown('Fb', 'one', 'target'));
select e.action, e.role, e.facts - 'opening' - 'party' from conduct.event e where e.case_id = t.id('one') order by e.seq desc limit 1;
select p.event, count(*) from conduct.audit_pending p where p.event in ('case.open_identity', 'identity.read', 'identity_opening.insert') group by 1 order by 1;
select o.kind, count(*) from conduct.outbox o where o.case_id = t.id('one') and o.kind = 'identity_opened' group by 1;
\echo somebody later asks for themselves, with whoever has seen it
select t.open('Fc', 'one') as later \gset
select t.short(t.open('Fa', 'one', :'later'::jsonb -> 'pending'));
select t.shown('Fc', 'one', 'reporter') #> '{identity_opened,user}' is not null, jsonb_array_length(t.told('one'));

\echo in an emergency at once; the second confirms
select (t.submit(n, 'Rep', '{"lane": "emergency", "harm_type": "physical_harm"}')).status from unnest(array['quick', 'late', 'back']) n;
select (t.submit('welfare', 'Rep', '{"harm_type": "self_harm"}')).status;
select t.open('Ta', 'quick') as alone \gset
select t.short(:'alone'), (select y #> '{identity_opened,user}' is not null from jsonb_array_elements(:'alone'::jsonb -> 'parties') y where y ->> 'role' = 'reporter');
select d.what, d.due_at - conduct.clock() < interval '91 days' from conduct.deadline d where d.case_id = t.id('quick') and d.proceeding_id is null order by 1;
select t.told('quick'), t.shown('Tb', 'quick', 'reporter') -> 'identity_opened' ? 'user';
select t.short(t.open('Ta', 'quick', :'alone'::jsonb -> 'pending'));
select t.short(t.open('Tb', 'quick'));
select t.short(t.open('Tb', 'quick', to_jsonb(t.id('nix'))));
select t.short(t.open('Tb', 'quick', :'alone'::jsonb -> 'pending'));
select t.short(t.open('Tc', 'quick', :'alone'::jsonb -> 'pending'));
select t.shown('Tb', 'quick', 'reporter') -> 'identity_opened' ? 'user', t.told('quick');
select t.attempt('confirmed by another', format('update conduct.identity_opening set second_person = first_person where case_id = %L', t.id('quick')));
\echo nobody has confirmed: the ombud is told
select t.open('Ta', 'late') as late \gset
update conduct.clock_offset set shift_seconds = 86400 + 60;
select body from conduct_api_1.timer_run(100);
select o.case_id = t.id('late'), o.facts - 'party' from conduct.outbox o where o.kind = 'ombud';
select t.short(t.open('Tb', 'late', :'late'::jsonb -> 'pending'));
select t.told('late');
\echo the danger is over, or nobody has said so for too long
select t.open('Tb', 'back') as back \gset
select t.short(t.open('Tc', 'welfare'));
select t.act('Ta', 'back', 'hand_back', '{"outcome": "no_emergency", "to_state": "triage"}', array['reason']);
select t.told('back'), t.told('late');
update conduct.clock_offset set shift_seconds = 86400 * 89;
select body ->> 'failed' from conduct_api_1.timer_run(100);
select t.told('late'), t.told('quick'), t.told('welfare');
update conduct.clock_offset set shift_seconds = 86400 * 92;
select body ->> 'failed' from conduct_api_1.timer_run(100);
select t.told('welfare');
select o.case_id = t.id('back') from conduct.outbox o where o.kind = 'ombud' order by 1;
update conduct.clock_offset set shift_seconds = 0;
\echo back on the ordinary way one does nothing alone
select t.short(t.open('Fa', 'back'));

\echo rows that no function writes
select t.attempt('one alone', format($$insert into conduct.identity_opening (opening_id, case_id, party_id, proceeding_id, event_seq, role, is_emergency, first_person, reason_content, opened_at)
	select gen_random_uuid(), case_id, party_id, proceeding_id, event_seq, role, false, first_person, reason_content, opened_at from conduct.identity_opening where case_id = %L limit 1$$, t.id('one')));
select t.attempt('no emergency', format($$insert into conduct.identity_opening (opening_id, case_id, party_id, proceeding_id, event_seq, role, is_emergency, first_person, reason_content, opened_at)
	select gen_random_uuid(), case_id, party_id, proceeding_id, event_seq, role, true, first_person, reason_content, opened_at from conduct.identity_opening where case_id = %L limit 1$$, t.id('one')));
select t.attempt('without its act', format($$insert into conduct.identity_opening (opening_id, case_id, party_id, proceeding_id, event_seq, role, is_emergency, first_person, second_person, reason_content, opened_at, confirmed_at)
	select gen_random_uuid(), case_id, party_id, proceeding_id, 1, role, false, first_person, second_person, reason_content, opened_at, confirmed_at from conduct.identity_opening where case_id = %L limit 1$$, t.id('one')));
select t.attempt('untold', format('update conduct.identity_opening set told_at = null where case_id = %L', t.id('one')));
select t.attempt('forgotten', 'delete from conduct.identity_opening');

\echo a witness
create function t.word(p_name text) returns jsonb language sql immutable
as $$ select jsonb_build_object('word', jsonb_build_object('hash', encode(t.ix('word:' || p_name), 'hex'), 'sealed', 'SEALED')) $$;
-- user is a word as well.
create function t.invite(p_who text, p_case text, p_name text, p_as text default 'user') returns jsonb language plpgsql volatile
as $$
declare
	v_id uuid := gen_random_uuid();
	v_unit uuid := (select unit_id from conduct.case_file where case_id = t.id(p_case));
begin
	insert into conduct.content (content_id, unit_id, kind, body) values (v_id, v_unit, 'name', t.sealed(p_name));
	return t.try(p_who, p_case, 'invite_witness', t.word(p_case || p_name) || jsonb_build_object(p_as, v_id)
		|| case p_as when 'user' then t.user(p_name) - 'user' else '{}' end, 'question');
end
$$;
create function t.prove(p_word text, p_receipt text, p_key text default gen_random_uuid()::text) returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	v_answer := conduct_api_1.receipt_prove(t.ix('word:' || p_word), t.ix('receipt:' || p_receipt), t.ix(p_key), t.ix('mac'), '\x5ea1ed',
		case when (conduct_api_1.word_place(t.ix('word:' || p_word))).body ? 'vault' then decode('00000001' || repeat('ab', 60), 'hex') end);
	set constraints all immediate;
	set constraints all deferred;
	return v_answer.status || ' ' || v_answer.body;
exception when others then
	return sqlstate || ' ' || sqlerrm;
end
$$;
select t.short(t.invite('Fa', 'one', 'Rasp'));
select t.short(t.try('Fa', 'one', 'invite_witness', t.word('none'), 'question'));
select t.short(t.invite('Ba', 'one', 'Wit'));
select t.invite('Fa', 'one', 'Wit') as invited \gset
select t.short(:'invited'), :'invited'::jsonb ->> 'sealed_word', :'invited'::jsonb ->> 'party' = t.of('one', 'witness')::text;
select t.short(t.invite('Fa', 'one', 'Wit'));
select t.short(t.invite('Fa', 'one', 'Somebody', 'name'));
\echo a hidden reporter is invited like anybody
select t.short(t.invite('Fa', 'one', 'Rep'));
select t.dull(t.shown('Fa', 'one', 'witness'));
\echo the word becomes a receipt, once
select t.prove('nix', 'w1');
select t.prove('oneWit', 'w1', 'k1');
select t.prove('oneWit', 'w1', 'k1');
select t.prove('oneWit', 'w2');
select t.prove('oneSomebody', 'w3');
select body ->> 'role', body -> 'state', body -> 'allowed_actions', body -> 'allegations', body -> 'decisions' from conduct_api_1.receipt_show(null, t.ix('receipt:w1'), null);
select jsonb_path_query_array(body, '$.items[*].from') from conduct_api_1.receipt_messages(null, t.ix('receipt:w1'), null, 10, null);
select jsonb_path_query_array(body, '$.items[*].from') from conduct_api_1.receipt_messages(null, t.ix('receipt:one'), null, 10, null);
select status, body ->> 'from' from t.seal(t.id('one'), array[t.id('wm')], array['text'], array['hi']) s, conduct_api_1.receipt_message_post(null, t.ix('receipt:w1'), null, t.ix('wm'), t.ix('mac'),
	jsonb_build_object('text', t.id('wm')), s.ids, s.kinds, s.words);
select t.attempt('without naming whom', $$select conduct_api_1.case_messages(t.ix('id:Fa'), t.id('one'), 'witness', null, 10, null)$$);
select jsonb_array_length(body -> 'items') from conduct_api_1.case_messages(t.ix('id:Fa'), t.id('one'), 'witness', (:'invited'::jsonb ->> 'party')::uuid, 10, null);
select e.action, e.role, e.actor_person is null, e.actor_party = (:'invited'::jsonb ->> 'party')::uuid from conduct.event e
where e.case_id = t.id('one') and e.action = 'prove' order by e.seq limit 1;
\echo an account finds its invitation, and is out of the case as a handler
select t.seen('Wit', 'Wit');
select jsonb_path_query_array(body, '$.items[*].role') from conduct_api_1.me_participations(t.ix('id:Wit'));
select t.short(t.invite('Fa', 'one', 'Fd'));
select t.attempt('a handler who was invited', $$select conduct_api_1.case_show(t.ix('id:Fd'), t.id('one'))$$);
\echo too late, and no longer wanted
select t.claimed('dead', 'Rep');
select t.short(t.invite('Fa', 'dead', 'Wit'));
select t.act('Fa', 'dead', 'decline', '{"reason_code": "insufficient", "refer_to": "the talk page"}', array['reason']);
select t.prove('deadWit', 'w4');
update conduct.clock_offset set shift_seconds = 86400 * 29;
select t.prove('oneFd', 'w5');
update conduct.clock_offset set shift_seconds = 0;
select t.attempt('unspent again', 'update conduct.one_time_word set spent_at = null where spent_at is not null');
select t.attempt('for longer', $$update conduct.one_time_word set expires_at = expires_at + interval '1 day'$$);

\echo a respondent without an account
select t.claimed('unknown', 'Rep', jsonb_build_object('respondents', jsonb_build_array(jsonb_build_object('unknown', t.id('unknown:details')))));
select t.accept('Fa', 'unknown');
select t.try('Fa', 'unknown', 'notify_respondent', t.word('unknown') || jsonb_build_object('respondent', t.of('unknown', 'respondent'), 'lang', 'aa'), 'text') ->> 'sealed_word';
select t.prove('unknown', 'w6');
select body ->> 'role', body ->> 'state', body -> 'allowed_actions' from conduct_api_1.receipt_show(null, t.ix('receipt:w6'), null);
