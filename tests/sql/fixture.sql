-- A small published set, a few people with roles, and short names for what the scripts call.
-- Loaded as conduct_migrate.

create schema t;
grant usage on schema t to public;

create function t.ix(p_name text) returns bytea language sql immutable
as $$ select sha256(convert_to(p_name, 'UTF8')) $$;

create function t.canonical(p_revision integer) returns text language sql immutable
as $$ select format('{"format":1,"name":"test","revision":%s}', p_revision) $$;

create function t.body(p_id text, p_kind text, p_level text, p_jurisdiction text, p_role text,
	p_more jsonb) returns jsonb language sql immutable
as $$
	select jsonb_build_object('id', p_id, 'kind', p_kind, 'level', p_level, 'jurisdiction', p_jurisdiction,
		'role', p_role, 'high_level', false, 'decides', 'single', 'panel_size', 3,
		'quorum', '{"rule": "fixed", "n": 3}'::jsonb, 'accept', '{"rule": "none"}'::jsonb,
		'decide', '{"rule": "majority"}'::jsonb, 'up', null, 'appeal', null, 'alternates', '[]'::jsonb,
		'external', false) || p_more
$$;

create function t.effective() returns jsonb language sql immutable
as $$
	select jsonb_build_object(
		'profiles', jsonb_build_array(jsonb_build_object('profile', repeat('a', 64),
			'rules', '[{"id": "ucoc/3.1/insults", "section": "3.1", "kind": "unacceptable",
					"severity_floor": "S1", "privacy_floor": "parties", "route": "none", "mediation": true},
				{"id": "ucoc/3.1/threats", "section": "3.1", "kind": "unacceptable",
					"severity_floor": "S3", "privacy_floor": "handlers", "route": "none", "mediation": false},
				{"id": "ucoc/3.1/legal-threats", "section": "3.1", "kind": "unacceptable",
					"severity_floor": "S2", "privacy_floor": "handlers", "route": "legal", "mediation": false},
				{"id": "ucoc/3.1/doxing", "section": "3.1", "kind": "unacceptable",
					"severity_floor": "S3", "privacy_floor": "restricted", "route": "personal_data", "mediation": false},
				{"id": "ucoc/3.3/unexplained-removal", "section": "3.3", "kind": "unacceptable",
					"severity_floor": "S1", "privacy_floor": "parties", "route": "none", "mediation": true},
				{"id": "procedure/sanction-breach", "section": "procedure", "kind": "unacceptable",
					"severity_floor": "S2", "privacy_floor": "parties", "route": "none", "mediation": false}]'::jsonb,
			'categories', '[{"id": "insults", "rules": ["ucoc/3.1/insults"], "harm_type": null},
				{"id": "threats", "rules": ["ucoc/3.1/insults", "ucoc/3.1/threats"], "harm_type": null},
				{"id": "legal", "rules": ["ucoc/3.1/legal-threats"], "harm_type": null},
				{"id": "doxing", "rules": ["ucoc/3.1/doxing"], "harm_type": null},
				{"id": "vandalism", "rules": ["ucoc/3.3/unexplained-removal"], "harm_type": null},
				{"id": "breach", "rules": ["procedure/sanction-breach"], "harm_type": null},
				{"id": "other", "rules": [], "harm_type": null},
				{"id": "self-harm", "rules": [], "harm_type": "self_harm"}]'::jsonb,
			'procedure', '{"acknowledge": 86400, "acknowledge_emergency": 3600, "claim": 86400,
				"accept": 259200, "accept_by_vote": 1209600, "decline": 259200, "hand_back": 2419200,
				"resume": 2592000, "object_informal": 1209600, "object_notice": 259200, "hearing": 604800,
				"hearing_extension": 604800, "propose": 604800, "propose_severe": 259200,
				"decide_single": 2419200, "decide_panel": 7776000, "extend_decision": 5184000,
				"appeal_window": 2592000, "appeal_window_global": 5184000, "appeal_window_office": 15811200,
				"accept_appeal": 1209600, "decide_appeal": 5184000, "join_appeal": 604800,
				"panel_named": 259200, "notice_postponed": 2419200, "notice_unserved": 1209600,
				"info_wait": 1209600, "info_wait_total": 2419200, "answer_transfer": 604800,
				"mediate": 2419200, "answer_petition": 1209600, "rule_on_conflict": 259200,
				"injunction_single": 259200, "injunction_panel": 1209600, "status_update": 604800,
				"containment": 86400, "containment_critical": 3600, "retaliation_check": 259200,
				"retention_words": 7776000, "retention_skeleton": 157766400, "retention_emergency": 7776000,
				"hold": 31536000, "statistics_k": 10, "exclude_share_percent": 33, "panel_size_local": 3,
				"panel_size_global": 5, "confirm_identity": 86400, "tell_identity": 7776000, "one_time_word": 2419200,
				"erasure_answer": 2592000, "erasure_told": 7776000}'::jsonb,
			'sanctions', '[{"id": "advice", "kind": "advice", "local_cap": null, "max_duration": null},
				{"id": "block", "kind": "block", "local_cap": 2678400, "max_duration": null},
				{"id": "ban", "kind": "ban", "local_cap": 0, "max_duration": null}]'::jsonb,
			'routes', '{"emergency": "ts", "legal": "legal", "personal_data": "oversight", "default": "u4c",
				"systemic": "u4c", "multi_wiki": "stewards", "off_wiki": "u4c", "technical_space": "u4c",
				"affiliate": "u4c", "event": "u4c"}'::jsonb)),
		'base_profile', repeat('a', 64),
		'wikis', (select jsonb_agg(jsonb_build_object('wiki', w[1], 'profile', repeat('a', 64), 'lang', w[2],
				'status', w[3], 'regions', '[]'::jsonb, 'group', null, 'body', nullif(w[4], ''),
				'appeal_body', nullif(w[5], '')))
			from (values (array['aawiki', 'aa', 'open', 'aawiki-functionaries', 'aawiki-arbcom']),
				(array['bbwiki', 'bb', 'open', 'bbwiki-functionaries', 'u4c']),
				(array['ccwiki', 'cc', 'open', '', '']),
				(array['ddwiki', 'dd', 'closed', 'aawiki-functionaries', 'u4c'])) x (w)),
		'bodies', jsonb_build_array(
			t.body('aawiki-functionaries', 'functionaries', 'wiki', 'wiki:aawiki', 'functionary',
				'{"up": "aawiki-arbcom", "appeal": "aawiki-arbcom"}'),
			t.body('aawiki-arbcom', 'arbcom', 'wiki', 'wiki:aawiki', 'arbitrator', '{"high_level": true,
				"decides": "panel", "quorum": {"rule": "majority_of_active"}, "up": "u4c", "appeal": "self"}'),
			t.body('bbwiki-functionaries', 'functionaries', 'wiki', 'wiki:bbwiki', 'functionary',
				'{"up": "u4c", "appeal": "u4c"}'),
			t.body('stewards', 'stewards', 'global', 'global', 'steward',
				'{"high_level": true, "panel_size": 5, "up": "u4c", "appeal": "self"}'),
			t.body('u4c', 'u4c', 'global', 'global', 'u4c_member', '{"high_level": true, "decides": "panel",
				"panel_size": 5, "quorum": {"rule": "fixed", "n": 5}, "appeal": "self"}'),
			t.body('oversight', 'oversight', 'global', 'global', 'oversighter', '{"up": "u4c", "appeal": "u4c"}'),
			t.body('ts', 'ts', 'special', 'global', 'ts_staff', '{"external": true, "decides": "panel",
				"quorum": {"rule": "fixed", "n": 2}, "decide": {"rule": "two_staff"}, "up": "legal",
				"appeal": "crc"}'),
			t.body('legal', 'legal', 'special', 'global', 'legal', '{"external": true, "appeal": "u4c"}'),
			t.body('crc', 'crc', 'special', 'global', 'crc_member', '{"high_level": true, "decides": "panel",
				"quorum": {"rule": "fixed", "n": 5}, "appeal": null}')),
		'routes', '{"emergency": "ts", "legal": "legal", "personal_data": "oversight", "default": "u4c"}'::jsonb)
