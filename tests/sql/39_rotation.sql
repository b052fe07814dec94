-- The vault's keys: what a host says of its own, what is handed out to be sealed again, and what is taken back.
delete from keyring.vault_key; -- that of fixture.sql
create function t.as_worker(p_sql text) returns text language plpgsql volatile
as $$
declare
	v_body jsonb;
	v_state text;
	v_text text;
begin
	set local role conduct_timer;
	execute 'select (' || p_sql || ').body' into v_body;
	reset role;
	return v_body;
exception when others then
	get stacked diagnostics v_state = returned_sqlstate, v_text = message_text;
	return v_state || ' ' || v_text;
end
$$;
create function t.public_key(p_id integer) returns text language sql immutable
as $$ select encode(sha256(('key ' || p_id)::bytea), 'hex') $$;
create function t.report(p_host text, p_ids integer[], p_seals_to integer) returns text language sql volatile
as $$
	select t.as_worker(format('conduct_api_1.vault_report(%L, %L, %L, %L)', p_host,
		(select deployment_id from conduct.deployment),
		(select jsonb_agg(jsonb_build_array(i, t.public_key(i)) order by i) from unnest(p_ids) i), p_seals_to))
$$;
create function t.keys() returns text language sql volatile
as $$ select string_agg(key_id || ' ' || state, ', ' order by key_id) from keyring.vault_key $$;
create function t.next(p_limit integer, p_after jsonb default null) returns table (active text, after text, stanza text)
language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	set local role conduct_timer;
	v_answer := conduct_api_1.rotation_next(p_limit, p_after);
	reset role;
	return query select v_answer.body ->> 'active', v_answer.body ->> 'after',
		substr(encode(w, 'hex'), 29, 4) || ' generation ' || ltrim(substr(encode(w, 'hex'), 33, 8), '0')
			|| ' key ' || ltrim(substr(encode(w, 'hex'), 41, 8), '0') || ' blob ' || octet_length(substr(w, 25))
	from unnest(v_answer.words) w;
end
$$;
-- As the worker sends it back.
create function t.done(p_key integer, p_unit uuid, p_old integer, p_old_blob bytea, p_new_blob bytea) returns text
language sql volatile
as $$
	select t.as_worker(format('conduct_api_1.rotation_done(%L, array[%L]::bytea[])', p_key,
		uuid_send(p_unit) || int4send(1) || int4send(p_old) || p_old_blob || p_new_blob))
$$;
create function t.unit(p_n integer) returns uuid language sql immutable
as $$ select ('00000000-0000-4000-8000-00000000' || lpad(to_hex(p_n), 4, '0'))::uuid $$;
create function t.blob(p_text text) returns bytea language sql immutable
as $$ select substr(convert_to(rpad(p_text, 88, '.'), 'UTF8'), 1, 88) $$;
insert into conduct.unit (unit_id, kind, made_at) select t.unit(i), 'person', now() from generate_series(1, 9) i;

\echo the first host brings the first key, and seals to it
select t.report('one', '{1}', 1), t.keys();
\echo a second time, nothing is news
select t.report('one', '{1}', 1), t.keys();
\echo a pending key is active as soon as a host seals to it
select t.report('one', '{1,2}', 1), t.keys();
select t.report('one', '{1,2}', 2), t.keys();
\echo a host that has slept changes nothing, and hears what it lacks
select t.report('two', '{1}', 1), t.keys();
\echo another vault altogether is told so, and believed nothing
select t.as_worker(format('conduct_api_1.vault_report(%L, %L, %L, 3)', 'three',
	(select deployment_id from conduct.deployment),
	jsonb_build_array(jsonb_build_array(1, t.public_key(9)), jsonb_build_array(3, t.public_key(3))))), t.keys();
delete from keyring.vault_host where host = 'three';
\echo neither is one of another deployment
select t.as_worker($$conduct_api_1.vault_report('four', '00000000-0000-4000-8000-000000000000', '[[9,""]]', 9)$$);
select t.keys(), string_agg(host, ' ' order by host) from keyring.vault_host;

\echo pieces in order, each behind the last one
insert into keyring.stanza (unit_id, generation, kind, key_id, blob)
select t.unit(i), 1, 'vault', 1, t.blob('old ' || i) from generate_series(1, 5) i;
insert into keyring.stanza (unit_id, generation, kind, key_id, blob)
select t.unit(i), 1, 'vault', 2, t.blob('new ' || i) from generate_series(6, 7) i;
select * from t.next(3);
select * from t.next(3, (select jsonb_build_array(1, t.unit(3), 1)));
select * from t.next(3, (select jsonb_build_array(1, t.unit(5), 1)));
\echo one is sealed again
select t.done(2, t.unit(1), 1, t.blob('old 1'), t.blob('again 1'));
select key_id, convert_from(substr(blob, 1, 7), 'UTF8') from keyring.stanza where unit_id = t.unit(1);
\echo twice is once
select t.done(2, t.unit(1), 1, t.blob('old 1'), t.blob('again 2'));
\echo what has changed meanwhile stays, what was erased stays so
select t.done(2, t.unit(2), 1, t.blob('other'), t.blob('again 2'));
delete from keyring.stanza where unit_id = t.unit(3);
select t.done(2, t.unit(3), 1, t.blob('old 3'), t.blob('again 3'));
select count(*) from keyring.stanza where unit_id = t.unit(3);
\echo only to the active key
select t.done(1, t.unit(6), 2, t.blob('new 6'), t.blob('back'));
select key_id from keyring.stanza where unit_id = t.unit(6);

\echo a key that is sealed to is neither retired nor destroyed
update keyring.vault_host set seen_at = seen_at - interval '2 hours';
update keyring.vault_key set changed_at = changed_at - interval '2 hours';
select * from t.next(1);
select t.keys();
update keyring.vault_key set state = 'destroyed' where key_id = 1;
delete from keyring.stanza where key_id = 1;
select * from t.next(1);
select t.keys();
\echo retired, and sealed to once more
insert into keyring.stanza (unit_id, generation, kind, key_id, blob) values (t.unit(8), 1, 'vault', 1, t.blob('late'));
select active, stanza from t.next(1);
select t.keys();
delete from keyring.stanza where key_id = 1;
update keyring.vault_key set state = 'destroyed' where key_id = 1;
\echo destroyed: nothing is sealed to it any more, and no host brings it back
insert into keyring.stanza (unit_id, generation, kind, key_id, blob) values (t.unit(9), 1, 'vault', 1, t.blob('late'));
select t.report('two', '{1}', 1), t.keys();

\echo an alarm is a row of the outbox
select t.as_worker($$conduct_api_1.alarm('{"what":"vault_quota"}')$$);
select case_id, kind, facts from conduct.outbox where kind = 'alarm';
\echo nobody else asks
\connect - conduct_web
select (conduct_api_1.rotation_next(1, null)).status;
select (conduct_api_1.vault_report('web', null, '[]', 1)).status;
select count(*) from keyring.vault_host;
