// Two hosts on one database: each keeps a head file of its own, one of them leads, and whoever was replaced,
// killed or asleep writes nothing. The sequencer dies at each point between a number and its publication.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { call, reportBody, sql } from '../harness/api.mjs';
import { readKey, verifyBundle } from '../harness/audit.mjs';
import { Daemon, ask, conductctl, get, isFull, note, port, postgres, readyz, stack, until, writeConfig } from './parts.mjs';

const limit = { timeout: 240000 };
const ops = new URL(`http://127.0.0.1:${port + 11}`);
const heads = [`${stack}/private/log.head`, `${stack}/private/log.second.head`];
const hosts = [];
let configs;

before(async () => {
	await postgres.start();
	rmSync(heads[1], { force: true });
	configs = [writeConfig('first', text => text, 'processes: {web: 1, drain: 5s}\njobs: {audit: 1s}\n'),
		writeConfig('second', text => text.replace(/^listen: .*$/m, `listen: ["127.0.0.1:${port + 10}"]`)
			.replace(/^ops_listen: .*$/m, `ops_listen: "127.0.0.1:${port + 11}"`).replace(heads[0], heads[1]),
		'processes: {web: 1, drain: 5s}\njobs: {audit: 1s}\n')];
	hosts.push(new Daemon(configs[0], { name: 'first' }).start());
	await hosts[0].ready();
	await hosts[0].heard(/^this worker leads$/);
	await report();
	await signed();
});

after(async () => {
	for (const host of hosts) {
		await host.kill();
	}
	postgres.stop();
});

/** Every report is acknowledged by the host whose port it is. */
async function report() {
	const answer = await call('reporter', 'POST', '/v1/reports', { body: reportBody() });
	assert.equal(answer.status, 201, answer.text);
}

const sizeOf = path => Number(readFileSync(path, 'utf8').split('\n')[2]);
const published = () => Number(sql('select coalesce(max(size), 0) from conduct.audit_checkpoint')[0][0]);
const epoch = () => Number(sql('select epoch from conduct.audit_log')[0][0]);
const tails = () => hosts.map(host => host.tail(8)).join('\n--\n');

/** Until all that was written is signed and published; its size. */
async function signed() {
	return until(() => `everything is signed\n${tails()}`, () => {
		const [[pending, size]] = sql('select (select count(*) from conduct.audit_pending), (select count(*) from conduct.audit_leaf)');
		return pending === '0' && published() === Number(size) && Number(size);
	}, 20000);
}

async function inOrder(url, name = 'log') {
	await until(() => `${name} is in order\n${tails()}`, async () =>
		(await readyz(url)).body?.checks?.find(check => check.name === name)?.ok, 15000);
}

/** Both verifiers go through the whole log and every checkpoint there ever was. */
async function verify() {
	const bundle = `${stack}/private/hosts.bundle`;
	rmSync(bundle, { force: true });
	assert.equal(conductctl('-c', configs[0], 'audit', 'export', '--out', bundle).status, 0);
	const own = conductctl('-c', configs[0], 'audit', 'verify', bundle);
	assert.equal(own.status, 0, own.stdout);
	const key = conductctl('-c', configs[0], 'audit', 'key').stdout.trim();
	assert.ok(readKey(key));
	const other = await verifyBundle(bundle, [key]);
	assert.deepEqual(other.faults, []);
	return other;
}

const leader = () => hosts.find(host => host.children().get('worker') === leaderPid());
const leaderPid = () => Math.max(...hosts.map(host => host.lines().filter(line => line.message === 'this worker leads').at(-1))
	.filter(Boolean).sort((a, b) => a['@timestamp'] < b['@timestamp'] ? -1 : 1).slice(-1).map(line => line['process.pid']));

test('a host without a head file follows when it is told to, and keeps its own', limit, async () => {
	hosts.push(new Daemon(configs[1], { name: 'second' }).start());
	await until(() => `/readyz says what to do\n${tails()}`, async () => /conductctl audit adopt/.test((await readyz(ops)).body?.checks
		?.find(check => check.name === 'log' && !check.ok)?.detail), 15000);
	assert.match(conductctl('-c', configs[1], 'audit', 'adopt').stdout, /^adopted the first \d+ entries/);
	await inOrder(ops);
	const before = sizeOf(heads[1]);
	await report();
	const size = await signed();
	assert.ok(size > before);
	await until('it has seen the new head', () => sizeOf(heads[1]) === size);
	assert.equal(readFileSync(heads[1], 'utf8'), readFileSync(heads[0], 'utf8'));
	// What it tells of the log is what the leader tells.
	for (const url of [undefined, ops]) {
		const { text } = await get('/metrics', { url: url ?? new URL(`http://127.0.0.1:${port + 1}`) });
		assert.match(text, /^conductd_audit_in_order 1$/m);
		assert.match(text, /^conductd_audit_entries [1-9]/m);
	}
});

