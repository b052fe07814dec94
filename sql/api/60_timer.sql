-- Time acts through the same rows as people: what has lapsed is closed, what is late is marked and told,
-- and each case is locked like for an act.

set role conduct_timer;

-- Decisions of a matter's chain: its own, those of appeals against it, and so on up.
create or replace function conduct_api_1.chain_of(p_matter uuid) returns setof uuid
language plpgsql stable rows 4
as $$
begin
	return query
		with recursive chain as (
			select p_matter as id
			union
			select p.proceeding_id from conduct.proceeding p join chain c on p.against_id = c.id)
		select c.id from chain c;
end
$$;

-- Closes what is decided and past every window, unless an appeal is open.
create or replace function conduct_api_1.timer_close(p_case uuid) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_act uuid := gen_random_uuid();
	v_matter uuid;
begin
	for v_matter in
		select m.proceeding_id from conduct.proceeding m
		where m.case_id = p_case and m.kind = 'matter' and m.state in ('resolved', 'dismissed')
			and not exists (
				select from conduct_api_1.chain_of(m.proceeding_id) c
				join conduct.proceeding p on p.proceeding_id = c
				where p.state in ('appeal_filed', 'appeal_review')
					or exists (select from conduct.decision d
						join conduct.decision_notice n on n.decision_id = d.decision_id
						where d.proceeding_id = c and n.appeal_until > v_now)
					or exists (select from conduct.deadline l
						where l.proceeding_id = c and l.what in ('appeal_window', 'join_appeal')
							and l.due_at > v_now and l.met_at is null and not l.is_void))
		order by m.proceeding_id
	loop
		perform conduct_api_1.move(v_act, v_matter, 'close', p_role => 'system');
		perform conduct_api_1.void_deadlines(v_matter);
		perform conduct_api_1.send('closed', jsonb_build_object('proceeding', v_matter));
	end loop;
end
$$;

create or replace function conduct_api_1.timer_overdue(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
begin
	update conduct.deadline d set overdue_at = conduct.clock() where d.case_id = p_deadline.case_id
		and d.deadline_id = p_deadline.deadline_id;
	perform conduct_api_1.send('overdue', jsonb_build_object('what', p_deadline.what,
		'proceeding', p_deadline.proceeding_id,
		'lane', (select f.lane from conduct.case_file f where f.case_id = p_deadline.case_id),
		'body', (select p.body_id from conduct.proceeding p
			where p.proceeding_id = p_deadline.proceeding_id)));
end
$$;

-- An external body is silent: a conduct case goes back to the ordinary way, one level up where the body
-- has an ordinary one above it; a welfare case never, there somebody is paged.
create or replace function conduct_api_1.timer_hand_back(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_case conduct.case_file;
	v_intake conduct.proceeding;
	v_body text;
begin
	select * into strict v_case from conduct.case_file f where f.case_id = p_deadline.case_id;
	select * into strict v_intake from conduct.proceeding p
	where p.proceeding_id = p_deadline.proceeding_id;
	if v_case.kind = 'welfare' or v_intake.state <> 'escalated' then
		perform conduct_api_1.timer_overdue(p_deadline);
		if v_case.kind = 'welfare' then
			perform conduct_api_1.send('page', jsonb_build_object('what', 'hand_back', 'body', v_intake.body_id));
		end if;
		return;
	end if;
	select u.body_id into v_body from conduct.body b
	join conduct.body u on u.body_id = b.up_body_id and not u.is_external
	where b.body_id = v_intake.body_id;
	v_body := coalesce(v_body, conduct_api_1.route(conduct_api_1.route_facts(true)));
	perform conduct_api_1.move(gen_random_uuid(), v_intake.proceeding_id, 'hand_back', 'triage',
		p_role => 'system', p_facts => jsonb_build_object('from_body', v_intake.body_id, 'body', v_body));
	perform conduct_api_1.tell_openings();
	update conduct.proceeding p set body_id = v_body where p.proceeding_id = v_intake.proceeding_id;
	update conduct.assignment a set ended_at = v_now
	where a.case_id = v_case.case_id and a.ended_at is null;
	perform conduct_api_1.void_deadlines(v_intake.proceeding_id);
	perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_intake.proceeding_id));
	perform conduct_api_1.send('handed_back', jsonb_build_object('body', v_body));
end
$$;

