-- A report comes in: its case, its parties, its receipt and its intake, in one transaction. It never
-- raises, so that one refused report does not end the batch it came in.

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
	v_party.party_id := gen_random_uuid();
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

-- What is told: the case file, its words, parties, report, incidents and receipt, in one statement. Words
-- go to the unit they are erased with: what the reporter tells, who the reporter is, and the rest. After
-- the reporter come the targets, then the respondents; of a welfare case the people named are at risk,
-- nobody is accused.
create or replace function conduct_api_1.submit_told(p_case jsonb, p_plan conduct_api_1.report_plan,
	p_reporter conduct.party, p_receipt bytea, p_ids uuid[], p_kinds text[], p_words bytea[])
returns uuid language plpgsql volatile
as $$
declare
	v_units jsonb := p_case -> 'units';
	v_report uuid := (p_case ->> 'report')::uuid;
	v_told uuid[] := array[conduct_api_1.word_id(p_case -> 'details'),
		conduct_api_1.word_id(p_case -> 'harmed'), conduct_api_1.word_id(p_case -> 'extra')];
	v_own uuid[] := array[conduct_api_1.word_id(p_case -> 'contact'),
		conduct_api_1.word_id(p_case -> 'name')];
	-- Whom somebody else reports for is harmed, like any target.
	v_targets jsonb := coalesce(p_case -> 'targets', '[]')
		|| coalesce(jsonb_path_query_array(p_case, '$.filed_for'), '[]');
