-- Files: what is stored is whole and stays, who may is asked each time, and what does not come to its end
-- leaves nothing.
select t.people() \g /dev/null
select (t.submit(n, 'Rep')).status from unnest(array['one', 'two', 'full']) n;
-- As t.attempt(), and what was done stays.
create function t.go(p_what text, p_sql text) returns text language plpgsql volatile
as $$
declare
	v_status integer;
begin
	execute 'select (' || p_sql || ').status' into v_status;
	set constraints all immediate;
	set constraints all deferred;
	return p_what || ': ' || v_status;
exception when others then
	return p_what || ': ' || sqlstate || ' ' || sqlerrm;
end
$$;
-- Ciphertext of a chunk of so many bytes.
create function t.chunk(p_size integer) returns bytea language sql immutable
as $$ select '\xc5d20101'::bytea || decode(repeat('ab', p_size + 32), 'hex') $$;
create function t.begin(p_case text, p_key text, p_size integer) returns text language sql volatile
as $$ select t.go('begin ' || p_case, format('conduct_api_1.receipt_attachment_begin(null, %L, null, %L, %s)',
	t.ix('receipt:' || p_case), t.ix(p_key), p_size)) $$;
create function t.upload(p_key text) returns uuid language sql volatile
as $$ select u.attachment_id from conduct.attachment_upload u where u.scope = t.ix(p_key) $$;
create function t.put(p_key text, p_nth integer, p_size integer) returns text language sql volatile
as $$ select t.go('put ' || p_nth, format('conduct_api_1.attachment_put(%L, %s, t.chunk(%s))',
	t.upload(p_key), p_nth, p_size)) $$;
create function t.generation(p_key text) returns integer language sql immutable
as $$ select 2 + (hashtext(p_key) & 65535) $$;
create function t.args(p_id uuid, p_key text, p_size integer) returns jsonb language sql stable
as $$ select jsonb_build_object('attachment', p_id, 'generation', t.generation(p_key), 'name', t.id(p_key || ':n'),
	'digest', t.id(p_key || ':d'), 'hash_ix', encode(t.ix('file'), 'hex'), 'media_type', 'image/png',
	'size', p_size, 'has_metadata', true, 'has_location', false) $$;
create function t.keep(p_case text, p_key text, p_size integer, p_mac text default 'mac') returns text
language plpgsql volatile
as $$
declare
	v_words record;
begin
	select * into v_words from t.seal(t.id(p_case || ':ru'), array[t.id(p_key || ':n'), t.id(p_key || ':d')],
		array['attachment.name', 'attachment.digest'], null, t.generation(p_key));
	return t.go('keep ' || p_case, format('conduct_api_1.receipt_attachment_keep(null, %L, null, %L,
		%L, %L, %L, %L, %L)', t.ix('receipt:' || p_case), t.ix(p_key), t.ix(p_mac),
		t.args(t.upload(p_key), p_key, p_size), v_words.ids, v_words.kinds, v_words.words));
end
$$;
create function t.there() returns text language sql stable
as $$ select concat_ws(' ', (select count(*) from conduct.attachment_upload), (select count(*) from conduct.attachment_chunk),
	(select count(*) from conduct.attachment), (select count(*) from keyring.stanza s where s.generation between 2 and 65537)) $$;

\echo a file of two chunks, which becomes an attachment with the last call
select t.begin('one', 'a', 70000);
select t.put('a', 0, 65536);
select t.there();
select t.keep('one', 'a', 70000);
select t.put('a', 1, 4463);
select t.keep('one', 'a', 70000);
select t.there();
select t.begin('one', 'b', 70000);
select t.put('b', 0, 65536), t.put('b', 1, 4464), t.put('b', 1, 4464);
delete from conduct.audit_pending;
select t.keep('one', 'b', 70000);
select t.there();
select body - 'id' - 'at' from conduct_api_1.receipt_attachment_keep(null, t.ix('receipt:one'), null, t.ix('b'),
	t.ix('mac'), '{}', '{}', '{}', '{}');
