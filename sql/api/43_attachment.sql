-- Files of a case. An upload is three calls: it begins with everything that can be refused, each chunk is put
-- in a transaction of its own, and with the last one it becomes an attachment, under the case's lock and with
-- one more look at who may. A download begins with a row that says who reads, and each of its chunks asks
-- again whether they may.

set role conduct_party;
set search_path = pg_catalog, conduct, pg_temp;

-- An upload of the opened case by a party or a handler, who has its limit; where the key of the request is
-- spent, none: what comes is then compared with what came first.
create or replace function conduct_api_1.begin_upload(p_party uuid, p_person uuid, p_unit uuid, p_scope bytea,
	p_size integer)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_case uuid := conduct.opened_case();
	v_id uuid := gen_random_uuid();
	v_now timestamptz := conduct.clock();
	v_most integer := case when p_party is null then 100 else 10 end;
	v_old uuid;
	v_body jsonb;
begin
	if exists (select from conduct.idempotency i
		where i.scope = p_scope and i.status > 0 and i.at >= v_now - interval '24 hours')
	then
		return row(200, jsonb_build_object('unit', p_unit, 'replay', true), '{}', '{}')::conduct_api_1.answer;
	end if;
	if not conduct_gate.takes_files(v_case) then
		perform conduct_api_1.refuse(409, 'conduct-attachments-not-taken',
			jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
	end if;
	-- A second try of the same request takes the place of the first.
	for v_old in select u.attachment_id from conduct.attachment_upload u
		where u.case_id = v_case and u.scope = p_scope
	loop
		perform conduct_gate.forget_upload(v_old);
	end loop;
	-- Ten of a party; a case takes a hundred of those who handle it.
	if (select count(*) from conduct.attachment a where a.case_id = v_case and a.source = 'upload'
			and a.party_id is not distinct from p_party)
		+ (select count(*) from conduct.attachment_upload u where u.case_id = v_case
			and u.party_id is not distinct from p_party) >= v_most
	then
		perform conduct_api_1.refuse(409, 'conduct-attachments-full', jsonb_build_object('params',
			jsonb_build_array(v_most),
			'allowed_actions', conduct_api_1.allowed_in_case()));
	end if;
	insert into conduct.attachment_upload (attachment_id, case_id, party_id, person_id, scope, size, begun_at)
	values (v_id, v_case, p_party, p_person, p_scope, p_size, v_now);
	v_body := jsonb_build_object('unit', p_unit, 'attachment', v_id);
	return row(200, v_body, '{}', '{}')::conduct_api_1.answer;
end
$$;

-- What is said of a file to whoever brought it. Its name they know.
create or replace function conduct_api_1.attachment_brought(p_file conduct.attachment) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_file.attachment_id, 'media_type', p_file.media_type, 'size', p_file.size,
		'at', conduct_api_1.time_text(p_file.made_at), 'warnings', conduct_api_1.attachment_warnings(p_file));
end
$$;

create or replace function conduct_api_1.attachment_warnings(p_file conduct.attachment) returns jsonb
language plpgsql stable
as $$
begin
	return to_jsonb(case when p_file.has_location then array['location', 'metadata']
		when p_file.has_metadata then array['metadata'] else '{}'::text[] end);
end
$$;

