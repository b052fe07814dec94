-- What every API function stands on: the answer's shape, refusals, who acts, opening a case under its
-- lock, the idempotency row, deadlines, and move(), the one function in which a state changes.
-- These helpers are security invoker: they run as the audience that calls them.

create schema if not exists conduct_api_1;
revoke all on schema conduct_api_1 from public;
grant usage on schema conduct_api_1 to conduct_web, conduct_worker, conduct_owner;
grant usage, create on schema conduct_api_1 to conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_stats, conduct_admin;
alter default privileges for role conduct_migrate, conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_stats, conduct_admin revoke execute on functions from public;

do $$
begin
	if to_regtype('conduct_api_1.answer') is null then
		create type conduct_api_1.answer as (status integer, body jsonb, word_ids uuid[], words bytea[]);
	end if;
end
$$;

set search_path = pg_catalog, conduct, conduct_api_1;

-- Refusals ---------------------------------------------------------------------------------------

-- The SQLSTATE carries the HTTP status, the message the errorKey, the detail its parameters.
create or replace function conduct_api_1.refuse(p_status integer, p_key text, p_params jsonb default '{}')
returns void language plpgsql volatile
as $$
begin
	raise exception using errcode = 'UC' || p_status, message = p_key, detail = p_params::text;
end
$$;

create or replace function conduct_api_1.refuse_member(p_pointer text, p_detail text)
returns void language plpgsql volatile
as $$
begin
	perform conduct_api_1.refuse(422, 'conduct-invalid-body', jsonb_build_object('errors',
		jsonb_build_array(jsonb_build_object('pointer', p_pointer, 'detail', p_detail))));
end
$$;

