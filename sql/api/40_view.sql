-- What handlers read: a case as the acting person sees it, the history, the conversations. Only proceedings
-- the gate shows to the actor reach an answer, with what hangs on them.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- The case ---------------------------------------------------------------------------------------

-- That an identity was opened everybody sees who handles the case; the identity, who opened it. Whoever comes
-- later needs it as well or does not: they ask for themselves, with a second person.
create or replace function conduct_api_1.view_opening(p_party uuid, p_id_ix bytea, p_name uuid) returns jsonb
language plpgsql stable
as $$
declare
	v_at timestamptz;
	v_is_own boolean;
begin
	select max(o.opened_at), bool_or(conduct.actor_person() in (o.first_person, o.second_person))
	into v_at, v_is_own
	from conduct.identity_opening o where o.case_id = conduct.opened_case() and o.party_id = p_party;
	if v_at is null then
		return '{}';
	end if;
	return jsonb_build_object('identity_opened', jsonb_build_object('at', conduct_api_1.time_text(v_at))
		|| case when v_is_own then conduct_gate.show_account(p_id_ix, p_name)
			|| jsonb_build_object('contact', conduct_api_1.word((select r.contact_content
				from conduct.report r where r.reporter_id = p_party and r.contact_content is not null
				order by r.submitted_at, r.report_id limit 1))) else '{}' end);
end
$$;

-- The pseudonym of a party is its place among those of its role: the same for everybody who handles the case
-- and for as long as there is one, and of no use in any other. A reporter who is sealed or anonymous has
-- neither name nor index in any answer, nor has a target that is the reporter. Else whose account is known is
-- shown as their wiki shows them, and others under the name they were reported by.
create or replace function conduct_api_1.view_parties(p_has_opening boolean) returns jsonb
language plpgsql stable
as $$
declare
	v_parties jsonb;
begin
	if p_has_opening then
		perform conduct_gate.audit_identity();
	end if;
	select coalesce(jsonb_agg(jsonb_build_object(
			'id', y.party_id, 'role', y.role, 'kind', case when y.is_hidden then 'account' else y.kind end,
			'identity', y.identity,
			'pseudonym', y.role || '-' || y.nth,
			'body', y.body_id,
			'resolved', y.is_hidden or y.kind = 'body' or y.id_ix is not null,
			'identity_opened', null, 'notified_at', conduct_api_1.time_text(y.notified_at))
			|| case when y.identity = 'named' and y.id_ix is not null
				then conduct_gate.show_account(y.id_ix, y.name_content)
				else jsonb_build_object('user', case when not y.is_hidden
					then conduct_api_1.word(y.name_content) end, 'user_hidden', false) end
			|| case when p_has_opening
				then conduct_api_1.view_opening(y.party_id, y.id_ix, y.name_content) else '{}' end
			order by y.seq), '[]') into v_parties
	from (select *, role = 'reporter' and identity <> 'named' as is_hidden,
			row_number() over (partition by role order by seq) as nth
		from conduct.party where case_id = conduct.opened_case()) y;
	return v_parties;
end
$$;

