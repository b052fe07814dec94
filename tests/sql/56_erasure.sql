-- What is erased, when, and what stands against it; nothing else leaves tables that only grow.
select t.people() \g /dev/null
create function t.log() returns integer language plpgsql volatile
as $$
declare
	v_epoch bigint := ((conduct_api_1.audit_begin(true)).body ->> 'epoch')::bigint;
begin
	while ((conduct_api_1.audit_sequence(v_epoch, 1000)).body ->> 'moved')::integer > 0 loop
	end loop;
	return (select count(*) from conduct.audit_pending);
end
$$;
-- Days after the beginning: timers, and erasing until nothing is left to do.
create function t.at(p_days numeric) returns text language plpgsql volatile
as $$
declare
	v_outcomes text := '';
	v_outcome text;
begin
	update conduct.clock_offset set shift_seconds = (p_days * 86400)::bigint;
	while ((conduct_api_1.timer_run(50)).body ->> 'done')::integer > 0 loop
	end loop;
	perform t.log();
	loop
		v_outcome := (conduct_api_1.retention_run()).body ->> 'outcome';
		exit when v_outcome = 'none';
		v_outcomes := v_outcomes || ' ' || v_outcome;
		perform t.log();
	end loop;
	return 'day ' || p_days || ':' || v_outcomes;
end
$$;
create function t.words(p_case text) returns text language sql stable
as $$
	select string_agg(u.kind || ' ' || (select count(*) from conduct.content c where c.unit_id = u.unit_id and c.body <> '')
		|| '/' || (select count(*) from conduct.content c where c.unit_id = u.unit_id)
		|| (select ' keys ' || count(*) from keyring.stanza s where s.unit_id = u.unit_id), ', ' order by u.kind)
	from conduct.unit u where u.unit_id in (select f.unit_id from conduct.case_file f where f.case_id = t.id(p_case)
		union select r.unit_id from conduct.report r where r.case_id = t.id(p_case))
$$;
create function t.parties(p_case text) returns setof text language sql stable
as $$
	select concat_ws(' ', y.role, y.kind, y.identity, num_nonnulls(y.id_ix, y.name_ix, y.skeleton_ix), y.name_content is null)
	from conduct.party y where y.case_id = t.id(p_case) order by y.seq
$$;
create function t.ask(p_case text) returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	v_answer := conduct_api_1.party_erasure(null, t.ix('receipt:' || p_case), null, t.ix('ask:' || p_case || clock_timestamp()), t.ix('m'));
	return v_answer.status || ' ' || (v_answer.body - 'requested_at' - 'due_at' - 'answered_at' - 'until')::text
		|| ' in ' || ((v_answer.body ->> 'due_at')::timestamptz - (v_answer.body ->> 'requested_at')::timestamptz);
exception when others then
	return sqlstate || ' ' || sqlerrm;
end
$$;
create function t.look(p_case text) returns text language plpgsql volatile
as $$
begin
	return (conduct_api_1.receipt_show(null, t.ix('receipt:' || p_case), null)).body -> 'erasure' #>> '{}';
exception when others then
	return sqlstate || ' ' || sqlerrm;
end
$$;
create function t.answer(p_case text) returns text language sql stable
as $$
	select concat_ws(' ', q.state, q.answer, date_trunc('day', q.until_at - q.asked_at + interval '1 hour'), q.overdue_at is not null) from conduct.erasure_request q where q.case_id = t.id(p_case)
$$;

select (t.submit(n, 'Rep', p_more => '{"targets": [{"self": true}], "identity": "named"}')).status
from unnest(array['open', 'declined', 'asked', 'held', 'text']) n;
select t.act('Fa', n, 'claim') from unnest(array['declined', 'asked', 'held', 'text']) n;
select t.act('Fa', n, 'decline', '{"reason_code": "insufficient", "refer_to": "x"}', array['reason'])
from unnest(array['declined', 'asked', 'held', 'text']) n;
select m.status from t.seal(t.id('text:ru'), array[t.id('said')], array['text'], array['hello']) s,
	conduct_api_1.receipt_message_post(null, t.ix('receipt:text'), null, t.ix('k'), t.ix('m'),
		jsonb_build_object('text', t.id('said')), s.ids, s.kinds, s.words) m;
