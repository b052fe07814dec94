// The parts of the stack that these suites start, stop and kill: PostgreSQL, and the daemon with its
// processes. Everything runs as the account that packaging/quickstart chose.
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, closeSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync,
	realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { base, ops, stack } from '../harness/api.mjs';
import { linesOf } from '../harness/lines.mjs';

export { base, ops, stack };
export const top = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
export const build = process.env.CONDUCTD_BUILD;
export const isFull = process.env.EFFORT === 'full';
/** What packaging/quickstart was told to use; `stack` is where it really is. */
export const asked = process.env.CONDUCTD_DIR;
export const logs = `${asked}.d`;
export const port = Number(base.port);
const PG = '/usr/lib/postgresql/15/bin';

/** What the run's log shows even when all passes. */
export function note(text) {
	appendFileSync(`${logs}/notes`, `${text}\n`);
}

/** Asks again until the answer is true; an error after ms. */
export async function until(what, probe, ms = 30000) {
	const started = Date.now();
	for (;;) {
		const answer = await probe();
		if (answer) {
			return answer;
		}
		if (Date.now() - started > ms) {
			throw new Error(`after ${ms} ms still not: ${typeof what === 'function' ? what() : what}`);
		}
		await new Promise(resolve => setTimeout(resolve, 20));
	}
}

const { uid, gid } = statSync(`${stack}/private`);
const account = process.getuid() === 0 && uid !== 0 ? { uid, gid } : {};

/** A file that the daemon's account owns. */
export function ownFile(path, text, mode = 0o600) {
	rmSync(path, { force: true });
	writeFileSync(path, text, { mode });
	chmodSync(path, mode);
	if (account.uid) {
		chownSync(path, account.uid, account.gid);
	}
	return path;
}

/** An empty directory that the daemon's account owns. */
export function ownDirectory(path) {
	rmSync(path, { recursive: true, force: true });
	mkdirSync(path, { mode: 0o700 });
	if (account.uid) {
		chownSync(path, account.uid, account.gid);
	}
}

/** Runs a program to its end as the daemon's account. */
export function run(program, args, options = {}) {
	const { status, signal, stdout, stderr } = spawnSync(program, args,
		{ encoding: 'utf8', cwd: '/', timeout: 60000, ...account, ...options });
	return { status, signal, stdout, stderr };
}

export const conductd = (...args) => run(`${binaries()}/conductd`, args);
export const conductctl = (...args) => run(`${binaries()}/conductctl`, args);

