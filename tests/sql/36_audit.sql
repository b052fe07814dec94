-- The log: what is written and read leaves an entry in its transaction, entries are numbered without gaps,
-- and who is no longer the sequencer writes nothing.
create function t.pending() returns table (event text, actor text, of_case boolean, n_rows integer,
	tables text) language sql stable
as $$
	select p.event, (select t.who from (values ('Fa'), ('Fb'), ('Rep')) t (who)
			join conduct.person_account a on a.id_ix = t.ix('id:' || t.who)
			join conduct.person n on n.person_id = a.person_id where n.pseudonym = p.actor),
		p.case_pseudonym is not null and p.case_id is not null, cardinality(p.row_ids),
		(select string_agg(distinct split_part(l, ' ', 1), ',') from regexp_split_to_table(p.payload, chr(10)) l
			where l <> '')
	from conduct.audit_pending p order by p.pending_id
$$;
create function t.call(p_role text, p_sql text) returns text language plpgsql volatile
as $$
declare
	v_body jsonb;
	v_state text;
	v_text text;
begin
	execute format('set local role %I', p_role);
	execute 'select (' || p_sql || ').body' into v_body;
	reset role;
	return v_body;
exception when others then
	get stacked diagnostics v_state = returned_sqlstate, v_text = message_text;
	return v_state || ' ' || v_text;
end
$$;

\echo tables without a hash in the log: derived, short-lived, an index, hashed with another row, or the procedure itself
select string_agg(c.relname, ' ' order by c.relname) from pg_class c
where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and not exists (
	select from pg_trigger t where t.tgrelid = c.oid and t.tgname = c.relname || '_is_logged');
\echo what was there when the log began
select event, count(*) from conduct.audit_pending group by 1 order by 1;
select t.people() \g /dev/null
delete from conduct.audit_pending;

\echo a report
select (t.submit('one', 'Rep')).status;
select * from t.pending();
select bool_and(p.row_hashes[1] = sha256(c.body)) from conduct.audit_pending p
join conduct.content c on c.content_id = p.row_ids[1];
delete from conduct.audit_pending;
\echo a read, and one that is refused
select (conduct_api_1.case_show(t.ix('id:Fa'), t.id('one'))).status;
select t.attempt('hidden', format('select conduct_api_1.case_show(%L, %L)', t.ix('id:Ba'), t.id('one')));
select * from t.pending();
delete from conduct.audit_pending;
\echo an act
select t.act('Fa', 'one', 'claim');
select * from t.pending();
\echo what the hashes are of
select count(*), bool_and(p.payload = 'event ' || e.proceeding_id || '/' || e.seq || ' '
	|| encode(sha256(convert_to(jsonb_strip_nulls(to_jsonb(e))::text, 'UTF8')), 'hex') || chr(10))
from conduct.audit_pending p join conduct.event e on p.payload like 'event ' || e.proceeding_id || '/' || e.seq || ' %'
where p.event like 'case.%';

\echo numbered without gaps, by the one who began last
select t.call('conduct_timer', 'conduct_api_1.audit_begin(true)')::jsonb - 'origin' - 'pending_age';
select t.call('conduct_timer', 'conduct_api_1.audit_sequence(1, 1)')::jsonb - 'age';
select t.call('conduct_timer', 'conduct_api_1.audit_begin(false)')::jsonb - 'origin' - 'pending_age' - 'size';
select t.call('conduct_timer', 'conduct_api_1.audit_begin(true)')::jsonb - 'origin' - 'pending_age' - 'size';
select t.call('conduct_timer', 'conduct_api_1.audit_sequence(1, 100)');
select t.call('conduct_timer', 'conduct_api_1.audit_keep(1, ''[]'', ''{}'')');
select t.call('conduct_timer', 'conduct_api_1.audit_publish(1, 1, sha256(''x''), ''x'')');
select (t.submit('two', null)).status;
select count(*) as pending from conduct.audit_pending \gset
begin;
select (t.call('conduct_timer', 'conduct_api_1.audit_sequence(2, 1)')::jsonb ->> 'moved')::integer;
rollback;
select (t.call('conduct_timer', 'conduct_api_1.audit_sequence(2, 100)')::jsonb ->> 'moved')::integer = :pending;
select t.call('conduct_timer', 'conduct_api_1.audit_sequence(2, 100)')::jsonb ->> 'moved';
select min(leaf_index), max(leaf_index) = count(*) - 1, count(*) = (select count(*) from conduct.audit_payload)
from conduct.audit_leaf;
select count(*) from conduct.audit_pending;
\echo what came with a report is in its entry
select (select string_agg(distinct split_part(l, ' ', 1), ',') from regexp_split_to_table(p.payload, chr(10)) l
	where l <> '') from conduct.audit_payload p where p.case_id = t.id('two') and p.payload like 'event %';
