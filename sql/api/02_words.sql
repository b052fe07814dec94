-- Words on their way in and out: what is stored is sealed, and stays so in an answer; the keys' stanzas go
-- along with it. Helpers, security invoker, like those of 00_core.sql.

set search_path = pg_catalog, conduct, conduct_api_1;

-- The words of a call come as three arrays, all sealed. Among them stand entries that are none:
-- $vault     id: a unit; bytes: generation, intake key, and the stanza that the vault opens
-- $receipt   id: a unit; bytes: party, generation, and the stanza that the party's receipt opens
-- $channel   id: the party under whose channel's key the words of this call are sealed
-- This is the one place where an act's words are stored. They are of p_unit, and a word whose key would
-- come with no stanza is refused: nobody could ever read it.
create or replace function conduct_api_1.store_words(p_unit uuid, p_ids uuid[], p_kinds text[],
	p_words bytea[])
returns void language plpgsql volatile
as $$
declare
	v_party uuid;
begin
	if coalesce(cardinality(p_ids), 0) = 0 then
		return;
	end if;
	select w.id into v_party from unnest(p_ids, p_kinds) as w (id, kind) where w.kind = '$channel';
	insert into keyring.stanza (unit_id, generation, kind, key_id, blob)
	select w.id, conduct_api_1.u32(w.body, 0), 'vault', conduct_api_1.u32(w.body, 4), substr(w.body, 9)
	from unnest(p_ids, p_kinds, p_words) as w (id, kind, body) where w.kind = '$vault' and w.id = p_unit;
	insert into conduct.content (content_id, unit_id, kind, body, party_id)
	select w.id, p_unit, w.kind, w.body, v_party
	from unnest(p_ids, p_kinds, p_words) as w (id, kind, body) where w.kind not like '$%';
	if exists (
		select from conduct.content c
		where c.content_id = any (p_ids) and not exists (select from keyring.stanza s
			where s.unit_id = c.unit_id and s.generation = c.generation and s.party_id is not distinct from v_party))
	then
		raise exception 'words came without the key that they are sealed under';
	end if;
end
$$;

-- How the vault opens the key that a channel's own key comes from; of a channel without one, nothing.
create or replace function conduct_api_1.channel_key(p_party uuid) returns jsonb
language plpgsql stable
as $$
declare
	v_key record;
begin
	select * into v_key from conduct_gate.channel_stanza(p_party);
	return case when v_key.blob is null then '{}' else jsonb_build_object('unit', v_key.unit_id,
		'generation', v_key.generation, 'vault', encode(v_key.blob, 'hex'), 'key_id', v_key.key_id) end;
end
$$;

-- A number of four bytes, the highest first.
create or replace function conduct_api_1.u32(p_bytes bytea, p_at integer) returns integer
language sql immutable
as $$
	select (get_byte(p_bytes, p_at) << 24) | (get_byte(p_bytes, p_at + 1) << 16)
		| (get_byte(p_bytes, p_at + 2) << 8) | get_byte(p_bytes, p_at + 3)
$$;

-- Stable as what it calls, so that it is folded into the statements that use it.
create or replace function conduct_api_1.word(p_content uuid) returns jsonb
language sql stable
as $$
	select case when p_content is not null then jsonb_build_object('$word', p_content) end
$$;

-- A word or a stanza as an answer carries it.
create or replace function conduct_api_1.entry(p_unit uuid, p_party uuid, p_kind text, p_body bytea) returns bytea
language sql stable
as $$
	select uuid_send(p_unit) || uuid_send(coalesce(p_party, '00000000-0000-0000-0000-000000000000'))
		|| set_byte('\x00', 0, octet_length(p_kind)) || convert_to(p_kind, 'UTF8') || p_body
$$;

-- An answer with every word its body names, sealed as it is, and the stanzas that carry the keys: an entry
-- each of word_ids and words. Of a word the bytes are unit, party of the channel or zeros, length of the
-- kind, kind, envelope; of a stanza the kind is $vault or, for the party who acts, $receipt, and its bytes
-- are those of store_words().
create or replace function conduct_api_1.answer(p_status integer, p_body jsonb)
returns conduct_api_1.answer language plpgsql stable
as $$
declare
	v_answer conduct_api_1.answer;
	v_ids uuid[] := array(
		select (w #>> '{}')::uuid from jsonb_path_query(p_body, 'strict $.**."$word"', '{}', true) w);
begin
	v_answer.status := p_status;
	v_answer.body := p_body;
	if cardinality(v_ids) = 0 then
		v_answer.word_ids := '{}';
		v_answer.words := '{}';
		return v_answer;
	end if;
	with word as materialized (
		select c.content_id, c.unit_id, c.party_id, c.generation, c.kind, c.body
		-- An erased word is an empty one: it has no entry, and reads as null.
		from conduct.content c where c.content_id = any (v_ids) and c.body <> '')
	select coalesce(array_agg(x.id), '{}'),
		coalesce(array_agg(conduct_api_1.entry(x.unit_id, x.party_id, x.kind, x.body)), '{}')
	into v_answer.word_ids, v_answer.words
	from (
		select w.content_id as id, w.unit_id, w.party_id, w.kind, w.body from word w
		union all
		select s.unit_id, s.unit_id, s.party_id, case s.kind when 'vault' then '$vault' else '$receipt' end,
			case s.kind when 'vault' then int4send(s.generation) || int4send(s.key_id) || s.blob
				else uuid_send(s.party_id) || int4send(s.generation) || s.blob end
		from (select distinct w.unit_id, w.generation from word w) k
		join keyring.stanza s on s.unit_id = k.unit_id and s.generation = k.generation
			and (s.kind = 'vault' or s.party_id = conduct.actor_party())) x;
	return v_answer;
end
$$;

-- The same of many bodies at once, for readers who are no party: a row each, in their order. No body, no answer.
create or replace function conduct_api_1.answers(p_status integer, p_bodies jsonb[])
returns setof conduct_api_1.answer language plpgsql stable rows 16
as $$
begin
	return query
		with named as materialized (
			select distinct b.nth, (w #>> '{}')::uuid as id
			from unnest(p_bodies) with ordinality b (body, nth),
				jsonb_path_query(b.body, 'strict $.**."$word"', '{}', true) w),
		word as materialized (
			select n.nth, c.*
			from named n, lateral (select c.content_id, c.unit_id, c.party_id, c.generation, c.kind, c.body
				from conduct.content c where c.content_id = n.id and c.body <> '' offset 0) c),
		entry as (
			select w.nth, w.content_id as id, conduct_api_1.entry(w.unit_id, w.party_id, w.kind, w.body) as bytes
			from word w
			union all
			select k.nth, k.unit_id, conduct_api_1.entry(k.unit_id, null, '$vault',
				int4send(k.generation) || int4send(s.key_id) || s.blob)
			from (select distinct w.nth, w.unit_id, w.generation from word w) k,
				lateral (select * from keyring.stanza where unit_id = k.unit_id and generation = k.generation
					and kind = 'vault' offset 0) s),
		gathered as (
			select e.nth, array_agg(e.id) as ids, array_agg(e.bytes) as words from entry e group by e.nth)
		select case when b.body is not null then p_status end, b.body, coalesce(g.ids, '{}'),
			coalesce(g.words, '{}')
		from unnest(p_bodies) with ordinality b (body, nth) left join gathered g on g.nth = b.nth
		order by b.nth;
end
$$;

reset search_path;
