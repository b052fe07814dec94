-- What stays of a case whose sanction has no end, for as long as that is in force: the statement, which is
-- the reasons of the decision and what it imposes, and on whom. Of a party everything goes that was said of
-- who they are, and what they say after an erasure may be erased as well.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- One request at a time.
alter table erasure_request drop constraint erasure_request_is_one;
create unique index erasure_request_is_one on erasure_request (party_id) where state <> 'erased';

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Sanctions that last until somebody lifts them. Advice, warnings and recommendations are said, and over.
create function conduct_gate.lasting_sanctions(p_case uuid) returns setof conduct.sanction
language plpgsql stable security definer rows 1 set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return query select s.* from conduct.sanction s
	where s.case_id = p_case and s.until_at is null and s.standing in ('active', 'stayed')
		and s.kind not in ('advice', 'warning', 'recommendation');
end
$$;

-- The statement that an erased text leaves: of each such sanction the reasons of its decision, and what that
-- says of nobody else.
create function conduct_gate.statement_words(p_erasure conduct.erasure) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(
		select distinct w from conduct_gate.lasting_sanctions(p_erasure.case_id) s
		join conduct.decision d on d.decision_id = s.decision_id
		left join conduct.decision_item i on i.decision_id = d.decision_id
			and coalesce(i.respondent_id = s.respondent_id, true),
		unnest(array[d.reasons_content, i.text_content]) w
		where p_erasure.extent = 'text' and w is not null
		order by 1);
end
$$;

create function conduct_gate.statement_parties(p_erasure conduct.erasure) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(select s.respondent_id from conduct_gate.lasting_sanctions(p_erasure.case_id) s
		where p_erasure.extent = 'text');
end
$$;

-- From when on a closed case's text, or its skeleton, is erased. A sanction keeps the text for as long as it
-- lasts, one without an end for as long as another skeleton, and its own skeleton while it is in force; a
-- warning neither. Emergencies count from when they were handed back.
create or replace function conduct_gate.erasure_due(p_case uuid, p_extent text) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_case conduct.case_file;
	v_words interval := conduct_gate.erasure_limit(p_case, 'retention_words', interval '90 days');
	v_skeleton interval := conduct_gate.erasure_limit(p_case, 'retention_skeleton', interval '1826 days');
	v_handed_back timestamptz;
	v_sanctioned timestamptz;
begin
	select * into v_case from conduct.case_file f where f.case_id = p_case;
	if p_extent = 'skeleton' then
		return case when exists (select from conduct_gate.lasting_sanctions(p_case)) then 'infinity'
			else v_case.closed_at + v_skeleton end;
	end if;
	select max(case when s.until_at is null then v_case.closed_at + v_skeleton - v_words else s.until_at end)
	into v_sanctioned from conduct.sanction s
	where s.case_id = p_case and s.standing in ('active', 'expired', 'stayed')
		and s.kind not in ('advice', 'warning', 'recommendation');
	select max(e.at) into v_handed_back from conduct.event e
	where e.case_id = p_case and e.action = 'hand_back' and v_case.lane = 'emergency';
	if v_handed_back is not null and v_sanctioned is null then
		return v_handed_back + conduct_gate.erasure_limit(p_case, 'retention_emergency', interval '90 days');
	end if;
	return greatest(v_case.closed_at, v_sanctioned) + v_words;
end
$$;

-- A sanction that ends before its time, or at last, does not keep the case any longer.
create function conduct_gate.retention_follows_sanction() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	update conduct.retention r set next_at = least(r.next_at, conduct.clock()
		+ conduct_gate.erasure_limit(new.case_id, 'retention_words', interval '90 days'))
	where r.case_id = new.case_id;
	return null;
end
$$;

-- What a party said in a case, in whichever unit: messages, reasons of its acts and appeals, and whom a
-- reporter keeps out and why; and by which name others brought it in. The name of a respondent stays with
-- what was decided, and names of people who have an account are theirs.
create or replace function conduct_gate.erasure_contents(p_case uuid, p_party uuid) returns uuid[]
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return array(
		select m.text_content from conduct.message m where m.case_id = p_case and m.author_party = p_party
		union select e.reason_content from conduct.event e
		where e.case_id = p_case and e.actor_party = p_party and e.reason_content is not null
		union select a.reasons_content from conduct.appeal_claim a
		join conduct.proceeding p on p.proceeding_id = a.proceeding_id
		where a.case_id = p_case and p.appellant_id = p_party
		union select w from conduct.attachment f, unnest(array[f.name_content, f.digest_content]) w
		where f.case_id = p_case and f.party_id = p_party
		union select r.reason_content from conduct.recusal r
		where r.case_id = p_case and r.source = 'named' and r.reason_content is not null
			and exists (select from conduct.report o where o.case_id = p_case and o.reporter_id = p_party)
		union select y.name_content from conduct.party y
		join conduct.content c on c.content_id = y.name_content
		join conduct.unit u on u.unit_id = c.unit_id and u.kind <> 'person'
		where y.case_id = p_case and y.party_id = p_party and y.role <> 'respondent'
		order by 1);
