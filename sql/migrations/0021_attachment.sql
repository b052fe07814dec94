-- Files: sealed in chunks of 64 KiB under a key of their own, which is one more generation of the unit they
-- are erased with. What is on its way is an upload: its chunks come one by one, each in a transaction of its
-- own, and nobody reads them. With its last chunk it becomes an attachment, which stays as it is: its row and
-- the hash of every chunk stand in the log, and so does everybody who reads it.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- On its way. Short-lived: what has not come to an end is swept.
create table attachment_upload (
	attachment_id uuid constraint attachment_upload_pkey primary key,
	case_id uuid not null constraint attachment_upload_case_fkey references case_file,
	party_id uuid,
	person_id uuid constraint attachment_upload_person_fkey references person,
	-- Of the request: a second try takes the place of the first. None where the daemon itself writes.
	scope bytea constraint attachment_upload_scope_is_hash check (octet_length(scope) = 32),
	size integer not null constraint attachment_upload_size_is_bounded check (size between 1 and 10485760),
	begun_at timestamptz not null,
	constraint attachment_upload_party_fkey foreign key (party_id, case_id)
		references party (party_id, case_id)
);
create index attachment_upload_case on attachment_upload (case_id);
create index attachment_upload_begun on attachment_upload (begun_at);

-- Of an upload, later of its attachment. Its id names it in the log.
create table attachment_chunk (
	attachment_id uuid not null,
	nth integer not null constraint attachment_chunk_counts check (nth between 0 and 159),
	case_id uuid not null constraint attachment_chunk_case_fkey references case_file,
	chunk_id uuid not null default gen_random_uuid() constraint attachment_chunk_id_is_new unique,
	-- 36 bytes of header, nonce and tag, around 64 KiB at most.
	body bytea not null constraint attachment_chunk_body_is_bounded
		check (octet_length(body) between 37 and 65572),
	hash bytea not null generated always as (sha256(body)) stored,
	constraint attachment_chunk_pkey primary key (attachment_id, nth)
);
-- Ciphertext does not shrink.
alter table attachment_chunk alter column body set storage external;

create table attachment (
	attachment_id uuid constraint attachment_pkey primary key,
	case_id uuid not null constraint attachment_case_fkey references case_file,
	party_id uuid,
	person_id uuid constraint attachment_person_fkey references person,
	source text not null constraint attachment_source_known check (source in ('upload', 'snapshot')),
	unit_id uuid not null constraint attachment_unit_fkey references unit,
	generation integer not null constraint attachment_generation_is_its_own check (generation > 1),
	name_content uuid not null constraint attachment_name_fkey references content,
	-- SHA-256 of the file.
	digest_content uuid not null constraint attachment_digest_fkey references content,
	-- As the bytes say; nothing that a browser would run.
	media_type text not null constraint attachment_media_type_known check (media_type in (
		'application/octet-stream', 'application/pdf', 'audio/ogg', 'image/gif', 'image/heic', 'image/jpeg',
		'image/png', 'image/webp', 'text/plain', 'video/mp4', 'video/ogg', 'video/webm')),
	size integer not null constraint attachment_size_is_bounded check (size between 1 and 10485760),
	n_chunks integer not null generated always as ((size + 65535) / 65536) stored,
	-- The file may say more than its maker knows: of cameras and authors, of places.
	has_metadata boolean not null,
	has_location boolean not null,
	made_at timestamptz not null,
	constraint attachment_case_key unique (attachment_id, case_id),
	constraint attachment_party_fkey foreign key (party_id, case_id) references party (party_id, case_id),
	constraint attachment_has_its_maker check (num_nonnulls(party_id, person_id)
		= case source when 'upload' then 1 else 0 end),
	constraint attachment_location_is_metadata check (has_metadata or not has_location)
);
create index attachment_case on attachment (case_id, made_at, attachment_id);
create index attachment_party on attachment (party_id) where party_id is not null;

