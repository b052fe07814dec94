-- The keys of the vault as the worker sees them: each host says what its vault holds, and what is sealed to
-- an older key is handed out, to be sealed again to the active one.

set role conduct_timer;

-- What a host's vault holds: p_keys is [[id, public key in hex], …]; p_seals_to is the key of its public file.
-- A key that the database does not know, or has as pending where a host seals to it already, is what a
-- database restored from an older backup lacks: it is taken from the vault. Answers with the keys that the
-- vault lacks and that units are sealed to, and those that are not what the database has. A vault of another
-- deployment is told so and nothing of it is kept.
create or replace function conduct_api_1.vault_report(p_host text, p_deployment uuid, p_keys jsonb,
	p_seals_to integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_ids integer[];
	v_others jsonb;
	v_restored jsonb;
	v_lacking jsonb;
begin
	if p_deployment <> (select d.deployment_id from conduct.deployment d) then
		perform conduct_api_1.refuse(409, 'conduct-wrong-deployment');
	end if;
	select array_agg((k ->> 0)::integer) into v_ids from jsonb_array_elements(p_keys) k;
	select jsonb_agg(v.key_id order by v.key_id) into v_others
	from jsonb_array_elements(p_keys) k
	join keyring.vault_key v on v.key_id = (k ->> 0)::integer and v.public_key <> decode(k ->> 1, 'hex');
	if v_others is null then
		with taken as (
			insert into keyring.vault_key (key_id, public_key, state, made_at, changed_at)
			select (k ->> 0)::integer, decode(k ->> 1, 'hex'), 'pending', v_now, v_now
			from jsonb_array_elements(p_keys) k
			on conflict do nothing
			returning key_id)
		select jsonb_agg(t.key_id order by t.key_id) into v_restored from taken t;
		perform conduct_api_1.vault_seals_to(p_seals_to);
	end if;
	insert into keyring.vault_host as h (host, key_ids, seals_to, seen_at)
	values (p_host, v_ids, p_seals_to, v_now)
	on conflict (host) do update
	set key_ids = excluded.key_ids, seals_to = excluded.seals_to, seen_at = excluded.seen_at
	where (h.key_ids, h.seals_to) is distinct from (excluded.key_ids, excluded.seals_to)
		or h.seen_at < v_now - interval '1 minute';
	select jsonb_agg(v.key_id order by v.key_id) into v_lacking
	from keyring.vault_key v
	where v.key_id <> all (v_ids) and (v.state = 'active'
		or v.state in ('decrypt_only', 'retired')
			and exists (select from keyring.stanza s where s.key_id = v.key_id));
	return row(200, jsonb_build_object('differing', coalesce(v_others, '[]'),
		'lacking', coalesce(v_lacking, '[]'), 'restored', coalesce(v_restored, '[]')),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- A host seals to a key that is still pending here: then that is the active one.
create or replace function conduct_api_1.vault_seals_to(p_key_id integer) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	if not exists (select from keyring.vault_key v where v.key_id = p_key_id and v.state = 'pending') then
		return;
	end if;
	update keyring.vault_key v set state = 'decrypt_only', changed_at = v_now where v.state = 'active';
	update keyring.vault_key v
	set state = case v.key_id when p_key_id then 'active' else 'decrypt_only' end, changed_at = v_now
	where v.key_id <= p_key_id and v.state = 'pending';
end
$$;

-- Nobody seals to a key any more and it has been so for an hour, which is longer than a reader holds a
-- stanza: it is retired. Sealed to once more, by a host that has slept, it is not.
create or replace function conduct_api_1.vault_settle() returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	update keyring.vault_key v set state = 'retired', changed_at = v_now
	where v.state = 'decrypt_only' and v.changed_at <= v_now - interval '1 hour'
		and not exists (select from keyring.stanza s where s.key_id = v.key_id)
		and not exists (select from keyring.vault_host h where h.seals_to = v.key_id
			and h.seen_at > v_now - interval '1 hour');
	update keyring.vault_key v set state = 'decrypt_only', changed_at = v_now
	where v.state = 'retired' and exists (select from keyring.stanza s where s.key_id = v.key_id);
end
$$;

-- Up to p_limit stanzas of older keys behind the last one that was handed out (p_after: key, unit,
-- generation; null: from the start), and the key that they are to be sealed to. A stanza here is
-- unit 16 || generation 4 || key 4 || blob.
create or replace function conduct_api_1.rotation_next(p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key integer;
	v_found bytea[] := '{}';
	v_after jsonb;
begin
	perform conduct_api_1.vault_settle();
	-- Key by key, so that each piece is read off the index.
	for v_key in
		select v.key_id from keyring.vault_key v
		where v.state in ('decrypt_only', 'retired')
			and (p_after is null or v.key_id >= (p_after ->> 0)::integer)
		order by v.key_id
	loop
		select coalesce(array_agg(uuid_send(s.unit_id) || int4send(s.generation) || int4send(v_key) || s.blob), '{}'),
			(array_agg(jsonb_build_array(v_key, s.unit_id, s.generation)
				order by s.unit_id desc, s.generation desc))[1]
		into v_found, v_after
		from (
			select x.unit_id, x.generation, x.blob from keyring.stanza x
			where x.key_id = v_key and (p_after is null or v_key > (p_after ->> 0)::integer
				or (x.unit_id, x.generation) > ((p_after ->> 1)::uuid, (p_after ->> 2)::integer))
			order by x.unit_id, x.generation
			limit least(greatest(p_limit, 1), 512)) s;
		exit when cardinality(v_found) > 0;
	end loop;
	return row(200, jsonb_build_object('after', v_after,
		'active', (select v.key_id from keyring.vault_key v where v.state = 'active')),
		'{}'::uuid[], v_found)::conduct_api_1.answer;
end
$$;

-- Puts stanzas of the active key in the place of older ones, where these are still what was read: a unit
-- that was erased meanwhile stays so. Each is unit 16 || generation 4 || old key 4 || old blob || new blob.
create or replace function conduct_api_1.rotation_done(p_key_id integer, p_stanzas bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_size constant integer := 88;
	v_moved integer;
begin
	perform from keyring.vault_key v where v.key_id = p_key_id and v.state = 'active' for share;
	if not found then
		perform conduct_api_1.refuse(409, 'conduct-rotation-stale');
	end if;
	-- Who erases at the same time would not see what is put in the place of what it deletes.
	perform pg_advisory_xact_lock(hashtextextended('keyring.stanza', 0));
	with given as (
		select encode(substr(g, 1, 16), 'hex')::uuid as unit_id,
			('x' || encode(substr(g, 17, 4), 'hex'))::bit(32)::integer as generation,
			('x' || encode(substr(g, 21, 4), 'hex'))::bit(32)::integer as key_id,
			substr(g, 25, v_size) as old_blob, substr(g, 25 + v_size, v_size) as new_blob
		from unnest(p_stanzas) g),
	gone as (
		delete from keyring.stanza s using given g
		where s.unit_id = g.unit_id and s.generation = g.generation and s.kind = 'vault'
			and s.party_id is null and s.key_id = g.key_id and s.key_id <> p_key_id and s.blob = g.old_blob
		returning s.unit_id, s.generation, g.new_blob),
	moved as (
		insert into keyring.stanza (unit_id, generation, kind, key_id, blob)
		select x.unit_id, x.generation, 'vault', p_key_id, x.new_blob from gone x
		on conflict do nothing
		returning 1)
	select count(*) into v_moved from moved;
	return row(200, jsonb_build_object('moved', v_moved), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- What an operator has to hear of, once: the outbox carries it to where pages go.
create or replace function conduct_api_1.alarm(p_facts jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	perform conduct_api_1.send('alarm', p_facts);
	return row(200, '{}'::jsonb, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