end
$$;

-- Keys first, then what they opened: words, receipts, and answers kept for replays.
create or replace function conduct_gate.erase_words(p_erasure conduct.erasure) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_told interval := conduct_gate.erasure_limit(p_erasure.case_id, 'erasure_told', interval '90 days');
	v_kept uuid[] := conduct_gate.statement_words(p_erasure);
	v_parties uuid[] := conduct_gate.statement_parties(p_erasure);
begin
	-- Not while they are sealed again.
	perform pg_advisory_xact_lock(hashtextextended('keyring.stanza', 0));
	delete from keyring.stanza s where (s.unit_id = any (p_erasure.units) or s.party_id = p_erasure.party_id)
		and not (s.kind = 'vault' and exists (select from conduct.content c where c.content_id = any (v_kept)
			and c.unit_id = s.unit_id and c.generation = s.generation));
	-- In a unit of others a party's words have keys of their own.
	delete from keyring.stanza s using conduct.content c
	where c.content_id = any (p_erasure.contents) and s.unit_id = c.unit_id and s.generation = c.generation
		and s.kind = 'vault' and not exists (select from conduct.content o
			where o.unit_id = c.unit_id and o.generation = c.generation and o.body <> ''
				and not o.content_id = any (p_erasure.contents));
	update conduct.content c set body = '' where c.unit_id = any (p_erasure.units) and c.body <> ''
		and not c.content_id = any (v_kept);
	update conduct.content c set body = '' where c.content_id = any (p_erasure.contents) and c.body <> '';
	with gone as (
		delete from conduct.receipt r
		where r.case_id = p_erasure.case_id and (p_erasure.party_id is null or r.party_id = p_erasure.party_id)
			and not r.party_id = any (v_parties)
		returning r.receipt_hash)
	insert into conduct.erased_receipt (receipt_hash, until_at)
	select g.receipt_hash, p_erasure.at + v_told from gone g
	on conflict (receipt_hash) do nothing;
	delete from conduct.one_time_word w
	where w.case_id = p_erasure.case_id and (p_erasure.party_id is null or w.party_id = p_erasure.party_id);
	delete from conduct.idempotency i where i.case_id = p_erasure.case_id;
	update conduct.erasure_request q set state = 'erased', answer = 'erased', answered_at = p_erasure.at,
		until_at = null, next_at = null
	where q.case_id = p_erasure.case_id and q.state <> 'erased'
		and (p_erasure.party_id is null or q.party_id = p_erasure.party_id);
end
$$;

-- Who somebody was: of one party, and of the target that is the reporter's account; or of everybody, with all
-- else that tells of whom the case was. A case without text is on nobody's docket.
create or replace function conduct_gate.erase_indexes(p_erasure conduct.erasure) returns text
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_case uuid := p_erasure.case_id;
	v_ix bytea := (select y.id_ix from conduct.party y
		where y.party_id = p_erasure.party_id and y.role = 'reporter');
	v_parties uuid[] := conduct_gate.statement_parties(p_erasure);
	v_gone text;