begin
	with a_unit as (
		insert into conduct.unit (unit_id, kind, made_at)
		select (v_units ->> u.kind)::uuid, u.kind, p_plan.submitted_at
		from unnest(array['report', 'case_file', 'identity']) u (kind)
		where u.kind <> 'identity' or p_ids && v_own),
	a_word as (
		insert into conduct.content (content_id, unit_id, kind, body)
		select w.id, (v_units ->> case when w.id = any (v_told) then 'report'
			when w.id = any (v_own) then 'identity' else 'case_file' end)::uuid, w.kind, w.body
		from unnest(p_ids, p_kinds, p_words) w (id, kind, body)),
	-- Submitting is the first moving act.
	a_case as (
		insert into conduct.case_file (case_id, unit_id, kind, revision, lane, privacy, severity, wiki, lang,
			profile, procedure_version, submitted_at)
		values (p_plan.case_id, (v_units ->> 'case_file')::uuid, p_plan.kind, 1, p_plan.lane, p_plan.privacy,
			p_plan.severity, p_plan.wiki, p_plan.lang, p_plan.profile, p_plan.procedure_version,
			p_plan.submitted_at)),
	a_party as (
		insert into conduct.party (party_id, case_id, seq, role, kind, identity, id_ix, name_ix, skeleton_ix,
			body_id, name_content, added_at, notified_at, withdrew_at)
		select (p_reporter).* union all
		select gen_random_uuid(), p_plan.case_id, 1 + y.nth, case when not y.is_respondent then 'target'
				when p_plan.kind = 'welfare' then 'person_at_risk' else 'respondent' end,
			case when y.is_self then p_reporter.kind when y.value ? 'user' then 'account'
				when y.value ? 'body' then 'body' when y.value ? 'url' then 'off_wiki' else 'unknown' end,
			case when y.is_self then p_reporter.identity else 'named' end,
			case when y.is_self then p_reporter.id_ix else decode(y.value ->> 'id_ix', 'hex') end,
			case when y.is_self then p_reporter.name_ix else decode(y.value ->> 'name_ix', 'hex') end,
			case when y.is_self then p_reporter.skeleton_ix else decode(y.value ->> 'skeleton_ix', 'hex') end,
			y.value ->> 'body',
			case when not y.is_self then conduct_api_1.word_id(coalesce(y.value -> 'user', y.value -> 'url',
					y.value -> 'unknown'))
				when p_reporter.identity = 'named' then p_reporter.name_content end,
			p_reporter.added_at, null, null
		from (select t.nth, t.value, t.nth > jsonb_array_length(v_targets) as is_respondent,
				coalesce((t.value ->> 'self')::boolean, false) as is_self
			from jsonb_array_elements(v_targets || coalesce(p_case -> 'respondents', '[]'))
				with ordinality t (value, nth)) y
		where not y.value ? 'body' or exists (select from conduct.body b where b.body_id = y.value ->> 'body')),
	a_report as (
		insert into conduct.report (report_id, case_id, unit_id, reporter_id, wiki, lang, lane, category,
			harm_type, minor_at_risk, about_functionary, publish_after, is_unverified, details_content,
			harmed_content, extra_content, contact_content, contain, policy_version, submitted_at)
		values (v_report, p_plan.case_id, (v_units ->> 'report')::uuid, p_reporter.party_id,
			p_plan.wiki, p_plan.lang, p_plan.lane, p_case ->> 'category', p_case ->> 'harm_type',
			coalesce((p_case ->> 'minor_at_risk')::boolean, false), coalesce(p_case ->> 'about_functionary', 'no'),
			coalesce((p_case ->> 'publish_after')::boolean, false),
			coalesce((p_case ->> 'unverified')::boolean, false), v_told[1], v_told[2], v_told[3], v_own[1],
			array(select c #>> '{}' from jsonb_array_elements(coalesce(p_case -> 'contain', '[]')) c
				where jsonb_typeof(c) = 'string'), p_plan.policy_version, p_plan.submitted_at)),
	an_incident as (
		insert into conduct.incident (incident_id, case_id, report_id, seq, venue, wiki, page_content,
			thread_content, url_content, revision, from_at, to_at)
		select gen_random_uuid(), p_plan.case_id, v_report, i.nth, coalesce(i.value ->> 'venue', 'on_wiki'),
			(select w.wiki from conduct.policy_wiki w where w.policy_version = p_plan.procedure_version
				and w.wiki = coalesce(i.value ->> 'wiki', case when coalesce(i.value ->> 'venue',
					'on_wiki') = 'on_wiki' then p_case ->> 'wiki' end)),
			conduct_api_1.word_id(i.value -> 'page'), conduct_api_1.word_id(i.value -> 'thread'),
			conduct_api_1.word_id(i.value -> 'url'), (i.value ->> 'revision')::bigint,
			(i.value ->> 'from')::timestamptz, (i.value ->> 'to')::timestamptz
		from jsonb_array_elements(case when jsonb_array_length(coalesce(p_case -> 'incidents', '[]')) > 0
				then p_case -> 'incidents'
				else jsonb_build_array(jsonb_build_object('wiki', p_case ->> 'wiki', 'venue',
					case when p_case ->> 'wiki' is null then 'off_wiki' else 'on_wiki' end)) end)
			with ordinality i (value, nth))
	insert into conduct.receipt (receipt_hash, case_id, party_id, made_at)
	values (p_receipt, p_plan.case_id, p_reporter.party_id, p_plan.submitted_at);
	return v_report;
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

-- The facts that decide where a report goes, as route_facts() reads them from its rows.
create or replace function conduct_api_1.submit_facts(p_case jsonb, p_plan conduct_api_1.report_plan)
returns jsonb language plpgsql stable
as $$
declare
	v_has_respondent boolean := p_plan.kind <> 'welfare' and (jsonb_path_exists(p_case,
		'$.respondents[*] ? (@.id_ix != null || @.name_ix != null)'));
begin
	-- The ordinary report: one wiki, and nobody but accounts of it.
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
	return conduct_api_1.route_facts();
end
$$;

-- The body that gets a report first. Of an ordinary report about one wiki the way begins at that wiki.
create or replace function conduct_api_1.submit_body(p_plan conduct_api_1.report_plan, p_facts jsonb)
returns text language plpgsql stable
as $$
declare
	v_body text;
