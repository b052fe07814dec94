-- What must be forgotten is forgotten, and what must not yet be is held. Rows of a case change beyond their
-- columns, and leave tables that only grow, in one way: beside a row of `erasure` that the same transaction
-- has written, which a trigger lets in only where nothing stands against it. What stays of an erased word is
-- its row with an empty body, so that everything that refers to it goes on.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Nothing of a case is erased while a hold is in force. The reason is content; who is no handler of the case
-- names a ground instead.
create table legal_hold (
	hold_id uuid constraint legal_hold_pkey primary key,
	case_id uuid not null constraint legal_hold_case_fkey references case_file,
	person_id uuid not null constraint legal_hold_person_fkey references person,
	role text not null,
	ground text constraint legal_hold_ground_known
		check (ground in ('court_order', 'authority_request', 'dispute', 'audit')),
	reason_content uuid constraint legal_hold_reason_fkey references content,
	made_at timestamptz not null,
	until_at timestamptz not null,
	ended_at timestamptz,
	ended_by uuid constraint legal_hold_ended_by_fkey references person,
	constraint legal_hold_says_why check (num_nonnulls(ground, reason_content) = 1),
	constraint legal_hold_is_forward check (made_at < until_at),
	constraint legal_hold_is_a_year_at_most check (until_at <= made_at + interval '366 days')
);
create index legal_hold_case on legal_hold (case_id) where ended_at is null;
create index legal_hold_made on legal_hold (made_at, hold_id);

-- Closed cases by when they are looked at next; a case that is open has no row.
create table retention (
	case_id uuid constraint retention_pkey primary key
		constraint retention_case_fkey references case_file,
	extent text not null constraint retention_extent_known check (extent in ('text', 'skeleton')),
	next_at timestamptz not null
);
create index retention_next on retention (next_at);

-- A party asks that what it said is erased, and is answered: it waits for what stands against it, and is
-- looked at again then.
create table erasure_request (
	request_id uuid constraint erasure_request_pkey primary key,
	case_id uuid not null,
	party_id uuid not null constraint erasure_request_is_one unique,
	asked_at timestamptz not null,
	due_at timestamptz not null,
	state text not null constraint erasure_request_state_known
		check (state in ('asked', 'waiting', 'erased')),
	answer text constraint erasure_request_answer_known
		check (answer in ('open', 'window', 'petition', 'hold', 'erased')),
	answered_at timestamptz,
	until_at timestamptz,
	next_at timestamptz,
	overdue_at timestamptz,
	constraint erasure_request_is_answered check ((state = 'asked') = (answer is null)
		and (answer is null) = (answered_at is null)),
	constraint erasure_request_party_fkey foreign key (party_id, case_id) references party (party_id, case_id)
);
create index erasure_request_case on erasure_request (case_id);
create index erasure_request_next on erasure_request (next_at) where next_at is not null;
create index erasure_request_due on erasure_request (due_at) where answered_at is null;

-- What was erased, and the pass of the transaction that does it: xid is empty again when it is done.
-- No key to the case: this stays when the case is gone.
create table erasure (
	erasure_id uuid constraint erasure_pkey primary key,
	case_id uuid not null,
	extent text not null constraint erasure_extent_known check (extent in ('party', 'text', 'skeleton')),
	party_id uuid,
	units uuid[] not null,
	contents uuid[] not null,
	at timestamptz not null,
	is_again boolean not null default false,
	xid xid8 default pg_current_xact_id(),
	constraint erasure_of_a_party_names_it check ((extent = 'party') = (party_id is not null))
);
create index erasure_case on erasure (case_id);

-- A receipt whose words are erased: nothing but its hash, until it is unknown again.
create table erased_receipt (
	receipt_hash bytea constraint erased_receipt_pkey primary key
		constraint erased_receipt_is_sha256 check (octet_length(receipt_hash) = 32),
	until_at timestamptz not null
);
create index erased_receipt_until on erased_receipt (until_at);

create trigger erasure_rows_stay before delete on erasure
	for each row execute function conduct_gate.rows_stay();
create trigger erasure_columns_stay before update on erasure
	for each row execute function conduct_gate.columns_stay('xid');
create trigger legal_hold_rows_stay before delete on legal_hold
	for each row execute function conduct_gate.rows_stay();
create trigger legal_hold_columns_stay before update on legal_hold
	for each row execute function conduct_gate.columns_stay('ended_at', 'ended_by');
create trigger erasure_request_rows_stay before delete on erasure_request
	for each row execute function conduct_gate.rows_stay();
create trigger erasure_request_columns_stay before update on erasure_request
	for each row execute function conduct_gate.columns_stay('state', 'answer', 'answered_at', 'until_at', 'next_at',
		'overdue_at');