-- An unmet guard, with what the actor may do instead.
create or replace function conduct_api_1.refuse_guard(p_guard text)
returns void language plpgsql volatile
as $$
begin
	perform conduct_api_1.refuse(409, 'conduct-guard-' || p_guard,
		jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
end
$$;

-- Who acts ---------------------------------------------------------------------------------------

create or replace function conduct_api_1.enter_person(p_account bytea) returns uuid
language plpgsql volatile
as $$
declare
	v_person uuid := conduct_gate.person_of(p_account);
begin
	if v_person is null then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	perform set_config('conduct.actor', 'person:' || v_person, true);
	return v_person;
end
$$;

-- Nobody stands behind a receipt or a participation: the same 404 as ever, but that a receipt whose words are
-- erased says so for a time.
create or replace function conduct_api_1.refuse_party(p_receipt bytea) returns void
language plpgsql volatile
as $$
begin
	if p_receipt is not null and conduct_gate.receipt_is_erased(p_receipt) then
		perform conduct_api_1.refuse(410, 'conduct-erased');
	end if;
	perform conduct_api_1.refuse(404, 'conduct-not-found');
end
$$;

-- A party acts by receipt, or by account and participation. Absent and hidden are the same 404.
create or replace function conduct_api_1.enter_party(p_account bytea, p_receipt bytea, p_participation uuid)
returns conduct.party language plpgsql volatile
as $$
declare
	v_party_id uuid := conduct_gate.party_of(p_receipt, p_account, p_participation);
	v_case uuid;
	v_party conduct.party;
begin
	if v_party_id is null then
		perform conduct_api_1.refuse_party(p_receipt);
	end if;
	perform set_config('conduct.actor', 'party:' || v_party_id, true);
	select f.case_id into v_case from conduct.case_file f
	where f.case_id = conduct_gate.case_of_party(v_party_id);
	perform conduct_api_1.open_case(v_case);
	select * into strict v_party from conduct.party y where y.party_id = v_party_id;
	return v_party;
end
$$;

-- Opens a case: visible, locked, and visible still. Without the second look an act of somebody who was
-- recused while waiting for the lock would be stored.
create or replace function conduct_api_1.open_case(p_case uuid) returns void
language plpgsql volatile
as $$
begin
	if not exists (select from conduct.case_file f where f.case_id = p_case) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform from conduct.case_file f where f.case_id = p_case for update;
	if not exists (select from conduct.case_file f where f.case_id = p_case) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
end
$$;

-- Opens a case for reading: the predicate, and no lock. That it was read stands in the log before anything
-- of it is answered.
create or replace function conduct_api_1.open_case_to_read(p_case uuid) returns void
language plpgsql volatile
as $$
begin
	if not exists (select from conduct.case_file f where f.case_id = p_case) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
	perform conduct_gate.audit_read();
end
$$;

-- Idempotency ------------------------------------------------------------------------------------

-- Claims a key. Null: it is new, and finish_key() must follow. A row: the first success, to be rendered
-- again; the replay has written, so it is acknowledged only when the row it repeats is durable.
create or replace function conduct_api_1.claim_row(p_scope bytea, p_mac bytea, p_now timestamptz)
returns conduct.idempotency language plpgsql volatile
as $$
declare
	v_row conduct.idempotency;
begin
	if p_scope is null then
		return null;
	end if;
	insert into conduct.idempotency (scope, body_mac, status, answer, at)
	values (p_scope, p_mac, 0, '{}', p_now)
	on conflict (scope) do nothing;
	if found then
		return null;
	end if;
	update conduct.idempotency i set replays = i.replays + 1 where i.scope = p_scope returning * into v_row;
	if not found then
		-- Swept in this very moment: it is a new one.
		return conduct_api_1.claim_row(p_scope, p_mac, p_now);
	end if;
	if v_row.at < p_now - interval '24 hours' then
		update conduct.idempotency i set body_mac = p_mac, status = 0, answer = '{}', case_id = null,
			sealed_receipt = null, at = p_now, replays = 0
		where i.scope = p_scope;
		return null;
	end if;
	if v_row.body_mac <> p_mac then
		perform conduct_api_1.refuse(422, 'conduct-idempotency-key-reused');
	end if;
	return v_row;
end
$$;

-- The same, where nobody else says what a lock means that does not come.
create or replace function conduct_api_1.claim_key(p_scope bytea, p_mac bytea)
returns conduct.idempotency language plpgsql volatile
as $$
begin
	return conduct_api_1.claim_row(p_scope, p_mac, conduct.clock());
exception when lock_not_available then
	perform conduct_api_1.refuse(409, 'conduct-idempotency-running');
	return null;
end
$$;

create or replace function conduct_api_1.finish_key(p_scope bytea, p_status integer, p_answer jsonb,
	p_case uuid default null, p_sealed_receipt bytea default null)
returns void language plpgsql volatile
as $$
begin
	update conduct.idempotency i set status = p_status, answer = p_answer, case_id = p_case,
		sealed_receipt = p_sealed_receipt
	where i.scope = p_scope;
end
$$;

-- Times ------------------------------------------------------------------------------------------

create or replace function conduct_api_1.time_text(p_at timestamptz) returns text
language sql stable
as $$
	select case when p_at is not null and isfinite(p_at)
		then to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end
$$;

-- Procedure limits -------------------------------------------------------------------------------

-- A limit of the case's own procedure version. What gives a party time takes the present one where that
-- is longer.
create or replace function conduct_api_1.limit_of(p_key text) returns interval
language plpgsql stable
as $$
declare
	v_own bigint;
	v_present bigint;
begin
	select (r.procedure ->> p_key)::bigint into v_own
	from conduct.case_file f join conduct.profile r on r.profile = f.profile
	where f.case_id = conduct.opened_case();
	-- A limit that older sets do not have yet is the one they were first published with.
	v_own := coalesce(v_own, (select (r.procedure ->> p_key)::bigint from conduct.policy_set s
		join conduct.profile r on r.profile = s.base_profile
		where r.procedure ? p_key order by s.revision limit 1));
	if v_own is null then
		raise exception 'procedure limit % is missing', p_key;
	end if;
	if p_key in ('resume', 'object_informal', 'object_notice', 'hearing', 'hearing_extension',
		'appeal_window', 'appeal_window_global', 'appeal_window_office', 'join_appeal', 'one_time_word')
	then
		select (r.procedure ->> p_key)::bigint into v_present
		from conduct.case_file f
		join conduct.policy_wiki w on w.wiki = f.wiki and w.policy_version =
			(select s.policy_version from conduct.policy_set s order by s.revision desc limit 1)
		join conduct.profile r on r.profile = w.profile
		where f.case_id = conduct.opened_case();
	end if;
	return greatest(v_own, v_present) * interval '1 second';
end
$$;

create or replace function conduct_api_1.procedure_number(p_key text) returns integer
language plpgsql stable
as $$
begin
	return (select (r.procedure ->> p_key)::integer
		from conduct.case_file f join conduct.profile r on r.profile = f.profile
		where f.case_id = conduct.opened_case());
end
$$;

create or replace function conduct_api_1.set_deadline(p_proceeding uuid, p_what text, p_due timestamptz,
	p_party uuid default null)
returns void language plpgsql volatile
as $$
begin
	update conduct.deadline d set is_void = true
	where d.proceeding_id = p_proceeding and d.what = p_what and d.party_id is not distinct from p_party
		and d.met_at is null and not d.is_void;
	insert into conduct.deadline (deadline_id, case_id, proceeding_id, what, party_id, due_at)
	values (gen_random_uuid(), conduct.opened_case(), p_proceeding, p_what, p_party, p_due);
end
$$;

create or replace function conduct_api_1.meet_deadline(p_proceeding uuid, p_what text)
returns void language plpgsql volatile
as $$
begin
	update conduct.deadline d set met_at = conduct.clock()
	where d.proceeding_id = p_proceeding and d.what = p_what and d.met_at is null and not d.is_void;
end
$$;

create or replace function conduct_api_1.void_deadlines(p_proceeding uuid)
returns void language plpgsql volatile
as $$
begin
	update conduct.deadline d set is_void = true
	where d.proceeding_id = p_proceeding and d.met_at is null and not d.is_void;
end
$$;

-- Roles of the actor -----------------------------------------------------------------------------

-- The words of transition.role that the actor holds on a proceeding of the opened case.
create or replace function conduct_api_1.roles_on(p_row conduct.proceeding) returns text[]
language plpgsql stable
as $$
declare
	v_person uuid := conduct.actor_person();
	v_roles text[] := '{}';
	v_party conduct.party;
	v_sight conduct_gate.sight;
begin
	if v_person is null then
		select * into v_party from conduct.party y where y.party_id = conduct.actor_party();
		if v_party.party_id is null then
			return v_roles;
		end if;
		if v_party.role = 'respondent' and p_row.kind <> 'appeal'
			and p_row.respondent_id is distinct from v_party.party_id
		then
			return v_roles;
		end if;
		if p_row.kind = 'appeal' then
			return case when p_row.appellant_id = v_party.party_id then array['appellant'] else v_roles end;
		end if;
		return case when v_party.role in ('reporter', 'target', 'respondent')
			then array[v_party.role, 'party'] else v_roles end;
	end if;
	v_sight := conduct_gate.handler_sight(p_row.case_id);
	if not p_row.proceeding_id = any (v_sight.seen) then
		return v_roles;
	end if;
	return conduct_api_1.handler_roles(p_row, p_row.proceeding_id = any (v_sight.own));
end
$$;

-- Actions that these roles may take on a proceeding now.
create or replace function conduct_api_1.allowed_as(p_row conduct.proceeding, p_roles text[]) returns text[]
language plpgsql stable
as $$
begin
	if cardinality(p_roles) = 0 then
		return '{}';
	end if;
	return array(
		select distinct t.action from conduct.transition t
		where t.kind = p_row.kind and t.from_state = p_row.state and t.in_force
			and t.role = any (p_roles) order by t.action);
end
$$;

-- Actions the actor may take on a proceeding now, by role and state.
create or replace function conduct_api_1.allowed_on(p_row conduct.proceeding) returns text[]
language plpgsql stable
as $$
begin
	return conduct_api_1.allowed_as(p_row, conduct_api_1.roles_on(p_row));
end
$$;

create or replace function conduct_api_1.allowed_in_case() returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(distinct a order by a)
		from conduct.proceeding p, unnest(conduct_api_1.allowed_on(p)) a
		where p.case_id = conduct.opened_case()), '[]');
