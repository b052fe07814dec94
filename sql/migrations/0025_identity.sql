-- Who a hidden party is, and how people without an account become one: openings of identities, each by two
-- people or confirmed by a second one, and one-time words, for which their holders get a receipt of their
-- own that nobody else has held.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- A word stands here as a hash; it is good for one receipt, until it expires.
create table one_time_word (
	word_hash bytea constraint one_time_word_pkey primary key
		constraint one_time_word_hash_is_sha256 check (octet_length(word_hash) = 32),
	case_id uuid not null constraint one_time_word_case_fkey references case_file,
	party_id uuid not null,
	made_by uuid not null constraint one_time_word_made_by_fkey references person,
	made_at timestamptz not null,
	expires_at timestamptz not null,
	spent_at timestamptz,
	constraint one_time_word_expires_later check (expires_at > made_at),
	constraint one_time_word_party_fkey foreign key (party_id, case_id) references party (party_id, case_id)
);
create index one_time_word_party on one_time_word (party_id);

-- In an emergency one person opens an identity at once, and a second confirms it. told_at: from when on the
-- party may see it.
create table identity_opening (
	opening_id uuid constraint identity_opening_pkey primary key,
	case_id uuid not null constraint identity_opening_case_fkey references case_file,
	party_id uuid not null,
	proceeding_id uuid not null,
	event_seq integer not null,
	role text not null,
	is_emergency boolean not null,
	first_person uuid not null constraint identity_opening_first_person_fkey references person,
	second_person uuid constraint identity_opening_second_person_fkey references person,
	reason_content uuid not null constraint identity_opening_reason_fkey references content,
	opened_at timestamptz not null,
	confirmed_at timestamptz,
	told_at timestamptz,
	constraint identity_opening_party_fkey foreign key (party_id, case_id) references party (party_id, case_id),
	constraint identity_opening_event_fkey foreign key (proceeding_id, event_seq)
		references event (proceeding_id, seq),
	constraint identity_opening_is_by_two check (second_person <> first_person),
	constraint identity_opening_waits_in_emergencies_only check (is_emergency or second_person is not null),
	constraint identity_opening_is_confirmed_by_somebody
		check ((second_person is null) = (confirmed_at is null))
);
create index identity_opening_case on identity_opening (case_id);

reset role;
set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Two people are two principals, of whom neither is recused; the act stands in the history, and what one may
-- do alone is of an emergency.
create function conduct_gate.identity_opening_is_in_order() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_first uuid := conduct_gate.principal_of(new.first_person);
	v_second uuid := conduct_gate.principal_of(new.second_person);
begin
	-- Who is out of the case later has been in it then.
	if tg_op = 'UPDATE' and new.second_person is not distinct from old.second_person then
		return null;
	end if;
	if v_first = v_second or (tg_op = 'INSERT' and conduct_gate.is_recused(new.case_id, v_first))
		or (v_second is not null and conduct_gate.is_recused(new.case_id, v_second))
	then
		perform conduct_gate.refuse('identity_opening_is_by_two');
	end if;
	if not exists (select from conduct.event e
			where e.proceeding_id = new.proceeding_id and e.seq = new.event_seq
				and e.case_id = new.case_id and e.action = 'open_identity' and e.at = new.opened_at)
		or (tg_op = 'INSERT' and new.is_emergency and not exists (select from conduct.case_file f
			where f.case_id = new.case_id and f.lane = 'emergency'))
	then
		perform conduct_gate.refuse('identity_opening_is_of_its_act');
	end if;
	return null;
end
$$;

-- A word is spent once, and what was confirmed or told stays so.
create function conduct_gate.is_done_once() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	if exists (select from jsonb_each(to_jsonb(old)) o
		where o.key = any (tg_argv) and o.value <> 'null' and o.value <> to_jsonb(new) -> o.key)
	then
		perform conduct_gate.refuse(tg_table_name || '_is_done_once');
	end if;
	return new;
end
$$;

-- The party of a word that can still be proved: a party has one receipt, which opens its channel.
create function conduct_gate.party_of_word(p_word bytea) returns uuid
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return (select w.party_id from conduct.one_time_word w
		where w.word_hash = p_word and w.spent_at is null and w.expires_at > conduct.clock()
			and not exists (select from conduct.receipt r where r.party_id = w.party_id));
end
$$;

-- That the acting person reads identities they have opened, beside the reading of the case.
create function conduct_gate.audit_identity() returns void
language plpgsql volatile security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	insert into conduct.audit_pending (at, event, actor, case_pseudonym, case_id, payload)
	select conduct.clock(), 'identity.read', conduct_gate.acting_pseudonym(), f.pseudonym, f.case_id,
		string_agg(distinct 'party ' || o.party_id || chr(10), '')
	from conduct.identity_opening o join conduct.case_file f on f.case_id = o.case_id
	where o.case_id = conduct.opened_case()
		and conduct.actor_person() in (o.first_person, o.second_person)
	group by f.case_id;
