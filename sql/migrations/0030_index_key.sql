-- Which index key the indexes of this database were made with: a value that only this key gives, of this
-- deployment's id. Under another key nobody would be recognised, and nobody recused; so who has another one
-- is told, and takes nothing. `conductctl keys init` writes it down, once.

set role conduct_owner;
set search_path = keyring, pg_catalog;

create table index_key (
	only_row boolean constraint index_key_pkey primary key default true
		constraint index_key_is_one_row check (only_row),
	mark bytea not null constraint index_key_mark_is_sha256 check (octet_length(mark) = 32)
);
alter table index_key enable row level security;
alter table index_key force row level security;
grant select on index_key to conduct_stats, conduct_timer;
create policy index_key_stats on index_key for select to conduct_stats using (true);
create policy index_key_timer on index_key for select to conduct_timer using (true);

reset role;
reset search_path;