end
$$;

-- Acting -----------------------------------------------------------------------------------------

-- The proceedings an act means, in a fixed order of refusal: 403 no role of the actor ever takes this
-- action here, 412 stale, 422 unknown or ambiguous, 409 not from this state.
create or replace function conduct_api_1.target(p_action text, p_expected integer, p_args jsonb)
returns uuid[] language plpgsql volatile
as $$
declare
	v_legal uuid[];
	v_named uuid[];
	v_moves boolean;
begin
	-- Who acts at another stage of this case acts too early or too late (409), not wrongly (403); a member
	-- of the body may be seated on its panel.
	if not exists (
		select from conduct.proceeding p, conduct.transition t, conduct_api_1.roles_on(p) r
		where p.case_id = conduct.opened_case() and t.action = p_action and t.in_force
			and t.from_state <> 'new'
			and (t.role = any (r)
				or (t.role = 'panel' and t.kind = p.kind and r && array['functionary', 'appeal_body'])))
	then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	if p_expected is not null and p_expected is distinct from
		(select f.revision from conduct.case_file f where f.case_id = conduct.opened_case())
	then
		perform conduct_api_1.refuse(412, 'conduct-precondition-failed');
	end if;
	select coalesce(array_agg(p.proceeding_id order by p.proceeding_id), '{}') into v_legal
	from conduct.proceeding p
	where p.case_id = conduct.opened_case() and p_action = any (conduct_api_1.allowed_on(p));
	if p_args ? 'proceedings' then
		select array_agg(distinct x::uuid order by x::uuid) into v_named
		from jsonb_array_elements_text(p_args -> 'proceedings') x;
		if exists (select from unnest(v_named) n where not exists (
			select from conduct.proceeding p
			where p.proceeding_id = n and p.case_id = conduct.opened_case()
				and (conduct.actor_person() is null or conduct_gate.handler_sees_proceeding(n))))
		then
			perform conduct_api_1.refuse_member('/proceedings', 'unknown');
		end if;
		if not v_named <@ v_legal then
			perform conduct_api_1.refuse(409, 'conduct-transition-illegal',
				jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
		end if;
		return v_named;
	end if;
	if cardinality(v_legal) = 0 then
		perform conduct_api_1.refuse(409, 'conduct-transition-illegal',
			jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
	end if;
	if cardinality(v_legal) > 1 then
		perform conduct_api_1.refuse(422, 'conduct-ambiguous-proceedings', jsonb_build_object('errors',
			(select jsonb_agg(jsonb_build_object('pointer', '/proceedings', 'detail', l)) from unnest(v_legal) l)));
	end if;
	return v_legal;
end
$$;

-- The actor takes part in an instance of the opened case: once, unless void.
create or replace function conduct_api_1.take_part(p_instance integer) returns void
language plpgsql volatile
as $$
declare
	v_principal uuid := conduct_gate.principal_of(conduct.actor_person());
begin
	if conduct_gate.is_barred(conduct.opened_case(), p_instance, v_principal) then
		perform conduct_api_1.refuse_guard('no-prior-decider');
	end if;
	insert into conduct.took_part (took_part_id, case_id, principal_id, instance, at)
	values (gen_random_uuid(), conduct.opened_case(), v_principal, p_instance, conduct.clock())
	on conflict (case_id, principal_id, instance) do nothing;
end
$$;

-- The one function in which a state changes, and in which an act that moves nothing is recorded.
-- p_act joins the events of one act; p_role: null = the actor's, 'system' for timers. Returns the
-- event's seq.
create or replace function conduct_api_1.move(p_act uuid, p_proceeding uuid, p_action text,
	p_to text default null, p_reason uuid default null, p_facts jsonb default '{}',
	p_role text default null, p_cause uuid default null, p_cause_seq integer default null)
returns integer language plpgsql volatile
as $$
declare
	v_row conduct.proceeding;
	v_transition conduct.transition;
	v_seq integer;
	v_revision integer;
	v_now timestamptz := conduct.clock();
	v_is_system boolean := p_role is not distinct from 'system';
	v_roles text[];
	v_cause conduct.event;
begin
	select * into strict v_row from conduct.proceeding p where p.proceeding_id = p_proceeding for update;
	v_roles := case when p_role is null then conduct_api_1.roles_on(v_row) else array[p_role] end;
	select t.* into v_transition from conduct.transition t
	where t.kind = v_row.kind and t.from_state = v_row.state and t.action = p_action and t.in_force
		and (p_to is null or t.to_state = p_to) and t.role = any (v_roles)
		and t.needs_cause = (p_cause is not null)
	order by array_position(v_roles, t.role) limit 1;
	if v_transition.kind is null then
		perform conduct_api_1.refuse(409, 'conduct-transition-illegal',
			jsonb_build_object('allowed_actions', conduct_api_1.allowed_in_case()));
	end if;
	-- A vote takes part in the instance that votes; who drafts for others does not vote by it.
	if conduct.actor_person() is not null and not v_is_system and p_cause is null
		and (v_transition.moves or p_action = 'vote')
	then
		perform conduct_api_1.take_part(v_row.instance);
	end if;
	v_revision := conduct_api_1.next_revision(p_act, v_transition.moves);
	if p_cause is not null then
		select * into strict v_cause from conduct.event e
		where e.proceeding_id = p_cause and e.seq = p_cause_seq;
	end if;
	v_seq := v_row.version + 1;
	insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
		needs_cause, case_id, act_id, revision, actor_person, actor_party, reason_content, facts, at,
		cause_id, cause_seq, cause_kind, cause_action)
	values (p_proceeding, v_row.kind, v_seq, v_row.state, p_action, v_transition.to_state,
		v_transition.role, v_transition.moves, v_transition.needs_cause, v_row.case_id, p_act, v_revision,
		case when not v_is_system then conduct.actor_person() end,
		case when not v_is_system then conduct.actor_party() end, p_reason, p_facts, v_now,
		v_cause.proceeding_id, v_cause.seq, v_cause.kind, v_cause.action);
	update conduct.proceeding p set version = v_seq, state = v_transition.to_state,
		state_at = case when v_transition.moves then v_now else p.state_at end
	where p.proceeding_id = p_proceeding;
	return v_seq;
end
$$;

-- + 1 per moving act, which may be several events.
create or replace function conduct_api_1.next_revision(p_act uuid, p_moves boolean) returns integer
language plpgsql volatile
as $$
declare
	v_revision integer;
begin
	if p_moves and not exists (select from conduct.event e
		where e.case_id = conduct.opened_case() and e.act_id = p_act and e.moves)
	then
		update conduct.case_file f set revision = f.revision + 1
		where f.case_id = conduct.opened_case() returning f.revision into strict v_revision;
		return v_revision;
	end if;
	return (select f.revision from conduct.case_file f where f.case_id = conduct.opened_case());
end
$$;

-- Opens a proceeding with its first event. p_row carries kind, body_id, round, instance, and, where the
-- kind has them, respondent, appellant, object, nth. The cause is an event of this act or null.
create or replace function conduct_api_1.open_proceeding(p_act uuid, p_row conduct.proceeding,
	p_action text, p_to text, p_role text, p_reason uuid default null, p_facts jsonb default '{}',
	p_cause uuid default null, p_cause_seq integer default null)
returns uuid language plpgsql volatile
as $$
declare
	v_id uuid := coalesce(p_row.proceeding_id, gen_random_uuid());
	v_now timestamptz := conduct.clock();
	v_revision integer := conduct_api_1.next_revision(p_act, true);
	v_cause conduct.event;
begin
	if p_cause is not null then
		select * into strict v_cause from conduct.event e
		where e.proceeding_id = p_cause and e.seq = p_cause_seq;
	end if;
	insert into conduct.proceeding (proceeding_id, case_id, kind, respondent_id, round, instance, nth,
		body_id, appellant_id, against_id, against_seq, opened_by, is_reconsideration, version, state,
		opened_at, state_at)
	values (v_id, conduct.opened_case(), p_row.kind, p_row.respondent_id, p_row.round, p_row.instance,
		coalesce(p_row.nth, 1), p_row.body_id, p_row.appellant_id, p_row.against_id, p_row.against_seq,
		p_action, coalesce(p_row.is_reconsideration, false), 1, p_to, v_now, v_now);
	insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
		needs_cause, case_id, act_id, revision, actor_person, actor_party, reason_content, facts, at,
		cause_id, cause_seq, cause_kind, cause_action)
	values (v_id, p_row.kind, 1, 'new', p_action, p_to, p_role, true, p_cause is not null,
		conduct.opened_case(), p_act, v_revision,
		case when p_role <> 'system' then conduct.actor_person() end,
		case when p_role <> 'system' then conduct.actor_party() end, p_reason, p_facts, v_now,
		v_cause.proceeding_id, v_cause.seq, v_cause.kind, v_cause.action);
	return v_id;
end
$$;

reset search_path;
grant execute on all functions in schema conduct_api_1 to conduct_handler, conduct_party,
	conduct_intake, conduct_timer, conduct_stats, conduct_admin;
