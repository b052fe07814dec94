-- Several reports by one call: each as if it had come alone, and none refused for its neighbour.
select t.people() \g /dev/null
create function t.batch(variadic p_all t.report[]) returns table (nth bigint, answer conduct_api_1.answer)
language plpgsql volatile
as $$
begin
	return query select a.nth, row(a.status, a.body, a.word_ids, a.words)::conduct_api_1.answer
	from conduct_api_1.submit_reports(
		array(select r.account from unnest(p_all) r), array(select r.receipt from unnest(p_all) r),
		array(select r.scope from unnest(p_all) r), array(select r.mac from unnest(p_all) r),
		array(select r.sealed_receipt from unnest(p_all) r), array(select r.args::text from unnest(p_all) r),
		array(select r.ids::text from unnest(p_all) r), array(select r.kinds::text from unnest(p_all) r),
		array(select r.words::text from unnest(p_all) r)) with ordinality a (status, body, word_ids, words, nth);
end
$$;
-- Everything that a case consists of, without its own ids and times.
create function t.rows(p_name text) returns text language plpgsql volatile
as $$
declare
	v_text text := '';
	v_table text;
	v_rows text;
begin
	foreach v_table in array array['case_file', 'party', 'report', 'incident', 'receipt', 'proceeding', 'event', 'deadline',
		'docket', 'outbox', 'recusal', 'idempotency']
	loop
		execute format('select string_agg(x, E''\n'' order by x) from (select (to_jsonb(r)
			- array[''scope'', ''body_mac'', ''receipt_hash'', ''sealed_receipt'', ''facts'', ''at''])::text as x
			from conduct.%I r where r.case_id = t.id($1)) y', v_table) into v_rows using p_name;
		v_text := v_text || v_table || ' ' || coalesce(v_rows, '') || E'\n';
	end loop;
	v_text := regexp_replace(v_text, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '#', 'g');
	return regexp_replace(v_text, '"[0-9-]{10}T[0-9:.]+([+]00:00|Z)"', '"time"', 'g');
end
$$;
create function t.units(p_name text) returns text language sql stable
as $$
	select string_agg(u.kind || ':' || c.kind, ' ' order by u.kind, c.kind) from conduct.unit u
	left join conduct.content c using (unit_id)
	where u.unit_id in (t.id(p_name || ':ru'), t.id(p_name), t.id(p_name || ':iu'))
$$;
create table t.kind (nth integer, name text, account text, more jsonb);
insert into t.kind values (1, 'plain', 'Rep', '{"targets": [{"self": true}]}'),
	(2, 'about', null, '{"about_functionary": "yes", "incidents": [{"venue": "on_wiki", "wiki": "aawiki", "revision": 7}]}'),
	(3, 'two wikis', null, '{"incidents": [{"venue": "on_wiki", "wiki": "aawiki"}, {"venue": "on_wiki", "wiki": "bbwiki"}]}'),
	(4, 'legal', 'Rep', '{"category": "legal"}'), (5, 'accused', null, '{"respondents": [{"body": "aawiki-functionaries"}]}'),
	(6, 'danger', null, '{"harm_type": "physical_harm"}'), (7, 'contain', null, '{"category": "doxing", "contain": ["suppress"]}'),
	(8, 'exclude', 'Rep', jsonb_build_object('exclude_handlers', jsonb_build_array(t.user('Fa'), t.user('Fb'), t.user('Fc'), t.user('Ua')))),
	(9, 'member', null, jsonb_build_object('respondents', jsonb_build_array(t.user('Fa')))), (10, 'last', 'Rep', '{"identity": "named"}');
grant select on t.kind to public;
\echo every kind of report, in one call
select b.nth, (b.answer).status, (b.answer).body ->> 'state', (b.answer).body ->> 'lane'
from t.batch(variadic array(select t.report('batch ' || k.name, k.account, k.more) from t.kind k order by k.nth)) b order by 1;
\echo is what it is alone
select k.name, (t.submit('alone ' || k.name, k.account, k.more)).status from t.kind k order by k.nth;
select k.name, t.rows('batch ' || k.name) = t.rows('alone ' || k.name),
	length(t.rows('batch ' || k.name)) > 1500, t.units('batch ' || k.name) is not distinct from t.units('alone ' || k.name)
