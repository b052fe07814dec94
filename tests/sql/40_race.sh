#!/bin/bash
# Two at once: one key makes one case; a key that runs is refused; whoever is recused while waiting for
# the lock acts no more; the end of a grant waits for an act under way.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sql() {
	psql -X -q -A -t -v VERBOSITY=terse "$@" 2>&1
}

# A session that stays open: say STATEMENT, then what it answered is in $reply.
coproc holder { psql -X -q -A -t -v VERBOSITY=terse 2>&1; }
say() {
	printf '%s\n\\echo .\n' "$1" >&"${holder[1]}"
	reply=
	while IFS= read -r line <&"${holder[0]}" && [ "$line" != . ]; do
		reply=$reply$line
	done
}

# Until some session waits for a lock.
until_waiting() {
	while [ "$(sql -U postgres -c "select count(*) from pg_stat_activity where wait_event_type = 'Lock'")" = 0 ]; do
		:
	done
}

sql -c 'select t.people()' >/dev/null

echo 'one key, eight at once'
for i in 1 2 3 4 5 6 7 8; do
	sql -c "select (a).status, (a).body - 'sealed_receipt' from (select t.submit('race$i', 'Rep', '{}', 'race') a offset 0) x" \
		>"$work/$i" &
	running+=($!)
done
wait "${running[@]}"
echo "different answers: $(sort -u "$work"/[1-8] | wc -l), status $(cut -d'|' -f1 "$work"/[1-8] | sort -u)"
sql -c "select count(*) || ' case, replays ' || max(replays) from conduct.case_file f left join conduct.idempotency using (case_id)"
echo "receipts told: $(sql -c "select count(distinct sealed_receipt) from conduct.idempotency")"

echo 'a key that runs'
say 'begin;'
say "select (t.submit('held', 'Rep')).status;"
echo "holder: $reply"
sql -c "set lock_timeout = '50ms'" -c "select (a).status, (a).body ->> 'errorKey' from (select t.submit('held2', 'Rep', '{}', 'held') a offset 0) x"
say 'commit;'
sql -c "select (a).status, (a).body ->> 'state' from (select t.submit('held2', 'Rep', '{}', 'held') a offset 0) x"

echo 'recused while waiting for the lock'
say 'begin;'
say "select conduct_gate.lock_case(t.id('held'));"
sql -c "select t.act('Fa', 'held', 'claim')" >"$work/act" &
running=($!)
until_waiting
say "insert into conduct.recusal (recusal_id, case_id, principal_id, extent, source, standing, at) select gen_random_uuid(),
	t.id('held'), conduct_gate.principal_of(conduct_gate.person_of(t.ix('id:Fa'))), 'full', 'declared', 'in_force', now();"
say 'commit;'
wait "${running[@]}"
cat "$work/act"
sql -c "select t.act('Fb', 'held', 'claim')"

echo 'the end of a grant waits for an act'
say 'begin;'
say "select t.act('Fb', 'held', 'acknowledge');"
sql -c "set lock_timeout = '50ms'" -c "select (conduct_api_1.grant_end(t.ix('id:Admi'), (select grant_id from conduct.role_grant g
	join conduct.person_account a using (person_id) where a.id_ix = t.ix('id:Fb')), t.ix('g1'), t.ix('m'))).status"
say 'commit;'
sql -c "select (conduct_api_1.grant_end(t.ix('id:Admi'), (select grant_id from conduct.role_grant g
	join conduct.person_account a using (person_id) where a.id_ix = t.ix('id:Fb')), t.ix('g1'), t.ix('m'))).status"
sql -c "select t.act('Fb', 'held', 'decline', '{\"reason_code\": \"insufficient\", \"refer_to\": \"x\"}', array['reason'])"

echo 'a timer passes over what somebody holds'
say 'begin;'
say "select conduct_gate.lock_case(t.id('held'));"
sql -c 'update conduct.clock_offset set shift_seconds = 864000' -c 'select body from conduct_api_1.timer_run(100)'
say 'commit;'
sql -c 'select body from conduct_api_1.timer_run(100)'