-- An erased word is an empty one, and has no key.
alter table content
	drop constraint content_generation_is_positive,
	drop constraint content_body_is_an_envelope,
	add constraint content_generation_is_positive check (generation > 0 or body = ''),
	add constraint content_body_is_an_envelope
		check (body = '' or (octet_length(body) >= 292 and substr(body, 1, 4) = '\xc5d10101'));

-- Closed cases are due by the policy of their own time.
insert into retention (case_id, extent, next_at)
select f.case_id, 'text', f.closed_at from case_file f where f.closed_at is not null;

reset role;
reset search_path;

-- Who asks, who holds, who erases -----------------------------------------------------------------

set role conduct_owner;
set search_path = conduct, pg_catalog;

do $$
declare
	v_table text;
	v_role text;
begin
	foreach v_table in array array['legal_hold', 'retention', 'erasure_request', 'erasure', 'erased_receipt'] loop
		execute format('alter table conduct.%I enable row level security', v_table);
		execute format('alter table conduct.%I force row level security', v_table);
	end loop;
	-- Whoever takes the case up for an act sees what is held and asked of it.
	foreach v_table in array array['legal_hold', 'erasure_request'] loop
		foreach v_role in array array['conduct_handler', 'conduct_party'] loop
			execute format('grant select, insert on conduct.%I to %I', v_table, v_role);
			execute format('create policy %I on conduct.%I to %I using (case_id = (select conduct.opened_case()))
				with check (case_id = (select conduct.opened_case()))',
				v_table || '_' || substr(v_role, 9), v_table, v_role);
		end loop;
	end loop;
	foreach v_table in array array['retention', 'erasure_request'] loop
		execute format('create policy %I on conduct.%I to conduct_timer using (true) with check (true)',
			v_table || '_timer', v_table);
	end loop;
end
$$;
grant select, insert, update (ended_at, ended_by) on legal_hold to conduct_admin;
create policy legal_hold_admin on legal_hold to conduct_admin using (true) with check (true);
grant select, update (extent, next_at) on retention to conduct_timer;
grant select, update (state, answer, answered_at, until_at, next_at, overdue_at) on erasure_request to conduct_timer;
grant select, update, delete on erased_receipt to conduct_admin;
create policy erased_receipt_admin on erased_receipt to conduct_admin using (true);

-- The gate alone erases; which rows and columns, its triggers say.
grant insert, update (xid) on erasure to conduct_gate;
grant insert, update, delete on retention to conduct_gate;
grant insert on erased_receipt to conduct_gate;
grant update (state, answer, answered_at, until_at, next_at) on erasure_request to conduct_gate;
grant update (body) on content to conduct_gate;
grant update (id_ix, name_ix, skeleton_ix, name_content, kind, identity) on party to conduct_gate;
grant update (from_at, to_at) on incident to conduct_gate;
grant update (scope) on sanction, decision_item to conduct_gate;
grant update (scope, evidence) on ballot_item to conduct_gate;
grant update (pseudonym) on case_file to conduct_gate;
grant update (payload) on audit_pending to conduct_gate;
grant select, delete on audit_payload, keyring.stanza to conduct_gate;
grant delete on recusal, pending_act, receipt, docket, account_lookup, idempotency, outbox, content, unit
	to conduct_gate;

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- What erasing may change ------------------------------------------------------------------------

-- A transaction that has written its row of `erasure` erases that case, or those key units.
create function conduct_gate.is_erased_here(p_row jsonb, p_extents text[]) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return exists (select from conduct.erasure e
		where e.xid = pg_current_xact_id() and e.extent = any (p_extents)
			and (e.case_id = (p_row ->> 'case_id')::uuid
				or (p_row ->> 'unit_id')::uuid = any (e.units)
				or (p_row ->> 'content_id')::uuid = any (e.contents)));
end
$$;

-- The columns of a row that are emptied: indexes, words, and what would tell of whom the case was.
create function conduct_gate.erasable_columns(p_table text) returns text[]
language plpgsql immutable set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return case p_table
		when 'content' then array['body', 'generation']
		when 'party' then array['id_ix', 'name_ix', 'skeleton_ix', 'name_content', 'kind', 'identity']
		when 'incident' then array['from_at', 'to_at']
		when 'sanction' then array['scope']
		when 'decision_item' then array['scope']
		when 'ballot_item' then array['scope', 'evidence']
		when 'case_file' then array['pseudonym']
		when 'audit_pending' then array['payload']
		else '{}'::text[] end;
end
$$;

