-- Erasing: the one way out of tables that only grow. Keys go first, then what they opened, then who it was
-- about; the log keeps its leaves, forgets what they were of, and says that it was made to.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- With its skeleton every row of a case goes, whichever table it is in.
do $$
declare
	v_table text;
begin
	for v_table in
		select c.relname from pg_catalog.pg_class c
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'case_id' and not a.attisdropped
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
			and c.relname not in ('erasure', 'audit_pending')
	loop
		execute format('grant delete on conduct.%I to conduct_gate', v_table);
	end loop;
end
$$;

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Chunks of what never was an attachment may go, and those that are erased.
create or replace function conduct_gate.attachment_chunk_stays() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (select from conduct.attachment a where a.attachment_id = old.attachment_id)
		and not conduct_gate.is_erased_here(to_jsonb(old) - 'body' - 'hash', array['party', 'text', 'skeleton'])
	then
		perform conduct_gate.refuse('attachment_chunk_stays');
	end if;
	return old;
end
$$;

-- The key units of a party's own report and identity, or of a whole case. Names of people who have an
-- account are theirs, not the case's.
create function conduct_gate.erasure_units(p_case uuid, p_party uuid) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(
		select u.unit_id from conduct.unit u
		where u.kind <> 'person' and u.unit_id in (
			select f.unit_id from conduct.case_file f where f.case_id = p_case and p_party is null
			union select r.unit_id from conduct.report r
			where r.case_id = p_case and (p_party is null or r.reporter_id = p_party)
			union select c.unit_id from conduct.report r join conduct.content c on c.content_id = r.contact_content
			where r.case_id = p_case and (p_party is null or r.reporter_id = p_party)
			union select c.unit_id from conduct.party y join conduct.content c on c.content_id = y.name_content
			where y.case_id = p_case and y.role = 'reporter' and (p_party is null or y.party_id = p_party))
		order by 1);
end
$$;

-- What a party said in a case, in whichever unit: messages, reasons of its acts and appeals.
create function conduct_gate.erasure_contents(p_case uuid, p_party uuid) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(
		select m.text_content from conduct.message m where m.case_id = p_case and m.author_party = p_party
		union select e.reason_content from conduct.event e
		where e.case_id = p_case and e.actor_party = p_party and e.reason_content is not null
		union select a.reasons_content from conduct.appeal_claim a
		join conduct.proceeding p on p.proceeding_id = a.proceeding_id
		where a.case_id = p_case and p.appellant_id = p_party
		union select w from conduct.attachment f, unnest(array[f.name_content, f.digest_content]) w
		where f.case_id = p_case and f.party_id = p_party
		order by 1);
end
$$;

-- The rows of a case that the log speaks of, as they are now.
create function conduct_gate.audit_case(p_case uuid) returns text
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp set timezone = 'UTC'
as $$
declare
	v_table record;
	v_lines text;
	v_all text := '';
