-- What the logins of the daemon may not do: reach a table, take another role, call what is not theirs,
-- or say who they are.
select t.people() \g /dev/null
select (t.submit('one', 'Rep')).status;
select t.act('Fa', 'one', 'claim');

\echo conduct_web
\connect - conduct_web
\pset tuples_only on
\pset format unaligned
select t.attempt('reads ' || x, format('select * from conduct.%I', x))
from unnest(array['case_file', 'content', 'party', 'event', 'person_account', 'policy_set', 'idempotency']) x;
select t.attempt('writes ' || x, format('insert into conduct.%I default values', x))
from unnest(array['case_file', 'event', 'role_grant', 'outbox']) x;
select t.attempt('changes', 'update conduct.case_file set revision = 0');
select t.attempt('deletes', 'delete from conduct.event');
select t.attempt('takes role ' || x, format('set role %I', x))
from unnest(array['conduct_owner', 'conduct_gate', 'conduct_handler', 'conduct_admin', 'conduct_migrate',
	'conduct_worker', 'postgres']) x;
select t.attempt('sets session_replication_role', 'set session_replication_role = replica');
select t.attempt('sets row_security', 'set row_security = off; select * from conduct.case_file');
select t.attempt('makes a temporary table', 'create temp table x (y integer)');
select t.attempt('makes a large object with ' || x, 'select ' || x)
from unnest(array['lo_create(0)', 'lo_creat(-1)', 'lo_from_bytea(0, ''\x00'')']) x;
select t.attempt('makes a function in ' || x, format('create function %I.f() returns integer language sql as ''select 1''', x))
from unnest(array['conduct_api_1', 'conduct', 'conduct_gate', 'public']) x;
select t.attempt('makes a schema', 'create schema evil');
select t.attempt('calls the helper move', $$select conduct_api_1.move(gen_random_uuid(), gen_random_uuid(), 'accept')$$);
select t.attempt('calls the helper open_case', $$select conduct_api_1.open_case(t.id('one'))$$);
select t.attempt('calls the helper answer', $$select conduct_api_1.answer(200, '{}')$$);
select t.attempt('calls the helper claim_key', $$select conduct_api_1.claim_key('\x00', '\x00')$$);
select t.attempt('calls the helper submit_store', $$select conduct_api_1.submit_store('{}')$$);
select t.attempt('asks the gate', $$select conduct_gate.person_of('\x00')$$);
select t.attempt('asks the gate for a party', $$select conduct_gate.party_of(null, null, null)$$);
select t.attempt('reads the clock', 'select conduct.clock()');
select t.attempt('publishes', $$select conduct_api_1.publish_policy('', 1, '', '{}')$$);
select t.attempt('is the timer', 'select conduct_api_1.timer_run(1)');
select t.attempt('grants the first role', $$select conduct_api_1.grant_bootstrap('{}', '{}', '{}', '{}')$$);
select t.attempt('makes itself known', $$select conduct_api_1.person_seen('\x00', null, null, null, null, '{}', '{}', '{}')$$);
select t.attempt('reads a file', $$select pg_read_file('PG_VERSION')$$);
select t.attempt('runs a program', $$copy (select 1) to program 'true'$$);

\echo who acts is said by the call alone
set conduct.actor = 'person:00000000-0000-0000-0000-000000000000';
select set_config('conduct.case_id', t.id('one')::text, false) is not null;
select t.attempt('a stranger''s queue', $$select conduct_api_1.case_queue(t.ix('id:Nobody'), '{}', null, 10)$$);
select t.attempt('a reporter''s queue', $$select conduct_api_1.case_queue(t.ix('id:Rep'), '{}', null, 10)$$);
select t.attempt('a stranger''s case', $$select conduct_api_1.case_show(t.ix('id:Nobody'), t.id('one'))$$);
select t.attempt('a member of another body', $$select conduct_api_1.case_show(t.ix('id:Ba'), t.id('one'))$$);
select t.attempt('a case that is not there', $$select conduct_api_1.case_show(t.ix('id:Ba'), t.id('none'))$$);
select t.attempt('a receipt that is not there', $$select conduct_api_1.receipt_show(null, t.ix('none'), null)$$);
select t.attempt('a grant by a functionary', $$select conduct_api_1.grant_list(t.ix('id:Fa'), 10, null)$$);
select (conduct_api_1.case_show(t.ix('id:Fa'), t.id('one'))).status;
\echo nothing of the last caller is left for the next
select current_setting('conduct.actor'), current_setting('conduct.case_id') = t.id('one')::text;

\echo conduct_worker
\connect - conduct_worker
\pset tuples_only on
\pset format unaligned
select t.attempt('reads ' || x, format('select * from conduct.%I', x)) from unnest(array['case_file', 'outbox']) x;
select t.attempt('takes role ' || x, format('set role %I', x)) from unnest(array['conduct_timer', 'conduct_web']) x;
select t.attempt('submits',
	$$select conduct_api_1.submit_report(null, null, null, null, null, '{}', '{}', '{}', '{}')$$);
select t.attempt('reads a case', $$select conduct_api_1.case_show('\x00', t.id('one'))$$);
select t.attempt('grants', $$select conduct_api_1.grant_bootstrap('{}', '{}', '{}', '{}')$$);
select t.attempt('shifts the clock', 'update conduct.clock_offset set shift_seconds = 1');
select t.attempt('makes a temporary table', 'create temp table x (y integer)');
select t.attempt('makes a large object with ' || x, 'select ' || x)
from unnest(array['lo_create(0)', 'lo_creat(-1)', 'lo_from_bytea(0, ''\x00'')']) x;
select (conduct_api_1.timer_run(10)).status;

\echo conduct_backup
\connect - conduct_backup
\pset tuples_only on
\pset format unaligned
select count(*) > 0 from conduct.event;
select t.attempt('writes', $$insert into conduct.principal values (gen_random_uuid())$$);
select t.attempt('changes', 'update conduct.case_file set revision = 0');
select t.attempt('takes role ' || x, format('set role %I', x)) from unnest(array['conduct_owner', 'conduct_migrate']) x;
select t.attempt('calls', 'select conduct_api_1.timer_run(1)');
select t.attempt('asks the gate', $$select conduct_gate.person_of('\x00')$$);
select t.attempt('makes a temporary table', 'create temp table x (y integer)');
select t.attempt('makes a large object with ' || x, 'select ' || x)
from unnest(array['lo_create(0)', 'lo_creat(-1)', 'lo_from_bytea(0, ''\x00'')']) x;
