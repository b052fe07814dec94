-- The procedure as rows. A row is retired (in_force = false), never changed: history references it.
-- Format of procedure_row: kind | from | action | to | roles | * where a cause is needed | comment.
-- A row whose `to` is '=' moves nothing.

set role conduct_admin;
set search_path = conduct, pg_catalog;

insert into state (kind, state, class) values
	('intake', 'received', 'open'), ('intake', 'triage', 'open'), ('intake', 'escalated', 'open'),
	('intake', 'accepted', 'ended'), ('intake', 'declined', 'ended'), ('intake', 'handed_over', 'ended'),
	('intake', 'withdrawn', 'ended'), ('intake', 'merged', 'ended'),
	('matter', 'review', 'open'), ('matter', 'info_wait', 'open'), ('matter', 'mediation', 'open'),
	('matter', 'deliberation', 'open'), ('matter', 'resolved', 'decided'),
	('matter', 'dismissed', 'decided'), ('matter', 'settled', 'decided'), ('matter', 'final', 'ended'),
	('matter', 'joined', 'ended'),
	('appeal', 'appeal_filed', 'open'), ('appeal', 'appeal_review', 'open'),
	('appeal', 'appeal_decided', 'ended'), ('appeal', 'appeal_declined', 'ended'),
	('appeal', 'appeal_remanded', 'ended'), ('appeal', 'appeal_withdrawn', 'ended')
on conflict (state) do nothing;

with procedure_row (line) as (values
	('intake|new|submit|received|reporter||a report opens its own case'),
	('intake|new|remand|triage|panel|*|a declined report goes back'),
	('intake|new|take_up|accepted|panel|*|the appeal body takes up a declined report'),
	('intake|received|claim|triage|functionary||somebody takes it up'),
	('intake|received,triage|escalate|escalated|functionary,system||danger, or a matter for an external body'),
	('intake|triage|accept|accepted|functionary||opens a matter for each respondent carried'),
	('intake|triage|decline|declined|functionary||with a reason, and where to turn'),
	('intake|escalated|hand_back|handed_over|external_body||acted, referred or handled'),
	('intake|escalated|hand_back|triage|external_body,system||back to the ordinary way'),
	('intake|received,triage|withdraw|withdrawn|reporter,system||the reporter takes the report back'),
	('intake|withdrawn|resume|triage|reporter,functionary||within the resume period'),
	('intake|accepted|add_respondent|accepted|functionary||one more respondent'),
	('matter|new|accept|review|functionary|*|opened by acceptance'),
	('matter|new|dismiss|dismissed|functionary|*|a respondent not carried at acceptance'),
	('matter|new|add_respondent|review|functionary|*|opened for an added respondent'),
	('matter|new|record|resolved|external_body|*|an external body acted'),
	('matter|new|remand|review|panel|*|the next round, before other people'),
	('matter|new|take_up|review|panel|*|the next round, at the appeal body'),
	('matter|review|dismiss|dismissed|functionary||with a reason, and where to turn'),
	('matter|review|resolve_informally|settled|functionary||advice only'),
	('matter|settled|object|review|party||a party does not agree'),
	('matter|review|propose|deliberation|functionary||findings, sanctions, dispositions'),
	('matter|deliberation|send_back|review|panel,drafter||the proposal is withdrawn or has failed'),
	('matter|deliberation|decide|resolved|functionary,panel,ts_staff||the decision'),
	('matter|resolved,dismissed,settled|close|final|system||the window is past'),
	('matter|resolved,dismissed|supersede|final|panel|*|the next round replaces it'),
	('appeal|new|appeal|appeal_filed|respondent,reporter,target|*|against items of a decision'),
	('appeal|appeal_filed|accept_appeal|appeal_review|appeal_body,system||the appeal is heard'),
	('appeal|appeal_filed|decline_appeal|appeal_declined|appeal_body||the appeal is not heard'),
	('appeal|appeal_filed,appeal_review|withdraw_appeal|appeal_withdrawn|appellant||taken back'),
	('appeal|appeal_review|decide_appeal|appeal_decided|panel||ratified, modified, overturned'),
	('appeal|appeal_review|remand|appeal_remanded|panel||back to new handlers'),
	('appeal|appeal_review|take_up|appeal_decided|panel||the appeal body goes on itself'),
	-- acts that move nothing
	('intake|received,triage|acknowledge|=|functionary||a human has seen it'),
	('intake|escalated|acknowledge|=|external_body||a human has seen it'),
	('intake|triage,accepted|assign|=|functionary||somebody is named'),
	('intake|escalated|assign|=|external_body||somebody is named'),
	('intake|triage,accepted|set_severity|=|functionary||not below the floor of its rules'),
	('intake|received,triage,accepted|recuse|=|functionary||out of the whole case'),
	('intake|escalated|recuse|=|external_body||out of the whole case'),
	('intake|triage|form_panel|=|functionary||for a vote on acceptance'),
	('intake|triage|put_to_vote|=|functionary||acceptance'),
	('intake|triage|vote|=|panel||on acceptance'),
	('intake|triage|close_vote|=|functionary,panel||counts'),
	('matter|review,deliberation|assign|=|functionary||somebody is named'),
	('matter|review|notify_respondent|=|functionary||the hearing begins'),
	('matter|review,resolved,dismissed|record_service|=|functionary||the notice has reached the party'),
	('matter|review|answer|=|party||in the hearing'),
	('matter|review|extend|=|party||asks for more time, once'),
	('matter|review|grant_extension|=|functionary||grants more time, once'),
	('matter|review|waive_hearing|=|functionary||with a reason; the hardest by two'),
	('matter|review,deliberation|recuse|=|functionary,panel||out of the whole case'),
	('matter|review,deliberation|form_panel|=|functionary||who decides'),
	('matter|deliberation|vote|=|panel||item by item'),
	('matter|deliberation|close_vote|=|functionary,panel||counts'),
	('appeal|appeal_filed,appeal_review|assign|=|appeal_body||somebody is named'),
	('appeal|appeal_filed,appeal_review|recuse|=|appeal_body,panel||out of the whole case'),
	('appeal|appeal_filed,appeal_review|form_panel|=|appeal_body||none of them a prior decider'),
	('appeal|appeal_filed,appeal_review|put_to_vote|=|appeal_body,panel||a motion'),
	('appeal|appeal_filed,appeal_review|vote|=|panel||on the motion, item by item'),
	('appeal|appeal_filed,appeal_review|close_vote|=|appeal_body,panel||counts'),
	('appeal|appeal_decided|record_service|=|appeal_body||the notice has reached the party'))
