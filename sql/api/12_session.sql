-- Sessions: opened after a login, found with each request, closed by logout. Whoever calls has proved who
-- they are to C; here a secret's hash stands for it. What does not hold is a row that says 401, not an
-- exception: a code that was tried in vain has to stay burnt.

set role conduct_admin;

create or replace function conduct_api_1.session_refusal() returns conduct_api_1.answer
language sql immutable
as $$
	select 401, '{"errorKey": "conduct-unauthorized"}'::jsonb, null::uuid[], null::bytea[]
$$;

-- How long a kind lasts at most; and the end that use moves on.
create or replace function conduct_api_1.session_life(p_kind text) returns interval
language sql immutable
as $$
	select case p_kind when 'cookie' then interval '8 hours' when 'bearer' then interval '60 minutes'
		else interval '60 seconds' end
$$;

create or replace function conduct_api_1.session_idle_end(p_kind text, p_now timestamptz, p_ends timestamptz)
returns timestamptz language sql immutable
as $$
	select case p_kind when 'cookie' then least(p_now + interval '15 minutes', p_ends) else p_ends end
$$;

-- Opens a session for at most p_seconds, the life that the wiki's token still has. p_from: of a bearer its
-- code, of a cookie the one that the browser had before, which ends. The oldest beyond twenty of one
-- account and kind make room.
create or replace function conduct_api_1.session_open(p_hash bytea, p_kind text, p_account bytea,
	p_sealed bytea, p_origin text, p_seconds integer, p_from bytea)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_ends timestamptz := v_now + least(greatest(p_seconds, 1) * interval '1 second',
		conduct_api_1.session_life(p_kind));
begin
	-- Under the lock of its code: a second try of it comes before or after, never between.
	if p_kind = 'bearer' then
		perform from conduct.session s
		where s.session_hash = p_from and s.kind = 'code' and s.id_ix = p_account and s.origin = p_origin
			and s.used_at is not null
		for update;
		if not found then
			return conduct_api_1.session_refusal();
		end if;
	end if;
	delete from conduct.session s where p_kind = 'cookie' and s.session_hash = p_from and s.kind = 'cookie';
	insert into conduct.session (session_hash, kind, id_ix, sealed, origin, code_hash, made_at, expires_at,
		ends_at)
	values (p_hash, p_kind, p_account, p_sealed, p_origin, case p_kind when 'bearer' then p_from end, v_now,
		conduct_api_1.session_idle_end(p_kind, v_now, v_ends), v_ends);
	delete from conduct.session s
	where s.session_hash in (
		select o.session_hash from conduct.session o
		where o.id_ix = p_account and o.kind = p_kind order by o.made_at desc, o.session_hash offset 20);
	return row(201, jsonb_build_object('seconds', extract(epoch from v_ends - v_now)::integer,
		'ends_at', conduct_api_1.time_text(v_ends)), null, null)::conduct_api_1.answer;
end
$$;

-- What a living session seals. Use is noted twice a minute at most: not every read has to write, and
-- requests side by side do not wait for each other.
create or replace function conduct_api_1.session_find(p_hash bytea, p_kind text, p_origin text)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_session conduct.session;
	v_expires timestamptz;
begin
	select * into v_session from conduct.session s
	where s.session_hash = p_hash and s.kind = p_kind and s.kind <> 'code'
		and s.origin is not distinct from p_origin and v_now < s.expires_at;
	if v_session.session_hash is null then
		return conduct_api_1.session_refusal();
	end if;
	v_expires := conduct_api_1.session_idle_end(v_session.kind, v_now, v_session.ends_at);
	if v_expires > v_session.expires_at + interval '30 seconds' then
		update conduct.session s set expires_at = v_expires
		where s.session_hash = (select o.session_hash from conduct.session o where o.session_hash = p_hash
			for update skip locked);
	end if;
	return row(200, jsonb_build_object('sealed', encode(v_session.sealed, 'hex')), null,
		null)::conduct_api_1.answer;
end
$$;

-- Takes a code, once and by the page it was made for. Anything else burns it, and ends what it was
-- exchanged for: it is in two hands.
create or replace function conduct_api_1.session_take_code(p_hash bytea, p_origin text)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_session conduct.session;
begin
	update conduct.session s set used_at = v_now
	where s.session_hash = p_hash and s.kind = 'code' and s.origin = p_origin and s.used_at is null
		and v_now < s.expires_at
	returning * into v_session;
	if v_session.session_hash is null then
		delete from conduct.session s
		where (s.session_hash = p_hash and s.kind = 'code') or s.code_hash = p_hash;
		return conduct_api_1.session_refusal();
	end if;
	return row(200, jsonb_build_object('sealed', encode(v_session.sealed, 'hex')), null,
		null)::conduct_api_1.answer;
end
$$;

-- Ends a session, or with a cookie's every one of its account. One that is not there has ended already.
create or replace function conduct_api_1.session_close(p_hash bytea, p_is_everywhere boolean)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_account bytea;
begin
	delete from conduct.session s where s.session_hash = p_hash and (s.kind = 'cookie' or not p_is_everywhere)
	returning s.id_ix into v_account;
	if p_is_everywhere then
		delete from conduct.session s where s.id_ix = v_account;
	end if;
	return row(204, null, null, null)::conduct_api_1.answer;
end
$$;

-- Forgets what has ended: sessions, bearers and codes an hour after it, so that a code that comes a second
-- time still ends its bearer; keys of requests after the day that they are kept; uploads that did not come
-- to their end within an hour; receipts that have said for long enough that they are erased. Up to p_limit
-- of each, none that somebody holds.
create or replace function conduct_api_1.sweep(p_limit integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_now timestamptz := conduct.clock();
	v_limit integer := least(greatest(p_limit, 1), 1000);
	v_sessions integer;
	v_keys integer;
	v_uploads integer;
	v_receipts integer;
begin
	delete from conduct.session s
	where s.session_hash in (
		select o.session_hash from conduct.session o
		where o.expires_at < v_now - interval '1 hour' limit v_limit for update skip locked);
	get diagnostics v_sessions = row_count;
	delete from conduct.idempotency i
	where i.scope in (
		select o.scope from conduct.idempotency o
		where o.at < v_now - interval '24 hours' limit v_limit for update skip locked);
	get diagnostics v_keys = row_count;
	-- Each may be of 160 rows.
	v_uploads := conduct_gate.forget_uploads(10);
	delete from conduct.erased_receipt e
	where e.receipt_hash in (
		select o.receipt_hash from conduct.erased_receipt o
		where o.until_at <= v_now limit v_limit for update skip locked);
	get diagnostics v_receipts = row_count;
	return row(200, jsonb_build_object('sessions', v_sessions, 'keys', v_keys, 'uploads', v_uploads,
		'receipts', v_receipts, 'is_more', greatest(v_sessions, v_keys, v_receipts) = v_limit
			or v_uploads = 10), null, null)::conduct_api_1.answer;
end
$$;

reset role;
