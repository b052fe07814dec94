// A daemon takes over from another: under load no request fails, no waiting connection is lost, and what
// cannot serve leaves the old one as it was.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { copyFileSync, chmodSync, existsSync, readFileSync, readlinkSync, renameSync, statSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { Daemon, ask, build, conninfo, freePort, get, isAnswered, isFull, makeSecure, secure, sql, until } from './world.mjs';

const limit = { timeout: 120000 };
const started = new Set();
let deployment, daemon, authority, pidFile;

before(async () => {
	deployment = await makeSecure('upgrade');
	({ authority } = deployment);
	pidFile = `${deployment.dir}/pid`;
	write();
	// A copy, so that another file can be put in its place as a package does.
	copyFileSync(`${build}/conductd`, `${deployment.dir}/conductd`);
	chmodSync(`${deployment.dir}/conductd`, 0o755);
	daemon = await Daemon.start(deployment, { program: `${deployment.dir}/conductd` });
});

after(async () => {
	// Also what a failed test has left: it holds the log, and would keep this program.
	for (const pid of started) if (isAlive(pid)) process.kill(pid, 'SIGTERM');
	await daemon?.stop();
	deployment?.remove();
});

function write(edit = text => text) {
	secure(deployment, text => edit(text.replace('processes: {', `processes: {pid_file: "${pidFile}", `)));
}

const isAlive = pid => {
	try {
		return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

/** USR2; resolves when the old daemon has ended, and `daemon` is the new one from then on. */
async function upgrade() {
	const old = daemon.child.pid;
	const n = daemon.messages(/^upgrade: process \d+ serves/).length;
	process.kill(old, 'SIGUSR2');
	await until(`the new one serves\n${daemon.text().slice(-2000)}`, () => daemon.messages(/^upgrade: process \d+ serves/).length > n);
	const pid = Number(/process (\d+)/.exec(daemon.messages(/^upgrade: process \d+ serves/).at(-1).message)[1]);
	await until('the old one has ended', () => !isAlive(old));
	started.add(pid);
	daemon.follow(pid, isAlive);
	return { old, pid };
}

/** Clients of one kind that ask until they are told to stop: counts of answers by status or error. */
class Load {
	constructor(n, { port, secured, keepAlive }) {
		this.counts = {};
		const Agent = secured ? https.Agent : http.Agent;
		this.agent = new Agent({ keepAlive, maxSockets: n });
		this.options = { host: '127.0.0.1', port, path: '/v1/policy/versions', agent: this.agent, timeout: 20000,
			...secured && { servername: 'localhost', ca: readFileSync(`${authority}.crt`) } };
		this.module = secured ? https : http;
		this.all = Array.from({ length: n }, () => this.run());
	}

	async run() {
		while (!this.is_over) {
			const outcome = await new Promise(done => {
				const request = this.module.get(this.options, response => {
					response.resume();
					response.on('end', () => done(response.statusCode));
					response.on('error', error => done(error.code));
				});
				request.on('timeout', () => request.destroy(new Error('nothing came for 20 s')));
				request.on('error', error => done(error.code ?? error.message));
			});
			this.counts[outcome] = (this.counts[outcome] ?? 0) + 1;
		}
	}

	n() {
		return Object.values(this.counts).reduce((sum, n) => sum + n, 0);
	}

	async end() {
		this.is_over = true;
		await Promise.all(this.all);
		this.agent.destroy();
		return this.counts;
	}
}

const kinds = () => [['plain', { port: deployment.port, keepAlive: true }], ['plain, each its connection', { port: deployment.port }],
	['TLS', { port: deployment.tls, secured: true, keepAlive: true }],
	['TLS, each its connection', { port: deployment.tls, secured: true }]];
const startLoads = () => kinds().map(([, options]) => new Load(isFull ? 8 : 3, options));

/** Ends them; no request may have failed. */
async function endLoads(loads, what, t) {
	const all = await Promise.all(loads.map(load => load.end()));
	for (const [i, counts] of all.entries()) {
		const [name] = kinds()[i];
		assert.deepEqual(Object.keys(counts), ['200'], `${name}: ${JSON.stringify(counts)}`);
		t.diagnostic(`note: ${what}, ${name}: ${counts[200]} requests, 0 failed`);
	}
}

test('under load of four kinds no request fails in a reload', limit, async t => {
	const loads = startLoads();
	const n = isFull ? 50 : 10;
	for (let i = 0; i < n; i++) {
		const before = loads.map(load => load.n());
		const reloaded = daemon.messages(/^reloaded$/).length;
		process.kill(daemon.child.pid, 'SIGHUP');
		await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= reloaded + 4);
		await until('each kind has asked again', () => loads.every((load, k) => load.n() > before[k] + 5));
	}
	await endLoads(loads, `${n} reloads`, t);
});

test('under load of four kinds no request fails in an upgrade, and readiness does not waver', limit, async t => {
	const loads = startLoads();
	const readiness = new Set();
	let is_over = false;
	const watch = (async () => {
		while (!is_over) readiness.add((await get(deployment.ops, '/readyz').catch(error => ({ status: error.code }))).status);
	})();
	for (let i = 0; i < (isFull ? 10 : 3); i++) {
		const n = loads.map(load => load.n());
		await upgrade();
		await until('each kind has asked again', () => loads.every((load, k) => load.n() > n[k] + 20));
	}
	is_over = true;
	await watch;
	await endLoads(loads, `${isFull ? 10 : 3} upgrades`, t);
	assert.deepEqual([...readiness], [200]);
});

test('the pid file is the new one\'s, and goes with it alone', limit, async () => {
	const { pid } = await upgrade();
	assert.equal(readFileSync(pidFile, 'utf8'), `${pid}\n`);
	assert.equal(daemon.titles().length, 4);
});

test('a connection that waits in the queue of a stopped process is answered by the new daemon', limit, async () => {
	const stopped = ['web 1', 'web 2'].map(title => daemon.pid(title));
	for (const pid of stopped) process.kill(pid, 'SIGSTOP');
	const asked = Array.from({ length: 16 }, () => get(deployment.port, '/v1/policy/versions').then(answer => answer.status,
		error => error.code));
	process.kill(daemon.child.pid, 'SIGUSR2');
	assert.deepEqual(await Promise.all(asked), Array(16).fill(200));
	for (const pid of stopped) process.kill(pid, 'SIGCONT');
	const old = daemon.child.pid;
	await until('the old one has ended', () => !isAlive(old));
	const pid = Number(/process (\d+)/.exec(daemon.messages(/^upgrade: process \d+ serves/).at(-1).message)[1]);
	started.add(pid);
	daemon.follow(pid, isAlive);
});

test('the program that lies in the old one\'s place is started, and sessions are resumed', limit, async () => {
	const { sessions: [session] } = await ask(deployment.tls, authority);
	copyFileSync(`${build}/conductd`, `${deployment.dir}/conductd.new`);
	chmodSync(`${deployment.dir}/conductd.new`, 0o755);
	renameSync(`${deployment.dir}/conductd.new`, `${deployment.dir}/conductd`);
	const { pid } = await upgrade();
	assert.equal(readlinkSync(`/proc/${pid}/exe`), `${deployment.dir}/conductd`);
	assert.equal(statSync(`/proc/${pid}/exe`).ino, statSync(`${deployment.dir}/conductd`).ino);
	const answer = await ask(deployment.tls, authority, { session });
	isAnswered(answer.text);
	assert.equal(answer.isResumed, true);
});

/** An anonymous report: the answer's status, and how many more this network may send within the hour. */
function report() {
	const body = JSON.stringify({ wiki: 'enwiki', lang: 'en', category: 'trolling', respondents: [{ user: 'Nobody' }],
		targets: [{ self: true }], incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'Talk:A', revision: 1 }], details: 'What happened.' });
	return new Promise((done, fail) => {
		http.request({ host: '127.0.0.1', port: deployment.port, path: '/v1/reports', method: 'POST', agent: false, timeout: 20000,
			headers: { 'Content-Type': 'application/json', 'Content-Length': body.length, 'Idempotency-Key': `"${randomUUID()}"` } }, response => {
			response.resume().on('end', () => done({ status: response.statusCode,
				left: Number(/r=(\d+)/.exec(response.headers.ratelimit)?.[1]), seconds: Number(/t=(\d+)/.exec(response.headers.ratelimit)?.[1]) }));
		}).on('error', fail).end(body);
	});
}