-- Nobody above the appeal body can break its silence: the appeal is accepted by system.
create or replace function conduct_api_1.timer_accept_appeal(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_appeal conduct.proceeding;
begin
	perform conduct_api_1.timer_overdue(p_deadline);
	select * into strict v_appeal from conduct.proceeding p
	where p.proceeding_id = p_deadline.proceeding_id;
	if v_appeal.state <> 'appeal_filed' or exists (select from conduct.body b
		where b.body_id = v_appeal.body_id and b.up_body_id is not null)
	then
		return;
	end if;
	-- A vote on acceptance under way has nothing left to decide.
	update conduct.ballot b set closed_at = v_now, outcome = 'lapsed'
	where b.proceeding_id = v_appeal.proceeding_id and b.closed_at is null;
	perform conduct_api_1.move(gen_random_uuid(), v_appeal.proceeding_id, 'accept_appeal',
		p_role => 'system');
	perform conduct_api_1.set_deadline(v_appeal.proceeding_id, 'decide_appeal',
		v_now + conduct_api_1.limit_of('decide_appeal'));
	perform conduct_api_1.send('appeal_accepted', jsonb_build_object('proceeding', v_appeal.proceeding_id));
end
$$;

-- An informal end nobody objected to.
create or replace function conduct_api_1.timer_settled(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
begin
	update conduct.deadline d set met_at = conduct.clock() where d.case_id = p_deadline.case_id
		and d.deadline_id = p_deadline.deadline_id;
	if exists (select from conduct.proceeding p
		where p.proceeding_id = p_deadline.proceeding_id and p.state = 'settled')
	then
		perform conduct_api_1.move(gen_random_uuid(), p_deadline.proceeding_id, 'close', p_role => 'system');
		perform conduct_api_1.void_deadlines(p_deadline.proceeding_id);
		perform conduct_api_1.send('closed', jsonb_build_object('proceeding', p_deadline.proceeding_id));
	end if;
end
$$;

-- One person alone opened an identity, and no second one has confirmed it: the ombud is told.
create or replace function conduct_api_1.timer_unconfirmed(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
begin
	perform conduct_api_1.timer_overdue(p_deadline);
	perform conduct_api_1.send('ombud', jsonb_build_object('what', p_deadline.what,
		'party', p_deadline.party_id));
end
$$;

-- The danger has not been called over in time: the party is told all the same.
create or replace function conduct_api_1.timer_tell_identity(p_deadline conduct.deadline) returns void
language plpgsql volatile
as $$
declare
	v_opening uuid;
begin
	update conduct.deadline d set met_at = conduct.clock() where d.case_id = p_deadline.case_id
		and d.deadline_id = p_deadline.deadline_id;
	for v_opening in select o.opening_id from conduct.identity_opening o
		where o.case_id = p_deadline.case_id and o.party_id = p_deadline.party_id and o.told_at is null
	loop
		perform conduct_api_1.tell_openings(v_opening);
	end loop;
end
$$;

-- Everything time has brought to one case. A party's own time is not overdue when it is over: it is past.
create or replace function conduct_api_1.timer_case(p_case uuid) returns void
language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_deadline conduct.deadline;
begin
	perform set_config('conduct.case_id', p_case::text, true);
	for v_deadline in
		select * from conduct.deadline d
		where d.case_id = p_case and d.due_at <= v_now and d.met_at is null and d.overdue_at is null
			and not d.is_void
		order by d.due_at, d.deadline_id
	loop
		-- An earlier one of the same case may have made this one void.
		continue when not exists (select from conduct.deadline d
			where d.case_id = p_case and d.deadline_id = v_deadline.deadline_id and d.met_at is null and not d.is_void);
		if v_deadline.what in ('appeal_window', 'join_appeal', 'resume', 'hearing', 'object_notice') then
			update conduct.deadline d set met_at = v_now where d.case_id = p_case
				and d.deadline_id = v_deadline.deadline_id;
		elsif v_deadline.what = 'object_informal' then
			perform conduct_api_1.timer_settled(v_deadline);
		elsif v_deadline.what = 'hand_back' then
			perform conduct_api_1.timer_hand_back(v_deadline);
		elsif v_deadline.what = 'accept_appeal' then
			perform conduct_api_1.timer_accept_appeal(v_deadline);
		elsif v_deadline.what = 'confirm_identity' then
			perform conduct_api_1.timer_unconfirmed(v_deadline);
		elsif v_deadline.what = 'tell_identity' then
			perform conduct_api_1.timer_tell_identity(v_deadline);
		else
			perform conduct_api_1.timer_overdue(v_deadline);
		end if;
	end loop;
	update conduct.sanction s set standing = 'expired'
	where s.case_id = p_case and s.standing = 'active' and s.until_at <= v_now;
	perform conduct_api_1.timer_close(p_case);
	perform conduct_api_1.refresh_docket();
end
$$;

-- Up to p_limit due cases, each under its lock; one that is locked waits for the next run, one that fails
-- does not hold up the others and is counted. Done 0: nothing is left that can be done now.
create or replace function conduct_api_1.timer_run(p_limit integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_case uuid;
	v_done integer := 0;
	v_failed integer := 0;
begin
	for v_case in select x.case_id from conduct_gate.due_cases(least(greatest(p_limit, 1), 1000)) x loop
		perform from conduct.case_file f where f.case_id = v_case for update skip locked;
		continue when not found;
		begin
			perform conduct_api_1.timer_case(v_case);
			set constraints all immediate;
			set constraints all deferred;
			v_done := v_done + 1;
		exception when others then
			v_failed := v_failed + 1;
		end;
		perform set_config('conduct.case_id', '', true);
	end loop;
	return row(200, jsonb_build_object('done', v_done, 'failed', v_failed), '{}'::uuid[],
		'{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
