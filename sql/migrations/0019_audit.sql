-- The log that nobody can rewrite. The transaction that changes or reads a case writes audit_pending, by
-- triggers on the tables themselves, so that no function can forget it. One sequencer moves what is pending
-- to audit_leaf, numbered without gaps; the tree over the leaves (RFC 9162) is hashed and signed outside of
-- the database. What a leaf says of rows with words is the hash of their ciphertext; of all else a salted
-- hash of its payload, which is kept beside it and can be erased: the log stays verifiable, and silent.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- The log knows people and cases by random names, which are forgotten with them.
alter table person add column pseudonym uuid not null default gen_random_uuid();
alter table case_file add column pseudonym uuid not null default gen_random_uuid();

-- The log's name, and the fence: who holds a lower epoch than the present one is no longer the sequencer.
create table audit_log (
	only_row boolean constraint audit_log_pkey primary key default true
		constraint audit_log_is_one_row check (only_row),
	origin text not null constraint audit_log_origin_is_a_name check (origin ~ '^[!-*,-~]{1,100}$'),
	epoch bigint not null default 0
);

create table audit_pending (
	pending_id bigint generated always as identity constraint audit_pending_pkey primary key,
	at timestamptz not null,
	event text not null constraint audit_pending_event_is_a_name check (event ~ '^[a-z0-9._]{1,63}$'),
	actor uuid,
	case_pseudonym uuid,
	-- What it is erased with: a case, or a key unit.
	case_id uuid,
	unit_id uuid,
	row_ids uuid[] not null default '{}',
	row_hashes bytea[] not null default '{}',
	payload text not null,
	constraint audit_pending_rows_have_hashes check (cardinality(row_ids) = cardinality(row_hashes)
		and cardinality(row_ids) <= 1024)
);

create table audit_leaf (
	leaf_index bigint constraint audit_leaf_pkey primary key
		constraint audit_leaf_counts check (leaf_index >= 0),
	leaf bytea not null
);

-- What a leaf commits to beyond itself. Erasable: without the salt nobody can tell what it was.
create table audit_payload (
	leaf_index bigint constraint audit_payload_pkey primary key
		constraint audit_payload_leaf_fkey references audit_leaf,
	case_id uuid,
	unit_id uuid,
	salt bytea not null constraint audit_payload_salt_is_whole check (octet_length(salt) = 32),
	payload text not null
);
create index audit_payload_case on audit_payload (case_id) where case_id is not null;
create index audit_payload_unit on audit_payload (unit_id) where unit_id is not null;

-- Hashes of complete subtrees: of leaves node_index * 2^level up to the next.
create table audit_node (
	level integer not null constraint audit_node_level_counts check (level between 0 and 47),
	node_index bigint not null constraint audit_node_counts check (node_index >= 0),
	hash bytea not null constraint audit_node_hash_is_sha256 check (octet_length(hash) = 32),
	constraint audit_node_pkey primary key (level, node_index)
);

create table audit_checkpoint (
	size bigint constraint audit_checkpoint_pkey primary key
		constraint audit_checkpoint_counts check (size >= 0),
	root bytea not null constraint audit_checkpoint_root_is_sha256 check (octet_length(root) = 32),
	note text not null constraint audit_checkpoint_note_is_bounded check (octet_length(note) <= 4096),
	made_at timestamptz not null
);

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- What is written ---------------------------------------------------------------------------------

-- One row as a payload says it: its table, its key, and the hash of all its columns but those left out,
-- as JSON without nulls, so that a column that is added later changes nothing.
-- These are plpgsql because a function in SQL that cannot be folded into its caller is planned at each call.
create function conduct_gate.audit_line(p_table text, p_key text[], p_left_out text[], p_row jsonb)
returns text language plpgsql immutable
as $$
declare
	v_key text := p_row ->> p_key[1];
begin
	for i in 2 .. cardinality(p_key) loop
		v_key := v_key || '/' || (p_row ->> p_key[i]);
	end loop;
	return p_table || ' ' || v_key || ' ' || encode(sha256(convert_to((p_row - p_left_out)::text, 'UTF8')), 'hex')
		|| chr(10);
end
$$;

create function conduct_gate.acting_pseudonym() returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_person uuid := conduct.actor_person();
begin
	if v_person is null then
		return null;
	end if;
	return (select p.pseudonym from conduct.person p where p.person_id = v_person);
end
$$;