begin
	if p_plan.lane = 'standard' and p_plan.kind = 'conduct' and p_plan.wiki is not null
		and not p_facts -> 'routes' ?| array['emergency', 'legal']
		and p_facts -> 'venues' = '["on_wiki"]' and jsonb_array_length(p_facts -> 'wikis') < 2
	then
		v_body := conduct_api_1.route_wiki(p_plan.place, p_facts);
	end if;
	return coalesce(v_body, conduct_api_1.route(p_facts));
end
$$;

-- What follows: the intake at the body that the routes name, its first event, limits, docket, outbox and
-- the answer to its key, in one statement; an external body gets it escalated in the same act.
create or replace function conduct_api_1.submit_intake(p_case jsonb, p_plan conduct_api_1.report_plan,
	p_report uuid, p_reporter uuid, p_scope bytea, p_sealed_receipt bytea)
returns jsonb language plpgsql volatile
as $$
declare
	v_act uuid := gen_random_uuid();
	v_id uuid := gen_random_uuid();
	v_facts jsonb := conduct_api_1.submit_facts(p_case, p_plan);
	v_body text := conduct_api_1.submit_body(p_plan, v_facts);
	v_is_escalated boolean;
	v_what text[];
	v_due timestamptz[];
	v_first integer;
	v_answer jsonb;
begin
	select p_plan.lane = 'emergency' or b.is_external into strict v_is_escalated
	from conduct.body b where b.body_id = v_body;
	v_what := array['acknowledge', case when v_is_escalated then 'hand_back' else 'claim' end];
	v_due := array[p_plan.submitted_at + (p_plan.procedure ->> case p_plan.lane when 'emergency'
			then 'acknowledge_emergency' else 'acknowledge' end)::bigint * interval '1 second',
		p_plan.submitted_at + (p_plan.procedure ->> v_what[2])::bigint * interval '1 second'];
	v_first := case when v_due[1] <= v_due[2] then 1 else 2 end;
	v_answer := jsonb_build_object('report', p_report,
		'state', case when v_is_escalated then 'escalated' else 'received' end, 'stage', 'report',
		'policy_version', p_plan.policy_version, 'procedure_version', p_plan.procedure_version,
		'lane', p_plan.lane, 'deadlines', jsonb_build_array(
			jsonb_build_object('what', v_what[v_first], 'at', conduct_api_1.time_text(v_due[v_first])),
			jsonb_build_object('what', v_what[3 - v_first], 'at', conduct_api_1.time_text(v_due[3 - v_first]))));
	with a_proceeding as (
		insert into conduct.proceeding (proceeding_id, case_id, kind, round, instance, body_id, opened_by,
			version, state, opened_at, state_at)
		values (v_id, p_plan.case_id, 'intake', 1, 1, v_body, 'submit', 1, 'received', p_plan.submitted_at,
			p_plan.submitted_at)),
	an_event as (
		insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
			needs_cause, case_id, act_id, revision, actor_party, at)
		values (v_id, 'intake', 1, 'new', 'submit', 'received', 'reporter', true, false, p_plan.case_id, v_act,
			1, p_reporter, p_plan.submitted_at)),
	a_deadline as (
		insert into conduct.deadline (deadline_id, case_id, proceeding_id, what, due_at)
		select gen_random_uuid(), p_plan.case_id, v_id, d.what, d.due from unnest(v_what, v_due) d (what, due)),
	a_docket as (
		insert into conduct.docket (case_id, body_id, rank, due_at, is_open, stage, state, lane, wiki)
		values (p_plan.case_id, v_body, case p_plan.lane when 'emergency' then 0 else 1 end,
			v_due[v_first], true, 'report', v_answer ->> 'state', p_plan.lane, p_plan.wiki)),
	a_notice as (
		insert into conduct.outbox (outbox_id, case_id, kind, facts, at)
		values (gen_random_uuid(), p_plan.case_id,
			case p_plan.lane when 'emergency' then 'emergency' else 'report_received' end,
			jsonb_build_object('report', p_report, 'body', v_body, 'lane', p_plan.lane),
			p_plan.submitted_at))
	update conduct.idempotency i set status = 201, answer = v_answer, case_id = p_plan.case_id,
		sealed_receipt = p_sealed_receipt
	where i.scope = p_scope;
	if v_is_escalated then
		perform conduct_api_1.move(v_act, v_id, 'escalate', p_role => 'system');
	end if;
	if v_facts -> 'routes' ? 'personal_data' or jsonb_array_length(coalesce(p_case -> 'contain', '[]')) > 0 then
		perform conduct_api_1.send('containment_asked', jsonb_build_object('body',
			p_plan.bodies ->> 'personal_data'));
	end if;
	if jsonb_array_length(coalesce(p_case -> 'exclude_handlers', '[]')) > 0 then
		perform conduct_api_1.submit_exclusions(p_case, v_id, v_body);
		perform conduct_api_1.refresh_docket();
	end if;
	return v_answer;
