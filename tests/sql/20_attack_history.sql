-- Illegal histories, tried with plain statements by the one login that may write tables: each is refused
-- by a constraint, none by a function of the interface.
select t.people() \g /dev/null
select (t.submit(n, 'Rep')).status from unnest(array['review', 'appealed', 'triage', 'declined', 'other']) n;
select t.act('Fa', n, 'claim') from unnest(array['review', 'appealed', 'triage', 'declined', 'other']) n;
select t.accept('Fa', n) from unnest(array['review', 'appealed', 'other']) n;
select t.act('Fa', 'appealed', 'dismiss', '{"reason_code": "insufficient", "refer_to": "the talk page"}', array['reason']);
select t.act('Fa', 'declined', 'decline', '{"reason_code": "insufficient", "refer_to": "the talk page"}', array['reason']);
select (t.party(n, 'appeal', jsonb_build_object('decision', (select decision_id from conduct.decision
	where case_id = t.id(n)), 'items', '[1]'::jsonb, 'grounds', '["factual_error"]'::jsonb), array['reasons'])).status
from unnest(array['appealed', 'declined']) n;
select t.act('Aa', 'declined', 'form_panel', jsonb_build_object('members', (select jsonb_agg(person_id)
	from conduct.person_account where id_ix = any (array[t.ix('id:Aa'), t.ix('id:Ab'), t.ix('id:Ac')]))));
select x, p.kind, p.state, p.version from unnest(array['review', 'appealed', 'triage', 'declined', 'other']) x
join conduct.proceeding p on p.case_id = t.id(x) order by 1, p.opened_at, p.kind;

-- Short names for the statements below.
create function t.known(p_name text) returns uuid language sql
as $$ select person_id from conduct.person_account where id_ix = t.ix('id:' || p_name) $$;
create function t.p(p_case text, p_kind text) returns uuid language sql stable
as $$ select proceeding_id from conduct.proceeding where case_id = t.id(p_case) and kind = p_kind
	order by opened_at limit 1 $$;
create function t.event(p_proceeding uuid, p_kind text, p_from text, p_action text, p_to text, p_role text,
	p_cause uuid default null, p_seq integer default null, p_moves boolean default true)
returns void language plpgsql
as $$
declare
	v_row conduct.proceeding;
	v_cause conduct.event;
	v_person uuid;
	v_party uuid;
begin
	select * into v_row from conduct.proceeding where proceeding_id = p_proceeding;
	select * into v_cause from conduct.event where proceeding_id = p_cause order by seq desc limit 1;
	-- By somebody who could act, so that it is not the actor that is refused.
	if p_cause is not null and p_action <> 'appeal' then
		v_person := v_cause.actor_person;
		v_party := v_cause.actor_party;
	elsif p_role in ('functionary', 'panel') then
		v_person := t.known(case p_role when 'panel' then 'Aa' else 'Fa' end);
	elsif p_role <> 'system' then
		v_party := coalesce(v_row.appellant_id, (select party_id from conduct.party
			where case_id = v_row.case_id and role = p_role order by seq limit 1));
	end if;
	insert into conduct.event (proceeding_id, kind, seq, from_state, action, to_state, role, moves,
		needs_cause, case_id, act_id, revision, actor_person, actor_party, at, cause_id, cause_seq, cause_kind,
		cause_action)
	values (p_proceeding, p_kind, coalesce(p_seq, v_row.version + 1), p_from, p_action, p_to, p_role, p_moves,
		p_cause is not null, v_row.case_id, case when p_action = 'appeal' then gen_random_uuid()
			else coalesce(v_cause.act_id, gen_random_uuid()) end,
		(select revision from conduct.case_file where case_id = v_row.case_id), v_person, v_party,
		conduct.clock(), p_cause, v_cause.seq, v_cause.kind, v_cause.action);
end
$$;
-- The event and the head that goes with it, and the case's revision.
create function t.step(p_proceeding uuid, p_kind text, p_from text, p_action text, p_to text, p_role text,
	p_cause uuid default null) returns void language plpgsql
as $$
begin
	update conduct.case_file f set revision = revision + 1
	where case_id = (select case_id from conduct.proceeding where proceeding_id = p_proceeding);
	perform t.event(p_proceeding, p_kind, p_from, p_action, p_to, p_role, p_cause);
	update conduct.proceeding set version = version + 1, state = p_to where proceeding_id = p_proceeding;
end
$$;
create function t.open(p_case text, p_kind text, p_action text, p_state text, p_role text, p_cause uuid,
	p_round integer default 1, p_against uuid default null, p_against_seq integer default null,
	p_party integer default 2)
returns uuid language plpgsql
as $$
declare
	v_id uuid := gen_random_uuid();
