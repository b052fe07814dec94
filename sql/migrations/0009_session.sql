-- Sessions of people who have signed in: a browser's cookie, a gadget's bearer, and the code that a popup
-- hands to its gadget. The database knows a hash of each secret; what it seals, the wiki's token included,
-- only who holds the secret can open. Rows are short-lived and erasable.

set role conduct_owner;
set search_path = conduct, pg_catalog;

create table session (
	session_hash bytea constraint session_pkey primary key
		constraint session_hash_is_sha256 check (octet_length(session_hash) = 32),
	kind text not null constraint session_kind_known check (kind in ('cookie', 'code', 'bearer')),
	id_ix bytea not null constraint session_id_ix_is_hmac check (octet_length(id_ix) = 32),
	sealed bytea not null constraint session_sealed_is_bounded check (octet_length(sealed) between 28 and 16384),
	-- The page that a code or bearer was made for; a cookie's is conductd's own.
	origin text constraint session_origin_is_bounded check (octet_length(origin) <= 255),
	-- The code that a bearer came from: used twice, it takes the bearer with it.
	code_hash bytea,
	made_at timestamptz not null,
	used_at timestamptz,
	-- The present end, which use moves on, and the one that stays.
	expires_at timestamptz not null,
	ends_at timestamptz not null,
	constraint session_cookie_has_no_origin check ((kind = 'cookie') = (origin is null)),
	constraint session_bearer_has_a_code check ((kind = 'bearer') = (code_hash is not null)),
	constraint session_code_is_used check (used_at is null or kind = 'code'),
	constraint session_expires_before_its_end check (expires_at <= ends_at),
	constraint session_is_short check (ends_at <= made_at + case kind when 'cookie' then interval '8 hours'
		when 'bearer' then interval '60 minutes' else interval '60 seconds' end)
);
create index session_account on session (id_ix, made_at);
create index session_code on session (code_hash) where code_hash is not null;
create index session_expires on session (expires_at);

alter table session enable row level security;
alter table session force row level security;
grant select, insert, update, delete on session to conduct_admin;
create policy session_admin on session to conduct_admin using (true) with check (true);
call guard_tables();

reset role;
reset search_path;