select t.words('text');

\echo a request is answered: what it waits for
select t.ask('open'), t.ask('asked'), t.ask('held');
select t.at(0.1);
select n || ': ' || t.answer(n) from unnest(array['open', 'asked', 'held']) n;
select t.ask('open') like '202 {"state": "waiting", "answer": "open"}%';
\echo a hold has a reason, an end, and stops what is asked
select t.act('Fa', 'held', 'hold', jsonb_build_object('until', conduct.clock() + interval '366 days'), array['reason']);
select t.act('Fa', 'held', 'hold', jsonb_build_object('until', conduct.clock() - interval '1 second'), array['reason']);
select t.act('Ba', 'held', 'hold', jsonb_build_object('until', conduct.clock() + interval '1 day'), array['reason']);
select t.act('Fa', 'held', 'hold', jsonb_build_object('until', conduct.clock() + interval '200 days'), array['reason']);
select h.role, h.ground, h.reason_content is not null, h.until_at - h.made_at from conduct.legal_hold h;
select t.at(31);
select n || ': ' || t.answer(n) from unnest(array['open', 'asked', 'held']) n;
\echo what the reporter said is gone with name and receipt, what others said stays
select t.words('asked'), t.look('asked'), t.look('text') is null;
select t.parties('asked');
select body is null or jsonb_path_exists(body, '$.reports[0].details."$word"') from conduct_api_1.case_show(t.ix('id:Fa'), t.id('asked'));
select count(*) filter (where body ->> 'role' = 'reporter') from conduct_api_1.me_participations(t.ix('id:Rep'));

\echo a declined case without request: after its days; others not
select t.at(119);
select t.words('declined');
select t.at(121);
select t.words('declined'), t.words('open'), t.words('held');
select t.parties('declined');
select t.look('declined');
select (select count(*) from conduct.recusal r where r.case_id = t.id('declined')),
	(select count(*) from conduct.docket d where d.case_id = t.id('declined')),
	(select count(*) from conduct.event e where e.case_id = t.id('declined'));
select t.attempt('hidden', format('select conduct_api_1.case_show(%L, %L)', t.ix('id:Fa'), t.id('declined')));
\echo when the hold has ended
select t.at(230);
select t.words('held'), t.answer('held');
\echo a receipt that was erased is unknown after its time
select t.look('asked'), t.look('held');
select (conduct_api_1.sweep(10)).body ->> 'receipts';
select count(*) from conduct.erased_receipt;

\echo the log: what was erased is named, what is left is there anew
select l.event, count(*), count(p.salt) from (
	select leaf_index, convert_from(substr(leaf, 11, get_byte(leaf, 9)), 'UTF8') as event from conduct.audit_leaf) l
left join conduct.audit_payload p using (leaf_index)
where l.event in ('case.erased', 'case.kept', 'case.submit', 'content.insert') group by 1 order by 1;
select count(*) = 0 from conduct.audit_leaf l left join conduct.audit_payload p using (leaf_index)
where p.salt is null and not exists (select from conduct.audit_payload q where q.payload ~ ('(^|\n)entry ' || l.leaf_index || '\n'));
select count(*) from conduct.audit_payload p where p.case_id = t.id('declined') and p.payload like '%party ' || (
	select party_id from conduct.party where case_id = t.id('declined') and seq = 1) || '%';

\echo an administrator holds what they do not see
create function t.hold(p_who text, p_case uuid, p_days integer, p_ground text default 'court_order') returns text language plpgsql volatile
as $$
declare
	v_answer conduct_api_1.answer;
begin
	v_answer := conduct_api_1.hold_add(t.ix('id:' || p_who), t.ix('hold' || clock_timestamp()), t.ix('m'),
		jsonb_build_object('case', p_case, 'ground', p_ground, 'until', conduct.clock() + p_days * interval '1 day'));
	return v_answer.status || ' ' || (v_answer.body - 'id' - 'person' - 'from' - 'until')::text;
