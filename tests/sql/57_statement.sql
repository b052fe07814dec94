-- What is left of a case while its sanction lasts that has no end: the statement, to whom it is about.
\ir acts.psql
select t.people() \g /dev/null
select t.seen('Rasp', 'Rasp', 'aawiki') as status;
create function w.erase() returns text language plpgsql volatile security definer
as $$
declare
	v_outcome text;
	v_all text := '';
	v_epoch bigint := ((conduct_api_1.audit_begin(true)).body ->> 'epoch')::bigint;
begin
	while ((conduct_api_1.timer_run(50)).body ->> 'done')::integer > 0 loop
	end loop;
	loop
		while ((conduct_api_1.audit_sequence(v_epoch, 1000)).body ->> 'moved')::integer > 0 loop
		end loop;
		v_outcome := (conduct_api_1.retention_run()).body ->> 'outcome';
		exit when v_outcome = 'none';
		v_all := concat_ws(' ', nullif(v_all, ''), v_outcome);
	end loop;
	return v_all;
end
$$;
create function w.banned(p_case text, p_sanction text) returns setof text language plpgsql volatile
as $$
begin
	perform t.submit(p_case, 'Rep');
	return next w.do('Fa', p_case, 'claim');
	return next w.do('Fa', p_case, 'accept', jsonb_build_object('severity', 'S3', 'reason', 'w:ok', 'allegations', jsonb_build_array(
		jsonb_build_object('rule', 'ucoc/3.1/insults', 'respondent', w.party_id(p_case, 'respondent')))));
	return next w.do('Fa', p_case, 'form_panel', jsonb_build_object('members',
		(select jsonb_agg(w.person_id(n)) from unnest(array['Fa', 'Fb', 'Fc']) n), 'proceedings', jsonb_build_array(w.proc(p_case, 'matter'))));
	return next w.do('Fa', p_case, 'notify_respondent', jsonb_build_object('respondent', w.party_id(p_case, 'respondent'), 'text', 'w:n', 'lang', 'aa'));
	perform w.shift('8 days');
	return next w.do('Fa', p_case, 'propose', jsonb_build_object('reasons', 'w:why', 'items', jsonb_build_array(
			jsonb_build_object('kind', 'finding', 'text', 'w:f', 'met', 'met', 'allegation', w.allegation(p_case, w.proc(p_case, 'matter'))),
			jsonb_build_object('kind', 'sanction', 'text', 'w:s', 'sanction', p_sanction, 'scope', '{"wiki": "aawiki"}'::jsonb)),
		'dispositions', jsonb_build_array(jsonb_build_object('respondent', w.party_id(p_case, 'respondent'), 'disposition', 'sanction'))));
	perform w.shift('8 days');
	return query select w.do(n, p_case, 'vote', jsonb_build_object('proposal', w.ballot(p_case, 'propose'), 'item', i, 'vote', 'support'))
		from unnest(array['Fa', 'Fb', 'Fc']) n, generate_series(1, 2) i;
	return next w.do('Fa', p_case, 'close_vote', jsonb_build_object('proposal', w.ballot(p_case, 'propose')));
	return next w.do('Fa', p_case, 'decide', jsonb_build_object('proposal', w.ballot(p_case, 'propose'), 'notices',
		(select jsonb_agg(jsonb_build_object('party', w.party_id(p_case, r), 'text', 'w:told', 'lang', 'aa')) from unnest(array['respondent', 'reporter']) r)));
end
$$;
create function w.left(p_case text) returns text language sql stable security definer
as $$
	select concat_ws(', ', (select string_agg(c.kind, ' ' order by c.kind) from conduct.content c where c.unit_id in (t.id(p_case), t.id(p_case || ':ru')) and c.body <> ''),
		(select count(*) || ' keys' from keyring.stanza s where s.unit_id in (t.id(p_case), t.id(p_case || ':ru'))),
		(select string_agg(y.role || ' ' || y.kind || ' ' || num_nonnulls(y.id_ix, y.name_ix, y.skeleton_ix, y.name_content), ' ' order by y.seq) from conduct.party y where y.case_id = t.id(p_case)),
		(select string_agg(s.kind || ' ' || s.standing || ' ' || coalesce(s.scope::text, 'nowhere'), ' ') from conduct.sanction s where s.case_id = t.id(p_case)),
		(select count(*) || ' receipts' from conduct.receipt r where r.case_id = t.id(p_case)),
		(select count(*) || ' dockets' from conduct.docket r where r.case_id = t.id(p_case)))
$$;
select w.banned('ban', 'block');
select w.shift('40 days');
select w.erase();
select w.left('ban');
select w.shift('95 days');
\echo after five years the statement stays, and so does its skeleton
select w.shift('1800 days');
select w.erase();
select w.left('ban');
select w.erase();
select extent, next_at from conduct.retention where case_id = t.id('ban');
select (select jsonb_agg(i - 'scope' - 'until') from jsonb_array_elements(body #> '{decisions,0,items}') i) @? '$[*].text."$word"',
	body #> '{decisions,0,reasons}' is not null, cardinality(word_ids), body #> '{decisions,0,items,1,scope}'
from conduct_api_1.receipt_show(t.ix('id:Rasp'), null, w.party_id('ban', 'respondent'));
select count(*) filter (where body::text like '%' || w.party_id('ban', 'respondent') || '%') from conduct_api_1.me_participations(t.ix('id:Rasp'));
select t.attempt('who handled it', format('select conduct_api_1.case_show(%L, %L)', t.ix('id:Fa'), t.id('ban')));
select t.attempt('its skeleton', $$select conduct_gate.erase(t.id('ban'), 'skeleton', null, false)$$);
\echo the log speaks of the words that are left
select count(*) from conduct.content c where c.unit_id = t.id('ban') and c.body <> '' and not exists (
	select from conduct.audit_leaf l join conduct.audit_payload p using (leaf_index)
	where position(uuid_send(c.content_id) || sha256(c.body) in l.leaf) > 0);
\echo when it is lifted the rest goes
begin;
select set_config('conduct.case_id', t.id('ban')::text, true) \g /dev/null
set local role conduct_handler;
update conduct.sanction set standing = 'lifted' where case_id = t.id('ban');
commit;
select w.shift('89 days');
select w.erase();
select (select count(*) from conduct.case_file where case_id = t.id('ban'));
select w.shift('2 days');
select w.erase();
select (select count(*) from conduct.case_file where case_id = t.id('ban')), (select count(*) from conduct.content where unit_id = t.id('ban')),
	(select count(*) from keyring.stanza where unit_id = t.id('ban'));
