-- Appeals against decisions on the merits: who may, who else may join, where they go, and that time
-- closes the chain when nothing is left.
select t.people() \g /dev/null
select t.seen('Rasp', 'Rasp') as status;
create function t.party_id(p_case text, p_role text) returns uuid language sql stable
as $$ select party_id from conduct.party where case_id = t.id(p_case) and role = p_role order by seq limit 1 $$;
create function t.at(p_days numeric) returns text language plpgsql volatile
as $$
begin
	update conduct.clock_offset set shift_seconds = (p_days * 86400)::bigint;
	return 'day ' || p_days || ': ' || ((conduct_api_1.timer_run(100)).body ->> 'failed') || ' failed';
end
$$;
-- One functionary: claim, accept, notice, the hearing waited out, one finding, one disposition, the decision.
create function t.proposed(p_case text, p_met text, p_disposition text, p_sanction text) returns text language plpgsql volatile
as $$
declare
	v_items jsonb := jsonb_build_array(jsonb_build_object('kind', 'finding', 'met', p_met, 'respondent', t.party_id(p_case, 'respondent'),
		'allegation', (select allegation_id from conduct.allegation where case_id = t.id(p_case)), 'text', t.id(p_case || ':finding')));
	v_revision integer := (select f.revision from conduct.case_file f where f.case_id = t.id(p_case));
	v_words uuid[] := array[t.id(p_case || ':reasons'), t.id(p_case || ':finding')];
	v_sealed t.words;
begin
	if p_sanction is not null then
		v_items := v_items || jsonb_build_object('kind', 'sanction', 'sanction', p_sanction, 'respondent', t.party_id(p_case, 'respondent'),
			'until', conduct.clock() + interval '20 days', 'text', t.id(p_case || ':sanction'));
		v_words := v_words || t.id(p_case || ':sanction');
	end if;
	v_sealed := t.seal(t.id(p_case), v_words, array_fill('text'::text, array[cardinality(v_words)]));
	return 'propose: ' || (conduct_api_1.case_propose(t.ix('id:Fa'), t.id(p_case), v_revision, t.ix(p_case || 'p'), t.ix('mac'),
		jsonb_build_object('items', v_items, 'reasons', v_words[1], 'dispositions', jsonb_build_array(jsonb_build_object(
			'respondent', t.party_id(p_case, 'respondent'), 'disposition', p_disposition))),
		v_sealed.ids, v_sealed.kinds, v_sealed.words)).status;
end
$$;
create function t.decided(p_case text) returns text language plpgsql volatile
as $$
declare
	v_parties uuid[] := array[t.party_id(p_case, 'reporter'), t.party_id(p_case, 'respondent')];
	v_revision integer := (select f.revision from conduct.case_file f where f.case_id = t.id(p_case));
	v_words t.words := t.seal(t.id(p_case), array(select t.id('notice:' || y) from unnest(v_parties) y),
		array['text', 'text']);
begin
	return 'decide: ' || (conduct_api_1.case_decide(t.ix('id:Fa'), t.id(p_case), v_revision, t.ix(p_case || 'd'), t.ix('mac'),
		jsonb_build_object('proposal', (select ballot_id from conduct.ballot where case_id = t.id(p_case)), 'notices', (
			select jsonb_agg(jsonb_build_object('party', y, 'lang', 'aa', 'text', t.id('notice:' || y))) from unnest(v_parties) y)),
		v_words.ids, v_words.kinds, v_words.words)).status;
end
$$;
create function t.appeal(p_case text, p_role text, p_key text, p_grounds text default 'factual_error', p_items jsonb default null)
returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
	v_is_reporter boolean := p_role = 'reporter';
	v_words t.words := t.seal(t.id(p_case || case when v_is_reporter then ':ru' else '' end), array[t.id(p_key)],
		array['reasons']);
