-- Events that come in together are checked together: what reports are opened with is compared in one
-- statement and not in several for each of them.

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- An event that is no system's and no mere effect: its actor holds the role, is not recused, and takes part in
-- this instance if it moves.
create function conduct_gate.check_actor(p_event conduct.event) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_row conduct.proceeding;
	v_principal uuid;
begin
	select * into v_row from conduct.proceeding p where p.proceeding_id = p_event.proceeding_id;
	if not conduct_gate.actor_may(p_event, v_row) then
		perform conduct_gate.refuse('event_is_of_its_actor');
	end if;
	if p_event.actor_person is null then
		return;
	end if;
	v_principal := conduct_gate.principal_of(p_event.actor_person);
	if conduct_gate.is_recused(p_event.case_id, v_principal) then
		perform conduct_gate.refuse('event_of_the_recused');
	end if;
	if p_event.moves and not exists (select from conduct.took_part t
		where t.case_id = p_event.case_id and t.principal_id = v_principal and t.instance = v_row.instance
			and not t.is_void)
	then
		perform conduct_gate.refuse('event_actor_took_part');
	end if;
end
$$;

-- Events are of their time and have the revision of their case; an effect is of the act and the actor of its
-- cause; whatever else somebody does, they may. On an intake a party's role in the case is all that it takes.
create or replace function conduct_gate.event_is_of_its_actor() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
-- A plan that was made while the tables were small is kept.
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
	v_now timestamptz := conduct.clock();
	v_event conduct.event;
begin
	if exists (select from new_rows n where n.at <> v_now) then
		perform conduct_gate.refuse('event_is_of_its_time');
	end if;
	if exists (select from new_rows n
		where n.revision <> (select f.revision from conduct.case_file f where f.case_id = n.case_id)
			or n.revision > 1 + coalesce((select max(e.revision) from conduct.event e
				where e.case_id = n.case_id and e.moves and e.act_id <> n.act_id), 0))
	then
		perform conduct_gate.refuse('case_file_revision_counts_moves');
	end if;
	if exists (select from new_rows n
		where n.role <> 'system' and n.needs_cause and n.action <> 'appeal' and not exists (
			select from conduct.event e
			where e.proceeding_id = n.cause_id and e.seq = n.cause_seq and e.act_id = n.act_id
				and (e.actor_person, e.actor_party) is not distinct from (n.actor_person, n.actor_party)))
	then
		perform conduct_gate.refuse('event_is_of_its_cause');
	end if;
	for v_event in
		select n.* from new_rows n
		where n.role <> 'system' and not (n.needs_cause and n.action <> 'appeal')
			and not (n.kind = 'intake' and n.actor_person is null and exists (
				select from conduct.party y where y.party_id = n.actor_party and y.role = n.role
					and y.role in ('reporter', 'target', 'respondent')))
	loop
		perform conduct_gate.check_actor(v_event);
	end loop;
	return null;
end
$$;

grant execute on function conduct_gate.check_actor(conduct.event) to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

drop trigger event_is_of_its_actor on event;
create trigger event_is_of_its_actor after insert on event referencing new table as new_rows
	for each statement execute function conduct_gate.event_is_of_its_actor();
call guard_tables();

reset role;
reset search_path;
