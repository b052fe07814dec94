// kill -9 under load: of each process of the daemon, of PostgreSQL's, and of the wait for a standby. What
// was acknowledged is in the database exactly once, what was not comes to one outcome with its key, and
// the daemon serves again within ten seconds.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import test, { after, before } from 'node:test';
import { sql } from '../harness/api.mjs';
import { Load } from './load.mjs';
import { Daemon, ask, isAlive, isFull, note, postgres, randomFrom, until, writeConfig } from './parts.mjs';

const BACK_MS = 10000;
const LIMIT_MS = 90000;
const seed = Number(process.env.CONDUCTD_SEED ?? randomInt(2 ** 31));
const choose = randomFrom(seed);
const n_before = 15;
const n_after = 10;
const load = new Load();
const n_killed = { processes: 0, postgres: 0 };
let daemon;

before(async () => {
	await postgres.start();
	daemon = new Daemon(writeConfig('kill'), { name: 'kill' }).start();
	await daemon.ready();
});

after(async () => {
	await daemon.kill();
	postgres.stop();
	note(`kill: seed ${seed}; ${n_killed.processes} processes of the daemon and ${n_killed.postgres} of PostgreSQL `
		+ `killed; ${load.reports.size} reports and ${load.acts.length} acts acknowledged, `
		+ `${load.n_retried} of them after a retry, ${load.n_unknown} answers "outcome unknown"`);
});

/** Until so many more writes were acknowledged. */
async function more(n) {
	const from = load.reports.size + load.acts.length;
	await until(() => `${n} more writes are acknowledged\n${daemon.tail()}`,
		() => load.wrong.length || load.reports.size + load.acts.length >= from + n, 30000);
}

/** One round: load, the fault, recovery within its time, load again; then everything is counted. */
async function round(name, fault) {
	load.start();
	try {
		await more(n_before + choose(n_before));
		const is_back = await fault();
		// PostgreSQL takes the time that it takes to read its log again.
		await until('PostgreSQL answers', () => ask('select 1'), 60000);
		const started = Date.now();
		await until(() => `${name} is back\n${daemon.tail()}`, is_back, BACK_MS);
		await daemon.ready(BACK_MS - (Date.now() - started));
		const took = Date.now() - started;
		await more(n_after);
		await load.stop();
		const counts = load.check();
		await load.checkReplays(choose, isFull ? 10 : 3);
		assert.deepEqual(load.check(), counts, 'a replay stored something');
		daemon.check();
		note(`kill: ${name}: back after ${took} ms; ${counts.reports} reports, ${counts.acts} acts, each there once`);
	} finally {
		load.is_over = true;
		await Promise.all(load.clients);
	}
}

const rounds = isFull ? 40 : 1;

for (let i = 1; i <= rounds; i++) {
	for (const name of ['web 1', 'web 2', 'worker', 'vault']) {
		test(`${name} is killed under load (${i})`, { timeout: LIMIT_MS }, async () => {
			await round(name, () => {
				const pid = daemon.children().get(name);
				assert.ok(pid, `there is no process ${name}`);
				process.kill(pid, 'SIGKILL');
				n_killed.processes++;
				return () => {
					const now = daemon.children().get(name);
					return now !== undefined && now !== pid;
				};
			});
		});
	}

	test(`the parent is killed under load: its children die with it (${i})`, { timeout: LIMIT_MS }, async () => {
		await round('parent', async () => {
			const children = daemon.children();
			assert.deepEqual([...children.keys()].sort(), ['vault', 'web 1', 'web 2', 'worker']);
			await daemon.kill();
			n_killed.processes++;
			await until('the children are gone', () => ![...children.values()].some(isAlive));
			daemon.check();
			daemon = new Daemon(daemon.config, { name: 'kill' }).start();
			return () => daemon.children().size === 4;
		});
	});

	test(`every backend of the daemon is told to end under load (${i})`, { timeout: LIMIT_MS }, async () => {
		await round('backends', () => {
			const [[n]] = sql(`select count(pg_terminate_backend(pid)) from pg_stat_activity
				where application_name like 'conductd %'`);
			assert.ok(Number(n) > 8, `${n} backends were ended`);
			return () => true;
		});
	});

	test(`a backend of the daemon is killed under load (${i})`, { timeout: LIMIT_MS }, async () => {
		await round('backend', async () => {
			const pids = sql(`select pid from pg_stat_activity where application_name = 'conductd web'
				and datname is not null`);
			const pid = Number(pids[choose(pids.length)][0]);
			process.kill(pid, 'SIGKILL');
			n_killed.postgres++;
			await until('PostgreSQL has noticed it', async () => (await ask(`select 1 from pg_stat_activity
				where pid = ${pid}`))?.length !== 1);
			return () => true;
		});
	});

	test(`the postmaster is killed under load (${i})`, { timeout: LIMIT_MS }, async () => {
		await round('postmaster', async () => {
			await postgres.kill();
			n_killed.postgres++;
			await postgres.start();
			return () => true;
		});
	});
}

test('the wait for a standby is cancelled: nothing is acknowledged, and the keys resolve it', { timeout: LIMIT_MS }, async () => {
	load.start();
	try {
		await more(n_before);
		// Nobody has this name: from now on every commit is written here and waits for ever.
		sql("alter system set synchronous_standby_names = 'nobody'");
		sql('select pg_reload_conf()');
		const waiting = () => sql(`select pid from pg_stat_activity where wait_event = 'SyncRep'
			and application_name = 'conductd web'`);
		await until('a commit waits for the standby', () => waiting().length > 0);
		const closed = Date.now();
		const n_unknown = load.n_unknown;
		const early = () => [...load.reports.values(), ...load.acts].filter(one => one.sent > closed && one.answered < opened);
		let opened = Infinity;
		let n_cancelled = 0;
		await until('commits were cancelled and answered', () => {
			n_cancelled += Number(sql(`select count(*) filter (where pg_cancel_backend(pid)) from pg_stat_activity
				where wait_event = 'SyncRep'`)[0][0]);
			return early().length || (n_cancelled >= (isFull ? 100 : 10) && load.n_unknown >= n_unknown + 5);
		});
		opened = Date.now();
		sql('alter system reset synchronous_standby_names');
		sql('select pg_reload_conf()');
		await daemon.ready();
		await more(n_after);
		await load.stop();
		assert.equal(early().length, 0, 'writes were acknowledged while no standby had them');
		const counts = load.check();
		note(`kill: wait for a standby: ${n_cancelled} waits cancelled, ${load.n_unknown - n_unknown} answers `
			+ `"outcome unknown", 0 acknowledged; ${counts.reports} reports, ${counts.acts} acts, each there once`);
	} finally {
		load.is_over = true;
		sql('alter system reset synchronous_standby_names');
		sql('select pg_reload_conf()');
	}
});

test('it stops in order after all that', { timeout: LIMIT_MS }, async () => {
	await daemon.stop();
});
