-- What a party sees: as far as its role goes, and nothing of others. A reporter and a target see the
-- intake, how far the matters are, and classes of outcomes; a respondent sees their own matter from the
-- notice on, never who reported or how many did.

set role conduct_party;

-- As enter_party, for reading: no lock.
create or replace function conduct_api_1.enter_party_to_read(p_account bytea, p_receipt bytea,
	p_participation uuid)
returns conduct.party language plpgsql volatile
as $$
declare
	v_party_id uuid := conduct_gate.party_of(p_receipt, p_account, p_participation);
	v_party conduct.party;
begin
	if v_party_id is null then
		perform conduct_api_1.refuse_party(p_receipt);
	end if;
	perform set_config('conduct.actor', 'party:' || v_party_id, true);
	perform conduct_api_1.open_case_to_read(conduct_gate.case_of_party(v_party_id));
	select * into strict v_party from conduct.party y where y.party_id = v_party_id;
	return v_party;
end
$$;

-- The proceedings a party's stage, dates and panel are taken from.
create or replace function conduct_api_1.party_proceedings(p_party conduct.party) returns uuid[]
language plpgsql stable
as $$
begin
	return coalesce((
		select array_agg(p.proceeding_id order by p.opened_at, p.proceeding_id)
		from conduct.proceeding p
		where p.case_id = p_party.case_id and case
			when p_party.role in ('reporter', 'target')
				then p.kind <> 'appeal' or p.appellant_id = p_party.party_id
			when p_party.role = 'respondent'
				then p_party.notified_at is not null and p.respondent_id = p_party.party_id
			else false end), '{}');
end
$$;

-- The class of outcome: of a respondent's own matter, or the gravest of all for those who reported.
create or replace function conduct_api_1.party_outcome(p_party conduct.party, p_ids uuid[]) returns text
language plpgsql stable
as $$
declare
	v_outcome text;
begin
	select d.disposition into v_outcome
	from conduct.proceeding p
	join conduct.disposition d on d.proceeding_id = p.proceeding_id
	where p.proceeding_id = any (p_ids) and p.kind = 'matter'
		and p.state in ('resolved', 'dismissed', 'settled', 'final')
		and not exists (select from conduct.proceeding later
			where later.case_id = p.case_id and later.kind = 'matter'
				and later.respondent_id = p.respondent_id and later.round > p.round)
	order by array_position(array['sanction', 'advised', 'no_sanction', 'settled', 'no_violation',
		'dismissed'], d.disposition), p.opened_at desc limit 1;
	if v_outcome is null and p_party.role <> 'respondent' then
		select case p.state when 'declined' then 'declined' when 'withdrawn' then 'withdrawn'
			when 'handed_over' then 'handed_over' end into v_outcome
		from conduct.proceeding p where p.proceeding_id = any (p_ids) and p.kind = 'intake'
		order by p.round desc limit 1;
	end if;
	return v_outcome;
end
$$;

-- Items of a decision that concern the party. Reporter and target get numbers and kinds to appeal by;
-- texts, findings and sanctions are the respondent's.
create or replace function conduct_api_1.party_items(p_party conduct.party, p_decision uuid) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(case when p_party.role = 'respondent'
			then jsonb_build_object('item', i.item, 'kind', i.kind, 'rule', a.rule, 'met', i.met,
				'sanction', i.sanction, 'scope', i.scope, 'until', conduct_api_1.time_text(i.until_at),
				'outcome', i.outcome, 'passed', i.has_passed, 'text', conduct_api_1.word(i.text_content))
			else jsonb_build_object('item', i.item, 'kind', i.kind, 'outcome', i.outcome,
				'passed', i.has_passed) end order by i.item)
		from conduct.decision_item i
		left join conduct.allegation a on a.allegation_id = i.allegation_id
		where i.decision_id = p_decision
			and (p_party.role <> 'respondent' or coalesce(i.respondent_id = p_party.party_id, true))), '[]');
end
$$;

