-- A party appeals against items of a decision it was told of, and takes an appeal back.

set role conduct_party;

-- Who is adversely affected: a respondent by a finding met or a sanction; reporter and target by a report
-- turned down, no violation, or a sanction. Nothing goes against what was reconsidered.
create or replace function conduct_api_1.is_affected(p_party conduct.party, p_decision conduct.decision)
returns boolean language plpgsql stable
as $$
declare
	v_object conduct.proceeding;
	v_outcome text := p_decision.outcome;
begin
	select * into strict v_object from conduct.proceeding p where p.proceeding_id = p_decision.proceeding_id;
	if v_object.is_reconsideration then
		return false;
	end if;
	-- An appeal's outcome affects whom the decision under it affected, whatever it made of it.
	if p_decision.kind = 'decide_appeal' then
		return exists (select from conduct.decision d
				where d.proceeding_id = v_object.against_id and d.event_seq = v_object.against_seq
					and conduct_api_1.is_affected(p_party, d))
			or p_decision.outcome in ('modified', 'overturned');
	end if;
	if p_party.role = 'respondent' then
		return exists (select from conduct.decision_item i
			where i.decision_id = p_decision.decision_id and i.has_passed
				and coalesce(i.respondent_id = p_party.party_id, true)
				and (i.met = 'met' or i.kind = 'sanction'));
	end if;
	return p_party.role in ('reporter', 'target')
		and (p_decision.kind in ('decline', 'dismiss') or v_outcome in ('no_violation', 'sanction'));
end
$$;

-- Who hears an appeal: what the decision's body names, the wiki's own appeal body, else the global
-- committee. Systemic matters go there at once; a high-level body reconsiders.
create or replace function conduct_api_1.appeal_body_of(p_decision conduct.decision) returns text
language plpgsql stable
as $$
declare
	v_body conduct.body;
	v_case conduct.case_file;
	v_global text := (select b.body_id from conduct.body b where b.kind = 'u4c' order by b.body_id limit 1);
begin
	select * into strict v_body from conduct.body b where b.body_id = p_decision.body_id;
	select * into strict v_case from conduct.case_file f where f.case_id = p_decision.case_id;
	if v_body.appeal_body_id = 'self' then
		return v_body.body_id;
	end if;
	if v_case.kind = 'systemic' then
		return coalesce(v_global, v_body.appeal_body_id, v_body.body_id);
	end if;
	return coalesce(v_body.appeal_body_id,
		(select w.appeal_body_id from conduct.policy_wiki w
			where w.policy_version = conduct_api_1.present_policy() and w.wiki = v_case.wiki
				and w.appeal_body_id <> v_body.body_id),
		v_global, v_body.body_id);
end
$$;

-- The instance an appeal is heard in. A reconsideration keeps the decision's; an appeal after another at
-- the same body (of the first round, or by another party) keeps that one's; else a new one.
create or replace function conduct_api_1.appeal_instance(p_decision conduct.decision, p_body text,
	p_is_reconsideration boolean)
returns integer language plpgsql stable
as $$
declare
	v_instance integer;
begin
	if p_is_reconsideration then
		return p_decision.instance;
	end if;
	select p.instance into v_instance from conduct.proceeding p
	where p.case_id = p_decision.case_id and p.kind = 'appeal' and p.body_id = p_body
		and p.instance <> p_decision.instance and not p.is_reconsideration
	order by p.opened_at desc, p.proceeding_id limit 1;
	return coalesce(v_instance, 1 + greatest(
		(select max(p.instance) from conduct.proceeding p where p.case_id = p_decision.case_id),
		(select max(t.instance) from conduct.took_part t where t.case_id = p_decision.case_id)));
end
$$;

-- In the window since service; one per party and object, more only for what is new; nothing against what
-- a remand or the next round has replaced. Returns the appeal's number of this appellant and object.
create or replace function conduct_api_1.check_appeal(p_party conduct.party, p_decision conduct.decision,
	p_grounds text[])
returns integer language plpgsql volatile
as $$
declare
	v_object conduct.proceeding;
	v_earlier integer;
	v_is_open boolean;
