// Two servers: what is acknowledged is on both. The wait for the standby is cancelled, cut off, and without
// end; the primary dies and comes back as if nothing had been; a database of yesterday takes its place.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { call, reportBody, sql } from '../harness/api.mjs';
import { Load } from './load.mjs';
import { Daemon, Server, conductctl, conductctlLater, get, isFull, note, postgres, randomFrom, readMetrics, readyz, run, stack, until, writeConfig } from './parts.mjs';
import { copy, follow, ports, require, rewind, rowsOf, setUp, standby, tearDown } from './standby.mjs';

const BACK_MS = 30000;
const limit = { timeout: isFull ? 900000 : 120000 };
const seed = Number(process.env.CONDUCTD_SEED ?? randomInt(2 ** 31));
const choose = randomFrom(seed);
const n_cut = isFull ? 100 : 6;
const n_more = isFull ? 100 : 10;
const yesterday = new Server(`${stack}/yesterday`);
const head = `${stack}/private/log.head`;
const lost = `${head}.lost`;
const load = new Load();
let daemon, config;

before(async () => {
	await postgres.start();
	config = setUp('standby');
	// pg_rewind reads back to the last checkpoint before the histories part.
	rowsOf('primary', "alter system set wal_keep_size = '1GB'");
	rowsOf('primary', 'select pg_reload_conf()');
	copy('primary', yesterday.data);
	await follow(standby, 'standby', 'primary');
	await require('primary');
	daemon = new Daemon(config, { name: 'standby' }).start();
	await daemon.ready(BACK_MS);
	load.start();
});

after(async () => {
	load.is_over = true;
	await daemon?.kill();
	yesterday.stop('immediate');
	if (existsSync(lost)) {
		renameSync(lost, head);
	}
	rmSync(yesterday.data, { recursive: true, force: true });
	tearDown();
	note(`standby: seed ${seed}; ${load.reports.size} reports and ${load.acts.length} acts acknowledged, `
		+ `${load.n_unknown} answers "outcome unknown"`);
});

const acknowledged = () => [...load.reports.values(), ...load.acts];
const count = () => acknowledged().length;

async function more(n = n_more, ms = BACK_MS) {
	const from = count();
	await until(() => `${n} more writes are acknowledged\n${daemon.tail()}`,
		() => load.wrong.length || count() >= from + n, ms);
	assert.deepEqual(load.wrong, []);
}

/** What was sent after `closed` and acknowledged by now: while no standby takes anything, nothing may be. */
const early = closed => acknowledged().filter(write => write.sent > closed).length;

for (const [name, end] of [['cancelled', 'pg_cancel_backend'], ['cut off', 'pg_terminate_backend']]) {
	test(`waits for the standby are ${name}: nothing of them is acknowledged`, limit, async () => {
		await more();
		// It still writes down what it gets, and applies nothing.
		rowsOf('standby', 'select pg_wal_replay_pause()');
		await until('nothing is applied', () => rowsOf('standby', 'select pg_get_wal_replay_pause_state()')[0][0] === 'paused');
		const closed = Date.now();
		const n_unknown = load.n_unknown;
		let n = 0;
		await until(() => `${n} waits were ended\n${daemon.tail()}`, () => {
			n += Number(rowsOf('primary', `select count(*) filter (where ${end}(pid)) from pg_stat_activity
				where wait_event = 'SyncRep' and application_name like 'conductd %'`)[0][0]);
			return early(closed) || (n >= n_cut && load.n_unknown > n_unknown);
		}, isFull ? 600000 : 60000);
		assert.equal(early(closed), 0, 'writes were acknowledged that no standby had applied');
		const n_answers = load.n_unknown - n_unknown;
		// What a terminal is told as done has been applied as well, also where there was nothing left to do.
		let told;
		const telling = conductctlLater('-c', config, 'demo', 'grants').then(answer => { told = answer; });
		await until('conductctl waits', () => {
			assert.equal(told, undefined, 'it has told before the standby had it');
			return rowsOf('primary', "select 1 from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'conductctl'").length > 0;
		});
		rowsOf('standby', 'select pg_wal_replay_resume()');
		await telling;
		assert.equal(told.status, 0, told.stderr);
		await daemon.ready(BACK_MS);
		await more();
		note(`standby: ${n} waits ${name}, ${n_answers} answers "outcome unknown", 0 acknowledged`);
	});
}

test('a standby is lost: writes answer 503, reading goes on, and its return ends it', limit, async () => {
	standby.stop('immediate');
	const closed = Date.now();
	const n_unknown = load.n_unknown;
	await until(() => `waits come to their end\n${daemon.tail()}`, () => early(closed) || load.n_unknown > n_unknown, BACK_MS);
	assert.equal(early(closed), 0, 'writes were acknowledged that no standby has');
	assert.equal((await get('/v1/policy')).status, 200);
	assert.ok(Number(rowsOf('primary', `select count(*) from pg_stat_activity where wait_event = 'SyncRep'`)[0][0]) > 0,
		'nobody cancels a commit');
	// A terminal waits as long as its user does, and is told.
	const said = conductctlLater('-c', config, 'demo', 'clock', '+1s');
	await until('its commit waits and is cancelled', () => Number(rowsOf('primary', `select count(*) filter (where pg_cancel_backend(pid))
		from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'conductctl'`)[0][0]) > 0);
	const { status, stderr } = await said;
	assert.equal(status, 1);
	assert.match(stderr, /no standby has confirmed it/);
	await standby.start();
	const started = Date.now();
	await more();
	note(`standby: lost and back: serves ${Date.now() - started} ms after its return`);
});