test('the leading host dies: the other takes over, fences it off, and extends what it has seen itself', limit, async () => {
	const before = epoch();
	const old = sizeOf(heads[1]);
	const since = Date.now();
	await hosts[0].kill();
	await hosts[1].heard(/^this worker leads$/, 0, 15000);
	const took = Date.now() - since;
	hosts[0] = new Daemon(configs[0], { name: 'first' }).start();
	await hosts[0].ready();
	await report();
	const size = await signed();
	assert.ok(size > old && epoch() > before);
	assert.ok(!hosts[0].said(/^this worker leads$/));
	await until('each has its own head', () => heads.every(path => sizeOf(path) === size));
	await verify();
	note(`hosts: the other leads ${took} ms after the leader's death`);
});

test('a leader that sleeps is replaced, and writes nothing when it wakes', limit, async () => {
	const asleep = leader();
	const pid = leaderPid();
	const other = hosts.find(host => host !== asleep);
	const since = other.lines().length;
	// Its parent sleeps as well: a host that stands still.
	process.kill(asleep.pid, 'SIGSTOP');
	process.kill(pid, 'SIGSTOP');
	try {
		const started = Date.now();
		if (!isFull) {
			// The server would wait half a minute for it.
			sql(`select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)
				where l.locktype = 'advisory' and a.application_name = 'conductd worker'`);
		}
		await other.heard(/^this worker leads$/, since, 60000);
		note(`hosts: a leader asleep is replaced after ${Date.now() - started} ms`);
		const web = other === hosts[0] ? undefined : new URL(`http://127.0.0.1:${port + 10}`);
		const answer = await call('reporter', 'POST', '/v1/reports', { body: reportBody(), url: web });
		assert.equal(answer.status, 201, answer.text);
		await signed();
	} finally {
		process.kill(asleep.pid, 'SIGCONT');
	}
	const [now, size, head] = [epoch(), published(), readFileSync(heads[hosts.indexOf(asleep)], 'utf8')];
	assert.ok(sizeOf(heads[hosts.indexOf(other)]) > sizeOf(heads[hosts.indexOf(asleep)]));
	const at = asleep.lines().length;
	process.kill(pid, 'SIGCONT');
	await asleep.heard(/^(database: connection lost|the lead is in doubt and asked for again)$/, at, 15000);
	assert.equal(epoch(), now, 'nobody else has begun');
	assert.ok(published() >= size);
	assert.notEqual(head, '');
	await until('it follows', () => sizeOf(heads[hosts.indexOf(asleep)]) === published());
	await report();
	await signed();
	await verify();
});

// Where the sequencer dies: what runs in the database while it does, and what comes of that.
const points = [
	['the leaves are there, their hashes are not', 'audit_node', "return null"],
	['the head file has the new head, the database does not', 'audit_checkpoint',
		"raise exception 'not published'"],
	['the database has published the head, the sequencer does not know', 'audit_checkpoint', 'return null'],
];

for (const [name, table, then] of points) {
	test(`the sequencer is killed where ${name}`, limit, async () => {
		await inOrder(leader() === hosts[0] ? undefined : ops);
		sql(`create function public.hold() returns trigger language plpgsql as
				'begin perform pg_sleep(1); ${then.replaceAll("'", "''")}; end';
			grant execute on function public.hold() to public;
			create trigger hold after insert on conduct.${table} for each statement execute function public.hold();
			alter table conduct.${table} enable always trigger hold`);
		const pid = leaderPid();
		try {
			await report();
			await until(() => `the sequencer is there\n${tails()}`, async () => Number((await ask(`select count(*) from pg_stat_activity
				where application_name = 'conductd worker' and wait_event = 'PgSleep'`))?.[0]?.[0]) > 0, 15000);
			process.kill(pid, 'SIGKILL');
			await until('what it asked for has ended', async () => Number((await ask(`select count(*) from pg_stat_activity
				where application_name = 'conductd worker' and wait_event = 'PgSleep'`))?.[0]?.[0]) === 0, 15000);
		} finally {
			sql('drop function public.hold() cascade');
		}
		await until(() => `somebody leads\n${tails()}`, () => leaderPid() !== pid, 15000);
		await report();
		const size = await signed();
		for (const url of [undefined, ops]) {
			await inOrder(url);
		}
		await until('both have seen it', () => heads.every(path => sizeOf(path) === size));
		await verify();
	});
}

test('both end in order', limit, async () => {
	for (const host of hosts) {
		await host.stop();
	}
	const { size, checkpoints } = await verify();
	note(`hosts: ${size} entries and ${checkpoints.length} heads of both hosts, one history`);
});