insert into transition (kind, from_state, action, to_state, role, moves, needs_cause, comment)
select f[1], from_state, f[3], case f[4] when '=' then from_state else f[4] end, role,
	f[4] <> '=', f[6] = '*', f[7]
from procedure_row, string_to_array(line, '|') f,
	string_to_table(f[2], ',') from_state, string_to_table(f[5], ',') role
on conflict (kind, from_state, action, to_state, role) do nothing;

insert into transition_cause (kind, from_state, action, to_state, cause_kind, cause_action) values
	('appeal', 'new', 'appeal', 'appeal_filed', 'appeal', 'decide_appeal'),
	('appeal', 'new', 'appeal', 'appeal_filed', 'intake', 'decline'),
	('appeal', 'new', 'appeal', 'appeal_filed', 'matter', 'decide'),
	('appeal', 'new', 'appeal', 'appeal_filed', 'matter', 'dismiss'),
	('appeal', 'new', 'appeal', 'appeal_filed', 'matter', 'record'),
	('intake', 'new', 'remand', 'triage', 'appeal', 'remand'),
	('intake', 'new', 'take_up', 'accepted', 'appeal', 'take_up'),
	('matter', 'dismissed', 'supersede', 'final', 'appeal', 'remand'),
	('matter', 'dismissed', 'supersede', 'final', 'appeal', 'take_up'),
	('matter', 'new', 'accept', 'review', 'intake', 'accept'),
	('matter', 'new', 'add_respondent', 'review', 'intake', 'add_respondent'),
	('matter', 'new', 'dismiss', 'dismissed', 'intake', 'accept'),
	('matter', 'new', 'record', 'resolved', 'intake', 'hand_back'),
	('matter', 'new', 'remand', 'review', 'appeal', 'remand'),
	('matter', 'new', 'take_up', 'review', 'appeal', 'take_up'),
	('matter', 'resolved', 'supersede', 'final', 'appeal', 'remand'),
	('matter', 'resolved', 'supersede', 'final', 'appeal', 'take_up')
on conflict do nothing;

insert into ballot_kind (ballot_kind, proceeding_kind, state) values
	('acceptance', 'intake', 'triage'),
	('proposal', 'matter', 'review'),
	('proposal', 'matter', 'deliberation'),
	('acceptance', 'appeal', 'appeal_filed'),
	('appeal', 'appeal', 'appeal_review')
on conflict do nothing;

