-- Several reports may come in by one call: intake sees the cases opened in it, be it one or a list.

grant create on schema conduct to conduct_gate;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- The cases that were opened in this call. Who asks for the one, opened_case(), fails where there are more.
create function conduct.opened_cases() returns uuid[] language sql stable
return string_to_array(current_setting('conduct.case_id', true), ',')::uuid[];
grant execute on function conduct.opened_cases() to conduct_intake;

reset role;
revoke create on schema conduct from conduct_gate;
set role conduct_owner;
set search_path = conduct, pg_catalog;

do $$
declare
	v_table text;
begin
	foreach v_table in array array['case_file', 'party', 'report', 'incident', 'receipt', 'proceeding', 'event',
		'deadline', 'docket']
	loop
		execute format('alter policy %I on conduct.%I
			using (case_id = any ((select conduct.opened_cases())::uuid[]))
			with check (case_id = any ((select conduct.opened_cases())::uuid[]))', v_table || '_intake', v_table);
	end loop;
end
$$;

reset role;
reset search_path;

set role conduct_gate;

-- Whether somebody is a party elsewhere is asked by index, however often the values that are there repeat:
-- the commonest account says nothing about the one asked for.
alter function conduct_gate.is_recused_by(uuid, uuid, bytea[], bytea[], bytea[]) set enable_seqscan = off;

reset role;
