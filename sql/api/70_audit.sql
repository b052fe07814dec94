-- The log: one sequencer numbers what is pending, reads it back to be hashed, and publishes the signed
-- head; everybody may ask for heads and for the hashes that proofs are made of.

set role conduct_timer;

-- The fence: whoever has been replaced writes nothing any more. Its row is what sequencers wait for.
create or replace function conduct_api_1.audit_fence(p_epoch bigint) returns void
language plpgsql volatile
as $$
begin
	perform from conduct.audit_log l where l.epoch = p_epoch for update;
	if not found then
		perform conduct_api_1.refuse(409, 'conduct-audit-fenced');
	end if;
end
$$;

create or replace function conduct_api_1.audit_size() returns bigint
language plpgsql stable
as $$
begin
	return coalesce((select l.leaf_index + 1 from conduct.audit_leaf l order by l.leaf_index desc limit 1), 0);
end
$$;

-- What a worker needs to know of the log, and what it tells its operator: how much is pending (10,000 at
-- most is counted), since when, and how old the newest head is. With p_is_leader it becomes the sequencer, and whoever was it
-- before is fenced off.
create or replace function conduct_api_1.audit_begin(p_is_leader boolean)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_log conduct.audit_log;
	v_head conduct.audit_checkpoint;
	v_now timestamptz := conduct.clock();
	v_pending bigint;
	v_since timestamptz;
