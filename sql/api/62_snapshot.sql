-- Snapshots of reported revisions: the worker asks what is to be fetched, asks the wiki, and says how it went.
-- Each answer is kept by itself; one that comes twice, or too late, changes nothing.

set role conduct_timer;

-- What has been reported since the last time; how many of it are not to be copied. A transaction that was
-- begun ten minutes ago has ended.
create or replace function conduct_api_1.snapshot_begin(p_now timestamptz) returns integer
language plpgsql volatile
as $$
declare
	v_since timestamptz := (select least(greatest(m.until_at, p_now - interval '14 days'),
		p_now - interval '10 minutes') from conduct.snapshot_mark m);
	v_limit constant integer := 1000;
	v_found integer;
	v_link_only integer;
begin
	with stored as (
		insert into conduct.snapshot as s (incident_id, case_id, state, wanted_at, next_at, ended_at)
		select u.incident_id, u.case_id, case when t.takes then 'waiting' else 'link_only' end, p_now, p_now,
			case when not t.takes then p_now end
		from conduct_gate.unasked_revisions(v_since, v_limit) u,
			lateral (select conduct_gate.takes_files(u.case_id) as takes) t
		on conflict (incident_id) do nothing returning s.state)
	select count(*), count(*) filter (where s.state = 'link_only') into v_found, v_link_only from stored s;
	if v_found < v_limit then
		update conduct.snapshot_mark set until_at = p_now - interval '10 minutes'
		where until_at < p_now - interval '11 minutes';
	end if;
	return v_link_only;
end
$$;