-- Decisions the party was told of. Reasons: the respondent's are the decision's; the others read the text
-- written for them, or why the report was turned down.
create or replace function conduct_api_1.party_decisions(p_party conduct.party) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(jsonb_build_object('id', d.decision_id, 'kind', d.kind, 'outcome', d.outcome,
			'reason_code', d.reason_code, 'refer_to', d.refer_to,
			'served_at', conduct_api_1.time_text(n.served_at),
			'appeal_until', conduct_api_1.time_text(n.appeal_until),
			'items', conduct_api_1.party_items(p_party, d.decision_id),
			'text', conduct_api_1.word(n.text_content),
			'reasons', conduct_api_1.word(case when p_party.role = 'respondent'
				or d.kind in ('decline', 'dismiss') then d.reasons_content else n.text_content end))
			order by d.at, d.decision_id)
		from conduct.decision_notice n
		join conduct.decision d on d.decision_id = n.decision_id
		where n.party_id = p_party.party_id and n.case_id = p_party.case_id), '[]');
end
$$;

-- The seated panels of what is open, as the wiki shows them; reviewers of the Case Review Committee have
-- no name here.
create or replace function conduct_api_1.party_panel(p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(case when b.kind = 'crc' then jsonb_build_object('pseudonym', 'reviewer')
			else conduct_gate.show_person(s.person_id) end
			order by s.seated_at, s.person_id)
		from conduct.proceeding p
		join conduct.state t on t.state = p.state and t.class = 'open'
		join conduct.body b on b.body_id = p.body_id
		join conduct.panel n on n.proceeding_id = p.proceeding_id
		join conduct.panel_seat s on s.panel_id = n.panel_id and s.left_at is null
		where p.proceeding_id = any (p_ids)), '[]');
end
$$;

-- The notice and the allegations of the latest round, once there is a notice.
create or replace function conduct_api_1.party_notice(p_party conduct.party, out notice jsonb,
	out allegations jsonb)
language plpgsql stable
as $$
declare
	v_matter uuid;
begin
	allegations := '[]';
	if p_party.role <> 'respondent' or p_party.notified_at is null then
		return;
	end if;
	select p.proceeding_id into v_matter from conduct.proceeding p
	where p.case_id = p_party.case_id and p.kind = 'matter' and p.respondent_id = p_party.party_id
	order by p.round desc limit 1;
	select jsonb_build_object('text', conduct_api_1.word(h.notice_content), 'lang', h.notice_lang,
		'notified_at', conduct_api_1.time_text(h.notified_at),
		'served_at', conduct_api_1.time_text(h.served_at), 'heard_until', conduct_api_1.time_text((
			select e.heard_until from conduct.hearing_end e where e.hearing_id = h.hearing_id
			order by e.nth desc limit 1)))
	into notice from conduct.hearing h where h.proceeding_id = v_matter;
	select coalesce(jsonb_agg(jsonb_build_object('id', a.allegation_id, 'rule', a.rule,
		'policy_version', a.policy_version, 'venue', i.venue, 'wiki', i.wiki,
		'page', conduct_api_1.word(i.page_content), 'revision', conduct_api_1.word(i.revision_content),
		'from', conduct_api_1.time_text(i.from_at), 'to', conduct_api_1.time_text(i.to_at))
		order by a.added_at, a.rule, a.allegation_id), '[]')
	into allegations
	from conduct.allegation a join conduct.incident i on i.incident_id = a.incident_id
	where a.proceeding_id = v_matter;
end
$$;

-- What the party may do now; only a respondent asks for more time, and an appeal needs an open window.
create or replace function conduct_api_1.party_actions(p_party conduct.party, p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(distinct x.action order by x.action)
		from (
			select a.action from conduct.proceeding p,
				lateral unnest(conduct_api_1.allowed_on(p)) as a (action)
			where p.proceeding_id = any (p_ids)
				and (a.action <> 'extend' or (p_party.role = 'respondent' and exists (
					select from conduct.hearing h where h.proceeding_id = p.proceeding_id
						and h.extension_asked_at is null)))
			union all
			select 'appeal' where exists (select from conduct.decision_notice n
				join conduct.decision d on d.decision_id = n.decision_id
				where n.party_id = p_party.party_id and n.case_id = p_party.case_id
					and n.appeal_until > conduct.clock() and conduct_api_1.is_affected(p_party, d)
					and not exists (select from conduct.proceeding a
						where a.kind = 'appeal' and a.appellant_id = p_party.party_id
							and (a.against_id, a.against_seq) = (d.proceeding_id, d.event_seq)
							and a.state in ('appeal_filed', 'appeal_review')))) x), '[]');
end
$$;

