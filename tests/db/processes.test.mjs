// The processes of the daemon: started, killed, reloaded, drained, and the jobs that one of them runs.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { createConnection } from 'node:net';
import { after, before, test } from 'node:test';
import { Daemon, Deployment, conductd, conninfo, ctl, get, policy, sql, until } from './daemon.mjs';

let deployment;
let daemon;

before(async () => {
	deployment = await Deployment.make('processes');
	daemon = await Daemon.start(deployment);
});

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

const everybody = ['conductd: vault', 'conductd: web 1', 'conductd: web 2', 'conductd: worker'];

test('the table of processes is what ps shows', () => {
	assert.deepEqual(daemon.titles(), everybody);
	assert.equal(readFileSync(`/proc/${daemon.child.pid}/cmdline`, 'utf8').split('\0')[0], 'conductd: parent');
});

test('readiness names every check', async () => {
	const { status, checks } = await daemon.readiness();
	assert.equal(status, 200);
	assert.deepEqual(checks.map(check => check.name).sort(),
		['clock', 'database', 'deployment', 'index_key', 'keys', 'log', 'migrations', 'policy', 'triggers', 'vault', 'web']);
	assert.equal((await get(deployment.ops, '/healthz')).text, '{"status":"ok"}');
	const info = JSON.parse((await get(deployment.ops, '/_info')).text);
	assert.equal(info.contract, 1);
	assert.match(info.policy_version, /^[0-9a-f]{64}$/);
});

test('the worker publishes the policy and makes the demo people known', async () => {
	assert.equal(sql('processes', 'select count(*) from conduct.policy_set'), '1');
	const people = Object.keys(JSON.parse(readFileSync(`${deployment.dir}/demo-people.json`, 'utf8')).people);
	await until('everybody is known', () =>
		Number(sql('processes', 'select count(*) from conduct.person_account')) === people.length);
});

for (const title of ['vault', 'worker', 'web 1', 'web 2']) {
	test(`${title} is started again when it is killed`, async () => {
		const old = daemon.pid(title);
		const kind = title.split(' ')[0];
		const name = `conductd_process_restarts_total{process="${kind}"}`;
		const restarts = await daemon.metric(name);
		process.kill(old, 'SIGKILL');
		// A child has its parent's title for a moment.
		await until('there is another', () => {
			const now = daemon.pid(title);
			return now !== undefined && now !== old;
		});
		await daemon.ready();
		assert.deepEqual(daemon.titles(), everybody);
		assert.equal(await daemon.metric(name), restarts + 1);
	});
}

test('a web process that is killed loses no waiting connection', async () => {
	const version = () => get(deployment.port, '/v1/policy/versions').then(answer => answer.status, () => 'lost');
	process.kill(daemon.pid('web 1'), 'SIGSTOP');
	const old = daemon.pid('web 1');
	const asked = Array.from({ length: 16 }, version);
	// Some wait in the stopped process's queue; it dies before it has accepted them.
	process.kill(old, 'SIGKILL');
	assert.deepEqual(await Promise.all(asked), Array(16).fill(200));
	await daemon.ready();
});

test('a bad configuration is refused with its place and the old one stays', async () => {
	deployment.write({ more: 'processses: {}' });
	const line = readFileSync(deployment.file, 'utf8').split('\n').indexOf('processses: {}') + 1;
	daemon.child.kill('SIGHUP');
	await daemon.said(new RegExp(`conductd.yaml:${line}:1: unknown key processses$`));
	await daemon.said(/^reload refused: what is in effect is kept$/);
	assert.equal((await daemon.readiness()).status, 200);
	deployment.write({ more: '' });
});

test('a bad policy is refused with its place and the old one stays', async () => {
	const copy = join(deployment.dir, 'policy');
	cpSync(policy, copy, { recursive: true });
	writeFileSync(join(copy, 'base.yaml'), `bogus: 1\n${readFileSync(join(copy, 'base.yaml'), 'utf8')}`);
	deployment.write({ policy: copy });
	daemon.child.kill('SIGHUP');
	await daemon.said(/policy\/base\.yaml:1:1: unknown key "bogus"$/);
	assert.equal((await daemon.metric('conductd_reloads_total{result="refused"}')), 2);
	deployment.write({ policy });
});

test('a good configuration is in use after a reload, in the same processes', async () => {
	const host = { headers: { Host: 'conduct.example' } };
	const pids = daemon.children().map(child => child.pid);
	assert.equal((await get(deployment.port, '/v1/policy/versions', host)).status, 421);
	deployment.write({ more: 'host_names: [conduct.example]' });
	daemon.child.kill('SIGHUP');
	await until('everybody has reloaded', () => daemon.messages(/^reloaded$/).length >= 4);
	assert.equal((await get(deployment.port, '/v1/policy/versions', host)).status, 200);
	assert.deepEqual(daemon.children().map(child => child.pid), pids);
});