-- New rows, one entry for each case of the statement. The arguments: the columns of the key, those left out.
create function conduct_gate.audit_rows() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp set timezone = 'UTC'
as $$
declare
	v_key text[] := tg_argv[0];
	v_left_out text[] := tg_argv[1];
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select conduct.clock(), tg_table_name || '.insert', conduct_gate.acting_pseudonym(), f.pseudonym,
		f.case_id, x.payload
	from (
		select r.of ->> 'case_id' as case_id,
			string_agg(conduct_gate.audit_line(tg_table_name, v_key, v_left_out, r.of), '') as payload
		from (select jsonb_strip_nulls(to_jsonb(n)) as of from new_rows n) r
		group by 1) x
	left join conduct.case_file f on f.case_id = x.case_id::uuid;
	return null;
end
$$;

-- Rows that say something else than before.
create function conduct_gate.audit_changes() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp set timezone = 'UTC'
as $$
declare
	v_key text[] := tg_argv[0];
	v_left_out text[] := tg_argv[1];
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select conduct.clock(), tg_table_name || '.update', conduct_gate.acting_pseudonym(), f.pseudonym,
		f.case_id, x.payload
	from (
		select r.of ->> 'case_id' as case_id,
			string_agg(conduct_gate.audit_line(tg_table_name, v_key, '{}', r.of), '') as payload
		from (
			select jsonb_strip_nulls(to_jsonb(n)) - v_left_out as of from new_rows n
			except select jsonb_strip_nulls(to_jsonb(o)) - v_left_out from old_rows o) r
		group by 1) x
	left join conduct.case_file f on f.case_id = x.case_id::uuid;
	return null;
end
$$;

-- Acts: an entry each, by name. Who acted stands in the row itself.
create function conduct_gate.audit_events() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp set timezone = 'UTC'
as $$
declare
	v_key text[] := tg_argv[0];
	v_left_out text[] := tg_argv[1];
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select n.at, 'case.' || n.action, p.pseudonym, f.pseudonym, n.case_id,
		conduct_gate.audit_line(tg_table_name, v_key, v_left_out, jsonb_strip_nulls(to_jsonb(n)))
	from new_rows n
	left join conduct.case_file f on f.case_id = n.case_id
	left join conduct.person p on p.person_id = n.actor_person;
	return null;
end
$$;

-- Words: one entry for each key unit, with the hash of each ciphertext. Of words that come in for several
-- cases at once the unit alone is known.
create function conduct_gate.audit_words() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_case text := current_setting('conduct.case_id', true);
	v_now timestamptz := conduct.clock();
	v_actor uuid := conduct_gate.acting_pseudonym();
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, unit_id, row_ids, row_hashes,
		payload)
	select v_now, 'content.insert', v_actor, f.pseudonym, f.case_id,
		x.unit_id, x.ids, x.hashes, 'unit ' || x.unit_id || chr(10)
	from (
		select n.unit_id, array_agg(n.content_id) as ids, array_agg(sha256(n.body)) as hashes
		from new_rows n group by n.unit_id) x
	left join conduct.case_file f on f.case_id = case when length(v_case) = 36 then v_case::uuid end;
	return null;
end
$$;

-- A key as a payload says it: whose it is and for whom it is sealed, by name; the hash is of that with the
-- sealed bytes. It may outlast its unit: what is hashed is a random key, sealed, so that it helps nobody to
-- guess a word or a key. No type of the keyring is here: words are restored before the keyring is there.
create function conduct_gate.key_name(p_unit uuid, p_generation integer, p_kind text, p_party uuid,
	p_key_id integer)
returns text language plpgsql immutable
as $$
begin
	return 'stanza ' || p_unit || '/' || p_generation || '/' || p_kind || '/'
		|| coalesce(p_party::text, p_key_id::text);
end
$$;

create function conduct_gate.key_line(p_name text, p_unit_kind text, p_blob bytea) returns text
language plpgsql immutable
as $$
begin
	return p_name || ' ' || encode(sha256(convert_to(p_unit_kind || ' ' || encode(p_blob, 'hex'), 'UTF8')), 'hex')
		|| chr(10);
end
$$;