begin
	-- An effect is of the act that caused it.
	update conduct.case_file f set revision = revision + 1
	where case_id = t.id(p_case) and (p_cause is null or p_action = 'appeal');
	insert into conduct.proceeding (proceeding_id, case_id, kind, respondent_id, round, instance, body_id,
		appellant_id, against_id, against_seq, opened_by, version, state, opened_at, state_at)
	values (v_id, t.id(p_case), p_kind, case when p_kind <> 'intake' then (select party_id from conduct.party
			where case_id = t.id(p_case) and seq = p_party) end, p_round, 1,
		'aawiki-functionaries', case when p_against is not null then (select party_id from conduct.party
			where case_id = t.id(p_case) and seq = p_party) end,
		p_against, p_against_seq, p_action, 1, p_state, conduct.clock(), conduct.clock());
	perform t.event(v_id, p_kind, 'new', p_action, p_state, p_role, p_cause, 1);
	return v_id;
end
$$;

\echo openings
select t.attempt('a matter while the intake is in triage',
	$$select t.open('triage', 'matter', 'accept', 'review', 'functionary', t.p('triage', 'intake'))$$);
select t.attempt('a matter without a cause',
	$$select t.open('review', 'matter', 'accept', 'review', 'functionary', null, p_party => 1)$$);
select t.attempt('a matter caused by another case',
	$$select t.open('review', 'matter', 'accept', 'review', 'functionary', t.p('other', 'intake'), p_party => 1)$$);
select t.attempt('a matter that its cause does not open',
	$$select t.open('review', 'matter', 'add_respondent', 'review', 'functionary', t.p('review', 'intake'), p_party => 1)$$);
select t.attempt('a matter caused by its own case''s claim',
	$$select t.open('triage', 'matter', 'claim', 'review', 'functionary', t.p('triage', 'intake'))$$);
select t.attempt('a second live matter of one respondent',
	$$select t.open('review', 'matter', 'accept', 'review', 'functionary', t.p('review', 'intake'), 2)$$);
select t.attempt('a second intake',
	$$select t.open('triage', 'intake', 'submit', 'received', 'reporter', null, 2)$$);
select t.attempt('an intake of the same round',
	$$select t.open('declined', 'intake', 'submit', 'received', 'reporter', null, 1)$$);
select t.attempt('a proceeding without an event',
	$$insert into conduct.proceeding (proceeding_id, case_id, kind, round, instance, body_id, opened_by,
		version, state, opened_at, state_at) values (gen_random_uuid(), t.id('declined'), 'intake', 2, 1,
		'aawiki-functionaries', 'submit', 1, 'received', now(), now())$$);
select t.attempt('a reopened round',
	$$select t.open('review', 'matter', 'reopen', 'review', 'functionary', t.p('review', 'matter'), 2, p_party => 1)$$);
select t.attempt('a remand without an appeal that remands',
	$$select t.open('appealed', 'matter', 'remand', 'review', 'panel', t.p('appealed', 'appeal'), 2, p_party => 1)$$);
select t.attempt('a proceeding whose first event is of another kind',
	$$with p as (insert into conduct.proceeding (proceeding_id, case_id, kind, round, instance, body_id, opened_by,
		version, state, opened_at, state_at) values (t.id('odd'), t.id('declined'), 'intake', 2, 1,
		'aawiki-functionaries', 'submit', 1, 'received', now(), now()) returning 1) select from p;
	select t.event(t.id('odd'), 'appeal', 'new', 'appeal', 'appeal_filed', 'target', t.p('declined', 'intake'), 1)$$);
select t.attempt('a take-up without its effect''s cause',
	$$select t.open('declined', 'intake', 'take_up', 'accepted', 'panel', t.p('declined', 'appeal'), 2)$$);

\echo steps
select t.attempt('accept without a matter',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'accept', 'accepted', 'functionary')$$);
select t.attempt('an event of another kind',
	$$select t.event(t.p('triage', 'intake'), 'matter', 'review', 'propose', 'deliberation', 'functionary')$$);
select t.attempt('an event without a head',
	$$select t.event(t.p('triage', 'intake'), 'intake', 'triage', 'escalate', 'escalated', 'functionary')$$);
select t.attempt('a head without an event',
	$$update conduct.proceeding set version = version + 1, state = 'escalated' where proceeding_id = t.p('triage', 'intake')$$);
select t.attempt('a head that changed its state alone',
	$$update conduct.proceeding set state = 'escalated' where proceeding_id = t.p('triage', 'intake')$$);
select t.attempt('a head in a state of another kind',
	$$update conduct.proceeding set state = 'review' where proceeding_id = t.p('triage', 'intake')$$);
select t.attempt('a head in a state that does not exist',
	$$update conduct.proceeding set state = 'lost' where proceeding_id = t.p('triage', 'intake')$$);
