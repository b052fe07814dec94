-- The rows beside the history, tried with plain statements by the login that bypasses row-level security:
-- votes, tallies, seats, parts, windows, hearings, sanctions, the docket, the procedure itself.
select t.people() \g /dev/null
select (t.submit(n, 'Rep')).status from unnest(array['voted', 'review', 'heard']) n;
select t.act('Fa', n, 'claim') from unnest(array['voted', 'review', 'heard']) n;
select t.accept('Fa', n) from unnest(array['voted', 'review', 'heard']) n;
select t.act('Fa', 'voted', 'dismiss', '{"reason_code": "insufficient", "refer_to": "the talk page"}', array['reason']);
select (t.party('voted', 'appeal', jsonb_build_object('decision', (select decision_id from conduct.decision
	where case_id = t.id('voted')), 'items', '[1]'::jsonb, 'grounds', '["factual_error"]'::jsonb), array['reasons'])).status;
create function t.known(p_name text) returns uuid language sql
as $$ select person_id from conduct.person_account where id_ix = t.ix('id:' || p_name) $$;
create function t.principal(p_name text) returns uuid language sql
as $$ select principal_id from conduct.person where person_id = t.known(p_name) $$;
create function t.p(p_case text, p_kind text) returns conduct.proceeding language sql
as $$ select p from conduct.proceeding p where case_id = t.id(p_case) and kind = p_kind
	order by opened_at limit 1 $$;
select t.act('Aa', 'voted', 'accept_appeal', jsonb_build_object('panel',
	jsonb_build_array(t.known('Aa'), t.known('Ab'), t.known('Ac'))));
select t.act('Aa', 'voted', 'put_to_vote', '{"motion": "remand"}', array['reasons']);
select t.act('Ab', 'voted', 'vote', jsonb_build_object('item', 0, 'vote', 'oppose', 'proposal',
	(select ballot_id from conduct.ballot where case_id = t.id('voted'))));
select t.act('Fa', 'heard', 'notify_respondent', jsonb_build_object('respondent',
	(t.p('heard', 'matter')).respondent_id), array['text']);

\echo votes
create view t.ballot as select * from conduct.ballot where case_id = t.id('voted');
select t.attempt('a vote of somebody not on the roll', $$insert into conduct.vote (ballot_id, item, principal_id,
	seq, case_id, instance, vote, at) select ballot_id, 0, t.principal('Ad'), 1, case_id, instance, 'support',
	conduct.clock() from t.ballot$$);
select t.attempt('a voter added once voting has begun', $$insert into conduct.took_part select gen_random_uuid(),
	case_id, t.principal('Ad'), instance, conduct.clock() from t.ballot;
	insert into conduct.ballot_voter select ballot_id, case_id, instance, t.principal('Ad'), t.known('Ad'), null
	from t.ballot$$);
select t.attempt('a seat once voting has begun', $$insert into conduct.took_part select gen_random_uuid(),
	case_id, t.principal('Ad'), instance, conduct.clock() from t.ballot;
	insert into conduct.panel_seat select panel_id, case_id, instance, t.principal('Ad'), t.known('Ad'),
	conduct.clock() from conduct.panel where case_id = t.id('voted')$$);
select t.attempt('a voter under another person''s name', $$insert into conduct.ballot_voter select ballot_id, case_id,
	instance, t.principal('Aa'), t.known('Fb'), null from t.ballot$$);
select t.attempt('a tally beside the count', $$insert into conduct.tally select ballot_id, 0, case_id, 3, 3, 3, 0, 0,
	quorum, true from t.ballot$$);
select t.attempt('a tally of the count that passes all the same', $$insert into conduct.tally select ballot_id, 0,
	case_id, 3, 1, 0, 1, 0, 1, true from t.ballot$$);
select t.attempt('a tally before the end', $$insert into conduct.tally select ballot_id, 0,
	case_id, 3, 1, 0, 1, 0, quorum, false from t.ballot$$);
select t.attempt('a ballot passed uncounted', $$update conduct.ballot set closed_at = conduct.clock(),
	outcome = 'passed' where case_id = t.id('voted')$$);
select t.attempt('a ballot of a smaller quorum', $$update conduct.ballot set closed_at = conduct.clock(),
	outcome = 'lapsed' where case_id = t.id('voted');
	insert into conduct.ballot (ballot_id, case_id, proceeding_id, proceeding_kind, instance, event_seq, ballot_kind,
	opened_in, motion, drafter, rule, quorum, opened_at) select gen_random_uuid(), case_id, proceeding_id,
	proceeding_kind, instance, event_seq, ballot_kind, opened_in, motion, drafter, '{"rule": "fixed", "n": 0}', 1,
	conduct.clock() from t.ballot$$);
select t.attempt('a ballot closed again', $$update conduct.ballot set closed_at = conduct.clock(),
	outcome = 'lapsed' where case_id = t.id('voted');
	update conduct.ballot set closed_at = null, outcome = null where case_id = t.id('voted')$$);