-- What binds words to where they stand, of each key unit: of every word its unit, channel and kind; and the
-- keys that they are under. It is added when their entry is numbered: hashing it there keeps submitting fast,
-- and a report brings no key without a word. Erased words have neither.
create function conduct_gate.audit_placed(p_ids uuid[]) returns table (unit_id uuid, payload text)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, conduct, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
	return query
		with word as materialized (
			select c.content_id, c.unit_id, c.generation, c.kind, c.party_id from conduct.content c
			where c.content_id = any (p_ids) and c.body <> '')
		select x.unit_id, string_agg(x.line, '')
		from (
			select w.unit_id, 'content_place ' || w.content_id || ' ' || encode(sha256(convert_to(w.unit_id || ' '
				|| coalesce(w.party_id::text, '-') || ' ' || w.kind, 'UTF8')), 'hex') || chr(10) as line
			from word w
			union all
			select k.unit_id, conduct_gate.key_line(conduct_gate.key_name(s.unit_id, s.generation, s.kind,
				s.party_id, s.key_id), u.kind, s.blob)
			from (select distinct w.unit_id, w.generation from word w) k
			join conduct.unit u on u.unit_id = k.unit_id
			join keyring.stanza s on s.unit_id = k.unit_id and s.generation = k.generation) x
		group by x.unit_id;
end
$$;

-- Keys that do not come with a report: one entry, which is erased with the unit if it is of one. That of
-- several, which are sealed again to another key, is not.
create function conduct_gate.audit_keys_made() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_case text := current_setting('conduct.case_id', true);
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, unit_id, payload)
	select conduct.clock(), 'stanza.insert', conduct_gate.acting_pseudonym(), f.pseudonym, f.case_id, x.unit_id,
		x.payload
	from (
		select case when count(distinct n.unit_id) = 1 then min(n.unit_id::text)::uuid end as unit_id,
			string_agg(conduct_gate.key_line(conduct_gate.key_name(n.unit_id, n.generation, n.kind,
				n.party_id, n.key_id), u.kind, n.blob), '') as payload
		from new_rows n join conduct.unit u on u.unit_id = n.unit_id having count(*) > 0) x
	left join conduct.case_file f on x.unit_id is not null
		and f.case_id = case when length(v_case) = 36 then v_case::uuid end;
	return null;
end
$$;

-- Keys that are gone: sealed again to another key, or erased. The entry says so for as long as there is a log.
create function conduct_gate.audit_keys_gone() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	insert into conduct.audit_pending (at, event, payload)
	select conduct.clock(), 'stanza.delete', x.payload
	from (
		select string_agg('gone ' || conduct_gate.key_name(o.unit_id, o.generation, o.kind, o.party_id, o.key_id)
			|| chr(10), '') as payload
		from old_rows o) x
	where x.payload is not null;
	return null;
end
$$;

-- What a report brought with its case, hashed when its entry is numbered and not when it is submitted.
create function conduct_gate.audit_submitted(p_cases uuid[]) returns table (case_id uuid, payload text)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, conduct, pg_temp
set timezone = 'UTC'
as $$
begin
	-- Lines as audit_line() writes them; written out here, where there are many.
	return query
		select r.case_id, string_agg(r.name || ' ' || r.key || ' '
			|| encode(sha256(convert_to(r.of::text, 'UTF8')), 'hex') || chr(10), '')
		from (
			select f.case_id, 'case_file' as name, f.case_id as key,
				jsonb_strip_nulls(to_jsonb(f)) - 'revision' as of
			from conduct.case_file f where f.case_id = any (p_cases)
			union all
			select t.case_id, 'report', t.report_id, jsonb_strip_nulls(to_jsonb(t))
			from conduct.report t where t.case_id = any (p_cases)
			union all
			select y.case_id, 'party', y.party_id, jsonb_strip_nulls(to_jsonb(y))
			from conduct.party y where y.case_id = any (p_cases)
			union all
			select i.case_id, 'incident', i.incident_id, jsonb_strip_nulls(to_jsonb(i))
			from conduct.incident i where i.case_id = any (p_cases)
			union all
			-- Where it stands its events tell.
			select g.case_id, 'proceeding', g.proceeding_id,
				jsonb_strip_nulls(to_jsonb(g)) - '{version,state,state_at}'::text[]
			from conduct.proceeding g where g.case_id = any (p_cases)
			union all
			-- By whose it is: the hash that it is found by is forgotten with it.
			select t.case_id, 'receipt', t.party_id, jsonb_strip_nulls(to_jsonb(t))
			from conduct.party y join conduct.receipt t on t.party_id = y.party_id
			where y.case_id = any (p_cases)) r
		group by r.case_id;
end
$$;

-- A case that was opened for reading, before anything of it is answered.
create function conduct_gate.audit_read() returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select conduct.clock(), 'case.read', conduct_gate.acting_pseudonym(), f.pseudonym, f.case_id,
		coalesce('party ' || conduct.actor_party() || chr(10), '')
	from conduct.case_file f where f.case_id = conduct.opened_case();
end
$$;

-- The bytes of an entry, as daemon/audit/leaf.h describes them.
create function conduct_gate.audit_leaf_bytes(p_at timestamptz, p_event text, p_actor uuid, p_case uuid,
	p_ids uuid[], p_hashes bytea[], p_commitment bytea)
