-- The queue: what the actor's bodies owe, emergencies first, then by due time. Each statement below walks
-- one index of the docket in order and stops at the page; which one is chosen by who asks and for what.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

do $$
begin
	if to_regtype('conduct_api_1.queue_row') is null then
		create type conduct_api_1.queue_row as (rank integer, due_at timestamptz, case_id uuid, body_id text,
			stage text, state text);
	end if;
	if to_regtype('conduct_api_1.queue_filter') is null then
		create type conduct_api_1.queue_filter as (stage text, state text, lane text, wiki text, body text,
			assigned text, due_before timestamptz, respondent bytea);
	end if;
end
$$;

-- A person's own bodies are few: the page of each, merged.
create or replace function conduct_api_1.queue_own(p_bodies text[], p_filter conduct_api_1.queue_filter,
	p_rank integer, p_due timestamptz, p_case uuid, p_limit integer)
returns setof conduct_api_1.queue_row language plpgsql stable
as $$
begin
	return query
		select q.rank, q.due_at, q.case_id, q.body_id, q.stage, q.state
		from unnest(p_bodies) b (body_id),
			lateral (select d.rank, d.due_at, d.case_id, d.body_id, d.stage, d.state from conduct.docket d
				where d.body_id = b.body_id and d.is_open
					and (d.rank, d.due_at, d.case_id) > (p_rank, p_due, p_case)
					and (p_filter.stage is null or d.stage = p_filter.stage)
					and (p_filter.state is null or d.state = p_filter.state)
					and (p_filter.lane is null or d.lane = p_filter.lane)
					and (p_filter.wiki is null or d.wiki = p_filter.wiki)
					and (p_filter.due_before is null or d.due_at < p_filter.due_before)
					and (p_filter.assigned is distinct from 'none'
						or not conduct_gate.is_assigned(d.case_id))
				order by d.rank, d.due_at, d.case_id limit p_limit) q
		order by q.rank, q.due_at, q.case_id limit p_limit;
end
$$;

-- Somebody of many bodies reads the whole queue in order and leaves out what is not theirs.
create or replace function conduct_api_1.queue_everything(p_bodies text[],
	p_filter conduct_api_1.queue_filter, p_rank integer, p_due timestamptz, p_case uuid, p_limit integer)
returns setof conduct_api_1.queue_row language plpgsql stable
as $$
begin
	return query
		select d.rank, d.due_at, d.case_id, d.body_id, d.stage, d.state from conduct.docket d
		where d.is_open and (d.rank, d.due_at, d.case_id) > (p_rank, p_due, p_case)
			and exists (select from unnest(p_bodies) b where b = d.body_id offset 0)
			and (p_filter.stage is null or d.stage = p_filter.stage)
			and (p_filter.state is null or d.state = p_filter.state)
			and (p_filter.lane is null or d.lane = p_filter.lane)
			and (p_filter.wiki is null or d.wiki = p_filter.wiki)
			and (p_filter.due_before is null or d.due_at < p_filter.due_before)
			and (p_filter.assigned is distinct from 'none' or not conduct_gate.is_assigned(d.case_id))
		order by d.rank, d.due_at, d.case_id limit p_limit;
end
$$;

-- What owes nothing any more: only where a filter names such a stage or state.
create or replace function conduct_api_1.queue_done(p_bodies text[], p_filter conduct_api_1.queue_filter,
	p_rank integer, p_due timestamptz, p_case uuid, p_limit integer)
returns setof conduct_api_1.queue_row language plpgsql stable
as $$
begin
	return query
		select q.rank, q.due_at, q.case_id, q.body_id, q.stage, q.state
		from unnest(p_bodies) b (body_id),
			lateral (select d.rank, d.due_at, d.case_id, d.body_id, d.stage, d.state from conduct.docket d
				where d.body_id = b.body_id and not d.is_open
					and (d.rank, d.due_at, d.case_id) > (p_rank, p_due, p_case)
					and (p_filter.stage is null or d.stage = p_filter.stage)
					and (p_filter.state is null or d.state = p_filter.state)
					and (p_filter.lane is null or d.lane = p_filter.lane)
					and (p_filter.wiki is null or d.wiki = p_filter.wiki)
					and (p_filter.due_before is null or d.due_at < p_filter.due_before)
					and (p_filter.assigned is distinct from 'none'
						or not conduct_gate.is_assigned(d.case_id))
				order by d.rank, d.due_at, d.case_id limit p_limit) q
		order by q.rank, q.due_at, q.case_id limit p_limit;
end
$$;

-- A few cases named by the filter: own assignments, or the cases of one respondent. Both show what is
-- decided, too.
create or replace function conduct_api_1.queue_named(p_cases uuid[], p_bodies text[],
	p_filter conduct_api_1.queue_filter, p_rank integer, p_due timestamptz, p_case uuid, p_limit integer)
