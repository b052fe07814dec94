// The systemd units: how exposed they leave the daemon, and that it lives with what they allow. No
// service manager runs here; the system call filter is laid on by tests/package/confine.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import http from 'node:http';

const run = promisify(execFile);
const top = new URL('../../', import.meta.url).pathname;
const stack = process.env.CONDUCTD_STACK;
const dir = `${process.env.CONDUCTD_DIR}.d`;
const port = Number(process.env.CONDUCTD_PORT) + 5;
const unit = readFileSync(`${top}packaging/systemd/conductd.service`, 'utf8');
const EXPOSURE_MOST = 1.5;

async function exposure(text) {
	mkdirSync(`${dir}/units`, { recursive: true });
	writeFileSync(`${dir}/units/conductd.service`, text);
	const { stdout } = await run('systemd-analyze',
		['security', '--no-pager', '--offline=true', `${dir}/units/conductd.service`], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
	return Number(/Overall exposure level for conductd.service: ([\d.]+)/.exec(stdout)[1]);
}

test('the unit leaves the daemon little exposed', async context => {
	const level = await exposure(unit);
	assert.ok(level <= EXPOSURE_MOST, String(level));
	assert.ok((await exposure(unit.replace(/^SystemCallFilter=.*$/gm, ''))) > level);
	context.diagnostic(`note: exposure ${level}`);
});

test('systemd finds nothing wrong in the units', async () => {
	mkdirSync(`${dir}/units`, { recursive: true });
	for (const name of ['conductd.service', 'conductd.socket']) {
		const text = readFileSync(`${top}packaging/systemd/${name}`, 'utf8');
		writeFileSync(`${dir}/units/${name}`, text.replace('/usr/sbin/conductd', process.env.CONDUCTD_PROGRAM));
	}
	const { stdout, stderr } = await run('systemd-analyze',
		['verify', '--man=no', `${dir}/units/conductd.service`, `${dir}/units/conductd.socket`]);
	assert.equal(stdout + stderr, '');
});

/** The calls that the unit allows, with systemd's sets spelt out. */
function allowedCalls() {
	const sets = new Map();
	let set;
	for (const line of execFileSync('systemd-analyze', ['syscall-filter', '--no-pager'], { encoding: 'utf8' }).split('\n')) {
		const [, name] = /^#?\s*(\S+)/.exec(line) ?? [];
		if (line.startsWith('@')) {
			sets.set(name, (set = []));
		} else if (set && line.startsWith('    ') && !line.trim().startsWith('#')) {
			set.push(line.trim());
		}
	}
	const spell = name => (name.startsWith('@') ? sets.get(name).flatMap(spell) : [name]);
	const allowed = new Set();
	for (const [, isDenied, names] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
		for (const name of names.trim().split(/\s+/).flatMap(spell)) {
			allowed[isDenied ? 'delete' : 'add'](name);
		}
	}
	return [...allowed, 'execve'];
}

const ask = path =>
	new Promise(resolve => {
		http.get({ host: '127.0.0.1', port: port + 1, path, agent: false, timeout: 5000 }, answer => {
			let text = '';
			answer.setEncoding('utf8');
			answer.on('data', piece => (text += piece));
			answer.on('end', () => resolve({ status: answer.statusCode, text }));
		}).on('error', () => resolve({ status: 0, text: '' })).on('timeout', function () { this.destroy(); });
	});

const isRoot = process.getuid() === 0;
const become = isRoot ? ['setpriv', '--reuid=conductd', '--regid=conductd', '--clear-groups', '--'] : [];

/** A second daemon on the same database, confined; what it says is kept. */
function startConfined(calls) {
	const text = readFileSync(`${stack}/conductd.yaml`, 'utf8')
		.replace(/^listen: .*$/m, `listen: ["127.0.0.1:${port}"]`)
		.replace(/^ops_listen: .*$/m, `ops_listen: "127.0.0.1:${port + 1}"`);
	writeFileSync(`${stack}/confined.yaml`, text, { mode: 0o644 });
	const line = [...become, process.env.CONDUCTD_CONFINE, ...calls, '--', process.env.CONDUCTD_PROGRAM, '-c', `${stack}/confined.yaml`];
	const child = spawn(line[0], line.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
	const daemon = { child, said: '' };
	child.stderr.setEncoding('utf8').on('data', piece => (daemon.said += piece));
	daemon.ended = new Promise(resolve => child.once('close', (code, signal) => resolve({ code, signal })));
	return daemon;
}

async function untilReady(daemon) {
	for (const until = Date.now() + 30000; Date.now() < until; ) {
		if ((await ask('/readyz')).status === 200) {
			return true;
		}
		if (daemon.child.exitCode !== null || daemon.child.signalCode) {
			return false;
		}
		await new Promise(resolve => setTimeout(resolve, 100));
	}
	return false;
}

/** The /proc/PID/status of the daemon's process of this title. */
function statusOf(parent, title) {
	for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		try {
			const status = readFileSync(`/proc/${pid}/status`, 'utf8');
			if (new RegExp(`^PPid:\t${parent}$`, 'm').test(status) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(title)) {
				return status;
			}
		} catch { /* it ended meanwhile */ }
	}
	return '';
}

test('the daemon serves, reloads and stops with the system calls that the unit allows', async () => {
	const daemon = startConfined(allowedCalls());
	try {
		assert.ok(await untilReady(daemon), daemon.said);
		// The keys and what OpenSSL keeps of them; all of it where the limits of this machine allow that.
		const locked = /^VmLck:\s+(\d+) kB$/m.exec(statusOf(daemon.child.pid, 'conductd: vault'));
		assert.ok(Number(locked?.[1]) >= 40, `locked: ${locked}`);
		const env = { ...process.env, CONDUCTD_PROXY: `http://127.0.0.1:${port}` };
		delete env.NODE_TEST_CONTEXT;
		const { stdout } = await run(`${top}tests/harness/node-suite`,
			['policy', 'handling'].map(name => `${top}tests/e2e/${name}.test.mjs`), { env, timeout: 120000 }).catch(error => error);
		assert.match(stdout, /\n[1-9]\d* passed, 0 failed\n$/, stdout);
		daemon.child.kill('SIGHUP');
		for (const until = Date.now() + 20000; !/"reloaded"/.test(daemon.said); ) {
			assert.ok(Date.now() < until, daemon.said);
			await new Promise(resolve => setTimeout(resolve, 50));
		}
		assert.match((await ask('/metrics')).text, /^conductd_process_restarts_total\{process="web"\} 0$/m);
	} finally {
		daemon.child.kill('SIGTERM');
	}
	assert.deepEqual(await daemon.ended, { code: 0, signal: null }, daemon.said);
	assert.doesNotMatch(daemon.said, /"process.exit_code":159/);
});

test('a filter that lacks one of its calls is noticed', async () => {
	const daemon = startConfined(allowedCalls().filter(name => name !== 'epoll_ctl'));
	const isReady = await untilReady(daemon);
	daemon.child.kill('SIGKILL');
	await daemon.ended;
	assert.equal(isReady, false);
});

for (const name of ['conductd.8', 'conductctl.8', 'conductd.yaml.5']) {
	test(`${name} is written without fault`, async () => {
		const file = `${top}packaging/man/${name}`;
		const lint = await run('mandoc', ['-T', 'lint', '-W', 'warning', file]).catch(error => error);
		assert.equal(lint.stdout, '');
		const shown = await run('man', ['--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', file],
			{ env: { ...process.env, LC_ALL: 'C.UTF-8' }, maxBuffer: 1 << 24 });
		assert.equal(shown.stderr, '');
		assert.ok(shown.stdout.length > 1000);
	});
}

after(() => rmSync(`${dir}/units`, { recursive: true, force: true }));
