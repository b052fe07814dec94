-- Seats, rolls, ballots, tallies and decisions agree with each other whoever writes them: nobody votes who
-- may not, a ballot asks for no less than its body does, and what is counted is what was voted.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Seats, ballots, votes --------------------------------------------------------------------------

-- Who takes a seat is a member of the body, not recused, in this instance and in no other, and does so
-- before anybody has voted.
create function conduct_gate.seat_is_in_order() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_row conduct.proceeding;
begin
	if new.left_at is not null then
		return new;
	end if;
	select p.* into v_row from conduct.panel n
	join conduct.proceeding p on p.proceeding_id = n.proceeding_id where n.panel_id = new.panel_id;
	if new.principal_id is distinct from conduct_gate.principal_of(new.person_id)
		or not exists (select from conduct.body b where b.body_id = v_row.body_id
			and conduct_gate.has_role(new.person_id, b.role, b.body_id))
		or conduct_gate.is_vote_recused(new.case_id, v_row.body_id, new.principal_id)
		or conduct_gate.is_barred(new.case_id, new.instance, new.principal_id)
		or exists (select from conduct.ballot b join conduct.vote v on v.ballot_id = b.ballot_id
			where b.proceeding_id = v_row.proceeding_id and b.closed_at is null)
	then
		perform conduct_gate.refuse('panel_seat_is_in_order');
	end if;
	return new;
end
$$;

-- The roll is the seated panel, else the body; it is drawn before anybody has voted.
create function conduct_gate.roll_is_in_order() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_row conduct.proceeding;
begin
	select p.* into v_row from conduct.ballot b
	join conduct.proceeding p on p.proceeding_id = b.proceeding_id
	where b.ballot_id = new.ballot_id and b.closed_at is null;
	if v_row.proceeding_id is null
		or exists (select from conduct.vote v where v.ballot_id = new.ballot_id)
		or new.principal_id is distinct from conduct_gate.principal_of(new.person_id)
		or conduct_gate.is_vote_recused(new.case_id, v_row.body_id, new.principal_id)
		or conduct_gate.is_barred(new.case_id, new.instance, new.principal_id)
		or not (case when exists (select from conduct.panel n where n.proceeding_id = v_row.proceeding_id)
			then exists (select from conduct.panel n
				join conduct.panel_seat s on s.panel_id = n.panel_id and s.left_at is null
				where n.proceeding_id = v_row.proceeding_id and s.person_id = new.person_id)
			else exists (select from conduct.body b where b.body_id = v_row.body_id
				and conduct_gate.has_role(new.person_id, b.role, b.body_id)) end)
	then
		perform conduct_gate.refuse('ballot_voter_is_in_order');
	end if;
	return new;
end
$$;

-- The rule and the quorum of a ballot are those of its body, never less. One person decides S1 and S2 where
-- the body lets one decide and no panel sits; one other hears an appeal against what one turned down.
create function conduct_gate.ballot_is_its_bodys() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_body conduct.body;
	v_row conduct.proceeding;
	v_quorum integer;
	v_rule text := new.rule ->> 'rule';
begin
	select * into v_row from conduct.proceeding p where p.proceeding_id = new.proceeding_id;
	select * into v_body from conduct.body b where b.body_id = v_row.body_id;
	v_quorum := case
		when new.motion <> 'propose' and v_body.accept_rule ->> 'rule' <> 'none'
			and new.ballot_kind = 'acceptance' then 1
		when v_rule = 'single' and v_body.decides = 'single' and v_row.kind = 'matter'
			and (select f.severity from conduct.case_file f where f.case_id = new.case_id) in ('S1', 'S2')
			and not exists (select from conduct.panel n
				join conduct.panel_seat s on s.panel_id = n.panel_id and s.left_at is null
				where n.proceeding_id = new.proceeding_id) then 1
		when v_rule = 'two_staff' and v_rule = v_body.decide_rule ->> 'rule' then 2
		when v_rule in ('single', 'two_staff') then null
		when v_row.kind = 'appeal' and v_body.decides = 'single' and exists (select from conduct.decision d
			where d.proceeding_id = v_row.against_id and d.event_seq = v_row.against_seq
				and d.kind in ('decline', 'dismiss')) then 1
		when v_body.quorum ->> 'rule' = 'majority_of_active' then (select count(*) / 2 + 1
			from conduct_gate.active_members(v_row.body_id, new.case_id, new.instance))
		else coalesce((v_body.quorum ->> 'n')::integer, 1) end;
	if new.opened_at <> conduct.clock() or new.closed_at is not null or new.opened_in <> v_row.state
		or new.quorum < v_quorum or v_quorum is null
		or (new.ballot_kind = 'proposal' and v_rule <> 'single' and new.rule <> v_body.decide_rule)
		or (new.ballot_kind = 'acceptance' and v_body.accept_rule ->> 'rule' <> 'none'
			and new.rule <> v_body.accept_rule)
		or (new.ballot_kind = 'appeal' and new.rule <> v_body.decide_rule and v_rule <> 'majority')
	then
		perform conduct_gate.refuse('ballot_is_its_bodys');
	end if;
	return null;
