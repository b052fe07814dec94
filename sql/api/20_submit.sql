-- What a report that comes in means: what the published policy makes of it, who its reporter is, where it
-- goes. The next file stores it.

set role conduct_intake;

do $$
begin
	if to_regtype('conduct_api_1.report_plan') is null then
		create type conduct_api_1.report_plan as (case_id uuid, kind text, lane text, privacy text,
			severity text, place conduct.policy_wiki, wiki text, lang text, profile text, category text, rules text[],
			is_emergency boolean, routes jsonb, sections jsonb, bodies jsonb, procedure jsonb,
			procedure_version text, published_at timestamptz, policy_version text,
			submitted_at timestamptz, errors jsonb);
	end if;
end
$$;

-- The stricter of two levels of privacy.
create or replace function conduct_api_1.stricter(p_one text, p_other text) returns text
language plpgsql immutable
as $$
declare
	v_levels text[] := array['parties', 'handlers', 'restricted'];
begin
	return v_levels[greatest(array_position(v_levels, p_one), array_position(v_levels, p_other), 1)];
end
$$;

-- What is wrong with a report, as the published policy has it. An emergency is never refused: what is
-- unknown there is dropped.
create or replace function conduct_api_1.submit_errors(p_case jsonb, p_plan conduct_api_1.report_plan)
returns jsonb language plpgsql stable
as $$
declare
	v_errors jsonb := '[]';
	v_may_lack_wiki boolean := coalesce((
		select bool_and(i ->> 'venue' in ('off_wiki', 'event', 'technical_space', 'private_message'))
		from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) i), false);
begin
	if p_case ->> 'wiki' is null and not v_may_lack_wiki then
		v_errors := v_errors || '[{"pointer": "/wiki", "detail": "is missing"}]';
	elsif p_case ->> 'wiki' is not null and p_plan.wiki is null then
		v_errors := v_errors || '[{"pointer": "/wiki", "detail": "unknown"}]';
	end if;
	if p_plan.category is null then
		v_errors := v_errors || '[{"pointer": "/category", "detail": "is not offered there"}]';
	end if;
	return v_errors || coalesce((
		select jsonb_agg(jsonb_build_object('pointer', '/incidents/' || i.nth - 1 || '/wiki',
			'detail', 'unknown') order by i.nth)
		from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) with ordinality i (value, nth)
		where i.value ->> 'wiki' is not null and not exists (select from conduct.policy_wiki w
			where w.policy_version = p_plan.procedure_version and w.wiki = i.value ->> 'wiki')), '[]')
		|| coalesce((
		select jsonb_agg(jsonb_build_object('pointer', '/respondents/' || y.nth - 1 || '/body',
			'detail', 'unknown') order by y.nth)
		from jsonb_array_elements(coalesce(p_case -> 'respondents', '[]')) with ordinality y (value, nth)
		where y.value ? 'body' and not exists (select from conduct.body b
			where b.body_id = y.value ->> 'body')), '[]');
end
$$;

-- What the published policy makes of a report: lane, kind, severity, privacy, and what is wrong with it.
create or replace function conduct_api_1.submit_plan(p_case jsonb, p_now timestamptz)
returns conduct_api_1.report_plan language plpgsql volatile
as $$
declare
	v_plan conduct_api_1.report_plan;
	v_harm text;
	v_names_body boolean := jsonb_path_exists(p_case, '$.respondents[*].body');