$$;

insert into keyring.vault_key values (1, decode(repeat('6b', 32), 'hex'), 'active', conduct.clock());

-- Words as C hands them over, but for the secrecy: an envelope's form, and the text readable in it.
create function t.sealed(p_text text, p_generation integer default 1) returns bytea language sql immutable
as $$
	select '\xc5d10101'::bytea || int4send(p_generation)
		|| substr(convert_to(p_text, 'UTF8') || decode(repeat('00', 284), 'hex'), 1, 284)
$$;

create function t.text(p_envelope bytea) returns text language sql immutable
as $$
	select convert_from(substr(x, 1, position('\x00'::bytea in x || '\x00') - 1), 'UTF8')
	from substr(p_envelope, position('\xc5d10101'::bytea in p_envelope) + 8) x
$$;

-- The three arrays of a call: words of one unit, each saying its kind, and the unit's key.
create type t.words as (ids uuid[], kinds text[], words bytea[]);
create function t.seal(p_unit uuid, p_ids uuid[], p_kinds text[], p_texts text[] default null,
	p_generation integer default null)
returns t.words language plpgsql volatile
as $$
declare
	v_generation integer := coalesce(p_generation, 2 + (random() * 2000000000)::integer);
	v_texts text[] := coalesce(p_texts, p_kinds);
