# Functions that are loaded again, as an upgrade does, are those that were loaded once: nobody may call more.
export PGOPTIONS='-c client_min_messages=warning'
cat sql/data/*.sql sql/api/*.sql | psql -X -q -1 -v ON_ERROR_STOP=1 >/dev/null
{ echo 'set search_path = pg_catalog;'; cat sql/catalog.sql; } | psql -X -q -A -t | diff sql/catalog.txt - && echo 'the same'
