-- Publishing, people, grants, bodies.
select t.people() \g /dev/null
create function t.version(p_revision integer) returns text language sql
as $$ select encode(sha256(convert_to(t.canonical(p_revision), 'UTF8')), 'hex') $$;
\echo publishing
select t.attempt('the same again', $$select conduct_api_1.publish_policy(t.version(1), 1, t.canonical(1), t.effective())$$);
select t.attempt('the same revision with another hash', $$select conduct_api_1.publish_policy(t.version(2), 1, t.canonical(2), t.effective())$$);
select t.attempt('a wrong hash', $$select conduct_api_1.publish_policy(t.version(3), 2, t.canonical(2), t.effective())$$);
select body ->> 'published' from conduct_api_1.publish_policy(t.version(3), 3, t.canonical(3), t.effective());
select t.attempt('a lower revision', $$select conduct_api_1.publish_policy(t.version(2), 2, t.canonical(2), t.effective())$$);
select body ->> 'revision', body ->> 'canonical' from conduct_api_1.policy_current();
select jsonb_path_query_array(body, '$.items[*].revision') from conduct_api_1.policy_versions();
select t.attempt('an unknown version', $$select conduct_api_1.policy_version('x')$$);
select body ->> 'revision' from conduct_api_1.policy_version(t.version(1));
-- Which deployment it is is made at random.
select body - 'deployment', (body ->> 'deployment')::uuid = (select deployment_id from conduct.deployment)
from conduct_api_1.readiness();
\echo who one is
select body - 'person' - 'user', t.text(words[array_position(word_ids, (body #>> '{user,$word}')::uuid)]) from
	(select (a.body #- '{roles,0,from}') #- '{roles,0,until}' as body, word_ids, words from conduct_api_1.me(t.ix('id:Fa')) a) x;
select body from conduct_api_1.me(t.ix('id:Nobody'));
select status from t.seen('Fa', 'Fa2') as status;
select t.text(words[array_position(word_ids, (body #>> '{user,$word}')::uuid)]), body ->> 'home_wiki' from conduct_api_1.me(t.ix('id:Fa'));
\echo a name that the wiki hides is shown to oversighters alone, until the wiki shows it again
create function t.said(p_answer conduct_api_1.answer, p_of jsonb) returns text language sql
as $$
	select coalesce(t.text(p_answer.words[array_position(p_answer.word_ids,
		(p_of #>> '{user,$word}')::uuid)]), 'no name') || (case when (p_of -> 'user_hidden')::boolean
		then ', hidden' else '' end)
$$;
create function t.as_member(p_viewer text, p_who text) returns text language plpgsql
as $$
declare
	v_answer conduct_api_1.answer := conduct_api_1.body_show(t.ix('id:' || p_viewer), 'aawiki-functionaries');
begin
	return t.said(v_answer, (select m from jsonb_array_elements(v_answer.body -> 'members') m
		where m ->> 'person' = conduct_gate.person_of(t.ix('id:' || p_who))::text));
end
$$;
create function t.shown(p_who text) returns text language sql
as $$ select t.said(a, a.body) from conduct_api_1.me(t.ix('id:' || p_who)) a $$;
select t.shown('Fa'), t.as_member('Fb', 'Fa');
select status from t.seen('Fa', null) as status;
select t.shown('Fa'), t.as_member('Fb', 'Fa'), t.as_member('Fa', 'Fa');
select a.name_ix = t.ix('name:Fa2') as is_still_matched from conduct.person_account a where a.id_ix = t.ix('id:Fa');
insert into conduct.role_grant (grant_id, person_id, role, body_id, from_at, until_at, granted_at)
values (gen_random_uuid(), conduct_gate.person_of(t.ix('id:Fb')), 'oversighter', 'bbwiki-functionaries',
	conduct.clock(), conduct.clock() + interval '1 day', conduct.clock());
select t.as_member('Fb', 'Fa');
update conduct.role_grant set ended_at = conduct.clock(), ended_by = person_id where role = 'oversighter'
	and person_id = conduct_gate.person_of(t.ix('id:Fb'));
select t.as_member('Fb', 'Fa');
select status from t.seen('Fa', 'Fa2') as status;
select t.shown('Fa'), t.as_member('Fb', 'Fa');
select status from t.seen('Never', null) as status;
select t.shown('Never');
select body - 'members', jsonb_array_length(body -> 'members'), cardinality(words)
from conduct_api_1.body_show(t.ix('id:Fa'), 'aawiki-arbcom');
select t.attempt('a reporter asks of a body', $$select conduct_api_1.body_show(t.ix('id:Rep'), 'ts')$$);
select t.attempt('an unknown body', $$select conduct_api_1.body_show(t.ix('id:Fa'), 'nix')$$);
\echo grants
create function t.grant(p_what text, p_who text, p_args jsonb) returns text language plpgsql
as $$
declare
	v_answer conduct_api_1.answer;
	v_detail text;
begin
	v_answer := conduct_api_1.grant_add(t.ix('id:' || p_who), t.ix(p_what), t.ix('mac'), jsonb_build_object('person',
		jsonb_build_object('name_ix', encode(t.ix('name:Rep'), 'hex')), 'role', 'functionary',
		'body', 'bbwiki-functionaries', 'until', '2099-01-01T00:00:00Z') || p_args, '{}', '{}', '{}');
	return p_what || ': ' || v_answer.status;
exception when others then
	get stacked diagnostics v_detail = pg_exception_detail;
	return p_what || ': ' || sqlstate || ' ' || sqlerrm || ' ' || v_detail;
end
$$;
select t.grant('good', 'Admi', '{}');
select t.grant('good', 'Admi', '{}');
select count(*) from conduct.role_grant g join conduct.person_account a using (person_id) where a.id_ix = t.ix('id:Rep');
select t.grant('by a functionary', 'Fb', '{}');
select t.grant('unknown person', 'Admi', '{"person": "00000000-0000-0000-0000-000000000000"}');
select t.grant('unknown body', 'Admi', '{"body": "nix"}');
select t.grant('unknown role', 'Admi', '{"role": "king"}');
select t.grant('another body''s role', 'Admi', '{"role": "steward"}');
select t.grant('an administrator of a body', 'Admi', '{"role": "admin"}');
select t.grant('a functionary of nothing', 'Admi', '{"body": null}');
select t.grant('ends before it begins', 'Admi', '{"until": "2000-01-01T00:00:00Z"}');
select t.grant('without an end', 'Admi', '{"until": null}');
select t.grant('auditor of the own body', 'Admi', '{"role": "auditor"}');
select t.grant('auditor of another body', 'Admi', '{"role": "auditor", "body": "aawiki-arbcom"}');
select t.grant('clerk', 'Admi', '{"role": "clerk"}');
\echo a grant ends
select conduct_gate.has_role(conduct_gate.person_of(t.ix('id:Rep')), 'functionary', 'bbwiki-functionaries');
select status from conduct_api_1.grant_end(t.ix('id:Admi'), (select grant_id from conduct.role_grant g
	join conduct.person_account a using (person_id) where a.id_ix = t.ix('id:Rep') and g.role = 'functionary'), t.ix('e1'), t.ix('mac'));
select conduct_gate.has_role(conduct_gate.person_of(t.ix('id:Rep')), 'functionary', 'bbwiki-functionaries');
select t.attempt('an unknown grant', $$select conduct_api_1.grant_end(t.ix('id:Admi'), gen_random_uuid(), t.ix('e2'), t.ix('mac'))$$);
\echo the list, page by page
select sum(n), count(*) from (
	with recursive page (body, nth) as (
		select (conduct_api_1.grant_list(t.ix('id:Admi'), 10, null)).body, 1
		union all
		select (conduct_api_1.grant_list(t.ix('id:Admi'), 10, body -> 'next')).body, nth + 1 from page
		where body -> 'next' <> 'null')
	select jsonb_array_length(body -> 'items') as n from page) x;
select count(*) from conduct.role_grant;
