-- Jurisdiction (domain.md, section 4): which body gets a case first. One function over facts; the facts
-- come from the rows of the opened case, or from whoever asks what would happen.

-- The member of an argument that names a word: its id stands there, alone or as {"$word": id}.
create or replace function conduct_api_1.word_id(p_member jsonb) returns uuid
language sql immutable
as $$
	select case jsonb_typeof(p_member) when 'string' then (p_member #>> '{}')::uuid
		when 'object' then (p_member ->> '$word')::uuid end
$$;

create or replace function conduct_api_1.present_policy() returns text
language plpgsql stable
as $$
begin
	return (select s.policy_version from conduct.policy_set s order by s.revision desc limit 1);
end
$$;

-- The version in force at a time; before the first set: that set.
create or replace function conduct_api_1.policy_at(p_at timestamptz) returns text
language plpgsql stable
as $$
begin
	return coalesce(
		(select s.policy_version from conduct.policy_set s
			where s.published_at <= p_at order by s.revision desc limit 1),
		(select s.policy_version from conduct.policy_set s order by s.revision limit 1));
end
$$;

-- The rules of a profile's category, with what they say of lanes and floors.
create or replace function conduct_api_1.category_rules(p_profile text, p_category text)
returns setof conduct.profile_rule language plpgsql stable rows 4
as $$
begin
	return query
		select r.* from conduct.profile f
		cross join jsonb_array_elements(f.categories) c
		cross join jsonb_array_elements_text(c -> 'rules') rule_id
		join conduct.profile_rule r on r.profile = f.profile and r.rule = rule_id
		where f.profile = p_profile and c ->> 'id' = p_category;
end
$$;

-- How many members a panel of the body needs to be able to act.
create or replace function conduct_api_1.members_needed(p_body conduct.body, p_is_severe boolean)
returns integer language plpgsql immutable
as $$
begin
	return case when not p_is_severe then 1
		when p_body.quorum ->> 'rule' = 'fixed' then (p_body.quorum ->> 'n')::integer
		else p_body.panel_size / 2 + 1 end;
end
$$;

-- A body exists where enough eligible people are active; it is competent where it is not itself accused,
-- and where, if a member is, five members and the quorum are left.
create or replace function conduct_api_1.is_competent(p_body conduct.body, p_facts jsonb) returns boolean
language plpgsql stable
as $$
declare
	v_case uuid := (p_facts ->> 'case')::uuid;
	v_is_accused boolean;
begin
	if p_facts -> 'accused_bodies' ? p_body.body_id then
		return false;
	end if;
	v_is_accused := v_case is not null and conduct_gate.has_accused_member(v_case, p_body.body_id);
	return conduct_gate.has_members(p_body.body_id, v_case,
			conduct_api_1.members_needed(p_body, v_is_accused or p_facts ->> 'severity' >= 'S3'))
		and (not v_is_accused or conduct_gate.has_members(p_body.body_id, null, 5));
end
$$;

-- Up the chain from a body until one is competent; null when none is.
create or replace function conduct_api_1.route_from(p_body conduct.body, p_facts jsonb) returns text
language plpgsql stable
as $$
declare
	v_body conduct.body := p_body;
begin
	for i in 1 .. 8 loop
		exit when v_body.body_id is null;
		if conduct_api_1.is_competent(v_body, p_facts) then
			return v_body.body_id;
		end if;
		select * into v_body from conduct.body b where b.body_id = v_body.up_body_id;
	end loop;
	return null;
end
$$;

create or replace function conduct_api_1.route_up(p_body text, p_facts jsonb) returns text
language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	select * into v_body from conduct.body b where b.body_id = p_body;
	return conduct_api_1.route_from(v_body, p_facts);
end
$$;

-- Of one wiki: its body, one level up where a functionary may be meant, else up the chain.
create or replace function conduct_api_1.route_wiki(p_wiki conduct.policy_wiki, p_facts jsonb)
returns text language plpgsql stable
as $$
declare
	v_body conduct.body;
	v_start text := p_wiki.body_id;
begin
	-- The nearest ancestor that owns a body.
	if v_start is null then
		select b.body_id into v_start from conduct.body b
		where b.jurisdiction = 'group:' || p_wiki.group_id
			or b.jurisdiction = any (select 'region:' || r from unnest(p_wiki.regions) r)
		order by b.level, b.body_id limit 1;
	end if;
	select * into v_body from conduct.body b where b.body_id = v_start;
	-- Closed, private and fishbowl wikis have no local body.
	while v_body.level = 'wiki' and p_wiki.status <> 'open' loop
		select * into v_body from conduct.body b where b.body_id = v_body.up_body_id;
	end loop;
	if v_body.body_id is null then
		return null;
	end if;
	if v_body.up_body_id is not null and (p_facts ->> 'about_functionary' in ('yes', 'unsure')
		or (not (p_facts ->> 'has_respondent')::boolean
			and not conduct_gate.has_members(v_body.body_id, null, 5)))
	then
		return conduct_api_1.route_up(v_body.up_body_id, p_facts);
	end if;
	return conduct_api_1.route_from(v_body, p_facts);
end
$$;

-- Off wiki: the local committee, where there is one.
create or replace function conduct_api_1.route_committee(p_wiki conduct.policy_wiki, p_facts jsonb)
returns text language plpgsql stable
as $$
declare
	v_body conduct.body;
begin
	for v_body in
		select b.* from conduct.body b
		where b.kind in ('arbcom', 'shared_arbcom') and p_wiki.status = 'open'
			and b.body_id in (p_wiki.body_id, p_wiki.appeal_body_id)
		order by b.body_id
	loop
		if conduct_api_1.is_competent(v_body, p_facts) then
			return v_body.body_id;
		end if;
	end loop;
	return null;
end
$$;

-- p_facts: {case, kind, lane, wiki, profile, category, severity, routes: [routes of the category's
-- rules], sections, venues, wikis, about_functionary, has_respondent, accused_bodies, ordinary: true to
-- leave the special lanes out}.
create or replace function conduct_api_1.route(p_facts jsonb) returns text
language plpgsql stable
as $$
declare
	v_routes jsonb := (select f.routes from conduct.profile f where f.profile = p_facts ->> 'profile');
	v_wiki conduct.policy_wiki;
	v_is_ordinary boolean := coalesce((p_facts ->> 'ordinary')::boolean, false);
	v_venues jsonb := coalesce(p_facts -> 'venues', '[]');
	v_default text := v_routes ->> 'default';
	v_body text;
begin
	if not v_is_ordinary and (p_facts ->> 'lane' = 'emergency' or p_facts -> 'routes' ? 'emergency') then
		return v_routes ->> 'emergency';
	end if;
	if not v_is_ordinary and p_facts -> 'routes' ? 'legal' then
		return v_routes ->> 'legal';
	end if;
	select * into v_wiki from conduct.policy_wiki w
	where w.wiki = p_facts ->> 'wiki' and w.policy_version = conduct_api_1.present_policy();
	v_body := case
		when p_facts ->> 'kind' = 'systemic' then coalesce(v_routes ->> 'systemic', v_default)
		when v_venues ? 'technical_space' then v_routes ->> 'technical_space'
		when v_venues ? 'event' then v_routes ->> 'event'
		when jsonb_array_length(coalesce(p_facts -> 'wikis', '[]')) >= 2 then v_routes ->> 'multi_wiki' end;
	if v_body is not null then
		return coalesce(conduct_api_1.route_up(v_body, p_facts), v_default);
	end if;
	if (v_venues <> '[]' and v_venues <@ '["off_wiki"]') or v_wiki.wiki is null then
		return coalesce(conduct_api_1.route_committee(v_wiki, p_facts),
			conduct_api_1.route_up(coalesce(v_routes ->> 'off_wiki', v_default), p_facts), v_default);
	end if;
	v_body := conduct_api_1.route_wiki(v_wiki, p_facts);
	-- Light abuse of content has stewards to turn to where no body is nearer.
	if v_body is null and p_facts ->> 'severity' < 'S3' and p_facts -> 'sections' = '["3.3"]' then
		select conduct_api_1.route_up(b.body_id, p_facts) into v_body from conduct.body b
		where b.kind = 'stewards' order by b.body_id limit 1;
	end if;
	return coalesce(v_body, conduct_api_1.route_up(v_default, p_facts), v_default);
end
$$;

-- The facts of the opened case.
create or replace function conduct_api_1.route_facts(p_is_ordinary boolean default false) returns jsonb
language plpgsql stable
as $$
declare
	v_case conduct.case_file;
	v_report conduct.report;
begin
	select * into strict v_case from conduct.case_file f where f.case_id = conduct.opened_case();
	select * into strict v_report from conduct.report r where r.case_id = v_case.case_id
	order by r.submitted_at, r.report_id limit 1;
	return (select jsonb_build_object('case', v_case.case_id, 'kind', v_case.kind, 'lane', v_case.lane,
			'wiki', v_case.wiki, 'profile', v_case.profile, 'category', v_report.category,
			'severity', v_case.severity, 'about_functionary', v_report.about_functionary,
			'routes', coalesce(c.routes, '[]'), 'sections', coalesce(c.sections, '[]'))
		from (values (true)) one left join conduct.profile_category c
			on c.profile = v_case.profile and c.category = v_report.category)
		|| (select jsonb_build_object(
				'venues', coalesce(jsonb_agg(distinct i.venue) filter (where i.venue is not null), '[]'),
				'wikis', coalesce(jsonb_agg(distinct i.wiki) filter (where i.wiki is not null), '[]'))
			from conduct.incident i where i.case_id = v_case.case_id)
		|| (select jsonb_build_object(
				'has_respondent', coalesce(bool_or(num_nonnulls(y.id_ix, y.name_ix, y.body_id) > 0), false),
				'accused_bodies', coalesce(jsonb_agg(y.body_id) filter (where y.body_id is not null), '[]'))
			from conduct.party y where y.case_id = v_case.case_id and y.role = 'respondent')
		|| jsonb_build_object('ordinary', p_is_ordinary);
end
$$;

set role conduct_intake;

-- What would be decided for such facts, for the operator who sets up bodies and routes.
create or replace function conduct_api_1.route_show(p_args jsonb)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_wiki conduct.policy_wiki;
	v_profile text;
	v_facts jsonb;
begin
	select * into v_wiki from conduct.policy_wiki w
	where w.wiki = p_args ->> 'wiki' and w.policy_version = conduct_api_1.present_policy();
	v_profile := coalesce(v_wiki.profile, (select s.base_profile from conduct.policy_set s
		where s.policy_version = conduct_api_1.present_policy()));
	v_facts := jsonb_build_object('lane', 'standard', 'kind', 'conduct', 'severity', 'S1', 'routes', '[]'::jsonb,
		'sections', '[]'::jsonb, 'venues', '["on_wiki"]'::jsonb, 'wikis', '[]'::jsonb, 'about_functionary', 'no',
		'has_respondent', true, 'accused_bodies', '[]'::jsonb, 'profile', v_profile)
		|| (p_args - 'case' - 'profile');
	return row(200, jsonb_build_object('body', conduct_api_1.route(v_facts), 'facts', v_facts),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