end
$$;

-- A ballot closes once.
create function conduct_gate.ballot_closes_once() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if old.closed_at is not null then
		perform conduct_gate.refuse('ballot_closes_once');
	end if;
	return new;
end
$$;

-- What a ballot or a decision consists of is written with it.
create function conduct_gate.item_is_of_its_ballot() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if not exists (select from conduct.ballot b
		where b.ballot_id = new.ballot_id and b.closed_at is null and b.opened_at = conduct.clock())
	then
		perform conduct_gate.refuse(tg_table_name || '_is_of_its_ballot');
	end if;
	return new;
end
$$;

-- Votes fall only on an open ballot, in the state it was opened in, by a voter who is not recused.
create function conduct_gate.vote_is_in_order() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.lock_case(new.case_id);
	if not exists (
		select from conduct.ballot b
		join conduct.proceeding p on p.proceeding_id = b.proceeding_id and p.state = b.opened_in
		where b.ballot_id = new.ballot_id and b.closed_at is null)
	then
		perform conduct_gate.refuse('vote_needs_an_open_ballot');
	end if;
	if exists (select from conduct.ballot_voter v
		where v.ballot_id = new.ballot_id and v.principal_id = new.principal_id
			and v.recused_at is not null)
		or conduct_gate.is_recused(new.case_id, new.principal_id)
		or exists (select from conduct.took_part t
			where t.case_id = new.case_id and t.principal_id = new.principal_id
				and t.instance = new.instance and t.is_void)
	then
		perform conduct_gate.refuse('vote_of_the_recused');
	end if;
	if new.seq <> 1 + coalesce((select max(v.seq) from conduct.vote v
		where v.ballot_id = new.ballot_id and v.item = new.item and v.principal_id = new.principal_id), 0)
	then
		perform conduct_gate.refuse('vote_keeps_all_changes');
	end if;
	return new;
end
$$;

-- Counts -----------------------------------------------------------------------------------------

-- The count of an item: the last vote of each voter who is not recused.
create function conduct_gate.count_votes(p_ballot uuid, p_item integer,
	out active integer, out voters integer, out support integer, out oppose integer, out abstain integer)
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	select count(*), count(l.vote), count(*) filter (where l.vote = 'support'),
		count(*) filter (where l.vote = 'oppose'), count(*) filter (where l.vote = 'abstain')
	into active, voters, support, oppose, abstain
	from conduct.ballot_voter b
	left join lateral (
		select v.vote from conduct.vote v
		where v.ballot_id = b.ballot_id and v.item = p_item and v.principal_id = b.principal_id
		order by v.seq desc limit 1) l on true
	where b.ballot_id = p_ballot and b.recused_at is null and l.vote is distinct from 'recuse'
		and not exists (select from conduct.took_part t
			where t.case_id = b.case_id and t.principal_id = b.principal_id
				and t.instance = b.instance and t.is_void);
end
$$;

-- An item passes by its ballot's rule. Where a majority of all active members is asked for, who abstains
-- leaves the denominator.
create function conduct_gate.item_passes(p_rule jsonb, p_quorum integer, p_active integer,
	p_support integer, p_oppose integer, p_abstain integer)
returns boolean language plpgsql immutable set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_voters integer := p_support + p_oppose + p_abstain;
begin
	if v_voters < p_quorum then
		return false;
	end if;
	return case p_rule ->> 'rule'
		when 'fixed' then p_support >= (p_rule ->> 'n')::integer
		when 'majority_of_active' then p_support * 2 > p_active - p_abstain
		when 'net' then p_support - p_oppose >= (p_rule ->> 'n')::integer
			or (coalesce((p_rule ->> 'or_majority')::boolean, false) and p_support * 2 > p_active)
		when 'majority_of_voters' then p_support * 2 > v_voters
			and v_voters >= (p_rule ->> 'voters')::integer
		else p_support > p_oppose and p_support * 2 > v_voters end;
end
$$;

create function conduct_gate.tally_is_the_count() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_count record;
	v_ballot conduct.ballot;
