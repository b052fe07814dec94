-- Whom the row of a party would keep out of the case: what asks that has to see every account.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

create function conduct_gate.principals_of(p_id_ix bytea, p_name_ix bytea, p_skeleton_ix bytea) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(
		select distinct p.principal_id from conduct.person_account a
		join conduct.person p on p.person_id = a.person_id
		where a.id_ix = p_id_ix or a.name_ix = p_name_ix or a.skeleton_ix = p_skeleton_ix);
end
$$;

grant execute on function conduct_gate.principals_of(bytea, bytea, bytea) to conduct_handler, conduct_owner;
reset role;
reset search_path;
