// What is measured and what measures: the stack, the peer, nginx, and one run of wrk or pgbench.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { cpus } from 'node:os';
import { readVault } from './vault.mjs';

export const top = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const PG = '/usr/lib/postgresql/15/bin';
const running = [];

export function say(text) {
	process.stderr.write(`${text}\n`);
}

/** Ends what this program started. */
export function stopAll() {
	for (const child of running.splice(0).reverse()) {
		try {
			process.kill(-child.pid, 'SIGTERM');
		} catch {
			// It has ended.
		}
	}
}

function start(program, args, options = {}) {
	const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
	child.text = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream?.setEncoding('utf8').on('data', text => { child.text = (child.text + text).slice(-20000); });
	}
	running.push(child);
	return child;
}

async function until(what, probe, ms, child) {
	const started = Date.now();
	while (!await probe()) {
		if (Date.now() - started > ms || child?.exitCode) {
			throw new Error(`${what}: not within ${ms} ms\n${child?.text ?? ''}`);
		}
		await new Promise(resolve => setTimeout(resolve, 50));
	}
}

function isListening(port) {
	return new Promise(resolve => {
		const socket = net.connect({ host: '127.0.0.1', port });
		socket.once('connect', () => { socket.destroy(); resolve(true); });
		socket.once('error', () => resolve(false));
	});
}

/** conductd and its PostgreSQL as packaging/quickstart sets them up, with a release build. */
export class Stack {
	static async start(work, port) {
		const stack = new Stack();
		stack.dir = `${work}/stack`;
		stack.port = port;
		rmSync(stack.dir, { recursive: true, force: true });
		stack.child = start(`${top}/packaging/quickstart`, ['--no-walk', '--dir', stack.dir, '--port', String(port),
			'--build', `${work}/release`]);
		await until('conductd serves', () => stack.child.text.includes('conductd serves on'), 300000, stack.child);
		stack.people = JSON.parse(readFileSync(`${stack.dir}/people.json`, 'utf8')).people;
		stack.config = readFileSync(`${stack.dir}/conductd.yaml`, 'utf8');
		return stack;
	}

	conninfo(role) {
		return /migrate: "([^"]*)"/.exec(this.config)[1].replace(/conduct_migrate/g, role);
	}

	sql(text, role = 'postgres') {
		return execFileSync(`${PG}/psql`, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', this.conninfo(role)],
			{ input: text, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n').filter(line => line !== '')
			.map(line => line.split('|'));
	}

	file(path, variables) {
		const options = Object.entries(variables).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
		execFileSync(`${PG}/psql`, ['-X', '-q', '-v', 'ON_ERROR_STOP=1', ...options, '-d', this.conninfo('postgres'),
			'-f', path], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'inherit'] });
	}

	/** Memory of all processes in MB, shared pages by their share (PSS). */
	memory() {
		const parent = readdirSync('/proc').filter(name => /^\d+$/.test(name)).find(pid => {
			try {
				return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('conductd: parent')
					&& readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') !== ''
					&& execFileSync('ss', ['-Hltnp', `sport = :${this.port}`], { encoding: 'utf8' }).includes(`pid=${pid},`);
			} catch {
				return false;
			}
		});
		const pids = [parent, ...readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')];
		return pids.reduce((sum, pid) =>
			sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0) / 1024;
	}
}

/** Fastify and pg, as many processes as conductd has. */
export async function startPeer(work, stack, port) {
	const claims = JSON.parse(Buffer.from(stack.people.reporter.token.split('.')[1], 'base64url'));
	const [host, sql_port, password] = readFileSync(`${stack.dir}/private/conduct_web.pass`, 'utf8').trim()
		.split(':').filter((_, i) => [0, 1, 4].includes(i));
	writeFileSync(`${work}/peer.json`, JSON.stringify({
		port, processes: cpus().length, iss: claims.iss, audience: claims.aud, scope: 'demo',
		key: readFileSync(`${stack.dir}/demo-issuer.pub`, 'utf8'),
		index_key: readFileSync(`${stack.dir}/private/index.key`, 'utf8').trim(),
		vault: readVault(...['key_file', 'passphrase_file'].map(name =>
			new RegExp(`^  ${name}: "([^"]*)"`, 'm').exec(stack.config)[1])),
		database: { host, port: Number(sql_port), password, user: 'conduct_web', database: 'conduct' },
	}), { mode: 0o600 });
	const child = start('node', [`${work}/peer/server.mjs`, `${work}/peer.json`], { env: { ...process.env, NODE_ENV: 'production' } });
	await until('the peer serves', () => isListening(port), 20000, child);
}