-- The upload's end: the attachment of the opened case, with its name and the digest of its bytes.
create or replace function conduct_api_1.keep_attachment(p_party uuid, p_person uuid, p_unit uuid, p_args jsonb,
	p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct.attachment language plpgsql volatile
as $$
declare
	v_id uuid := (p_args ->> 'attachment')::uuid;
	v_file conduct.attachment;
begin
	if conduct_gate.case_of_upload(v_id) is distinct from conduct.opened_case() then
		perform conduct_api_1.refuse(409, 'conduct-upload-lost', jsonb_build_object('allowed_actions',
			conduct_api_1.allowed_in_case()));
	end if;
	perform conduct_api_1.store_words(p_unit, p_word_ids, p_word_kinds, p_words);
	insert into conduct.attachment (attachment_id, case_id, party_id, person_id, source, unit_id, generation,
		name_content, digest_content, media_type, size, has_metadata, has_location, made_at)
	values (v_id, conduct.opened_case(), p_party, p_person, 'upload', p_unit,
		(p_args ->> 'generation')::integer, (p_args ->> 'name')::uuid, (p_args ->> 'digest')::uuid,
		p_args ->> 'media_type', (p_args ->> 'size')::integer, (p_args ->> 'has_metadata')::boolean,
		(p_args ->> 'has_location')::boolean, conduct.clock())
	returning * into v_file;
	insert into conduct.attachment_index (attachment_id, case_id, hash_ix)
	values (v_id, v_file.case_id, decode(p_args ->> 'hash_ix', 'hex'));
	perform conduct_api_1.send('attachment', jsonb_build_object('attachment', v_id, 'party', p_party));
	return v_file;
end
$$;

create or replace function conduct_api_1.receipt_attachment_begin(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_size integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
begin
	return conduct_api_1.begin_upload(v_party.party_id, null, conduct_api_1.party_unit(v_party), p_scope,
		p_size);
end
$$;

-- A chunk of an upload that is under way; who holds its id began it. It is durable with the attachment, whose
-- commit is not asynchronous and flushes what was written before it.
create or replace function conduct_api_1.attachment_put(p_attachment uuid, p_nth integer, p_body bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_case uuid := conduct_gate.case_of_upload(p_attachment);
begin
	if v_case is null then
		perform conduct_api_1.refuse(409, 'conduct-upload-lost');
	end if;
	perform set_config('conduct.case_id', v_case::text, true), set_config('synchronous_commit', 'off', true);
	insert into conduct.attachment_chunk (attachment_id, nth, case_id, body)
	values (p_attachment, p_nth, v_case, p_body);
	return row(200, '{}'::jsonb, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
exception when check_violation then
	perform conduct_api_1.refuse(409, 'conduct-upload-lost');
	return null;
end
$$;

create or replace function conduct_api_1.attachment_drop(p_attachment uuid)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	perform conduct_gate.forget_upload(p_attachment);
	return row(200, '{}'::jsonb, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.receipt_attachment_keep(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_body jsonb;
begin
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	v_body := conduct_api_1.attachment_brought(conduct_api_1.keep_attachment(v_party.party_id, null,
		conduct_api_1.party_unit(v_party), p_args, p_word_ids, p_word_kinds, p_words));
	perform conduct_api_1.finish_key(p_scope, 201, v_body, v_party.case_id);
	return conduct_api_1.answer(201, v_body);
end
$$;

-- Which files of the party's own have arrived, whole: whose connection was cut looks here before they send one
-- again. The digest says which is which.
create or replace function conduct_api_1.receipt_attachments(p_account bytea, p_receipt bytea,
	p_participation uuid, p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party conduct.party := conduct_api_1.enter_party_to_read(p_account, p_receipt, p_participation);
	v_items jsonb;
	v_next jsonb;
begin
	with page as (
		select a as file, a.made_at, a.attachment_id,
			row_number() over (order by a.made_at, a.attachment_id) as nth
		from conduct.attachment a
		where a.case_id = v_party.case_id and a.party_id = v_party.party_id
			and (p_after is null or (a.made_at, a.attachment_id) >
				((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid))
		order by a.made_at, a.attachment_id limit p_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.attachment_brought(g.file)
			|| jsonb_build_object('sha256', conduct_api_1.word((g.file).digest_content)) order by g.nth)
			filter (where g.nth <= p_limit), '[]'),
		case when count(*) > p_limit then
			(select jsonb_build_array(l.made_at, l.attachment_id) from page l where l.nth = p_limit) end
	into v_items, v_next from page g;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

reset role;
set role conduct_handler;

create or replace function conduct_api_1.case_attachment_begin(p_account bytea, p_case uuid, p_scope bytea,
	p_size integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
begin
	perform conduct_api_1.open_case(p_case);
	return conduct_api_1.begin_upload(null, v_person, (conduct_api_1.current_case()).unit_id, p_scope, p_size);
end
$$;

create or replace function conduct_api_1.case_attachment_keep(p_account bytea, p_case uuid, p_scope bytea,
	p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_body jsonb;
begin
	perform conduct_api_1.open_case(p_case);
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	v_body := conduct_api_1.attachment_brought(conduct_api_1.keep_attachment(null, v_person,
		(conduct_api_1.current_case()).unit_id, p_args, p_word_ids, p_word_kinds, p_words));
	perform conduct_api_1.finish_key(p_scope, 201, v_body, p_case);
	return conduct_api_1.answer(201, v_body);
end
$$;

-- A file is seen by whoever would see a message of the same author at the same time; what the daemon fetched,
-- by everybody who sees the case.
create or replace function conduct_api_1.sees_attachment(p_file conduct.attachment) returns boolean
language plpgsql stable
as $$
declare
	v_message conduct.message;
begin
	if p_file.source <> 'upload' then
		return true;
	end if;
	v_message.case_id := p_file.case_id;
	v_message.party_id := p_file.party_id;
	v_message.author_party := p_file.party_id;
	v_message.author_person := p_file.person_id;
	v_message.at := p_file.made_at;
	return conduct_api_1.sees_message(v_message);
end
$$;

-- A reading is seen by whoever would see what the reader wrote at that time: to whom a proceeding is hidden,
-- nothing tells of it.
create or replace function conduct_api_1.sees_reading(p_read conduct.attachment_read) returns boolean
language plpgsql stable
as $$
declare
	v_message conduct.message;
begin
	v_message.case_id := p_read.case_id;
	v_message.author_person := p_read.person_id;
	v_message.at := p_read.at;
	return conduct_api_1.sees_message(v_message);
end
$$;

-- With its custody: who brought it, and who read it when; of many readings the last ones.
create or replace function conduct_api_1.view_attachment(p_file conduct.attachment) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_file.attachment_id, 'source', p_file.source, 'party', p_file.party_id,
		'author', p_file.person_id, 'name', conduct_api_1.word(p_file.name_content),
		'media_type', p_file.media_type, 'size', p_file.size,
		'sha256', conduct_api_1.word(p_file.digest_content),
		'warnings', conduct_api_1.attachment_warnings(p_file), 'at', conduct_api_1.time_text(p_file.made_at),
		'readings', coalesce((
			select jsonb_agg(jsonb_build_object('person', r.person_id, 'from', r.from_byte,
				'at', conduct_api_1.time_text(r.at)) order by r.at, r.read_id)
			from (select * from conduct.attachment_read r
				where r.case_id = p_file.case_id and r.attachment_id = p_file.attachment_id
					and conduct_api_1.sees_reading(r)
				order by r.at desc, r.read_id desc limit 20) r), '[]'));
end
$$;

-- The chain of custody, which case_events() tells with the rest of the history. It is read from what is
-- written anyway: a file that was added, somebody who opened it, its erasure.

create or replace function conduct_api_1.custody_added(p_file conduct.attachment) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('kind', 'file', 'action', 'add',
		'role', case when p_file.source = 'snapshot' then 'system' when p_file.party_id is null then 'handler'
			else (select y.role from conduct.party y where y.party_id = p_file.party_id) end,
		'actor', p_file.person_id, 'party', p_file.party_id, 'at', conduct_api_1.time_text(p_file.made_at),
		'facts', jsonb_build_object('attachment', p_file.attachment_id, 'source', p_file.source,
			'media_type', p_file.media_type, 'size', p_file.size,
			'sha256', conduct_api_1.word(p_file.digest_content)));
end
$$;

-- Whether a download begins with a reading. One from a later byte goes on with a download of the same person
-- within the hour: a connection that was cut, or one of several at once.
create or replace function conduct_api_1.custody_opens(p_read conduct.attachment_read) returns boolean
language plpgsql stable
as $$
begin
	return p_read.from_byte = 0 or not exists (
		select from conduct.attachment_read r
		where r.case_id = p_read.case_id and r.attachment_id = p_read.attachment_id
			and r.person_id = p_read.person_id and r.at >= p_read.at - interval '1 hour'
			and (r.at, r.read_id) < (p_read.at, p_read.read_id));
end
$$;

create or replace function conduct_api_1.custody_opened(p_read conduct.attachment_read) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('kind', 'file', 'action', 'open', 'role', 'handler', 'actor', p_read.person_id,
		'party', null, 'at', conduct_api_1.time_text(p_read.at),
		'facts', jsonb_build_object('attachment', p_read.attachment_id));
end
$$;

-- The party of an erasure is the one that asked for it.
create or replace function conduct_api_1.custody_erased(p_attachment uuid, p_extent text, p_party uuid,
	p_at timestamptz)
returns jsonb language plpgsql stable
as $$
begin
	return jsonb_build_object('kind', 'file', 'action', 'erase', 'role', 'system', 'actor', null,
		'party', p_party, 'at', conduct_api_1.time_text(p_at),
		'facts', jsonb_build_object('attachment', p_attachment, 'extent', p_extent));
end
$$;

-- Of the files of the opened case that the actor sees: the first so many of each sort behind a place in the
-- history, which is (at, id, seq).
create or replace function conduct_api_1.custody(p_case uuid, p_limit integer, p_after jsonb)
returns table (at timestamptz, id uuid, seq integer, item jsonb)
language plpgsql stable rows 100
as $$
declare
	v_at timestamptz := coalesce((p_after ->> 0)::timestamptz, '-infinity');
	v_id uuid := coalesce((p_after ->> 1)::uuid, '00000000-0000-0000-0000-000000000000');
	v_seq integer := coalesce((p_after ->> 2)::integer, 0);
	v_files uuid[];
begin
	-- Most cases have none.
	if not exists (select from conduct.attachment a where a.case_id = p_case) then
		return;
	end if;
	v_files := array(select a.attachment_id from conduct.attachment a
		where a.case_id = p_case and conduct_api_1.sees_attachment(a));
	return query
		select a.made_at, a.attachment_id, 1, conduct_api_1.custody_added(a)
		from conduct.attachment a
		where a.case_id = p_case and a.attachment_id = any (v_files)
			and (a.made_at, a.attachment_id, 1) > (v_at, v_id, v_seq)
		order by a.made_at, a.attachment_id limit p_limit;
	return query
		select r.at, r.read_id, 1, conduct_api_1.custody_opened(r)
		from conduct.attachment_read r
		where r.case_id = p_case and r.at >= v_at and r.attachment_id = any (v_files)
			and (r.at, r.read_id, 1) > (v_at, v_id, v_seq)
			and conduct_api_1.custody_opens(r) and conduct_api_1.sees_reading(r)
		order by r.at, r.read_id limit p_limit;
	return query
		select x.at, x.attachment_id, 2,
			conduct_api_1.custody_erased(x.attachment_id, x.extent, x.party_id, x.at)
		from (select distinct on (a.attachment_id) e.at, a.attachment_id, e.extent, e.party_id
			from conduct.erasure e join conduct.attachment a on a.case_id = e.case_id
				and (a.unit_id = any (e.units) or a.party_id = e.party_id)
			where e.case_id = p_case and a.attachment_id = any (v_files)
			order by a.attachment_id, e.at) x
		where (x.at, x.attachment_id, 2) > (v_at, v_id, v_seq)
		order by x.at, x.attachment_id limit p_limit;
end
$$;

create or replace function conduct_api_1.case_attachments(p_account bytea, p_case uuid, p_limit integer,
	p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_items jsonb;
	v_next jsonb;
begin
	perform conduct_api_1.enter_person(p_account);
	perform conduct_api_1.open_seen_case(p_case);
	with page as (
		select a as file, a.made_at, a.attachment_id,
			row_number() over (order by a.made_at, a.attachment_id) as nth
		from conduct.attachment a
		where a.case_id = p_case and conduct_api_1.sees_attachment(a)
			and (p_after is null or (a.made_at, a.attachment_id) >
				((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid))
		order by a.made_at, a.attachment_id limit p_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.view_attachment(g.file) order by g.nth)
			filter (where g.nth <= p_limit), '[]'),
		case when count(*) > p_limit then
			(select jsonb_build_array(l.made_at, l.attachment_id) from page l where l.nth = p_limit) end
	into v_items, v_next from page g;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

-- A file of the opened case that the actor sees; others are not there.
create or replace function conduct_api_1.seen_attachment(p_attachment uuid) returns conduct.attachment
language plpgsql stable
as $$
declare
	v_file conduct.attachment;
begin
	select * into v_file from conduct.attachment a
	where a.attachment_id = p_attachment and a.case_id = conduct.opened_case();
	if v_file.attachment_id is null or not conduct_api_1.sees_attachment(v_file) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return v_file;
end
$$;

-- Somebody reads a file, from p_from on; below 0, so many bytes from its end. All that is needed to open it:
-- the name as it is sealed, and the stanza of its key. A key that was erased has none. Where p_from is null
-- nothing is read: what everybody who sees the case may know of it.
create or replace function conduct_api_1.case_attachment_read(p_account bytea, p_case uuid, p_attachment uuid,
	p_from integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
	v_file conduct.attachment;
	v_key keyring.stanza;
begin
	perform conduct_api_1.open_seen_case(p_case);
	v_file := conduct_api_1.seen_attachment(p_attachment);
	select * into v_key from keyring.stanza s
	where s.unit_id = v_file.unit_id and s.generation = v_file.generation and s.kind = 'vault'
	order by s.key_id desc limit 1;
	if v_key.blob is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	if p_from is null then
		return row(200, jsonb_build_object('media_type', v_file.media_type, 'size', v_file.size), '{}',
			'{}')::conduct_api_1.answer;
	end if;
	insert into conduct.attachment_read (read_id, attachment_id, case_id, person_id, from_byte, at)
	values (gen_random_uuid(), p_attachment, p_case, v_person,
		greatest(least(case when p_from < 0 then v_file.size + p_from else p_from end, v_file.size), 0),
		conduct.clock());
	return row(200, jsonb_build_object('media_type', v_file.media_type, 'size', v_file.size,
		'unit', v_file.unit_id, 'generation', v_file.generation, 'key_id', v_key.key_id,
		'vault', encode(v_key.blob, 'hex'), 'name_id', v_file.name_content,
		'name', (select encode(c.body, 'hex') from conduct.content c
			where c.content_id = v_file.name_content)), '{}', '{}')::conduct_api_1.answer;
end
$$;

-- A chunk of a file that is being read, as it is sealed.
create or replace function conduct_api_1.case_attachment_chunk(p_account bytea, p_case uuid, p_attachment uuid,
	p_nth integer)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_body bytea;
begin
	perform conduct_api_1.enter_person(p_account);
	if not conduct_gate.handler_sees(p_case) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
	select c.body into v_body from conduct.attachment_chunk c
	where c.attachment_id = (conduct_api_1.seen_attachment(p_attachment)).attachment_id
		and c.nth = p_nth and c.case_id = p_case;
	if v_body is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return row(200, '{}'::jsonb, '{}'::uuid[], array[v_body])::conduct_api_1.answer;
end
$$;

reset role;
reset search_path;
