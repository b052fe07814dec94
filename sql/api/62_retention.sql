-- Erasing by time and by request. Each case is its own transaction: whoever is ended in the middle leaves it
-- whole, and the next run takes it up again.

set role conduct_timer;

-- A request is looked at again when what it waits for is known to end, and at least every day.
create or replace function conduct_api_1.retention_wait(p_case uuid, p_extent text, p_party uuid,
	p_at timestamptz) returns void
language plpgsql volatile
as $$
begin
	if p_extent = 'party' then
		update conduct.erasure_request q set next_at = p_at where q.party_id = p_party and q.state <> 'erased';
	else
		update conduct.retention r set next_at = p_at where r.case_id = p_case;
	end if;
end
$$;

-- Why a request waits is its answer until it is done.
create or replace function conduct_api_1.retention_answer(p_party uuid, p_reason text, p_until timestamptz)
returns void language plpgsql volatile
as $$
begin
	update conduct.erasure_request q set state = 'waiting', answer = p_reason, until_at = p_until,
		answered_at = case when q.answer is distinct from p_reason then conduct.clock() else q.answered_at end
	where q.party_id = p_party and q.state <> 'erased';
end
$$;

-- One case, locked: erased, told to wait, or given its next time. What it came to.
create or replace function conduct_api_1.retention_case(p_case uuid, p_extent text, p_party uuid) returns text
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_due timestamptz;
	v_obstacle record;
	v_outcome text;
begin
	v_due := case when p_extent <> 'party' then conduct_gate.erasure_due(p_case, p_extent) end;
	if v_due > v_now then
		perform conduct_api_1.retention_wait(p_case, p_extent, p_party, v_due);
		return 'waiting';
	end if;
	select * into v_obstacle from conduct_gate.erasure_obstacle(p_case);
	if v_obstacle.reason is not null then
		if p_extent = 'party' then
			perform conduct_api_1.retention_answer(p_party, v_obstacle.reason, v_obstacle.until_at);
		end if;
		perform conduct_api_1.retention_wait(p_case, p_extent, p_party,
			least(greatest(coalesce(v_obstacle.until_at, 'infinity'), v_now + interval '1 minute'),
				v_now + interval '1 day'));
		return 'waiting';
	end if;
	v_outcome := conduct_gate.erase(p_case, p_extent, p_party, false);
	if v_outcome = 'later' then
		perform conduct_api_1.retention_wait(p_case, p_extent, p_party, v_now + interval '1 minute');
		return 'waiting';
	end if;
	if p_extent = 'text' then
		update conduct.retention r set extent = 'skeleton', next_at = conduct_gate.erasure_due(p_case, 'skeleton')
		where r.case_id = p_case;
	end if;
	return p_extent;
end
$$;

-- A request whose limit has passed without an answer is told to the body that has the case, once.
create or replace function conduct_api_1.retention_overdue() returns integer
language plpgsql volatile
as $$
declare
	v_request conduct.erasure_request;
	v_n integer := 0;
begin
	for v_request in
		update conduct.erasure_request q set overdue_at = conduct.clock()
		where q.answered_at is null and q.overdue_at is null and q.due_at <= conduct.clock()
		returning q.*
	loop
		perform set_config('conduct.case_id', v_request.case_id::text, true);
		perform conduct_api_1.send('erasure_overdue', jsonb_build_object('request', v_request.request_id,
			'body', (select d.body_id from conduct.docket d where d.case_id = v_request.case_id
				order by d.is_open desc, d.body_id limit 1)));
		v_n := v_n + 1;
	end loop;
	perform set_config('conduct.case_id', '', true);
	return v_n;
end
$$;

-- The next case that is due and not locked, in this transaction. One that fails is left for an hour.
create or replace function conduct_api_1.retention_run()
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_one record;
	v_outcome text := 'none';
	v_overdue integer := conduct_api_1.retention_overdue();
begin
	for v_one in select * from conduct_gate.erasures_due(10) loop
		perform from conduct.case_file f where f.case_id = v_one.case_id for update skip locked;
		continue when not found;
		perform set_config('conduct.case_id', v_one.case_id::text, true);
		begin
			v_outcome := conduct_api_1.retention_case(v_one.case_id, v_one.extent, v_one.party_id);
			set constraints all immediate;
			set constraints all deferred;
		exception when others then
			v_outcome := 'failed';
			perform conduct_api_1.retention_wait(v_one.case_id, v_one.extent, v_one.party_id,
				conduct.clock() + interval '1 hour');
		end;
		exit;
	end loop;
	return row(200, jsonb_build_object('outcome', v_outcome, 'overdue', v_overdue), '{}'::uuid[],
		'{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