begin
	for v_table in
		select c.relname as name, string_to_array(encode(t.tgargs, 'escape'), '\000') as args
		from pg_catalog.pg_trigger t
		join pg_catalog.pg_class c on c.oid = t.tgrelid
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'case_id'
		where c.relnamespace = 'conduct'::regnamespace and t.tgname = c.relname || '_is_logged'
		order by 1
	loop
		execute format('select string_agg(conduct_gate.audit_line(%L, %L, %L, jsonb_strip_nulls(to_jsonb(r))), %L)
			from conduct.%I r where r.case_id = $1', v_table.name, v_table.args[1], v_table.args[2], '', v_table.name)
		into v_lines using p_case;
		v_all := v_all || coalesce(v_lines, '');
	end loop;
	return v_all;
end
$$;

-- Erases what the log has kept beside its leaves, and says so in a leaf that stays; what is left of the case
-- is logged anew. p_gone: rows that are there no more.
create function conduct_gate.erase_log(p_erasure conduct.erasure, p_pseudonym uuid, p_gone text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_entries text;
begin
	-- In a database that was restored, entries may have no number yet: none says what a row was before.
	update conduct.audit_pending p set payload = ''
	where p_erasure.is_again and p.case_id = p_erasure.case_id and p.unit_id is null
		and p.event <> 'case.read' and p.payload <> '';
	with gone as (
		delete from conduct.audit_payload p
		where (p.case_id = p_erasure.case_id and p.unit_id is null) or p.unit_id = any (p_erasure.units)
		returning p.leaf_index)
	select string_agg('entry ' || g.leaf_index || chr(10), '' order by g.leaf_index) into v_entries from gone g;
	insert into conduct.audit_pending (at, event, case_pseudonym, payload)
	values (p_erasure.at, 'case.erased', p_pseudonym, 'erasure ' || p_erasure.extent || ' ' || p_erasure.case_id
		|| coalesce(' ' || p_erasure.party_id, '') || chr(10) || coalesce(v_entries, '') || p_gone
		|| coalesce((select string_agg('gone content ' || c || chr(10), '') from unnest(p_erasure.contents) c), '')
		-- What is erased again may not have its number yet.
		|| coalesce((select string_agg('gone content ' || w || chr(10), '')
			from conduct.audit_pending p, unnest(p.row_ids) w where p.unit_id = any (p_erasure.units)), ''));
	insert into conduct.audit_pending (at, event, case_pseudonym, case_id, payload)
	select p_erasure.at, 'case.kept', f.pseudonym, p_erasure.case_id, conduct_gate.audit_case(p_erasure.case_id)
	from (select 1) one left join conduct.case_file f on f.case_id = p_erasure.case_id;
end
$$;

-- Files: their chunks, and by what they are compared; a row says that there was one. What the log is told of
-- chunks that came with others' words.
create function conduct_gate.erase_files(p_erasure conduct.erasure) returns text
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_files uuid[] := array(select f.attachment_id from conduct.attachment f
		where f.case_id = p_erasure.case_id
			and (f.unit_id = any (p_erasure.units) or f.party_id = p_erasure.party_id));
	v_gone text;
begin
	delete from keyring.stanza s using conduct.attachment f
	where f.attachment_id = any (v_files) and s.unit_id = f.unit_id and s.generation = f.generation;
	delete from conduct.attachment_index x where x.attachment_id = any (v_files);
	with gone as (
		delete from conduct.attachment_chunk c using conduct.attachment f
		where c.attachment_id = any (v_files) and f.attachment_id = c.attachment_id
		returning c.chunk_id, f.unit_id)
	select string_agg('gone content ' || g.chunk_id || chr(10) || 'gone content_place ' || g.chunk_id || chr(10), '')
	into v_gone
	from gone g where not g.unit_id = any (p_erasure.units);
	return coalesce(v_gone, '');
end
$$;

-- Keys first, then what they opened: words, receipts, and answers kept for replays.
create function conduct_gate.erase_words(p_erasure conduct.erasure) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_told interval := conduct_gate.erasure_limit(p_erasure.case_id, 'erasure_told', interval '90 days');
begin
	delete from keyring.stanza s where s.unit_id = any (p_erasure.units) or s.party_id = p_erasure.party_id;
	-- In a unit of others a party's words have keys of their own.
	delete from keyring.stanza s using conduct.content c
	where c.content_id = any (p_erasure.contents) and s.unit_id = c.unit_id and s.generation = c.generation
		and s.kind = 'vault' and not exists (select from conduct.content o
			where o.unit_id = c.unit_id and o.generation = c.generation and o.body <> ''
				and not o.content_id = any (p_erasure.contents));
	update conduct.content c set body = '' where c.unit_id = any (p_erasure.units) and c.body <> '';
	update conduct.content c set body = '' where c.content_id = any (p_erasure.contents) and c.body <> '';
	with gone as (
		delete from conduct.receipt r
		where r.case_id = p_erasure.case_id and (p_erasure.party_id is null or r.party_id = p_erasure.party_id)
		returning r.receipt_hash)
	insert into conduct.erased_receipt (receipt_hash, until_at)
	select g.receipt_hash, p_erasure.at + v_told from gone g
	on conflict (receipt_hash) do nothing;
	delete from conduct.one_time_word w
	where w.case_id = p_erasure.case_id and (p_erasure.party_id is null or w.party_id = p_erasure.party_id);
	delete from conduct.idempotency i where i.case_id = p_erasure.case_id;
	update conduct.erasure_request q set state = 'erased', answer = 'erased', answered_at = p_erasure.at,
		until_at = null, next_at = null
	where q.case_id = p_erasure.case_id and q.state <> 'erased'
		and (p_erasure.party_id is null or q.party_id = p_erasure.party_id);
end
$$;

-- Who somebody was: of one party, and of the target that is the reporter's account; or of everybody, with all
-- else that tells of whom the case was. A case without text is on nobody's docket.
create function conduct_gate.erase_indexes(p_erasure conduct.erasure) returns text
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_case uuid := p_erasure.case_id;
	v_ix bytea := (select y.id_ix from conduct.party y
		where y.party_id = p_erasure.party_id and y.role = 'reporter');
	v_gone text;
begin
	delete from conduct.account_lookup l
	where l.case_id = v_case and (p_erasure.party_id is null or l.subject_id = p_erasure.party_id);
	update conduct.party y set id_ix = null, name_ix = null, skeleton_ix = null, name_content = null,
		kind = case when y.kind = 'body' then 'body' when y.role = 'reporter' then 'anonymous' else 'unknown' end,
		identity = case when y.role = 'reporter' then 'anonymous' else y.identity end
	where y.case_id = v_case and (p_erasure.party_id is null
		-- What was decided about a respondent is about somebody for as long as the text is there.
		or (y.party_id = p_erasure.party_id and y.role <> 'respondent')
		or (y.role = 'target' and y.id_ix = v_ix));
	if p_erasure.party_id is not null then
		return '';
	end if;
	update conduct.incident i set from_at = null, to_at = null where i.case_id = v_case;
	update conduct.sanction s set scope = null where s.case_id = v_case;
	update conduct.decision_item d set scope = null where d.case_id = v_case;
	update conduct.ballot_item b set scope = null, evidence = '[]' where b.case_id = v_case;
	update conduct.case_file f set pseudonym = gen_random_uuid() where f.case_id = v_case;
	delete from conduct.docket d where d.case_id = v_case;
	delete from conduct.outbox o where o.case_id = v_case;
	with a as (delete from conduct.recusal r where r.case_id = v_case returning 'gone recusal ' || r.recusal_id as line),
	b as (delete from conduct.pending_act p where p.case_id = v_case returning 'gone pending_act ' || p.pending_id)
	select string_agg(g.line || chr(10), '') into v_gone from (select * from a union all select * from b) g;
	return coalesce(v_gone, '');
end
$$;

-- Everything there is of a case, in one statement: its rows refer to each other in circles, and keys are
-- looked at behind it.
create function conduct_gate.erase_rows(p_erasure conduct.erasure) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_sql text;
begin
	select string_agg(format('d%s as (delete from conduct.%I where case_id = $1)', c.oid, c.relname), ', ')
	into v_sql
	from pg_catalog.pg_class c
	join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'case_id' and not a.attisdropped
	where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
		and c.relname not in ('case_file', 'erasure', 'audit_payload', 'audit_pending');
	execute 'with ' || v_sql || ', dc as (delete from conduct.content where unit_id = any ($2)),
		du as (delete from conduct.unit where unit_id = any ($2))
		delete from conduct.case_file where case_id = $1' using p_erasure.case_id, p_erasure.units;
end
$$;

-- The one way out: of what one party said, of the text of a case, of its skeleton. 'later': what was written
-- of it last has no number in the log yet.
create function conduct_gate.erase(p_case uuid, p_extent text, p_party uuid, p_is_again boolean) returns text
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_erasure conduct.erasure;
	v_pseudonym uuid;
	v_gone text := '';
begin
	select f.pseudonym into v_pseudonym from conduct.case_file f where f.case_id = p_case for update;
	if not found then
		return 'unknown';
	end if;
	v_erasure := row(gen_random_uuid(), p_case, p_extent, p_party, conduct_gate.erasure_units(p_case, p_party),
		conduct_gate.erasure_contents(p_case, p_party), conduct.clock(), p_is_again, pg_current_xact_id());
	if not conduct_gate.may_erase(v_erasure) then
		perform conduct_gate.refuse('erasure_is_due');
	end if;
	if not p_is_again and exists (select from conduct.audit_pending p where p.event <> 'case.read'
		and (p.case_id = p_case or p.unit_id = any (v_erasure.units)))
	then
		return 'later';
	end if;
	insert into conduct.erasure select v_erasure.*;
	perform conduct_gate.erase_words(v_erasure);
	if p_extent <> 'skeleton' then
		v_gone := conduct_gate.erase_files(v_erasure) || conduct_gate.erase_indexes(v_erasure);
	else
		perform conduct_gate.erase_rows(v_erasure);
	end if;
	perform conduct_gate.erase_log(v_erasure, v_pseudonym, v_gone);
	update conduct.erasure e set xid = null where e.erasure_id = v_erasure.erasure_id;
	return 'done';
end
$$;

-- What is due: a request first, then a case.
create function conduct_gate.erasures_due(p_limit integer)
returns table (case_id uuid, extent text, party_id uuid)
language plpgsql stable security definer rows 10 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		(select q.case_id, 'party', q.party_id from conduct.erasure_request q
		where q.next_at <= v_now order by q.next_at limit p_limit)
		union all
		(select r.case_id, r.extent, null from conduct.retention r
		where r.next_at <= v_now order by r.next_at limit p_limit);
end
$$;

create function conduct_gate.receipt_is_erased(p_receipt bytea) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (select from conduct.erased_receipt e
		where e.receipt_hash = p_receipt and e.until_at > conduct.clock());
end
$$;

-- Locks a case for whoever may hold it without seeing it.
create function conduct_gate.lock_to_hold(p_case uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform from conduct.case_file f where f.case_id = p_case for update;
	return found;
end
$$;

grant execute on all functions in schema conduct_gate to conduct_owner;
revoke execute on function conduct_gate.erase(uuid, text, uuid, boolean), conduct_gate.erase_rows(conduct.erasure),
	conduct_gate.erase_words(conduct.erasure), conduct_gate.erase_files(conduct.erasure),
	conduct_gate.erase_indexes(conduct.erasure),
	conduct_gate.erase_log(conduct.erasure, uuid, text) from conduct_owner;
grant execute on function conduct_gate.erase(uuid, text, uuid, boolean) to conduct_timer, conduct_migrate;
grant execute on function conduct_gate.erasures_due(integer) to conduct_timer;
grant execute on function conduct_gate.receipt_is_erased(bytea) to conduct_party;
grant execute on function conduct_gate.lock_to_hold(uuid) to conduct_admin;
reset role;
reset search_path;