/** A second conductd on the same database that serves over TLS on `port`, with nginx's certificate. */
export async function startTls(work, stack, port) {
	const { uid, gid } = statSync(`${stack.dir}/private`);
	const isRoot = process.getuid() === 0;
	const pair = `${stack.dir}/private/tls`;
	for (const end of ['crt', 'key']) {
		rmSync(`${pair}.${end}`, { force: true });
		copyFileSync(`${work}/tls.${end}`, `${pair}.${end}`);
		if (isRoot) {
			chownSync(`${pair}.${end}`, uid, gid);
		}
	}
	const binary = `${stack.dir}/conductd-tls`;
	rmSync(binary, { force: true });
	copyFileSync(`${work}/release/conductd`, binary);
	writeFileSync(`${stack.dir}/tls.yaml`, `${stack.config.replace(/issuers:\n(.*\n)*$/, '')
		.replace(/^listen:.*$/m, `listen: ["127.0.0.1:${port + 1}"]`)
		.replace(/^ops_listen:.*$/m, `ops_listen: "127.0.0.1:${port + 2}"`)}issuers: []
tls:
  - {listen: "127.0.0.1:${port}", certificate: "${pair}.crt", key: "${pair}.key"}
`, { mode: 0o644 });
	const child = start(binary, ['-c', `${stack.dir}/tls.yaml`], isRoot ? { uid, gid } : {});
	const url = `http://127.0.0.1:${port + 1}/v1/policy?wiki=enwiki&lang=en`;
	await until('conductd serves over TLS', () => fetch(url).then(answer => answer.ok, () => false), 30000, child);
}

/** nginx with the same bytes as a file, plain on `port` and over TLS on `port + 1`. */
export async function startNginx(work, port, bytes) {
	const dir = `${work}/nginx`;
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(`${dir}/www`, { recursive: true });
	writeFileSync(`${dir}/www/policy.json`, bytes);
	execFileSync('chmod', ['-R', 'a+rX', dir]);
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
		'-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', `${work}/tls.key`,
		'-out', `${work}/tls.crt`], { stdio: 'ignore' });
	writeFileSync(`${dir}/nginx.conf`, `
worker_processes ${cpus().length};
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
	access_log off;
	sendfile on;
	tcp_nopush on;
	keepalive_requests 1000000;
	open_file_cache max=10;
	default_type application/json;
	types { }
	server {
		listen 127.0.0.1:${port};
		listen 127.0.0.1:${port + 1} ssl;
		ssl_certificate ${work}/tls.crt;
		ssl_certificate_key ${work}/tls.key;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_session_cache shared:s:1m;
		root ${dir}/www;
	}
}
`);
	const child = start('nginx', ['-c', `${dir}/nginx.conf`, '-p', dir, '-g', 'daemon off;']);
	await until('nginx serves', () => isListening(port), 10000, child);
}

const milliseconds = text => {
	const [, n, unit] = /^([\d.]+)(us|ms|s|m)$/.exec(text);
	return Number(n) * { us: 0.001, ms: 1, s: 1000, m: 60000 }[unit];
};

/** One run of wrk: { rate, p50, p99 }. More than one answer in 1,000 with another status is an error. */
export function wrk(url, { script, headers = {}, connections = 64, seconds = 6 } = {}) {
	const args = ['-t2', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '20s'];
	for (const [name, value] of Object.entries(headers)) {
		args.push('-H', `${name}: ${value}`);
	}
	if (script) {
		args.push('-s', script);
	}
	return new Promise((resolve, reject) => {
		const child = spawn('wrk', [...args, url], { stdio: ['ignore', 'pipe', 'inherit'] });
		let text = '';
		child.stdout.setEncoding('utf8').on('data', piece => { text += piece; });
		child.once('close', () => {
			const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
			const total = Number(/(\d+) requests in/.exec(text)?.[1]);
			const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0)
				+ (/Socket errors: (.*)/.exec(text)?.[1].match(/\d+/g)?.reduce((a, b) => a + Number(b), 0) ?? 0);
			if (!(rate > 0) || bad > total / 1000) {
				reject(new Error(`${url}: ${bad} of ${total} answers were wrong\n${text}`));
				return;
			}
			resolve({ rate, p50: milliseconds(/^ +50%\s+(\S+)/m.exec(text)[1]), p99: milliseconds(/^ +99%\s+(\S+)/m.exec(text)[1]) });
		});
	});
}

/** One run of pgbench with prepared statements: { rate, p50 }, p50 being the average. */
export function pgbench(stack, files, { clients, seconds = 6, role = 'conduct_web' }) {
	const args = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds)];
	const out = execFileSync(`${PG}/pgbench`, [...args, ...files.flatMap(file => ['-f', file]), stack.conninfo(role)],
		{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
	const failed = Number(/number of failed transactions: (\d+)/.exec(out)?.[1] ?? 0);
	if (failed) {
		throw new Error(`pgbench: ${failed} transactions failed\n${out}`);
	}
	return { rate: Number(/tps = ([\d.]+)/.exec(out)[1]), p50: Number(/latency average = ([\d.]+)/.exec(out)[1]) };
}
