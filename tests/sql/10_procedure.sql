-- The procedure as rows: what may happen, from what cause, and what guards it.
\echo states
select kind, state, class from conduct.state order by kind, state;
\echo transitions
select kind, from_state, action, to_state, role, case when moves then 'moves' else 'stays' end,
	case when needs_cause then 'cause' else '' end, case when in_force then '' else 'retired' end
from conduct.transition order by 1, 2, 3, 4, 5;
\echo causes
select kind, from_state, action, to_state, cause_kind, cause_action
from conduct.transition_cause order by 1, 2, 3, 4, 5, 6;
\echo ballots
select ballot_kind, proceeding_kind, state from conduct.ballot_kind order by 1, 2, 3;
\echo guards
select guard, implemented_by from conduct.guard order by 1;
\echo guarded actions
select kind, action, guard from conduct.transition_guard order by 1, 2, 3;
\echo guards whose implementation is missing
select g.guard, g.implemented_by from conduct.guard g, regexp_split_to_array(g.implemented_by, ' ') w
where not case w[1]
	when 'function' then exists (select from pg_proc p where p.pronamespace::regnamespace || '.' || p.proname = w[2])
	when 'trigger' then exists (select from pg_trigger t where t.tgname = w[2])
	when 'constraint' then exists (select from pg_constraint c where c.conname = w[2])
	when 'index' then exists (select from pg_class c where c.relkind = 'i' and c.relname = w[2])
	else false end
order by 1;