begin
	select * into strict v_object from conduct.proceeding p where p.proceeding_id = p_decision.proceeding_id;
	if not exists (select from conduct.transition_cause c
			where c.kind = 'appeal' and c.from_state = 'new' and c.action = 'appeal'
				and (c.cause_kind, c.cause_action) = (select e.kind, e.action from conduct.event e
					where e.proceeding_id = p_decision.proceeding_id and e.seq = p_decision.event_seq))
		or not conduct_api_1.is_affected(p_party, p_decision)
	then
		perform conduct_api_1.refuse_guard('adversely-affected');
	end if;
	select count(*), coalesce(bool_or(p.state in ('appeal_filed', 'appeal_review')), false)
	into v_earlier, v_is_open
	from conduct.proceeding p
	where p.kind = 'appeal' and (p.against_id, p.against_seq) = (p_decision.proceeding_id, p_decision.event_seq)
		and p.appellant_id = p_party.party_id;
	if v_is_open or (v_earlier > 0 and not 'new_information' = any (p_grounds)) then
		perform conduct_api_1.refuse_guard('one-appeal');
	end if;
	if v_object.state in ('final', 'joined')
		or not exists (select from conduct.decision_notice n
			where n.decision_id = p_decision.decision_id and n.party_id = p_party.party_id
				and n.appeal_until > conduct.clock())
		or exists (select from conduct.proceeding p
			join conduct.event e on e.proceeding_id = p.proceeding_id and e.action in ('remand', 'take_up')
			where p.kind = 'appeal'
				and (p.against_id, p.against_seq) = (p_decision.proceeding_id, p_decision.event_seq))
	then
		perform conduct_api_1.refuse_guard('in-window');
	end if;
	return v_earlier + 1;
end
$$;

-- A high-level body reconsiders once per case and respondent; appeals that are open are heard together.
create or replace function conduct_api_1.check_reconsideration(p_row conduct.proceeding) returns void
language plpgsql volatile
as $$
begin
	if p_row.is_reconsideration and exists (
		select from conduct.proceeding p
		where p.case_id = conduct.opened_case() and p.kind = 'appeal' and p.is_reconsideration
			and p.respondent_id is not distinct from p_row.respondent_id
			and p.state in ('appeal_decided', 'appeal_remanded'))
	then
		perform conduct_api_1.refuse_guard('one-appeal');
	end if;
end
$$;

-- The items an appeal names: of the decision, that carried, that the party may see.
create or replace function conduct_api_1.appeal_items(p_party conduct.party, p_decision conduct.decision,
	p_args jsonb)
returns integer[] language plpgsql volatile
as $$
declare
	v_items integer[];
begin
	if p_args ? 'items' and jsonb_array_length(p_args -> 'items') > 0 then
		select array_agg(distinct i::integer) into v_items from jsonb_array_elements_text(p_args -> 'items') i;
	else
		select array_agg(i.item) into v_items from conduct.decision_item i
		where i.decision_id = p_decision.decision_id and i.has_passed
			and (p_party.role <> 'respondent' or coalesce(i.respondent_id = p_party.party_id, true));
	end if;
	if v_items is null or exists (select from unnest(v_items) x (item)
		where not exists (select from conduct.decision_item i
			where i.decision_id = p_decision.decision_id and i.item = x.item
				and (p_party.role <> 'respondent' or coalesce(i.respondent_id = p_party.party_id, true))))
	then
		perform conduct_api_1.refuse_member('/items', 'unknown');
	end if;
	return v_items;
end
$$;

-- Others whom the decision was told to hear of the appeal, and may join it while their window is open, at
-- least as long as the limit says since the first appeal.
create or replace function conduct_api_1.appeal_others(p_appeal uuid, p_party conduct.party,
	p_decision conduct.decision)
returns void language plpgsql volatile
as $$
declare
	v_until timestamptz;
	v_other uuid;
begin
	select min(p.opened_at) + conduct_api_1.limit_of('join_appeal') into v_until from conduct.proceeding p
	where p.kind = 'appeal'
		and (p.against_id, p.against_seq) = (p_decision.proceeding_id, p_decision.event_seq);
	for v_other in
		select n.party_id from conduct.decision_notice n
		where n.decision_id = p_decision.decision_id and n.party_id <> p_party.party_id
			and n.appeal_until is not null
	loop
		update conduct.decision_notice n set appeal_until = greatest(n.appeal_until, v_until)
		where n.decision_id = p_decision.decision_id and n.party_id = v_other;
		perform conduct_api_1.send('appeal_told', jsonb_build_object('party', v_other));
	end loop;
	if v_other is not null then
		perform conduct_api_1.set_window(p_decision.proceeding_id, p_decision.decision_id);
		perform conduct_api_1.set_deadline(p_appeal, 'join_appeal', (select max(n.appeal_until)
			from conduct.decision_notice n
			where n.decision_id = p_decision.decision_id and n.party_id <> p_party.party_id));
	end if;
end
$$;

