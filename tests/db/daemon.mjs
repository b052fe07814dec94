// The built programs beside the cluster that tests/db/with-cluster started: a database, a demo
// configuration, and a daemon that is watched through its ports, its log and /proc.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const source = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
export const build = process.env.CONDUCTD_BUILD;
const cluster = process.env.CONDUCT_TEST_DATABASE;
if (!build || !cluster) {
	throw new Error('CONDUCTD_BUILD and CONDUCT_TEST_DATABASE are set by tests/db/run');
}
export const conductd = join(build, 'conductd');
export const conductctl = join(build, 'conductctl');
export const policy = join(source, 'policy/data');

export const conninfo = (database, user = 'postgres', server = cluster) =>
	server.replace('dbname=postgres', `dbname=${database}`).replace('user=postgres', `user=${user}`);

export function sql(database, text, server = cluster) {
	return execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', conninfo(database, 'postgres', server), '-c', text],
		{ encoding: 'utf8', maxBuffer: 2 ** 28, env: { ...process.env, PGOPTIONS: '-c client_min_messages=error' } }).trim();
}

/** Runs conductctl: {code, stdout, stderr}. */
export async function ctl(...args) {
	try {
		return { code: 0, ...await promisify(execFile)(conductctl, args) };
	} catch (error) {
		return { code: error.code, stdout: error.stdout, stderr: error.stderr };
	}
}

export const bootstrap = (database, server = cluster) =>
	ctl('--database', conninfo(database, 'postgres', server), 'migrate', '--bootstrap');

