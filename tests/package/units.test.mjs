// The systemd units: how exposed they leave the daemon, and that it lives with what they allow. No
// service manager runs here; the filters are laid on by tests/package/confine, and in full effort the
// mounts are made by tests/package/sandbox.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import http from 'node:http';
import { dirname } from 'node:path';

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
		http.get({ host: '127.0.0.1', port: port + 1, path, agent: false, timeout: 20000 }, answer => {
			let text = '';
			answer.setEncoding('utf8');
			answer.on('data', piece => (text += piece));
			answer.on('end', () => resolve({ status: answer.statusCode, text }));
		}).on('error', () => resolve({ status: 0, text: '' })).on('timeout', function () { this.destroy(); });
	});

const isRoot = process.getuid() === 0;
const become = isRoot ? ['setpriv', '--reuid=conductd', '--regid=conductd', '--clear-groups', '--bounding-set=-all', '--inh-caps=-all',
	'--no-new-privs', '--'] : [];

/** Filters of tests/package/confine for directives of the unit, and what each of them ends. */
const FILTERS = {
	'MemoryDenyWriteExecute=yes': ['--write-execute', 'import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)'],
	'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6': ['--families', 'import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)'],
	'RestrictNamespaces=yes': ['--namespaces', 'import ctypes; ctypes.CDLL(None).unshare(0x10000000)'],
	'RestrictRealtime=yes': ['--realtime', 'import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))'],
	'RestrictSUIDSGID=yes': ['--suid', 'import os; os.chmod("/nonexistent", 0o4755)'],
	'LockPersonality=yes': ['--personality', 'import ctypes; ctypes.CDLL(None).personality(0x0040000)'],
};
const filters = Object.values(FILTERS).map(([option]) => option);

test('each filter of the unit is laid on, and ends what it forbids', async () => {
	const confined = (options, code) => run(process.env.CONDUCTD_CONFINE, [...options, 'all', '--', '/usr/bin/python3', '-c', code])
		.then(() => null, error => error.signal ?? error.code);
	assert.equal(await confined(filters, 'import socket, mmap; socket.socket(); mmap.mmap(-1, 4096)'), null);
	for (const [directive, [option, code]] of Object.entries(FILTERS)) {
		assert.match(unit, new RegExp(`^${directive}$`, 'm'));
		assert.equal(await confined([option], code), 'SIGSYS', directive);
		assert.notEqual(await confined(filters.filter(each => each !== option), code), 'SIGSYS', directive);
	}
});

/** A second daemon on the same database, confined; what it says is kept. */
function startConfined(calls, around = []) {
	const text = readFileSync(`${stack}/conductd.yaml`, 'utf8')
		.replace(/^listen: .*$/m, `listen: ["127.0.0.1:${port}"]`)
		.replace(/^ops_listen: .*$/m, `ops_listen: "127.0.0.1:${port + 1}"`);
	writeFileSync(`${stack}/confined.yaml`, text, { mode: 0o644 });
	const line = [...around, ...become, process.env.CONDUCTD_CONFINE, ...filters, ...calls, '--', process.env.CONDUCTD_PROGRAM, '-c', `${stack}/confined.yaml`];
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

/** The daemon's own number: sudo, which may be before it, is somebody else's. */
function pidOf(daemon) {
	const [, pid] = /"process.name":"parent","process.pid":(\d+)/.exec(daemon.said) ?? [];
	return pid ? Number(pid) : daemon.child.pid;
}

function signal(daemon, name) {
	process.kill(pidOf(daemon), name);
}

/** The /proc/PID/status of the daemon's process of this title. */
function statusOf(daemon, title) {
	for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		try {
			const status = readFileSync(`/proc/${pid}/status`, 'utf8');
			if (new RegExp(`^PPid:\t${pidOf(daemon)}$`, 'm').test(status) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(title)) {
				return status;
			}
		} catch { /* it ended meanwhile */ }
	}
	return '';
}

async function isServing(daemon) {
	try {
		assert.ok(await untilReady(daemon), daemon.said);
		// The keys and what OpenSSL keeps of them; all of it where the limits of this machine allow that.
		const locked = /^VmLck:\s+(\d+) kB$/m.exec(statusOf(daemon, 'conductd: vault'));
		assert.ok(Number(locked?.[1]) >= 40, `locked: ${locked}`);
		const env = { ...process.env, CONDUCTD_PROXY: `http://127.0.0.1:${port}` };
		delete env.NODE_TEST_CONTEXT;
		const { stdout } = await run(`${top}tests/harness/node-suite`,
			['policy', 'handling'].map(name => `${top}tests/e2e/${name}.test.mjs`), { env, timeout: 120000 }).catch(error => error);
		assert.match(stdout, /\n[1-9]\d* passed, 0 failed\n$/, stdout);
		signal(daemon, 'SIGHUP');
		for (const until = Date.now() + 20000; !/"reloaded"/.test(daemon.said); ) {
			assert.ok(Date.now() < until, daemon.said);
			await new Promise(resolve => setTimeout(resolve, 50));
		}
		assert.match((await ask('/metrics')).text, /^conductd_process_restarts_total\{process="web"\} 0$/m);
	} finally {
		if (daemon.child.exitCode === null && !daemon.child.signalCode) {
			signal(daemon, 'SIGTERM');
		}
	}
	assert.deepEqual(await daemon.ended, { code: 0, signal: null }, daemon.said);
	assert.doesNotMatch(daemon.said, /"process.exit_code":159/);
}

test('the daemon serves, reloads and stops with the system calls and filters of the unit, and without a capability', () =>
	isServing(startConfined(allowedCalls())));

// Mounts need a super-user who may make them, which one in a container may not.
if (process.env.EFFORT === 'full') {
	const kept = [top, stack, dirname(process.env.CONDUCTD_PROGRAM), dirname(process.env.CONDUCTD_CONFINE)];
	const sandbox = [...isRoot ? [] : ['sudo'], `${top}tests/package/sandbox`, ...kept, '--'];
	const asMyself = isRoot ? [] : ['setpriv', `--reuid=${process.getuid()}`, `--regid=${process.getgid()}`, '--clear-groups', '--bounding-set=-all',
		'--inh-caps=-all', '--no-new-privs', '--'];

	test('the sandbox hides and write-protects what the unit says', async () => {
		// Where nothing can be written, no device and nobody else's file or process is seen, this prints little.
		const code = `for f in /usr /etc /var/lib ${stack} ${top}; do touch "$f/conductd-test" 2>/dev/null && echo "$f"; done
			ls -A /home /root 2>/dev/null | grep -v ':$' | grep .; ls /proc/sys 2>/dev/null
			stat -c %u /proc/[0-9]* 2>/dev/null | grep -v "^$(id -u)$"; for f in /dev/*; do echo "$f"; done
			touch /tmp/conductd-test && ls /tmp`;
		const { stdout } = await run(sandbox[0], [...sandbox.slice(1), ...become, ...asMyself, 'sh', '-c', code]).catch(error => error);
		const lines = stdout.split('\n').filter(line => line && !`${stack}/`.startsWith(`/tmp/${line}/`) && !`${top}/`.startsWith(`/tmp/${line}/`));
		assert.deepEqual(lines, [...['full', 'null', 'random', 'shm', 'tty', 'urandom', 'zero'].map(name => `/dev/${name}`), 'conductd-test']);
	});

	test('the daemon serves in the mounts of the unit', () => isServing(startConfined(allowedCalls(), [...sandbox, ...asMyself])));
}

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
