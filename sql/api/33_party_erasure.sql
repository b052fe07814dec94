-- A party asks that what it said is erased. The request is answered by the worker, by a limit: it is done,
-- or it waits, and for what.

set role conduct_party;

create or replace function conduct_api_1.erasure_view(p_party uuid) returns jsonb
language plpgsql stable
as $$
begin
	return (select jsonb_build_object('requested_at', conduct_api_1.time_text(q.asked_at),
			'due_at', conduct_api_1.time_text(q.due_at), 'state', q.state, 'answer', q.answer,
			'answered_at', conduct_api_1.time_text(q.answered_at),
			'until', conduct_api_1.time_text(q.until_at))
		from conduct.erasure_request q where q.party_id = p_party order by q.asked_at desc limit 1);
end
$$;

-- Asked again, the request is the one there is; when that is done, what was said since is asked for.
create or replace function conduct_api_1.party_erasure(p_account bytea, p_receipt bytea, p_participation uuid,
	p_scope bytea, p_mac bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_now timestamptz := conduct.clock();
begin
	if v_key.scope is null and not exists (select from conduct.erasure_request q
		where q.party_id = v_party.party_id and q.state <> 'erased')
	then
		insert into conduct.erasure_request (request_id, case_id, party_id, asked_at, due_at, state, next_at)
		values (gen_random_uuid(), v_party.case_id, v_party.party_id, v_now,
			v_now + conduct_gate.erasure_limit(v_party.case_id, 'erasure_answer', interval '30 days'), 'asked',
			v_now);
	end if;
	if v_key.scope is null then
		perform conduct_api_1.finish_key(p_scope, 202, '{}', v_party.case_id);
	end if;
	return conduct_api_1.answer(202, conduct_api_1.erasure_view(v_party.party_id));
end
$$;

reset role;