\echo its entries: the row, and a hash of each chunk
select p.event, cardinality(p.row_ids), p.row_hashes = (select array_agg(sha256(c.body) order by c.nth)
	from conduct.attachment_chunk c where c.chunk_id = any (p.row_ids)), p.unit_id = t.id('one:ru')
from conduct.audit_pending p where p.event like 'attachment%' order by p.pending_id;
\echo under its key: the first answer, or none
select t.keep('one', 'b', 70000), t.keep('one', 'b', 70000, 'another');
select t.begin('one', 'b', 70000), t.there();

\echo a second try takes the place of the first
select t.upload('a') as before \gset
select t.begin('one', 'a', 10);
select t.there(), t.upload('a') <> :'before', t.attempt('put', format('select conduct_api_1.attachment_put(%L, 2, t.chunk(1))', :'before'));
select t.put('a', 0, 10), t.keep('one', 'a', 11), t.keep('one', 'a', 10), t.there();
\echo of another case, and of nobody
select t.begin('one', 'c', 10), t.put('c', 0, 10);
select t.attempt('keep of two', format('select conduct_api_1.receipt_attachment_keep(null, %L, null, %L, %L, %L, ''{}'', ''{}'', ''{}'')',
	t.ix('receipt:two'), t.ix('d'), t.ix('mac'), t.args(t.upload('c'), 'c', 10)));
select t.attempt('nobody', format('select conduct_api_1.receipt_attachment_begin(null, %L, null, %L, 10)', t.ix('nix'), t.ix('e')));
select t.begin('one', 'f', 10485761), t.begin('one', 'f', 0);
\echo dropped
select status from conduct_api_1.attachment_drop(t.upload('c'));
select t.there(), (select status from conduct_api_1.attachment_drop(t.id('nix')));

\echo ten of a party
select t.begin('full', 'full' || n, 10), t.put('full' || n, 0, 10), t.keep('full', 'full' || n, 10) from generate_series(1, 9) n;
select t.begin('full', 'full10', 10);
select t.begin('full', 'full11', 10);
select t.begin('full', 'full10', 10);
\echo what is not at its end within the hour is swept
update conduct.clock_offset set shift_seconds = 3500;
select body ->> 'uploads' from conduct_api_1.sweep(100);
update conduct.clock_offset set shift_seconds = 3700;
select body ->> 'uploads' from conduct_api_1.sweep(100);
select t.upload('full10') is null, t.there();
update conduct.clock_offset set shift_seconds = 0;

\echo none where sexual material of minors may be meant
select (t.submit('minor', 'Rep', '{"lane": "emergency", "minor_at_risk": true, "category": null}')).status;
select conduct_gate.takes_files(t.id('minor')), conduct_gate.takes_files(t.id('one')), t.begin('minor', 'm', 10);
\echo who handles the case: lists, reads, adds
select body #> '{items,0,readings}', body #>> '{items,0,media_type}', body #>> '{items,0,warnings}', jsonb_array_length(body -> 'items'), body -> 'next' is null
from conduct_api_1.case_attachments(t.ix('id:Fa'), t.id('one'), 10, null);
select attachment_id as file from conduct.attachment where case_id = t.id('one') and size = 70000 \gset
select status, body ->> 'size', length(body ->> 'vault'), (body ->> 'generation')::integer = t.generation('b') from conduct_api_1.case_attachment_read(t.ix('id:Fa'), t.id('one'), :'file', -70);
select octet_length(words[1]) from conduct_api_1.case_attachment_chunk(t.ix('id:Fa'), t.id('one'), :'file', 1);
select r.from_byte, r.person_id = (select a.person_id from conduct.person_account a where a.id_ix = t.ix('id:Fa')) from conduct.attachment_read r;
select t.attempt('begin', format('select conduct_api_1.case_attachment_begin(%L, %L, %L, 10)', t.ix('id:Fa'), t.id('one'), t.ix('h')));
\echo and nobody else
select t.attempt(f || ' as ' || w, format('select conduct_api_1.%s(%L, %L, %s)', f, t.ix('id:' || w), t.id('one'), r))
from (values ('Ba'), ('Rep')) w (w), (values ('case_attachments', '10, null'), ('case_attachment_read', format('%L, 0', :'file')),
	('case_attachment_chunk', format('%L, 0', :'file')), ('case_attachment_begin', format('%L, 10', t.ix('i')))) f (f, r);