-- Whether two files are the same one: HMAC of the file's SHA-256. Erasable, like every index.
create table attachment_index (
	attachment_id uuid constraint attachment_index_pkey primary key,
	case_id uuid not null,
	hash_ix bytea not null constraint attachment_index_is_hmac check (octet_length(hash_ix) = 32),
	constraint attachment_index_fkey foreign key (attachment_id, case_id)
		references attachment (attachment_id, case_id)
);
create index attachment_index_hash on attachment_index (hash_ix);

-- Who read it, written before the first byte of it leaves.
create table attachment_read (
	read_id uuid constraint attachment_read_pkey primary key,
	attachment_id uuid not null,
	case_id uuid not null,
	person_id uuid not null constraint attachment_read_person_fkey references person,
	from_byte integer not null,
	at timestamptz not null,
	constraint attachment_read_fkey foreign key (attachment_id, case_id)
		references attachment (attachment_id, case_id),
	constraint attachment_read_from_counts check (from_byte >= 0)
);
create index attachment_read_attachment on attachment_read (attachment_id, at);

grant select on attachment_upload, attachment_chunk, attachment, attachment_index, attachment_read
	to conduct_gate;
-- Locking a row needs it; ids do not change.
grant update (attachment_id) on attachment_upload to conduct_gate;
grant delete on attachment_upload, attachment_chunk to conduct_gate;

do $$
declare
	v_table text;
	v_role text;
begin
	foreach v_table in array array['attachment_upload', 'attachment_chunk', 'attachment', 'attachment_index',
		'attachment_read']
	loop
		execute format('alter table conduct.%I enable row level security', v_table);
		execute format('alter table conduct.%I force row level security', v_table);
		foreach v_role in array array['conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_timer'] loop
			execute format('grant select, insert on conduct.%I to %I', v_table, v_role);
			execute format('create policy %I on conduct.%I to %I
				using (case_id = (select conduct.opened_case()))
				with check (case_id = (select conduct.opened_case()))',
				v_table || '_' || substr(v_role, 9), v_table, v_role);
		end loop;
	end loop;
end
$$;

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- A chunk comes while its upload is under way, whose end waits for it.
create function conduct_gate.attachment_chunk_has_upload() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform from conduct.attachment_upload u
	where u.attachment_id = new.attachment_id and u.case_id = new.case_id for key share;
	if not found then
		perform conduct_gate.refuse('attachment_chunk_has_upload');
	end if;
	return new;
end
$$;

-- Chunks of what never was an attachment may go.
create function conduct_gate.attachment_chunk_stays() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (select from conduct.attachment a where a.attachment_id = old.attachment_id) then
		perform conduct_gate.refuse('attachment_chunk_stays');
	end if;
	return old;
end
$$;

-- An attachment is an upload that has come to its end, with all its chunks, and takes its place.
create function conduct_gate.attachment_is_whole() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_chunks integer := (new.size + 65535) / 65536;
	v_are record;
begin
	perform from conduct.attachment_upload u
	where u.attachment_id = new.attachment_id and u.case_id = new.case_id and u.size = new.size
		and u.party_id is not distinct from new.party_id and u.person_id is not distinct from new.person_id
	for update;
	if not found then
		perform conduct_gate.refuse('attachment_has_upload');
	end if;
	select count(*) as n, max(c.nth) as last, sum(octet_length(c.body)) as size,
		bool_and(octet_length(c.body) = 65572) filter (where c.nth < v_chunks - 1) as are_full
	into v_are from conduct.attachment_chunk c where c.attachment_id = new.attachment_id;
	if v_are.n <> v_chunks or v_are.last <> v_chunks - 1 or v_are.size <> new.size + 36 * v_chunks
		or not coalesce(v_are.are_full, true)
	then
		perform conduct_gate.refuse('attachment_is_whole');
	end if;
	delete from conduct.attachment_upload u where u.attachment_id = new.attachment_id;
	return new;
end
$$;

