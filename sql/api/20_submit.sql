-- A report comes in: its case, its parties, its receipt and its intake, in one transaction. It never
-- raises, so that one refused report does not end the batch it came in.

set role conduct_intake;

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
create or replace function conduct_api_1.submit_errors(p_case jsonb, p_profile text, p_has_wiki boolean)
returns jsonb language plpgsql stable
as $$
declare
	v_present text := conduct_api_1.present_policy();
	v_errors jsonb := '[]';
	v_may_lack_wiki boolean := coalesce((
		select bool_and(i ->> 'venue' in ('off_wiki', 'event', 'technical_space', 'private_message'))
		from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) i), false);
begin
	if p_case ->> 'wiki' is null and not v_may_lack_wiki then
		v_errors := v_errors || '[{"pointer": "/wiki", "detail": "is missing"}]';
	elsif p_case ->> 'wiki' is not null and not p_has_wiki then
		v_errors := v_errors || '[{"pointer": "/wiki", "detail": "unknown"}]';
	end if;
	if not exists (
		select from conduct.profile f, jsonb_array_elements(f.categories) c
		where f.profile = p_profile and c ->> 'id' = p_case ->> 'category')
	then
		v_errors := v_errors || '[{"pointer": "/category", "detail": "is not offered there"}]';
	end if;
	return v_errors || coalesce((
		select jsonb_agg(jsonb_build_object('pointer', '/incidents/' || i.nth - 1 || '/wiki',
			'detail', 'unknown') order by i.nth)
		from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) with ordinality i (value, nth)
		where i.value ->> 'wiki' is not null and not exists (select from conduct.policy_wiki w
			where w.policy_version = v_present and w.wiki = i.value ->> 'wiki')), '[]')
		|| coalesce((
		select jsonb_agg(jsonb_build_object('pointer', '/respondents/' || y.nth - 1 || '/body',
			'detail', 'unknown') order by y.nth)
		from jsonb_array_elements(coalesce(p_case -> 'respondents', '[]')) with ordinality y (value, nth)
		where y.value ? 'body' and not exists (select from conduct.body b
			where b.body_id = y.value ->> 'body')), '[]');
end
$$;

-- The case file a report opens: lane, kind, severity, privacy, profile.
create or replace function conduct_api_1.submit_plan(p_case jsonb) returns conduct.case_file
language plpgsql volatile
as $$
declare
	v_case conduct.case_file;
	v_wiki conduct.policy_wiki;
	v_present text := conduct_api_1.present_policy();
	v_harm text;
	v_rules text[];
	v_floor record;
	v_errors jsonb;
