-- Acts about who somebody is: open_identity, which takes two people, and invite_witness, whose one-time word
-- becomes a receipt that no handler has held.

set role conduct_handler;
set search_path = pg_catalog, conduct, pg_temp;

-- One-time words ---------------------------------------------------------------------------------

-- A word that C drew is good for one receipt of this party. p_args carries its hash, and the word itself as
-- only the client's key opens it; what comes back goes into the answer, now and when it is repeated.
create or replace function conduct_api_1.make_word(p_args jsonb, p_party uuid) returns jsonb
language plpgsql volatile
as $$
begin
	insert into conduct.one_time_word (word_hash, case_id, party_id, made_by, made_at, expires_at)
	values (decode(p_args #>> '{word,hash}', 'hex'), conduct.opened_case(), p_party, conduct.actor_person(),
		conduct.clock(), conduct.clock() + conduct_api_1.limit_of('one_time_word'));
	return jsonb_build_object('sealed_word', p_args #>> '{word,sealed}', 'party', p_party);
end
$$;

-- Of the people whom this row of a party stands for: an account, or who is called alike where that is unknown.
create or replace function conduct_api_1.kept_out_by(p_role text, p_id_ix bytea, p_name_ix bytea,
	p_skeleton_ix bytea)
returns uuid[] language plpgsql stable
as $$
begin
	return conduct_gate.principals_of(p_id_ix, p_name_ix,
		case when p_role = 'respondent' and p_id_ix is null then p_skeleton_ix end);
end
$$;

-- A witness or a respondent handles the case no more. So that nobody takes a committee away from it, whom
-- its handlers make one is, of the bodies which have the case, or may get it, a third of the members at
-- most, as with those whom a reporter names.
create or replace function conduct_api_1.check_members_left(p_pointer text, p_role text, p_id_ix bytea,
	p_name_ix bytea, p_skeleton_ix bytea)
returns void language plpgsql stable
as $$
declare
	v_out uuid[] := array(
		select distinct x.principal_id
		from conduct.party y, unnest(conduct_api_1.kept_out_by(y.role, y.id_ix, y.name_ix, y.skeleton_ix))
			x (principal_id)
		where y.case_id = conduct.opened_case() and (y.role = 'witness' or (y.role = 'respondent'
			and y.added_at > (select min(r.submitted_at) from conduct.report r where r.case_id = y.case_id))));
	v_new uuid[] := conduct_api_1.kept_out_by(p_role, p_id_ix, p_name_ix, p_skeleton_ix);
begin
	if exists (
		with recursive near as (
			select p.body_id from conduct.proceeding p where p.case_id = conduct.opened_case()
			union
			select x.id from near n join conduct.body b on b.body_id = n.body_id,
				unnest(array[b.up_body_id, b.appeal_body_id, (select w.appeal_body_id from conduct.policy_wiki w
					join conduct.case_file f on f.case_id = conduct.opened_case() and f.wiki = w.wiki
						and f.procedure_version = w.policy_version)]) x (id))
		select from near n, lateral (
			select count(*) as members, count(*) filter (where m.principal_id = any (v_out || v_new)) as n_out,
				bool_or(m.principal_id = any (v_new) and m.principal_id <> all (v_out)) as has_more
			from conduct_gate.active_members(n.body_id, null, null) m) c
		where c.has_more and c.n_out > greatest(1,
			(c.members + 1) * conduct_api_1.procedure_number('exclude_share_percent') / 100))
	then
		perform conduct_api_1.refuse_member(p_pointer, 'too-many-handlers');
	end if;
end
$$;

-- Who is invited: an account, which also finds the invitation when it signs in, or somebody with a name.
-- Nobody learns here whether it is the account of a hidden reporter.
create or replace function conduct_api_1.add_witness(p_args jsonb) returns uuid
language plpgsql volatile
as $$
declare
	v_party uuid := gen_random_uuid();
	v_name_ix bytea := decode(p_args ->> 'name_ix', 'hex');
begin
	if num_nonnulls(p_args ->> 'user', p_args ->> 'name') <> 1 then
		perform conduct_api_1.refuse_member('/user', 'missing');
	end if;
	if exists (select from conduct.party y
		where y.case_id = conduct.opened_case() and y.role in ('respondent', 'witness')
			and (y.name_ix = v_name_ix or y.id_ix = decode(p_args ->> 'id_ix', 'hex')))
	then
		perform conduct_api_1.refuse_member('/user', 'known-already');
	end if;
	perform conduct_api_1.check_members_left('/user', 'witness', decode(p_args ->> 'id_ix', 'hex'), v_name_ix,
		null);
	insert into conduct.party (party_id, case_id, seq, role, kind, id_ix, name_ix, skeleton_ix, name_content,
		added_at, notified_at)
	values (v_party, conduct.opened_case(), (select 1 + coalesce(max(y.seq), 0) from conduct.party y
			where y.case_id = conduct.opened_case()), 'witness',
		case when p_args ? 'user' then 'account' else 'off_wiki' end, decode(p_args ->> 'id_ix', 'hex'), v_name_ix,
		decode(p_args ->> 'skeleton_ix', 'hex'), coalesce(p_args ->> 'user', p_args ->> 'name')::uuid,
		conduct.clock(), conduct.clock());
	return v_party;
end
$$;

create or replace function conduct_api_1.case_invite_witness(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'invite_witness', p_args, p_word_ids, p_word_kinds, p_words);
	v_question uuid;
	v_party uuid;
	v_extra jsonb;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_question := conduct_api_1.uuid_member(p_args, 'question', true);
	v_party := conduct_api_1.add_witness(p_args);
	v_extra := conduct_api_1.make_word(p_args, v_party);
	perform conduct_api_1.move(v_act.act_id, v_act.proceeding_id, 'invite_witness', null, null,
		jsonb_build_object('party', v_party));
	insert into conduct.message (message_id, case_id, channel, party_id, author_person, text_content, at)
	values (gen_random_uuid(), p_case, 'witness', v_party, conduct.actor_person(), v_question,
		conduct.clock());
	perform conduct_api_1.send('invited', jsonb_build_object('party', v_party));
	return conduct_api_1.end_act(v_act, null, v_extra);
end
$$;

-- Identities -------------------------------------------------------------------------------------

-- What an opening would tell: the account of a hidden party, or how to reach somebody.
create or replace function conduct_api_1.has_identity(p_party uuid) returns boolean
language plpgsql stable
as $$
begin
	return exists (select from conduct.party y
			where y.party_id = p_party and y.identity <> 'named'
				and num_nonnulls(y.id_ix, y.name_content) > 0)
		or exists (select from conduct.report r
			where r.reporter_id = p_party and r.contact_content is not null);
end
$$;

-- One of the emergency team may open an identity at once while the case is on its lane.
create or replace function conduct_api_1.may_open_alone(p_row conduct.proceeding) returns boolean
language plpgsql stable
as $$
begin
	return (conduct_api_1.current_case()).lane = 'emergency'
		and (select b.role = 'ts_staff' from conduct.body b where b.body_id = p_row.body_id);
end
$$;

-- The event and the row of one opening. p_first: who asked, where the actor is the second of two.
create or replace function conduct_api_1.open_identity(p_act conduct_api_1.act, p_party uuid, p_reason uuid,
	p_first uuid)
returns conduct.identity_opening language plpgsql volatile
as $$
declare
	v_row conduct.proceeding := conduct_api_1.current_row(p_act.proceeding_id);
	v_opening conduct.identity_opening;
	v_now timestamptz := conduct.clock();
begin
	v_opening.opening_id := gen_random_uuid();
	v_opening.case_id := p_act.case_id;
	v_opening.party_id := p_party;
	v_opening.proceeding_id := v_row.proceeding_id;
	v_opening.role := (select b.role from conduct.body b where b.body_id = v_row.body_id);
	v_opening.is_emergency := p_first is null;
	v_opening.first_person := coalesce(p_first, conduct.actor_person());
	v_opening.reason_content := p_reason;
	v_opening.opened_at := v_now;
	if p_first is not null then
		v_opening.second_person := conduct.actor_person();
		v_opening.confirmed_at := v_now;
	end if;
	v_opening.event_seq := conduct_api_1.move(p_act.act_id, v_row.proceeding_id, 'open_identity', null, p_reason,
		jsonb_build_object('party', p_party, 'opening', v_opening.opening_id));
	insert into conduct.identity_opening select v_opening.*;
	return v_opening;
end
$$;

-- Alone: a second person has to confirm in time, or the ombud is told; the party is told when the danger is
-- over. These two limits are of the case, not of a proceeding: they outlast the emergency lane.
create or replace function conduct_api_1.open_identity_alone(p_act conduct_api_1.act, p_party uuid,
	p_reason uuid)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_opening conduct.identity_opening;
begin
	if exists (select from conduct.identity_opening o
		where o.case_id = p_act.case_id and o.party_id = p_party and o.confirmed_at is null)
	then
		perform conduct_api_1.refuse_guard('second-person');
	end if;
	v_opening := conduct_api_1.open_identity(p_act, p_party, p_reason, null);
	perform conduct_api_1.set_deadline(null, 'confirm_identity',
		v_opening.opened_at + conduct_api_1.limit_of('confirm_identity'), p_party);
	perform conduct_api_1.set_deadline(null, 'tell_identity',
		v_opening.opened_at + conduct_api_1.limit_of('tell_identity'), p_party);
	return conduct_api_1.end_act(p_act, null, jsonb_build_object('pending', v_opening.opening_id));
end
$$;

-- The second person of an emergency looks at what the first has done.
create or replace function conduct_api_1.confirm_identity(p_act conduct_api_1.act, p_party uuid,
	p_reason uuid, p_confirm uuid)
returns conduct_api_1.answer language plpgsql volatile
as $$
declare
	v_opening conduct.identity_opening;
begin
	select * into v_opening from conduct.identity_opening o
	where o.opening_id = p_confirm and o.case_id = p_act.case_id and o.party_id = p_party
		and o.confirmed_at is null;
	if v_opening.opening_id is null then
		perform conduct_api_1.refuse_member('/confirm', 'unknown');
	end if;
	if conduct_gate.principal_of(v_opening.first_person) = conduct_gate.principal_of(conduct.actor_person()) then
		perform conduct_api_1.refuse_guard('second-person');
	end if;
	perform conduct_api_1.move(p_act.act_id, p_act.proceeding_id, 'open_identity', null, p_reason,
		jsonb_build_object('party', p_party, 'opening', v_opening.opening_id, 'confirms', true));
	update conduct.identity_opening o set second_person = conduct.actor_person(), confirmed_at = conduct.clock()
	where o.opening_id = v_opening.opening_id;
	update conduct.deadline d set met_at = conduct.clock()
	where d.case_id = p_act.case_id and d.what = 'confirm_identity' and d.party_id = p_party
		and d.met_at is null and not d.is_void;
	return conduct_api_1.end_act(p_act);
end
$$;

create or replace function conduct_api_1.case_open_identity(p_account bytea, p_case uuid,
	p_expected integer, p_scope bytea, p_mac bytea, p_args jsonb, p_word_ids uuid[], p_word_kinds text[],
	p_words bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_act conduct_api_1.act := conduct_api_1.begin_act(p_account, p_case, p_expected, p_scope, p_mac,
		'open_identity', p_args, p_word_ids, p_word_kinds, p_words);
	v_party uuid;
	v_reason uuid;
	v_two record;
begin
	if v_act.replayed is not null then
		return conduct_api_1.replay_act(v_act);
	end if;
	v_party := conduct_api_1.party_member(p_args, 'party', array['reporter', 'target', 'respondent', 'witness',
		'person_at_risk']);
	v_reason := conduct_api_1.uuid_member(p_args, 'reason', true);
	if not conduct_api_1.has_identity(v_party) then
		perform conduct_api_1.refuse_guard('has-identity');
	end if;
	if conduct_api_1.may_open_alone(conduct_api_1.current_row(v_act.proceeding_id)) then
		if p_args ? 'confirm' then
			return conduct_api_1.confirm_identity(v_act, v_party, v_reason, (p_args ->> 'confirm')::uuid);
		end if;
		return conduct_api_1.open_identity_alone(v_act, v_party, v_reason);
	end if;
	select * into v_two from conduct_api_1.await_second(v_act.proceeding_id, 'open_identity', p_args);
	if v_two.pending is not null then
		return conduct_api_1.end_act(v_act, v_two.pending);
	end if;
	-- Whoever asked may have left since.
	if conduct_gate.is_recused(p_case, conduct_gate.principal_of(v_two.first_person))
		or not exists (select from conduct.docket d join conduct_gate.bodies_of(v_two.first_person) b
			on b.body_id = d.body_id where d.case_id = p_case)
	then
		perform conduct_api_1.refuse_member('/confirm', 'unknown');
	end if;
	perform conduct_api_1.tell_openings((conduct_api_1.open_identity(v_act, v_party, v_reason,
		v_two.first_person)).opening_id);
	return conduct_api_1.end_act(v_act);
end
$$;

reset role;
reset search_path;
