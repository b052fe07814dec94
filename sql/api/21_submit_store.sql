-- Reports are stored: case, parties, receipt and intake of each. One goes the same way as a batch, which
-- is stored by the same few statements, so that what a statement costs is paid once.

set role conduct_intake;

do $$
begin
	if to_regtype('conduct_api_1.submission') is null then
		create type conduct_api_1.submission as (nth bigint, scope bytea, mac bytea, receipt bytea,
			sealed_receipt bytea, args jsonb, word_ids uuid[], word_kinds text[], words bytea[],
			plan conduct_api_1.report_plan, reporter conduct.party, report_id uuid, told uuid[], own uuid[],
			act_id uuid, proceeding_id uuid, facts jsonb, body_id text, is_escalated boolean, what text[],
			due timestamptz[], answer jsonb);
	end if;
end
$$;

-- A report as it will be stored, with what is wrong with it in plan.errors.
create or replace function conduct_api_1.submit_make(p_account bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[], p_now timestamptz)
returns conduct_api_1.submission language plpgsql volatile
as $$
declare
	v_one conduct_api_1.submission;
begin
	v_one.scope := p_scope;
	v_one.mac := p_mac;
	v_one.receipt := p_receipt;
	v_one.sealed_receipt := p_sealed_receipt;
	v_one.args := p_case;
	v_one.word_ids := p_word_ids;
	v_one.word_kinds := p_word_kinds;
	v_one.words := p_words;
	v_one.plan := conduct_api_1.submit_plan(p_case, p_now);
	v_one.reporter := conduct_api_1.submit_reporter(p_case, p_account, v_one.plan);
	v_one.report_id := (p_case ->> 'report')::uuid;
	v_one.told := array[conduct_api_1.word_id(p_case -> 'details'),
		conduct_api_1.word_id(p_case -> 'harmed'), conduct_api_1.word_id(p_case -> 'extra')];
	v_one.own := array[conduct_api_1.word_id(p_case -> 'contact'),
		conduct_api_1.word_id(p_case -> 'name')];
	v_one.act_id := gen_random_uuid();
	v_one.proceeding_id := gen_random_uuid();
	return v_one;
end
$$;