test('a process that hangs does not keep a reload from the others', async () => {
	const hung = daemon.pid('worker');
	const served = name => get(deployment.port, '/v1/me', { headers: { Host: name } }).then(answer => answer.status === 401);
	process.kill(hung, 'SIGSTOP');
	try {
		for (const name of ['one.example', 'two.example']) {
			deployment.write({ more: `host_names: [${name}]` });
			daemon.child.kill('SIGHUP');
			await until(`${name} is served`, async () => (await Promise.all(Array.from({ length: 8 }, () => served(name)))).every(Boolean));
		}
	} finally {
		process.kill(hung, 'SIGCONT');
	}
	await daemon.said(/^a process has not reloaded yet$/);
	assert.equal(daemon.pid('worker'), hung);
	deployment.write({ more: '' });
	daemon.child.kill('SIGHUP');
	await until('the first is not served any more', async () => !await served('two.example'));
	await daemon.ready();
});

test('a reload storm under load answers every request', async () => {
	let is_over = false;
	const statuses = new Set();
	// A connection that was idle when its generation drained is closed: RFC 9110, section 9.2.2, says
	// what a client does then.
	const ask = (tries = 3) => get(deployment.port, '/v1/policy/versions').catch(error => {
		assert.equal(error.code, 'ECONNRESET');
		assert.ok(tries > 0);
		return ask(tries - 1);
	});
	const load = Array.from({ length: 4 }, async () => {
		while (!is_over) {
			statuses.add((await ask()).status);
		}
	});
	const start = await daemon.metric('conductd_reloads_total{result="taken"}');
	for (let i = 0; i < 10; i++) {
		daemon.child.kill('SIGHUP');
		await until('the parent took it', async () =>
			await daemon.metric('conductd_reloads_total{result="taken"}') > start + i);
	}
	is_over = true;
	await Promise.all(load);
	assert.deepEqual([...statuses], [200]);
	await daemon.ready();
});

test('a policy of a higher revision is published on reload and used at once', async () => {
	const copy = join(deployment.dir, 'policy-next');
	cpSync(policy, copy, { recursive: true });
	const manifest = readFileSync(join(copy, 'manifest.yaml'), 'utf8');
	const revision = Number(/^revision: (\d+)$/m.exec(manifest)[1]) + 1;
	writeFileSync(join(copy, 'manifest.yaml'), manifest.replace(/^revision: \d+$/m, `revision: ${revision}`));
	deployment.write({ policy: copy });
	daemon.child.kill('SIGHUP');
	await daemon.said(/^policy: published$/);
	await until('both web processes use it', () =>
		daemon.messages(new RegExp(`^policy: revision ${revision} is in use$`)).length >= 2);
	assert.equal(sql('processes', 'select max(revision) from conduct.policy_set'), String(revision));
});

test('only one worker of a cluster leads, and another takes over', async () => {
	const twin = await Daemon.start(await deployment.twin());
	assert.equal(await daemon.metric('conductd_leader'), 1);
	assert.equal(await twin.metric('conductd_leader'), 0);
	assert.equal(await twin.metric('conductd_job_runs_total{job="deadlines"}'), 0);
	process.kill(daemon.pid('worker'), 'SIGSTOP');
	// The stopped worker still has its session; the server ends it as a dead host's would be.
	sql('processes', `select pg_terminate_backend(l.pid) from pg_locks l where l.locktype = 'advisory'
		and l.database = (select oid from pg_database where datname = 'processes')`);
	await until('the twin leads', async () => await twin.metric('conductd_leader') === 1);
	await until('the twin works', async () => await twin.metric('conductd_job_runs_total{job="deadlines"}') > 0);
	process.kill(daemon.pid('worker'), 'SIGCONT');
	await until('the other knows', async () => await daemon.metric('conductd_leader') === 0);
	await twin.stop();
	await until('it leads again', async () => await daemon.metric('conductd_leader') === 1);
});

test('readiness names a trigger that does not fire always', async () => {
	const trigger = sql('processes', `select c.relname || ' ' || t.tgname from pg_trigger t join pg_class c
		on c.oid = t.tgrelid where c.relnamespace = 'conduct'::regnamespace and not t.tgisinternal limit 1`);
	const [table, name] = trigger.split(' ');
	sql('processes', `alter table conduct.${table} enable trigger ${name}`);
	const { triggers } = await daemon.checks();
	assert.equal(triggers.ok, false);
	assert.match(triggers.detail, new RegExp(`the first is ${table}\\.${name}: run`));
	sql('processes', `alter table conduct.${table} enable always trigger ${name}`);
	assert.equal((await daemon.readiness()).status, 200);
});

test('readiness names a migration that is missing', async () => {
	sql('processes', `update conduct_meta.script set sha256 = 'x' || sha256 where name like 'migrations/0002%'`);
	const { migrations } = await daemon.checks();
	assert.match(migrations.detail, /^migrations\/0002_case\.sql is not applied as it is here: run/);
	sql('processes', `update conduct_meta.script set sha256 = substr(sha256, 2) where name like 'migrations/0002%'`);
	assert.equal((await daemon.readiness()).status, 200);
});