select t.attempt('an item more', $$update conduct.clock_offset set shift_seconds = shift_seconds + 1;
	insert into conduct.ballot_item (ballot_id, item, case_id, kind) select ballot_id, 1, case_id, 'motion' from t.ballot$$);
select t.attempt('a vote changed', $$update conduct.vote set vote = 'support'$$);

\echo parts
select t.attempt('a decider''s part made void', $$update conduct.took_part set is_void = true
	where case_id = t.id('voted') and principal_id = t.principal('Fa')$$);
select t.attempt('a decider''s part deleted', $$delete from conduct.took_part where case_id = t.id('voted')$$);
select t.attempt('a decider who becomes another principal', $$insert into conduct.principal values (t.id('new'));
	update conduct.person set principal_id = t.id('new') where person_id = t.known('Fa')$$);
select t.attempt('a part in another instance', $$update conduct.took_part set instance = 2
	where case_id = t.id('voted') and principal_id = t.principal('Fa')$$);
select t.act('Fb', 'review', 'recuse', '{"kind": "full"}');
select t.attempt('a recusal taken back', $$update conduct.recusal set standing = 'void'$$);
select t.attempt('a recusal made less', $$update conduct.recusal set extent = 'vote_only'$$);
select t.attempt('a recusal deleted', $$delete from conduct.recusal$$);
select t.attempt('a respondent who becomes somebody else', $$update conduct.party set id_ix = t.ix('id:a'),
	name_ix = t.ix('name:a') where role = 'respondent'$$);
select t.attempt('a reporter who becomes somebody else', $$update conduct.party set id_ix = t.ix('id:Fa')
	where role = 'reporter'$$);
select t.attempt('a seat moved', $$update conduct.panel_seat set person_id = t.known('Fb')$$);

\echo acts by others
create function t.step(p_row conduct.proceeding, p_action text, p_to text, p_role text, p_person uuid)
returns void language plpgsql
as $$
begin
	update conduct.case_file f set revision = revision + 1 where case_id = p_row.case_id;
	insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
		needs_cause, case_id, act_id, revision, actor_person, at)
	values (p_row.proceeding_id, p_row.kind, p_row.version + 1, p_row.state, p_action, p_to, p_role, true, false,
		p_row.case_id, gen_random_uuid(), (select revision from conduct.case_file where case_id = p_row.case_id),
		p_person, conduct.clock());
	update conduct.proceeding set version = version + 1, state = p_to where proceeding_id = p_row.proceeding_id;
end
$$;
select t.attempt('an act of nobody',
	$$select t.step(t.p('review', 'matter'), 'resolve_informally', 'settled', 'functionary', null)$$);
select t.attempt('an act of a member of another body',
	$$select t.step(t.p('review', 'matter'), 'resolve_informally', 'settled', 'functionary', t.known('Ba'))$$);
select t.attempt('an act of the recused',
	$$select t.step(t.p('review', 'matter'), 'resolve_informally', 'settled', 'functionary', t.known('Fb'))$$);
select t.attempt('an act of who takes no part',
	$$select t.step(t.p('review', 'matter'), 'resolve_informally', 'settled', 'functionary', t.known('Fc'))$$);
select t.attempt('a close before the window is past',
	$$select t.step(t.p('voted', 'matter'), 'close', 'final', 'system', null)$$);
select t.attempt('a revision that jumps',
	$$update conduct.case_file set revision = revision + 1 where case_id = t.id('review');
	select t.step(t.p('review', 'matter'), 'resolve_informally', 'settled', 'functionary', t.known('Fa'))$$);
select t.attempt('a proceeding that changes its body',
	$$update conduct.proceeding set body_id = 'bbwiki-functionaries' where case_id = t.id('review')$$);
select t.attempt('a case shown to another body',
	$$insert into conduct.docket select case_id, 'bbwiki-functionaries', rank, due_at, is_open, stage, state, lane, wiki
	from conduct.docket where case_id = t.id('review')$$);
select t.attempt('a case that intake shows to another body', format($$set local role conduct_intake;
	set local conduct.case_id = %1$L;
	insert into conduct.docket select case_id, 'bbwiki-functionaries', rank, due_at, is_open, stage, state, lane, wiki
	from conduct.docket where case_id = %1$L$$, t.id('review')));
select t.attempt('a docket of a case that is not there',
	$$insert into conduct.docket select t.id('nowhere'), body_id, rank, due_at, is_open, stage, state, lane, wiki
	from conduct.docket where case_id = t.id('review')$$);
select t.attempt('a docket that goes to a case that is not there',
	$$update conduct.docket set case_id = t.id('nowhere') where case_id = t.id('review')$$);
select t.attempt('words made more public', $$update conduct.case_file set privacy = 'parties'$$);
select t.attempt('a case closed under its matter',
	$$update conduct.case_file set closed_at = conduct.clock() where case_id = t.id('review')$$);
