-- The next round: remand sends it to new handlers, take_up keeps it at the appeal body. Both end every
-- open appeal against the object and replace what was decided.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

create or replace function conduct_api_1.next_instance() returns integer
language plpgsql stable
as $$
begin
	return (select 1 + max(p.instance) from conduct.proceeding p where p.case_id = conduct.opened_case());
end
$$;

-- A remand is once per respondent and case, and needs people who have not yet taken part.
create or replace function conduct_api_1.remand_guard(p_row conduct.proceeding) returns text
language plpgsql stable
as $$
declare
	v_root conduct.proceeding := conduct_api_1.root_of(p_row);
	v_body conduct.body;
	v_new integer;
begin
	if exists (select from conduct.proceeding p
		where p.case_id = p_row.case_id and p.kind = v_root.kind and p.opened_by = 'remand'
			and p.respondent_id is not distinct from v_root.respondent_id)
	then
		return 'one-remand';
	end if;
	select * into strict v_body from conduct.body b where b.body_id = v_root.body_id;
	select count(*) into v_new
	from conduct_gate.active_members(v_root.body_id, p_row.case_id, conduct_api_1.next_instance());
	if v_new < (case when v_body.decides = 'single' and conduct_api_1.effective_severity() < 3 then 1
		when v_body.quorum ->> 'rule' = 'fixed' then (v_body.quorum ->> 'n')::integer
		else v_body.panel_size / 2 + 1 end)
	then
		return 'new-handlers';
	end if;
	return null;
end
$$;

-- Moves every joined appeal and ends the old round; the seq of the leading appeal's event, the cause of
-- what follows.
create or replace function conduct_api_1.end_round(p_act conduct_api_1.act, p_row conduct.proceeding,
	p_action text, p_reason uuid)
returns integer language plpgsql volatile
as $$
declare
	v_root conduct.proceeding := conduct_api_1.root_of(p_row);
	v_appeal uuid;
	v_cause_seq integer;
	v_seq integer;
begin
	foreach v_appeal in array conduct_api_1.joined_appeals(p_row) loop
		v_seq := conduct_api_1.move(p_act.act_id, v_appeal, p_action, null, p_reason, '{}', 'panel');
		v_cause_seq := coalesce(v_cause_seq, v_seq);
		perform conduct_api_1.void_deadlines(v_appeal);
	end loop;
	if v_root.kind = 'matter' then
		perform conduct_api_1.move(p_act.act_id, v_root.proceeding_id, 'supersede', null, null, '{}', 'panel',
			p_row.proceeding_id, v_cause_seq);
		update conduct.sanction s set standing = 'superseded'
		where s.case_id = p_row.case_id and s.respondent_id = v_root.respondent_id
			and s.standing in ('active', 'stayed');
	end if;
	perform conduct_api_1.void_deadlines(v_root.proceeding_id);
	update conduct.deadline d set is_void = true
	where d.case_id = p_row.case_id and d.what = 'appeal_window' and d.met_at is null
		and d.proceeding_id in (select a.proceeding_id from conduct.proceeding a
			where a.case_id = p_row.case_id and a.kind = 'appeal'
				and (conduct_api_1.root_of(a)).proceeding_id = v_root.proceeding_id);
	return v_cause_seq;
end
$$;

-- The next round of a matter: the same allegations, by the rules they were pinned to.
create or replace function conduct_api_1.open_next_matter(p_act conduct_api_1.act,
	p_row conduct.proceeding, p_cause_seq integer, p_action text, p_body text, p_instance integer,
	p_reason uuid)
returns void language plpgsql volatile
as $$
declare
	v_root conduct.proceeding := conduct_api_1.root_of(p_row);
	v_matter uuid;
begin
	v_matter := conduct_api_1.open_matter(p_act, p_row.proceeding_id, p_cause_seq, v_root.respondent_id,
		p_action, 'review', 'panel', p_body, p_instance, p_reason);
	insert into conduct.allegation (allegation_id, case_id, proceeding_id, respondent_id, incident_id, rule,
		policy_version, profile, added_at)
	select gen_random_uuid(), a.case_id, v_matter, a.respondent_id, a.incident_id, a.rule, a.policy_version,
		a.profile, conduct.clock()
	from conduct.allegation a where a.proceeding_id = v_root.proceeding_id;
	perform conduct_api_1.allege_by_category(v_matter, v_root.respondent_id);
	perform conduct_api_1.set_matter_deadlines(v_matter);
end
$$;

-- A matter opened without anything alleged yet alleges what was reported: the rules of its category, for
-- each incident.
create or replace function conduct_api_1.allege_by_category(p_matter uuid, p_respondent uuid) returns void
language plpgsql volatile
as $$
declare
	v_case conduct.case_file := conduct_api_1.current_case();
begin
	if exists (select from conduct.allegation a where a.proceeding_id = p_matter) then
		return;
	end if;
	insert into conduct.allegation (allegation_id, case_id, proceeding_id, respondent_id, incident_id, rule,
		policy_version, profile, added_at)
	select gen_random_uuid(), v_case.case_id, p_matter, p_respondent, i.incident_id, pr.rule,
		n.policy_version, n.profile, conduct.clock()
	from conduct.report r
	join conduct.incident i on i.report_id = r.report_id
	cross join lateral conduct_api_1.pin_of(i.incident_id) n
	join conduct.profile f on f.profile = n.profile
	cross join jsonb_array_elements(f.categories) c
	cross join jsonb_array_elements_text(c -> 'rules') u
	join conduct.profile_rule pr on pr.profile = n.profile and pr.rule = u and pr.kind = 'unacceptable'
	where r.case_id = v_case.case_id and c ->> 'id' = r.category
	on conflict on constraint allegation_once do nothing;
