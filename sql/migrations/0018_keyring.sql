-- What the words are sealed with: which deployment this is, the public halves of the vault's intake keys,
-- and for each unit the stanzas that carry its key. The keyring is a schema of its own and its rows are
-- erasable: a unit whose stanzas are gone is read by nobody any more, in no table and in no later backup.

create schema keyring authorization conduct_owner;
revoke all on schema keyring from public;
grant usage on schema keyring to conduct_gate, conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_stats, conduct_admin, conduct_migrate, conduct_backup;
alter default privileges for role conduct_owner in schema keyring grant select on tables to conduct_backup;
alter default privileges for role conduct_owner in schema keyring
	grant select, insert, update, delete on tables to conduct_migrate;

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Authenticated with everything that is sealed, so that nothing opens in another deployment.
create table deployment (
	only_row boolean constraint deployment_pkey primary key default true
		constraint deployment_is_one_row check (only_row),
	deployment_id uuid not null default gen_random_uuid()
);
insert into deployment default values;

alter table deployment enable row level security;
alter table deployment force row level security;
grant select on deployment to conduct_stats;
create policy deployment_stats on deployment to conduct_stats using (true);
create trigger deployment_is_append_only before update or delete on deployment
	for each row execute function conduct_gate.append_only();
call guard_tables();

-- pending: made, and not sealed to yet. active: new units are sealed to it. decrypt_only: units remain.
-- retired: none does. destroyed: its private half is gone.
create table keyring.vault_key (
	key_id integer constraint vault_key_pkey primary key
		constraint vault_key_id_is_positive check (key_id > 0),
	public_key bytea not null constraint vault_key_is_x25519 check (octet_length(public_key) = 32)
		constraint vault_key_is_new unique,
	state text not null constraint vault_key_state_known
		check (state in ('pending', 'active', 'decrypt_only', 'retired', 'destroyed')),
	made_at timestamptz not null
);
create unique index vault_key_one_active on keyring.vault_key (state) where state = 'active';

-- kind vault: opened by the vault. kind channel: by a party's receipt, and it is the key of that channel.
create table keyring.stanza (
	unit_id uuid not null constraint stanza_unit_fkey references unit,
	generation integer not null constraint stanza_generation_is_positive check (generation > 0),
	kind text not null constraint stanza_kind_known check (kind in ('vault', 'channel')),
	party_id uuid constraint stanza_party_fkey references party,
	key_id integer constraint stanza_key_fkey references keyring.vault_key,
	blob bytea not null constraint stanza_is_of_its_kind
		check (octet_length(blob) = case kind when 'vault' then 88 else 60 end),
	constraint stanza_is_one unique nulls not distinct (unit_id, generation, kind, party_id, key_id),
	constraint stanza_of_a_vault_has_a_key check ((kind = 'vault') = (key_id is not null)),
	constraint stanza_of_a_channel_has_a_party check ((kind = 'channel') = (party_id is not null))
);
create index stanza_party on keyring.stanza (party_id) where party_id is not null;
create index stanza_key on keyring.stanza (key_id) where key_id is not null;

alter table keyring.vault_key enable row level security;
alter table keyring.vault_key force row level security;
alter table keyring.stanza enable row level security;
alter table keyring.stanza force row level security;

reset role;
reset search_path;
