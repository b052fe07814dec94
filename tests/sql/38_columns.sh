# sql/COLUMNS.md says of each column whether it is open or sealed: every column stands there, once, and nothing
# else does; what is said to be sealed, an index or a hash is bytes.
export PGOPTIONS='-c client_min_messages=warning' PGUSER=postgres

check() { # NAME, the document on stdin
	echo "$1"
	awk -F' *[|] *' '/^[|] (conduct|keyring)[.]/ {
		n = split($3, columns, /, */)
		for (i = 1; i <= n; i++) print $2 "\t" columns[i] "\t" $4 "\t" $5 }' >"$rows"
	psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 <<SQL
create temporary table said (name text, col text, kind text, why text);
\copy said from '$rows'
create temporary view there as select c.oid::regclass::text as name, a.attname::text as col,
	format_type(a.atttypid, a.atttypmod) as type
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
	and c.relnamespace::regnamespace::text in ('conduct', 'keyring');
select problem from (
	select 'not in the list: ' || t.name || '.' || t.col as problem from there t
	where not exists (select from said s where s.name = t.name and s.col = t.col)
	union all
	select 'not in the database: ' || s.name || '.' || s.col from said s
	where not exists (select from there t where t.name = s.name and t.col = s.col)
	union all
	select 'twice: ' || s.name || '.' || s.col from said s group by s.name, s.col having count(*) > 1
	union all
	select 'neither open, sealed, index nor hash: ' || s.name || '.' || s.col from said s
	where coalesce(s.kind, '') not in ('open', 'sealed', 'index', 'hash')
	union all
	select 'without a reason: ' || s.name || '.' || s.col from said s where coalesce(s.why, '') = ''
	union all
	select 'not bytes: ' || s.name || '.' || s.col from said s join there t using (name, col)
	where s.kind <> 'open' and t.type not in ('bytea', 'bytea[]')) x
order by 1;
SQL
}

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
chmod 644 "$rows"
check 'as it is' <sql/COLUMNS.md
grep -v '^| conduct.content | body |' sql/COLUMNS.md | check 'without a row'
sed '/^| conduct.content | body |/p' sql/COLUMNS.md | check 'with a row twice'
sed 's/^| conduct.content | body |/| conduct.content | text |/' sql/COLUMNS.md | check 'with a column that is not there'
sed '/^| conduct.clock_offset |/s/| open |/| sealed |/' sql/COLUMNS.md | check 'with a claim that cannot be true'
sed '/^| conduct.clock_offset |/s/| open |/| maybe |/' sql/COLUMNS.md | check 'with another word'
psql -X -q -c 'alter table conduct.unit add column note text'
check 'with a column more' <sql/COLUMNS.md
