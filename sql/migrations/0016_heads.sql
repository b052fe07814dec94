-- What a queue's page shows of its cases, without asking for each again who may see it.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Heads of cases that the caller has been shown already: rows of the docket have passed the predicate.
create function conduct_gate.heads_of(p_cases uuid[]) returns setof conduct.case_file
language plpgsql stable security definer rows 50 set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
	return query
		select f.* from unnest(p_cases) c (case_id),
			lateral (select * from conduct.case_file where case_id = c.case_id offset 0) f;
end
$$;

grant execute on function conduct_gate.heads_of(uuid[]) to conduct_handler;
reset role;
reset search_path;
