-- Names are shown as their wiki shows them: the present one, or none where the wiki hides the account.
-- Names in reports are looked up at the wiki they belong to. What has ended is swept by the worker.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Said by the wiki each time the account is seen; the name of before stays sealed in content.
alter table person_account add column is_hidden boolean not null default false;
create or replace trigger person_account_columns_stay before update on person_account for each row
	execute function conduct_gate.columns_stay('name_ix', 'skeleton_ix', 'home_wiki', 'name_content', 'is_hidden');
call guard_tables();

grant delete on idempotency to conduct_admin;

reset role;
set role conduct_gate;

-- Oversighters alone see what a wiki hides.
create function conduct_gate.sees_hidden_names() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_person uuid := conduct.actor_person();
begin
	return v_person is not null and exists (
		select from conduct.role_grant g
		where g.person_id = v_person and g.role = 'oversighter' and g.ended_at is null
			and conduct.clock() >= g.from_at and conduct.clock() < g.until_at);
end
$$;

-- How the account of an index is shown to who acts: {user, user_hidden}, the user as the content of its
-- present name. One that was never seen has the name it was reported under.
create function conduct_gate.show_account(p_id_ix bytea, p_reported uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_account conduct.person_account;
	v_name uuid := p_reported;
begin
	select * into v_account from conduct.person_account a where a.id_ix = p_id_ix;
	if found then
		-- An account that never had a name has its id for one.
		v_name := case when v_account.name_ix <> v_account.id_ix
			and (not v_account.is_hidden or conduct_gate.sees_hidden_names()) then v_account.name_content end;
	end if;
	return jsonb_build_object(
		'user', case when v_name is not null then jsonb_build_object('$word', v_name) end,
		'user_hidden', coalesce(v_account.is_hidden, false));
end
$$;

-- The same of a person; of nobody, nothing.
create function conduct_gate.show_person(p_person uuid) returns jsonb
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return conduct_gate.show_account((select a.id_ix from conduct.person_account a
		where a.person_id = p_person order by a.id_ix limit 1), null);
end
$$;

-- Names without an account, the oldest first, with the case that each belongs to: of cases of the wikis
-- given, or, as the rest, of every case but those.
create function conduct_gate.unresolved_names(p_limit integer, p_wikis text[], p_is_rest boolean)
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
		join conduct.case_file f on f.case_id = x.case_id
		where coalesce(f.wiki = any (p_wikis), false) <> p_is_rest
			and not exists (select from conduct.account_lookup l
				where l.subject_id = x.subject_id and l.next_at > v_now)
		order by x.since, x.subject_id limit p_limit;
end
$$;

grant execute on function conduct_gate.show_account(bytea, uuid) to conduct_handler;
grant execute on function conduct_gate.show_person(uuid) to conduct_admin, conduct_party;
grant execute on function conduct_gate.unresolved_names(integer, text[], boolean) to conduct_timer;
reset role;
reset search_path;
