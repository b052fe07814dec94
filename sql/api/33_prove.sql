-- A one-time word becomes a receipt: of a witness who was invited, or of a respondent without an account.

set role conduct_party;

-- The party of a word, whose case is opened: the word is good before the lock and behind it.
create or replace function conduct_api_1.enter_word(p_word bytea) returns conduct.party
language plpgsql volatile
as $$
declare
	v_party_id uuid := conduct_gate.party_of_word(p_word);
	v_party conduct.party;
begin
	if v_party_id is not null then
		perform set_config('conduct.actor', 'party:' || v_party_id, true);
		perform conduct_api_1.open_case(conduct_gate.case_of_party(v_party_id));
		v_party_id := conduct_gate.party_of_word(p_word);
	end if;
	if v_party_id is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	select * into strict v_party from conduct.party y where y.party_id = v_party_id;
	return v_party;
end
$$;

-- What the new receipt will open is derived from: a key of the unit that the party's words are of, as the
-- vault opens it. Of a word that cannot be proved any more, nothing: whether it is repeated or
-- refused says receipt_prove().
create or replace function conduct_api_1.word_place(p_word bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_party_id uuid := conduct_gate.party_of_word(p_word);
	v_party conduct.party;
begin
	perform set_config('conduct.actor', 'party:' || v_party_id, true),
		set_config('conduct.case_id', conduct_gate.case_of_party(v_party_id)::text, true);
	select * into v_party from conduct.party y where y.party_id = v_party_id;
	return conduct_api_1.answer(200, coalesce((
		select jsonb_build_object('party', v_party_id, 'unit', s.unit_id, 'generation', s.generation,
			'vault', encode(s.blob, 'hex'), 'key_id', s.key_id)
		from keyring.stanza s
		where v_party_id is not null and s.unit_id = conduct_api_1.party_unit(v_party)
			and s.kind = 'vault' order by s.generation, s.key_id desc limit 1), '{}'));
end
$$;

-- Who has the word is the party, once. An unknown word, one that is spent or expired, one of a party that has
-- a receipt, and one of a case that wants nothing more are the same 404. Of two who try at once the lock lets one be first; whoever it was,
-- the history says that the word was proved.
create or replace function conduct_api_1.receipt_prove(p_word bytea, p_receipt bytea, p_scope bytea,
	p_mac bytea, p_sealed_receipt bytea, p_stanza bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_key conduct.idempotency := conduct_api_1.claim_key(p_scope, p_mac);
	v_party conduct.party;
	v_intake conduct.proceeding;
	v_body jsonb;
begin
	if v_key.scope is not null then
		return conduct_api_1.answer(v_key.status, v_key.answer || jsonb_build_object('sealed_receipt',
			encode(v_key.sealed_receipt, 'hex')));
	end if;
	v_party := conduct_api_1.enter_word(p_word);
	select * into v_intake from conduct.proceeding p
	where p.case_id = v_party.case_id and p.kind = 'intake' order by p.round desc limit 1;
	if p_stanza is null or not exists (select from conduct.transition t
		where t.kind = 'intake' and t.from_state = v_intake.state and t.action = 'prove'
			and t.role = v_party.role and t.in_force)
	then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	update conduct.one_time_word w set spent_at = conduct.clock() where w.word_hash = p_word;
	insert into conduct.receipt (receipt_hash, case_id, party_id, made_at)
	values (p_receipt, v_party.case_id, v_party.party_id, conduct.clock());
	insert into keyring.stanza (unit_id, generation, kind, party_id, blob)
	values (conduct_api_1.party_unit(v_party), conduct_api_1.u32(p_stanza, 0), 'channel', v_party.party_id,
		substr(p_stanza, 5));
	perform conduct_api_1.move(gen_random_uuid(), v_intake.proceeding_id, 'prove', p_role => v_party.role);
	perform conduct_api_1.send('proved', jsonb_build_object('party', v_party.party_id));
	v_body := jsonb_build_object('role', v_party.role);
	perform conduct_api_1.finish_key(p_scope, 201, v_body, v_party.case_id, p_sealed_receipt);
	return conduct_api_1.answer(201, v_body);
end
$$;

reset role;