-- Whether a change does no more than erase; words are emptied, and nothing else is put in their place.
create function conduct_gate.only_erases(p_table text, p_old jsonb, p_new jsonb, p_free text[]) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_columns text[] := p_free || conduct_gate.erasable_columns(p_table);
begin
	return conduct_gate.is_erased_here(p_old, array['party', 'text', 'skeleton'])
		and p_new - v_columns = p_old - v_columns
		and (p_table <> 'content' or p_new ->> 'body' = '\x')
		and (p_table <> 'audit_pending' or p_new ->> 'payload' = '');
end
$$;

create or replace function conduct_gate.append_only() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if tg_op = 'UPDATE' and conduct_gate.only_erases(tg_table_name, to_jsonb(old), to_jsonb(new), '{}') then
		return new;
	end if;
	if tg_op = 'DELETE' and conduct_gate.is_erased_here(to_jsonb(old), array['skeleton']) then
		return old;
	end if;
	perform conduct_gate.refuse(tg_table_name || '_is_append_only');
	return null;
end
$$;

-- With a party's words go those it was to prove itself by; with a case's text the acts that waited for a
-- second person and who was kept out; with its skeleton all the rest.
create or replace function conduct_gate.rows_stay() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if tg_op = 'DELETE' and conduct_gate.is_erased_here(to_jsonb(old), case
		when tg_table_name = 'one_time_word' then array['party', 'text', 'skeleton']
		when tg_table_name in ('recusal', 'pending_act') then array['text', 'skeleton']
		when tg_table_name <> 'erasure' then array['skeleton'] end)
	then
		return old;
	end if;
	perform conduct_gate.refuse(tg_table_name || '_rows_stay');
	return null;
end
$$;

create or replace function conduct_gate.columns_stay() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if to_jsonb(new) - tg_argv is distinct from to_jsonb(old) - tg_argv
		and not conduct_gate.only_erases(tg_table_name, to_jsonb(old), to_jsonb(new), tg_argv)
	then
		perform conduct_gate.refuse(tg_table_name || '_columns_stay');
	end if;
	return new;
end
$$;

-- Whom a party row stands for is learnt once, and forgotten once.
create or replace function conduct_gate.party_keeps_its_account() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if old.id_ix is not null and new.id_ix is distinct from old.id_ix and not (new.id_ix is null
		and conduct_gate.is_erased_here(to_jsonb(old), array['party', 'text']))
	then
		perform conduct_gate.refuse('party_keeps_its_account');
	end if;
	return new;
end
$$;

-- When --------------------------------------------------------------------------------------------

