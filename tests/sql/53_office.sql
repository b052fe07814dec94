-- An office action is reviewed, remanded, and decided anew by two of the staff; and two appeals against one
-- decision are decided in one act, one sanction made milder.
\ir acts.psql
select t.people() \g /dev/null
select count(t.person(n, 'crc_member', 'crc')) from unnest(array['Ca', 'Cb', 'Cc', 'Cd', 'Ce']) n;
select t.seen('Rasp', 'Rasp', 'aawiki') as status;
\echo == office action
select (t.submit('o1', 'Rep')).status;
select w.do('Fa', 'o1', 'escalate', '{"to": "ts", "reason": "w:danger"}');
select w.do('Ta', 'o1', 'hand_back', '{"outcome": "welfare_handled", "to_state": "handed_over", "reason": "w:no"}');
select w.do('Ta', 'o1', 'hand_back', '{"outcome": "acted", "to_state": "handed_over", "reason": "w:done"}');
select w.party('Rasp', 'o1', 'respondent', 'appeal', jsonb_build_object('decision', w.decision('o1', 'record'),
	'items', '[1]'::jsonb, 'grounds', '["factual_error"]'::jsonb, 'reasons', 'w:why'));
select w.show('o1');
select w.do('Ta', 'o1', 'accept_appeal');
select w.do('Ca', 'o1', 'accept_appeal', jsonb_build_object('panel', (select jsonb_agg(w.person_id(n)) from unnest(array['Ca', 'Cb', 'Cc', 'Cd', 'Ce']) n)));
select w.do('Ca', 'o1', 'put_to_vote', '{"motion": "remand", "reasons": "w:why"}');
select w.do(n, 'o1', 'vote', jsonb_build_object('proposal', w.ballot('o1', 'remand'), 'item', 0, 'vote', 'support'))
from unnest(array['Ca', 'Cb', 'Cc', 'Cd', 'Ce']) n;
select w.do('Ca', 'o1', 'close_vote', jsonb_build_object('proposal', w.ballot('o1', 'remand')));
select w.do('Ca', 'o1', 'remand', '{"reason": "w:again"}');
select w.shift('190 days');
select w.do('Ca', 'o1', 'remand', '{"reason": "w:again"}');
select w.show('o1');
select w.do('Ta', 'o1', 'notify_respondent', jsonb_build_object('respondent', w.party_id('o1', 'respondent'), 'text', 'w:n', 'lang', 'aa'));
select w.do('Tb', 'o1', 'notify_respondent', jsonb_build_object('respondent', w.party_id('o1', 'respondent'), 'text', 'w:n', 'lang', 'aa'));
select w.do('Tb', 'o1', 'grant_extension', jsonb_build_object('party', w.party_id('o1', 'respondent')));
select w.do('Tb', 'o1', 'grant_extension', jsonb_build_object('party', w.party_id('o1', 'respondent')));
select w.shift('8 days');
create function w.ban(p_case text, p_kind text, p_until timestamptz) returns jsonb language sql volatile
as $$
	select jsonb_build_object('reasons', 'w:why', 'items', jsonb_build_array(
			jsonb_build_object('kind', 'principle', 'text', 'w:p'),
			jsonb_build_object('kind', 'finding', 'text', 'w:f', 'met', 'met', 'allegation',
				w.allegation(p_case, w.proc(p_case, 'matter'))),
			jsonb_build_object('kind', 'sanction', 'text', 'w:s', 'sanction', p_kind, 'until', p_until)),
		'dispositions', jsonb_build_array(jsonb_build_object('respondent', w.party_id(p_case, 'respondent'),
			'disposition', 'sanction')))
$$;
create function w.notices(p_case text) returns jsonb language sql volatile
as $$
	select jsonb_agg(jsonb_build_object('party', w.party_id(p_case, r), 'text', 'w:told', 'lang', 'aa'))
	from unnest(array['respondent', 'reporter']) r
$$;
select w.do('Tb', 'o1', 'propose', w.ban('o1', 'block', conduct.clock() + interval '400 days'));
select w.shift('8 days');
select w.do('Tb', 'o1', 'propose', w.ban('o1', 'block', conduct.clock() + interval '400 days'));
select w.do('Tb', 'o1', 'decide', jsonb_build_object('proposal', w.ballot('o1', 'propose'), 'notices', w.notices('o1')));
select w.do('Tb', 'o1', 'decide', jsonb_build_object('proposal', w.ballot('o1', 'propose'), 'notices', w.notices('o1'), 'confirm', w.last('{pending}')));
select w.do('Tc', 'o1', 'decide', jsonb_build_object('proposal', w.ballot('o1', 'propose'), 'notices', w.notices('o1'), 'confirm', w.last('{pending}')));
select w.do('Tb', 'o1', 'decide', jsonb_build_object('proposal', w.ballot('o1', 'propose'), 'notices', w.notices('o1')));
select w.do('Tc', 'o1', 'decide', jsonb_build_object('proposal', w.ballot('o1', 'propose'), 'notices', w.notices('o1'), 'confirm', w.last('{pending}')));
select w.show('o1');
select kind, voters, quorum, decider is not null, second_person is not null, outcome from conduct.decision
where case_id = t.id('o1') order by at;
\echo == two appeals, one act
select (t.submit('o2', 'Rep')).status;
select w.do('Fa', 'o2', 'claim');
select w.do('Fa', 'o2', 'accept', jsonb_build_object('severity', 'S2', 'reason', 'w:ok', 'allegations', jsonb_build_array(
	jsonb_build_object('rule', 'ucoc/3.1/insults', 'respondent', w.party_id('o2', 'respondent')))));