from t.kind k order by k.nth;
\echo asked of all cases at once, a body is as competent as asked of each
set role conduct_gate;
with asked as (
	select b.body_id, n, f.case_id, conduct_gate.has_members(b.body_id, f.case_id, n)
			and not conduct_gate.has_accused_member(f.case_id, b.body_id) as alone
	from conduct.body b, generate_series(1, 5) n, conduct.case_file f),
together as (
	select b.body_id, n, conduct_gate.cases_with_members(b.body_id, array(select case_id from conduct.case_file), n) as cases
	from conduct.body b, generate_series(1, 5) n)
select count(*) > 500 as are_many, count(*) filter (where a.alone) > 100 as are_some, count(*) filter (where not a.alone
	and conduct_gate.has_members(a.body_id, null, a.n)) > 10 as are_barred, count(*) filter (where a.alone <> (a.case_id = any (g.cases)))
	as differ
from asked a join together g using (body_id, n);
reset role;
\echo what is wrong goes alone, wherever it stands, and so do a key that is known and one that comes twice
select b.nth, (b.answer).status from t.batch(t.report('one', 'Rep'), t.report('bad', 'Rep', '{"category": "nix"}'),
	t.report('two', null), t.report('again', null, '{}', 'batch plain'), t.report('twice', null, '{}', 'two'),
	t.report('three', 'Rep')) b order by 1;
select x, (select count(*) from conduct.case_file f where f.case_id = t.id(x)),
	(select count(*) from conduct.idempotency i where i.scope = t.ix('key:' || x))
from unnest(array['one', 'bad', 'two', 'again', 'twice', 'three']) with ordinality n (x, nth) order by nth;
\echo alone they are refused, repeated and repeated
select (a).status, (a).body ->> 'errorKey' from t.submit('bad', 'Rep', '{"category": "nix"}') a;
select (a).status, (a).body ->> 'report' = t.id('batch plain:report')::text from t.submit('again', null, '{}', 'batch plain') a;
select (a).status, (a).body ->> 'report' = t.id('two:report')::text from t.submit('twice', null, '{}', 'two') a;
\echo all known, or none: no rows, no failure
select b.nth, (b.answer).status from t.batch(t.report('one', 'Rep'), t.report('two', null)) b order by 1;
select count(*) from t.batch(variadic '{}');
\echo whatever fails takes the whole call with it, keys included
select t.attempt('a case that is there', $$select * from t.batch(t.report('four', null),
	jsonb_populate_record(t.report('five', null), jsonb_build_object('args', (t.report('one', null)).args)))$$);
select t.attempt('no JSON', $$select * from conduct_api_1.submit_reports('{null,null}', '{\\x01,\\x02}', '{\\x03,\\x04}',
	'{\\x05,\\x06}', '{null,null}', '{"{",null}', '{null,null}', '{null,null}', '{null,null}')$$);
select count(*) from conduct.case_file where case_id in (t.id('four'), t.id('five'));
select count(*) from conduct.idempotency where scope in (t.ix('key:four'), t.ix('key:five'));
select count(*) from conduct.idempotency where status <> 201;
\echo intake sees the cases of its call and no other, and none of several as the one
set role conduct_intake;
select set_config('conduct.case_id', t.id('one') || ',' || t.id('two'), false) \g /dev/null
select case_id in (t.id('one'), t.id('two')) from conduct.case_file;
select t.attempt('the one of two', 'select conduct.opened_case()');
select t.attempt('a case that was not opened', format('insert into conduct.receipt (receipt_hash, case_id, party_id, made_at)
	values (%L, %L, %L, now())', t.ix('x'), t.id('three'), t.id('y')));
select set_config('conduct.case_id', '', false) \g /dev/null
select count(*) from conduct.case_file;
