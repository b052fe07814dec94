// The audit log's sequencer beside a database that does not store what it was given.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Daemon, Deployment, conninfo, sql, until } from './daemon.mjs';

let deployment;
let daemon;

before(async () => {
	deployment = await Deployment.make('log');
	daemon = await Daemon.start(deployment);
});

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

/** The root of RFC 9162 over the leaves, as it is defined. */
function rootOf(leaves) {
	if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]);
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	return sha256(Buffer.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

const pending = () => sql('log', `insert into conduct.audit_pending (at, event, payload)
	select now(), 'case.read', '' from generate_series(1, 3)`);
const size = () => Number(sql('log', 'select coalesce(max(size), 0) from conduct.audit_checkpoint'));

test('what is signed was read back: it is what is stored, and not what was sent', async () => {
	pending();
	await until('a first checkpoint', () => size() >= 3);
	sql('log', `create function public.store_another() returns trigger language plpgsql as $$ begin
			new.leaf := set_byte(new.leaf, 9, get_byte(new.leaf, 9) # 1); return new; end $$;
		create trigger zz_another before insert on conduct.audit_leaf for each row execute function public.store_another();
		alter table conduct.audit_leaf enable always trigger zz_another`);
	const before = size();
	pending();
	await until('another checkpoint', () => size() > before);
	const [at, root] = sql('log', "select size, encode(root, 'hex') from conduct.audit_checkpoint order by size desc limit 1").split('|');
	const leaves = sql('log', `select encode(leaf, 'hex') from conduct.audit_leaf where leaf_index < ${at} order by leaf_index`)
		.split('\n').map(line => Buffer.from(line, 'hex'));
	assert.equal(leaves.length, Number(at));
	assert.equal(rootOf(leaves).toString('hex'), root, 'the signed root is not that of the stored leaves');
});

test('what a host has seen is read before the database is asked, and can only be less', async () => {
	await until('the first one leads', async () => await daemon.metric('conductd_leader') === 1);
	const twin = await deployment.twin();
	twin.write({ jobs: 'audit: 5s' });
	const head = `${deployment.dir}/twin.head`;
	writeFileSync(twin.file, readFileSync(twin.file, 'utf8').replace('/log.head', '/twin.head'));
	writeFileSync(head, readFileSync(`${deployment.dir}/log.head`));
	const hold = spawn('psql', ['-XqAt', '-d', conninfo('log'), '-c', `set application_name = 'log test'; begin;
		lock table conduct.audit_log in access exclusive mode; select pg_sleep(600)`], { stdio: 'ignore' });
	const ended = new Promise(done => hold.on('close', done));
	await until('the lock is held', () => sql('log', `select count(*) from pg_locks l join pg_stat_activity a using (pid)
		where l.granted and l.relation = 'conduct.audit_log'::regclass and a.application_name = 'log test'`) !== '0');
	const second = await Daemon.start(twin, { ready: false });
	try {
		// Of those that wait it is the one that came after the lock.
		await until('the second one asks where the log stands', () => sql('log', `select count(*)
			from pg_locks l join pg_stat_activity a using (pid) where not l.granted and l.relation = 'conduct.audit_log'::regclass
			and a.backend_start > (select h.backend_start from pg_stat_activity h where h.application_name = 'log test')`) !== '0');
		// What it reads from now on would be newer than what it asked for.
		rmSync(head);
		writeFileSync(head, 'of later');
		sql('log', "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'log test'");
		await ended;
		await until('it has looked', async () => await second.metric('conductd_job_runs_total{job="follow"}') > 0);
		assert.deepEqual(second.messages(/^the audit log /).map(line => line.message), []);
	} finally {
		await second.stop();
	}
});
