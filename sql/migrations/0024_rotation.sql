-- Rotation of the vault's intake keys: pending, active, decrypt_only, retired, destroyed. What is sealed to
-- an older key is sealed again to the active one, while everything goes on; a key's private half may go when
-- no unit is sealed to it, and no host seals to it any more.

set role conduct_owner;
set search_path = keyring, pg_catalog;

-- Nothing is sealed to a destroyed key, and no key is destroyed while something is: the reference is to the
-- key with its right to be sealed to.
alter table vault_key
	add column changed_at timestamptz not null default '-infinity',
	add column takes boolean not null generated always as (state <> 'destroyed') stored,
	add constraint vault_key_takes unique (key_id, takes);
alter table stanza
	add column key_takes boolean generated always as (case when key_id is not null then true end) stored,
	drop constraint stanza_key_fkey,
	add constraint stanza_key_fkey foreign key (key_id, key_takes) references vault_key (key_id, takes);
drop index stanza_key;
-- In the order in which they are sealed again.
create index stanza_key on stanza (key_id, unit_id, generation) where key_id is not null;

-- What each host's vault holds, as its worker last said, and which key its web processes seal to.
create table vault_host (
	host text constraint vault_host_pkey primary key
		constraint vault_host_is_a_name check (host ~ '^[A-Za-z0-9._-]{1,63}$'),
	key_ids integer[] not null,
	seals_to integer not null,
	seen_at timestamptz not null
);
alter table vault_host enable row level security;
alter table vault_host force row level security;

grant select, insert, update on vault_key, vault_host to conduct_timer;
grant select, insert, delete on stanza to conduct_timer;
grant select on conduct.deployment to conduct_timer;
create policy deployment_timer on conduct.deployment to conduct_timer using (true);

do $$
declare
	v_table text;
begin
	foreach v_table in array '{vault_key,vault_host,stanza}'::text[] loop
		if not exists (select from pg_policies p where p.schemaname = 'keyring' and p.tablename = v_table
			and p.roles = '{conduct_timer}') then
			execute format('create policy %I on keyring.%I to conduct_timer using (true) with check (true)',
				v_table || '_timer', v_table);
		end if;
	end loop;
end
$$;

reset role;
reset search_path;