select t.attempt('a step to a state of another kind',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'accept', 'review', 'functionary')$$);
select t.attempt('a head moved back',
	$$update conduct.proceeding set version = version - 1, state = 'received' where proceeding_id = t.p('triage', 'intake')$$);
select t.attempt('a step that no row allows',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'claim', 'accepted', 'functionary')$$);
select t.attempt('a step by a role that may not',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'decline', 'declined', 'reporter')$$);
select t.attempt('a step from a state it is not in',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'received', 'withdraw', 'withdrawn', 'reporter')$$);
select t.attempt('a skipped seq',
	$$select t.event(t.p('triage', 'intake'), 'intake', 'triage', 'escalate', 'escalated', 'functionary', null, 9)$$);
select t.attempt('a decline without a decision',
	$$select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'decline', 'declined', 'functionary')$$);
select t.attempt('a proposal without a ballot',
	$$select t.step(t.p('review', 'matter'), 'matter', 'review', 'propose', 'deliberation', 'functionary')$$);
select t.attempt('supersede without a cause',
	$$select t.step(t.p('appealed', 'matter'), 'matter', 'dismissed', 'supersede', 'final', 'panel')$$);
select t.attempt('supersede by an appeal that has not remanded',
	$$select t.step(t.p('appealed', 'matter'), 'matter', 'dismissed', 'supersede', 'final', 'panel', t.p('appealed', 'appeal'))$$);
select t.attempt('a close under an open appeal',
	$$select t.step(t.p('appealed', 'matter'), 'matter', 'dismissed', 'close', 'final', 'system')$$);
select t.attempt('a remand that opens nothing',
	$$select t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_filed', 'accept_appeal', 'appeal_review', 'system'),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_review', 'remand', 'appeal_remanded', 'panel')$$);
select t.attempt('a take-up that opens nothing',
	$$select t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_filed', 'accept_appeal', 'appeal_review', 'system'),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_review', 'take_up', 'appeal_decided', 'panel')$$);
select t.attempt('an appeal decided without a decision',
	$$select t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_filed', 'accept_appeal', 'appeal_review', 'system'),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_review', 'decide_appeal', 'appeal_decided', 'panel')$$);
select t.attempt('the remand of one of two sibling appeals',
	$$select t.open('declined', 'appeal', 'appeal', 'appeal_filed', 'respondent', t.p('declined', 'intake'), 1,
		t.p('declined', 'intake'), 3),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_filed', 'accept_appeal', 'appeal_review', 'system'),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_review', 'remand', 'appeal_remanded', 'panel'),
	t.open('declined', 'intake', 'remand', 'triage', 'panel', t.p('declined', 'appeal'), 2)$$);
select t.attempt('an appeal after a remand',
	$$select t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_filed', 'accept_appeal', 'appeal_review', 'system'),
	t.step(t.p('declined', 'appeal'), 'appeal', 'appeal_review', 'remand', 'appeal_remanded', 'panel'),
	t.open('declined', 'intake', 'remand', 'triage', 'panel', t.p('declined', 'appeal'), 2),
	t.open('declined', 'appeal', 'appeal', 'appeal_filed', 'respondent', t.p('declined', 'intake'), 1,
		t.p('declined', 'intake'), 3)$$);
select t.attempt('a second appeal of one party against one object',
	$$insert into conduct.proceeding select (jsonb_populate_record(p, jsonb_build_object('proceeding_id', gen_random_uuid()))).*
		from conduct.proceeding p where proceeding_id = t.p('declined', 'appeal')$$);
select t.attempt('an appeal against an act that decides nothing',
	$$select t.open('review', 'appeal', 'appeal', 'appeal_filed', 'respondent', t.p('review', 'matter'), 1,
		t.p('review', 'matter'), 1)$$);
select t.attempt('a revision without an act',
	$$update conduct.case_file set revision = revision + 1 where case_id = t.id('triage')$$);
select t.attempt('a moving act without a revision',
	$$update conduct.case_file set revision = revision - 1 where case_id = t.id('triage')$$);
select t.attempt('a proceeding that becomes another',
	$$update conduct.proceeding set respondent_id = null where proceeding_id = t.p('review', 'matter')$$);

\echo deciding
select t.attempt('the first decider in the appeal''s instance',
	$$insert into conduct.took_part select gen_random_uuid(), case_id, principal_id, 2, now() from conduct.took_part
		where case_id = t.id('declined')$$);
select t.attempt('a seat for somebody who has no part',
	$$with p as (insert into conduct.panel select gen_random_uuid(), case_id, proceeding_id, instance, now()
		from conduct.proceeding where proceeding_id = t.p('appealed', 'appeal') returning *)
	insert into conduct.panel_seat select p.panel_id, p.case_id, p.instance, t.principal_id,
		(select person_id from conduct.person where principal_id = t.principal_id), now()
		from p, conduct.took_part t where t.case_id = p.case_id$$);
