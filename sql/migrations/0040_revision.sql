-- Numbers of revisions are words: beside the wiki, a number tells page, author and text to whoever asks the
-- wiki. So that of a report, and that of a notice on somebody's talk page, are sealed as page titles are.

do $$
begin
	if exists (select from conduct.incident i where i.revision is not null)
		or exists (select from conduct.hearing h where h.served_revision is not null)
	then
		raise exception 'there are revisions in this database that are not sealed'
			using hint = 'They cannot be sealed where they lie. Start with a database that has none: '
				'create a new one, and run `conductctl migrate` and `conductctl keys init` there.';
	end if;
end
$$;

set role conduct_owner;
set search_path = conduct, pg_catalog;

revoke update (served_revision) on hearing from conduct_handler, conduct_party, conduct_intake, conduct_timer;
alter table incident
	drop column revision,
	add column revision_content uuid constraint incident_revision_fkey references content;
alter table hearing
	drop column served_revision,
	add column revision_content uuid constraint hearing_revision_fkey references content;

drop trigger hearing_columns_stay on hearing;
create trigger hearing_columns_stay before update on hearing for each row
	execute function conduct_gate.columns_stay('served_at', 'served_how', 'revision_content', 'extension_asked_at');
grant update (revision_content) on hearing to conduct_handler, conduct_party, conduct_intake, conduct_timer;
call guard_tables();

reset role;
reset search_path;