begin
	if coalesce(cardinality(p_ids), 0) = 0 then
		return row('{}', '{}', '{}')::t.words;
	end if;
	return row(p_ids || p_unit, p_kinds || '$vault'::text,
		array(select t.sealed(w, v_generation) from unnest(v_texts) w)
			|| (int4send(v_generation) || int4send(1) || decode(repeat('77', 88), 'hex')))::t.words;
end
$$;

-- A wiki says of an account what it is called now; null: it is hidden. As the worker has it: whose name
-- changed is named again, in their own unit.
create function t.seen(p_name text, p_now text, p_wiki text default null) returns integer
language plpgsql volatile
as $$
declare
	v_unit uuid := gen_random_uuid();
	v_words t.words;
	v_answer conduct_api_1.answer;
begin
	for v_nth in 1 .. 2 loop
		v_words := t.seal(v_unit, array[gen_random_uuid()], array['name'], array[coalesce(p_now, '')]);
		v_answer := conduct_api_1.person_seen(t.ix('id:' || p_name), t.ix('name:' || p_now),
			t.ix('skeleton:' || lower(p_now)), p_wiki, v_unit, v_words.ids, v_words.kinds, v_words.words);
		exit when v_answer.status <> 202;
		v_unit := (v_answer.body ->> 'unit')::uuid;
	end loop;
	return v_answer.status;
end
$$;

create function t.person(p_name text, p_role text, p_body text) returns uuid language plpgsql volatile
as $$
declare
	v_unit uuid := gen_random_uuid();
	v t.words := t.seal(v_unit, array[gen_random_uuid()], array['name'], array[p_name]);
begin
	return ((conduct_api_1.grant_bootstrap(jsonb_build_object('id_ix', encode(t.ix('id:' || p_name), 'hex'),
		'name_ix', encode(t.ix('name:' || p_name), 'hex'), 'skeleton_ix',
		encode(t.ix('skeleton:' || lower(p_name)), 'hex'), 'unit', v_unit,
		'home_wiki', 'zzwiki', 'role', p_role, 'body', p_body, 'until',
		conduct.clock() + interval '365 days'), v.ids, v.kinds, v.words)).body ->> 'person')::uuid;
end
$$;

-- Ids of a report are derived from its name, so that scripts can name them.
create function t.id(p_name text) returns uuid language sql immutable
as $$ select md5(p_name)::uuid $$;

create function t.user(p_name text) returns jsonb language sql immutable
as $$
	select jsonb_build_object('user', t.id('word:' || p_name), 'name_ix', encode(t.ix('name:' || p_name), 'hex'),
		'skeleton_ix', encode(t.ix('skeleton:' || lower(p_name)), 'hex'))
$$;

-- What a call of submit_report() takes.
create type t.report as (account bytea, receipt bytea, scope bytea, mac bytea, sealed_receipt bytea, args jsonb,
	ids uuid[], kinds text[], words bytea[]);

-- A report as conduct_web sends it. p_more may name users in `exclude` and `respondents`.
create function t.report(p_name text, p_account text, p_more jsonb default '{}', p_key text default null)
returns t.report language plpgsql volatile
as $$
declare
	v_report t.report;
	v_case jsonb;
	v_words uuid[];
	v_told t.words;
	v_named t.words;
	v_numbers uuid[] := '{}';
	v_texts text[] := '{}';
