-- Snapshots: what is asked for, when it is asked for again, how it ends, and of what nothing is ever copied.
select t.people() \g /dev/null
create function t.seen(p_venue text default 'on_wiki', p_wiki text default 'aawiki', p_revision bigint default 7)
returns jsonb language sql
as $$ select jsonb_build_object('incidents', jsonb_build_array(jsonb_build_object('venue', p_venue, 'wiki', p_wiki,
	'revision', p_revision))) $$;
create function t.incident(p_report text) returns uuid language sql
as $$ select incident_id from conduct.incident where case_id = t.id(p_report) order by seq limit 1 $$;
-- Which reports' revisions would be asked for, as the worker asks.
create function t.next(p_limit integer default 50) returns text language plpgsql
as $$
declare
	v_body jsonb;
begin
	v_body := (conduct_api_1.snapshot_next(p_limit)).body;
	return coalesce((select string_agg(n.x, ' ' order by n.x)
		from jsonb_array_elements(v_body -> 'items') i (item)
		join unnest(array['one', 'two', 'three', 'four', 'five', 'six', 'kept']) n (x)
			on t.incident(n.x) = (i.item ->> 'id')::uuid), 'nothing')
		|| coalesce(' link_only ' || nullif(v_body ->> 'link_only', '0'), '')
		|| coalesce(' given_up ' || nullif(v_body ->> 'given_up', '0'), '');
end
$$;
create function t.told(p_report text, p_outcome text, p_wait_s integer default 0) returns text language plpgsql
as $$
declare
	v_incident uuid := t.incident(p_report);
	v_body jsonb;
begin
	v_body := (conduct_api_1.snapshot_told(v_incident, p_outcome, p_wait_s)).body;
	return v_body::text || ' ' || (select s.state || ' after ' || s.n_tries || coalesce(', again in '
		|| extract(epoch from s.next_at - conduct.clock())::integer || ' s', '')
		from conduct.snapshot s where s.incident_id = v_incident);
end
$$;
create function t.wait(p_seconds integer) returns void language sql
as $$ update conduct.clock_offset set shift_seconds = shift_seconds + p_seconds $$;

\echo asked for: revisions on a wiki, once
select (t.submit('one', 'Rep', t.seen())).status, (t.submit('mail', 'Rep', t.seen('private_message'))).status,
	(t.submit('page', 'Rep', t.seen(p_revision => null))).status, (t.submit('nowhere', 'Rep', t.seen(p_wiki => null))).status;
select t.next(), t.next();
select count(*) from conduct.snapshot;
select body -> 'items' -> 0 ->> 'wiki', body -> 'items' -> 0 -> 'revision' ->> '$word' = t.id('one:revision0')::text, t.text(words[1]), body -> 'items' -> 0 ->> 'case' = t.id('one')::text,
	body -> 'items' -> 0 ->> 'unit' = (select unit_id::text from conduct.case_file where case_id = t.id('one'))
	from conduct_api_1.snapshot_next(1);

\echo no answer: after a minute, four, sixteen and so on, half a day at most, or when the wiki says; eight times
select t.told('one', 'failed'), t.next();
select t.wait(59), t.next();
select t.wait(1), t.next();
select t.told('one', 'failed', 1800);
select t.wait(1800), t.next();
select t.told('one', 'failed') from generate_series(1, 5);
select t.told('one', 'failed'), t.told('one', 'failed');
select t.wait(86400), t.next();

\echo gone and hidden are believed when it is said again; too large at once
select (t.submit('two', 'Rep', t.seen(p_revision => 8))).status, (t.submit('three', 'Rep', t.seen(p_wiki => 'bbwiki'))).status;
select t.next();
select t.told('two', 'gone'), t.told('three', 'hidden');
select t.wait(60), t.next();
select t.told('two', 'gone'), t.told('three', 'hidden');
select (t.submit('four', 'Rep', t.seen())).status, t.next(), t.told('four', 'too_large'), t.next();
select t.told('four', 'gone');

