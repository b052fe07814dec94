-- Fills the database up to :n cases for tests/bench: psql -v n=100000 -f tests/bench/fill.sql, as a
-- superuser, on a database that has a published policy. One case in ten is open; one in five is of
-- enwiki's functionaries, the others are spread over all bodies. Each case is a history that submitting
-- one and, of those that are not open, withdrawing it would have left, so that it can be opened and acted
-- on. Checks are off while it runs and on again, as sql/bootstrap.sql leaves them, when it ends; what is
-- due is due in the future, so that the timers do not take part in what is measured.

\set ON_ERROR_STOP on
set synchronous_commit = off;
set maintenance_work_mem = '256MB';
set client_min_messages = warning;
-- One checkpoint, not dozens: each would write every page of the indexes whole once more.
alter system set max_wal_size = '32GB';
alter system set checkpoint_timeout = '1h';
select pg_reload_conf() \g /dev/null

begin;
-- What is no constraint's index is made anew at the end, from all rows at once.
create temp table set_aside on commit drop as
select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as made_by
from pg_index i join pg_class c on c.oid = i.indrelid
where c.relnamespace = 'conduct'::regnamespace and c.relname in ('case_file', 'party', 'report', 'incident', 'proceeding',
		'event', 'deadline', 'docket')
	and not exists (select from pg_constraint k where k.conindid = i.indexrelid);
select format('drop index %s', name) from set_aside
\gexec
select format('alter table %s disable trigger all', c.oid::regclass)
from pg_class c where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
\gexec

create temp table fill on commit drop as
select i, md5('fill case ' || i)::uuid as case_id, md5('fill party ' || i)::uuid as reporter_id,
	md5('fill respondent ' || i)::uuid as respondent_id, md5('fill report ' || i)::uuid as report_id,
	md5('fill proceeding ' || i)::uuid as proceeding_id, md5('fill unit ' || i)::uuid as unit_id,
	md5('fill told ' || i)::uuid as told_id, md5('fill words ' || i)::uuid as content_id,
	i % 10 = 0 as is_open, b.body_id, w.wiki, coalesce(w.lang, 'en') as lang, s.policy_version,
	coalesce(w.profile, s.base_profile) as profile,
	conduct.clock() - interval '1 second' * ((:n - i)::bigint * 63072000 / :n) as at,
	conduct.clock() + interval '1 day' + interval '1 second' * (i * 7919::bigint % 2592000) as due_at
from generate_series((select count(*) from conduct.case_file) + 1, :n) i
cross join (select * from conduct.policy_set order by revision desc limit 1) s
cross join (select array_agg(body_id order by body_id) as ids from conduct.body) o
cross join lateral (select case when i / 10 % 5 = 0 then 'enwiki-functionaries'
	else o.ids[1 + (i / 10) % cardinality(o.ids)] end as body_id) b
left join lateral (select p.* from conduct.body y
	join conduct.policy_wiki p on p.policy_version = s.policy_version and 'wiki:' || p.wiki = y.jurisdiction
	where y.body_id = b.body_id limit 1) w on true;

insert into conduct.unit (unit_id, kind, made_at)
select unit_id, 'case_file', at from fill union all select told_id, 'report', at from fill;
insert into conduct.content (content_id, unit_id, kind, body)
-- An envelope's form and size; no key opens it, and nothing that is measured here reads it.
select content_id, told_id, 'details', '\xc5d1010100000001'::bytea || decode(repeat(md5('fill words ' || i), 18), 'hex')
from fill;
insert into conduct.case_file (case_id, unit_id, kind, revision, lane, privacy, severity, wiki, lang, profile,
	procedure_version, submitted_at, closed_at)
select case_id, unit_id, 'conduct', case when is_open then 1 else 2 end, 'standard', 'handlers', 'S1', wiki, lang,
	profile, policy_version, at, case when not is_open then at end from fill;
insert into conduct.party (party_id, case_id, seq, role, kind, identity, name_ix, skeleton_ix, added_at)
select reporter_id, case_id, 1, 'reporter', 'anonymous', 'anonymous', null, null, at from fill union all
select respondent_id, case_id, 2, 'respondent', 'account', 'named', sha256(('fill name ' || i % 50000)::bytea),
	sha256(('fill skeleton ' || i % 50000)::bytea), at from fill;
insert into conduct.report (report_id, case_id, unit_id, reporter_id, wiki, lang, lane, category, minor_at_risk,
	about_functionary, publish_after, details_content, policy_version, submitted_at)
select report_id, case_id, told_id, reporter_id, wiki, lang, 'standard', 'trolling', false, 'no', false, content_id,
	policy_version, at from fill;
insert into conduct.incident (incident_id, case_id, report_id, seq, venue, wiki)
select md5('fill incident ' || i)::uuid, case_id, report_id, 1, case when wiki is null then 'off_wiki' else 'on_wiki' end,
	wiki from fill;
insert into conduct.proceeding (proceeding_id, case_id, kind, round, instance, body_id, opened_by, version, state,
	opened_at, state_at)
select proceeding_id, case_id, 'intake', 1, 1, body_id, 'submit', case when is_open then 1 else 2 end,
	case when is_open then 'received' else 'withdrawn' end, at, at from fill;
insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves, needs_cause, case_id,
	act_id, revision, actor_party, at)
select proceeding_id, 'intake', 1, 'new', 'submit', 'received', 'reporter', true, false, case_id,
	md5('fill act ' || i)::uuid, 1, reporter_id, at from fill union all
select proceeding_id, 'intake', 2, 'received', 'withdraw', 'withdrawn', 'reporter', true, false, case_id,
	md5('fill second act ' || i)::uuid, 2, reporter_id, at from fill where not is_open;
insert into conduct.deadline (deadline_id, case_id, proceeding_id, what, due_at, is_void)
select md5('fill deadline ' || i)::uuid, case_id, proceeding_id, 'acknowledge', due_at, not is_open from fill;
insert into conduct.docket (case_id, body_id, rank, due_at, is_open, stage, state, lane, wiki)
select case_id, body_id, 1, case when is_open then due_at else 'infinity' end, is_open,
	case when is_open then 'report' else 'closed' end, case when is_open then 'received' else 'withdrawn' end,
	'standard', wiki from fill;

select made_by from set_aside
\gexec

select format('alter table %s enable always trigger %I', t.tgrelid::regclass, t.tgname)
from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace = 'conduct'::regnamespace and t.tgenabled <> 'A'
\gexec
commit;
alter system reset max_wal_size;
alter system reset checkpoint_timeout;
select pg_reload_conf() \g /dev/null
vacuum (analyze);
checkpoint;
