-- Reports come in: where each goes, what it becomes, and what is refused.
select t.people() \g /dev/null
create function t.show(p_name text) returns text language sql stable
as $$
	select concat_ws(' ', f.kind, f.lane, f.severity, f.privacy, p.body_id, p.state, 'revision', f.revision,
		'rank', d.rank) from conduct.case_file f
	join conduct.proceeding p using (case_id) join conduct.docket d using (case_id) where case_id = t.id(p_name)
$$;
create function t.try(p_name text, p_account text, p_more jsonb default '{}', p_key text default null)
returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer := t.submit(p_name, p_account, p_more, p_key);
begin
	return v_answer.status || ' ' || coalesce(t.show(p_name), (v_answer.body - 'deadlines' - 'report'
		- 'policy_version' - 'procedure_version')::text);
end
$$;
\echo the ordinary way
select t.try('plain', 'Rep');
select t.try('grave', null, '{"category": "threats"}');
select t.try('wish', null, '{"privacy": "restricted"}');
select t.try('floor', null, '{"category": "doxing", "privacy": "parties"}');
select t.try('breach', null, '{"category": "breach"}');
\echo one level up: about a functionary, or nobody named before a small body
select t.try('about', null, '{"about_functionary": "yes"}');
select t.try('unsure', null, '{"about_functionary": "unsure"}');
select t.try('unknown', null, jsonb_build_object('respondents', '[]'::jsonb));
select t.try('unknown small', null, '{"respondents": [], "wiki": "bbwiki"}');
select t.try('named small', null, '{"wiki": "bbwiki"}');
\echo a body exists by its quorum, or by one person for what is light
select t.try('light small', null, '{"wiki": "bbwiki", "category": "vandalism"}');
select t.try('grave small', null, '{"wiki": "bbwiki", "category": "threats"}');
\echo a member is respondent: five others are enough, fewer are not
select t.try('member', null, jsonb_build_object('respondents', jsonb_build_array(t.user('Fa'))));
select t.try('member small', null, jsonb_build_object('wiki', 'bbwiki', 'respondents', jsonb_build_array(t.user('Ba'))));
\echo no local body: stewards for light abuse of content, else the global committee
select t.try('nobody', null, '{"wiki": "ccwiki"}');
select t.try('nobody content', null, '{"wiki": "ccwiki", "category": "vandalism"}');
select t.try('closed', null, '{"wiki": "ddwiki"}');
\echo several wikis, off wiki, a body accused, a legal threat
select t.try('two wikis', null, '{"incidents": [{"venue": "on_wiki", "wiki": "aawiki"}, {"venue": "on_wiki", "wiki": "bbwiki"}]}');
select t.try('off wiki', null, '{"incidents": [{"venue": "off_wiki"}]}');
select t.try('nowhere', null, '{"wiki": null, "incidents": [{"venue": "off_wiki"}]}');
select t.try('accused', null, '{"respondents": [{"body": "aawiki-functionaries"}]}');
select t.try('legal', null, '{"category": "legal"}');
\echo emergencies are never refused
select t.try('danger', null, '{"harm_type": "physical_harm"}');
select t.try('lane', null, '{"lane": "emergency"}');
select t.try('minor', null, '{"minor_at_risk": true}');
select t.try('self', null, '{"category": "self-harm"}');
select t.try('no such wiki', null, '{"wiki": "nix", "category": "nix", "lane": "emergency", "respondents": [{"body": "nix"}]}');
select y.role, y.kind, y.identity from conduct.party y where y.case_id = t.id('self') order by y.seq;
\echo refused
select t.try('bad wiki', null, '{"wiki": "nix"}');
select t.try('bad category', null, '{"category": "nix"}');
select t.try('no wiki', null, '{"wiki": null}');
select t.try('all at once', null, '{"category": null, "incidents": [{"wiki": "nix"}], "respondents": [{"body": "nix"}]}');
select t.try('plain', null);
\echo the same key: once; with another body: refused
select t.try('again', 'Rep', '{}', 'plain');
select t.submit('again', 'Rep', '{}', 'plain') = t.submit('again', 'Rep', '{}', 'plain');
select status, body ->> 'errorKey' from conduct_api_1.submit_report(null, t.ix('r'), t.ix('key:plain'), t.ix('other'), null,
	'{}', '{}', '{}', '{}');
select count(*), max(replays) from conduct.idempotency where case_id = t.id('plain');
\echo a replay writes, so that it is acknowledged only when what it repeats is durable
begin;
select (t.submit('again', 'Rep', '{}', 'plain')).status;
select pg_current_xact_id() \g /dev/null
select bool_and(age(xmin) <= 0) from conduct.idempotency where case_id = t.id('plain');
commit;
\echo who the reporter is
select t.try('named', 'Rep', '{"identity": "named", "targets": [{"self": true}]}');
select t.try('anonymous', 'Rep', '{"identity": "anonymous", "targets": [{"self": true}]}');
select x, y.seq, y.role, y.kind, y.identity, y.id_ix = t.ix('id:Rep'), y.name_ix = t.ix('name:Rep'), y.name_content is not null
from unnest(array['plain', 'named', 'anonymous']) with ordinality n (x, nth) join conduct.party y on y.case_id = t.id(x)
where y.role <> 'respondent' order by n.nth, y.seq;
\echo handlers the reporter names: a third of the body at once
select t.try('exclude', 'Rep', jsonb_build_object('exclude_handlers', jsonb_build_array(t.user('Fa'), t.user('Fb'), t.user('Fc'), t.user('Ua'))));
select r.standing, count(*) from conduct.recusal r where r.case_id = t.id('exclude') group by 1 order by 1;
select d.what, d.due_at - f.submitted_at from conduct.deadline d join conduct.case_file f using (case_id)
where case_id = t.id('exclude') order by 2, 1;
\echo words go to the unit they are erased with
select c.kind, u.kind, count(*) from conduct.content c join conduct.unit u using (unit_id)
where u.kind <> 'person' group by 1, 2 order by 1, 2;
\echo the policy of the time: before the first set that set, later the present
select status from conduct_api_1.publish_policy(encode(sha256(convert_to(t.canonical(2), 'UTF8')), 'hex'), 2, t.canonical(2), t.effective());
update conduct.clock_offset set shift_seconds = 86400;
select n.x, s.revision, q.revision from (values ('old', '{"incidents": [{"from": "2001-01-01T00:00:00Z"}]}'), ('new', '{}')) n (x, more),
	lateral t.submit(n.x, null, n.more::jsonb) a
join conduct.policy_set s on s.policy_version = a.body ->> 'policy_version'
join conduct.policy_set q on q.policy_version = a.body ->> 'procedure_version';
\echo what was sent
select kind, count(*) from conduct.outbox group by 1 order by 1;
