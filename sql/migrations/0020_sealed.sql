-- Words come sealed: what stands in content.body is an envelope, and with each key that was made for it the
-- stanza that carries it to whoever may open it. A word of a party's channel is sealed under the channel's
-- own key, which the party's receipt opens without the vault.

do $$
begin
	if exists (select from conduct.content c
		where octet_length(c.body) < 292 or substr(c.body, 1, 4) <> '\xc5d10101')
	then
		raise exception 'there are words in this database that are not sealed'
			using hint = 'Words cannot be sealed where they lie. Start with a database that has none: '
				'create a new one, and run `conductctl migrate` and `conductctl keys init` there.';
	end if;
end
$$;

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Bytes 5 to 8 of an envelope are the generation of the key that opens it.
alter table content
	add column party_id uuid constraint content_party_fkey references party,
	add column generation integer not null generated always as (case when octet_length(body) < 8 then 0
		else (get_byte(body, 4) << 24) | (get_byte(body, 5) << 16) | (get_byte(body, 6) << 8)
			| get_byte(body, 7) end) stored
		constraint content_generation_is_positive check (generation > 0),
	add constraint content_body_is_an_envelope
		check (octet_length(body) >= 292 and substr(body, 1, 4) = '\xc5d10101'),
	-- Ciphertext is not made shorter by trying.
	alter column body set storage external;
create index content_party on content (party_id) where party_id is not null;

grant select on keyring.stanza to conduct_gate;
-- Stanzas are reached like the words they belong to: through rows of what was opened.
do $$
declare
	v_role text;
begin
	foreach v_role in array array['conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_timer',
		'conduct_admin']
	loop
		execute format('grant select, insert on keyring.stanza to %I', v_role);
		execute format('create policy %I on keyring.stanza to %I using (true) with check (true)',
			'stanza_' || substr(v_role, 9), v_role);
	end loop;
end
$$;
reset role;

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- As before, with the name as the word that it is.
drop function conduct_gate.unresolved_names(integer, text[], boolean);
create function conduct_gate.unresolved_names(p_limit integer, p_wikis text[], p_is_rest boolean)
returns table (subject_id uuid, case_id uuid, name_content uuid)
language plpgsql stable security definer rows 50 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		select x.subject_id, x.case_id, x.name_content
		from (
			select y.party_id as subject_id, y.case_id, y.name_content, y.added_at as since
			from conduct.party y where y.kind = 'account' and y.id_ix is null
			union all
			select r.recusal_id, r.case_id, r.name_content, r.at
			from conduct.recusal r where r.id_ix is null and r.name_content is not null) x
		join conduct.case_file f on f.case_id = x.case_id
		where coalesce(f.wiki = any (p_wikis), false) <> p_is_rest and x.name_content is not null
			and not exists (select from conduct.account_lookup l
				where l.subject_id = x.subject_id and l.next_at > v_now)
		order by x.since, x.subject_id limit p_limit;
end
$$;
drop function conduct_gate.unresolved_names(integer);
grant execute on function conduct_gate.unresolved_names(integer, text[], boolean) to conduct_timer;

-- Of a party's channel that has a key of its own: whether it has, and how the vault opens the key that it
-- comes from. Of any other, nothing.
create function conduct_gate.channel_stanza(p_party uuid, out unit_id uuid, out generation integer, out blob bytea,
	out key_id integer)
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	select v.unit_id, v.generation, v.blob, v.key_id into unit_id, generation, blob, key_id
	from keyring.stanza s
	join keyring.stanza v on v.unit_id = s.unit_id and v.generation = s.generation and v.kind = 'vault'
	where s.party_id = p_party and s.kind = 'channel' order by v.key_id desc limit 1;
end
$$;
grant execute on function conduct_gate.channel_stanza(uuid) to conduct_handler, conduct_party;
reset role;
reset search_path;
