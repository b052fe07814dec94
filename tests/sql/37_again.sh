# Functions that are loaded again, as an upgrade does, are those that were loaded once: nobody may call more.
export PGOPTIONS='-c client_min_messages=warning'
callers() {
	psql -X -q -A -t -c "select p.oid::regprocedure, a.grantee::regrole from pg_proc p, aclexplode(p.proacl) a
		where p.pronamespace = 'conduct_api_1'::regnamespace and a.grantee <> 0 order by 1::text, 2::text"
}
before=$(callers)
cat sql/data/*.sql sql/api/*.sql | psql -X -q -1 -v ON_ERROR_STOP=1 >/dev/null
[ -n "$before" ] && [ "$(callers)" = "$before" ] && echo 'the same'