returns setof conduct_api_1.queue_row language plpgsql stable
as $$
begin
	return query
		select d.rank, d.due_at, d.case_id, d.body_id, d.stage, d.state from conduct.docket d
		where d.case_id = any (p_cases) and d.body_id = any (p_bodies)
			and (d.rank, d.due_at, d.case_id) > (p_rank, p_due, p_case)
			and (p_filter.stage is null or d.stage = p_filter.stage)
			and (p_filter.state is null or d.state = p_filter.state)
			and (p_filter.lane is null or d.lane = p_filter.lane)
			and (p_filter.wiki is null or d.wiki = p_filter.wiki)
			and (p_filter.due_before is null or d.due_at < p_filter.due_before)
			and (p_filter.assigned is distinct from 'none' or not conduct_gate.is_assigned(d.case_id))
		order by d.rank, d.due_at, d.case_id limit p_limit;
end
$$;

create or replace function conduct_api_1.queue_page(p_bodies text[], p_filter conduct_api_1.queue_filter,
	p_after jsonb, p_limit integer)
returns setof conduct_api_1.queue_row language plpgsql stable
as $$
declare
	v_rank integer := coalesce((p_after ->> 0)::integer, -1);
	v_due timestamptz := coalesce((p_after ->> 1)::timestamptz, '-infinity');
	v_case uuid := coalesce((p_after ->> 2)::uuid, '00000000-0000-0000-0000-000000000000');
	v_bodies text[] := case when p_filter.body is null then p_bodies
		when p_filter.body = any (p_bodies) then array[p_filter.body] else '{}' end;
begin
	if p_filter.assigned = 'me' or p_filter.respondent is not null then
		return query select * from conduct_api_1.queue_named(
			conduct_gate.named_cases(case when p_filter.assigned = 'me' then conduct.actor_person() end,
				p_filter.respondent), v_bodies, p_filter, v_rank, v_due, v_case, p_limit);
	elsif p_filter.stage = 'closed'
		or exists (select from conduct.state s where s.state = p_filter.state and s.class <> 'open')
	then
		return query select * from conduct_api_1.queue_done(v_bodies, p_filter, v_rank, v_due, v_case,
			p_limit);
	elsif cardinality(v_bodies) <= 16 then
		return query select * from conduct_api_1.queue_own(v_bodies, p_filter, v_rank, v_due, v_case,
			p_limit);
	else
		return query select * from conduct_api_1.queue_everything(v_bodies, p_filter, v_rank, v_due, v_case,
			p_limit);
	end if;
end
$$;

create or replace function conduct_api_1.case_queue(p_account bytea, p_filter jsonb, p_after jsonb,
	p_limit integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
	v_bodies text[];
	v_filter conduct_api_1.queue_filter;
	v_items jsonb;
	v_next jsonb;
begin
	select array_agg(distinct b.body_id) into v_bodies from conduct_gate.bodies_of(v_person) b;
	if v_bodies is null then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	v_filter.stage := p_filter ->> 'stage';
	v_filter.state := p_filter ->> 'state';
	v_filter.lane := p_filter ->> 'lane';
	v_filter.wiki := p_filter ->> 'wiki';
	v_filter.body := p_filter ->> 'body';
	v_filter.assigned := p_filter ->> 'assigned';
	v_filter.due_before := (p_filter ->> 'due_before')::timestamptz;
	v_filter.respondent := decode(p_filter ->> 'respondent', 'hex');
	with page as (
		select q.*, row_number() over queue as nth,
			q.case_id is not distinct from lag(q.case_id) over queue as is_twin
		from conduct_api_1.queue_page(v_bodies, v_filter, p_after, p_limit + 1) q
		window queue as (order by q.rank, q.due_at, q.case_id, q.body_id))
	select coalesce(jsonb_agg(jsonb_build_object('id', f.case_id, 'kind', f.kind, 'stage', g.stage,
			'state', g.state, 'lane', f.lane, 'severity', f.severity, 'body', g.body_id, 'wiki', f.wiki,
			'revision', f.revision, 'privacy', f.privacy, 'due_at', conduct_api_1.time_text(g.due_at),
			'submitted_at', conduct_api_1.time_text(f.submitted_at)) order by g.nth)
			filter (where g.nth <= p_limit and not g.is_twin), '[]'),
		case when count(*) > p_limit then
			(select jsonb_build_array(l.rank, l.due_at, l.case_id) from page l where l.nth = p_limit) end
	into v_items, v_next
	from page g join conduct_gate.heads_of(array(select distinct p.case_id from page p)) f
		on f.case_id = g.case_id;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

reset role;
reset search_path;