insert into guard (guard, implemented_by, meaning) values
	('body-holds-it', 'function conduct_api_1.target', 'the actor''s body holds the proceeding'),
	('not-recused', 'function conduct_gate.is_recused', 'no conflict of interest'),
	('no-prior-decider', 'index took_part_one_instance', 'nobody decides twice'),
	('external-target', 'function conduct_api_1.case_escalate', 'the lane is emergency, or the route''s target is external'),
	('has-allegation', 'function conduct_api_1.case_accept', 'each respondent carried has an allegation'),
	('has-a-matter', 'trigger proceedings_agree', 'at least one matter'),
	('acceptance-vote', 'function conduct_api_1.case_accept', 'the body has voted to accept'),
	('severity-floor', 'function conduct_api_1.check_severity', 'not below the floor of its rules'),
	('second-person', 'constraint decision_two_are_two', 'S3 and above, and bad faith, need two people'),
	('refer-to', 'function conduct_api_1.turn_down', 'says where to turn'),
	('heard', 'constraint ballot_was_heard', 'heard, or a waiver'),
	('hearing-ended', 'constraint ballot_hearing_has_ended', 'answered, or the time is past'),
	('quorum', 'constraint decision_has_quorum', 'never below quorum'),
	('tally', 'trigger decision_is_carried', 'the count has passed'),
	('single-decider', 'function conduct_api_1.case_decide', 'one person decides only S1 and S2 within the local cap'),
	('panel-formed', 'function conduct_api_1.case_decide', 'a panel is seated'),
	('panel-named', 'function conduct_api_1.case_decide', 'the panel was named in time'),
	('panel-size', 'function conduct_api_1.case_form_panel', 'as many members as the body needs'),
	('advice-only', 'function conduct_api_1.case_resolve_informally', 'S1 or S2 only'),
	('in-window', 'function conduct_api_1.party_appeal', 'the window is open'),
	('adversely-affected', 'function conduct_api_1.party_appeal', 'the appellant is affected'),
	('one-appeal', 'index proceeding_one_appeal', 'one per party and object'),
	('past-window', 'function conduct_api_1.timer_close', 'every decision is past its window'),
	('no-open-appeal', 'trigger proceedings_agree', 'no appeal is open'),
	('one-remand', 'index proceeding_one_remand', 'once per respondent and case'),
	('new-handlers', 'function conduct_api_1.case_remand', 'new handlers exist'),
	('remand-spent', 'function conduct_api_1.case_take_up', 'the remand is spent, or nobody new is there'),
	('joined-appeals', 'function conduct_api_1.join_guard', 'others may still join, or are decided together'),
	('open-ballot', 'trigger vote_is_in_order', 'a ballot is open'),
	('resume-period', 'function conduct_api_1.party_resume', 'the period is not past'),
	('ex-officio', 'function conduct_api_1.party_withdraw', 'the intake ends unless somebody goes on'),
	('once', 'function conduct_api_1.party_extend', 'once')
on conflict (guard) do update set implemented_by = excluded.implemented_by, meaning = excluded.meaning;

insert into transition_guard (kind, action, guard) values
	('intake', 'claim', 'body-holds-it'), ('intake', 'claim', 'not-recused'),
	('intake', 'escalate', 'external-target'),
	('intake', 'accept', 'has-allegation'), ('intake', 'accept', 'has-a-matter'),
	('intake', 'accept', 'acceptance-vote'), ('intake', 'accept', 'severity-floor'),
	('intake', 'decline', 'second-person'), ('intake', 'decline', 'refer-to'),
	('intake', 'withdraw', 'ex-officio'), ('intake', 'resume', 'resume-period'),
	('intake', 'set_severity', 'severity-floor'), ('intake', 'vote', 'open-ballot'),
	('matter', 'dismiss', 'second-person'), ('matter', 'dismiss', 'refer-to'),
	('matter', 'resolve_informally', 'advice-only'), ('matter', 'object', 'in-window'),
	('matter', 'propose', 'heard'), ('matter', 'propose', 'hearing-ended'),
	('matter', 'decide', 'quorum'), ('matter', 'decide', 'tally'), ('matter', 'decide', 'single-decider'),
	('matter', 'decide', 'panel-formed'), ('matter', 'decide', 'panel-named'),
	('matter', 'form_panel', 'panel-size'), ('matter', 'form_panel', 'no-prior-decider'),
	('matter', 'vote', 'open-ballot'), ('matter', 'extend', 'once'), ('matter', 'grant_extension', 'once'),
	('matter', 'close', 'past-window'), ('matter', 'close', 'no-open-appeal'),
	('appeal', 'appeal', 'in-window'), ('appeal', 'appeal', 'adversely-affected'),
	('appeal', 'appeal', 'one-appeal'),
	('appeal', 'accept_appeal', 'acceptance-vote'),
	('appeal', 'form_panel', 'panel-size'), ('appeal', 'form_panel', 'no-prior-decider'),
	('appeal', 'decide_appeal', 'panel-formed'), ('appeal', 'decide_appeal', 'panel-named'),
	('appeal', 'decide_appeal', 'tally'), ('appeal', 'decide_appeal', 'quorum'),
	('appeal', 'decide_appeal', 'joined-appeals'),
	('appeal', 'remand', 'one-remand'), ('appeal', 'remand', 'new-handlers'),
	('appeal', 'remand', 'tally'), ('appeal', 'remand', 'joined-appeals'),
	('appeal', 'take_up', 'remand-spent'), ('appeal', 'take_up', 'tally'),
	('appeal', 'take_up', 'joined-appeals'), ('appeal', 'vote', 'open-ballot')
on conflict do nothing;

reset role;
reset search_path;
