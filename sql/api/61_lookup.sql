-- Looking up who is meant by the names in reports: the worker asks what is open, then says what the wiki
-- said. Each answer is kept by itself; one that comes twice, or too late, changes nothing.

set role conduct_timer;

-- p_wikis: those that the issuer to be asked serves; as the rest: those that another one serves.
create or replace function conduct_api_1.lookup_next(p_limit integer, p_wikis jsonb, p_is_rest boolean)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	return conduct_api_1.answer(200, jsonb_build_object('index_mark', (select encode(i.mark, 'hex')
		from keyring.index_key i), 'items', (
		select coalesce(jsonb_agg(jsonb_build_object('id', u.subject_id,
			'name', conduct_api_1.word(u.name_content))), '[]')
		from conduct_gate.unresolved_names(least(greatest(p_limit, 1), 50),
			array(select jsonb_array_elements_text(p_wikis)), p_is_rest) u)));
end
$$;

-- One name: known from here on, or asked for again in an hour, two, four and so on, at most a month.
create or replace function conduct_api_1.lookup_keep(p_case uuid, p_item jsonb) returns void
language plpgsql volatile
as $$
declare
	v_subject uuid := (p_item ->> 'id')::uuid;
	v_id_ix bytea := decode(p_item ->> 'id_ix', 'hex');
begin
	perform set_config('conduct.case_id', p_case::text, true);
	update conduct.party y set id_ix = v_id_ix,
		kind = case when coalesce((p_item ->> 'temporary')::boolean, false) then 'temporary' else y.kind end
	where y.party_id = v_subject and y.id_ix is null and v_id_ix is not null;
	update conduct.recusal r set id_ix = v_id_ix,
		principal_id = coalesce(conduct_gate.principal_by_id(v_id_ix), r.principal_id)
	where r.recusal_id = v_subject and r.id_ix is null and v_id_ix is not null;
	if v_id_ix is null then
		insert into conduct.account_lookup as l (subject_id, case_id, n_tries, next_at)
		values (v_subject, p_case, 1, conduct.clock() + interval '1 hour')
		on conflict (subject_id) do update set n_tries = l.n_tries + 1,
			next_at = conduct.clock() + least(interval '1 hour' * 2 ^ least(l.n_tries, 16), interval '30 days');
	end if;
	perform set_config('conduct.case_id', '', true);
end
$$;

-- p_items: [{id, id_ix: hex or null, temporary}]
create or replace function conduct_api_1.lookup_done(p_items jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_item jsonb;
	v_case uuid;
	v_done integer := 0;
begin
	for v_item in select i from jsonb_array_elements(p_items) i order by i ->> 'id' loop
		v_case := conduct_gate.case_of_unresolved((v_item ->> 'id')::uuid);
		continue when v_case is null;
		-- Acts on a case lock it; whom its rows stand for does not change in the middle of one.
		perform from conduct.case_file f where f.case_id = v_case for update skip locked;
		continue when not found;
		perform conduct_api_1.lookup_keep(v_case, v_item);
		v_done := v_done + 1;
	end loop;
	return conduct_api_1.answer(200, jsonb_build_object('done', v_done));
end
$$;

reset role;
