-- The published policy: publishing a set in one transaction, reading sets, and what readiness needs to
-- know. C and SQL decide by the published set alone.

set role conduct_admin;

-- What the rules of a category come to: the highest severity, the strictest privacy, every route.
create or replace function conduct_api_1.category_sum(p_profile text, p_category text, out rules text[],
	out severity text, out privacy text, out is_emergency boolean, out routes jsonb, out sections jsonb)
language plpgsql stable
as $$
begin
	select coalesce(array_agg(r.rule), '{}'), max(r.severity_floor),
		(array_agg(r.privacy_floor order by array_position(array['restricted', 'handlers', 'parties'],
			r.privacy_floor)))[1],
		coalesce(bool_or(r.route = 'emergency'), false),
		coalesce(jsonb_agg(distinct r.route) filter (where r.route is not null), '[]'),
		coalesce(jsonb_agg(distinct r.section) filter (where r.section is not null), '[]')
	into rules, severity, privacy, is_emergency, routes, sections
	from conduct_api_1.category_rules(p_profile, p_category) r;
end
$$;

create or replace function conduct_api_1.publish_profiles(p_profiles jsonb) returns void
language plpgsql volatile
as $$
declare
	v_profile jsonb;
begin
	for v_profile in
		select x from jsonb_array_elements(p_profiles) x
		where not exists (select from conduct.profile r where r.profile = x ->> 'profile')
	loop
		insert into conduct.profile (profile, procedure, categories, sanctions, routes)
		values (v_profile ->> 'profile', v_profile -> 'procedure', v_profile -> 'categories',
			v_profile -> 'sanctions', coalesce(v_profile -> 'routes', '{}'));
		insert into conduct.profile_rule (profile, rule, section, kind, severity_floor, privacy_floor, route,
			allows_mediation)
		select v_profile ->> 'profile', r ->> 'id', r ->> 'section', r ->> 'kind', r ->> 'severity_floor',
			r ->> 'privacy_floor', r ->> 'route', coalesce((r ->> 'mediation')::boolean, true)
		from jsonb_array_elements(v_profile -> 'rules') r;
		insert into conduct.profile_category (profile, category, harm_type, rules, severity_floor,
			privacy_floor, is_emergency, routes, sections)
		select v_profile ->> 'profile', c ->> 'id', c ->> 'harm_type', s.*
		from jsonb_array_elements(v_profile -> 'categories') c,
			lateral conduct_api_1.category_sum(v_profile ->> 'profile', c ->> 'id') s
		on conflict (profile, category) do nothing;
	end loop;
end
$$;

create or replace function conduct_api_1.publish_bodies(p_version text, p_bodies jsonb) returns void
language plpgsql volatile
as $$
begin
	insert into conduct.body (body_id, kind, level, jurisdiction, role, high_level, is_external, decides,
		panel_size, quorum, accept_rule, decide_rule, up_body_id, appeal_body_id, alternates, policy_version)
	select b ->> 'id', b ->> 'kind', b ->> 'level', b ->> 'jurisdiction', b ->> 'role',
		(b ->> 'high_level')::boolean, coalesce((b ->> 'external')::boolean, false), b ->> 'decides',
		(b ->> 'panel_size')::integer, b -> 'quorum', b -> 'accept', b -> 'decide', b ->> 'up',
		b ->> 'appeal', coalesce(array(select jsonb_array_elements_text(b -> 'alternates')), '{}'), p_version
	from jsonb_array_elements(p_bodies) b
	on conflict (body_id) do update set kind = excluded.kind, level = excluded.level,
		jurisdiction = excluded.jurisdiction, role = excluded.role, high_level = excluded.high_level,
		is_external = excluded.is_external, decides = excluded.decides, panel_size = excluded.panel_size,
		quorum = excluded.quorum, accept_rule = excluded.accept_rule, decide_rule = excluded.decide_rule,
		up_body_id = excluded.up_body_id, appeal_body_id = excluded.appeal_body_id,
		alternates = excluded.alternates, policy_version = excluded.policy_version;
end
$$;

create or replace function conduct_api_1.publish_wikis(p_version text, p_wikis jsonb) returns void
language plpgsql volatile
as $$
begin
	insert into conduct.policy_wiki (policy_version, wiki, profile, lang, status, regions, group_id, body_id,
		appeal_body_id)
	select p_version, w ->> 'wiki', w ->> 'profile', w ->> 'lang', w ->> 'status',
		coalesce(array(select jsonb_array_elements_text(w -> 'regions')), '{}'), w ->> 'group',
		w ->> 'body', w ->> 'appeal_body'
	from jsonb_array_elements(p_wikis) w;