begin
	select w, w.wiki, w.lang, f.profile, s.policy_version, f.procedure, f.routes, c.category,
		c.harm_type, c.rules, c.severity_floor, c.privacy_floor, c.is_emergency, c.routes, c.sections,
		s.published_at
	into v_plan.place, v_plan.wiki, v_plan.lang, v_plan.profile, v_plan.procedure_version, v_plan.procedure,
		v_plan.bodies, v_plan.category, v_harm, v_plan.rules, v_plan.severity, v_plan.privacy,
		v_plan.is_emergency, v_plan.routes, v_plan.sections, v_plan.published_at
	from (select * from conduct.policy_set order by revision desc limit 1) s
	left join conduct.policy_wiki w on w.policy_version = s.policy_version and w.wiki = p_case ->> 'wiki'
	join conduct.profile f on f.profile = coalesce(w.profile, s.base_profile)
	left join conduct.profile_category c on c.profile = f.profile and c.category = p_case ->> 'category';
	if v_plan.procedure_version is null then
		perform conduct_api_1.refuse(503, 'conduct-unavailable');
	end if;
	v_harm := coalesce(p_case ->> 'harm_type', v_harm);
	v_plan.lane := case when p_case ->> 'lane' = 'emergency' or v_harm is not null
		or coalesce((p_case ->> 'minor_at_risk')::boolean, false) or v_plan.is_emergency
		then 'emergency' else 'standard' end;
	if v_plan.lane = 'standard' and (v_plan.wiki is null or v_plan.category is null or v_names_body
		or jsonb_path_exists(p_case, '$.incidents[*].wiki ? (@ != $wiki)',
			jsonb_build_object('wiki', v_plan.wiki)))
	then
		v_plan.errors := conduct_api_1.submit_errors(p_case, v_plan);
	end if;
	v_plan.kind := case when v_harm = 'self_harm' then 'welfare'
		when v_plan.rules = array['procedure/sanction-breach'] then 'sanction_breach' else 'conduct' end;
	if v_names_body and v_plan.kind <> 'welfare' and exists (
		select from jsonb_array_elements(p_case -> 'respondents') y
		join conduct.body b on b.body_id = y ->> 'body')
	then
		v_plan.kind := 'systemic';
	end if;
	v_plan.severity := case v_plan.lane when 'emergency' then 'S4' else coalesce(v_plan.severity, 'S1') end;
	v_plan.privacy := case v_plan.lane when 'emergency' then 'restricted'
		else conduct_api_1.stricter(v_plan.privacy, coalesce(p_case ->> 'privacy', 'handlers')) end;
	v_plan.lang := coalesce(p_case ->> 'lang', v_plan.lang, 'en');
	v_plan.case_id := (p_case ->> 'case')::uuid;
	v_plan.submitted_at := p_now;
	-- Its policy is that of the time when what it tells of ended.
	v_plan.policy_version := v_plan.procedure_version;
	if v_plan.published_at > p_now
		or jsonb_path_exists(p_case, '$.incidents[*].keyvalue() ? (@.key == "from" || @.key == "to")')
	then
		v_plan.policy_version := conduct_api_1.policy_at(coalesce((
			select max(coalesce((i ->> 'to')::timestamptz, (i ->> 'from')::timestamptz))
			from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) i), p_now));
	end if;
	return v_plan;
end
$$;

create or replace function conduct_api_1.submit_reporter(p_case jsonb, p_account bytea,
	p_plan conduct_api_1.report_plan)
returns conduct.party language plpgsql stable
as $$
declare
	v_party conduct.party;
	v_account conduct.person_account;
begin
	-- Made by who sealed the stanza of this party's receipt.
	v_party.party_id := (p_case ->> 'reporter')::uuid;
	v_party.case_id := p_plan.case_id;
	v_party.seq := 1;
	v_party.role := 'reporter';
	v_party.identity := case when p_account is null then 'anonymous'
		else coalesce(p_case ->> 'identity', 'sealed') end;
	v_party.kind := case v_party.identity when 'anonymous' then 'anonymous' else 'account' end;
	v_party.name_content := conduct_api_1.word_id(p_case -> 'name');
	v_party.added_at := p_plan.submitted_at;
	if v_party.identity <> 'anonymous' then
		v_account := conduct_gate.account_of(p_account);
		v_party.id_ix := p_account;
		v_party.name_ix := v_account.name_ix;
		v_party.skeleton_ix := v_account.skeleton_ix;
		if v_party.identity = 'named' then
			v_party.name_content := coalesce(v_party.name_content, v_account.name_content);
		end if;
	end if;
	return v_party;
end
$$;

-- Handlers the reporter names are out at once, the first named first, up to a share of the body's members;
-- the others stay in until somebody neutral has ruled. The share of 33 percent is a third, so that one of
-- three counts.
create or replace function conduct_api_1.submit_exclusions(p_case jsonb, p_intake uuid, p_body text)
returns void language plpgsql volatile
as $$
declare
	v_item jsonb;
	v_name_ix bytea;
	v_principal uuid;
	v_left integer;
	v_is_member boolean;
	v_is_pending boolean := false;