-- What is told: case files, their words, parties, reports, incidents and receipts, in one statement. Words
-- go to the unit they are erased with: what the reporter tells, who the reporter is, and the rest. After
-- the reporter come the targets, then the respondents; of a welfare case the people named are at risk,
-- nobody is accused.
create or replace function conduct_api_1.submit_told(p_all conduct_api_1.submission[]) returns void
language plpgsql volatile
as $$
begin
	with s as materialized (
		select s.receipt, s.args, s.word_ids, s.word_kinds, s.words, s.report_id, s.told, s.own, s.reporter,
			s.args -> 'units' as units, (s.plan).case_id, (s.plan).kind, (s.plan).lane, (s.plan).privacy,
			(s.plan).severity, (s.plan).wiki, (s.plan).lang, (s.plan).profile, (s.plan).procedure_version,
			(s.plan).policy_version, (s.plan).submitted_at
		from unnest(p_all) s),
	a_unit as (
		insert into conduct.unit (unit_id, kind, made_at)
		select (s.units ->> u.kind)::uuid, u.kind, s.submitted_at
		from s, unnest(array['report', 'case_file', 'identity']) u (kind)
		where u.kind <> 'identity' or s.word_ids && s.own),
	a_word as (
		insert into conduct.content (content_id, unit_id, kind, body)
		-- Why somebody is kept out is the only reason that a report gives.
		select w.id, (s.units ->> case when w.id = any (s.told) or w.kind = 'reason' then 'report'
			when w.id = any (s.own) then 'identity' else 'case_file' end)::uuid, w.kind, w.body
		from s, unnest(s.word_ids, s.word_kinds, s.words) w (id, kind, body) where w.kind not like '$%'),
	-- The keys of these units, as store_words() reads them.
	a_stanza as (
		insert into keyring.stanza (unit_id, generation, kind, party_id, key_id, blob)
		select w.id, conduct_api_1.u32(w.body, case w.kind when '$vault' then 0 else 16 end),
			case w.kind when '$vault' then 'vault' else 'channel' end,
			case when w.kind = '$receipt' then encode(substr(w.body, 1, 16), 'hex')::uuid end,
			case when w.kind = '$vault' then conduct_api_1.u32(w.body, 4) end,
			substr(w.body, case w.kind when '$vault' then 9 else 21 end)
		from s, unnest(s.word_ids, s.word_kinds, s.words) w (id, kind, body) where w.kind like '$%'),
	-- Submitting is the first moving act.
	a_case as (
		insert into conduct.case_file (case_id, unit_id, kind, revision, lane, privacy, severity, wiki, lang,
			profile, procedure_version, submitted_at)
		select s.case_id, (s.units ->> 'case_file')::uuid, s.kind, 1, s.lane, s.privacy, s.severity, s.wiki,
			s.lang, s.profile, s.procedure_version, s.submitted_at
		from s),
	a_party as (
		insert into conduct.party (party_id, case_id, seq, role, kind, identity, id_ix, name_ix, skeleton_ix,
			body_id, name_content, added_at, notified_at, withdrew_at)
		select (s.reporter).* from s union all
		select gen_random_uuid(), y.case_id, 1 + y.nth, case when not y.is_respondent then 'target'
				when y.kind = 'welfare' then 'person_at_risk' else 'respondent' end,
			case when y.is_self then (y.reporter).kind when y.value ? 'user' then 'account'
				when y.value ? 'body' then 'body' when y.value ? 'url' then 'off_wiki' else 'unknown' end,
			case when y.is_self then (y.reporter).identity else 'named' end,
			case when y.is_self then (y.reporter).id_ix else decode(y.value ->> 'id_ix', 'hex') end,
			case when y.is_self then (y.reporter).name_ix else decode(y.value ->> 'name_ix', 'hex') end,
			case when y.is_self then (y.reporter).skeleton_ix
				else decode(y.value ->> 'skeleton_ix', 'hex') end,
			y.value ->> 'body',
			case when not y.is_self then conduct_api_1.word_id(coalesce(y.value -> 'user', y.value -> 'url',
					y.value -> 'unknown'))
				when (y.reporter).identity = 'named' then (y.reporter).name_content end,
			y.submitted_at, null, null
		-- Whom somebody else reports for is harmed, like any target.
		from (select s.case_id, s.kind, s.reporter, s.submitted_at, t.nth, t.value,
				t.nth > jsonb_array_length(l.targets) as is_respondent,
				coalesce((t.value ->> 'self')::boolean, false) as is_self
			from s, lateral (select coalesce(s.args -> 'targets', '[]')
					|| coalesce(jsonb_path_query_array(s.args, '$.filed_for'), '[]') as targets offset 0) l,
				jsonb_array_elements(l.targets || coalesce(s.args -> 'respondents', '[]'))
					with ordinality t (value, nth)) y
		where not y.value ? 'body' or exists (select from conduct.body b where b.body_id = y.value ->> 'body')),
	a_report as (
		insert into conduct.report (report_id, case_id, unit_id, reporter_id, wiki, lang, lane, category,
			harm_type, minor_at_risk, about_functionary, publish_after, is_unverified, details_content,
			harmed_content, extra_content, contact_content, contain, policy_version, submitted_at)
		select s.report_id, s.case_id, (s.units ->> 'report')::uuid, (s.reporter).party_id,
			s.wiki, s.lang, s.lane, s.args ->> 'category', s.args ->> 'harm_type',
			coalesce((s.args ->> 'minor_at_risk')::boolean, false),
			coalesce(s.args ->> 'about_functionary', 'no'),
			coalesce((s.args ->> 'publish_after')::boolean, false),
			coalesce((s.args ->> 'unverified')::boolean, false), s.told[1], s.told[2], s.told[3], s.own[1],
			array(select c #>> '{}' from jsonb_array_elements(coalesce(s.args -> 'contain', '[]')) c
				where jsonb_typeof(c) = 'string'), s.policy_version, s.submitted_at
		from s),
	an_incident as (
		insert into conduct.incident (incident_id, case_id, report_id, seq, venue, wiki, page_content,
			thread_content, url_content, revision_content, from_at, to_at)
		select gen_random_uuid(), s.case_id, s.report_id, i.nth, coalesce(i.value ->> 'venue', 'on_wiki'),
			case when i.wiki = s.wiki then s.wiki else (select w.wiki from conduct.policy_wiki w
				where w.policy_version = s.procedure_version and w.wiki = i.wiki) end,
			conduct_api_1.word_id(i.value -> 'page'), conduct_api_1.word_id(i.value -> 'thread'),
			conduct_api_1.word_id(i.value -> 'url'), conduct_api_1.word_id(i.value -> 'revision'),
			(i.value ->> 'from')::timestamptz, (i.value ->> 'to')::timestamptz
		from s, lateral (
			select j.value, j.nth, coalesce(j.value ->> 'wiki', case when coalesce(j.value ->> 'venue',
				'on_wiki') = 'on_wiki' then s.args ->> 'wiki' end) as wiki
			from jsonb_array_elements(case when jsonb_array_length(coalesce(s.args -> 'incidents', '[]')) > 0
				then s.args -> 'incidents'
				else jsonb_build_array(jsonb_build_object('wiki', s.args ->> 'wiki', 'venue',
					case when s.args ->> 'wiki' is null then 'off_wiki' else 'on_wiki' end)) end)
			with ordinality j (value, nth)) i)
	insert into conduct.receipt (receipt_hash, case_id, party_id, made_at)
	select s.receipt, s.case_id, (s.reporter).party_id, s.submitted_at from s;
