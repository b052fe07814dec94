-- What time does by itself.
select t.people() \g /dev/null
create function t.at(p_days numeric) returns text language plpgsql volatile
as $$
declare
	v_total text := '';
	v_answer conduct_api_1.answer;
begin
	update conduct.clock_offset set shift_seconds = (p_days * 86400)::bigint;
	loop
		v_answer := conduct_api_1.timer_run(3);
		v_total := v_total || ' ' || (v_answer.body ->> 'done') || '/' || (v_answer.body ->> 'failed');
		exit when v_answer.body ->> 'done' = '0';
	end loop;
	return 'day ' || p_days || ':' || v_total;
end
$$;
create function t.states() returns setof text language sql stable
as $$
	select concat_ws(' ', n.x, p.kind, p.state, p.body_id, 'revision', f.revision, case when f.closed_at is null then 'open' else 'closed' end)
	from unnest(array['claimless', 'withdrawn', 'danger', 'at risk', 'legal', 'dismissed', 'declined', 'appealed']) with ordinality n (x, nth)
	join conduct.case_file f on f.case_id = t.id(n.x) join conduct.proceeding p using (case_id) order by n.nth, p.opened_at, p.kind
$$;
create function t.late() returns setof text language sql stable
as $$
	select concat_ws(' ', n.x, d.what, case when d.is_void then 'void' when d.met_at is not null then 'met' when d.overdue_at is not null then 'overdue' else 'runs' end)
	from unnest(array['claimless', 'withdrawn', 'danger', 'at risk', 'legal', 'dismissed', 'declined', 'appealed']) with ordinality n (x, nth)
	join conduct.deadline d on d.case_id = t.id(n.x) order by n.nth, d.due_at, d.what, 1
$$;
select (t.submit(n, 'Rep')).status from unnest(array['claimless', 'withdrawn', 'dismissed', 'declined', 'appealed']) n;
select (t.submit('danger', null, '{"harm_type": "physical_harm"}')).status, (t.submit('at risk', null, '{"harm_type": "self_harm"}')).status,
	(t.submit('legal', null, '{"category": "legal"}')).status;
select (t.party('withdrawn', 'withdraw')).status;
select t.act('Fa', n, 'claim') from unnest(array['dismissed', 'declined', 'appealed']) n;
select t.accept('Fa', n) from unnest(array['dismissed', 'appealed']) n;
select t.act('Fa', n, 'dismiss', '{"reason_code": "insufficient", "refer_to": "x"}', array['reason']) from unnest(array['dismissed', 'appealed']) n;
select t.act('Fa', 'declined', 'decline', '{"reason_code": "insufficient", "refer_to": "x"}', array['reason']);
select (t.party('appealed', 'appeal', jsonb_build_object('decision', (select decision_id from conduct.decision where case_id = t.id('appealed')),
	'grounds', '["factual_error"]'::jsonb), array['reasons'])).status;
select t.at(0);
select t.at(0.05);
select t.at(3);
select t.late();
select t.at(29);
select t.states();
select t.at(31);
select t.states();
select t.late();
\echo the appeal goes, and with it what kept the matter open
select (t.party('appealed', 'withdraw_appeal')).status;
select t.at(31.1);
select s from t.states() x (s) where s like 'appealed%';
\echo system acts have no actor
select e.action, e.role, count(*), count(e.actor_person), count(e.actor_party) from conduct.event e where e.role = 'system' group by 1, 2 order by 1;
\echo silence with nobody above: the appeal is heard
select (t.submit('global', 'Rep', '{"wiki": "ccwiki"}')).status;
select t.act('Ua', 'global', 'claim');
select t.act('Ua', 'global', 'decline', '{"reason_code": "insufficient", "refer_to": "x"}', array['reason']);
select (t.party('global', 'appeal', jsonb_build_object('decision', (select decision_id from conduct.decision where case_id = t.id('global')),
	'grounds', '["factual_error"]'::jsonb), array['reasons'])).status;
select p.state, p.body_id, p.is_reconsideration, p.instance from conduct.proceeding p where p.case_id = t.id('global') order by p.opened_at;
select t.at(46);
select p.state from conduct.proceeding p where p.case_id = t.id('global') order by p.opened_at;
\echo a case that somebody holds waits, the others do not
select kind, count(*) from conduct.outbox group by 1 order by 1;