test('what was counted before an upgrade counts after it', limit, async () => {
	write(text => text.replace('reports_network: 10000000', 'reports_network: 5'));
	await upgrade();
	let answers;
	// Again where a new hour of the clock has begun under way.
	do {
		answers = [await report()];
		await upgrade();
		for (let i = 0; i < 5; i++) answers.push(await report());
	} while (answers.at(-1).seconds > answers[0].seconds);
	assert.deepEqual(answers.map(({ status, left }) => [status, left]), [[201, 4], [201, 3], [201, 2], [201, 1], [201, 0], [429, 0]]);
	assert.equal(daemon.messages(/the budgets begin anew/).length, 0);
	write();
	await upgrade();
});

test('another number of processes and another address are taken on the way', limit, async () => {
	const more = await freePort();
	const edits = [text => text.replace('web: 2', 'web: 1'), text => text.replace('web: 2', 'web: 3'),
		text => text.replace('listen: [', `listen: ["127.0.0.1:${more}", `), text => text];
	for (const [i, edit] of edits.entries()) {
		write(edit);
		await upgrade();
		await daemon.ready();
		assert.equal(daemon.titles().length, 2 + [1, 3, 2, 2][i]);
		for (let n = 0; n < 8; n++) assert.equal((await get(deployment.port, '/v1/policy/versions')).status, 200);
		const there = await get(more, '/v1/policy/versions').then(answer => answer.status, error => error.code);
		assert.equal(there, i === 2 ? 200 : 'ECONNREFUSED');
	}
	assert.ok(daemon.messages(/^a socket for 127\.0\.0\.1 port \d+ was inherited, which the configuration does not name: closed$/).length);
});

