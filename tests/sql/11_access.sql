-- Who may do what in the database: row-level security, privileges, triggers, and whose rights functions
-- run with.
\echo tables without forced row-level security
select c.relname from pg_class c
where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) and c.relkind = 'r'
	and not (c.relrowsecurity and c.relforcerowsecurity) order by 1;
\echo policies: table, name, roles, command, using, with check
select tablename, policyname, permissive, array_to_string(roles, ','), cmd,
	regexp_replace(qual, '\s+', ' ', 'g'), regexp_replace(with_check, '\s+', ' ', 'g')
from pg_policies where schemaname in ('conduct', 'keyring') order by 1, 2;
\echo more than one policy for one table, audience and command
select tablename, role, count(*) from pg_policies, unnest(roles) role
where schemaname in ('conduct', 'keyring') group by 1, 2 having count(*) > 1 order by 1, 2;
\echo privileges on tables
select c.relname, a.grantee::regrole::text, string_agg(a.privilege_type, ',' order by a.privilege_type)
from pg_class c, aclexplode(c.relacl) a
where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) and c.relkind = 'r' and a.grantee <> c.relowner
group by 1, 2 order by 1, 2;
\echo privileges on columns
select c.relname, a.grantee::regrole::text, a.privilege_type, string_agg(t.attname, ',' order by t.attname)
from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) group by 1, 2, 3 order by 1, 2, 3;
\echo schemas
select n.nspname, n.nspowner::regrole, case a.grantee when 0 then 'public' else a.grantee::regrole::text end,
	string_agg(a.privilege_type, ',' order by a.privilege_type)
from pg_namespace n, aclexplode(n.nspacl) a
where (n.nspname like 'conduct%' or n.nspname = 'keyring') and a.grantee <> n.nspowner group by 1, 2, 3 order by 1, 3, 2;
\echo what each login may call: every function is security definer and pins its settings
select a.grantee::regrole::text, p.proname, p.proowner::regrole, p.prosecdef,
	array_to_string(p.proconfig, '; ')
from pg_proc p, aclexplode(p.proacl) a
where p.pronamespace = 'conduct_api_1'::regnamespace
	and a.grantee in ('conduct_web'::regrole, 'conduct_worker'::regrole, 'conduct_backup'::regrole)
order by 1, 2;
\echo security definer functions that do not pin the actor, the case or the path
select p.proname from pg_proc p
where p.pronamespace = 'conduct_api_1'::regnamespace and p.prosecdef
	and not coalesce(p.proconfig @> array['search_path=pg_catalog, conduct, pg_temp',
		'conduct.actor=', 'conduct.case_id='], false)
	and not coalesce(p.proconfig @> array['search_path=pg_catalog, conduct, pg_temp',
		'conduct.actor=""', 'conduct.case_id=""'], false) order by 1;
\echo functions of the gate: owner, definer, path
select p.proname, p.proowner::regrole, p.prosecdef, array_to_string(p.proconfig, '; ')
from pg_proc p where p.pronamespace = 'conduct_gate'::regnamespace order by 1;
\echo functions public may call
select p.oid::regprocedure::text from pg_proc p
where p.pronamespace in ('conduct'::regnamespace, 'conduct_gate'::regnamespace,
		'conduct_api_1'::regnamespace)
	and has_function_privilege('public', p.oid, 'execute') order by 1;
\echo triggers
select c.relname, t.tgname, p.proname, t.tgenabled, t.tgdeferrable
from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_proc p on p.oid = t.tgfoid
where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) and not t.tgisinternal order by 1, 2;
\echo triggers that session_replication_role could silence, those of foreign keys included
select c.relname, t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
where c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) and t.tgenabled <> 'A' order by 1, 2;
\echo constraints that are not validated
select c.conname from pg_constraint c
where c.connamespace in ('conduct'::regnamespace, 'keyring'::regnamespace) and not c.convalidated order by 1;
\echo roles
select r.rolname, r.rolcanlogin, r.rolbypassrls, r.rolsuper, r.rolcreaterole, r.rolcreatedb
from pg_roles r where r.rolname like 'conduct%' order by 1;
\echo members
select m.roleid::regrole::text, m.member::regrole::text from pg_auth_members m
where m.roleid::regrole::text like 'conduct%' order by 1, 2;
