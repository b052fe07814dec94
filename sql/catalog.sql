-- What the database is built of, a line each: kind, name, and SHA-256 of everything that is said of it.
-- sql/catalog.txt is what a migrated database has; `conductctl audit verify` compares a bundle with it.
select 'catalog ' || x.kind || ' ' || encode(sha256(convert_to(x.body, 'UTF8')), 'hex') || ' ' || x.name
from (
	select 'table' as kind, c.oid::regclass::text as name, concat_ws(' ', c.relrowsecurity,
		c.relforcerowsecurity, c.relowner::regrole, c.relpersistence,
		(select string_agg(a::text, ',' order by a::text) from unnest(c.relacl) a),
		(select string_agg(concat_ws(' ', t.attname, format_type(t.atttypid, t.atttypmod), t.attnotnull,
			t.attidentity, t.attgenerated, pg_get_expr(d.adbin, d.adrelid),
			(select string_agg(a::text, ',' order by a::text) from unnest(t.attacl) a)), ',' order by t.attname)
			from pg_attribute t left join pg_attrdef d on d.adrelid = t.attrelid and d.adnum = t.attnum
			where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped)) as body
	from pg_class c where c.relkind in ('r', 'v', 'm', 'p', 'f')
		and c.relnamespace::regnamespace::text in ('conduct', 'conduct_gate', 'conduct_api_1', 'keyring')
	union all
	select 'constraint', c.conrelid::regclass || '.' || c.conname, concat_ws(' ', pg_get_constraintdef(c.oid),
		c.convalidated, (select string_agg(t.tgenabled::text, '') from pg_trigger t where t.tgconstraint = c.oid))
	from pg_constraint c
	where c.connamespace::regnamespace::text in ('conduct', 'conduct_gate', 'conduct_api_1', 'keyring')
	union all
	select 'trigger', t.tgrelid::regclass || '.' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
	from pg_trigger t join pg_class c on c.oid = t.tgrelid
	where not t.tgisinternal and c.relnamespace::regnamespace::text in ('conduct', 'keyring')
	union all
	select 'rule', r.ev_class::regclass || '.' || r.rulename, pg_get_ruledef(r.oid)
	from pg_rewrite r join pg_class c on c.oid = r.ev_class
	where c.relnamespace::regnamespace::text in ('conduct', 'keyring')
	union all
	select 'policy', p.polrelid::regclass || '.' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive,
		(select string_agg(r::regrole::text, ',' order by r::regrole::text) from unnest(p.polroles) r),
		pg_get_expr(p.polqual, p.polrelid), '/', pg_get_expr(p.polwithcheck, p.polrelid))
	from pg_policy p
	union all
	select 'function', p.oid::regprocedure::text, concat_ws(' ', p.proowner::regrole,
		p.prokind, l.lanname, p.prosecdef, p.proleakproof, p.proisstrict, p.provolatile, p.proparallel,
		pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prosrc,
		pg_get_function_sqlbody(p.oid), p.probin,
		-- An empty value reads in two ways, by how often its function was replaced.
		(select string_agg(replace(c, '=""', '='), ',') from unnest(p.proconfig) c),
		(select string_agg(a::text, ',' order by a::text) from unnest(p.proacl) a))
	from pg_proc p join pg_language l on l.oid = p.prolang
	where p.pronamespace::regnamespace::text in ('conduct', 'conduct_gate', 'conduct_api_1', 'keyring')
	union all
	select 'rows', 'conduct.transition', (select string_agg(r::text, ',' order by r::text) from conduct.transition r)
	union all
	select 'rows', 'conduct.transition_cause',
		(select string_agg(r::text, ',' order by r::text) from conduct.transition_cause r)
	union all
	select 'rows', 'conduct.state', (select string_agg(r::text, ',' order by r::text) from conduct.state r)
	union all
	select 'rows', 'conduct.ballot_kind',
		(select string_agg(r::text, ',' order by r::text) from conduct.ballot_kind r)) x
order by x.kind, x.name collate "C"