-- The chunks of new attachments, an entry for each file: 160 hashes at most.
create function conduct_gate.audit_chunks() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, unit_id, row_ids, row_hashes,
		payload)
	select conduct.clock(), 'attachment_chunk.insert', conduct_gate.acting_pseudonym(), f.pseudonym, f.case_id,
		n.unit_id, x.ids, x.hashes, 'unit ' || n.unit_id || chr(10) || x.places
	from new_rows n
	join conduct.case_file f on f.case_id = n.case_id,
	lateral (select array_agg(c.chunk_id order by c.nth) as ids, array_agg(c.hash order by c.nth) as hashes,
			string_agg('content_place ' || c.chunk_id || ' ' || encode(sha256(convert_to(c.attachment_id || ' '
				|| c.nth, 'UTF8')), 'hex') || chr(10), '') as places
		from conduct.attachment_chunk c where c.attachment_id = n.attachment_id) x;
	return null;
end
$$;

-- The case an upload is of: whoever holds its id began it.
create function conduct_gate.case_of_upload(p_attachment uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select u.case_id from conduct.attachment_upload u where u.attachment_id = p_attachment);
end
$$;

-- Forgets an upload with its chunks; false: there is none. Its ciphertext was readable by nobody: the key
-- comes with the end.
create function conduct_gate.forget_upload(p_attachment uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	delete from conduct.attachment_upload u where u.attachment_id = p_attachment;
	if not found then
		return false;
	end if;
	delete from conduct.attachment_chunk c where c.attachment_id = p_attachment;
	return true;
end
$$;

-- Uploads that have not come to their end within the hour; how many.
create function conduct_gate.forget_uploads(p_limit integer) returns integer
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_ids uuid[];
begin
	with gone as (
		delete from conduct.attachment_upload u
		where u.attachment_id in (
			select o.attachment_id from conduct.attachment_upload o
			where o.begun_at < conduct.clock() - interval '1 hour' limit p_limit for update skip locked)
		returning u.attachment_id)
	select array_agg(g.attachment_id) into v_ids from gone g;
	delete from conduct.attachment_chunk c where c.attachment_id = any (v_ids);
	return coalesce(cardinality(v_ids), 0);
end
$$;

-- Whether a case takes files at all. Sexual material of minors is not to be copied, not even as evidence:
-- where a report may be about it, links alone are taken.
create function conduct_gate.takes_files(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return not exists (
		select from conduct.report r
		join conduct.case_file f on f.case_id = r.case_id
		where r.case_id = p_case and r.minor_at_risk
			and (r.category is null or r.category = 'sexual-harassment' or exists (
				select from conduct.profile_category g
				where g.profile = f.profile and g.category = r.category
					and 'ucoc/3.1/sexual-harassment' = any (g.rules))));
end
$$;

grant execute on function conduct_gate.case_of_upload(uuid), conduct_gate.forget_upload(uuid) to conduct_party,
	conduct_handler;
grant execute on function conduct_gate.forget_uploads(integer) to conduct_admin;
grant execute on function conduct_gate.takes_files(uuid) to conduct_party, conduct_handler, conduct_timer;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger attachment_upload_columns_stay before update on attachment_upload
	for each row execute function conduct_gate.columns_stay();
create trigger attachment_chunk_has_upload before insert on attachment_chunk
	for each row execute function conduct_gate.attachment_chunk_has_upload();
create trigger attachment_chunk_is_append_only before update on attachment_chunk
	for each row execute function conduct_gate.append_only();
create trigger attachment_chunk_stays before delete on attachment_chunk
	for each row execute function conduct_gate.attachment_chunk_stays();
create trigger attachment_is_whole before insert on attachment
	for each row execute function conduct_gate.attachment_is_whole();
create trigger attachment_is_append_only before update or delete on attachment
	for each row execute function conduct_gate.append_only();
create trigger attachment_index_columns_stay before update on attachment_index
	for each row execute function conduct_gate.columns_stay();
create trigger attachment_read_is_append_only before update or delete on attachment_read
	for each row execute function conduct_gate.append_only();

create trigger attachment_is_logged after insert on attachment referencing new table as new_rows
	for each statement execute function conduct_gate.audit_rows('{attachment_id}', '{}');
create trigger attachment_chunks_are_logged after insert on attachment referencing new table as new_rows
	for each statement execute function conduct_gate.audit_chunks();
create trigger attachment_read_is_logged after insert on attachment_read referencing new table as new_rows
	for each statement execute function conduct_gate.audit_rows('{read_id}', '{}');
call guard_tables();

reset role;
reset search_path;
