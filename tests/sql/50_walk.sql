-- One case on a wiki from report to final: one decider, an appeal to the panel, the sanction lifted, and
-- the refusals on the way.
\ir acts.psql
select (conduct_api_1.publish_policy(encode(sha256(convert_to(t.canonical(1),'UTF8')),'hex'), 1, t.canonical(1), t.effective())).status;
select count(t.person(n, 'functionary', 'aawiki-functionaries')) from unnest(array['Fa','Fb','Fc','Fd','Fe','Ff']) n;
select count(t.person(n, 'arbitrator', 'aawiki-arbcom')) from unnest(array['Aa','Ab','Ac','Ad','Ae']) n;
select count(t.person(n, 'functionary', 'bbwiki-functionaries')) from unnest(array['Oa']) n;
select t.seen(n, n, 'aawiki') as status from unnest(array['Rep','Rasp']) n;
select (t.submit('c1', 'Rep')).status;
select w.do('Oa','c1','claim');
select w.do('Fa','c1','accept', '{"severity":"S2"}');
select w.do('Fa','c1','claim', '{}', 'k1', 0);
select w.do('Fa','c1','claim', '{}', 'k1');
select w.do('Fa','c1','claim', '{}', 'k1');
select w.do('Fa','c1','assign', jsonb_build_object('person', w.person_id('Fb')));
select w.do('Fa','c1','accept', jsonb_build_object('severity','S2','reason','w:ok','allegations','[]'::jsonb));
select w.do('Fa','c1','accept', jsonb_build_object('severity','S2','reason','w:ok','allegations',jsonb_build_array(jsonb_build_object('rule','ucoc/3.1/insults','respondent',w.party_id('c1','respondent'),'incident',w.incident('c1')))));
select p ->> 'kind', p ->> 'state', p -> 'blocked', p -> 'allowed_actions'
from jsonb_array_elements(w.last('{proceedings}')) p order by 1;
select w.do('Fa','c1','propose', jsonb_build_object('reasons','w:r','items',jsonb_build_array(jsonb_build_object('kind','finding','allegation',w.allegation('c1',w.proc('c1','matter')),'met','met','text','w:f')),'dispositions',jsonb_build_array(jsonb_build_object('respondent',w.party_id('c1','respondent'),'disposition','no_sanction'))));
select w.do('Fa','c1','notify_respondent', jsonb_build_object('respondent',w.party_id('c1','respondent'),'text','w:notice','lang','aa'));
select w.do('Fa','c1','propose', jsonb_build_object('reasons','w:r','items',jsonb_build_array(jsonb_build_object('kind','finding','allegation',w.allegation('c1',w.proc('c1','matter')),'met','met','text','w:f')),'dispositions',jsonb_build_array(jsonb_build_object('respondent',w.party_id('c1','respondent'),'disposition','no_sanction'))));
select w.party('Rasp','c1','respondent','answer','{"text":"w:sorry"}');
select w.do('Fa','c1','propose', jsonb_build_object('reasons','w:r','items',jsonb_build_array(jsonb_build_object('kind','finding','allegation',w.allegation('c1',w.proc('c1','matter')),'met','met','text','w:f'),jsonb_build_object('kind','sanction','sanction','block','until',conduct.clock()+interval '7 days','text','w:b')),'dispositions',jsonb_build_array(jsonb_build_object('respondent',w.party_id('c1','respondent'),'disposition','sanction'))));
select w.do('Fa','c1','decide', jsonb_build_object('proposal',w.ballot('c1','propose'),'notices','[]'::jsonb));
select w.do('Fa','c1','decide', jsonb_build_object('proposal',w.ballot('c1','propose'),'notices',jsonb_build_array(jsonb_build_object('party',w.party_id('c1','respondent'),'text','w:n1','lang','aa'),jsonb_build_object('party',w.party_id('c1','reporter'),'text','w:n2','lang','aa'))));
select w.show('c1'), w.sanctions('c1');
select w.party('Rasp','c1','respondent','appeal',jsonb_build_object('decision',w.decision('c1','decide'),'items','[1,2]'::jsonb,'grounds','["disproportionate"]'::jsonb,'reasons','w:too much'));
select w.show('c1');
select w.do('Fa','c1','accept_appeal');
select w.do('Aa','c1','form_panel', jsonb_build_object('members', jsonb_build_array(w.person_id('Aa'))));
select w.do('Aa','c1','accept_appeal', jsonb_build_object('panel', jsonb_build_array(w.person_id('Aa'),w.person_id('Ab'),w.person_id('Ac'))));
select w.do('Aa','c1','put_to_vote', jsonb_build_object('motion','decide_appeal','reasons','w:r','items','[{"item":1,"outcome":"ratified","text":"w:x"},{"item":2,"outcome":"overturned","text":"w:y"}]'::jsonb));
select w.do(n,'c1','vote', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'item',i,'vote',v)) from (values ('Aa',1,'support'),('Ab',1,'support'),('Ac',1,'oppose'),('Aa',2,'support'),('Ab',2,'oppose')) x(n,i,v);
select w.do('Aa','c1','close_vote', jsonb_build_object('proposal',w.ballot('c1','decide_appeal')));
select w.do('Ac','c1','vote', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'item',2,'vote','support'));
select w.do('Ad','c1','vote', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'item',2,'vote','support'));
select w.do('Aa','c1','close_vote', jsonb_build_object('proposal',w.ballot('c1','decide_appeal')));
select w.do('Aa','c1','decide_appeal', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'notices',jsonb_build_array(jsonb_build_object('party',w.party_id('c1','respondent'),'text','w:n1','lang','aa'),jsonb_build_object('party',w.party_id('c1','reporter'),'text','w:n2','lang','aa'))));
select w.shift('4 days');
select w.do('Aa','c1','decide_appeal', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'notices',jsonb_build_array(jsonb_build_object('party',w.party_id('c1','respondent'),'text','w:n1','lang','aa'),jsonb_build_object('party',w.party_id('c1','reporter'),'text','w:n2','lang','aa'))));
select w.shift('31 days');
select w.do('Aa','c1','decide_appeal', jsonb_build_object('proposal',w.ballot('c1','decide_appeal'),'notices',jsonb_build_array(jsonb_build_object('party',w.party_id('c1','respondent'),'text','w:n1','lang','aa'),jsonb_build_object('party',w.party_id('c1','reporter'),'text','w:n2','lang','aa'))));
select w.show('c1');
select w.sanctions('c1');
select w.shift('31 days');
select (conduct_api_1.timer_run(100)).body;
select w.show('c1');
select jsonb_array_length((conduct_api_1.case_queue(t.ix('id:Fa'),'{}',null,20)).body->'items'), jsonb_array_length((conduct_api_1.case_queue(t.ix('id:Fa'), '{"state": "final"}', null, 20)).body->'items');
select (conduct_api_1.case_events(t.ix('id:Fa'),t.id('c1'),2,null)).body->'next' is not null, jsonb_array_length((conduct_api_1.case_events(t.ix('id:Fa'),t.id('c1'),100,null)).body->'items');
\echo read together, every case is what it is alone
select w.reads();