end
$$;

-- Which reports go to the body of their wiki, as route_wiki() has it: nobody means a functionary, and the body
-- is competent. That is asked once for all reports that go the same way; {case: body}.
create or replace function conduct_api_1.submit_local_bodies(p_all conduct_api_1.submission[]) returns jsonb
language plpgsql stable
as $$
declare
	v_way record;
	v_bodies jsonb := '{}';
begin
	for v_way in
		select b.body_id, conduct_api_1.members_needed(b, w.is_severe) as needed, w.cases
		from (select ((s.plan).place).body_id, (s.plan).severity >= 'S3' as is_severe,
				array_agg((s.plan).case_id) as cases
			from unnest(p_all) s
			where ((s.plan).place).status = 'open' and conduct_api_1.submit_is_local(s.plan, s.facts)
				and s.facts ->> 'about_functionary' = 'no' and (s.facts ->> 'has_respondent')::boolean
				and not s.facts -> 'accused_bodies' ? ((s.plan).place).body_id
			group by 1, 2) w
		join conduct.body b on b.body_id = w.body_id
	loop
		v_bodies := v_bodies || coalesce((select jsonb_object_agg(c.case_id, v_way.body_id)
			from unnest(conduct_gate.cases_with_members(v_way.body_id, v_way.cases, v_way.needed))
				c (case_id)), '{}');
	end loop;
	return v_bodies;
end
$$;

-- Where a report goes, unless that is known, and by when it is acted on, with the answer to its reporter.
create or replace function conduct_api_1.submit_route(p_one conduct_api_1.submission)
returns conduct_api_1.submission language plpgsql volatile
as $$
declare
	v_one conduct_api_1.submission := p_one;
	v_plan conduct_api_1.report_plan := p_one.plan;
	v_first integer;
begin
	v_one.body_id := coalesce(v_one.body_id, conduct_api_1.submit_body(v_plan, v_one.facts));
	select v_plan.lane = 'emergency' or b.is_external into strict v_one.is_escalated
	from conduct.body b where b.body_id = v_one.body_id;
	v_one.what := array['acknowledge', case when v_one.is_escalated then 'hand_back' else 'claim' end];
	v_one.due := array[v_plan.submitted_at + (v_plan.procedure ->> case v_plan.lane when 'emergency'
			then 'acknowledge_emergency' else 'acknowledge' end)::bigint * interval '1 second',
		v_plan.submitted_at + (v_plan.procedure ->> v_one.what[2])::bigint * interval '1 second'];
	v_first := case when v_one.due[1] <= v_one.due[2] then 1 else 2 end;
	v_one.answer := jsonb_build_object('report', v_one.report_id,
		'state', case when v_one.is_escalated then 'escalated' else 'received' end, 'stage', 'report',
		'policy_version', v_plan.policy_version, 'procedure_version', v_plan.procedure_version,
		'lane', v_plan.lane, 'deadlines', jsonb_build_array(
			jsonb_build_object('what', v_one.what[v_first],
				'at', conduct_api_1.time_text(v_one.due[v_first])),
			jsonb_build_object('what', v_one.what[3 - v_first],
				'at', conduct_api_1.time_text(v_one.due[3 - v_first]))));
	return v_one;
end
$$;