select t.attempt('of another case', format('select conduct_api_1.case_attachment_read(%L, %L, %L, 0)', t.ix('id:Fa'), t.id('two'), :'file'));
select t.attempt('a chunk of another case', format('select conduct_api_1.case_attachment_chunk(%L, %L, %L, 0)', t.ix('id:Fa'), t.id('two'), :'file'));
select t.attempt('not there', format('select conduct_api_1.case_attachment_chunk(%L, %L, %L, 2)', t.ix('id:Fa'), t.id('one'), :'file'));
\echo a key that was erased opens nothing
begin;
delete from keyring.stanza where generation = t.generation('b');
select t.attempt('erased', format('select conduct_api_1.case_attachment_read(%L, %L, %L, 0)', t.ix('id:Fa'), t.id('one'), :'file'));
rollback;

\echo attacks: as each role, on the opened case
do $$
declare
	v_role text;
	v_try record;
	v_file uuid := (select attachment_id from conduct.attachment where case_id = t.id('one') and size = 70000);
begin
	foreach v_role in array array['conduct_owner', 'conduct_handler', 'conduct_party', 'conduct_intake',
		'conduct_timer', 'conduct_stats', 'conduct_admin', 'conduct_gate', 'conduct_migrate'] loop
		for v_try in select * from (values
			('change a chunk', 'update conduct.attachment_chunk set body = t.chunk(1)'),
			('remove a chunk', format('delete from conduct.attachment_chunk where attachment_id = %L', v_file)),
			('add a chunk', format('insert into conduct.attachment_chunk (attachment_id, nth, case_id, body)
				values (%L, 2, %L, t.chunk(1))', v_file, t.id('one'))),
			('change a file', 'update conduct.attachment set size = 5'),
			('remove a file', 'delete from conduct.attachment'),
			('a file without upload', format('insert into conduct.attachment select %L, case_id, party_id, person_id, source,
				unit_id, generation, name_content, digest_content, media_type, size, default, has_metadata, has_location, made_at
				from conduct.attachment where attachment_id = %L', t.id('x'), v_file)),
			('change a reading', 'update conduct.attachment_read set at = now()'),
			('remove a reading', 'delete from conduct.attachment_read'),
			('truncate', 'truncate conduct.attachment_chunk')) v (what, sql)
		loop
			begin
				perform set_config('conduct.case_id', t.id('one')::text, true);
				execute format('set local role %I', v_role);
				execute v_try.sql;
				reset role;
				if (select count(*) from conduct.attachment) <> 11 or (select count(*) from conduct.attachment_chunk where body <> t.chunk(1)) <> 12
					or not exists (select from conduct.attachment_read where from_byte = 69930)
				then
					raise warning 'done: % as %', v_try.what, v_role;
				end if;
			exception when others then
				reset role;
			end;
		end loop;
	end loop;
end
$$;
select t.there(), (select count(*) from conduct.attachment_read);

\echo custody stands in the history: what was added, each download once, in the order of time
create function t.read(p_from integer, p_who text default 'Fa') returns text language sql volatile
as $$ select t.go('read', format('conduct_api_1.case_attachment_read(%L, %L, %L, %s)', t.ix('id:' || p_who), t.id('one'),
	(select attachment_id from conduct.attachment where case_id = t.id('one') and size = 70000), p_from)) $$;
create function t.custody(p_who text, p_case text) returns table (action text, role text, told text) language sql volatile
as $$ select x ->> 'action', x ->> 'role', concat_ws(' ', x #>> '{facts,source}', x #>> '{facts,media_type}', x #>> '{facts,size}',
	x #>> '{facts,extent}', case when x #> '{facts,sha256,$word}' is not null then 'sealed' end,
	case when x ->> 'party' is not null then 'party' end, case when x ->> 'actor' is not null then 'person' end)
from (select jsonb_array_elements(body -> 'items') from conduct_api_1.case_events(t.ix('id:' || p_who), t.id(p_case), 100, null)) e (x)
where x ->> 'kind' = 'file' $$;
select * from t.custody('Fa', 'one');
\echo parts behind it are the same download, from the first byte it is another, and after an hour
select t.read(5), t.read(65536), (select count(*) from t.custody('Fa', 'one'));
select t.read(0), (select count(*) from t.custody('Fa', 'one'));
select t.read(5, 'Fb'), (select count(*) from t.custody('Fa', 'one'));
update conduct.clock_offset set shift_seconds = 3700;
select t.read(5), t.read(6), (select count(*) from t.custody('Fa', 'one')), (select count(*) from conduct.attachment_read);
\echo page by page it is the same
create function t.pages(p_limit integer) returns jsonb language plpgsql volatile
as $$
declare
	v_page jsonb;
	v_after jsonb;
	v_all jsonb := '[]';
begin
	loop
		v_page := (conduct_api_1.case_events(t.ix('id:Fa'), t.id('one'), p_limit, v_after)).body;
		v_all := v_all || (v_page -> 'items');
		v_after := nullif(v_page -> 'next', 'null');
		exit when v_after is null;
	end loop;
	return v_all;
end
$$;
select n, t.pages(n) = t.pages(100), jsonb_array_length(t.pages(n)) from unnest(array[1, 2, 3, 7]) n;
select x ->> 'kind', count(*), bool_and(x ->> 'at' >= b) from (select x, lag(x ->> 'at', 1, '') over (order by n) as b
	from jsonb_array_elements(t.pages(100)) with ordinality e (x, n)) o group by 1 order by 1;
\echo of a case without files, and of whoever does not see the case, none
select count(*) from t.custody('Fa', 'two');
select t.attempt('as ' || w, format('select * from t.custody(%L, ''one'')', w)) from unnest(array['Ba', 'Rep']) w;
\echo erased: when, how much of the case, and what is left of it
begin;
alter table conduct.erasure disable trigger user;
insert into conduct.erasure (erasure_id, case_id, extent, party_id, units, contents, at)
select gen_random_uuid(), a.case_id, 'party', a.party_id, array[a.unit_id], '{}', conduct.clock() from conduct.attachment a
where a.case_id = t.id('one') and a.size = 70000;
select * from t.custody('Fa', 'one') where action <> 'open';
rollback;

\echo what has arrived: of the party whose receipt it is, by pages, without names
select jsonb_agg(x - 'id' - 'at' - 'sha256' order by n), bool_and(x #> '{sha256,$word}' is not null) from conduct_api_1.receipt_attachments(null,
	t.ix('receipt:one'), null, 10, null) r, jsonb_array_elements(r.body -> 'items') with ordinality e (x, n);
select jsonb_array_length(p.body -> 'items'), jsonb_array_length(q.body -> 'items'), q.body -> 'next'
from conduct_api_1.receipt_attachments(null, t.ix('receipt:one'), null, 1, null) p,
	conduct_api_1.receipt_attachments(null, t.ix('receipt:one'), null, 10, p.body -> 'next') q;
select body from conduct_api_1.receipt_attachments(null, t.ix('receipt:two'), null, 10, null);
select t.attempt('nobody', format('select conduct_api_1.receipt_attachments(null, %L, null, 10, null)', t.ix('nix')));