\echo a number that does not open is tried as often, and nothing else waits for it
select (t.submit('damaged', 'Rep', t.seen())).status, (t.submit('beside', 'Rep', t.seen())).status, t.next() \g /dev/null
select t.told('damaged', 'damaged');
select state, next_at <= conduct.clock() from conduct.snapshot where incident_id = t.incident('beside');
select t.told('damaged', 'damaged') from generate_series(1, 7);
select t.told('beside', 'too_large');
select t.attempt('another word', $$select t.told('five', 'fetched')$$);

\echo a wiki that fails is left alone, with all that waits for it; another one is not
select (t.submit('five', 'Rep', t.seen())).status;
select (t.submit('kept', 'Rep', t.seen(p_wiki => 'bbwiki'))).status;
select t.next();
select (t.submit('six', 'Rep', t.seen())).status, t.next() \g /dev/null
select t.told('six', 'failed', 300), t.next();
select t.wait(299), t.next();
select t.wait(1), t.next();

\echo nobody to ask: again after an hour, and given up after two weeks
select t.told('kept', 'unserved'), t.next();
select t.wait(3600), t.next();
select t.wait(86400 * 14), t.next();

\echo what was found before is not looked for again; what waited for the first look is
select conduct.clock() - until_at between interval '10 minutes' and interval '11 minutes' from conduct.snapshot_mark;
select (t.submit('seven', 'Rep', t.seen())).status, t.wait(86400 * 13), t.next() \g /dev/null
select state from conduct.snapshot where incident_id = t.incident('seven');

\echo of what is erased meanwhile nothing is fetched, and nothing that was fetched is kept
select (t.submit('erased', 'Rep', t.seen())).status, (t.submit('erasing', 'Rep', t.seen())).status, t.next() \g /dev/null
\connect - postgres
alter table conduct.content disable trigger all;
update conduct.content set body = '' where content_id in (t.id('erased:revision0'), t.id('erasing:revision0'));
\connect - conduct_migrate
select (conduct_api_1.snapshot_keep(t.incident('erasing'), '{"size": 1}', '{}', '{}', '{}', '\x00')).body;
select t.next();
select state, count(*) from conduct.snapshot where case_id in (t.id('erased'), t.id('erasing')) group by 1;

\echo where files are taken: never where a minor is at risk and it may be sexual
set role conduct_admin;
insert into conduct.profile_category (profile, category, harm_type, rules, is_emergency, routes, sections) values
	(repeat('a', 64), 'sexual', null, '{ucoc/3.1/insults,ucoc/3.1/sexual-harassment}', false, '[]', '[]'),
	(repeat('a', 64), 'local-sexual', null, '{local/sexting}', false, '[]', '[]'),
	(repeat('a', 64), 'mute', null, '{}', false, '[]', '[]'),
	(repeat('a', 64), 'mute-danger', 'self_harm', '{}', true, '[]', '[]');
reset role;
create function t.takes(p_category text, p_is_minor boolean) returns text language plpgsql
as $$
declare
	v_name text := format('takes %s %s', p_category, p_is_minor);
begin
	perform t.submit(v_name, null, t.seen() || jsonb_build_object('category', p_category, 'minor_at_risk', p_is_minor));
	return coalesce((select conduct_gate.takes_files(case_id)::text from conduct.case_file where case_id = t.id(v_name)), 'none');
end
$$;
select c, t.takes(c, true), t.takes(c, false) from unnest(array['insults', 'sexual', 'local-sexual', 'mute', 'mute-danger', null]) c;
select t.next() like '% link_only 4%';
select s.state, count(*) from conduct.snapshot s join conduct.report r using (case_id) where r.minor_at_risk group by 1 order by 1;

\echo who writes it
do $$
declare
	v_role text;
begin
	foreach v_role in array array['conduct_owner', 'conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_stats',
		'conduct_admin'] loop
		begin
			execute format('set local role %I', v_role);
			update conduct.snapshot set state = 'waiting', ended_at = null;
			reset role;
			if exists (select from conduct.snapshot where state = 'waiting' and next_at < now() - interval '1 year') then
				raise exception '% may', v_role using errcode = 'XX000';
			end if;
		exception when insufficient_privilege then
			null;
		end;
	end loop;
	reset role;
end
$$;
select count(*) > 0 from conduct.snapshot where state = 'gone';
\echo it is logged, each state and no try
select p.event, count(*) from conduct.audit_pending p where p.event like 'snapshot%' group by 1 order by 1;