begin
	perform conduct_gate.lock_case(new.case_id);
	select * into v_count from conduct_gate.count_votes(new.ballot_id, new.item);
	select * into v_ballot from conduct.ballot b where b.ballot_id = new.ballot_id;
	if (new.active, new.voters, new.support, new.oppose, new.abstain, new.quorum)
		is distinct from
		(v_count.active, v_count.voters, v_count.support, v_count.oppose, v_count.abstain, v_ballot.quorum)
		or new.has_passed <> conduct_gate.item_passes(v_ballot.rule, v_ballot.quorum, new.active, new.support,
			new.oppose, new.abstain)
		or v_ballot.closed_at is null or v_ballot.closed_at <> conduct.clock()
	then
		perform conduct_gate.refuse('tally_is_the_count');
	end if;
	return null;
end
$$;

-- A ballot passes by its count: every item is counted, by enough voters, and one at least has passed; an
-- appeal's outcomes stand once counted.
create function conduct_gate.ballot_passes_by_its_count() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.rule ->> 'rule' in ('single', 'two_staff') then
		if not exists (select from conduct.decision d where d.ballot_id = new.ballot_id) then
			perform conduct_gate.refuse('ballot_passes_by_its_count');
		end if;
		return null;
	end if;
	if exists (select from conduct.ballot_item i
			left join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
			where i.ballot_id = new.ballot_id and coalesce(t.voters < new.quorum, true))
		or (new.motion <> 'decide_appeal' and not exists (select from conduct.tally t
			where t.ballot_id = new.ballot_id and t.has_passed))
	then
		perform conduct_gate.refuse('ballot_passes_by_its_count');
	end if;
	return null;
end
$$;

-- Decisions --------------------------------------------------------------------------------------

-- A decision rests on a ballot of the same proceeding with its quorum: counted, or, for a single
-- decider, the act of one person who took part in this instance and in no other.
create function conduct_gate.decision_is_carried() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_ballot conduct.ballot;
begin
	perform conduct_gate.lock_case(new.case_id);
	if new.instance is distinct from
		(select p.instance from conduct.proceeding p where p.proceeding_id = new.proceeding_id)
	then
		perform conduct_gate.refuse('decision_instance_is_its_proceedings');
	end if;
	if new.ballot_id is not null then
		select * into v_ballot from conduct.ballot b where b.ballot_id = new.ballot_id;
		-- Of this proceeding, or of an appeal against the same object: those are decided together.
		if v_ballot.proceeding_id <> new.proceeding_id and not exists (
			select from conduct.proceeding own
			join conduct.proceeding voted on voted.proceeding_id = v_ballot.proceeding_id
				and voted.instance = own.instance
				and (voted.against_id, voted.against_seq) = (own.against_id, own.against_seq)
			where own.proceeding_id = new.proceeding_id and own.kind = 'appeal')
		then
			perform conduct_gate.refuse('decision_rests_on_its_own_ballot');
		end if;
		if v_ballot.outcome is distinct from 'passed' or new.quorum <> v_ballot.quorum
			or (v_ballot.quorum > 1 and not coalesce((select max(t.voters) >= v_ballot.quorum
				and max(t.voters) = new.voters
				from conduct.tally t where t.ballot_id = new.ballot_id), false)
				and new.second_person is null)
		then
			perform conduct_gate.refuse('decision_needs_its_tally');
		end if;
	end if;
	if exists (
		select from unnest(array[new.decider, new.second_person]) as d (person_id)
		where d.person_id is not null and not exists (
			select from conduct.took_part t
			where t.case_id = new.case_id and t.instance = new.instance and not t.is_void
				and t.principal_id = conduct_gate.principal_of(d.person_id)))
	then
		perform conduct_gate.refuse('decision_decider_took_part');
	end if;
	return null;
end
$$;

-- A decision is what its event says, by the actor of that event; to turn down what is grave, or as bad
-- faith, takes two.
create function conduct_gate.decision_is_of_its_event() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_event conduct.event;
	v_motion text;
begin
	select * into v_event from conduct.event e
	where e.proceeding_id = new.proceeding_id and e.seq = new.event_seq;
	select b.motion into v_motion from conduct.ballot b where b.ballot_id = new.ballot_id;
	if v_event.action is distinct from new.kind or v_event.at <> new.at
		or coalesce(new.decider <> v_event.actor_person, false)
		or (new.kind in ('decide', 'decide_appeal')
			and v_motion is distinct from case new.kind when 'decide' then 'propose' else new.kind end)
		or (new.kind in ('decline', 'dismiss') and not v_event.needs_cause and (new.decider is null
			or (new.second_person is null and (new.reason_code = 'bad_faith'
				or (select f.severity from conduct.case_file f where f.case_id = new.case_id) in ('S3', 'S4')))))
		or (new.kind = 'decide' and new.second_person is null and exists (select from conduct.ballot b
			where b.ballot_id = new.ballot_id and b.rule ->> 'rule' = 'two_staff'))
	then
		perform conduct_gate.refuse('decision_is_of_its_event');
	end if;
	return null;