end
$$;

create or replace function conduct_api_1.submit_checked(p_account bytea, p_receipt bytea, p_scope bytea,
	p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[],
	p_now timestamptz)
returns jsonb language plpgsql volatile
as $$
declare
	v_plan conduct_api_1.report_plan := conduct_api_1.submit_plan(p_case, p_now);
	v_reporter conduct.party;
	v_report uuid;
	v_set text;
begin
	if v_plan.errors <> '[]' then
		perform conduct_api_1.refuse(422, 'conduct-invalid-body', jsonb_build_object('errors', v_plan.errors));
	end if;
	v_reporter := conduct_api_1.submit_reporter(p_case, p_account, v_plan);
	v_set := set_config('conduct.case_id', v_plan.case_id::text, true);
	v_set := set_config('conduct.actor', 'party:' || v_reporter.party_id, true);
	v_report := conduct_api_1.submit_told(p_case, v_plan, v_reporter, p_receipt, p_word_ids, p_word_kinds,
		p_words);
	return conduct_api_1.submit_intake(p_case, v_plan, v_report, v_reporter.party_id, p_scope,
		p_sealed_receipt);
end
$$;

-- The key's row goes first, then everything else: of equal calls at once one is stored.
create or replace function conduct_api_1.submit_report(p_account bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_key conduct.idempotency;
	v_is_claimed boolean := false;
	v_body jsonb;
	v_state text;
	v_text text;
	v_detail text;
begin
	v_key := conduct_api_1.claim_row(p_scope, p_mac, v_now);
	v_is_claimed := true;
	if v_key.scope is not null then
		return row(v_key.status, v_key.answer || jsonb_build_object('sealed_receipt',
			encode(v_key.sealed_receipt, 'hex')), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
	end if;
	v_body := conduct_api_1.submit_checked(p_account, p_receipt, p_scope, p_sealed_receipt, p_case,
		p_word_ids, p_word_kinds, p_words, v_now);
	-- A constraint that waits for COMMIT would take the whole batch with it.
	set constraints all immediate;
	set constraints all deferred;
	return row(201, v_body, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
exception when others then
	get stacked diagnostics v_state = returned_sqlstate, v_text = message_text, v_detail = pg_exception_detail;
	if v_state = '55P03' and not v_is_claimed then
		v_state := 'UC409';
		v_text := 'conduct-idempotency-running';
		v_detail := '{}';
	end if;
	if v_state like 'UC%' then
		return row(substr(v_state, 3)::integer, jsonb_build_object('errorKey', v_text,
			'params', v_detail::jsonb), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
	end if;
	if v_state in ('55P03', '40001', '40P01') then
		return row(503, '{"errorKey": "conduct-unavailable", "params": {}}'::jsonb, '{}'::uuid[],
			'{}'::bytea[])::conduct_api_1.answer;
	end if;
	-- The text of the error may hold what a person wrote: only its code is told.
	return row(500, jsonb_build_object('errorKey', 'conduct-internal', 'params',
		jsonb_build_object('sqlstate', v_state)), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