/** The same without waiting for its end: what run() returns, later. */
export const conductctlLater = (...args) => new Promise(resolve => {
	execFile(`${binaries()}/conductctl`, args, { encoding: 'utf8', cwd: '/', timeout: 60000, ...account },
		(error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
});

let found;
/** Where the account may execute the build: quickstart copies it when the checkout is closed to it. */
export function binaries() {
	found ??= [`${build}`, `${stack}/bin`].find(dir =>
		spawnSync('test', ['-x', `${dir}/conductd`], account).status === 0);
	assert.ok(found, `${build}/conductd cannot be run`);
	return found;
}

/** The stack's configuration, edited, in a file of its own. */
export function writeConfig(name, edit = text => text, more = 'processes: {web: 2, drain: 20s}\n') {
	const path = `${stack}/${name}.yaml`;
	const text = edit(readFileSync(`${stack}/conductd.yaml`, 'utf8') + more);
	return ownFile(path, text, 0o644);
}

// PostgreSQL --------------------------------------------------------------------------------------

/** A cluster, by its data directory. */
export class Server {
	constructor(data) {
		this.data = data;
	}

	/** The postmaster's process id; undefined when it does not run. */
	pid() {
		try {
			const id = Number(readFileSync(`${this.data}/postmaster.pid`, 'utf8').split('\n')[0]);
			return isAlive(id) ? id : undefined;
		} catch {
			return undefined;
		}
	}

	/** Any process of this cluster: each works in its data directory. */
	hasBackends() {
		const data = realpathSync(this.data);
		return readdirSync('/proc').some(entry => {
			try {
				return /^\d+$/.test(entry) && readlinkSync(`/proc/${entry}/cwd`) === data && isAlive(entry);
			} catch {
				return false;
			}
		});
	}

	/** settings: what the command line sets over the file, for this start alone. */
	async start(settings = [], { cores = false } = {}) {
		if (this.pid()) {
			return;
		}
		// A killed postmaster that nobody has collected keeps its process id, and PostgreSQL believes the lock
		// file as long; it may go when the last backend has.
		await until('its backends are gone', () => !this.hasBackends(), 20000);
		rmSync(`${this.data}/postmaster.pid`, { force: true });
		const options = settings.flatMap(one => ['-c', one]).join(' ');
		const [program, ...args] = [...(cores ? withCores : []), `${PG}/pg_ctl`, '-D', this.data, '-l', `${this.data}/server.log`,
			'-w', '-t', '30', '-o', options, 'start'];
		await until('PostgreSQL starts', () => run(program, args, { stdio: 'ignore' }).status === 0, 20000);
	}

	stop(mode = 'fast') {
		run(`${PG}/pg_ctl`, ['-D', this.data, '-m', mode, '-w', 'stop'], { stdio: 'ignore' });
	}

	async kill() {
		const id = this.pid();
		process.kill(id, 'SIGKILL');
		await until('the postmaster is gone', () => !isAlive(id));
	}
}

export const postgres = new Server(`${stack}/pg`);

/** Rows as the superuser sees them, without stopping this process; undefined while PostgreSQL is away. */
export function ask(text) {
	const info = /migrate: "([^"]*)"/.exec(readFileSync(`${stack}/conductd.yaml`, 'utf8'))[1]
		.replace(/user=\S+/, 'user=postgres').replace('conduct_migrate.pass', 'postgres.pass');
	return new Promise(resolve => {
		execFile(`${PG}/psql`, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', info, '-c', text],
			{ encoding: 'utf8' }, (error, out) => resolve(error ? undefined
				: out.split('\n').filter(line => line !== '').map(line => line.split('|'))));
	});
}

// Processes ---------------------------------------------------------------------------------------

function statOf(pid) {
	try {
		const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
		const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
		return { state, parent: Number(parent) };
	} catch {
		return undefined;
	}
}

/** Runs still; what waits for somebody to collect its status does not. */
export function isAlive(pid) {
	const stat = statOf(pid);
	return stat !== undefined && stat.state !== 'Z' && stat.state !== 'X';
}

/** What runs the program that follows with leave to dump its core. */
export const withCores = ['sh', '-c', 'ulimit -c unlimited && exec "$0" "$@"'];

let nth = 0;

export class Daemon {
	/** cores: where whoever crashes may leave a core file. */
	constructor(config, { name = 'conductd', environment = {}, cores } = {}) {
		this.config = config;
		this.cores = cores;
		this.log_file = `${logs}/${name}-${process.pid}-${nth += 1}.log`;
		this.environment = environment;
	}

	/** Starts the parent; see ready(). */
	start() {
		const fd = openSync(this.log_file, 'a');
		const [program, ...args] = [...(this.cores ? withCores : []), `${binaries()}/conductd`, '-c', this.config];
		this.process = spawn(program, args, { cwd: this.cores ?? '/', stdio: ['ignore', fd, fd],
			env: { ...process.env, ...this.environment }, ...account });
		closeSync(fd);
		this.pid = this.process.pid;
		this.pid_file = `${logs}/${this.pid}.pid`;
		writeFileSync(this.pid_file, `${this.pid}`);
		this.ended = new Promise(resolve => {
			this.process.once('exit', (code, signal) => {
				rmSync(this.pid_file, { force: true });
				resolve({ code, signal });
			});
		});
		return this;
	}

	/** Its processes: title without "conductd: " → pid. */
	children() {
		const all = new Map();
		for (const entry of readdirSync('/proc')) {
			if (!/^\d+$/.test(entry) || statOf(entry)?.parent !== this.pid || !isAlive(entry)) {
				continue;
			}
			try {
				const title = readFileSync(`/proc/${entry}/cmdline`, 'latin1').split('\0')[0];
				all.set(title.replace(/^conductd: /, ''), Number(entry));
			} catch {
				// It ended meanwhile.
			}
		}
		return all;
	}