returns bytea language plpgsql immutable
as $$
declare
	v_rows bytea := '';
begin
	-- Mostly there are one or two; a query is for many.
	if cardinality(p_ids) > 8 then
		v_rows := (select string_agg(uuid_send(r.id) || r.hash, ''::bytea order by r.nth)
			from unnest(p_ids, p_hashes) with ordinality r (id, hash, nth));
	else
		for i in 1 .. cardinality(p_ids) loop
			v_rows := v_rows || uuid_send(p_ids[i]) || p_hashes[i];
		end loop;
	end if;
	return '\x01'::bytea || int8send((extract(epoch from p_at) * 1000000)::bigint)
		|| set_byte('\x00'::bytea, 0, octet_length(p_event)) || convert_to(p_event, 'UTF8')
		|| uuid_send(coalesce(p_actor, '00000000-0000-0000-0000-000000000000'))
		|| uuid_send(coalesce(p_case, '00000000-0000-0000-0000-000000000000'))
		|| int2send(cardinality(p_ids)::smallint) || v_rows || p_commitment;
end
$$;

grant execute on function conduct_gate.audit_read() to conduct_handler, conduct_party;
grant execute on function conduct_gate.audit_submitted(uuid[]), conduct_gate.audit_placed(uuid[]),
	conduct_gate.audit_leaf_bytes(timestamptz, text, uuid, uuid, uuid[], bytea[], bytea) to conduct_timer;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- What has its hash in the log: tables, the columns of their keys, and columns that change with every act
-- and say nothing that its event does not. What is derived, short-lived or an index is not here. Six tables
-- leave what a new report writes to the sequencer: hashing it there keeps submitting fast.
do $$
declare
	v_row record;
begin
	for v_row in select * from (values
		('case_file', '{case_id}', '{revision}', true), ('report', '{report_id}', '{}', false),
		('incident', '{incident_id}', '{}', false), ('party', '{party_id}', '{}', true),
		('proceeding', '{proceeding_id}', '{version,state,state_at}', true),
		('receipt', '{party_id}', '{}', false), ('principal', '{principal_id}', '{}', false),
		('recusal', '{recusal_id}', '{}', true), ('took_part', '{took_part_id}', '{}', true),
		('assignment', '{case_id,person_id,at}', '{}', true), ('allegation', '{allegation_id}', '{}', false),
		('hearing', '{hearing_id}', '{}', true), ('hearing_end', '{hearing_id,nth}', '{}', false),
		('waiver', '{waiver_id}', '{}', false), ('panel', '{panel_id}', '{}', false),
		('panel_seat', '{panel_id,principal_id}', '{}', true), ('ballot', '{ballot_id}', '{}', true),
		('ballot_item', '{ballot_id,item}', '{}', false),
		('ballot_disposition', '{ballot_id,respondent_id}', '{}', false),
		('vote', '{ballot_id,item,principal_id,seq}', '{}', false), ('tally', '{ballot_id,item}', '{}', false),
		('decision', '{decision_id}', '{}', false), ('decision_item', '{decision_id,item}', '{}', false),
		('appeal_item', '{proceeding_id,decision_id,item}', '{}', false),
		('appeal_claim', '{proceeding_id}', '{}', false), ('disposition', '{proceeding_id}', '{}', true),
		('sanction', '{sanction_id}', '{}', true), ('decision_notice', '{decision_id,party_id}', '{}', true),
		('message', '{message_id}', '{}', false), ('pending_act', '{pending_id}', '{}', true),
		('person', '{person_id}', '{seen_at}', false), ('person_account', '{id_ix}', '{}', true),
		('role_grant', '{grant_id}', '{}', true), ('policy_set', '{policy_version}', '{}', false),
		('profile', '{profile}', '{}', false), ('body', '{body_id}', '{}', true)) v (name, key, left_out, changes)
	loop
		execute format('create trigger %I after insert on conduct.%I referencing new table as new_rows
			for each statement %s execute function conduct_gate.audit_rows(%L, %L)',
			v_row.name || '_is_logged', v_row.name, case when v_row.name in ('case_file', 'report', 'incident',
				'party', 'proceeding', 'receipt') then 'when (current_user <> ''conduct_intake'')' end, v_row.key, v_row.left_out);
		if v_row.changes then
			execute format('create trigger %I after update on conduct.%I
				referencing old table as old_rows new table as new_rows
				for each statement execute function conduct_gate.audit_changes(%L, %L)',
				v_row.name || '_changes_are_logged', v_row.name, v_row.key, v_row.left_out);
		end if;
	end loop;