test('the primary is lost: the standby that is promoted has all that was acknowledged', limit, async () => {
	await more();
	await postgres.kill();
	assert.equal(run('/usr/lib/postgresql/15/bin/pg_ctl', ['-D', standby.data, '-w', 'promote'], { stdio: 'ignore' }).status, 0);
	const promoted = Date.now();
	await daemon.ready(BACK_MS);
	await more();
	assert.ok(Date.now() - promoted < BACK_MS);
	note(`standby: promoted, serves after ${Date.now() - promoted} ms`);
	await load.stop();
	note(`standby: after the failover ${JSON.stringify(load.check())}, each there once`);
});

test('an old primary that comes back gets no call', limit, async () => {
	await postgres.start();
	assert.equal(rowsOf('primary', 'select pg_is_in_recovery()')[0][0], 'f');
	const since = daemon.lines().length;
	const [[written]] = rowsOf('primary', 'select count(*) from conduct.report');
	// It is the first that is asked when sessions are opened again.
	rowsOf('standby', "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'conductd %'");
	await daemon.heard(/^database: the server gets no call$/, since);
	await until('/readyz names it', async () => (await readyz()).body?.checks
		.some(check => check.name === 'database' && !check.ok && /an old primary, of before a failover/.test(check.detail)));
	const answer = await call('reporter', 'POST', '/v1/reports', { body: reportBody() });
	assert.equal(answer.status, 503, answer.text);
	assert.equal(rowsOf('primary', 'select count(*) from conduct.report')[0][0], written);
	postgres.stop();
	await daemon.ready(BACK_MS);
	load.start();
	await more();
});

test('rewound, it follows the new primary, and no history is split', limit, async () => {
	await rewind();
	await require('standby');
	await more();
	await load.stop();
	const counts = load.check();
	await load.checkReplays(choose, isFull ? 50 : 5);
	assert.deepEqual(load.check(), counts, 'a replay stored something');
	for (const text of ['select count(*), md5(string_agg(report_id::text, \',\' order by report_id)) from conduct.report',
		'select count(*), md5(string_agg(e::text, \',\' order by proceeding_id, seq)) from conduct.event e']) {
		assert.deepEqual(rowsOf('primary', text), rowsOf('standby', text));
	}
	await until('the log is whole', () => sql('select 1 from conduct.audit_pending limit 1').length === 0);
	const bundle = `${stack}/private/standby.bundle`;
	rmSync(bundle, { force: true });
	assert.equal(conductctl('-c', config, 'audit', 'export', '--out', bundle).status, 0);
	const verified = conductctl('-c', config, 'audit', 'verify', bundle);
	assert.equal(verified.status, 0, verified.stdout);
	daemon.check();
	note(`standby: at the end ${JSON.stringify(counts)}, each there once, on both; ${verified.stdout.trim().split('\n').at(-1)}`);
	await daemon.stop();
});

test('a server that only reads gets no call', limit, async () => {
	await daemon.kill();
	daemon = new Daemon(writeConfig('reads', text => text.replaceAll(`${ports.primary},${ports.standby}`, `${ports.primary}`)
		.replaceAll('host=127.0.0.1,127.0.0.1', 'host=127.0.0.1').replaceAll(' target_session_attrs=read-write', '')),
	{ name: 'reads' }).start();
	await until('/readyz names it', async () => (await readyz()).body?.checks
		?.some(check => check.name === 'database' && /a standby or read-only: name all hosts/.test(check.detail)));
	await daemon.kill();
	daemon.check();
});

test('a database older than the head file: the log stops, reports are taken, and the answer is named', limit, async () => {
	const seen = readFileSync(head, 'utf8');
	await daemon.kill();
	postgres.stop();
	standby.stop();
	await yesterday.start();
	daemon = new Daemon(config, { name: 'yesterday' }).start();
	await until(() => `/readyz names it, and reports are taken\n${daemon.tail()}`, async () => {
		const checks = (await readyz()).body?.checks ?? [];
		return checks.some(check => check.name === 'web' && check.ok) && checks.some(check => check.name === 'log' && !check.ok
			&& /data was lost; restore what is newer or, .* `conductctl audit adopt`/.test(check.detail));
	});
	const size = () => sql('select count(*) from conduct.audit_leaf')[0][0];
	const before = size();
	const answer = await call('reporter', 'POST', '/v1/reports', { body: reportBody() });
	assert.equal(answer.status, 201, answer.text);
	assert.ok(Number(sql('select count(*) from conduct.audit_pending')[0][0]) > 0);
	assert.equal(size(), before, 'nothing gets a number');
	assert.equal(readFileSync(head, 'utf8'), seen);
	const alarm = await readMetrics();
	assert.equal(alarm.get('conductd_audit_in_order'), 0);
	assert.ok(alarm.get('conductd_audit_failures_total') > 0);
	// What is lost is lost: the host is told to go on from what there is.
	renameSync(head, lost);
	assert.match(conductctl('-c', config, 'audit', 'adopt').stdout, /^adopted the first \d+ entries/);
	await daemon.ready(BACK_MS);
	assert.ok(existsSync(head));
	await daemon.stop();
});