end
$$;

-- The ballot that carries a remand or take_up: named, or the last one that passed.
create or replace function conduct_api_1.check_motion(p_row conduct.proceeding, p_args jsonb,
	p_motions text[])
returns void language plpgsql stable
as $$
declare
	v_named uuid := conduct_api_1.uuid_member(p_args, 'proposal', false);
	v_carried uuid := conduct_api_1.passed_ballot(p_row.proceeding_id, p_motions);
begin
	if v_named is not null and not exists (select from conduct.ballot b
		where b.ballot_id = v_named and b.proceeding_id = p_row.proceeding_id
			and b.motion = any (p_motions))
	then
		perform conduct_api_1.refuse_member('/proposal', 'unknown');
	end if;
	if v_carried is null or v_named <> v_carried then
		perform conduct_api_1.refuse_guard('tally');
	end if;
end
$$;

create or replace function conduct_api_1.case_remand(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'remand', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_root conduct.proceeding;
	v_guard text;
	v_reason uuid;
	v_seq integer;
	v_next conduct.proceeding;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_root := conduct_api_1.root_of(v_row);
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	v_guard := coalesce(conduct_api_1.remand_guard(v_row), conduct_api_1.join_guard(v_row));
	if v_guard is not null then
		perform conduct_api_1.refuse_guard(v_guard);
	end if;
	perform conduct_api_1.check_motion(v_row, p_args, array['remand']);
	v_next.instance := conduct_api_1.next_instance();
	v_seq := conduct_api_1.end_round(v_act, v_row, 'remand', v_reason);
	if v_root.kind = 'matter' then
		perform conduct_api_1.open_next_matter(v_act, v_row, v_seq, 'remand', v_root.body_id,
			v_next.instance, v_reason);
	else
		v_next.kind := 'intake';
		v_next.round := v_root.round + 1;
		v_next.body_id := v_root.body_id;
		v_next.proceeding_id := conduct_api_1.open_proceeding(v_act.act_id, v_next, 'remand', 'triage',
			'panel', v_reason, '{}', v_row.proceeding_id, v_seq);
		perform conduct_api_1.set_triage_deadlines(conduct_api_1.current_row(v_next.proceeding_id));
	end if;
	-- The first handlers do not hear it again.
	update conduct.assignment s set ended_at = conduct.clock()
	where s.case_id = p_case and s.body_id = v_root.body_id and s.ended_at is null;
	perform conduct_api_1.send('state');
	return conduct_api_1.end_act(v_act);
end
$$;

create or replace function conduct_api_1.case_take_up(p_account bytea, p_case uuid, p_expected integer,
	p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'take_up', p_args, p_word_ids, p_word_kinds, p_words);
	v_row conduct.proceeding;
	v_root conduct.proceeding;
	v_guard text;
	v_reason uuid;
	v_seq integer;
	v_next conduct.proceeding;
	v_party uuid;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_row := conduct_api_1.current_row(v_act.proceeding_id);
	v_root := conduct_api_1.root_of(v_row);
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	v_guard := case when conduct_api_1.remand_guard(v_row) is null then 'remand-spent'
		else conduct_api_1.join_guard(v_row) end;
	if v_guard is not null then
		perform conduct_api_1.refuse_guard(v_guard);
	end if;
	perform conduct_api_1.check_motion(v_row, p_args, array['take_up', 'remand']);
	if (conduct_api_1.current_case()).severity is null then
		update conduct.case_file f set severity = 'S' || greatest(1, conduct_api_1.effective_severity())
		where f.case_id = p_case;
	end if;
	v_seq := conduct_api_1.end_round(v_act, v_row, 'take_up', v_reason);
	-- The panel goes on itself, in the instance it sits in.
	if v_root.kind = 'matter' then
		perform conduct_api_1.open_next_matter(v_act, v_row, v_seq, 'take_up', v_row.body_id,
			v_row.instance, v_reason);
	else
		v_next.kind := 'intake';
		v_next.round := v_root.round + 1;
		v_next.body_id := v_row.body_id;
		v_next.instance := v_row.instance;
		v_next.proceeding_id := conduct_api_1.open_proceeding(v_act.act_id, v_next, 'take_up', 'accepted',
			'panel', v_reason, '{}', v_row.proceeding_id, v_seq);
		for v_party in select y.party_id from conduct.party y
			where y.case_id = p_case and y.role = 'respondent' order by y.seq
		loop
			v_next.proceeding_id := conduct_api_1.open_matter(v_act, v_row.proceeding_id, v_seq, v_party,
				'take_up', 'review', 'panel', v_row.body_id, v_row.instance, v_reason);
			perform conduct_api_1.allege_by_category(v_next.proceeding_id, v_party);
			perform conduct_api_1.set_matter_deadlines(v_next.proceeding_id);
		end loop;
	end if;
	perform conduct_api_1.send('state');
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