test('a server that loses acknowledged writes is not used', async () => {
	sql('processes', 'alter role conduct_worker set synchronous_commit = off');
	sql('processes', `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'conduct_worker'`);
	await daemon.said(/^database: the server gets no call$/);
	assert.equal((await daemon.checks()).database.ok, false);
	sql('processes', 'alter role conduct_worker reset synchronous_commit');
	await daemon.ready();
});

test('who works on such a server by hand is warned', async () => {
	const status = () => ctl('-c', deployment.file, '--database', conninfo('processes', 'conduct_migrate'), 'keys', 'status');
	assert.doesNotMatch((await status()).stderr, /warning/);
	sql('processes', 'alter role conduct_migrate set synchronous_commit = off');
	assert.match((await status()).stderr, /^conductctl: warning: the server may lose what is told as done, .*: turn synchronous_commit on$/m);
	sql('processes', 'alter role conduct_migrate reset synchronous_commit');
});

test('deadlines are looked at after the demo clock was moved', async () => {
	const runs = () => daemon.metric('conductd_job_runs_total{job="deadlines"}');
	const moved = await ctl('-c', deployment.file, 'demo', 'clock', '+31d');
	assert.equal(moved.code, 0, moved.stderr);
	const start = await runs();
	await until('the job ran twice', async () => await runs() >= start + 2);
	assert.equal((await daemon.checks()).clock.ok, true);
});

/** A request whose head is sent and whose body is owed. */
function owe(port) {
	const socket = createConnection({ host: '127.0.0.1', port });
	const body = '{"wiki":"enwiki"}';
	const got = new Promise(done => {
		let text = '';
		socket.setEncoding('utf8').on('data', part => { text += part; });
		socket.on('close', () => done(text)).on('error', () => done(text));
	});
	socket.write(`POST /v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
		`Idempotency-Key: 0123456789abcdef0123456789abcdef\r\nContent-Length: ${body.length}\r\n\r\n`);
	return { socket, got, pay: () => socket.write(body) };
}

test('TERM finishes what is under way, takes nothing new, and leaves nobody behind', async () => {
	const request = owe(deployment.port);
	await until('it is accepted', async () => await daemon.metric('conductd_http_connections') >= 1);
	const pids = daemon.children().map(child => child.pid);
	daemon.child.kill('SIGTERM');
	await until('new connections are refused', () =>
		get(deployment.port, '/v1/policy/versions').then(() => false, () => true));
	request.pay();
	assert.match(await request.got, /^HTTP\/1\.1 (4|5)\d\d /);
	assert.deepEqual(await daemon.ended, { code: 0, signal: null });
	for (const pid of pids) {
		assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
	}
});

test('children do not outlive a parent that is killed', async () => {
	daemon = await Daemon.start(deployment);
	const pids = daemon.children().map(child => child.pid);
	assert.equal(pids.length, 4);
	daemon.child.kill('SIGKILL');
	await until('they are gone', () => pids.every(pid => {
		try {
			process.kill(pid, 0);
			return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
		} catch {
			return true;
		}
	}));
	daemon = await Daemon.start(deployment);
});

test('a drain that takes too long is ended', async () => {
	await daemon.stop();
	deployment.write({ drain: '1s' });
	daemon = await Daemon.start(deployment);
	const request = owe(deployment.port);
	await until('it is accepted', async () => await daemon.metric('conductd_http_connections') >= 1);
	daemon.child.kill('SIGTERM');
	assert.deepEqual(await daemon.ended, { code: 0, signal: null });
	assert.equal(daemon.messages(/^processes\.drain is over/).length, 1);
	assert.equal(await request.got, '');
});

test('an issuer that names no profile of its wiki is refused at start', () => {
	const text = readFileSync(deployment.file, 'utf8').replace('demo: true', 'demo: false');
	writeFileSync(join(deployment.dir, 'wiki.yaml'), text);
	assert.throws(() => execFileSync(conductd, ['-c', join(deployment.dir, 'wiki.yaml')], { stdio: 'pipe' }),
		error => error.status === 1 && /wiki\.yaml:\d+:5: issuer demo needs profile/.test(error.stderr));
});

test('a bad policy stops the start', () => {
	writeFileSync(join(deployment.dir, 'bad.yaml'), readFileSync(deployment.file, 'utf8')
		.replace(/policy_path: .*/, `policy_path: ["${join(deployment.dir, 'policy')}"]`));
	assert.throws(() => execFileSync(conductd, ['-c', join(deployment.dir, 'bad.yaml')], { stdio: 'pipe' }),
		error => error.status === 1 && /base\.yaml:1:1: unknown key/.test(error.stderr));
});