exception when others then
	return sqlstate || ' ' || sqlerrm;
end
$$;
select t.hold('Fa', t.id('text'), 10), t.hold('Admi', t.id('nothing'), 10), t.hold('Admi', t.id('open'), 400);
select t.hold('Admi', t.id('open'), 10);
select jsonb_array_length(b -> 'items'), (b -> 'items' -> 0) - 'id' - 'person' - 'from' - 'until', b -> 'next'
from (select (conduct_api_1.hold_list(t.ix('id:Admi'), 10, null)).body b) x;
select (conduct_api_1.hold_end(t.ix('id:Admi'), h.hold_id, t.ix('end'), t.ix('m'))).status from conduct.legal_hold h where h.role = 'admin';
select t.attempt('by who is none', format('select conduct_api_1.hold_end(%L, %L, %L, %L)', t.ix('id:Fa'),
	(select hold_id from conduct.legal_hold where role = 'admin'), t.ix('e'), t.ix('m')));

\echo nothing leaves by another way
select t.log();
select t.attempt('a word emptied', $$update conduct.content set body = '' where unit_id = t.id('open:ru')$$);
select t.attempt('a word deleted', $$delete from conduct.content where unit_id = t.id('open:ru')$$);
select t.attempt('an index forgotten', $$update conduct.party set id_ix = null where case_id = t.id('open')$$);
select t.attempt('an event deleted', $$delete from conduct.event where case_id = t.id('declined')$$);
select t.attempt('an open case erased', $$select conduct_gate.erase(t.id('open'), 'text', null, false)$$);
select t.attempt('an erasure made up', $$insert into conduct.erasure values (gen_random_uuid(), t.id('open'), 'text', null, '{}', '{}', conduct.clock())$$);
select t.attempt('a skeleton before its time', $$select conduct_gate.erase(t.id('declined'), 'skeleton', null, false)$$);
select t.attempt('a hold for ever', $$insert into conduct.legal_hold values (gen_random_uuid(), t.id('open'),
	(select person_id from conduct.person limit 1), 'admin', 'audit', null, conduct.clock(), conduct.clock() + interval '366 days')$$);
select t.attempt('a hold removed', $$delete from conduct.legal_hold$$);
select t.attempt('an erasure removed', $$delete from conduct.erasure$$);
select t.attempt('a word changed while it is erased', $$select conduct_gate.erase(t.id('open'), 'text', null, true);
	update conduct.content set body = 'x' where unit_id = t.id('open:ru')$$);
select t.attempt('a row changed while it is erased', $$select conduct_gate.erase(t.id('open'), 'text', null, true);
	update conduct.report set category = 'x' where case_id = t.id('open')$$);
do $$
declare
	v_role text;
begin
	foreach v_role in array array['conduct_owner', 'conduct_handler', 'conduct_party', 'conduct_intake', 'conduct_stats',
		'conduct_admin', 'conduct_web', 'conduct_worker', 'conduct_backup'] loop
		if has_function_privilege(v_role, 'conduct_gate.erase(uuid, text, uuid, boolean)', 'execute')
			or has_table_privilege(v_role, 'conduct.erasure', 'insert, update') and v_role <> 'conduct_owner'
		then
			raise exception '% may erase', v_role;
		end if;
	end loop;
end
$$;

\echo after five years only what refers to nothing
select t.at(1900);
select (select count(*) from conduct.case_file f where f.case_id = t.id('declined')),
	(select count(*) from conduct.unit u where u.unit_id = t.id('declined:ru')),
	(select count(*) from conduct.erasure e where e.case_id = t.id('declined')),
	(select count(*) from conduct.event e where e.case_id = t.id('open')) > 0;
do $$
declare
	v_table text;
	v_n integer;
begin
	for v_table in
		select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'case_id'
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r'
			and c.relname not in ('erasure', 'audit_pending', 'audit_payload')
	loop
		execute format('select count(*) from conduct.%I where case_id = %L', v_table, t.id('declined')) into v_n;
		if v_n > 0 then
			raise exception '% rows of % stay', v_n, v_table;
		end if;
	end loop;
end
$$;