-- When somebody of which role has opened who the party is. It may be a party of the case twice: as reporter
-- and as target.
create or replace function conduct_api_1.party_openings(p_party conduct.party) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((
		select jsonb_agg(jsonb_build_object('at', conduct_api_1.time_text(o.opened_at), 'role', o.role)
			order by o.opened_at, o.opening_id)
		from conduct.identity_opening o join conduct.party y on y.party_id = o.party_id
		where o.case_id = p_party.case_id and o.told_at is not null
			and (y.party_id = p_party.party_id or y.id_ix = p_party.id_ix)), '[]');
end
$$;

create or replace function conduct_api_1.party_view(p_party conduct.party) returns jsonb
language plpgsql stable
as $$
declare
	v_ids uuid[] := conduct_api_1.party_proceedings(p_party);
	v_stage record;
	v_notice record;
begin
	select * into v_stage from conduct_api_1.stage_of(v_ids);
	select * into v_notice from conduct_api_1.party_notice(p_party);
	return jsonb_build_object('role', p_party.role,
		'state', v_stage.state, 'stage', case when v_stage.state is not null then v_stage.stage end,
		'next_deadline', (
			select jsonb_build_object('what', d.what, 'at', conduct_api_1.time_text(d.due_at))
			from conduct.deadline d
			where d.proceeding_id = any (v_ids) and d.met_at is null and not d.is_void
				and d.overdue_at is null and d.what <> 'rule_on_conflict'
				and (d.party_id is null or d.party_id = p_party.party_id)
			order by d.due_at, d.what limit 1),
		'policy_version', coalesce(
			(select r.policy_version from conduct.report r where r.reporter_id = p_party.party_id
				order by r.submitted_at, r.report_id limit 1),
			v_notice.allegations #>> '{0,policy_version}',
			(select f.procedure_version from conduct.case_file f where f.case_id = p_party.case_id)),
		'notice', v_notice.notice, 'allegations', v_notice.allegations,
		'decisions', conduct_api_1.party_decisions(p_party), 'panel', conduct_api_1.party_panel(v_ids),
		'outcome', conduct_api_1.party_outcome(p_party, v_ids),
		'identity_opened', conduct_api_1.party_openings(p_party),
		'erasure', conduct_api_1.erasure_view(p_party.party_id),
		'allowed_actions', conduct_api_1.party_actions(p_party, v_ids));
end
$$;

-- A notified respondent who reads has been served.
create or replace function conduct_api_1.receipt_show(p_account bytea, p_receipt bytea, p_participation uuid)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party conduct.party := conduct_api_1.enter_party_to_read(p_account, p_receipt, p_participation);
begin
	if v_party.role = 'respondent' and v_party.notified_at is not null and exists (
		select from conduct.hearing h join conduct.proceeding p on p.proceeding_id = h.proceeding_id
		where p.respondent_id = v_party.party_id and h.served_at is null)
	then
		perform conduct_api_1.open_case(v_party.case_id);
		update conduct.hearing h set served_at = conduct.clock(), served_how = 'login'
		from conduct.proceeding p
		where p.proceeding_id = h.proceeding_id and p.respondent_id = v_party.party_id
			and h.served_at is null;
	end if;
	return conduct_api_1.answer(200, conduct_api_1.party_view(v_party));
end
$$;

create or replace function conduct_api_1.me_participations(p_account bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_id uuid;
	v_party conduct.party;
	v_items jsonb := '[]';
begin
	for v_id in select x.party_id from conduct_gate.participations_of(p_account) x order by x.party_id loop
		v_party := conduct_api_1.enter_party_to_read(p_account, null, v_id);
		v_items := v_items || jsonb_build_object('id', v_id, 'role', v_party.role, 'state',
			(conduct_api_1.stage_of(conduct_api_1.party_proceedings(v_party))).state);
	end loop;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items));
end
$$;

-- Messages ---------------------------------------------------------------------------------------

create or replace function conduct_api_1.party_channel(p_role text) returns text
language plpgsql immutable
as $$
begin
	return case when p_role = 'respondent' then 'respondent' when p_role = 'witness' then 'witness'
		else 'reporter' end;
end
$$;

-- Who of the handlers wrote is not told: a body speaks with one voice.
create or replace function conduct_api_1.party_message_view(p_message conduct.message) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_message.message_id, 'from',
		case when p_message.author_party is not null then 'party' else 'handlers' end,
		'text', conduct_api_1.word(p_message.text_content), 'at', conduct_api_1.time_text(p_message.at));
