-- Snapshots: what a reported revision said, fetched from its wiki as soon as a report names it, so that
-- deleting it there destroys no evidence. Here stands how that went; the revision itself is an attachment.
-- Submitting a report pays nothing for it: what is new is found by the time of its report.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- waiting: to be fetched at next_at. taken: there it is. gone, hidden: the wiki says so, twice. too_large:
-- more than is kept. link_only: not to be copied. given_up: no usable answer, or nobody to ask.
create table snapshot (
	incident_id uuid constraint snapshot_pkey primary key,
	case_id uuid not null,
	state text not null default 'waiting' constraint snapshot_state_known
		check (state in ('waiting', 'taken', 'gone', 'hidden', 'too_large', 'link_only', 'given_up')),
	n_tries integer not null default 0 constraint snapshot_tries_count check (n_tries >= 0),
	wanted_at timestamptz not null,
	next_at timestamptz not null,
	ended_at timestamptz,
	attachment_id uuid,
	constraint snapshot_incident_fkey foreign key (incident_id, case_id)
		references incident (incident_id, case_id),
	constraint snapshot_attachment_fkey foreign key (attachment_id, case_id)
		references attachment (attachment_id, case_id),
	constraint snapshot_waits_or_has_ended check ((state = 'waiting') = (ended_at is null)),
	constraint snapshot_that_is_taken_is_there check ((state = 'taken') = (attachment_id is not null))
);
create index snapshot_case on snapshot (case_id);
create index snapshot_waiting on snapshot (next_at) where state = 'waiting';

-- Reports up to here were looked through.
create table snapshot_mark (
	only_row boolean constraint snapshot_mark_pkey primary key default true
		constraint snapshot_mark_is_one_row check (only_row),
	until_at timestamptz not null
);
insert into snapshot_mark (until_at) values ('-infinity');

-- Nearly free to write: reports come in the order of their time.
create index report_submitted on report using brin (submitted_at) with (pages_per_range = 16, autosummarize = on);

do $$
declare
	v_table text;
begin
	foreach v_table in array array['snapshot', 'snapshot_mark'] loop
		execute format('alter table conduct.%I enable row level security', v_table);
		execute format('alter table conduct.%I force row level security', v_table);
	end loop;
end
$$;
grant select on snapshot to conduct_handler, conduct_timer;
grant insert, update (state, n_tries, next_at, ended_at, attachment_id) on snapshot to conduct_timer;
create policy snapshot_handler on snapshot for select to conduct_handler
	using (case_id = (select conduct.opened_case()));
create policy snapshot_timer on snapshot to conduct_timer using (true) with check (true);
grant select, update (until_at) on snapshot_mark to conduct_timer;
create policy snapshot_mark_timer on snapshot_mark to conduct_timer using (true) with check (true);

create trigger snapshot_rows_stay before delete on snapshot
	for each row execute function conduct_gate.rows_stay();
create trigger snapshot_columns_stay before update on snapshot
	for each row execute function conduct_gate.columns_stay('state', 'n_tries', 'next_at', 'ended_at', 'attachment_id');
create trigger snapshot_mark_rows_stay before delete on snapshot_mark
	for each row execute function conduct_gate.rows_stay();
create trigger snapshot_is_logged after insert on snapshot referencing new table as new_rows
	for each statement execute function conduct_gate.audit_rows('{incident_id}', '{n_tries,next_at}');
create trigger snapshot_changes_are_logged after update on snapshot
	referencing old table as old_rows new table as new_rows
	for each statement execute function conduct_gate.audit_changes('{incident_id}', '{n_tries,next_at}');
call guard_tables();
reset role;

set role conduct_gate;
set search_path = pg_catalog, conduct, pg_temp;

-- Incidents on a wiki, with a revision, of reports since then, for which nothing was begun.
create function conduct_gate.unasked_revisions(p_since timestamptz, p_limit integer)
returns table (incident_id uuid, case_id uuid)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return query
		select i.incident_id, i.case_id
		from conduct.report r
		join conduct.incident i on i.case_id = r.case_id and i.report_id = r.report_id
		where r.submitted_at > p_since and i.venue = 'on_wiki' and i.wiki is not null
			and i.revision_content is not null
			and not exists (select from conduct.snapshot s where s.incident_id = i.incident_id)
		limit p_limit;
end
$$;

-- Where and what it is, unless that is erased, and the key unit that it is to be erased with.
create function conduct_gate.revision_of(p_incident uuid)
returns table (case_id uuid, wiki text, revision_content uuid, unit_id uuid)
language plpgsql stable security definer rows 1 set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return query
		select i.case_id, i.wiki, c.content_id, f.unit_id
		from conduct.incident i join conduct.case_file f on f.case_id = i.case_id
		left join conduct.content c on c.content_id = i.revision_content and c.body <> ''
		where i.incident_id = p_incident;
end
$$;

-- By its id, in every layer: ucoc/3.1/sexual-harassment, and what regions and wikis add beside it.
create function conduct_gate.is_sexual(p_rule text) returns boolean language sql immutable
return p_rule ~ '(^|[/._-])sex';

-- Whether files may be taken into a case at all. Sexual material with minors is not to be copied, not even as
-- evidence: where a report says that a minor is at risk, links alone are taken unless its category says that
-- it is about something else. Without a category nobody knows; one without rules or danger says nothing; and
-- whoever handles the case may find out later, in an allegation.
create or replace function conduct_gate.takes_files(p_case uuid) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, conduct, pg_temp
as $$
begin
	return not exists (
		select from conduct.report r
		join conduct.case_file f on f.case_id = r.case_id
		left join conduct.profile_category g on g.profile = f.profile and g.category = r.category
		where r.case_id = p_case and r.minor_at_risk
			and (g.category is null or (g.rules = '{}' and g.harm_type is null)
				or exists (select from unnest(g.rules) u (rule) where conduct_gate.is_sexual(u.rule))
				or exists (select from conduct.allegation a
					where a.case_id = p_case and conduct_gate.is_sexual(a.rule))));
end
$$;

grant execute on function conduct_gate.unasked_revisions(timestamptz, integer), conduct_gate.revision_of(uuid),
	conduct_gate.takes_files(uuid) to conduct_timer;
grant execute on all functions in schema conduct_gate to conduct_owner;
reset role;
reset search_path;