end
$$;

-- A witness acts as a party as well: with a word of their own.
create or replace function conduct_gate.actor_may(p_event conduct.event, p_row conduct.proceeding) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
declare
	v_party conduct.party;
begin
	if p_event.role in ('reporter', 'target', 'respondent', 'witness', 'party', 'appellant') then
		select * into v_party from conduct.party y where y.party_id = p_event.actor_party;
		return coalesce(case
			when p_row.kind = 'appeal' and p_row.appellant_id <> v_party.party_id then false
			when p_event.role = 'appellant' then p_row.kind = 'appeal'
			when v_party.role = 'respondent' and p_row.kind = 'matter'
				and p_row.respondent_id <> v_party.party_id then false
			when p_event.role = 'party' then v_party.role in ('reporter', 'target', 'respondent')
			-- Who went on with a withdrawn report is a reporter as well.
			else v_party.role = p_event.role end, false);
	end if;
	if p_event.actor_person is null then
		return false;
	end if;
	if p_event.role = 'panel' then
		return exists (select from conduct.panel_seat s
				where s.case_id = p_row.case_id and s.instance = p_row.instance
					and s.person_id = p_event.actor_person and s.left_at is null)
			or exists (select from conduct.ballot_voter v
				where v.case_id = p_row.case_id and v.instance = p_row.instance
					and v.person_id = p_event.actor_person and v.recused_at is null);
	end if;
	if p_event.role = 'drafter' then
		return exists (select from conduct.ballot b
			where b.proceeding_id = p_row.proceeding_id and b.drafter = p_event.actor_person);
	end if;
	return exists (select from conduct.body b where b.body_id = p_row.body_id
		and conduct_gate.has_role(p_event.actor_person, b.role, b.body_id));
end
$$;

grant execute on function conduct_gate.party_of_word(bytea) to conduct_party;
grant execute on function conduct_gate.audit_identity() to conduct_handler;
grant execute on function conduct_gate.identity_opening_is_in_order(), conduct_gate.is_done_once()
	to conduct_handler, conduct_party, conduct_timer;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;

set role conduct_owner;
set search_path = conduct, pg_catalog;

do $$
declare
	v_row record;
	v_role text;
begin
	for v_row in select * from (values
		('one_time_word', '{word_hash}', '{spent_at}', '{conduct_handler,conduct_party}'),
		('identity_opening', '{opening_id}', '{second_person,confirmed_at,told_at}',
			'{conduct_handler,conduct_party,conduct_timer}')) v (name, key, changes, roles)
	loop
		execute format('alter table conduct.%I enable row level security', v_row.name);
		execute format('alter table conduct.%I force row level security', v_row.name);
		foreach v_role in array v_row.roles::text[] loop
			execute format('create policy %I on conduct.%I to %I
				using (case_id = (select conduct.opened_case()))
				with check (case_id = (select conduct.opened_case()))',
				v_row.name || '_' || substr(v_role, 9), v_row.name, v_role);
		end loop;
		execute format('create trigger %I before update on conduct.%I for each row
			execute function conduct_gate.columns_stay(%s)', v_row.name || '_columns_stay', v_row.name,
			array_to_string(array(select quote_literal(c) from unnest(v_row.changes::text[]) c), ', '));
		execute format('create trigger %I before update on conduct.%I for each row
			execute function conduct_gate.is_done_once(%s)', v_row.name || '_is_done_once', v_row.name,
			array_to_string(array(select quote_literal(c) from unnest(v_row.changes::text[]) c), ', '));
		execute format('create trigger %I before delete on conduct.%I
			for each row execute function conduct_gate.rows_stay()', v_row.name || '_rows_stay', v_row.name);
		execute format('create trigger %I after insert on conduct.%I referencing new table as new_rows
			for each statement execute function conduct_gate.audit_rows(%L, %L)',
			v_row.name || '_is_logged', v_row.name, v_row.key, '{}');
		execute format('create trigger %I after update on conduct.%I
			referencing old table as old_rows new table as new_rows
			for each statement execute function conduct_gate.audit_changes(%L, %L)',
			v_row.name || '_changes_are_logged', v_row.name, v_row.key, '{}');
	end loop;
end
$$;
create constraint trigger identity_opening_is_in_order after insert or update on identity_opening
	deferrable initially deferred for each row execute function conduct_gate.identity_opening_is_in_order();
grant insert on one_time_word to conduct_handler;
grant select, update (spent_at) on one_time_word to conduct_party;
grant select, insert, update (second_person, confirmed_at, told_at) on identity_opening to conduct_handler;
grant select on identity_opening to conduct_party;
grant select, update (told_at) on identity_opening to conduct_timer;
call guard_tables();

reset role;
reset search_path;