-- Opens the appeal with what it is about; its cause is the event of the decision.
create or replace function conduct_api_1.appeal_open(p_party conduct.party, p_decision conduct.decision,
	p_nth integer)
returns uuid language plpgsql volatile
as $$
declare
	v_row conduct.proceeding;
	v_object conduct.proceeding;
	v_body conduct.body;
	v_appeal uuid;
begin
	select * into strict v_object from conduct.proceeding p where p.proceeding_id = p_decision.proceeding_id;
	select * into strict v_body from conduct.body b
	where b.body_id = conduct_api_1.appeal_body_of(p_decision);
	v_row.kind := 'appeal';
	v_row.round := v_object.round;
	v_row.respondent_id := v_object.respondent_id;
	v_row.appellant_id := p_party.party_id;
	v_row.against_id := p_decision.proceeding_id;
	v_row.against_seq := p_decision.event_seq;
	v_row.nth := p_nth;
	v_row.body_id := v_body.body_id;
	v_row.is_reconsideration := v_body.high_level and v_body.body_id = p_decision.body_id;
	v_row.instance := conduct_api_1.appeal_instance(p_decision, v_body.body_id, v_row.is_reconsideration);
	perform conduct_api_1.check_reconsideration(v_row);
	v_appeal := conduct_api_1.open_proceeding(gen_random_uuid(), v_row, 'appeal', 'appeal_filed',
		p_party.role, p_cause => p_decision.proceeding_id, p_cause_seq => p_decision.event_seq);
	perform conduct_api_1.set_deadline(v_appeal, 'accept_appeal',
		conduct.clock() + conduct_api_1.limit_of('accept_appeal'));
	return v_appeal;
end
$$;

create or replace function conduct_api_1.party_appeal(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_decision conduct.decision;
	v_grounds text[] := array(select distinct jsonb_array_elements_text(p_args -> 'grounds'));
	v_reasons uuid := conduct_api_1.word_id(p_args -> 'reasons');
	v_items integer[];
	v_nth integer;
	v_appeal uuid;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	if v_party.role not in ('respondent', 'reporter', 'target') then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	select d.* into v_decision from conduct.decision d
	join conduct.decision_notice n on n.decision_id = d.decision_id and n.party_id = v_party.party_id
	where d.decision_id::text = lower(p_args ->> 'decision');
	if v_decision.decision_id is null then
		perform conduct_api_1.refuse_member('/decision', 'unknown');
	end if;
	if cardinality(v_grounds) = 0 or not v_grounds <@ array['factual_error', 'policy_misapplied',
		'new_information', 'disproportionate', 'procedure_or_conflict', 'out_of_scope']
	then
		perform conduct_api_1.refuse_member('/grounds', 'unknown');
	end if;
	if v_reasons is null or not v_reasons = any (p_word_ids) then
		perform conduct_api_1.refuse_member('/reasons', 'is missing');
	end if;
	v_items := conduct_api_1.appeal_items(v_party, v_decision, p_args);
	v_nth := conduct_api_1.check_appeal(v_party, v_decision, v_grounds);
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	v_appeal := conduct_api_1.appeal_open(v_party, v_decision, v_nth);
	insert into conduct.appeal_item (proceeding_id, case_id, decision_id, item)
	select v_appeal, v_party.case_id, v_decision.decision_id, i from unnest(v_items) i;
	insert into conduct.appeal_claim (proceeding_id, case_id, grounds, reasons_content)
	values (v_appeal, v_party.case_id, v_grounds, v_reasons);
	perform conduct_api_1.appeal_others(v_appeal, v_party, v_decision);
	perform conduct_api_1.send('appeal_filed', jsonb_build_object('proceeding', v_appeal));
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

create or replace function conduct_api_1.party_withdraw_appeal(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_act uuid := gen_random_uuid();
	v_appeals uuid[];
	v_appeal uuid;
begin
	if v_key.scope is not null then
		return conduct_api_1.party_again(v_party);
	end if;
	v_appeals := conduct_api_1.party_targets(v_party, 'withdraw_appeal');
	perform conduct_api_1.party_words(v_party, p_word_ids, p_word_kinds, p_words);
	foreach v_appeal in array v_appeals loop
		perform conduct_api_1.move(v_act, v_appeal, 'withdraw_appeal',
			p_reason => conduct_api_1.word_id(p_args -> 'reason'));
		perform conduct_api_1.void_deadlines(v_appeal);
		perform conduct_api_1.send('appeal_withdrawn', jsonb_build_object('proceeding', v_appeal));
	end loop;
	return conduct_api_1.party_done(v_party, p_scope);
end
$$;

reset role;
