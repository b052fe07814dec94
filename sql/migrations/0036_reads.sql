-- Reads of cases that arrived together: the predicate and the log are asked once for all of them. What they
-- answer and what is logged of each stays the same.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Opens cases for reading: those of them that the acting handler sees, and an entry in the log for each, before
-- anything of it is answered. A case that is named twice was read twice.
create function conduct_gate.open_to_read(p_cases uuid[]) returns uuid[]
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
	v_viewer conduct_gate.viewer := conduct_gate.acting_viewer();
	v_seen uuid[] := conduct_gate.seen_cases(p_cases, v_viewer);
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select v_viewer.at, 'case.read',
		(select p.pseudonym from conduct.person p where p.person_id = v_viewer.person_id), f.pseudonym, f.case_id, ''
	from unnest(v_seen) s (case_id),
		lateral (select * from conduct.case_file where case_id = s.case_id offset 0) f;
	return v_seen;
end
$$;

grant execute on function conduct_gate.open_to_read(uuid[]) to conduct_handler, conduct_owner;
reset role;
reset search_path;
