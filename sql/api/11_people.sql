-- People, their roles, and what they may know of bodies. A grant is ended, never deleted. Whoever grants
-- sees no case.

set role conduct_admin;

-- What a person is told of themselves, or an administrator of them.
create or replace function conduct_api_1.grant_view(p_grant conduct.role_grant) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_grant.grant_id, 'person', p_grant.person_id, 'role', p_grant.role,
		'body', p_grant.body_id, 'from', conduct_api_1.time_text(p_grant.from_at),
		'until', conduct_api_1.time_text(p_grant.until_at),
		'ended_at', conduct_api_1.time_text(p_grant.ended_at))
		|| conduct_gate.show_person(p_grant.person_id);
end
$$;

-- The person of an account, made when first seen, in the key unit p_unit that the name given is sealed in.
-- A rename changes the indexes and adds a name; whether it is one the index tells. Of a person who is there
-- the name has to be sealed in their own unit: `unit` says in which, and then nothing is done. An account
-- without a name keeps what it had: those who named it before still mean it.
drop function if exists conduct_api_1.know_person(bytea, bytea, bytea, text, bytea);
create or replace function conduct_api_1.know_person(p_id_ix bytea, p_name_ix bytea, p_skeleton_ix bytea,
	p_home_wiki text, p_unit uuid, p_word_ids uuid[], p_word_kinds text[], p_words bytea[],
	out person uuid, out unit uuid)
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_account conduct.person_account;
	v_name uuid := (select w.id from unnest(p_word_ids, p_word_kinds) w (id, kind) where w.kind = 'name');
begin
	perform pg_advisory_xact_lock(hashtextextended(encode(p_id_ix, 'hex'), 0));
	select * into v_account from conduct.person_account a where a.id_ix = p_id_ix;
	if v_account.id_ix is null then
		person := gen_random_uuid();
		insert into conduct.principal values (person);
		insert into conduct.unit (unit_id, kind, made_at) values (p_unit, 'person', v_now);
		perform conduct_api_1.store_words(p_unit, p_word_ids, p_word_kinds, p_words);
		insert into conduct.person (person_id, principal_id, unit_id, seen_at)
		values (person, person, p_unit, v_now);
		insert into conduct.person_account (id_ix, name_ix, skeleton_ix, person_id, home_wiki, name_content)
		values (p_id_ix, coalesce(p_name_ix, p_id_ix), coalesce(p_skeleton_ix, p_id_ix), person,
			p_home_wiki, v_name);
		return;
	end if;
	if p_name_ix is not null and p_name_ix <> v_account.name_ix then
		select p.unit_id into unit from conduct.person p where p.person_id = v_account.person_id;
		if unit <> p_unit then
			return;
		end if;
		perform conduct_api_1.store_words(unit, p_word_ids, p_word_kinds, p_words);
		v_account.name_content := v_name;
	end if;
	unit := null;
	person := v_account.person_id;
	update conduct.person_account a set name_ix = coalesce(p_name_ix, a.name_ix),
		skeleton_ix = coalesce(p_skeleton_ix, a.skeleton_ix),
		home_wiki = coalesce(p_home_wiki, a.home_wiki), name_content = v_account.name_content
	where a.id_ix = p_id_ix;
	update conduct.person p set seen_at = v_now where p.person_id = person;
end
$$;

