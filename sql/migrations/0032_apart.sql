-- Who was a party of a case does not come to handle it by being forgotten: whoever handles cases anywhere is
-- kept out of it by a row that says so and not why, until the text of the case goes.

set role conduct_owner;
set search_path = conduct, pg_catalog;
grant insert on recusal to conduct_gate;
reset role;

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

create function conduct_gate.erasure_keeps_apart() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	insert into conduct.recusal (recusal_id, case_id, principal_id, extent, source, standing, at)
	select gen_random_uuid(), new.case_id, x.principal_id, 'full', 'declared', 'in_force', new.at
	from (
		select distinct p.principal_id
		from conduct.party y
		join conduct.person_account a on a.id_ix = y.id_ix or (y.id_ix is null and a.name_ix = y.name_ix)
		join conduct.person p on p.person_id = a.person_id
		where y.party_id = new.party_id and exists (select from conduct.role_grant g
			join conduct.person q on q.person_id = g.person_id where q.principal_id = p.principal_id)) x;
	return null;
end
$$;

grant execute on function conduct_gate.erasure_keeps_apart() to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger erasure_keeps_apart after insert on erasure
	for each row when (new.extent = 'party') execute function conduct_gate.erasure_keeps_apart();
call guard_tables();

reset role;
reset search_path;