end
$$;
create trigger event_is_logged after insert on event referencing new table as new_rows
	for each statement execute function conduct_gate.audit_events('{proceeding_id,seq}', '{}');
create trigger content_is_logged after insert on content referencing new table as new_rows
	for each statement execute function conduct_gate.audit_words();
create trigger stanza_is_logged after insert on keyring.stanza referencing new table as new_rows
	for each statement when (current_user <> 'conduct_intake') execute function conduct_gate.audit_keys_made();
-- The worker seals again, and the gate erases. Whoever else deletes a key is not to be believed.
create trigger stanza_end_is_logged after delete on keyring.stanza referencing old table as old_rows
	for each statement when (current_user in ('conduct_timer', 'conduct_gate'))
	execute function conduct_gate.audit_keys_gone();
alter table keyring.stanza enable always trigger stanza_is_logged;
alter table keyring.stanza enable always trigger stanza_end_is_logged;

do $$
declare
	v_table text;
begin
	foreach v_table in array array['audit_leaf', 'audit_node', 'audit_checkpoint'] loop
		execute format('create trigger %I before update or delete on conduct.%I
			for each row execute function conduct_gate.append_only()', v_table || '_is_append_only', v_table);
	end loop;
	foreach v_table in array array['audit_log', 'audit_pending', 'audit_leaf', 'audit_payload', 'audit_node',
		'audit_checkpoint']
	loop
		execute format('alter table conduct.%I enable row level security', v_table);
		execute format('alter table conduct.%I force row level security', v_table);
		execute format('create policy %I on conduct.%I to conduct_timer using (true) with check (true)',
			v_table || '_timer', v_table);
	end loop;
	foreach v_table in array array['audit_log', 'audit_leaf', 'audit_node', 'audit_checkpoint'] loop
		execute format('grant select on conduct.%I to conduct_stats', v_table);
		execute format('create policy %I on conduct.%I for select to conduct_stats using (true)',
			v_table || '_stats', v_table);
	end loop;
end
$$;
create trigger audit_log_rows_stay before delete on audit_log
	for each row execute function conduct_gate.rows_stay();
create trigger audit_log_columns_stay before update on audit_log
	for each row execute function conduct_gate.columns_stay('epoch');
create trigger audit_payload_columns_stay before update on audit_payload
	for each row execute function conduct_gate.columns_stay();
create trigger audit_pending_columns_stay before update on audit_pending
	for each row execute function conduct_gate.columns_stay();
grant insert on audit_pending to conduct_gate;
-- Default privileges cover tables alone.
grant select on sequence audit_pending_pending_id_seq to conduct_backup;
grant select, delete on audit_pending to conduct_timer;
grant select, insert on audit_leaf, audit_payload, audit_node, audit_checkpoint to conduct_timer;
grant select, update on audit_log to conduct_timer;
call guard_tables();
reset role;

-- The deployment's id, which only a role that row-level security does not hold back reads here.
insert into conduct.audit_log (origin) select 'conductd/' || d.deployment_id from conduct.deployment d;

-- What was there before the log begins with it.
set timezone = 'UTC';
do $$
declare
	v_row record;
begin
	for v_row in
		select c.relname as name, string_to_array(encode(t.tgargs, 'escape'), '\000') as args
		from pg_catalog.pg_trigger t join pg_catalog.pg_class c on c.oid = t.tgrelid
		where c.relnamespace = 'conduct'::regnamespace and t.tgname = c.relname || '_is_logged'
			and c.relname <> 'content'
	loop
		execute format('insert into conduct.audit_pending (at, event, payload)
			select conduct.clock(), %L, string_agg(conduct_gate.audit_line(%L, %L, %L, r.of), %L)
			from (select jsonb_strip_nulls(to_jsonb(t)) as of, row_number() over () / 1000 as piece
				from conduct.%I t) r group by r.piece', v_row.name || '.adopt', v_row.name, v_row.args[1],
			v_row.args[2], '', v_row.name);
	end loop;
	insert into conduct.audit_pending (at, event, unit_id, row_ids, row_hashes, payload)
	select conduct.clock(), 'content.adopt', r.unit_id, array_agg(r.content_id), array_agg(r.hash),
		'unit ' || r.unit_id || chr(10)
	from (select unit_id, content_id, sha256(body) as hash,
			row_number() over (partition by unit_id) / 1000 as piece from conduct.content) r
	group by r.unit_id, r.piece;
end
$$;
reset timezone;
reset search_path;
