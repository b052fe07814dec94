-- What must agree: the second person with the first, a disposition with its findings, and what is carried
-- of a proposal with itself.
\ir acts.psql
select t.people() \g /dev/null
select count(t.seen(n, n, 'aawiki'))
from unnest(array['Rep', 'Rasp']) n;
create function w.proposed(p_case text, p_met text, p_sanction text, p_disposition text) returns jsonb language sql stable
as $$ select jsonb_build_object('reasons', 'w:r', 'items', jsonb_path_query_array(jsonb_build_array(
		case when p_met is not null then jsonb_build_object('kind', 'finding', 'allegation',
			w.allegation(p_case, w.proc(p_case, 'matter')), 'met', p_met, 'text', 'w:f') end,
		case when p_sanction is not null then jsonb_build_object('kind', 'sanction', 'sanction', p_sanction,
			'respondent', w.party_id(p_case, 'respondent'), 'text', 'w:s') end), '$[*] ? (@ != null)'),
	'dispositions', jsonb_build_array(jsonb_build_object('respondent', w.party_id(p_case, 'respondent'),
		'disposition', p_disposition))) $$;

\echo == a second person confirms nothing but what the first did
select (t.submit('one', 'Rep')).status;
select w.do('Fa', 'one', 'claim');
select w.do('Fa', 'one', 'decline', '{"reason_code": "bad_faith", "reason": "w:r", "refer_to": "u4c"}');
select w.last('{pending}') #>> '{}' as pending \gset
select w.do('Fb', 'one', 'decline', jsonb_build_object('reason_code', 'insufficient', 'reason', 'w:r', 'refer_to', 'u4c',
	'confirm', :'pending'));
select w.do('Fa', 'one', 'decline', jsonb_build_object('reason_code', 'bad_faith', 'reason', 'w:r', 'refer_to', 'u4c',
	'confirm', :'pending'));
select w.do('Fb', 'one', 'decline', jsonb_build_object('reason_code', 'bad_faith', 'reason', 'w:r', 'refer_to', 'u4c',
	'confirm', :'pending'));

\echo == nothing is imposed without a finding, and a finding is a violation
select (t.submit('two', 'Rep')).status;
select w.do('Fa', 'two', 'claim');
select w.do('Fa', 'two', 'accept', jsonb_build_object('severity', 'S1', 'reason', 'w:ok', 'allegations',
	jsonb_build_array(jsonb_build_object('rule', 'ucoc/3.1/insults', 'respondent', w.party_id('two', 'respondent')))));
select w.do('Fa', 'two', 'waive_hearing', jsonb_build_object('respondent', w.party_id('two', 'respondent'),
	'kind', 'redacted', 'reason', 'w:r', 'confirm', :'pending'));
select w.do('Fa', 'two', 'notify_respondent', jsonb_build_object('respondent', w.party_id('two', 'respondent'),
	'text', 'w:notice', 'lang', 'aa'));
select w.shift('8 days');
select w.do('Fa', 'two', 'propose', w.proposed('two', met, sanction, disposition))
from (values ('met', null, 'no_violation'), ('not_met', 'ban', 'sanction'), (null, 'ban', 'sanction'),
	('met', 'ban', 'no_violation'), ('met', null, 'sanction')) v (met, sanction, disposition);

\echo == a sanction without its finding is not carried
select w.do('Fa', 'two', 'form_panel', jsonb_build_object('members',
	jsonb_build_array(w.person_id('Fa'), w.person_id('Fb'), w.person_id('Fc'))));
select w.do('Fa', 'two', 'propose', w.proposed('two', 'met', 'ban', 'sanction'));
select w.do(n, 'two', 'vote', jsonb_build_object('proposal', w.ballot('two', 'propose'), 'item', i,
	'vote', case i when 1 then 'oppose' else 'support' end))
from unnest(array['Fa', 'Fb', 'Fc']) n, generate_series(1, 2) i;
select w.do('Fa', 'two', 'close_vote', jsonb_build_object('proposal', w.ballot('two', 'propose')));
select item, has_passed from conduct.tally order by item;
select outcome from conduct.ballot where ballot_id = w.ballot('two', 'propose');
\echo read together, every case is what it is alone
select w.reads();