begin
	delete from conduct.account_lookup l
	where l.case_id = v_case and (p_erasure.party_id is null or l.subject_id = p_erasure.party_id);
	-- Of whom a statement is about one index stays, by which their account finds it.
	update conduct.party y set id_ix = case when y.party_id = any (v_parties) then y.id_ix end,
		name_ix = case when y.party_id = any (v_parties) and y.id_ix is null then y.name_ix end,
		skeleton_ix = null, name_content = null,
		kind = case when y.kind = 'body' or y.party_id = any (v_parties) then y.kind
			when y.role = 'reporter' then 'anonymous' else 'unknown' end,
		identity = case when y.role = 'reporter' then 'anonymous' else y.identity end
	where y.case_id = v_case and (p_erasure.party_id is null
		-- What was decided about a respondent is about somebody for as long as the text is there.
		or (y.party_id = p_erasure.party_id and y.role <> 'respondent')
		or (y.role = 'target' and y.id_ix = v_ix));
	if p_erasure.party_id is not null then
		return '';
	end if;
	update conduct.incident i set from_at = null, to_at = null where i.case_id = v_case;
	update conduct.sanction s set scope = null where s.case_id = v_case
		and not exists (select from conduct_gate.lasting_sanctions(v_case) l where l.sanction_id = s.sanction_id);
	update conduct.decision_item d set scope = null where d.case_id = v_case
		and not exists (select from conduct_gate.lasting_sanctions(v_case) l
			where l.decision_id = d.decision_id and l.item = d.item);
	update conduct.ballot_item b set scope = null, evidence = '[]' where b.case_id = v_case;
	update conduct.case_file f set pseudonym = gen_random_uuid() where f.case_id = v_case;
	delete from conduct.docket d where d.case_id = v_case;
	delete from conduct.outbox o where o.case_id = v_case;
	with a as (delete from conduct.recusal r where r.case_id = v_case returning 'gone recusal ' || r.recusal_id as line),
	b as (delete from conduct.pending_act p where p.case_id = v_case returning 'gone pending_act ' || p.pending_id)
	select string_agg(g.line || chr(10), '') into v_gone from (select * from a union all select * from b) g;
	return coalesce(v_gone, '');
end
$$;

-- Erases what the log has kept beside its leaves, and says so in a leaf that stays; what is left of the case
-- is logged anew. p_gone: rows that are there no more.
create or replace function conduct_gate.erase_log(p_erasure conduct.erasure, p_pseudonym uuid, p_gone text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_entries text;
begin
	-- In a database that was restored, entries may have no number yet: none says what a row was before.
	update conduct.audit_pending p set payload = ''
	where p_erasure.is_again and p.case_id = p_erasure.case_id and p.unit_id is null
		and p.event <> 'case.read' and p.payload <> '';
	with gone as (
		delete from conduct.audit_payload p
		where (p.case_id = p_erasure.case_id and p.unit_id is null) or p.unit_id = any (p_erasure.units)
		returning p.leaf_index)
	select string_agg('entry ' || g.leaf_index || chr(10), '' order by g.leaf_index) into v_entries from gone g;
	insert into conduct.audit_pending (at, event, case_pseudonym, payload)
	values (p_erasure.at, 'case.erased', p_pseudonym, 'erasure ' || p_erasure.extent || ' ' || p_erasure.case_id
		|| coalesce(' ' || p_erasure.party_id, '') || chr(10) || coalesce(v_entries, '') || p_gone
		|| coalesce((select string_agg('gone content ' || c || chr(10) || 'gone content_place ' || c || chr(10), '')
			-- What is erased again may not have its number yet.
			from (select unnest(p_erasure.contents) as c union
				select w from conduct.audit_pending p, unnest(p.row_ids) w where p.unit_id = any (p_erasure.units)) g),
			''));
	insert into conduct.audit_pending (at, event, case_pseudonym, case_id, payload)
	select p_erasure.at, 'case.kept', f.pseudonym, p_erasure.case_id, conduct_gate.audit_case(p_erasure.case_id)
	from (select 1) one left join conduct.case_file f on f.case_id = p_erasure.case_id;
	insert into conduct.audit_pending (at, event, case_pseudonym, case_id, unit_id, row_ids, row_hashes, payload)
	select p_erasure.at, 'content.kept', f.pseudonym, f.case_id, c.unit_id, array_agg(c.content_id),
		array_agg(sha256(c.body)), 'unit ' || c.unit_id || chr(10)
			|| (select string_agg(a.payload, '') from conduct_gate.audit_placed(array_agg(c.content_id)) a)
	from conduct.case_file f, conduct.content c
	where f.case_id = p_erasure.case_id and c.content_id = any (conduct_gate.statement_words(p_erasure))
	group by f.case_id, c.unit_id;
end
$$;

grant execute on function conduct_gate.lasting_sanctions(uuid),
	conduct_gate.statement_words(conduct.erasure), conduct_gate.statement_parties(conduct.erasure),
	conduct_gate.retention_follows_sanction() to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger sanction_retention_follows after update of standing on sanction
	for each row when (old.standing is distinct from new.standing)
	execute function conduct_gate.retention_follows_sanction();
call guard_tables();

reset role;
reset search_path;
