-- Cases opened for reading, one by itself or those together that wait for each other. The predicate stands
-- before everything, and that a case was read stands in the log before anything of it is answered.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- Opens a case for reading: the predicate, the log, and no lock.
create or replace function conduct_api_1.open_seen_case(p_case uuid) returns void
language plpgsql volatile
as $$
begin
	if cardinality(conduct_gate.open_to_read(array[p_case])) = 0 then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
end
$$;

create or replace function conduct_api_1.case_show(p_account bytea, p_case uuid)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	perform conduct_api_1.enter_person(p_account);
	perform conduct_api_1.open_seen_case(p_case);
	return conduct_api_1.answer(200, conduct_api_1.case_view());
end
$$;

-- Reads that wait for each other go together: one answer a case, in the order given. No answer (null): that
-- one goes alone, which tells why it is refused. Who acts and which case is open is set anew for each.
create or replace function conduct_api_1.cases_show(p_accounts bytea[], p_cases text[])
returns setof conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_cases uuid[] := p_cases::uuid[];
	v_bodies jsonb[] := array_fill(null::jsonb, array[cardinality(p_cases)]);
	v_reader record;
	v_person uuid;
	v_seen uuid[];
	v_nth integer;
begin
	for v_reader in
		select r.account, array_agg(r.nth) as nths, array_agg(r.id) as cases
		from unnest(p_accounts, v_cases) with ordinality r (account, id, nth) group by r.account
	loop
		v_person := conduct_gate.person_of(v_reader.account);
		continue when v_person is null;
		perform set_config('conduct.actor', 'person:' || v_person, true);
		v_seen := conduct_gate.open_to_read(v_reader.cases);
		foreach v_nth in array v_reader.nths loop
			continue when v_cases[v_nth] <> all (v_seen);
			perform set_config('conduct.case_id', p_cases[v_nth], true);
			v_bodies[v_nth] := conduct_api_1.case_view();
		end loop;
	end loop;
	return query select * from conduct_api_1.answers(200, v_bodies);
end
$$;

reset role;
reset search_path;
