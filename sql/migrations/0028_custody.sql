-- The custody of files in the history of their case: what else it is told from. Who handles a case sees what
-- of it was erased, and when.

set role conduct_owner;
set search_path = conduct, pg_catalog;

grant select (case_id, extent, party_id, units, at) on erasure to conduct_handler;
create policy erasure_handler on erasure for select to conduct_handler
	using (case_id = (select conduct.opened_case()));

-- Readings in the order of the history, and those of one person of one file.
create index attachment_read_case on attachment_read (case_id, at, read_id);

reset role;
reset search_path;
