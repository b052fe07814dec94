-- After every function is in place: nobody creates in the schema, and each login role may call its own
-- functions and nothing else. An API function is known by its owner and by security definer.

revoke create on schema conduct_api_1 from conduct_handler, conduct_party, conduct_intake, conduct_timer,
	conduct_stats, conduct_admin;

do $$
declare
	v_function record;
begin
	-- Helpers run as the audience that calls them.
	for v_function in
		select p.oid::regprocedure as signature from pg_catalog.pg_proc p
		where p.pronamespace = 'conduct_api_1'::regnamespace and not p.prosecdef
	loop
		execute format('grant execute on function %s to conduct_handler, conduct_party, conduct_intake,
			conduct_timer, conduct_stats, conduct_admin', v_function.signature);
	end loop;
	for v_function in
		select p.oid::regprocedure as signature, p.proname as name, p.proowner::regrole::text as owner,
			case when p.proname in ('publish_policy', 'person_seen', 'timer_run', 'lookup_next',
				'lookup_done', 'snapshot_next', 'snapshot_told', 'snapshot_keep', 'sweep', 'audit_begin',
				'audit_sequence', 'audit_leaves', 'audit_keep', 'audit_publish', 'vault_report',
				'rotation_next', 'rotation_done', 'alarm', 'retention_run')
				then array['conduct_worker']
				when p.proname in ('readiness', 'policy_current', 'audit_nodes')
					then array['conduct_web', 'conduct_worker']
				when p.proname in ('grant_bootstrap', 'route_show') then array['conduct_migrate']
				else array['conduct_web'] end as callers
		from pg_catalog.pg_proc p
		where p.pronamespace = 'conduct_api_1'::regnamespace and p.prosecdef
	loop
		-- Where functions are replaced, what helpers were granted has reached these too.
		execute format('revoke execute on function %s from %s', v_function.signature, (
			select string_agg(a.name, ', ') from unnest(array['conduct_handler', 'conduct_party',
				'conduct_intake', 'conduct_timer', 'conduct_stats', 'conduct_admin']) a (name)
			where a.name <> v_function.owner));
		execute format('grant execute on function %s to %s', v_function.signature,
			array_to_string(v_function.callers, ', '));
	end loop;
end
$$;