select w.do('Fa', 'o2', 'notify_respondent', jsonb_build_object('respondent', w.party_id('o2', 'respondent'), 'text', 'w:n', 'lang', 'aa'));
select w.shift('8 days');
select w.do('Fb', 'o2', 'propose', w.ban('o2', 'block', conduct.clock() + interval '30 days'));
select w.do('Fb', 'o2', 'decide', jsonb_build_object('proposal', w.ballot('o2', 'propose'), 'notices', w.notices('o2')));
select w.party(p, 'o2', r, 'appeal', jsonb_build_object('decision', w.decision('o2', 'decide'),
	'items', i, 'grounds', '["disproportionate"]'::jsonb, 'reasons', 'w:why'))
from (values ('Rasp', 'respondent', '[2, 3]'::jsonb), ('Rep', 'reporter', '[3]')) x (p, r, i);
select w.do('Aa', 'o2', 'accept_appeal', jsonb_build_object('proceedings', jsonb_build_array(w.proc('o2', 'appeal', 2)),
	'panel', (select jsonb_agg(w.person_id(n)) from unnest(array['Aa', 'Ab', 'Ac']) n)));
create function w.outcomes(p_until timestamptz) returns jsonb language sql stable
as $$
	select jsonb_build_object('proceedings', jsonb_build_array(w.proc('o2', 'appeal', 2)), 'motion', 'decide_appeal',
		'reasons', 'w:why', 'items', jsonb_build_array('{"item": 2, "outcome": "ratified"}'::jsonb,
			jsonb_build_object('item', 3, 'outcome', 'modified', 'until', p_until, 'text', 'w:less')))
$$;
select w.do('Aa', 'o2', 'put_to_vote', w.outcomes(conduct.clock() + interval '90 days'));
select w.do('Aa', 'o2', 'put_to_vote', jsonb_set(w.outcomes(conduct.clock()), '{items,1}', '{"item": 2, "outcome": "ratified"}'));
select w.do('Aa', 'o2', 'put_to_vote', w.outcomes(conduct.clock() + interval '20 days'));
select w.do(n, 'o2', 'vote', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal'), 'item', i, 'vote', 'support'))
from unnest(array['Aa', 'Ab', 'Ac']) n, generate_series(1, 2) i;
select w.do('Aa', 'o2', 'close_vote', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal')));
select w.shift('5 days');
select w.do('Aa', 'o2', 'decide_appeal', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal'), 'notices', w.notices('o2')));
select w.do('Aa', 'o2', 'accept_appeal');
select w.do('Aa', 'o2', 'decide_appeal', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal'), 'notices', w.notices('o2')));
select w.show('o2');
select w.sanctions('o2');
select d.outcome, i.item, i.outcome, i.has_passed from conduct.decision d join conduct.decision_item i on i.decision_id = d.decision_id
where d.case_id = t.id('o2') and d.kind = 'decide_appeal' order by (select count(*) from conduct.decision_item x where x.decision_id = d.decision_id), i.item;
\echo == reconsideration, once
select w.party('Rasp', 'o2', 'respondent', 'appeal', jsonb_build_object('decision', (select n.decision_id from conduct.decision_notice n
		join conduct.decision d on d.decision_id = n.decision_id join conduct.proceeding p on p.proceeding_id = d.proceeding_id
		where d.case_id = t.id('o2') and d.kind = 'decide_appeal' and n.party_id = w.party_id('o2', 'respondent')
			and p.appellant_id = n.party_id), 'items', '[1]'::jsonb, 'grounds', '["factual_error"]'::jsonb, 'reasons', 'w:why'));
select w.show('o2');
select w.do('Aa', 'o2', 'accept_appeal', jsonb_build_object('panel', (select jsonb_agg(w.person_id(n)) from unnest(array['Aa', 'Ab', 'Ac']) n)));
select w.do('Aa', 'o2', 'accept_appeal', jsonb_build_object('panel', (select jsonb_agg(w.person_id(n)) from unnest(array['Aa', 'Ad', 'Ae']) n)));
select w.do('Aa', 'o2', 'put_to_vote', '{"motion": "decide_appeal", "reasons": "w:why", "items": [{"item": 1, "outcome": "overturned"}]}');
select w.do(n, 'o2', 'vote', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal'), 'item', 1, 'vote', 'support')) from unnest(array['Aa', 'Ad', 'Ae']) n;
select w.do('Aa', 'o2', 'close_vote', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal')));
select w.shift('31 days');
select w.do('Aa', 'o2', 'decide_appeal', jsonb_build_object('proposal', w.ballot('o2', 'decide_appeal'), 'notices', w.notices('o2')));
select w.show('o2');
select w.sanctions('o2');
select (conduct_api_1.timer_run(100)).body;
select w.show('o2');
\echo read together, every case is what it is alone
select w.reads();