-- What follows: each intake at the body that the routes name, its first event, limits, docket, outbox and
-- the answer to its key, in one statement.
create or replace function conduct_api_1.submit_intake(p_all conduct_api_1.submission[]) returns void
language plpgsql volatile
as $$
begin
	with s as materialized (
		select s.scope, s.sealed_receipt, s.report_id, (s.reporter).party_id, s.act_id, s.proceeding_id,
			s.body_id, s.what, s.due, s.answer, (s.plan).case_id, (s.plan).lane, (s.plan).wiki,
			(s.plan).submitted_at
		from unnest(p_all) s),
	a_proceeding as (
		insert into conduct.proceeding (proceeding_id, case_id, kind, round, instance, body_id, opened_by,
			version, state, opened_at, state_at)
		select s.proceeding_id, s.case_id, 'intake', 1, 1, s.body_id, 'submit', 1, 'received',
			s.submitted_at, s.submitted_at
		from s),
	an_event as (
		insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
			needs_cause, case_id, act_id, revision, actor_party, at)
		select s.proceeding_id, 'intake', 1, 'new', 'submit', 'received', 'reporter', true, false, s.case_id,
			s.act_id, 1, s.party_id, s.submitted_at
		from s),
	a_deadline as (
		insert into conduct.deadline (deadline_id, case_id, proceeding_id, what, due_at)
		select gen_random_uuid(), s.case_id, s.proceeding_id, d.what, d.due
		from s, unnest(s.what, s.due) d (what, due)),
	a_docket as (
		insert into conduct.docket (case_id, body_id, rank, due_at, is_open, stage, state, lane, wiki)
		select s.case_id, s.body_id, case s.lane when 'emergency' then 0 else 1 end,
			least(s.due[1], s.due[2]), true, 'report', s.answer ->> 'state', s.lane, s.wiki
		from s),
	a_notice as (
		insert into conduct.outbox (outbox_id, case_id, kind, facts, at)
		select gen_random_uuid(), s.case_id,
			case s.lane when 'emergency' then 'emergency' else 'report_received' end,
			jsonb_build_object('report', s.report_id, 'body', s.body_id, 'lane', s.lane), s.submitted_at
		from s)
	update conduct.idempotency i set status = 201, answer = s.answer, case_id = s.case_id,
		sealed_receipt = s.sealed_receipt
	from s where i.scope = s.scope;
end
$$;

-- From here on the transaction is about this one report.
create or replace function conduct_api_1.submit_open(p_one conduct_api_1.submission) returns void
language plpgsql volatile
as $$
begin
	perform set_config('conduct.case_id', ((p_one.plan).case_id)::text, true),
		set_config('conduct.actor', 'party:' || (p_one.reporter).party_id, true);
end
$$;

-- What only some reports bring with them: an external body gets it escalated in the same act, measures are
-- asked for, handlers are out.
create or replace function conduct_api_1.submit_after(p_one conduct_api_1.submission) returns void
language plpgsql volatile
as $$
declare
	v_excludes boolean := jsonb_array_length(coalesce(p_one.args -> 'exclude_handlers', '[]')) > 0;
	v_contains boolean := p_one.facts -> 'routes' ? 'personal_data'
		or jsonb_array_length(coalesce(p_one.args -> 'contain', '[]')) > 0;
begin
	if not p_one.is_escalated and not v_excludes and not v_contains then
		return;
	end if;
	perform conduct_api_1.submit_open(p_one);
	if p_one.is_escalated then
		perform conduct_api_1.move(p_one.act_id, p_one.proceeding_id, 'escalate', p_role => 'system');
	end if;
	if v_contains then
		perform conduct_api_1.send('containment_asked', jsonb_build_object('body',
			(p_one.plan).bodies ->> 'personal_data'));
	end if;
	if v_excludes then
		perform conduct_api_1.submit_exclusions(p_one.args, p_one.proceeding_id, p_one.body_id);
		perform conduct_api_1.refresh_docket();
	end if;
end
$$;

-- Stores reports whose keys are claimed and which nothing is wrong with; returns them with their answers.
create or replace function conduct_api_1.submit_store(p_all conduct_api_1.submission[])
returns conduct_api_1.submission[] language plpgsql volatile
as $$
declare
	v_all conduct_api_1.submission[] := '{}';
	v_cases text := (select string_agg(((s.plan).case_id)::text, ',') from unnest(p_all) s);
	v_bodies jsonb;
	v_one conduct_api_1.submission;