end
$$;

create function conduct_gate.item_is_of_its_decision() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_decision conduct.decision;
begin
	select * into v_decision from conduct.decision d where d.decision_id = new.decision_id;
	if v_decision.at <> conduct.clock()
		or (v_decision.ballot_id is not null and not exists (select from conduct.ballot_item i
			left join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
			where i.ballot_id = v_decision.ballot_id and i.item = new.item
				and (i.kind, i.met, i.sanction, i.outcome, i.respondent_id) is not distinct from
					(new.kind, new.met, new.sanction, new.outcome, new.respondent_id)
				and new.has_passed = coalesce(t.has_passed, true)))
	then
		perform conduct_gate.refuse('decision_item_is_of_its_decision');
	end if;
	return new;
end
$$;

-- A sanction is a carried item of a decision against that respondent, and does not come back once ended.
create function conduct_gate.sanction_is_decided() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if tg_op = 'UPDATE' then
		if new.standing <> old.standing and old.standing in ('expired', 'lifted', 'superseded') then
			perform conduct_gate.refuse('sanction_stays_ended');
		end if;
		return new;
	end if;
	if not exists (select from conduct.decision_item i
		join conduct.decision d on d.decision_id = i.decision_id and d.at = conduct.clock()
		where i.decision_id = new.decision_id and i.item = new.item and i.kind in ('sanction', 'outcome')
			and i.has_passed and i.respondent_id = new.respondent_id and i.case_id = new.case_id)
	then
		perform conduct_gate.refuse('sanction_is_decided');
	end if;
	return new;
end
$$;

-- A window once told is not shortened.
create function conduct_gate.notice_keeps_its_window() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if old.appeal_until is not null and coalesce(new.appeal_until < old.appeal_until, true) then
		perform conduct_gate.refuse('decision_notice_keeps_its_window');
	end if;
	return new;
end
$$;

grant execute on function conduct_gate.vote_is_in_order(), conduct_gate.count_votes(uuid, integer),
	conduct_gate.tally_is_the_count(), conduct_gate.decision_is_carried()
	to conduct_handler, conduct_party, conduct_intake, conduct_timer, conduct_admin, conduct_stats;
grant execute on function conduct_gate.item_passes(jsonb, integer, integer, integer, integer, integer)
	to conduct_handler;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger panel_seat_is_in_order before insert or update on panel_seat
	for each row execute function conduct_gate.seat_is_in_order();
create trigger ballot_voter_is_in_order before insert on ballot_voter
	for each row execute function conduct_gate.roll_is_in_order();
create trigger ballot_is_its_bodys after insert on ballot
	for each row execute function conduct_gate.ballot_is_its_bodys();
create trigger ballot_closes_once before update on ballot
	for each row execute function conduct_gate.ballot_closes_once();
create trigger ballot_item_is_of_its_ballot before insert on ballot_item
	for each row execute function conduct_gate.item_is_of_its_ballot();
create trigger ballot_disposition_is_of_its_ballot before insert on ballot_disposition
	for each row execute function conduct_gate.item_is_of_its_ballot();
create trigger vote_is_in_order before insert on vote
	for each row execute function conduct_gate.vote_is_in_order();
create constraint trigger tally_is_the_count after insert or update on tally deferrable initially deferred
	for each row execute function conduct_gate.tally_is_the_count();
create constraint trigger ballot_passes_by_its_count after insert or update on ballot
	deferrable initially deferred for each row when (new.outcome = 'passed')
	execute function conduct_gate.ballot_passes_by_its_count();
create constraint trigger decision_is_carried after insert on decision deferrable initially deferred
	for each row execute function conduct_gate.decision_is_carried();
create constraint trigger decision_is_of_its_event after insert on decision deferrable initially deferred
	for each row execute function conduct_gate.decision_is_of_its_event();
create trigger decision_item_is_of_its_decision before insert on decision_item
	for each row execute function conduct_gate.item_is_of_its_decision();
create trigger sanction_is_decided before insert or update on sanction
	for each row execute function conduct_gate.sanction_is_decided();
create trigger decision_notice_keeps_its_window before update on decision_notice
	for each row execute function conduct_gate.notice_keeps_its_window();

reset role;
reset search_path;