/** A port that was free a moment ago. */
function freePort() {
	return new Promise(done => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
}

/** Asks until `question` answers something true: what is awaited is a state, never a time. */
export async function until(what, question, limit = 30000) {
	const end = Date.now() + limit;
	for (;;) {
		const answer = await question();
		if (answer) {
			return answer;
		}
		if (Date.now() > end) {
			throw new Error(`in vain: ${what}`);
		}
		await new Promise(done => setTimeout(done, 20));
	}
}

export function get(port, path, { agent = false, headers = {} } = {}) {
	return new Promise((done, fail) => {
		http.get({ host: '127.0.0.1', port, path, agent, headers }, response => {
			let text = '';
			response.setEncoding('utf8').on('data', part => { text += part; });
			response.on('end', () => done({ status: response.statusCode, text }));
		}).on('error', fail);
	});
}

/** A demo deployment of its own: database, configuration, key, people. */
export class Deployment {
	static async make(database, changes = {}) {
		const deployment = new Deployment();
		deployment.database = database;
		deployment.dir = mkdtempSync(join(tmpdir(), 'conductd-daemon-'));
		deployment.vaultDir = mkdtempSync(join(tmpdir(), 'conductd-vault-'));
		deployment.file = join(deployment.dir, 'conductd.yaml');
		deployment.port = await freePort();
		deployment.ops = await freePort();
		deployment.settings = { web: 2, drain: '5s', policy, log_level: 'info', more: '', jobs: '', server: cluster, ...changes };
		const { server } = deployment.settings;
		sql('postgres', `create database ${database}`, server);
		const migrated = await bootstrap(database, server);
		if (migrated.code !== 0) {
			throw new Error(migrated.stderr);
		}
		await ctl('demo', 'people', deployment.dir, String(deployment.port));
		deployment.write();
		const made = await ctl('-c', deployment.file, '--database', conninfo(database, 'postgres', server),
			'keys', 'init', '--host', 'tests');
		if (made.code !== 0) {
			throw new Error(made.stderr);
		}
		return deployment;
	}

	write(changes = {}) {
		this.settings = { ...this.settings, ...changes };
		const { web, drain, policy: path, log_level: level, more, jobs, server, link } = this.settings;
		// link: how the daemon reaches the server, where that is another way than the tests'.
		const as = user => link ? `${link} user=${user}` : conninfo(this.database, user, server);
		writeFileSync(this.file, `listen: ["127.0.0.1:${this.port}"]
ops_listen: "127.0.0.1:${this.ops}"
processes: {web: ${web}, drain: ${drain}}
log_level: ${level}
limits: {reports_account: 10000000, reports_network: 10000000, reads: 10000000, acts: 10000000, receipts: 10000000, auth: 10000000}
database:
  web: "${as('conduct_web')}"
  worker: "${as('conduct_worker')}"
  migrate: "${as('conduct_migrate')}"
policy_path: ["${path}"]
index_key_file: "${this.dir}/index.key"
vault: {key_file: "${this.vault('vault.key')}", public_file: "${this.dir}/vault.pub", passphrase_file: "${this.vault('vault.passphrase')}"}
audit: {head_file: "${this.dir}/log.head"}
jobs: {deadlines: 1s${jobs && `, ${jobs}`}}
issuers:
  - name: demo
    demo: true
    iss: "https://demo.conductd.invalid"
    scope: "demo"
    clients: [{id: "conductd-demo", scope: full}]
    keys: ["${this.dir}/demo-issuer.pub"]
    lifetime_max: 12h
    people: "${this.dir}/demo-people.json"
${more}
`);
	}

	/** Another host of the same cluster: ports of its own. */
	async twin() {
		const twin = Object.assign(new Deployment(), this);
		twin.port = await freePort();
		twin.ops = await freePort();
		twin.file = join(this.dir, 'twin.yaml');
		twin.write();
		return twin;
	}

	/** What only the vault reads lies apart. */
	vault(name) {
		return join(this.vaultDir, name);
	}

	remove() {
		rmSync(this.dir, { recursive: true, force: true });
		rmSync(this.vaultDir, { recursive: true, force: true });
	}
}

export class Daemon {
	/** Starts and waits until it is ready (or as far as `ready` says). */
	static async start(deployment, { ready = true, program = conductd, environment = {} } = {}) {
		const daemon = new Daemon();
		daemon.deployment = deployment;
		daemon.log = join(deployment.dir, `log-${deployment.ops}-${Date.now()}`);
		daemon.child = spawn(program, ['-c', deployment.file],
			{ stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } });
		daemon.child.stderr.pipe(createWriteStream(daemon.log, { flags: 'a' }));
		daemon.ended = new Promise(done => daemon.child.on('close', (code, signal) => done({ code, signal })));
		daemon.ended.then(() => { daemon.is_over = true; });
		if (ready) {
			await daemon.ready();
		}
		return daemon;
	}

	/** From here on it is another process, which writes to the same log. */
	follow(pid, isAlive) {
		this.child = { pid, kill: signal => process.kill(pid, signal) };
		this.is_over = false;
		this.ended = until('it has ended', () => !isAlive(pid), 600000).then(() => ({ code: 0, signal: null }));
	}

	async readiness() {
		try {
			const answer = await get(this.deployment.ops, '/readyz');
			return { ...JSON.parse(answer.text), status: answer.status };
		} catch {
			return { status: 0, checks: [] };
		}
	}

	async ready() {
		let last;
		try {
			await until('the daemon is ready', async () => {
				last = await this.readiness();
				return this.is_over || last.status === 200;
			});
		} catch (error) {
			throw new Error(`${error.message}: ${JSON.stringify(last)}\n${this.text()}`);
		}
		if (this.is_over) {
			throw new Error(`it ended:\n${this.text()}`);
		}
	}

	/** {name: ok} of /readyz. */
	async checks() {
		return Object.fromEntries((await this.readiness()).checks.map(check => [check.name, check]));
	}

	async metric(name) {
		const { text } = await get(this.deployment.ops, '/metrics');
		const line = text.split('\n').find(each => each.startsWith(`${name} `));
		return line && Number(line.slice(name.length + 1));
	}

	/** The children as the kernel names them: [{pid, title}]. */
	children() {
		const found = [];
		for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
			try {
				const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
				const [, state, parent] = /\) (\S) (\d+)/.exec(status);
				if (Number(parent) === this.child.pid && state !== 'Z') {
					found.push({ pid: Number(pid),
						title: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] });
				}
			} catch { /* it ended meanwhile */ }
		}
		return found.sort((a, b) => a.title.localeCompare(b.title));
	}

	titles() {
		return this.children().map(child => child.title);
	}

	pid(title) {
		return this.children().find(child => child.title === `conductd: ${title}`)?.pid;
	}

	text() {
		return readFileSync(this.log, 'utf8');
	}

	/** Log lines with this message, as objects. */
	messages(pattern) {
		return this.text().split('\n').filter(Boolean).flatMap(line => {
			try {
				const entry = JSON.parse(line);
				return pattern.test(entry.message) ? [entry] : [];
			} catch {
				return [];
			}
		});
	}

	said(pattern) {
		return until(`the log says ${pattern}`, () => this.messages(pattern).length > 0);
	}

	async stop() {
		this.child.kill('SIGTERM');
		const end = await this.ended;
		const text = this.text();
		if (/AddressSanitizer|runtime error:|detected memory leaks/.test(text)) {
			throw new Error(`a sanitizer complains:\n${text}`);
		}
		return end;
	}
}