create or replace function conduct_api_1.view_allegations(p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((select jsonb_agg(jsonb_build_object(
			'id', a.allegation_id, 'proceeding', a.proceeding_id, 'rule', a.rule,
			'respondent', a.respondent_id, 'incident', a.incident_id, 'policy_version', a.policy_version)
			order by a.added_at, a.rule, a.allegation_id)
		from conduct.allegation a
		where a.case_id = conduct.opened_case() and a.proceeding_id = any (p_ids)), '[]');
end
$$;

create or replace function conduct_api_1.view_decisions(p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((select jsonb_agg(jsonb_build_object(
			'id', d.decision_id, 'proceeding', d.proceeding_id, 'kind', d.kind, 'body', d.body_id,
			'proposal', d.ballot_id, 'outcome', d.outcome, 'reason_code', d.reason_code,
			'reasons', conduct_api_1.word(d.reasons_content), 'refer_to', d.refer_to,
			'voters', d.voters, 'quorum', d.quorum, 'at', conduct_api_1.time_text(d.at),
			'items', coalesce((select jsonb_agg(jsonb_build_object(
					'item', i.item, 'kind', i.kind, 'respondent', i.respondent_id,
					'allegation', i.allegation_id, 'met', i.met, 'sanction', i.sanction, 'scope', i.scope,
					'until', conduct_api_1.time_text(i.until_at), 'outcome', i.outcome,
					'on', case when i.on_decision is not null then
						jsonb_build_object('decision', i.on_decision, 'item', i.on_item) end,
					'passed', i.has_passed, 'text', conduct_api_1.word(i.text_content)) order by i.item)
				from conduct.decision_item i where i.decision_id = d.decision_id), '[]'),
			'notices', coalesce((select jsonb_agg(jsonb_build_object(
					'party', n.party_id, 'served_at', conduct_api_1.time_text(n.served_at),
					'appeal_until', conduct_api_1.time_text(n.appeal_until)) order by n.party_id)
				from conduct.decision_notice n where n.decision_id = d.decision_id), '[]'))
			order by d.at, d.decision_id)
		from conduct.decision d
		where d.case_id = conduct.opened_case() and d.proceeding_id = any (p_ids)), '[]');
end
$$;

create or replace function conduct_api_1.view_ballot(p_ballot conduct.ballot) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object(
		'id', p_ballot.ballot_id, 'proceeding', p_ballot.proceeding_id, 'motion', p_ballot.motion,
		'rule', p_ballot.rule, 'quorum', p_ballot.quorum,
		'opened_at', conduct_api_1.time_text(p_ballot.opened_at),
		'closed_at', conduct_api_1.time_text(p_ballot.closed_at), 'outcome', p_ballot.outcome,
		'reasons', conduct_api_1.word(p_ballot.reasons_content),
		'items', coalesce((select jsonb_agg(jsonb_build_object(
				'item', i.item, 'kind', i.kind, 'respondent', i.respondent_id,
				'allegation', i.allegation_id, 'met', i.met, 'sanction', i.sanction, 'scope', i.scope,
				'until', conduct_api_1.time_text(i.until_at), 'outcome', i.outcome,
				'on', case when i.on_decision is not null then
					jsonb_build_object('decision', i.on_decision, 'item', i.on_item) end,
				'evidence', i.evidence, 'text', conduct_api_1.word(i.text_content),
				'tally', case when t.ballot_id is not null then jsonb_build_object('active', t.active,
					'voters', t.voters, 'support', t.support, 'oppose', t.oppose, 'abstain', t.abstain,
					'passed', t.has_passed) end) order by i.item)
			from conduct.ballot_item i
			left join conduct.tally t on t.ballot_id = i.ballot_id and t.item = i.item
			where i.ballot_id = p_ballot.ballot_id), '[]'),
		'dispositions', coalesce((select jsonb_agg(jsonb_build_object(
				'respondent', d.respondent_id, 'disposition', d.disposition) order by d.respondent_id)
			from conduct.ballot_disposition d where d.ballot_id = p_ballot.ballot_id), '[]'));
end
$$;

create or replace function conduct_api_1.view_ballots(p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((select jsonb_agg(conduct_api_1.view_ballot(b) order by b.opened_at, b.ballot_id)
		from conduct.ballot b
		where b.case_id = conduct.opened_case() and b.proceeding_id = any (p_ids)), '[]');
end
$$;

-- The actor's own ballot paper of a proceeding's open ballot, and how many have voted.
create or replace function conduct_api_1.view_votes(p_proceeding uuid) returns jsonb
language plpgsql stable
as $$
declare
	v_principal uuid;
begin
	if not exists (select from conduct.ballot b
		where b.proceeding_id = p_proceeding and b.closed_at is null)
	then
		return null;
	end if;
	v_principal := conduct_gate.principal_of(conduct.actor_person());
	return (select jsonb_build_object('proposal', b.ballot_id,
			'may_vote', exists (select from conduct.ballot_voter r where r.ballot_id = b.ballot_id
				and r.principal_id = v_principal and r.recused_at is null),
			'active', (select count(*) from conduct.ballot_voter r
				where r.ballot_id = b.ballot_id and r.recused_at is null),
			'voted', (select count(distinct v.principal_id) from conduct.vote v
				where v.ballot_id = b.ballot_id),
			'own', coalesce((select jsonb_agg(jsonb_build_object('item', l.item, 'vote', l.vote)
					order by l.item)
				from (select distinct on (v.item) v.item, v.vote from conduct.vote v
					where v.ballot_id = b.ballot_id and v.principal_id = v_principal
					order by v.item, v.seq desc) l), '[]'))
		from conduct.ballot b where b.proceeding_id = p_proceeding and b.closed_at is null);
end
$$;

-- The decision an appeal is against, and what it says.
create or replace function conduct_api_1.view_appealed(p_against uuid, p_seq integer) returns uuid
language plpgsql stable
as $$
begin
	return (select d.decision_id from conduct.decision d
		where d.proceeding_id = p_against and d.event_seq = p_seq);
end
$$;

create or replace function conduct_api_1.view_claim(p_proceeding uuid) returns jsonb
language plpgsql stable
as $$
begin
	return (select jsonb_build_object('grounds', to_jsonb(c.grounds),
			'reasons', conduct_api_1.word(c.reasons_content),
			'items', (select jsonb_agg(i.item order by i.item) from conduct.appeal_item i
				where i.proceeding_id = c.proceeding_id))
		from conduct.appeal_claim c where c.proceeding_id = p_proceeding);
end
$$;

create or replace function conduct_api_1.view_panel(p_proceeding uuid) returns jsonb
language plpgsql stable
as $$
begin
	return (select jsonb_build_object('formed_at', conduct_api_1.time_text(n.formed_at),
			'members', (select coalesce(jsonb_agg(s.person_id order by s.seated_at, s.person_id), '[]')
				from conduct.panel_seat s where s.panel_id = n.panel_id and s.left_at is null))
		from conduct.panel n where n.proceeding_id = p_proceeding);
end
$$;

-- An objection or the next round leaves the row; it is in force only while something is decided.
create or replace function conduct_api_1.view_disposition(p_row conduct.proceeding) returns text
language plpgsql stable
as $$
begin
	return (select d.disposition from conduct.disposition d
		join conduct.state s on s.state = p_row.state and s.class <> 'open'
		where d.proceeding_id = p_row.proceeding_id);
end
$$;

-- Subqueries cost even where nothing of theirs is there: what few proceedings have is in functions.
create or replace function conduct_api_1.view_proceedings(p_sight conduct_gate.sight, p_has_panel boolean,
	p_has_ballot boolean)
returns jsonb language plpgsql stable
as $$
declare
	v_proceedings jsonb;
begin
	select coalesce(jsonb_agg(jsonb_build_object(
			'id', p.proceeding_id, 'kind', p.kind, 'respondent', p.respondent_id, 'round', p.round,
			'state', p.state, 'body', p.body_id, 'version', p.version,
			'appellant', p.appellant_id, 'against', p.against_id,
			'decision', case when p.kind = 'appeal' then
				conduct_api_1.view_appealed(p.against_id, p.against_seq) end,
			'claim', case when p.kind = 'appeal' then conduct_api_1.view_claim(p.proceeding_id) end,
			'disposition', case when p.kind = 'matter' then conduct_api_1.view_disposition(p) end,
			'panel', case when p_has_panel then conduct_api_1.view_panel(p.proceeding_id) end,
			'votes', case when p_has_ballot then conduct_api_1.view_votes(p.proceeding_id) end,
			'opened_at', conduct_api_1.time_text(p.opened_at),
			'allowed_actions', to_jsonb(a.actions),
			'blocked', conduct_api_1.blocked_on(p, a.actions)) order by p.opened_at, p.kind, p.proceeding_id), '[]')
	into v_proceedings
	from conduct.proceeding p join conduct.body b on b.body_id = p.body_id,
		lateral (select conduct_api_1.allowed_as(p, conduct_api_1.held_roles(p, b.role,
			p.proceeding_id = any (p_sight.own),
			(p_has_panel or p_has_ballot) and conduct_api_1.is_seated(p.proceeding_id))) as actions offset 0) a
	where p.case_id = conduct.opened_case() and p.proceeding_id = any (p_sight.seen);
	return v_proceedings;
end
$$;

create or replace function conduct_api_1.view_sanctions(p_ids uuid[]) returns jsonb
language plpgsql stable
as $$
begin
	return coalesce((select jsonb_agg(jsonb_build_object(
			'id', s.sanction_id, 'respondent', s.respondent_id, 'sanction', i.sanction, 'kind', s.kind,
			'scope', s.scope,
			'from', conduct_api_1.time_text(s.from_at), 'until', conduct_api_1.time_text(s.until_at),
			'standing', s.standing, 'decision', s.decision_id, 'item', s.item)
			order by s.from_at, s.sanction_id)
		from conduct.sanction s join conduct.decision d on d.decision_id = s.decision_id
		join conduct.decision_item i on i.decision_id = s.decision_id and i.item = s.item
		where s.case_id = conduct.opened_case() and d.proceeding_id = any (p_ids)), '[]');
end
$$;

-- What every case has, of the proceedings in sight, which together are in this stage: one statement.
create or replace function conduct_api_1.view_file(p_ids uuid[], p_stage text, p_state text) returns jsonb
language plpgsql stable
as $$
declare
	v_file jsonb;
begin
	select jsonb_build_object(
			'id', f.case_id, 'kind', f.kind, 'stage', p_stage, 'state', p_state,
			'revision', f.revision, 'lane', f.lane, 'severity', f.severity,
			'body', b.body_id, 'jurisdiction', b.jurisdiction, 'privacy', f.privacy,
			'wiki', f.wiki, 'procedure_version', f.procedure_version,
			'submitted_at', conduct_api_1.time_text(f.submitted_at),
			'closed_at', conduct_api_1.time_text(f.closed_at),
			'reports', coalesce((select jsonb_agg(jsonb_build_object(
					'id', r.report_id, 'reporter', r.reporter_id, 'wiki', r.wiki, 'lang', r.lang,
					'category', r.category, 'harm_type', r.harm_type, 'minor_at_risk', r.minor_at_risk,
					'about_functionary', r.about_functionary, 'contain', to_jsonb(r.contain),
					'details', conduct_api_1.word(r.details_content),
					'harmed', conduct_api_1.word(r.harmed_content),
					'extra', conduct_api_1.word(r.extra_content),
					'submitted_at', conduct_api_1.time_text(r.submitted_at))
					order by r.submitted_at, r.report_id)
				from conduct.report r where r.case_id = f.case_id), '[]'),
			'incidents', coalesce((select jsonb_agg(jsonb_build_object(
					'id', i.incident_id, 'report', i.report_id, 'venue', i.venue, 'wiki', i.wiki,
					'page', conduct_api_1.word(i.page_content),
					'thread', conduct_api_1.word(i.thread_content),
					'url', conduct_api_1.word(i.url_content),
					'revision', conduct_api_1.word(i.revision_content),
					'from', conduct_api_1.time_text(i.from_at), 'to', conduct_api_1.time_text(i.to_at),
					'snapshot', (select jsonb_build_object('state', s.state, 'attachment', s.attachment_id,
						'at', conduct_api_1.time_text(s.ended_at))
						from conduct.snapshot s where s.incident_id = i.incident_id))
					order by i.seq)
				from conduct.incident i where i.case_id = f.case_id), '[]'),
			'deadlines', coalesce((select jsonb_agg(jsonb_build_object('what', d.what,
					'at', conduct_api_1.time_text(d.due_at), 'proceeding', d.proceeding_id,
					'overdue', d.overdue_at is not null) order by d.due_at, d.what, d.deadline_id)
				from conduct.deadline d
				where d.case_id = f.case_id and d.met_at is null and not d.is_void
					and (d.proceeding_id is null or d.proceeding_id = any (p_ids))), '[]'),
			'assigned', coalesce((select jsonb_agg(distinct s.person_id) from conduct.assignment s
				where s.case_id = f.case_id and s.ended_at is null), '[]'))
	into v_file
	from conduct.case_file f
	left join lateral (
		select y.body_id, y.jurisdiction
		from conduct.proceeding p join conduct.body y on y.body_id = p.body_id
		where p.proceeding_id = any (p_ids)
		order by (p.state = p_state) desc, p.state_at desc, p.proceeding_id limit 1) b on true
	where f.case_id = conduct.opened_case();
	return v_file;
end
$$;

-- The opened case as the actor sees it (api.md, GET /v1/cases/{id}).
create or replace function conduct_api_1.case_view() returns jsonb
language plpgsql stable
as $$
declare
	v_sight conduct_gate.sight := conduct_gate.handler_sight(conduct.opened_case());
	v_stage record := conduct_api_1.stage_of(v_sight.seen);
	v_proceedings jsonb;
	v_actions jsonb;
	v_has_matter boolean;
	v_has_decision boolean;
	v_has_panel boolean;
	v_has_ballot boolean;
	v_has_opening boolean;
begin
	-- Most cases are young: what follows later is looked at only where it is there.
	select exists (select from conduct.allegation a where a.proceeding_id = any (v_sight.seen)),
		exists (select from conduct.decision d where d.case_id = conduct.opened_case()),
		exists (select from conduct.panel n where n.proceeding_id = any (v_sight.seen)),
		exists (select from conduct.ballot b where b.proceeding_id = any (v_sight.seen)),
		exists (select from conduct.identity_opening o where o.case_id = conduct.opened_case())
	into v_has_matter, v_has_decision, v_has_panel, v_has_ballot, v_has_opening;
	v_proceedings := conduct_api_1.view_proceedings(v_sight, v_has_panel, v_has_ballot);
	if jsonb_array_length(v_proceedings) = 1 then
		v_actions := v_proceedings #> '{0,allowed_actions}';
	else
		select coalesce(jsonb_agg(distinct a order by a), '[]') into v_actions
		from jsonb_array_elements(v_proceedings) p, jsonb_array_elements_text(p -> 'allowed_actions') a;
	end if;
	-- No query stands in this expression: it is evaluated without one.
	return conduct_api_1.view_file(v_sight.seen, v_stage.stage, v_stage.state) || jsonb_build_object(
		'parties', conduct_api_1.view_parties(v_has_opening),
		'allegations', case when v_has_matter then conduct_api_1.view_allegations(v_sight.seen) else '[]' end,
		'proceedings', v_proceedings,
		'decisions', case when v_has_decision then conduct_api_1.view_decisions(v_sight.seen) else '[]' end,
		'ballots', case when v_has_ballot then conduct_api_1.view_ballots(v_sight.seen) else '[]' end,
		'sanctions', case when v_has_decision then conduct_api_1.view_sanctions(v_sight.seen) else '[]' end,
		'allowed_actions', v_actions);
end
$$;

-- History, conversations -------------------------------------------------------------------------

create or replace function conduct_api_1.view_event(p_event conduct.event) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('proceeding', p_event.proceeding_id, 'kind', p_event.kind, 'seq', p_event.seq,
		'from', p_event.from_state, 'action', p_event.action, 'to', p_event.to_state, 'role', p_event.role,
		'actor', p_event.actor_person, 'party', p_event.actor_party,
		'at', conduct_api_1.time_text(p_event.at), 'revision', p_event.revision, 'act', p_event.act_id,
		'reason', conduct_api_1.word(p_event.reason_content), 'facts', p_event.facts);
end
$$;

-- What moved the proceedings in sight, and the custody of the files in sight, in the order of time.
create or replace function conduct_api_1.case_events(p_account bytea, p_case uuid, p_limit integer,
	p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_ids uuid[];
	v_items jsonb;
	v_next jsonb;
begin
	perform conduct_api_1.enter_person(p_account);
	perform conduct_api_1.open_seen_case(p_case);
	v_ids := (conduct_gate.handler_sight(p_case)).seen;
	with page as (
		select h.*, row_number() over (order by h.at, h.id, h.seq) as nth
		from ((select e.at, e.proceeding_id as id, e.seq, e as event, null::jsonb as custody
				from conduct.event e
				where e.case_id = p_case and e.proceeding_id = any (v_ids)
					and (p_after is null or (e.at, e.proceeding_id, e.seq) >
						((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid, (p_after ->> 2)::integer))
				order by e.at, e.proceeding_id, e.seq limit p_limit + 1)
			union all
			select c.at, c.id, c.seq, null, c.item
			from conduct_api_1.custody(p_case, p_limit + 1, p_after) c) h
		order by h.at, h.id, h.seq limit p_limit + 1)
	select coalesce(jsonb_agg(coalesce(g.custody, conduct_api_1.view_event(g.event)) order by g.nth)
			filter (where g.nth <= p_limit), '[]'),
		case when count(*) > p_limit then
			(select jsonb_build_array(l.at, l.id, l.seq) from page l where l.nth = p_limit) end
	into v_items, v_next from page g;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

-- The party a channel belongs to: named, or the only one with that role. Internal: none.
create or replace function conduct_api_1.channel_party(p_channel text, p_party uuid) returns uuid
language plpgsql stable
as $$
declare
	v_ids uuid[];
begin
	if p_channel = 'internal' then
		if p_party is not null then
			perform conduct_api_1.refuse_member('/party', 'not-allowed');
		end if;
		return null;
	end if;
	if p_channel is null or p_channel not in ('reporter', 'respondent', 'witness') then
		perform conduct_api_1.refuse_member('/channel', 'unknown');
	end if;
	select array_agg(y.party_id) into v_ids from conduct.party y
	where y.case_id = conduct.opened_case()
		and (y.role = p_channel or (p_channel = 'reporter' and y.role = 'target' and p_party is not null))
		and (p_party is null or y.party_id = p_party);
	if coalesce(cardinality(v_ids), 0) <> 1 then
		perform conduct_api_1.refuse_member('/party', case when v_ids is null then 'unknown' else 'missing' end);
	end if;
	return v_ids[1];
end
$$;

create or replace function conduct_api_1.view_message(p_message conduct.message) returns jsonb
language plpgsql stable
as $$
begin
	return jsonb_build_object('id', p_message.message_id, 'channel', p_message.channel,
		'party', p_message.party_id, 'author', p_message.author_person,
		'author_party', p_message.author_party, 'text', conduct_api_1.word(p_message.text_content),
		'at', conduct_api_1.time_text(p_message.at));
end
$$;

-- Whether the acting handler may read a message: what was said in a proceeding that is hidden from them
-- is hidden too. Messages carry no proceeding, so that it is told by the time and by who wrote: a member
-- of the body that holds it, its appellant, or, where nothing else is open in sight, any party.
create or replace function conduct_api_1.sees_message(p_message conduct.message) returns boolean
language plpgsql stable
as $$
begin
	if p_message.author_person = conduct.actor_person() then
		return true;
	end if;
	return not exists (
		select from conduct.proceeding p
		where p.case_id = p_message.case_id and p.opened_at <= p_message.at
			and not conduct_gate.handler_sees_proceeding(p.proceeding_id)
			and case when p_message.author_person is not null
				then exists (select from conduct_gate.bodies_of(p_message.author_person) b
					where b.body_id = p.body_id)
				else coalesce(p.appellant_id = p_message.party_id, false)
					or not exists (select from conduct.proceeding q
						join conduct.state s on s.state = q.state and s.class = 'open'
						where q.case_id = p_message.case_id
							and conduct_gate.handler_sees_proceeding(q.proceeding_id)) end);
end
$$;

create or replace function conduct_api_1.case_messages(p_account bytea, p_case uuid, p_channel text,
	p_party uuid, p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party uuid;
	v_items jsonb;
	v_next jsonb;
begin
	perform conduct_api_1.enter_person(p_account);
	perform conduct_api_1.open_seen_case(p_case);
	v_party := conduct_api_1.channel_party(p_channel, p_party);
	with page as (
		select m as message, m.at, m.message_id, row_number() over (order by m.at, m.message_id) as nth
		from conduct.message m
		where m.case_id = p_case and m.channel = p_channel and m.party_id is not distinct from v_party
			and conduct_api_1.sees_message(m)
			and (p_after is null or (m.at, m.message_id) >
				((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid))
		order by m.at, m.message_id limit p_limit + 1)
	select coalesce(jsonb_agg(conduct_api_1.view_message(g.message) order by g.nth)
			filter (where g.nth <= p_limit), '[]'),
		case when count(*) > p_limit then
			(select jsonb_build_array(l.at, l.message_id) from page l where l.nth = p_limit) end
	into v_items, v_next from page g;
	return conduct_api_1.answer(200, jsonb_build_object('items', v_items, 'next', v_next));
end
$$;

-- The unit of a handler's message: of a channel with a key of its own, the one that key comes from.
create or replace function conduct_api_1.message_unit(p_case uuid, p_party uuid, p_word_kinds text[]) returns uuid
language plpgsql stable
as $$
begin
	return case when '$channel' = any (p_word_kinds)
		then (select k.unit_id from conduct_gate.channel_stanza(p_party) k)
		else (select f.unit_id from conduct.case_file f where f.case_id = p_case) end;
end
$$;

-- Where what a handler writes into a channel goes, as party_place() says it.
create or replace function conduct_api_1.case_place(p_account bytea, p_case uuid, p_channel text, p_party uuid)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party uuid;
begin
	perform conduct_api_1.enter_person(p_account);
	if not exists (select from conduct.case_file f where f.case_id = p_case) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	perform set_config('conduct.case_id', p_case::text, true);
	v_party := conduct_api_1.channel_party(p_channel, p_party);
	return conduct_api_1.answer(200, jsonb_build_object('unit', (conduct_api_1.current_case()).unit_id,
		'party', v_party) || conduct_api_1.channel_key(v_party));
end
$$;

-- A message changes no state. To a respondent nothing is written before the notice: until then nothing
-- exists for them.
create or replace function conduct_api_1.case_message_post(p_account bytea, p_case uuid, p_scope bytea,
	p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[], p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_api_1.enter_person(p_account);
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_message conduct.message;
	v_body jsonb;
begin
	perform conduct_api_1.open_case(p_case);
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer);
	end if;
	v_message.party_id := conduct_api_1.channel_party(p_args ->> 'channel', (p_args ->> 'party')::uuid);
	if p_args ->> 'channel' = 'respondent' and not exists (select from conduct.party y
		where y.party_id = v_message.party_id and y.notified_at is not null)
	then
		perform conduct_api_1.refuse_member('/party', 'not-notified');
	end if;
	perform conduct_api_1.store_words(conduct_api_1.message_unit(p_case, v_message.party_id, p_word_kinds),
		p_word_ids, p_word_kinds, p_words);
	v_message.message_id := gen_random_uuid();
	v_message.case_id := p_case;
	v_message.channel := p_args ->> 'channel';
	v_message.author_person := v_person;
	v_message.text_content := (p_args ->> 'text')::uuid;
	v_message.at := conduct.clock();
	insert into conduct.message select v_message.*;
	perform conduct_api_1.send('message', jsonb_build_object('channel', v_message.channel,
		'party', v_message.party_id));
	v_body := conduct_api_1.view_message(v_message);
	perform conduct_api_1.finish_key(p_scope, 201, v_body, p_case);
	return conduct_api_1.answer(201, v_body);
end
$$;

reset role;
reset search_path;