test('a new one that cannot start leaves the old one as it was', limit, async () => {
	const pids = daemon.children().map(child => child.pid);
	const n = daemon.messages(/^upgrade: the new daemon does not serve/).length;
	write(text => `${text}bogus: 1\n`);
	process.kill(daemon.child.pid, 'SIGUSR2');
	await until('it says so', () => daemon.messages(/^upgrade: the new daemon does not serve: this one goes on$/).length > n);
	write();
	chmodSync(`${deployment.dir}/conductd`, 0o644);
	process.kill(daemon.child.pid, 'SIGUSR2');
	await until('it says so again', () => daemon.messages(/^upgrade: the new daemon does not serve/).length > n + 1);
	chmodSync(`${deployment.dir}/conductd`, 0o755);
	assert.deepEqual(daemon.children().filter(child => child.title.startsWith('conductd: ')).map(child => child.pid), pids);
	assert.equal((await get(deployment.port, '/v1/policy/versions')).status, 200);
	await daemon.ready();
	await upgrade();
});

/** Holds the table that a web process reads its rules from; end it with release(). */
async function holdPolicy() {
	const hold = spawn('psql', ['-XqAt', '-d', conninfo('upgrade'), '-c', `set application_name = 'upgrade test'; begin;
		lock table conduct.policy_set in access exclusive mode; select pg_sleep(600)`], { stdio: 'ignore' });
	const ended = new Promise(done => hold.on('close', done));
	await until('the lock is held', () => sql('upgrade', `select count(*) from pg_locks l join pg_stat_activity a using (pid)
		where a.application_name = 'upgrade test' and l.mode = 'AccessExclusiveLock' and l.granted and l.relation is not null`) !== '0');
	return async () => {
		sql('upgrade', "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'upgrade test'");
		await ended;
	};
}

test('what a reload brings while another daemon takes over is in effect there too', limit, async () => {
	const old = daemon.child.pid;
	const release = await holdPolicy();
	const ask = () => get(deployment.port, '/v1/me', { headers: { Host: 'later.example' } }).then(answer => answer.status);
	try {
		process.kill(old, 'SIGUSR2');
		// It has read its configuration, and waits for the rules.
		await until('the new one asks for them', () => sql('upgrade', `select count(*) from pg_locks
			where relation = 'conduct.policy_set'::regclass and not granted`) !== '0');
		write(text => `${text}host_names: [later.example]\n`);
		const reloaded = daemon.messages(/^reloaded$/).length;
		process.kill(old, 'SIGHUP');
		await until('the old one has reloaded', () => daemon.messages(/^reloaded$/).length >= reloaded + 4);
	} finally {
		await release();
	}
	await until('the old one has ended', () => !isAlive(old));
	const pid = Number(/process (\d+)/.exec(daemon.messages(/^upgrade: process \d+ serves/).at(-1).message)[1]);
	started.add(pid);
	daemon.follow(pid, isAlive);
	await until('the new host name is served', async () => await ask() === 401);
	write();
	await upgrade();
});

test('one that has no database does not take over; TERM ends both', limit, async () => {
	const old = daemon.child.pid;
	write(text => text.replace(/(web: "host=)[^ ]*/, '$1/nonexistent'));
	process.kill(old, 'SIGUSR2');
	const child = await until('the new one is there', () => daemon.children().find(each => each.title === 'conductd: parent'));
	await until('its processes are', () => daemon.messages(/^database: connection lost$/).length > 0);
	assert.equal((await get(deployment.port, '/v1/policy/versions')).status, 200);
	assert.equal((await daemon.readiness()).status, 200);
	assert.equal(readFileSync(pidFile, 'utf8'), `${old}\n`);
	process.kill(old, 'SIGTERM');
	await until('both have ended', () => !isAlive(old) && !isAlive(child.pid));
	assert.ok(!existsSync(pidFile));
	write();
	daemon = await Daemon.start(deployment, { program: `${deployment.dir}/conductd` });
	assert.equal(sql('upgrade', 'select 1'), '1');
});

test('a reload and a stop after an upgrade are as before it', limit, async () => {
	await upgrade();
	const n = daemon.messages(/^reloaded$/).length;
	process.kill(daemon.child.pid, 'SIGHUP');
	await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= n + 4);
	await daemon.stop();
	await assert.rejects(get(deployment.port, '/v1/policy/versions'), { code: 'ECONNREFUSED' });
	await assert.rejects(get(deployment.ops, '/readyz'), { code: 'ECONNREFUSED' });
	assert.ok(!existsSync(pidFile));
	daemon = await Daemon.start(deployment, { program: `${deployment.dir}/conductd` });
});
