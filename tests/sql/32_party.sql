-- What parties see and do.
select t.people() \g /dev/null
create function t.see(p_case text) returns jsonb language sql volatile
as $$ select (body - 'policy_version') #- '{next_deadline,at}' from conduct_api_1.receipt_show(null, t.ix('receipt:' || p_case), null) $$;
-- State, what may be done, or the refusal.
create function t.do(p_case text, p_action text, p_args jsonb default '{}', p_words text[] default '{}') returns text language sql volatile
as $$ select p_action || ': ' || case when status = 200 then concat_ws(' ', body ->> 'stage', body ->> 'state', body ->> 'allowed_actions',
	body #>> '{next_deadline,what}') else status || ' ' || body end from t.party(p_case, p_action, p_args, p_words) $$;
select (t.submit(n, 'Rep')).status from unnest(array['back', 'grave', 'matter', 'declined', 'settled']) n;
\echo a report
select t.see('back');
select t.do('back', 'answer', '{}', array['text']);
select t.do('back', 'extend');
select t.do('back', 'appeal');
\echo taken back and resumed
select t.do('back', 'resume');
select t.do('back', 'withdraw', '{}', array['reason']);
select t.do('back', 'withdraw');
select t.see('back') ->> 'outcome';
select t.do('back', 'resume');
select t.act('Fa', 'back', 'claim');
update conduct.case_file set severity = 'S3' where case_id = t.id('grave');
select t.act('Fa', 'grave', 'claim');
\echo somebody goes on with a grave one
select t.do('grave', 'withdraw');
select t.do('grave', 'withdraw');
select p.state, y.withdrew_at is not null from conduct.proceeding p join conduct.party y using (case_id)
where p.case_id = t.id('grave') and y.role = 'reporter';
\echo too late to resume
select t.do('back', 'withdraw');
update conduct.clock_offset set shift_seconds = 86400 * 31;
select t.do('back', 'resume');
update conduct.clock_offset set shift_seconds = 0;
\echo messages, each channel its own
select status, body ->> 'from', t.text(m.words[array_position(m.word_ids, t.id('m1'))])
from t.seal(t.id('back:ru'), array[t.id('m1')], array['text'], array['hi']) s, conduct_api_1.receipt_message_post(null, t.ix('receipt:back'), null, t.ix('m1'), t.ix('mac'),
	jsonb_build_object('text', t.id('m1')), s.ids, s.kinds, s.words) m;
select status, body ->> 'from', t.text(m.words[array_position(m.word_ids, t.id('m1'))])
from t.seal(t.id('back:ru'), array[t.id('m1')], array['text'], array['hi']) s, conduct_api_1.receipt_message_post(null, t.ix('receipt:back'), null, t.ix('m1'), t.ix('mac'),
	jsonb_build_object('text', t.id('m1')), s.ids, s.kinds, s.words) m;
select jsonb_array_length(body -> 'items'), body -> 'next', t.text(words[array_position(word_ids, t.id('m1'))]) from conduct_api_1.receipt_messages(null, t.ix('receipt:back'), null, 10, null);
select jsonb_array_length(body -> 'items') from conduct_api_1.receipt_messages(null, t.ix('receipt:matter'), null, 10, null);
\echo a respondent: nothing before the notice
select t.seen('Rasp', 'Rasp') as status;
select t.act('Fa', n, 'claim') from unnest(array['matter', 'declined', 'settled']) n;
select t.accept('Fa', n) from unnest(array['matter', 'settled']) n;
create function t.respondent(p_case text) returns uuid language sql stable
as $$ select party_id from conduct.party where case_id = t.id(p_case) and role = 'respondent' $$;
select body from conduct_api_1.me_participations(t.ix('id:Rasp'));
select t.attempt('before the notice', $$select conduct_api_1.receipt_show(t.ix('id:Rasp'), null, t.respondent('matter'))$$);
select t.act('Fa', 'matter', 'notify_respondent', jsonb_build_object('respondent', t.respondent('matter'), 'lang', 'aa'), array['text']);
select jsonb_path_query_array(body, '$.items[*].role'), jsonb_path_query_array(body, '$.items[*].state') from conduct_api_1.me_participations(t.ix('id:Rasp'));
select h.served_at is null from conduct.hearing h;
select body ->> 'role', body ->> 'state', body -> 'allowed_actions', body #>> '{allegations,0,rule}', body #>> '{notice,lang}', jsonb_array_length(body -> 'allegations'),
	body::text like '%' || (select party_id::text from conduct.party where case_id = t.id('matter') and role = 'reporter') || '%'
from conduct_api_1.receipt_show(t.ix('id:Rasp'), null, t.respondent('matter'));
select h.served_how from conduct.hearing h;
select t.attempt('another account', $$select conduct_api_1.receipt_show(t.ix('id:Fb'), null, t.respondent('matter'))$$);
select t.attempt('a participation that is not there', $$select conduct_api_1.receipt_show(t.ix('id:Rasp'), null, t.id('nix'))$$);
\echo asking for time, once, and answering
create function t.rasp(p_action text, p_key text, p_args jsonb default '{}', p_words text[] default '{}') returns text language plpgsql
as $$
declare
	v_answer conduct_api_1.answer;
	v_args jsonb := p_args;
	v_name text;
	v_words t.words := t.seal(t.id('matter'), array(select t.id(p_key || w) from unnest(p_words) w), p_words);
begin
	foreach v_name in array p_words loop
		v_args := jsonb_set(v_args, array[v_name], to_jsonb(t.id(p_key || v_name)));
	end loop;
	execute format('select * from conduct_api_1.party_%s($1, null, $2, $3, $4, $5, $6, $7, $8)', p_action) into v_answer
	using t.ix('id:Rasp'), t.respondent('matter'), t.ix(p_key), t.ix('mac'), v_args, v_words.ids, v_words.kinds, v_words.words;
	return p_action || ': ' || v_answer.status || ' ' || (v_answer.body ->> 'allowed_actions');
exception when others then
	return p_action || ': ' || sqlstate || ' ' || sqlerrm;
end
$$;
select t.rasp('withdraw', 'k1');
select t.rasp('extend', 'k2');
select t.rasp('extend', 'k2');
select t.rasp('extend', 'k3');
select t.rasp('answer', 'k4');
select t.rasp('answer', 'k5', '{}', array['text']);
select e.cause, e.heard_until <= conduct.clock() from conduct.hearing_end e order by e.nth;
select t.do('matter', 'answer', '{}', array['text']);
select e.action, e.role, e.moves from conduct.event e where e.case_id = t.id('matter') and e.kind = 'matter' order by e.seq;
\echo settled, and objected to
select t.act('Fa', 'settled', 'notify_respondent', jsonb_build_object('respondent', t.respondent('settled'), 'lang', 'aa'), array['text']);
select t.act('Fa', 'settled', 'resolve_informally', '{}', array['advice']);
select t.do('settled', 'object', '{}', array['reason']);
select t.act('Fa', 'settled', 'resolve_informally', '{}', array['advice']);
update conduct.clock_offset set shift_seconds = 86400 * 15;
select t.do('settled', 'object');
select body from conduct_api_1.timer_run(100);
select t.see('settled') ->> 'state', t.see('settled') ->> 'outcome', closed_at is not null from conduct.case_file where case_id = t.id('settled');
update conduct.clock_offset set shift_seconds = 0;
\echo declined, and appealed
select t.act('Fa', 'declined', 'decline', '{"reason_code": "insufficient", "refer_to": "the talk page"}', array['reason']);
create function t.decision(p_case text) returns jsonb language sql stable
as $$ select jsonb_build_object('decision', decision_id, 'grounds', '["factual_error"]'::jsonb) from conduct.decision where case_id = t.id(p_case) order by at limit 1 $$;
select x.d ->> 'kind', x.d ->> 'outcome', x.d ->> 'reason_code', x.d -> 'items' from (select t.see('declined') #> '{decisions,0}' as d) x;
select t.do('declined', 'appeal', t.decision('declined') || '{"items": [7]}', array['reasons']);
select t.do('declined', 'appeal', t.decision('declined') || '{"grounds": ["spite"]}', array['reasons']);
select t.do('declined', 'appeal', t.decision('declined') || '{"decision": "nix"}', array['reasons']);
select t.do('declined', 'appeal', t.decision('declined'));
select t.do('matter', 'appeal', t.decision('declined'), array['reasons']);
select t.do('declined', 'appeal', t.decision('declined'), array['reasons']);
select t.do('declined', 'appeal', t.decision('declined'), array['reasons']);
select p.body_id, p.instance, p.nth, p.is_reconsideration, i.item, c.grounds from conduct.proceeding p
join conduct.appeal_item i using (proceeding_id) join conduct.appeal_claim c using (proceeding_id) where p.case_id = t.id('declined');
select t.do('declined', 'withdraw_appeal', '{}', array['reason']);
select t.do('declined', 'withdraw_appeal');
select t.do('declined', 'appeal', t.decision('declined'), array['reasons']);
select t.do('declined', 'appeal', t.decision('declined') || '{"grounds": ["new_information"]}', array['reasons']);
update conduct.clock_offset set shift_seconds = 86400 * 31;
select t.do('declined', 'withdraw_appeal');
select t.do('declined', 'appeal', t.decision('declined') || '{"grounds": ["new_information"]}', array['reasons']);
