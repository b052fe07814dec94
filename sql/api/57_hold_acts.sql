-- A legal hold: nothing of the case is erased while it lasts. Handlers place one with a reason; admins, who
-- see no case, on a ground from outside, by the case's id.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

create or replace function conduct_api_1.case_hold(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'hold', p_args, p_word_ids, p_word_kinds, p_words);
	v_now timestamptz := conduct.clock();
	v_until timestamptz := (p_args ->> 'until')::timestamptz;
	v_hold uuid := gen_random_uuid();
	v_row conduct.proceeding;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	perform conduct_api_1.check_hold(p_case, v_until);
	insert into conduct.legal_hold (hold_id, case_id, person_id, role, reason_content, made_at, until_at)
	values (v_hold, p_case, conduct.actor_person(), (select b.role from conduct.body b
		where b.body_id = v_row.body_id), conduct_api_1.word_id(p_args -> 'reason'), v_now, v_until);
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'hold', null,
		conduct_api_1.word_id(p_args -> 'reason'), jsonb_build_object('hold', v_hold,
			'until', conduct_api_1.time_text(v_until)));
	return conduct_api_1.end_act(v_act, p_extra => jsonb_build_object('hold', v_hold));
end
$$;

-- Until when a hold may last: the policy's limit; another one may follow it.
create or replace function conduct_api_1.check_hold(p_case uuid, p_until timestamptz) returns void
language plpgsql volatile
as $$
begin
	if coalesce(p_until <= conduct.clock(), true) then
		perform conduct_api_1.refuse_member('/until', 'is past');
	end if;
	if p_until > conduct.clock() + conduct_gate.erasure_limit(p_case, 'hold', interval '365 days') then
		perform conduct_api_1.refuse_member('/until', 'is too late');
	end if;
end
$$;

reset role;
set role conduct_admin;

-- No case is told: who placed a hold, from when and until when, and who ended it.
create or replace function conduct_api_1.hold_view(p_hold conduct.legal_hold) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_hold.hold_id, 'person', p_hold.person_id, 'role', p_hold.role,
		'ground', p_hold.ground, 'from', conduct_api_1.time_text(p_hold.made_at),
		'until', conduct_api_1.time_text(p_hold.until_at),
		'ended_at', conduct_api_1.time_text(p_hold.ended_at), 'ended_by', p_hold.ended_by);
end
$$;

create or replace function conduct_api_1.hold_list(p_account bytea, p_limit integer, p_after jsonb)
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
		select h, row_number() over (order by h.made_at desc, h.hold_id desc) as nth
		from conduct.legal_hold h
		where p_after is null or p_after = 'null'
			or (h.made_at, h.hold_id) < ((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid)
		order by h.made_at desc, h.hold_id desc limit v_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.hold_view(p.h) order by p.nth) filter (where p.nth <= v_limit), '[]'),
		case when count(*) > v_limit then
			(jsonb_agg(jsonb_build_array((p.h).made_at, (p.h).hold_id) order by p.nth)) -> (v_limit - 1) end
	into v_items, v_next from page p;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

create or replace function conduct_api_1.hold_add(p_account bytea, p_scope bytea, p_mac bytea, p_args jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_case uuid := (p_args ->> 'case')::uuid;
	v_hold conduct.legal_hold;
	v_view jsonb;
begin
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	if not conduct_gate.lock_to_hold(v_case) then
		perform conduct_api_1.refuse_member('/case', 'unknown');
	end if;
	perform conduct_api_1.check_hold(v_case, (p_args ->> 'until')::timestamptz);
	v_hold.hold_id := gen_random_uuid();
	v_hold.case_id := v_case;
	v_hold.person_id := v_admin;
	v_hold.role := 'admin';
	v_hold.ground := p_args ->> 'ground';
	v_hold.made_at := conduct.clock();
	v_hold.until_at := (p_args ->> 'until')::timestamptz;
	insert into conduct.legal_hold select v_hold.*;
	v_view := conduct_api_1.hold_view(v_hold);
	perform conduct_api_1.finish_key(p_scope, 201, v_view);
	return conduct_api_1.answer(201, v_view);
end
$$;

create or replace function conduct_api_1.hold_end(p_account bytea, p_hold uuid, p_scope bytea, p_mac bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_admin uuid := conduct_api_1.enter_admin(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_case uuid;
begin
	if v_key.scope is not null then
		return row(204, null, '{}', '{}')::conduct_api_1.answer;
	end if;
	select h.case_id into v_case from conduct.legal_hold h where h.hold_id = p_hold;
	if v_case is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform conduct_gate.lock_case(v_case);
	update conduct.legal_hold h set ended_at = conduct.clock(), ended_by = v_admin
	where h.hold_id = p_hold and h.ended_at is null;
	perform conduct_api_1.finish_key(p_scope, 204, '{}');
	return row(204, null, '{}', '{}')::conduct_api_1.answer;
end
$$;

reset role;
grant execute on function conduct_api_1.check_hold(uuid, timestamptz) to conduct_admin;