select t.attempt('a case of another policy', $$update conduct.case_file set procedure_version = repeat('0', 64)$$);

\echo hearings, decisions
select t.attempt('a hearing that is over at once', $$insert into conduct.hearing_end select hearing_id, 2, case_id,
	'answer', conduct.clock(), conduct.clock() from conduct.hearing$$);
select t.attempt('a notice that gives no time', $$insert into conduct.hearing (hearing_id, case_id, proceeding_id,
	notice_content, notice_lang, notified_at) select t.id('h'), t.id('review'), (t.p('review', 'matter')).proceeding_id,
	notice_content, 'en', conduct.clock() from conduct.hearing;
	insert into conduct.hearing_end values (t.id('h'), 1, t.id('review'), 'notice', conduct.clock(), conduct.clock())$$);
select t.attempt('a waiver without its act', $$insert into conduct.waiver select gen_random_uuid(), t.id('review'),
	(t.p('review', 'matter')).proceeding_id, 'none', notice_content, t.known('Fa'), t.known('Fc'), conduct.clock()
	from conduct.hearing$$);
select t.attempt('a decision of another kind', $$insert into conduct.decision (decision_id, case_id, proceeding_id,
	proceeding_kind, event_seq, instance, body_id, kind, voters, quorum, outcome, at)
	select gen_random_uuid(), case_id, proceeding_id, kind, version, instance, body_id, 'record', 1, 1, 'sanction',
	conduct.clock() from t.p('review', 'matter')$$);
select t.attempt('an item added to a decision', $$update conduct.clock_offset set shift_seconds = shift_seconds + 1;
	insert into conduct.decision_item (decision_id, item, case_id, kind, respondent_id, sanction, has_passed)
	select decision_id, 2, case_id, 'sanction', (t.p('voted', 'matter')).respondent_id, 'ban', true
	from conduct.decision where case_id = t.id('voted')$$);
select t.attempt('a sanction nobody decided', $$insert into conduct.sanction (sanction_id, case_id, decision_id, item,
	respondent_id, kind, from_at, standing) select gen_random_uuid(), case_id, decision_id, 1,
	(t.p('voted', 'matter')).respondent_id, 'ban', conduct.clock(), 'active' from conduct.decision
	where case_id = t.id('voted')$$);
select t.attempt('a window shortened', $$update conduct.decision_notice set appeal_until = conduct.clock()$$);
select t.attempt('a notice to somebody else', $$update conduct.decision_notice set party_id = (select party_id
	from conduct.party where case_id = t.id('voted') and role = 'respondent')$$);

\echo rows stay
select t.attempt('deletion of ' || x, format('delete from conduct.%I', x)) from unnest(array['assignment', 'body',
	'deadline', 'decision_notice', 'hearing', 'panel_seat', 'party', 'proceeding', 'role_grant', 'sanction']) x
where x <> 'sanction';
select t.attempt('truncation of ' || relname, format('truncate conduct.%I cascade', relname)) like '%23514%' as refused,
	count(*) from pg_class where relnamespace = 'conduct'::regnamespace and relkind = 'r' group by 1;
select t.attempt('a grant that begins earlier', $$update conduct.role_grant set from_at = from_at - interval '1 year'$$);
select t.attempt('a step made legal', $$insert into conduct.transition values ('matter', 'review', 'decide', 'resolved',
	'functionary', true, false, '', true)$$);
select t.attempt('a ballot made legal', $$insert into conduct.ballot_kind values ('proposal', 'intake', 'received')$$);
set role conduct_admin;
select t.attempt('a policy set that is not what it says', $$insert into conduct.policy_set select repeat('0', 64), 9,
	canonical, routes, base_profile, now() from conduct.policy_set$$);
select t.attempt('a policy set of a lower revision', $$insert into conduct.policy_set select
	encode(sha256('{}'), 'hex'), 0 + revision, '{}', routes, base_profile, now() from conduct.policy_set$$);
reset role;

\echo as the owner of the tables
set role conduct_owner;
select t.attempt('truncation of ' || relname, format('truncate conduct.%I cascade', relname)) like '%23514%' as refused,
	count(*) from pg_class where relnamespace = 'conduct'::regnamespace and relkind = 'r' group by 1;
reset role;
\echo nothing has changed
select count(*), bool_and(p.version = (select max(seq) from conduct.event e where e.proceeding_id = p.proceeding_id))
from conduct.proceeding p;
\echo what is published is published as a whole
select t.attempt('a quorum lowered', $$update conduct.body set quorum = '{"rule": "fixed", "n": 1}' where body_id = 'u4c'$$);
select t.attempt('a body of its own', $$insert into conduct.body select (jsonb_populate_record(b, '{"body_id": "mine"}')).*
	from conduct.body b where body_id = 'u4c'$$);
select t.attempt('a profile of its own', $$insert into conduct.profile select repeat('b', 64), procedure, categories,
	sanctions, routes from conduct.profile$$);