end
$$;

-- The same set again is no change. The same revision with another hash, or a lower revision, leaves the
-- published set in force and says so. p_effective is what the set means for every wiki.
create or replace function conduct_api_1.publish_policy(p_version text, p_revision integer,
	p_canonical text, p_effective jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_present conduct.policy_set;
	v_base text := p_effective ->> 'base_profile';
begin
	-- One publisher at a time: two workers of one deploy start together.
	perform pg_advisory_xact_lock(hashtextextended('conduct.policy_set', 0));
	select * into v_present from conduct.policy_set s order by s.revision desc limit 1;
	if v_present.policy_version = p_version and v_present.revision = p_revision then
		return conduct_api_1.answer(200, jsonb_build_object('version', p_version, 'revision', p_revision,
			'published', false));
	end if;
	if v_present.revision >= p_revision
		or exists (select from conduct.policy_set s where s.policy_version = p_version)
	then
		perform conduct_api_1.refuse(409, 'conduct-policy-revision', jsonb_build_object(
			'version', v_present.policy_version, 'revision', v_present.revision));
	end if;
	if encode(sha256(convert_to(p_canonical, 'UTF8')), 'hex') <> p_version then
		perform conduct_api_1.refuse_member('/version', 'is not the hash of the canonical form');
	end if;
	perform conduct_api_1.publish_profiles(p_effective -> 'profiles');
	-- A set that names no base profile: the one most wikis have.
	v_base := coalesce(v_base, (select w ->> 'profile' from jsonb_array_elements(p_effective -> 'wikis') w
		group by 1 order by count(*) desc, 1 limit 1), p_effective #>> '{profiles,0,profile}');
	insert into conduct.policy_set (policy_version, revision, canonical, routes, base_profile, published_at)
	values (p_version, p_revision, p_canonical, p_effective -> 'routes', v_base, conduct.clock());
	perform conduct_api_1.publish_bodies(p_version, p_effective -> 'bodies');
	perform conduct_api_1.publish_wikis(p_version, p_effective -> 'wikis');
	return conduct_api_1.answer(200, jsonb_build_object('version', p_version, 'revision', p_revision,
		'published', true));
end
$$;

reset role;
set role conduct_stats;

create or replace function conduct_api_1.policy_current()
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_set conduct.policy_set;
begin
	select * into v_set from conduct.policy_set s order by s.revision desc limit 1;
	if v_set.policy_version is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	-- With the mark of its index key, because whoever has another one must not take a report.
	return row(200, jsonb_build_object('version', v_set.policy_version, 'revision', v_set.revision,
		'canonical', v_set.canonical, 'index_mark', (select encode(i.mark, 'hex') from keyring.index_key i)),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.policy_versions()
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	return row(200, jsonb_build_object('items', coalesce((
		select jsonb_agg(jsonb_build_object('version', s.policy_version, 'revision', s.revision,
			'published_at', conduct_api_1.time_text(s.published_at)) order by s.revision desc)
		from conduct.policy_set s), '[]')), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.policy_version(p_version text)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_set conduct.policy_set;
begin
	select * into v_set from conduct.policy_set s where s.policy_version = p_version;
	if v_set.policy_version is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return row(200, jsonb_build_object('version', v_set.policy_version, 'revision', v_set.revision,
		'published_at', conduct_api_1.time_text(v_set.published_at), 'canonical', v_set.canonical),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- What /readyz says of the database: which deployment it is, triggers that session_replication_role could silence, a shifted
-- clock, the revision in force (null: none).
create or replace function conduct_api_1.readiness()
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	return row(200, jsonb_build_object(
		'triggers_off', coalesce((
			select jsonb_agg(c.relname || '.' || t.tgname order by c.relname, t.tgname)
			from pg_trigger t join pg_class c on c.oid = t.tgrelid
			where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace)
				and t.tgenabled <> 'A'), '[]'),
		'deployment', (select d.deployment_id from conduct.deployment d),
		'index_mark', (select encode(i.mark, 'hex') from keyring.index_key i),
		'clock_shift_seconds', extract(epoch from conduct.clock() - transaction_timestamp())::bigint,
		'policy_revision', (select max(s.revision) from conduct.policy_set s)),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