select t.attempt('a vote without a ballot',
	$$insert into conduct.vote (ballot_id, item, principal_id, seq, case_id, instance, vote, at)
		select gen_random_uuid(), 0, principal_id, 1, case_id, 1, 'support', now() from conduct.took_part limit 1$$);
select t.attempt('a proposal''s ballot without a hearing',
	$$insert into conduct.ballot (ballot_id, case_id, proceeding_id, proceeding_kind, instance, event_seq,
		ballot_kind, opened_in, motion, drafter, rule, quorum, opened_at)
		select gen_random_uuid(), case_id, proceeding_id, kind, instance, version, 'proposal', 'review', 'propose',
			(select person_id from conduct.person limit 1), '{}', 1, now()
		from conduct.proceeding where proceeding_id = t.p('review', 'matter')$$);
select t.attempt('a ballot in a state that has none',
	$$insert into conduct.ballot (ballot_id, case_id, proceeding_id, proceeding_kind, instance, event_seq,
		ballot_kind, opened_in, motion, drafter, rule, quorum, opened_at)
		select gen_random_uuid(), case_id, proceeding_id, kind, instance, version, 'acceptance', 'accepted', 'accept',
			(select person_id from conduct.person limit 1), '{}', 1, now()
		from conduct.proceeding where proceeding_id = t.p('review', 'intake')$$);
select t.attempt('a decision without its event',
	$$insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq, instance,
		body_id, kind, voters, quorum, reason_code, outcome, at)
		select gen_random_uuid(), case_id, proceeding_id, kind, 99, instance, body_id, 'dismiss', 1, 1,
			'insufficient', 'dismissed', now()
		from conduct.proceeding where proceeding_id = t.p('review', 'matter')$$);
select t.attempt('a decision below quorum',
	$$insert into conduct.decision (decision_id, case_id, proceeding_id, proceeding_kind, event_seq, instance,
		body_id, kind, voters, quorum, reason_code, outcome, at)
		select gen_random_uuid(), case_id, proceeding_id, kind, version, instance, body_id, 'dismiss', 1, 2,
			'insufficient', 'dismissed', now()
		from conduct.proceeding where proceeding_id = t.p('review', 'matter')$$);
select t.attempt('an auditor who handles',
	$$insert into conduct.role_grant select gen_random_uuid(), person_id, 'auditor', body_id, from_at, until_at,
		null, now(), null, null from conduct.role_grant where role = 'functionary' limit 1$$);

\echo what was written stays
select t.attempt('change of ' || x, format('update conduct.%I set %s', x, y)) from (values
	('event', 'reason_content = null'), ('content', 'body = ''\x00'''), ('decision', 'outcome = ''sanction'''),
	('decision_item', 'has_passed = false'), ('report', 'category = null'), ('allegation', 'rule = ''x'''),
	('transition', 'action = ''x'''), ('policy_set', 'canonical = ''x'''), ('profile', 'procedure = ''{}''')) v (x, y);
select t.attempt('deletion of ' || x, format('delete from conduct.%I', x))
from unnest(array['event', 'content', 'decision', 'report', 'transition', 'policy_set']) x;
select t.attempt('truncation of ' || x, format('truncate conduct.%I cascade', x))
from unnest(array['event', 'content', 'policy_set']) x;
select t.attempt('a retired row is used',
	$$update conduct.transition set in_force = false where action = 'escalate';
	select t.step(t.p('triage', 'intake'), 'intake', 'triage', 'escalate', 'escalated', 'functionary')$$);

\echo switching the guards off
select t.attempt('session_replication_role', 'set session_replication_role = replica');
select t.attempt('the trigger of a foreign key', format('alter table conduct.event disable trigger %I',
	'RI_ConstraintTrigger_c_' || (select oid from pg_trigger where tgrelid = 'conduct.event'::regclass
		and tgisinternal order by oid limit 1))) like '%42%' as refused;

\echo as the owner of the tables
set role conduct_owner;
select t.attempt('session_replication_role', 'set session_replication_role = replica');
select count(*) from conduct.event;
select t.attempt('an event', $$insert into conduct.event (proceeding_id, kind, seq, from_state, action,
	to_state, role, moves, needs_cause, case_id, act_id, revision, at) values (gen_random_uuid(), 'intake', 1,
	'new', 'submit', 'received', 'reporter', true, false, t.id('triage'), gen_random_uuid(), 1, now())$$);
select t.attempt('a key unit', $$insert into conduct.unit values (gen_random_uuid(), 'report', now())$$);
with gone as (delete from conduct.took_part returning 1) select count(*) from gone;
with gone as (update conduct.proceeding set state = 'final' returning 1) select count(*) from gone;
\echo what an owner switches off is named by readiness
alter table conduct.event disable trigger event_follows_a_row_in_force;
reset role;
select body ->> 'triggers_off' from conduct_api_1.readiness();