-- What a wiki says of whoever signs in: an account without a name is one that it hides. 202 with the unit
-- that the name has to be sealed in: nothing is stored, and the call comes again.
drop function if exists conduct_api_1.person_seen(bytea, bytea, bytea, text, bytea);
create or replace function conduct_api_1.person_seen(p_id_ix bytea, p_name_ix bytea, p_skeleton_ix bytea,
	p_home_wiki text, p_unit uuid, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_known record;
begin
	select * into v_known from conduct_api_1.know_person(p_id_ix, p_name_ix, p_skeleton_ix, p_home_wiki, p_unit,
		p_word_ids, p_word_kinds, p_words);
	if v_known.unit is not null then
		return conduct_api_1.answer(202, jsonb_build_object('unit', v_known.unit));
	end if;
	update conduct.person_account a set is_hidden = p_name_ix is null
	where a.id_ix = p_id_ix and a.is_hidden <> (p_name_ix is null);
	return conduct_api_1.answer(200, jsonb_build_object('person', v_known.person));
end
$$;

create or replace function conduct_api_1.me(p_account bytea)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_gate.person_of(p_account);
	v_now timestamptz := conduct.clock();
begin
	return conduct_api_1.answer(200, jsonb_build_object(
		'person', v_person,
		'home_wiki', (select a.home_wiki from conduct.person_account a where a.id_ix = p_account),
		'roles', coalesce((
			select jsonb_agg(jsonb_build_object('role', g.role, 'body', g.body_id,
				'from', conduct_api_1.time_text(g.from_at), 'until', conduct_api_1.time_text(g.until_at))
				order by g.body_id nulls first, g.role, g.from_at)
			from conduct.role_grant g
			where g.person_id = v_person and g.ended_at is null and v_now < g.until_at), '[]'),
		'bodies', coalesce((select jsonb_agg(distinct b.body_id order by b.body_id)
			from conduct_gate.bodies_of(v_person) b), '[]'),
		'training', '[]'::jsonb, 'agreement', null) || conduct_gate.show_person(v_person));
end
$$;

-- A body's members, for panels and transfers: told to people who handle cases themselves.
create or replace function conduct_api_1.body_show(p_account bytea, p_body text)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
	v_now timestamptz := conduct.clock();
	v_body conduct.body;
begin
	if not exists (select from conduct_gate.bodies_of(v_person)) then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	select * into v_body from conduct.body b where b.body_id = p_body;
	if v_body.body_id is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return conduct_api_1.answer(200, jsonb_build_object(
		'id', v_body.body_id, 'kind', v_body.kind, 'level', v_body.level,
		'jurisdiction', v_body.jurisdiction, 'role', v_body.role, 'high_level', v_body.high_level,
		'decides', v_body.decides, 'quorum', v_body.quorum, 'alternates', to_jsonb(v_body.alternates),
		'up', v_body.up_body_id, 'appeal', v_body.appeal_body_id,
		'members', coalesce((
			select jsonb_agg(jsonb_build_object('person', m.person_id, 'roles', m.roles)
				|| conduct_gate.show_person(m.person_id) order by m.person_id)
			from (select g.person_id, array_agg(distinct g.role order by g.role) as roles
				from conduct.role_grant g
				where g.body_id = p_body and g.ended_at is null and v_now >= g.from_at and v_now < g.until_at
					and g.role not in ('auditor', 'ombud')
				group by g.person_id) m), '[]')));
end
$$;

-- Granting ---------------------------------------------------------------------------------------

create or replace function conduct_api_1.enter_admin(p_account bytea) returns uuid
language plpgsql volatile
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
begin
	if not conduct_gate.has_role(v_person, 'admin', null) then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	return v_person;
end
$$;

create or replace function conduct_api_1.grant_list(p_account bytea, p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 100);
	v_items jsonb;
	v_next jsonb;
begin
	with page as (
		select g, row_number() over (order by g.granted_at desc, g.grant_id desc) as nth
		from conduct.role_grant g
		where p_after is null or p_after = 'null'
			or (g.granted_at, g.grant_id) < ((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid)
		order by g.granted_at desc, g.grant_id desc limit v_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.grant_view(p.g) order by p.nth) filter (where p.nth <= v_limit),
			'[]'),
		case when count(*) > v_limit then
			(jsonb_agg(jsonb_build_array((p.g).granted_at, (p.g).grant_id) order by p.nth)) -> (v_limit - 1) end
	into v_items, v_next from page p;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

-- A role that handles cases belongs to the bodies that have it; administrators belong to none.
create or replace function conduct_api_1.check_grant(p_role text, p_body text) returns void
language plpgsql volatile
as $$
declare
	v_body conduct.body;
begin
	select * into v_body from conduct.body b where b.body_id = p_body;
	if p_body is not null and v_body.body_id is null then
		perform conduct_api_1.refuse_member('/body', 'unknown');
	end if;
	if p_role is null or p_role not in ('functionary', 'oversighter', 'clerk', 'mediator', 'translator',
		'arbitrator', 'steward', 'u4c_member', 'u4c_nonvoting', 'ts_staff', 'legal', 'event_coordinator',
		'crc_member', 'auditor', 'ombud', 'policy_maintainer', 'admin')
	then
		perform conduct_api_1.refuse_member('/role', 'unknown');
	end if;
	if p_role in ('admin', 'policy_maintainer') and p_body is not null then
		perform conduct_api_1.refuse_member('/body', 'this role has no body');
	end if;
	if p_role not in ('admin', 'policy_maintainer', 'auditor', 'ombud') and p_body is null then
		perform conduct_api_1.refuse_member('/body', 'this role needs a body');
	end if;
	if (p_role in ('functionary', 'arbitrator', 'steward', 'u4c_member', 'ts_staff', 'legal',
			'event_coordinator', 'crc_member') and v_body.role is distinct from p_role)
		or (p_role = 'u4c_nonvoting' and v_body.kind is distinct from 'u4c')
	then
		perform conduct_api_1.refuse_member('/role', 'the body does not have this role');
	end if;
end
$$;

create or replace function conduct_api_1.grant_make(p_person uuid, p_args jsonb, p_by uuid)
returns conduct.role_grant language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_grant conduct.role_grant;
begin
	perform conduct_api_1.check_grant(p_args ->> 'role', p_args ->> 'body');
	v_grant := row(gen_random_uuid(), p_person, p_args ->> 'role', p_args ->> 'body',
		coalesce((p_args ->> 'from')::timestamptz, v_now), (p_args ->> 'until')::timestamptz,
		p_by, v_now, null, null);
	if v_grant.until_at is null or v_grant.until_at <= v_grant.from_at then
		perform conduct_api_1.refuse_member('/until', 'is not after from');
	end if;
	begin
		insert into conduct.role_grant select v_grant.*;
		set constraints all immediate;
		set constraints all deferred;
	exception when check_violation then
		-- Who reads the aggregates of a body handles none of its cases.
		perform conduct_api_1.refuse(409, 'conduct-guard-auditor-is-no-functionary',
			jsonb_build_object('allowed_actions', '[]'::jsonb));
	end;
	return v_grant;
end
$$;

-- Who a grant is for.
create or replace function conduct_api_1.grant_person(p_args jsonb) returns uuid
language plpgsql stable
as $$
declare
	v_person uuid;
begin
	if jsonb_typeof(p_args -> 'person') = 'string' then
		select p.person_id into v_person from conduct.person p
		where p.person_id = (p_args ->> 'person')::uuid;
	else
		-- A person named by account or by name; the indexes stand beside or in place of the name.
		select a.person_id into v_person from conduct.person_account a
		where a.id_ix = decode(p_args #>> '{person,id_ix}', 'hex')
			or a.name_ix = decode(coalesce(p_args #>> '{person,name_ix}', p_args ->> 'person_name_ix'), 'hex')
		order by (a.id_ix = decode(p_args #>> '{person,id_ix}', 'hex')) desc nulls last limit 1;
	end if;
	if v_person is null then
		perform conduct_api_1.refuse_member('/person', 'unknown');
	end if;
	return v_person;
end
$$;

create or replace function conduct_api_1.grant_add(p_account bytea, p_scope bytea, p_mac bytea,
	p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_person uuid;
	v_view jsonb;
begin
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	v_person := conduct_api_1.grant_person(p_args);
	v_view := conduct_api_1.grant_view(conduct_api_1.grant_make(v_person, p_args, v_admin));
	perform conduct_api_1.finish_key(p_scope, 201, v_view);
	return conduct_api_1.answer(201, v_view);
end
$$;

-- Ends a grant now. It waits for an act under way on a case the person is assigned to, seated in or votes
-- on: acts look at the grant again under the lock.
create or replace function conduct_api_1.grant_end(p_account bytea, p_grant uuid, p_scope bytea, p_mac bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_grant conduct.role_grant;
begin
	if v_key.scope is not null then
		return row(204, null, '{}', '{}')::conduct_api_1.answer;
	end if;
	select * into v_grant from conduct.role_grant g where g.grant_id = p_grant;
	if v_grant.grant_id is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform conduct_gate.lock_cases_of(v_grant.person_id);
	update conduct.role_grant g set ended_at = conduct.clock(), ended_by = v_admin
	where g.grant_id = p_grant and g.ended_at is null;
	perform conduct_api_1.finish_key(p_scope, 204, '{}');
	return row(204, null, '{}', '{}')::conduct_api_1.answer;
end
$$;

-- Ends what a person holds now or will: the role, for the body.
create or replace function conduct_api_1.grant_end_named(p_account bytea, p_scope bytea, p_mac bytea,
	p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_person uuid;
begin
	if v_key.scope is not null then
		return row(204, null, '{}', '{}')::conduct_api_1.answer;
	end if;
	v_person := conduct_api_1.grant_person(p_args);
	perform conduct_gate.lock_cases_of(v_person);
	update conduct.role_grant g set ended_at = conduct.clock(), ended_by = v_admin
	where g.person_id = v_person and g.role = p_args ->> 'role'
		and g.body_id is not distinct from p_args ->> 'body' and g.ended_at is null
		and g.until_at > conduct.clock();
	if not found then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform conduct_api_1.finish_key(p_scope, 204, '{}');
	return row(204, null, '{}', '{}')::conduct_api_1.answer;
end
$$;

-- The first grants of an installation: {id_ix, name_ix, skeleton_ix (hex), home_wiki, unit, role, body, from,
-- until}, and the name, sealed in that unit. The person is made when the account was never seen; of one who
-- is there the name stays as it is.
drop function if exists conduct_api_1.grant_bootstrap(jsonb);
create or replace function conduct_api_1.grant_bootstrap(p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid;
begin
	if not p_args ? 'id_ix' then
		perform conduct_api_1.refuse_member('/id_ix', 'is missing');
	end if;
	select a.person_id into v_person from conduct.person_account a where a.id_ix = decode(p_args ->> 'id_ix', 'hex');
	if v_person is null then
		select k.person into v_person from conduct_api_1.know_person(decode(p_args ->> 'id_ix', 'hex'),
			decode(p_args ->> 'name_ix', 'hex'), decode(p_args ->> 'skeleton_ix', 'hex'),
			p_args ->> 'home_wiki', (p_args ->> 'unit')::uuid, p_word_ids, p_word_kinds, p_words) k;
	end if;
	return conduct_api_1.answer(201,
		conduct_api_1.grant_view(conduct_api_1.grant_make(v_person, p_args, null)));
end
$$;

reset role;