end
$$;

create or replace function conduct_api_1.receipt_messages(p_account bytea, p_receipt bytea,
	p_participation uuid, p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party conduct.party := conduct_api_1.enter_party_to_read(p_account, p_receipt, p_participation);
	v_limit integer := least(greatest(coalesce(p_limit, 50), 1), 100);
	v_items jsonb;
	v_next jsonb;
begin
	with page as (
		select m as message, m.at, m.message_id, row_number() over (order by m.at, m.message_id) as nth
		from conduct.message m
		where m.case_id = v_party.case_id and m.party_id = v_party.party_id
			and m.channel = conduct_api_1.party_channel(v_party.role)
			and (p_after is null or p_after = 'null'
				or (m.at, m.message_id) > ((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid))
		order by m.at, m.message_id limit v_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.party_message_view(g.message) order by g.nth)
			filter (where g.nth <= v_limit), '[]'),
		case when count(*) > v_limit then
			(select jsonb_build_array(l.at, l.message_id) from page l where l.nth = v_limit) end
	into v_items, v_next from page g;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

-- What the party says, in its own channel. A reporter's words go with the report.
create or replace function conduct_api_1.party_say(p_party conduct.party, p_text uuid, p_word_ids uuid[],
	p_word_kinds text[], p_words bytea[])
returns conduct.message language plpgsql volatile
as $$
declare
	v_message conduct.message;
begin
	if p_text is null or not p_text = any (p_word_ids) then
		perform conduct_api_1.refuse_member('/text', 'is missing');
	end if;
	perform conduct_api_1.store_words(conduct_api_1.party_unit(p_party), p_word_ids, p_word_kinds, p_words);
	v_message := row(gen_random_uuid(), p_party.case_id, conduct_api_1.party_channel(p_party.role),
		p_party.party_id, null, p_party.party_id, p_text, conduct.clock());
	insert into conduct.message select v_message.*;
	perform conduct_api_1.send('message', jsonb_build_object('channel', v_message.channel,
		'party', p_party.party_id, 'by', 'party'));
	return v_message;
end
$$;

create or replace function conduct_api_1.party_unit(p_party conduct.party) returns uuid
language plpgsql stable
as $$
begin
	return coalesce(
		(select r.unit_id from conduct.report r where r.reporter_id = p_party.party_id
			order by r.submitted_at, r.report_id limit 1),
		(select f.unit_id from conduct.case_file f where f.case_id = p_party.case_id));
end
$$;

-- Where what this party writes goes: the key unit, and, of a channel with a key of its own, who opens that:
-- the party's receipt (`receipt`, hex), or the vault the key that it comes from (`vault`).
create or replace function conduct_api_1.party_place(p_account bytea, p_receipt bytea, p_participation uuid)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party_id uuid := conduct_gate.party_of(p_receipt, p_account, p_participation);
	v_party conduct.party;
	v_place record;
begin
	if v_party_id is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.actor', 'party:' || v_party_id, true),
		set_config('conduct.case_id', conduct_gate.case_of_party(v_party_id)::text, true);
	select * into v_party from conduct.party y where y.party_id = v_party_id;
	if v_party.party_id is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return conduct_api_1.answer(200, jsonb_build_object('unit', conduct_api_1.party_unit(v_party),
		'party', v_party_id) || conduct_api_1.channel_key(v_party_id)
		|| jsonb_build_object('receipt', (select encode(s.blob, 'hex') from keyring.stanza s
			where s.party_id = v_party_id and s.kind = 'channel' and p_receipt is not null)));
end
$$;

create or replace function conduct_api_1.receipt_message_post(p_account bytea, p_receipt bytea,
	p_participation uuid, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party := conduct_api_1.enter_party(p_account, p_receipt, p_participation);
	v_view jsonb;
begin
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	v_view := conduct_api_1.party_message_view(conduct_api_1.party_say(v_party,
		conduct_api_1.word_id(p_args -> 'text'), p_word_ids, p_word_kinds, p_words));
	perform conduct_api_1.finish_key(p_scope, 201, v_view, v_party.case_id);
	return conduct_api_1.answer(201, v_view);
end
$$;

reset role;