\echo where its words stand, and the keys that they are under
select u.kind, (select string_agg(distinct split_part(l, ' ', 1), ',') from regexp_split_to_table(p.payload, chr(10)) l
	where l <> '') from conduct.audit_payload p join conduct.unit u on u.unit_id = p.unit_id
where p.payload like '%content_place%' and u.kind <> 'person' order by p.leaf_index;
\echo a leaf is its bytes, and says of its payload no more than a hash
select bool_and(substr(l.leaf, octet_length(l.leaf) - 31) = sha256(p.salt || convert_to(p.payload, 'UTF8'))),
	bool_and(substr(l.leaf, 1, 1) = '\x01'), count(distinct p.salt) = count(*)
from conduct.audit_leaf l join conduct.audit_payload p using (leaf_index);
\echo nodes are kept once, and no other ones in their place
select t.call('conduct_timer', 'conduct_api_1.audit_keep(2, ''[[1,0]]'', array[sha256(''a'')])');
select t.call('conduct_timer', 'conduct_api_1.audit_keep(2, ''[[1,0],[1,1]]'', array[sha256(''a''), sha256(''b'')])');
select t.call('conduct_timer', 'conduct_api_1.audit_keep(2, ''[[1,1]]'', array[sha256(''c'')])');
select t.call('conduct_stats', 'conduct_api_1.audit_nodes(''[[1,1],[0,2],[1,0]]'')')::jsonb
	= jsonb_build_object('hashes', jsonb_build_array(encode(sha256('b'), 'hex'),
		(select encode(sha256('\x00'::bytea || l.leaf), 'hex') from conduct.audit_leaf l where l.leaf_index = 2),
		encode(sha256('a'), 'hex')));
select t.call('conduct_stats', 'conduct_api_1.audit_nodes(''[[1,1],[1,9]]'')');
select t.call('conduct_stats', 'conduct_api_1.audit_nodes(''[[1,1],[0,1000000]]'')');
\echo a checkpoint is of what there is, and each is larger
select t.call('conduct_stats', 'conduct_api_1.audit_checkpoint()');
select t.call('conduct_timer', 'conduct_api_1.audit_publish(2, 1000000, sha256(''x''), ''x'')');
select t.call('conduct_timer', 'conduct_api_1.audit_publish(2, 2, sha256(''x''), ''x'')');
select t.call('conduct_timer', 'conduct_api_1.audit_publish(2, 2, sha256(''x''), ''x'')');
select t.call('conduct_stats', 'conduct_api_1.audit_checkpoint()');

\echo who writes, changes or removes an entry
do $$
declare
	v_role text;
	v_try record;
begin
	foreach v_role in array array['conduct_owner', 'conduct_handler', 'conduct_party', 'conduct_intake',
		'conduct_stats', 'conduct_admin', 'conduct_timer', 'conduct_gate', 'conduct_migrate'] loop
		for v_try in select * from (values
			('insert pending', 'insert into conduct.audit_pending (at, event, payload) values (now(), ''x'', '''')'),
			('change leaf', 'update conduct.audit_leaf set leaf = ''\x00'''),
			('remove leaf', 'delete from conduct.audit_leaf'),
			('remove node', 'delete from conduct.audit_node'),
			('change checkpoint', 'update conduct.audit_checkpoint set note = ''y'''),
			('change payload', 'update conduct.audit_payload set payload = ''y'''),
			('remove log', 'delete from conduct.audit_log'),
			('truncate leaf', 'truncate conduct.audit_leaf cascade'))
			v (what, sql)
		loop
			begin
				execute format('set local role %I', v_role);
				execute v_try.sql;
				reset role;
				if v_role not in ('conduct_gate', 'conduct_migrate') and (v_try.what = 'insert pending'
					or (select count(*) from conduct.audit_leaf) = 0)
				then
					raise exception '% may %', v_role, v_try.what using errcode = 'XX000';
				end if;
			exception when insufficient_privilege or check_violation then
				null;
			end;
		end loop;
	end loop;
	reset role;
end
$$;
select count(*) > 0, bool_or(leaf = '\x00') from conduct.audit_leaf;
select bool_or(note = 'y') from conduct.audit_checkpoint;
\echo the log is read by auditors alone
select t.call('conduct_stats', format('conduct_api_1.audit_list(%L, 2, null)', t.ix('id:Fa')));
select t.person('Au', 'auditor', null) \g /dev/null
select jsonb_array_length(b -> 'items'), (b #>> '{items,0,index}')::bigint = (select max(leaf_index) from conduct.audit_leaf),
	b -> 'next' from (select t.call('conduct_stats', format('conduct_api_1.audit_list(%L, 2, ''[3]'')', t.ix('id:Au')))::jsonb b) x;