begin
	if p_is_leader then
		update conduct.audit_log l set epoch = l.epoch + 1 returning * into v_log;
	else
		select * into v_log from conduct.audit_log l;
	end if;
	select * into v_head from conduct.audit_checkpoint c order by c.size desc limit 1;
	select count(*), min(q.at) into v_pending, v_since
	from (select p.at from conduct.audit_pending p order by p.pending_id limit 10000) q;
	return row(200, jsonb_build_object('origin', v_log.origin, 'epoch', v_log.epoch,
		'size', conduct_api_1.audit_size(), 'note', v_head.note, 'pending', v_pending,
		'pending_age', case when v_since is not null then greatest(extract(epoch from v_now - v_since)::bigint, 0) end,
		'head_age', case when v_head.size is not null
			then greatest(extract(epoch from v_now - v_head.made_at)::bigint, 0) end), '{}'::uuid[],
		'{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- Gives up to p_limit pending entries their numbers: the next ones, in one transaction with the removal
-- from what is pending. `age`: of the oldest of them in ms, at most an hour.
create or replace function conduct_api_1.audit_sequence(p_epoch bigint, p_limit integer)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_size bigint;
	v_next bigint[];
	v_moved integer;
	v_since timestamptz;
begin
	perform conduct_api_1.audit_fence(p_epoch);
	v_size := conduct_api_1.audit_size();
	-- Not one statement with the removal: a table that is mostly empty is planned as an empty one, and each
	-- entry would be looked for among all of them.
	v_next := array(select q.pending_id from conduct.audit_pending q order by q.pending_id
		limit least(greatest(p_limit, 1), 1000));
	with taken as (
		delete from conduct.audit_pending p where p.pending_id = any (v_next) returning p.*),
	submitted as (
		select s.* from conduct_gate.audit_submitted((select array_agg(t.case_id) from taken t
			where t.event = 'case.submit')) s),
	placed as (
		select w.* from conduct_gate.audit_placed(array(select i from taken t, unnest(t.row_ids) i
			where t.event = 'content.insert')) w),
	numbered as materialized (
		select t.*, t.payload || coalesce(s.payload, w.payload, '') as whole,
			v_size + row_number() over (order by t.pending_id) - 1 as leaf_index,
			uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as salt
		from taken t left join submitted s on s.case_id = t.case_id and t.event = 'case.submit'
		left join placed w on w.unit_id = t.unit_id and t.event = 'content.insert'),
	a_leaf as (
		insert into conduct.audit_leaf (leaf_index, leaf)
		select n.leaf_index, conduct_gate.audit_leaf_bytes(n.at, n.event, n.actor, n.case_pseudonym, n.row_ids,
			n.row_hashes, sha256(n.salt || convert_to(n.whole, 'UTF8')))
		from numbered n),
	a_payload as (
		insert into conduct.audit_payload (leaf_index, case_id, unit_id, salt, payload)
		select n.leaf_index, n.case_id, n.unit_id, n.salt, n.whole from numbered n)
	select count(*), min(n.at) into v_moved, v_since from numbered n;
	return row(200, jsonb_build_object('moved', v_moved, 'size', v_size + v_moved, 'age',
		greatest(least(coalesce(extract(epoch from conduct.clock() - v_since), 0) * 1000, 3600000), 0)::integer),
		'{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- Leaves as they are stored, from p_from on.
create or replace function conduct_api_1.audit_leaves(p_from bigint, p_limit integer)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_leaves bytea[];
begin
	select coalesce(array_agg(x.leaf order by x.leaf_index), '{}') into v_leaves
	from (select l.leaf_index, l.leaf from conduct.audit_leaf l
		where l.leaf_index >= p_from and l.leaf_index < p_from + least(greatest(p_limit, 1), 1000)) x;
	return row(200, jsonb_build_object('from', p_from, 'size', conduct_api_1.audit_size()), '{}'::uuid[],
		v_leaves)::conduct_api_1.answer;
end
$$;

-- Hashes of complete subtrees: levels from 1 on, indexes, hashes. They are computed from the leaves alone, so that
-- those that are there already are the same ones.
create or replace function conduct_api_1.audit_keep(p_epoch bigint, p_nodes jsonb, p_hashes bytea[])
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_kept bigint;
begin
	perform conduct_api_1.audit_fence(p_epoch);
	-- The fence keeps everybody else out, so that what is not there stays so.
	insert into conduct.audit_node (level, node_index, hash)
	select (n.node ->> 0)::integer, (n.node ->> 1)::bigint, p_hashes[n.nth]
	from jsonb_array_elements(p_nodes) with ordinality n (node, nth)
	where not exists (select from conduct.audit_node o
		where o.level = (n.node ->> 0)::integer and o.node_index = (n.node ->> 1)::bigint offset 0);
	get diagnostics v_kept = row_count;
	-- Those that were there already are compared.
	if v_kept < jsonb_array_length(p_nodes) and exists (
		select from jsonb_array_elements(p_nodes) with ordinality n (node, nth)
		join conduct.audit_node o on o.level = (n.node ->> 0)::integer
			and o.node_index = (n.node ->> 1)::bigint and o.hash <> p_hashes[n.nth])
	then
		perform conduct_api_1.refuse(409, 'conduct-audit-diverged');
	end if;
	return row(200, '{}'::jsonb, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.audit_publish(p_epoch bigint, p_size bigint, p_root bytea, p_note text)
returns conduct_api_1.answer language plpgsql volatile security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
begin
	perform conduct_api_1.audit_fence(p_epoch);
	if p_size > conduct_api_1.audit_size()
		or p_size <= (select max(c.size) from conduct.audit_checkpoint c)
	then
		perform conduct_api_1.refuse(409, 'conduct-audit-diverged');
	end if;
	insert into conduct.audit_checkpoint (size, root, note, made_at)
	values (p_size, p_root, p_note, conduct.clock());
	return row(200, '{}'::jsonb, '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
set role conduct_stats;

-- Hashes of complete subtrees, in the order asked for; 404 where one is missing. Of one leaf (level 0) it is that
-- of the leaf (RFC 9162, 2.1.1), which has no row of its own.
create or replace function conduct_api_1.audit_nodes(p_nodes jsonb)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_hashes jsonb;
begin
	select coalesce(jsonb_agg(encode(h.hash, 'hex') order by h.nth) filter (where h.hash is not null), '[]')
	into v_hashes
	from (
		select n.nth, case when (n.node ->> 0)::integer = 0
			then (select sha256('\x00'::bytea || l.leaf) from conduct.audit_leaf l
				where l.leaf_index = (n.node ->> 1)::bigint)
			else (select o.hash from conduct.audit_node o where o.level = (n.node ->> 0)::integer
				and o.node_index = (n.node ->> 1)::bigint) end as hash
		from jsonb_array_elements(p_nodes) with ordinality n (node, nth)) h;
	if jsonb_array_length(v_hashes) <> jsonb_array_length(p_nodes) then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return row(200, jsonb_build_object('hashes', v_hashes), '{}'::uuid[], '{}'::bytea[])::conduct_api_1.answer;
end
$$;

create or replace function conduct_api_1.audit_checkpoint()
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_head conduct.audit_checkpoint;
begin
	select * into v_head from conduct.audit_checkpoint c order by c.size desc limit 1;
	if v_head.size is null then
		perform conduct_api_1.refuse(404, 'conduct-not-found');
	end if;
	return row(200, jsonb_build_object('note', v_head.note, 'size', v_head.size), '{}'::uuid[],
		'{}'::bytea[])::conduct_api_1.answer;
end
$$;

-- The log as auditor and ombud read it: entries, the newest first.
create or replace function conduct_api_1.audit_list(p_account bytea, p_limit integer, p_after jsonb)
returns conduct_api_1.answer language plpgsql stable security definer
set search_path = pg_catalog, conduct, pg_temp set conduct.actor = '' set conduct.case_id = ''
as $$
declare
	v_person uuid := conduct_gate.person_of(p_account);
	v_items jsonb;
	v_next jsonb;
begin
	if v_person is null or not (conduct_gate.has_role(v_person, 'auditor', null)
		or conduct_gate.has_role(v_person, 'ombud', null))
	then
		perform conduct_api_1.refuse(403, 'conduct-forbidden');
	end if;
	with page as (
		select l.leaf_index, l.leaf, row_number() over (order by l.leaf_index desc) as nth
		from conduct.audit_leaf l
		where l.leaf_index < coalesce((p_after ->> 0)::bigint, 9223372036854775807)
		order by l.leaf_index desc limit p_limit + 1)
	select coalesce(jsonb_agg(jsonb_build_object('index', g.leaf_index, 'leaf', encode(g.leaf, 'hex'))
			order by g.nth) filter (where g.nth <= p_limit), '[]'),
		case when count(*) > p_limit then jsonb_build_array(min(g.leaf_index) filter (where g.nth <= p_limit)) end
	into v_items, v_next from page g;
	return row(200, jsonb_build_object('items', v_items, 'next', v_next), '{}'::uuid[],
		'{}'::bytea[])::conduct_api_1.answer;
end
$$;

reset role;