begin
	if jsonb_array_length(coalesce(p_case -> 'exclude_handlers', '[]')) = 0 then
		return;
	end if;
	v_left := ((select count(*) from conduct_gate.active_members(p_body, null, null)) + 1)
		* conduct_api_1.procedure_number('exclude_share_percent') / 100;
	for v_item in
		select named.x from (
			select distinct on (x ->> 'name_ix') x, nth
			from jsonb_array_elements(coalesce(p_case -> 'exclude_handlers', '[]')) with ordinality l (x, nth)
			where x ? 'name_ix' order by x ->> 'name_ix', nth) named
		order by named.nth
	loop
		v_name_ix := decode(v_item ->> 'name_ix', 'hex');
		v_principal := conduct_gate.principal_by_name(v_name_ix);
		v_is_member := exists (select from conduct_gate.active_members(p_body, null, null) m
			where m.principal_id = v_principal);
		insert into conduct.recusal (recusal_id, case_id, principal_id, name_ix, extent, source, standing,
			reason_content, id_ix, name_content, at)
		values (gen_random_uuid(), conduct.opened_case(), v_principal, v_name_ix, 'full', 'named',
			case when v_is_member and v_left <= 0 then 'pending' else 'in_force' end,
			conduct_api_1.word_id(v_item -> 'reason'), decode(v_item ->> 'id_ix', 'hex'),
			conduct_api_1.word_id(v_item -> 'user'), conduct.clock());
		v_is_pending := v_is_pending or (v_is_member and v_left <= 0);
		if v_is_member then
			v_left := v_left - 1;
		end if;
	end loop;
	if v_is_pending then
		perform conduct_api_1.set_deadline(p_intake, 'rule_on_conflict',
			conduct.clock() + conduct_api_1.limit_of('rule_on_conflict'));
	end if;
end
$$;

-- The facts that decide where an ordinary report goes, as route_facts() reads them from its rows: one about
-- one wiki, and nobody but accounts of it. Null: this is none.
create or replace function conduct_api_1.submit_facts(p_case jsonb, p_plan conduct_api_1.report_plan)
returns jsonb language plpgsql stable
as $$
declare
	v_has_respondent boolean := p_plan.kind <> 'welfare' and (jsonb_path_exists(p_case,
		'$.respondents[*] ? (@.id_ix != null || @.name_ix != null)'));
begin
	if p_plan.kind = 'conduct' and p_plan.wiki is not null and not jsonb_path_exists(p_case,
		'$.incidents[*] ? (@.venue != "on_wiki" || @.wiki != $wiki)', jsonb_build_object('wiki', p_plan.wiki))
	then
		return jsonb_build_object('case', p_plan.case_id, 'kind', p_plan.kind, 'lane', p_plan.lane,
			'wiki', p_plan.wiki, 'profile', p_plan.profile, 'category', p_plan.category,
			'severity', p_plan.severity, 'about_functionary', coalesce(p_case ->> 'about_functionary', 'no'),
			'routes', coalesce(p_plan.routes, '[]'), 'sections', coalesce(p_plan.sections, '[]'),
			'venues', '["on_wiki"]'::jsonb, 'wikis', jsonb_build_array(p_plan.wiki),
			'has_respondent', v_has_respondent, 'accused_bodies', '[]'::jsonb, 'ordinary', false);
	end if;
	return null;
end
$$;

-- Whether the way of a report begins at its wiki: it is an ordinary one about that wiki alone.
create or replace function conduct_api_1.submit_is_local(p_plan conduct_api_1.report_plan, p_facts jsonb)
returns boolean language plpgsql immutable
as $$
begin
	return p_plan.lane = 'standard' and p_plan.kind = 'conduct' and p_plan.wiki is not null
		and not p_facts -> 'routes' ?| array['emergency', 'legal']
		and p_facts -> 'venues' = '["on_wiki"]' and jsonb_array_length(p_facts -> 'wikis') < 2;
end
$$;

-- The body that gets a report first.
create or replace function conduct_api_1.submit_body(p_plan conduct_api_1.report_plan, p_facts jsonb)
returns text language plpgsql stable
as $$
declare
	v_body text;
begin
	if conduct_api_1.submit_is_local(p_plan, p_facts) then
		v_body := conduct_api_1.route_wiki(p_plan.place, p_facts);
	end if;
	return coalesce(v_body, conduct_api_1.route(p_facts));
end
$$;

reset role;