-- What stands against erasing anything of a case, and until when, as far as that is known; null: nothing.
create function conduct_gate.erasure_obstacle(p_case uuid, out reason text, out until_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_now timestamptz := conduct.clock();
begin
	select 'hold', max(h.until_at) into reason, until_at from conduct.legal_hold h
	where h.case_id = p_case and h.ended_at is null and h.until_at > v_now having count(*) > 0;
	if reason is not null then
		return;
	end if;
	select 'petition', max(d.due_at) into reason, until_at from conduct.deadline d
	where d.case_id = p_case and d.what = 'answer_petition' and d.met_at is null and not d.is_void
	having count(*) > 0;
	if reason is not null then
		return;
	end if;
	if exists (select from conduct.proceeding p join conduct.state s on s.state = p.state and s.class = 'open'
		where p.case_id = p_case)
	then
		reason := 'open';
		return;
	end if;
	select 'window', max(w.until_at) into reason, until_at
	from (select n.appeal_until as until_at from conduct.decision_notice n
		where n.case_id = p_case and n.appeal_until > v_now
		union all
		select d.due_at from conduct.deadline d
		where d.case_id = p_case and d.met_at is null and d.overdue_at is null and not d.is_void
			and d.what in ('appeal_window', 'join_appeal', 'resume', 'object_informal')) w
	having count(*) > 0;
	if reason is null and (select f.closed_at is null from conduct.case_file f where f.case_id = p_case) then
		reason := 'open';
	end if;
end
$$;

-- A limit of the case's own procedure, in the words of domain policy; sets of before it have the default.
create function conduct_gate.erasure_limit(p_case uuid, p_key text, p_default interval) returns interval
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return coalesce((select (r.procedure ->> p_key)::bigint * interval '1 second'
		from conduct.case_file f join conduct.profile r on r.profile = f.profile
		where f.case_id = p_case), p_default);
end
$$;

-- From when on a closed case's text, or its skeleton, is erased. A sanction keeps the text for as long as it
-- lasts, one without an end for as long as the skeleton, a warning not at all; emergencies count from when
-- they were handed back.
create function conduct_gate.erasure_due(p_case uuid, p_extent text) returns timestamptz
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
		return v_case.closed_at + v_skeleton;
	end if;
	select max(case when s.until_at is null then v_case.closed_at + v_skeleton - v_words else s.until_at end)
	into v_sanctioned from conduct.sanction s
	where s.case_id = p_case and s.standing in ('active', 'expired', 'stayed')
		and s.kind not in ('advice', 'warning');
	select max(e.at) into v_handed_back from conduct.event e
	where e.case_id = p_case and e.action = 'hand_back' and v_case.lane = 'emergency';
	if v_handed_back is not null and v_sanctioned is null then
		return v_handed_back + conduct_gate.erasure_limit(p_case, 'retention_emergency', interval '90 days');
	end if;
	return greatest(v_case.closed_at, v_sanctioned) + v_words;
end
$$;

-- A case that closes is looked at when its time has come, and one that opens again is not.
create function conduct_gate.retention_follows() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if new.closed_at is null then
		delete from conduct.retention r where r.case_id = new.case_id;
		return null;
	end if;
	insert into conduct.retention (case_id, extent, next_at)
	values (new.case_id, 'text', conduct_gate.erasure_due(new.case_id, 'text'))
	on conflict (case_id) do update set next_at = excluded.next_at;
	update conduct.erasure_request q set next_at = conduct.clock()
	where q.case_id = new.case_id and q.state = 'waiting';
	return null;
end
$$;

-- Whether a locked case may be erased: it is closed and not held, and its time has come or a party asks for
-- it. What a restored backup has again is erased again by whoever restores it.
create function conduct_gate.may_erase(p_erasure conduct.erasure) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if p_erasure.is_again then
		return session_user = 'conduct_migrate';
	end if;
	return (conduct_gate.erasure_obstacle(p_erasure.case_id)).reason is null and case p_erasure.extent
		when 'party' then exists (select from conduct.erasure_request q
			where q.party_id = p_erasure.party_id and q.case_id = p_erasure.case_id and q.state <> 'erased')
		when 'skeleton' then exists (select from conduct.erasure e
			where e.case_id = p_erasure.case_id and e.extent = 'text')
			and coalesce(conduct_gate.erasure_due(p_erasure.case_id, 'skeleton') <= conduct.clock(), false)
		else coalesce(conduct_gate.erasure_due(p_erasure.case_id, 'text') <= conduct.clock(), false) end;
end
$$;

create function conduct_gate.erasure_is_due() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.lock_case(new.case_id);
	if new.at <> conduct.clock() or new.xid <> pg_current_xact_id() or not conduct_gate.may_erase(new) then
		perform conduct_gate.refuse('erasure_is_due');
	end if;
	return new;
end
$$;

-- A hold is for no longer than the policy says.
create function conduct_gate.hold_is_bounded() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	perform conduct_gate.lock_case(new.case_id);
	if new.made_at <> conduct.clock()
		or new.until_at > new.made_at + conduct_gate.erasure_limit(new.case_id, 'hold', interval '365 days')
	then
		perform conduct_gate.refuse('legal_hold_is_bounded');
	end if;
	return new;
end
$$;

grant execute on all functions in schema conduct_gate to conduct_owner;
grant execute on function conduct_gate.erasure_obstacle(uuid), conduct_gate.erasure_due(uuid, text)
	to conduct_timer;
grant execute on function conduct_gate.erasure_obstacle(uuid), conduct_gate.erasure_limit(uuid, text, interval)
	to conduct_party;
grant execute on function conduct_gate.erasure_limit(uuid, text, interval) to conduct_handler, conduct_admin;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

create trigger case_file_retention_follows after update of closed_at on case_file
	for each row when (old.closed_at is distinct from new.closed_at)
	execute function conduct_gate.retention_follows();
create trigger erasure_is_due before insert on erasure
	for each row execute function conduct_gate.erasure_is_due();
create trigger legal_hold_is_bounded before insert on legal_hold
	for each row execute function conduct_gate.hold_is_bounded();
do $$
declare
	v_row record;
begin
	for v_row in select * from (values ('legal_hold', '{hold_id}', '{}', true),
		('erasure_request', '{request_id}', '{next_at}', true),
		('erasure', '{erasure_id}', '{xid}', false)) v (name, key, left_out, changes)
	loop
		execute format('create trigger %I after insert on conduct.%I referencing new table as new_rows
			for each statement execute function conduct_gate.audit_rows(%L, %L)',
			v_row.name || '_is_logged', v_row.name, v_row.key, v_row.left_out);
		if v_row.changes then
			execute format('create trigger %I after update on conduct.%I
				referencing old table as old_rows new table as new_rows
				for each statement execute function conduct_gate.audit_changes(%L, %L)',
				v_row.name || '_changes_are_logged', v_row.name, v_row.key, v_row.left_out);
		end if;
	end loop;
end
$$;
call guard_tables();

reset role;
reset search_path;