	lines() {
		return linesOf(this.log_file).filter(line => line.startsWith('{')).map(line => JSON.parse(line));
	}

	/** The first line of the log, from line `since` on, whose message matches. */
	said(pattern, since = 0) {
		return this.lines().slice(since).find(line => pattern.test(line.message));
	}

	async heard(pattern, since = 0, ms = 30000) {
		return until(() => `the log says ${pattern}; it ends with\n${this.tail()}`, () => this.said(pattern, since), ms);
	}

	tail(n = 15) {
		return readFileSync(this.log_file, 'utf8').split('\n').filter(line => !line.includes('"message":"request"'))
			.slice(-n).join('\n');
	}

	async ready(ms = 30000) {
		let last;
		await until(() => `/readyz is 200 (${JSON.stringify(last)})\n${this.tail()}`, async () => {
			last = await readyz();
			return last.status === 200;
		}, ms);
	}

	signal(name) {
		process.kill(this.pid, name);
	}

	/** Ends it in order; its status is 0 and no sanitizer spoke. */
	async stop() {
		if (this.process.exitCode === null && this.process.signalCode === null) {
			this.signal('SIGTERM');
			const end = await this.ended;
			assert.deepEqual(end, { code: 0, signal: null }, this.tail());
		}
		this.check();
	}

	async kill() {
		if (this.process && this.process.exitCode === null && this.process.signalCode === null) {
			this.signal('SIGKILL');
			await this.ended;
		}
	}

	check() {
		const text = readFileSync(this.log_file, 'utf8');
		const at = text.search(/ERROR: AddressSanitizer|runtime error:/);
		assert.equal(at, -1, text.slice(at, at + 3000));
	}
}

/** The readiness answer; status 0 when nobody answers. */
export function readyz(url = ops) {
	return get('/readyz', { url });
}

/** The samples of /metrics: name with labels → number. */
export async function readMetrics() {
	const { text } = await get('/metrics', { url: ops });
	return new Map(text.split('\n').filter(line => line && !line.startsWith('#')).map(line => {
		const at = line.lastIndexOf(' ');
		return [line.slice(0, at), Number(line.slice(at + 1))];
	}));
}

/** One GET on a connection of its own; status 0 when there is no answer. */
export function get(path, { url = base, headers = {}, timeout = 20000 } = {}) {
	return new Promise(resolve => {
		const request = http.request({ agent: false, host: url.hostname, port: url.port, path, headers, timeout },
			response => {
				const chunks = [];
				response.on('data', chunk => chunks.push(chunk));
				response.on('error', error => resolve({ status: 0, error: error.code }));
				response.on('end', () => {
					const text = Buffer.concat(chunks).toString('utf8');
					let body;
					try {
						body = JSON.parse(text);
					} catch {
						body = undefined;
					}
					resolve({ status: response.statusCode, text, body });
				});
			});
		request.on('timeout', () => request.destroy(new Error('no answer')));
		request.on('error', error => resolve({ status: 0, error: error.code ?? error.message }));
		request.end();
	});
}

/** Whether something accepts connections there. */
export function isListening(number) {
	return new Promise(resolve => {
		const socket = net.connect({ host: '127.0.0.1', port: number });
		socket.once('connect', () => { socket.destroy(); resolve(true); });
		socket.once('error', () => resolve(false));
	});
}

/** Holds a port until the function it resolves to is called. */
export function takePort(number) {
	return new Promise((resolve, reject) => {
		const server = net.createServer(socket => socket.destroy());
		server.once('error', reject);
		server.listen(number, '127.0.0.1', () => resolve(() => new Promise(done => { server.close(done); })));
	});
}

/** The same choices again for the same seed (mulberry32). */
export function randomFrom(seed) {
	let state = seed >>> 0;
	return limit => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) % limit;
	};
}