-- What is due, the longest waiting first. What nobody could answer for two weeks is given up, and at once what
-- was erased meanwhile: its revision is not known any more.
create or replace function conduct_api_1.snapshot_next(p_limit integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_link_only integer;
	v_given_up integer;
begin
	v_link_only := conduct_api_1.snapshot_begin(v_now);
	update conduct.snapshot s set state = 'given_up', ended_at = v_now
	where s.state = 'waiting' and s.next_at <= v_now and (s.wanted_at < v_now - interval '14 days'
		or not exists (select from conduct_gate.revision_of(s.incident_id) r where r.revision_content is not null));
	get diagnostics v_given_up = row_count;
	return conduct_api_1.answer(200, jsonb_build_object('link_only', v_link_only, 'given_up', v_given_up,
		'items', coalesce((
		select jsonb_agg(jsonb_build_object('id', s.incident_id, 'case', r.case_id, 'wiki', r.wiki,
			'revision', conduct_api_1.word(r.revision_content), 'unit', r.unit_id) order by s.next_at, s.incident_id)
		from (select * from conduct.snapshot w where w.state = 'waiting' and w.next_at <= v_now
			order by w.next_at limit least(greatest(p_limit, 1), 100)) s,
			conduct_gate.revision_of(s.incident_id) r), '[]')));
end
$$;

-- How it went without a snapshot. p_outcome: gone and hidden, as the wiki says: not believed at the first
-- try, because wikis answer from copies that lag behind. too_large: at once. failed: no usable
-- answer; again in a minute, four, sixteen and so on, half a day at most, eight times in all. damaged: its
-- number does not open; as often. unserved: nobody to ask. p_wait_s: as the wiki asked for. Whatever else waits for a wiki that failed waits as well.
create or replace function conduct_api_1.snapshot_told(p_incident uuid, p_outcome text, p_wait_s integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_wait interval := make_interval(secs => greatest(coalesce(p_wait_s, 0), 0));
	v_row conduct.snapshot;
	v_wiki text := (select r.wiki from conduct_gate.revision_of(p_incident) r);
begin
	if p_outcome not in ('gone', 'hidden', 'too_large', 'failed', 'damaged', 'unserved') then
		perform conduct_api_1.refuse(500, 'conduct-internal');
	end if;
	select * into v_row from conduct.snapshot s
	where s.incident_id = p_incident and s.state = 'waiting' for update;
	if not found then
		return conduct_api_1.answer(200, '{}');
	end if;
	if p_outcome = 'unserved' then
		v_row.next_at := v_now + interval '1 hour';
	else
		v_row.n_tries := v_row.n_tries + 1;
		v_row.next_at := v_now + greatest(v_wait,
			least(interval '1 minute' * 4 ^ (v_row.n_tries - 1), interval '12 hours'));
	end if;
	v_row.state := case
		when p_outcome = 'too_large' then 'too_large'
		when p_outcome in ('gone', 'hidden') and v_row.n_tries > 1 then p_outcome
		when v_row.n_tries >= 8 then 'given_up'
		else 'waiting' end;
	update conduct.snapshot s set state = v_row.state, n_tries = v_row.n_tries, next_at = v_row.next_at,
		ended_at = case when v_row.state <> 'waiting' then v_now end
	where s.incident_id = p_incident;
	if p_outcome = 'failed' then
		update conduct.snapshot s set next_at = v_now + greatest(v_wait, interval '1 minute')
		where s.state = 'waiting' and s.next_at < v_now + greatest(v_wait, interval '1 minute')
			and s.incident_id <> p_incident
			and v_wiki = (select r.wiki from conduct_gate.revision_of(s.incident_id) r);
	end if;
	return conduct_api_1.answer(200, jsonb_build_object(v_row.state, 1));
end
$$;

-- A revision that was fetched becomes an attachment of its case. p_args: {attachment, generation, size, name,
-- digest, hash_ix}; name and digest are words, sealed as the file is. p_chunks: all of them, one behind the
-- other.
create or replace function conduct_api_1.snapshot_keep(p_incident uuid, p_args jsonb, p_word_ids uuid[],
	p_word_kinds text[], p_words bytea[], p_chunks bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_chunk constant integer := 65572;
	v_now timestamptz := conduct.clock();
	v_attachment uuid := (p_args ->> 'attachment')::uuid;
	v_size integer := (p_args ->> 'size')::integer;
	v_of record;
begin
	-- Acts on a case lock it: neither is it erased in the middle of this, nor does it stop taking files.
	perform from conduct.case_file f
	where f.case_id = (select r.case_id from conduct_gate.revision_of(p_incident) r) for update;
	select * into v_of from conduct_gate.revision_of(p_incident);
	perform from conduct.snapshot s where s.incident_id = p_incident and s.state = 'waiting' for update;
	if not found then
		return conduct_api_1.answer(200, '{}');
	end if;
	if v_of.revision_content is null then
		update conduct.snapshot s set state = 'given_up', ended_at = v_now where s.incident_id = p_incident;
		return conduct_api_1.answer(200, '{"given_up": 1}');
	end if;
	perform set_config('conduct.case_id', v_of.case_id::text, true);
	if not conduct_gate.takes_files(v_of.case_id) then
		update conduct.snapshot s set state = 'link_only', ended_at = v_now where s.incident_id = p_incident;
		return conduct_api_1.answer(200, '{"link_only": 1}');
	end if;
	insert into conduct.attachment_upload (attachment_id, case_id, size, begun_at)
	values (v_attachment, v_of.case_id, v_size, v_now);
	insert into conduct.attachment_chunk (attachment_id, nth, case_id, body)
	select v_attachment, n, v_of.case_id, substr(p_chunks, 1 + n * v_chunk, v_chunk)
	from generate_series(0, (octet_length(p_chunks) - 1) / v_chunk) n;
	perform conduct_api_1.store_words(v_of.unit_id, p_word_ids, p_word_kinds, p_words);
	insert into conduct.attachment (attachment_id, case_id, source, unit_id, generation, name_content,
		digest_content, media_type, size, has_metadata, has_location, made_at)
	values (v_attachment, v_of.case_id, 'snapshot', v_of.unit_id, (p_args ->> 'generation')::integer,
		(p_args ->> 'name')::uuid, (p_args ->> 'digest')::uuid, 'text/plain', v_size, false, false, v_now);
	insert into conduct.attachment_index (attachment_id, case_id, hash_ix)
	values (v_attachment, v_of.case_id, decode(p_args ->> 'hash_ix', 'hex'));
	update conduct.snapshot s set state = 'taken', n_tries = s.n_tries + 1, ended_at = v_now,
		attachment_id = v_attachment
	where s.incident_id = p_incident;
	return conduct_api_1.answer(200, '{"taken": 1}');
end
$$;

reset role;