begin
	perform set_config('conduct.case_id', v_cases, true);
	perform conduct_api_1.submit_told(p_all);
	foreach v_one in array p_all loop
		v_one.facts := conduct_api_1.submit_facts(v_one.args, v_one.plan);
		if v_one.facts is null then
			perform conduct_api_1.submit_open(v_one);
			v_one.facts := conduct_api_1.route_facts();
		end if;
		v_all := v_all || v_one;
	end loop;
	v_bodies := conduct_api_1.submit_local_bodies(v_all);
	for i in 1 .. cardinality(v_all) loop
		v_one := v_all[i];
		v_one.body_id := v_bodies ->> ((v_one.plan).case_id)::text;
		if v_one.body_id is null then
			perform conduct_api_1.submit_open(v_one);
		end if;
		v_all[i] := conduct_api_1.submit_route(v_one);
	end loop;
	perform set_config('conduct.case_id', v_cases, true);
	perform conduct_api_1.submit_intake(v_all);
	for i in 1 .. cardinality(v_all) loop
		perform conduct_api_1.submit_after(v_all[i]);
	end loop;
	return v_all;
end
$$;

-- Both functions that follow join a few reports to large tables, and their plans are kept: one made while the
-- tables were small would read them whole, so every join is by index.

-- One report, alone in its transaction. It never raises: what is wrong is its answer. The key's row goes
-- first, then everything else: of equal calls at once one is stored.
create or replace function conduct_api_1.submit_report(p_account bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_case jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
	v_now timestamptz := conduct.clock();
	v_key conduct.idempotency;
	v_is_claimed boolean := false;
	v_one conduct_api_1.submission;
	v_all conduct_api_1.submission[];
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
	v_one := conduct_api_1.submit_make(p_account, p_receipt, p_scope, p_mac, p_sealed_receipt, p_case,
		p_word_ids, p_word_kinds, p_words, v_now);
	if (v_one.plan).errors <> '[]' then
		perform conduct_api_1.refuse(422, 'conduct-invalid-body',
			jsonb_build_object('errors', (v_one.plan).errors));
	end if;
	v_all := conduct_api_1.submit_store(array[v_one]);
	-- A constraint that waits for COMMIT would take with it whatever else the transaction holds.
	set constraints all immediate;
	set constraints all deferred;
	return row(201, (v_all[1]).answer, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
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

-- A batch: one answer a report, in the order given, which is that of the keys. No answer (null): this one
-- goes alone, because its key is known or something is wrong with it. Whatever fails here fails for all,
-- and then all go alone: no report is refused for its neighbour.
create or replace function conduct_api_1.submit_reports(p_accounts bytea[], p_receipts bytea[],
	p_scopes bytea[], p_macs bytea[], p_sealed_receipts bytea[], p_cases text[], p_word_ids text[],
	p_word_kinds text[], p_words text[])
returns setof conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
	v_now timestamptz := conduct.clock();
	v_call record;
	v_one conduct_api_1.submission;
	v_all conduct_api_1.submission[] := '{}';
	v_scopes bytea[] := '{}';
	v_answers jsonb[] := array_fill(null::jsonb, array[cardinality(p_scopes)]);
begin
	for v_call in
		select r.*, r.nth = min(r.nth) over (partition by r.scope) as is_first
		from unnest(p_accounts, p_receipts, p_scopes, p_macs, p_sealed_receipts, p_cases, p_word_ids,
			p_word_kinds, p_words) with ordinality
			as r (account, receipt, scope, mac, sealed_receipt, args, word_ids, word_kinds, words, nth)
		where r.scope is not null order by r.nth
	loop
		continue when not v_call.is_first;
		v_one := conduct_api_1.submit_make(v_call.account, v_call.receipt, v_call.scope, v_call.mac,
			v_call.sealed_receipt, v_call.args::jsonb, v_call.word_ids::uuid[], v_call.word_kinds::text[],
			v_call.words::bytea[], v_now);
		v_one.nth := v_call.nth;
		if (v_one.plan).errors is null or (v_one.plan).errors = '[]' then
			v_all := v_all || v_one;
		end if;
	end loop;
	with claimed as (
		insert into conduct.idempotency (scope, body_mac, status, answer, at)
		select s.scope, s.mac, 0, '{}', v_now from unnest(v_all) s
		on conflict (scope) do nothing returning scope)
	select coalesce(array_agg(c.scope), '{}') into v_scopes from claimed c;
	if cardinality(v_scopes) < cardinality(v_all) then
		v_all := array(select s from unnest(v_all) s where s.scope = any (v_scopes));
	end if;
	if cardinality(v_all) > 0 then
		v_all := conduct_api_1.submit_store(v_all);
	end if;
	foreach v_one in array v_all loop
		v_answers[v_one.nth] := v_one.answer;
	end loop;
	return query
		select case when a.answer is not null then 201 end, a.answer, '{}'::uuid[], '{}'::bytea[]
		from unnest(v_answers) with ordinality a (answer, nth) order by a.nth;
end
$$;

reset role;