begin
	if v_present is null then
		perform conduct_api_1.refuse(503, 'conduct-unavailable');
	end if;
	select * into v_wiki from conduct.policy_wiki w
	where w.policy_version = v_present and w.wiki = p_case ->> 'wiki';
	v_case.wiki := v_wiki.wiki;
	v_case.profile := coalesce(v_wiki.profile, (select s.base_profile from conduct.policy_set s
		where s.policy_version = v_present));
	select coalesce(p_case ->> 'harm_type', (select c ->> 'harm_type' from conduct.profile f,
		jsonb_array_elements(f.categories) c
		where f.profile = v_case.profile and c ->> 'id' = p_case ->> 'category')) into v_harm;
	select max(r.severity_floor) as severity, bool_or(r.route = 'emergency') as is_emergency,
		(array_agg(r.privacy_floor order by array_position(array['restricted', 'handlers', 'parties'],
			r.privacy_floor)))[1] as privacy
	into v_floor from conduct_api_1.category_rules(v_case.profile, p_case ->> 'category') r;
	v_case.lane := case when p_case ->> 'lane' = 'emergency' or v_harm is not null
		or coalesce((p_case ->> 'minor_at_risk')::boolean, false) or v_floor.is_emergency
		then 'emergency' else 'standard' end;
	if v_case.lane = 'standard' then
		v_errors := conduct_api_1.submit_errors(p_case, v_case.profile, v_wiki.wiki is not null);
		if v_errors <> '[]' then
			perform conduct_api_1.refuse(422, 'conduct-invalid-body', jsonb_build_object('errors', v_errors));
		end if;
	end if;
	v_rules := array(select r.rule
		from conduct_api_1.category_rules(v_case.profile, p_case ->> 'category') r);
	v_case.case_id := (p_case ->> 'case')::uuid;
	v_case.unit_id := (p_case #>> '{units,case_file}')::uuid;
	v_case.kind := case when v_harm = 'self_harm' then 'welfare'
		when exists (select from jsonb_array_elements(p_case -> 'respondents') y
			join conduct.body b on b.body_id = y ->> 'body') then 'systemic'
		when v_rules = array['procedure/sanction-breach'] then 'sanction_breach' else 'conduct' end;
	v_case.severity := case v_case.lane when 'emergency' then 'S4' else coalesce(v_floor.severity, 'S1') end;
	v_case.privacy := case v_case.lane when 'emergency' then 'restricted'
		else conduct_api_1.stricter(v_floor.privacy, coalesce(p_case ->> 'privacy', 'handlers')) end;
	v_case.lang := coalesce(p_case ->> 'lang', v_wiki.lang, 'en');
	v_case.procedure_version := v_present;
	v_case.submitted_at := conduct.clock();
	return v_case;
end
$$;

-- Words go to the unit they are erased with: what the reporter tells, who the reporter is, and the rest.
create or replace function conduct_api_1.submit_words(p_case jsonb, p_ids uuid[], p_kinds text[],
	p_words bytea[])
returns void language plpgsql volatile
as $$
declare
	v_now timestamptz := conduct.clock();
	v_told uuid[] := array[conduct_api_1.word_id(p_case -> 'details'),
		conduct_api_1.word_id(p_case -> 'harmed'), conduct_api_1.word_id(p_case -> 'extra')];
	v_own uuid[] := array[conduct_api_1.word_id(p_case -> 'contact'),
		conduct_api_1.word_id(p_case -> 'name')];
begin
	insert into conduct.unit (unit_id, kind, made_at)
	values ((p_case #>> '{units,report}')::uuid, 'report', v_now),
		((p_case #>> '{units,case_file}')::uuid, 'case_file', v_now);
	if exists (select from unnest(v_own) o where o = any (p_ids)) then
		insert into conduct.unit (unit_id, kind, made_at)
		values ((p_case #>> '{units,identity}')::uuid, 'identity', v_now);
	end if;
	insert into conduct.content (content_id, unit_id, kind, body)
	select w.id, (p_case -> 'units' ->> case when w.id = any (v_told) then 'report'
		when w.id = any (v_own) then 'identity' else 'case_file' end)::uuid, w.kind, w.body
	from unnest(p_ids, p_kinds, p_words) w (id, kind, body);
end
$$;

-- Reporter, targets, respondents. Of a welfare case the people named are at risk, nobody is accused.
create or replace function conduct_api_1.submit_parties(p_case jsonb, p_account bytea, p_kind text)
returns uuid language plpgsql volatile
as $$
declare
	v_case uuid := conduct.opened_case();
	v_now timestamptz := conduct.clock();
	v_reporter uuid := gen_random_uuid();
	v_identity text := case when p_account is null then 'anonymous'
		else coalesce(p_case ->> 'identity', 'sealed') end;
	v_account conduct.person_account := conduct_gate.account_of(
		case when v_identity <> 'anonymous' then p_account end);
begin
	insert into conduct.party (party_id, case_id, seq, role, kind, identity, id_ix, name_ix, skeleton_ix,
		name_content, added_at)
	values (v_reporter, v_case, 1, 'reporter',
		case v_identity when 'anonymous' then 'anonymous' else 'account' end, v_identity,
		case when v_identity <> 'anonymous' then p_account end, v_account.name_ix, v_account.skeleton_ix,
		coalesce(conduct_api_1.word_id(p_case -> 'name'),
			case v_identity when 'named' then v_account.name_content end), v_now);
	insert into conduct.party (party_id, case_id, seq, role, kind, identity, id_ix, name_ix, skeleton_ix,
		body_id, name_content, added_at)
	select gen_random_uuid(), v_case, 1 + row_number() over (order by y.is_respondent, y.nth),
		case when not y.is_respondent then 'target' when p_kind = 'welfare' then 'person_at_risk'
			else 'respondent' end,
		case when y.is_self then r.kind when y.value ? 'user' then 'account' when y.value ? 'body' then 'body'
			when y.value ? 'url' then 'off_wiki' else 'unknown' end,
		case when y.is_self then r.identity else 'named' end,
		case when y.is_self then r.id_ix else decode(y.value ->> 'id_ix', 'hex') end,
		case when y.is_self then r.name_ix else decode(y.value ->> 'name_ix', 'hex') end,
		case when y.is_self then r.skeleton_ix else decode(y.value ->> 'skeleton_ix', 'hex') end,
		(select b.body_id from conduct.body b where b.body_id = y.value ->> 'body'),
		case when y.is_self then case r.identity when 'named' then r.name_content end
			else conduct_api_1.word_id(coalesce(y.value -> 'user',
				y.value -> 'url', y.value -> 'unknown')) end, v_now
	from (
		select false as is_respondent, t.nth, t.value, coalesce((t.value ->> 'self')::boolean, false) as is_self
		from jsonb_array_elements(coalesce(p_case -> 'targets', '[]')
			-- Whom somebody else reports for is harmed, like any target.
			|| coalesce(jsonb_path_query_array(p_case, '$.filed_for'), '[]')) with ordinality t (value, nth)
		union all
		select true, t.nth, t.value, false
		from jsonb_array_elements(coalesce(p_case -> 'respondents', '[]')) with ordinality t (value, nth)) y
	join conduct.party r on r.party_id = v_reporter
	where not y.value ? 'body' or exists (select from conduct.body b where b.body_id = y.value ->> 'body');
	return v_reporter;
end
$$;

create or replace function conduct_api_1.submit_incidents(p_case jsonb, p_report uuid) returns void
language plpgsql volatile
as $$
begin
	insert into conduct.incident (incident_id, case_id, report_id, seq, venue, wiki, page_content,
		thread_content, url_content, revision, from_at, to_at)
	select gen_random_uuid(), conduct.opened_case(), p_report, i.nth, coalesce(i.value ->> 'venue', 'on_wiki'),
		w.wiki, conduct_api_1.word_id(i.value -> 'page'), conduct_api_1.word_id(i.value -> 'thread'),
		conduct_api_1.word_id(i.value -> 'url'), (i.value ->> 'revision')::bigint,
		(i.value ->> 'from')::timestamptz, (i.value ->> 'to')::timestamptz
	from jsonb_array_elements(case when jsonb_array_length(coalesce(p_case -> 'incidents', '[]')) > 0
			then p_case -> 'incidents'
			else jsonb_build_array(jsonb_build_object('wiki', p_case ->> 'wiki', 'venue',
				case when p_case ->> 'wiki' is null then 'off_wiki' else 'on_wiki' end)) end)
		with ordinality i (value, nth)
	left join conduct.policy_wiki w on w.policy_version = conduct_api_1.present_policy()
		and w.wiki = coalesce(i.value ->> 'wiki',
			case when coalesce(i.value ->> 'venue', 'on_wiki') = 'on_wiki' then p_case ->> 'wiki' end);
end
$$;

-- The report itself and its receipt. Its policy is that of the time when what it tells of ended.
create or replace function conduct_api_1.submit_row(p_case jsonb, p_plan conduct.case_file,
	p_reporter uuid, p_receipt bytea)
returns text language plpgsql volatile
as $$
declare
	v_version text := conduct_api_1.policy_at(coalesce((
		select max(coalesce((i ->> 'to')::timestamptz, (i ->> 'from')::timestamptz))
		from jsonb_array_elements(coalesce(p_case -> 'incidents', '[]')) i), p_plan.submitted_at));
begin
	insert into conduct.report (report_id, case_id, unit_id, reporter_id, wiki, lang, lane, category,
		harm_type, minor_at_risk, about_functionary, publish_after, is_unverified, details_content,
		harmed_content, extra_content, contact_content, contain, policy_version, submitted_at)
	values ((p_case ->> 'report')::uuid, p_plan.case_id, (p_case #>> '{units,report}')::uuid, p_reporter,
		p_plan.wiki, p_plan.lang, p_plan.lane, p_case ->> 'category', p_case ->> 'harm_type',
		coalesce((p_case ->> 'minor_at_risk')::boolean, false), coalesce(p_case ->> 'about_functionary', 'no'),
		coalesce((p_case ->> 'publish_after')::boolean, false),
		coalesce((p_case ->> 'unverified')::boolean, false), conduct_api_1.word_id(p_case -> 'details'),
		conduct_api_1.word_id(p_case -> 'harmed'), conduct_api_1.word_id(p_case -> 'extra'),
		conduct_api_1.word_id(p_case -> 'contact'),
		array(select c #>> '{}' from jsonb_array_elements(coalesce(p_case -> 'contain', '[]')) c
			where jsonb_typeof(c) = 'string'), v_version, p_plan.submitted_at);
	perform conduct_api_1.submit_incidents(p_case, (p_case ->> 'report')::uuid);
	insert into conduct.receipt (receipt_hash, case_id, party_id, made_at)
	values (p_receipt, p_plan.case_id, p_reporter, p_plan.submitted_at);
	return v_version;
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
			reason_content, at)
		values (gen_random_uuid(), conduct.opened_case(), v_principal, v_name_ix, 'full', 'named',
			case when v_is_member and v_left <= 0 then 'pending' else 'in_force' end,
			conduct_api_1.word_id(v_item -> 'reason'), conduct.clock());
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

-- Opens the intake at the body that the routes name; an external one gets it escalated in the same act.
create or replace function conduct_api_1.submit_intake(p_case jsonb, p_plan conduct.case_file)
returns conduct.proceeding language plpgsql volatile
as $$
declare
	v_act uuid := gen_random_uuid();
	v_row conduct.proceeding;
	v_body conduct.body;
	v_facts jsonb := conduct_api_1.route_facts();
	v_now timestamptz := p_plan.submitted_at;
begin
	select * into strict v_body from conduct.body b where b.body_id = conduct_api_1.route(v_facts);
	v_row.kind := 'intake';
	v_row.round := 1;
	v_row.instance := 1;
	v_row.body_id := v_body.body_id;
	v_row.proceeding_id := conduct_api_1.open_proceeding(v_act, v_row, 'submit', 'received', 'reporter');
	if p_plan.lane = 'emergency' or v_body.is_external then
		perform conduct_api_1.move(v_act, v_row.proceeding_id, 'escalate', p_role => 'system');
		perform conduct_api_1.set_deadline(v_row.proceeding_id, 'acknowledge', v_now + conduct_api_1.limit_of(
			case p_plan.lane when 'emergency' then 'acknowledge_emergency' else 'acknowledge' end));
		perform conduct_api_1.set_deadline(v_row.proceeding_id, 'hand_back',
			v_now + conduct_api_1.limit_of('hand_back'));
	else
		perform conduct_api_1.set_deadline(v_row.proceeding_id, 'acknowledge',
			v_now + conduct_api_1.limit_of('acknowledge'));
		perform conduct_api_1.set_deadline(v_row.proceeding_id, 'claim',
			v_now + conduct_api_1.limit_of('claim'));
	end if;
	perform conduct_api_1.send(case p_plan.lane when 'emergency' then 'emergency' else 'report_received' end,
		jsonb_build_object('report', p_case ->> 'report', 'body', v_body.body_id, 'lane', p_plan.lane));
	if v_facts -> 'routes' ? 'personal_data' or jsonb_array_length(coalesce(p_case -> 'contain', '[]')) > 0 then
		perform conduct_api_1.send('containment_asked', jsonb_build_object('body',
			(select f.routes ->> 'personal_data' from conduct.profile f where f.profile = p_plan.profile)));
	end if;
	select * into strict v_row from conduct.proceeding p where p.proceeding_id = v_row.proceeding_id;
	return v_row;
end
$$;

create or replace function conduct_api_1.submit_checked(p_account bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_plan conduct.case_file;
	v_reporter uuid;
	v_version text;
	v_intake conduct.proceeding;
	v_body jsonb;
begin
	if v_key.scope is not null then
		return row(v_key.status, v_key.answer || jsonb_build_object('sealed_receipt',
			encode(v_key.sealed_receipt, 'hex')), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
	end if;
	v_plan := conduct_api_1.submit_plan(p_case);
	perform set_config('conduct.case_id', v_plan.case_id::text, true);
	perform conduct_api_1.submit_words(p_case, p_word_ids, p_word_kinds, p_words);
	insert into conduct.case_file (case_id, unit_id, kind, lane, privacy, severity, wiki, lang, profile,
		procedure_version, submitted_at)
	values (v_plan.case_id, v_plan.unit_id, v_plan.kind, v_plan.lane, v_plan.privacy, v_plan.severity,
		v_plan.wiki, v_plan.lang, v_plan.profile, v_plan.procedure_version, v_plan.submitted_at);
	v_reporter := conduct_api_1.submit_parties(p_case, p_account, v_plan.kind);
	perform set_config('conduct.actor', 'party:' || v_reporter, true);
	v_version := conduct_api_1.submit_row(p_case, v_plan, v_reporter, p_receipt);
	v_intake := conduct_api_1.submit_intake(p_case, v_plan);
	perform conduct_api_1.submit_exclusions(p_case, v_intake.proceeding_id, v_intake.body_id);
	perform conduct_api_1.refresh_docket();
	v_body := jsonb_build_object('report', p_case ->> 'report', 'state', v_intake.state, 'stage', 'report',
		'policy_version', v_version, 'procedure_version', v_plan.procedure_version, 'lane', v_plan.lane,
		'deadlines', (select coalesce(jsonb_agg(jsonb_build_object('what', d.what,
				'at', conduct_api_1.time_text(d.due_at)) order by d.due_at, d.what), '[]')
			from conduct.deadline d where d.case_id = v_plan.case_id and d.what <> 'rule_on_conflict'));
	perform conduct_api_1.finish_key(p_scope, 201, v_body, v_plan.case_id, p_sealed_receipt);
	return row(201, v_body, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.submit_report(p_account bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_answer conduct_api_1.answer;
	v_state text;
	v_key text;
	v_detail text;
begin
	v_answer := conduct_api_1.submit_checked(p_account, p_receipt, p_scope, p_mac, p_sealed_receipt, p_case,
		p_word_ids, p_word_kinds, p_words);
	-- A constraint that waits for COMMIT would take the whole batch with it.
	set constraints all immediate;
	set constraints all deferred;
	return v_answer;
exception when others then
	get stacked diagnostics v_state = returned_sqlstate, v_key = message_text, v_detail = pg_exception_detail;
	if v_state like 'UC%' then
		return row(substr(v_state, 3)::integer, jsonb_build_object('errorKey', v_key,
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
