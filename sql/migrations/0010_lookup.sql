-- Names in reports become accounts: whom a party row or a named recusal stands for is looked up at the
-- wiki, once. A name that no account has is asked for again, ever more rarely.

set role conduct_owner;
set search_path = conduct, pg_catalog;

create table account_lookup (
	subject_id uuid constraint account_lookup_pkey primary key, -- a party or a recusal
	case_id uuid not null constraint account_lookup_case_fkey references case_file,
	n_tries integer not null constraint account_lookup_was_tried check (n_tries >= 1),
	next_at timestamptz not null
);
create index account_lookup_case on account_lookup (case_id);
create index party_unresolved on party (added_at) where kind = 'account' and id_ix is null;
create index recusal_unresolved on recusal (at) where id_ix is null and name_content is not null;

alter table account_lookup enable row level security;
alter table account_lookup force row level security;
grant select, insert, update on account_lookup to conduct_timer;
create policy account_lookup_timer on account_lookup to conduct_timer using (true) with check (true);
grant select on account_lookup to conduct_gate;
grant update (id_ix, principal_id) on recusal to conduct_timer;
call guard_tables();

reset role;
set role conduct_gate;

-- Names without an account, the oldest first, with the case that each belongs to.
create function conduct_gate.unresolved_names(p_limit integer)
returns table (subject_id uuid, case_id uuid, name bytea)
language plpgsql stable security definer rows 50 set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	return query
		select x.subject_id, x.case_id, c.body
		from (
			select y.party_id as subject_id, y.case_id, y.name_content, y.added_at as since
			from conduct.party y where y.kind = 'account' and y.id_ix is null
			union all
			select r.recusal_id, r.case_id, r.name_content, r.at
			from conduct.recusal r where r.id_ix is null and r.name_content is not null) x
		join conduct.content c on c.content_id = x.name_content
		where not exists (select from conduct.account_lookup l
			where l.subject_id = x.subject_id and l.next_at > v_now)
		order by x.since, x.subject_id limit p_limit;
end
$$;

-- The case of a party or recusal whose account is not known yet; null for any other id.
create function conduct_gate.case_of_unresolved(p_subject uuid) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return coalesce(
		(select y.case_id from conduct.party y where y.party_id = p_subject and y.id_ix is null),
		(select r.case_id from conduct.recusal r where r.recusal_id = p_subject and r.id_ix is null));
end
$$;

create function conduct_gate.principal_by_id(p_id_ix bytea) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select p.principal_id from conduct.person_account a
		join conduct.person p on p.person_id = a.person_id where a.id_ix = p_id_ix);
end
$$;

grant execute on function conduct_gate.unresolved_names(integer), conduct_gate.case_of_unresolved(uuid),
	conduct_gate.principal_by_id(bytea) to conduct_timer;
reset role;
reset search_path;
