-- Names in reports that become accounts: what is asked for, wiki by wiki, and what an answer changes.
select t.people() \g /dev/null
create function t.named(p_name text) returns jsonb language sql
as $$ select jsonb_build_object('respondents', jsonb_build_array(t.user(p_name))) $$;
create function t.respondent(p_report text) returns uuid language sql
as $$ select party_id from conduct.party where case_id = t.id(p_report) and role = 'respondent' order by seq limit 1 $$;
-- Which reports' respondents would be asked for, as the worker asks.
create function t.next(p_wikis text[], p_is_rest boolean, p_limit integer default 50) returns text language sql
as $$
	select coalesce(string_agg(n.x, ' ' order by i.nth), 'nobody')
	from conduct_api_1.lookup_next(p_limit, to_jsonb(p_wikis), p_is_rest) a
	cross join jsonb_array_elements(a.body -> 'items') with ordinality i (item, nth)
	join unnest(array['one', 'two', 'three', 'danger']) n (x) on t.respondent(n.x) = (i.item ->> 'id')::uuid
$$;
-- An answer for a report's respondent; no account is an answer too.
create function t.found(p_report text, p_account text, p_is_temporary boolean default false) returns integer language sql
as $$
	select (body ->> 'done')::integer from conduct_api_1.lookup_done(jsonb_build_array(jsonb_build_object(
		'id', t.respondent(p_report), 'id_ix', encode(t.ix(p_account), 'hex'), 'temporary', p_is_temporary)))
$$;
create function t.wait(p_seconds integer) returns void language sql
as $$ update conduct.clock_offset set shift_seconds = shift_seconds + p_seconds $$;
create function t.known(p_report text) returns text language sql
as $$
	select y.kind || case when y.id_ix is null then '' when y.id_ix = t.ix('id:Rasp') then ' is Rasp'
		else ' is somebody' end
	from conduct.party y where y.party_id = t.respondent(p_report)
$$;

\echo asked for: the oldest first, of the wikis that the issuer serves or of all others
select (t.submit('one', 'Rep')).status, t.wait(1), (t.submit('two', 'Rep', '{"wiki": "bbwiki"}')).status, t.wait(1),
	(t.submit('three', 'Rep')).status, t.wait(1),
	(t.submit('danger', null, '{"wiki": null, "harm_type": "physical_harm"}')).status;
select t.next('{}', true);
select t.next('{bbwiki}', false), t.next('{bbwiki}', true);
select t.next('{aawiki, bbwiki}', false), t.next('{aawiki, bbwiki}', true);
select t.next('{}', false), t.next('{ccwiki}', false);
select t.next('{}', true, 1), t.next('{}', true, 0), t.next('{}', true, 1000);
select t.text(words[array_position(word_ids, (body #>> '{items,0,name,$word}')::uuid)]) from conduct_api_1.lookup_next(1, '[]', true);

\echo found: known from here on, and not asked for again
select t.found('one', 'id:Rasp'), t.known('one'), t.next('{}', true);
select t.found('one', 'id:Other'), t.known('one');
select t.found('two', 'id:Temp', true), t.known('two'), t.next('{}', true);

\echo not found: asked for after an hour, then two, four, at most a month
select t.found('three', null), t.known('three'), t.next('{}', true);
select t.wait(3599), t.next('{}', true);
select t.wait(1), t.next('{}', true);
select t.found('three', null), t.wait(7199), t.next('{}', true);
select t.wait(1), t.next('{}', true);
select t.found('three', null) from generate_series(1, 20) \g /dev/null
select l.n_tries, l.next_at - conduct.clock() between interval '719 hours' and interval '30 days' as is_a_month from conduct.account_lookup l where l.subject_id = t.respondent('three');
select t.found('three', 'id:Rasp'), t.known('three'), t.next('{}', true);

\echo whoever the reporter excludes: recused by account as by name
select (t.submit('excluding', 'Rep', jsonb_build_object('wiki', 'bbwiki', 'exclude_handlers',
	jsonb_build_array(t.user('Was') || jsonb_build_object('reason', null))))).status;
select recusal_id as recusal from conduct.recusal where case_id = t.id('excluding') and source = 'named' \gset
select body ->> 'done' from conduct_api_1.lookup_done(jsonb_build_array(jsonb_build_object('id', :'recusal',
	'id_ix', encode(t.ix('id:Fb'), 'hex'), 'temporary', false)));
select conduct_gate.is_recused(t.id('excluding'), p.principal_id) from conduct.person p
where p.person_id = conduct_gate.person_of(t.ix('id:Fb'));

\echo an answer for what is not open changes nothing
select body ->> 'done' from conduct_api_1.lookup_done(jsonb_build_array(jsonb_build_object('id', t.id('nobody'),
	'id_ix', encode(t.ix('id:Rasp'), 'hex'), 'temporary', false)));
select body ->> 'done' from conduct_api_1.lookup_done('[]');

\echo in the case the respondent is shown as the wiki shows the account: by its present name, or by none
create function t.shown(p_viewer text, p_report text) returns text language sql
as $$
	select coalesce(t.text(a.words[array_position(a.word_ids, (p #>> '{user,$word}')::uuid)]), 'no name')
		|| case when (p -> 'user_hidden')::boolean then ', hidden' else '' end
	from conduct_api_1.case_show(t.ix('id:' || p_viewer), t.id(p_report)) a
	cross join jsonb_array_elements(a.body -> 'parties') p where p ->> 'role' = 'respondent'
$$;
select t.shown('Fa', 'one');
select t.seen('Rasp', 'Renamed') as status;
select t.shown('Fa', 'one');
select t.seen('Rasp', null) as status;
select t.shown('Fa', 'one'), t.shown('Fa', 'three');
insert into conduct.role_grant (grant_id, person_id, role, body_id, from_at, until_at, granted_at)
values (gen_random_uuid(), conduct_gate.person_of(t.ix('id:Fa')), 'oversighter', 'oversight',
	conduct.clock(), conduct.clock() + interval '1 day', conduct.clock());
select t.shown('Fa', 'one');