begin
	v_case := jsonb_build_object('wiki', 'aawiki', 'lang', 'aa', 'category', 'insults',
		'respondents', jsonb_build_array(t.user('Rasp')))
		|| p_more || jsonb_build_object('details', t.id(p_name || ':details'), 'case', t.id(p_name),
		'report', t.id(p_name || ':report'), 'reporter', t.id(p_name || ':reporter'),
		'units', jsonb_build_object('report', t.id(p_name || ':ru'),
		'case_file', t.id(p_name), 'identity', t.id(p_name || ':iu')));
	-- Every report has words of its own: the users named get ids that begin with the report's.
	v_case := regexp_replace(v_case::text, '"user": "[0-9a-f]{8}', '"user": "'
		|| substr(t.id(p_name)::text, 1, 8), 'g')::jsonb;
	v_words := array(select distinct (w #>> '{}')::uuid from jsonb_path_query(v_case,
		'strict $.**.user', '{}', true) w);
	-- Numbers of revisions are words, too.
	for v_nth in 0 .. jsonb_array_length(coalesce(v_case -> 'incidents', '[]')) - 1 loop
		if v_case #> array['incidents', v_nth::text, 'revision'] is distinct from 'null'
			and v_case #> array['incidents', v_nth::text, 'revision'] is not null
		then
			v_numbers := v_numbers || t.id(p_name || ':revision' || v_nth);
			v_texts := v_texts || (v_case #>> array['incidents', v_nth::text, 'revision']);
			v_case := jsonb_set(v_case, array['incidents', v_nth::text, 'revision'],
				to_jsonb(t.id(p_name || ':revision' || v_nth)));
		end if;
	end loop;
	v_report.account := case when p_account is not null then t.ix('id:' || p_account) end;
	v_report.receipt := t.ix('receipt:' || p_name);
	v_report.scope := t.ix('key:' || coalesce(p_key, p_name));
	v_report.mac := t.ix('mac:' || coalesce(p_key, p_name));
	v_report.sealed_receipt := t.ix('sealed:' || p_name);
	v_report.args := v_case;
	v_named := t.seal(t.id(p_name), v_words, array_fill('name'::text, array[cardinality(v_words)]),
		array_fill('Rasp'::text, array[cardinality(v_words)]), 1);
	v_told := t.seal(t.id(p_name || ':ru'), t.id(p_name || ':details') || v_numbers,
		'details'::text || array_fill('revision'::text, array[cardinality(v_numbers)]), 'details'::text || v_texts, 1);
	v_report.ids := v_named.ids || v_told.ids || t.id(p_name || ':ru');
	v_report.kinds := v_named.kinds || v_told.kinds || '$receipt'::text;
	v_report.words := v_named.words || v_told.words || (uuid_send(t.id(p_name || ':reporter'))
		|| int4send(1) || decode(repeat('72', 60), 'hex'));
	return v_report;
end
$$;

create function t.submit(p_name text, p_account text, p_more jsonb default '{}', p_key text default null)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v t.report := t.report(p_name, p_account, p_more, p_key);
begin
	return conduct_api_1.submit_report(v.account, v.receipt, v.scope, v.mac, v.sealed_receipt, v.args, v.ids,
		v.kinds, v.words);
end
$$;

-- Publishes the set and makes the people the scripts use: functionaries Fa…Ff of aawiki, Ba and Bb of
-- bbwiki, a committee, stewards, the global committee, staff, an administrator, a reporter.
create function t.people() returns void language plpgsql volatile
as $$
declare
	v_row record;
begin
	perform conduct_api_1.publish_policy(encode(sha256(convert_to(t.canonical(1), 'UTF8')), 'hex'), 1,
		t.canonical(1), t.effective());
	for v_row in
		select p[1] || n as name, p[2] as role, p[3] as body
		from (values (array['F', 'functionary', 'aawiki-functionaries', 'abcdef']),
			(array['B', 'functionary', 'bbwiki-functionaries', 'ab']),
			(array['A', 'arbitrator', 'aawiki-arbcom', 'abcde']), (array['S', 'steward', 'stewards', 'abcde']),
			(array['U', 'u4c_member', 'u4c', 'abcdef']), (array['T', 'ts_staff', 'ts', 'abc']),
			(array['Adm', 'admin', null, 'in'])) x (p), regexp_split_to_table(p[4], '') n
		where p[1] <> 'Adm' or n = 'i'
	loop
		perform t.person(v_row.name, v_row.role, v_row.body);
	end loop;
	perform t.seen('Rep', 'Rep', 'aawiki');
end
$$;

-- Runs a statement, deferred constraints included, and undoes it. Says what refused it, or ACCEPTED.
create function t.attempt(p_what text, p_sql text) returns text language plpgsql volatile
as $$
declare
	v_state text;
	v_constraint text;
	v_message text;
begin
	begin
		execute p_sql;
		set constraints all immediate;
		raise exception using errcode = 'TTTTT';
	exception when others then
		get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name,
			v_message = message_text;
	end;
	set constraints all deferred;
	return p_what || ': ' || case when v_state = 'TTTTT' then 'ACCEPTED'
		when v_constraint <> '' then v_state || ' ' || v_constraint else v_state || ' ' || v_message end;
end
$$;

-- An act of a handler: the answer's status, or the refusal.
create function t.act(p_who text, p_case text, p_action text, p_args jsonb default '{}',
	p_words text[] default '{}') returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
	v_revision integer := (select f.revision from conduct.case_file f where f.case_id = t.id(p_case));
	v_key text := p_case || ':' || p_action || ':' || clock_timestamp();
	v_name text;
	v_args jsonb := p_args;
	v_words t.words := t.seal(t.id(p_case), array(select t.id(v_key || w) from unnest(p_words) w), p_words);
begin
	foreach v_name in array p_words loop
		v_args := jsonb_set(v_args, array[v_name], to_jsonb(t.id(v_key || v_name)));
	end loop;
	execute format('select * from conduct_api_1.case_%s($1, $2, $3, $4, $5, $6, $7, $8, $9)', p_action)
	into v_answer using t.ix('id:' || p_who), t.id(p_case), v_revision, t.ix(v_key), t.ix('mac'), v_args,
		v_words.ids, v_words.kinds, v_words.words;
	return p_action || ': ' || v_answer.status;
exception when others then
	return p_action || ': ' || sqlstate || ' ' || sqlerrm;
end
$$;

-- An act of a party, by receipt.
create function t.party(p_case text, p_action text, p_args jsonb default '{}', p_words text[] default '{}')
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
	v_key text := p_case || ':' || p_action || ':' || clock_timestamp();
	v_name text;
	v_args jsonb := p_args;
	v_words t.words := t.seal(t.id(p_case || ':ru'), array(select t.id(v_key || w) from unnest(p_words) w),
		p_words);
begin
	foreach v_name in array p_words loop
		v_args := jsonb_set(v_args, array[v_name], to_jsonb(t.id(v_key || v_name)));
	end loop;
	execute format('select * from conduct_api_1.party_%s($1, $2, $3, $4, $5, $6, $7, $8, $9)', p_action)
	into v_answer using null::bytea, t.ix('receipt:' || p_case), null::uuid, t.ix(v_key), t.ix('mac'), v_args,
		v_words.ids, v_words.kinds, v_words.words;
	return v_answer;
exception when sqlstate 'UC403' or sqlstate 'UC404' or sqlstate 'UC409' or sqlstate 'UC422' then
	return row(substr(sqlstate, 3)::integer, to_jsonb(sqlerrm), '{}', '{}')::conduct_api_1.answer;
end
$$;

-- Accepts a claimed case with one allegation of the first rule against its first respondent.
create function t.accept(p_who text, p_case text) returns text language plpgsql volatile
as $$
begin
	return t.act(p_who, p_case, 'accept', jsonb_build_object('severity', 'S1', 'allegations',
		jsonb_build_array(jsonb_build_object('rule', 'ucoc/3.1/insults',
			'respondent', (select y.party_id from conduct.party y where y.case_id = t.id(p_case)
				and y.role = 'respondent' order by y.seq limit 1),
			'incident', (select i.incident_id from conduct.incident i where i.case_id = t.id(p_case)
				order by i.seq limit 1)))), array['reason']);
end
$$;

grant execute on all functions in schema t to public;