begin
	v_answer := conduct_api_1.party_appeal(case when not v_is_reporter then t.ix('id:Rasp') end,
		case when v_is_reporter then t.ix('receipt:' || p_case) end, case when not v_is_reporter then t.party_id(p_case, 'respondent') end,
		t.ix(p_key), t.ix('mac'), jsonb_strip_nulls(jsonb_build_object('decision', (select decision_id from conduct.decision
			where case_id = t.id(p_case) order by at desc limit 1), 'grounds', jsonb_build_array(p_grounds), 'items', p_items,
			'reasons', t.id(p_key))), v_words.ids, v_words.kinds, v_words.words);
	return p_role || ' appeals: ' || v_answer.status || ' ' || (v_answer.body ->> 'stage') || ' ' || (v_answer.body ->> 'state');
exception when others then
	return p_role || ' appeals: ' || sqlstate || ' ' || sqlerrm;
end
$$;
select (t.submit(n, 'Rep')).status from unnest(array['blocked', 'cleared', 'advised']) n;
select t.act('Fa', n, 'claim') from unnest(array['blocked', 'cleared', 'advised']) n;
select t.accept('Fa', n) from unnest(array['blocked', 'cleared', 'advised']) n;
select t.act('Fa', n, 'notify_respondent', jsonb_build_object('respondent', t.party_id(n, 'respondent'), 'lang', 'aa'), array['text'])
from unnest(array['blocked', 'cleared', 'advised']) n;
select t.at(8);
select t.proposed('blocked', 'met', 'sanction', 'block'), t.proposed('cleared', 'not_met', 'no_violation', null),
	t.proposed('advised', 'met', 'advised', null);
select t.decided(n) from unnest(array['blocked', 'cleared', 'advised']) n;
\echo the respondent reads all, the reporter a class
select body ->> 'outcome', jsonb_path_query_array(body, '$.decisions[*].items[*].kind'), body -> 'allowed_actions',
	body #> '{decisions,0,items,1,sanction}' from conduct_api_1.receipt_show(t.ix('id:Rasp'), null, t.party_id('blocked', 'respondent'));
select body ->> 'outcome', jsonb_path_query_array(body, '$.decisions[*].items[*].kind'), body -> 'allowed_actions',
	body #> '{decisions,0,items,1,sanction}' from conduct_api_1.receipt_show(null, t.ix('receipt:blocked'), null);
\echo who is affected
select t.appeal('cleared', 'respondent', 'a1');
select t.appeal('advised', 'reporter', 'a2');
select t.appeal('advised', 'respondent', 'a3');
\echo the others are told and may join, a week at least
select t.at(36);
select t.appeal('blocked', 'respondent', 'a4', 'disproportionate', '[2]');
select y.role, round(extract(epoch from n.appeal_until - d.at) / 3600) from conduct.decision_notice n join conduct.decision d using (decision_id)
join conduct.party y using (party_id) where d.case_id = t.id('blocked') order by 1;
select t.at(42);
select t.appeal('blocked', 'reporter', 'a5');
select t.appeal('cleared', 'reporter', 'a6');
select p.body_id, p.instance, p.nth, p.is_reconsideration, y.role, array_agg(i.item order by i.item)
from conduct.proceeding p join conduct.party y on y.party_id = p.appellant_id join conduct.appeal_item i using (proceeding_id)
where p.case_id = t.id('blocked') group by 1, 2, 3, 4, 5 order by 5;
select d.what, round(extract(epoch from d.due_at - p.opened_at) / 3600), d.is_void from conduct.deadline d join conduct.proceeding p using (proceeding_id)
where p.case_id = t.id('blocked') and p.kind = 'appeal' order by p.opened_at, 1;
\echo a sanction runs out, an appeal open or not
select t.at(45);
select standing from conduct.sanction;
select t.at(120);
select x, f.closed_at is not null, array_agg(p.kind || ' ' || p.state order by p.opened_at, p.kind, p.state)
from unnest(array['blocked', 'cleared', 'advised']) x join conduct.case_file f on f.case_id = t.id(x)
join conduct.proceeding p using (case_id) group by 1, 2 order by 1;
select e.action, count(*) from conduct.event e where e.role = 'system' group by 1 order by 1;
