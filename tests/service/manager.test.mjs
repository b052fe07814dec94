// What a service manager sees and gives: sd_notify's messages, the watchdog, and sockets that it opened.
// The other side of the sockets is a few lines of Python, because Node has no datagrams on UNIX sockets.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Daemon, Deployment, freePort, get, until } from './world.mjs';

const limit = { timeout: 180000 };
let deployment, daemon, manager;

before(async () => {
	deployment = await Deployment.make('manager');
});

afterEach(async () => {
	if (daemon) {
		if (!daemon.is_over) {
			await daemon.stop();
		}
		daemon = undefined;
	}
	manager?.end();
	manager = undefined;
});

after(() => deployment?.remove());

const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name[0] == '@' else name)
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', ' '), flush=True)
`;

/** Collects what is sent to a notify socket. */
class Manager {
	static async start(name) {
		const self = new Manager();
		self.name = name;
		self.messages = [];
		self.child = spawn('python3', ['-c', LISTENER, name], { stdio: ['ignore', 'pipe', 'inherit'] });
		let text = '';
		self.child.stdout.setEncoding('utf8').on('data', part => {
			text += part;
			const lines = text.split('\n');
			text = lines.pop();
			self.messages.push(...lines);
		});
		await until('it listens', () => self.messages.shift() === 'bound');
		return self;
	}

	heard(pattern, since = 0) {
		return until(`the manager hears ${pattern}: ${this.messages.join(' | ')}`,
			() => this.messages.slice(since).find(message => pattern.test(message)));
	}

	end() {
		this.child.kill('SIGKILL');
	}
}

async function start(name, environment = {}, options = {}) {
	manager = await Manager.start(name);
	daemon = await Daemon.start(deployment, { environment: { NOTIFY_SOCKET: name, ...environment }, ...options });
}

for (const [kind, name] of [['a path', () => join(deployment.dir, 'notify')], ['an abstract name', () => `@conductd-test-${process.pid}`]]) {
	test(`readiness, reloads and the end are told to ${kind}`, limit, async () => {
		await start(name());
		await manager.heard(/^READY=1 STATUS=Serving\.$/);
		assert.equal(manager.messages.length, 1);
		daemon.child.kill('SIGHUP');
		await until('the reload is told', () => manager.messages.length === 3);
		assert.match(manager.messages[1], /^RELOADING=1 MONOTONIC_USEC=\d+$/);
		assert.equal(manager.messages[2], 'READY=1 STATUS=Serving.');
		// Its log comes another way and may be read later; what counts is when each line was written.
		const told = Date.now();
		await until('every process says that it has reloaded', () => daemon.messages(/^reloaded$/).length >= 4);
		assert.ok(daemon.messages(/^reloaded$/).every(line => Date.parse(line['@timestamp']) <= told),
			'it said so before every process had reloaded');
		deployment.write({ more: 'bogus: 1' });
		daemon.child.kill('SIGHUP');
		await until('the refusal is told', () => manager.messages.length === 5);
		assert.equal(manager.messages[4], 'READY=1 STATUS=A reload was refused; see the log.');
		deployment.write({ more: '' });
		await daemon.stop();
		await manager.heard(/^STOPPING=1$/);
		assert.equal(manager.messages.length, 6);
	});
}

test('an upgrade names the new main process, and does not say that the service stops', limit, async () => {
	await start(join(deployment.dir, 'upgrade'), { WATCHDOG_USEC: '8000000' });
	await manager.heard(/^READY=1/);
	const old = daemon.child.pid;
	daemon.child.kill('SIGUSR2');
	// Ready: a manager that was told of a reload would wait for its end, and the old one is no longer heard.
	const [, pid] = /^MAINPID=(\d+) READY=1 STATUS=Serving\.$/.exec(await manager.heard(/^MAINPID=\d+/)) ?? [];
	await until('the old one has ended', () => daemon.child.exitCode !== null);
	assert.equal(daemon.child.exitCode, 0);
	assert.notEqual(Number(pid), old);
	// The new one feeds the watchdog, though WATCHDOG_PID may have named the old one.
	const n = manager.messages.length;
	await manager.heard(/^WATCHDOG=1$/, n);
	assert.ok(!manager.messages.includes('STOPPING=1'));
	process.kill(Number(pid), 'SIGTERM');
	await manager.heard(/^STOPPING=1$/);
	await daemon.ended;
});

test('a daemon that does not serve yet tells of no reload', limit, async () => {
	await start(join(deployment.dir, 'early'));
	await manager.heard(/^READY=1/);
	deployment.write({ link: 'host=/nonexistent dbname=none' });
	daemon.child.kill('SIGUSR2');
	const next = await until('the new one is there', () => daemon.children().find(each => each.title === 'conductd: parent'));
	await until('its processes are', () => daemon.messages(/^database: connection lost$/).length > 0);
	const n = daemon.messages(/^reloaded$/).length;
	process.kill(next.pid, 'SIGHUP');
	await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= n + 4);
	deployment.write({ more: 'bogus: 1' });
	process.kill(next.pid, 'SIGHUP');
	await until('the second is refused', () => daemon.messages(/^reload refused: what is in effect is kept$/).length > 0);
	deployment.write({ more: '', link: undefined });
	await daemon.stop();
	await manager.heard(/^STOPPING=1$/);
	assert.deepEqual(manager.messages.slice(0, 2), ['READY=1 STATUS=Serving.', 'STOPPING=1']);
});

test('the watchdog is fed while every process answers; one that does not is killed', limit, async () => {
	await start(join(deployment.dir, 'watchdog'), { WATCHDOG_USEC: '6000000' });
	await until('it is fed', () => manager.messages.filter(message => message === 'WATCHDOG=1').length >= 2);
	for (const title of ['web 1', 'worker', 'vault']) {
		const old = daemon.pid(title);
		const n = manager.messages.length;
		process.kill(old, 'SIGSTOP');
		await until(`${title} is another`, () => daemon.pid(title) && daemon.pid(title) !== old);
		// At most the question that was answered before the stop had its report since.
		const fed = manager.messages.slice(n).filter(message => message === 'WATCHDOG=1').length;
		assert.ok(fed <= 2, `it was fed ${fed} times while ${title} was stopped`);
		await manager.heard(/^WATCHDOG=1$/, n);
		await daemon.ready();
	}
	assert.equal(daemon.messages(/^a process does not answer and is killed$/).length, 3);
});

test('a watchdog of another process is not fed', limit, async () => {
	await start(join(deployment.dir, 'other'), { WATCHDOG_USEC: '400000', WATCHDOG_PID: '1' });
	await manager.heard(/^READY=1/);
	const n = daemon.messages(/^reloaded$/).length;
	daemon.child.kill('SIGHUP');
	await until('it has reloaded', () => daemon.messages(/^reloaded$/).length >= n + 4);
	await manager.heard(/^READY=1/, 2);
	assert.ok(!manager.messages.includes('WATCHDOG=1'));
});

// Sockets ------------------------------------------------------------------------------------------

const ACTIVATOR = `
import os, signal, socket, sys
names, addresses = sys.argv[2].split(':') if sys.argv[2] else [], sys.argv[3].split(',')
held = []
for address in addresses:
    host, port = address.rsplit(':', 1) if address[0] != '/' else (address, None)
    s = socket.socket(socket.AF_INET if port else socket.AF_UNIX)
    if port: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, int(port)) if port else host)
    s.listen(128)
    held.append(s)
def once():
    pid = os.fork()
    if pid == 0:
        n = len(held)
        high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(held)]
        for i, fd in enumerate(high): os.dup2(fd, 3 + i)
        os.closerange(3 + n, 200)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(n))
        if names: os.environ['LISTEN_FDNAMES'] = ':'.join(names)
        os.execv(sys.argv[4], sys.argv[4:])
    return pid
pid = once()
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
status = os.waitpid(pid, 0)[1]
if sys.argv[1] == 'again':
    print('ended', flush=True)
    sys.stdin.readline()
    pid = once()
    status = os.waitpid(pid, 0)[1]
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** A Python that opens sockets as systemd does and runs conductd with them; Daemon watches it. */
function activator(addresses, { again = false, names = '' } = {}) {
	const file = join(deployment.dir, 'activate');
	const script = join(deployment.dir, 'activate.py');
	writeFileSync(script, ACTIVATOR);
	writeFileSync(file, `#!/bin/sh\nexec python3 ${script} ${again ? 'again' : 'once'} "${names}" "${addresses.join(',')}" `
		+ `${process.env.CONDUCTD_BUILD}/conductd "$@"\n`, { mode: 0o755 });
	return file;
}

const versions = () => get(deployment.port, '/v1/policy/versions').then(answer => answer.status, error => error.code);

test('sockets that were opened before it are served by all web processes, under any name', limit, async () => {
	const program = activator([`127.0.0.1:${deployment.ops}`, `127.0.0.1:${deployment.port}`], { names: 'ops.socket:http' });
	daemon = await Daemon.start(deployment, { program });
	assert.deepEqual(await Promise.all(Array.from({ length: 32 }, versions)), Array(32).fill(200));
	assert.equal(await daemon.metric('conductd_process_restarts_total{process="web"}'), 0);
	assert.equal(daemon.messages(/inherited/).length, 0);
});

test('a connection that came before the daemon is answered by it, and the sockets outlive its end', limit, async () => {
	const program = activator([`127.0.0.1:${deployment.port}`], { again: true });
	const child = spawn(program, ['-c', deployment.file], { stdio: ['pipe', 'pipe', 'ignore'] });
	let said = '';
	child.stdout.on('data', part => { said += part; });
	try {
		await until('it answers', async () => await versions() === 200);
		child.kill('SIGTERM');
		await until('it has ended', () => said.includes('ended'));
		// Nobody accepts now; the connection waits in the queue for the next daemon. Its policy comes a little
		// later than its first answer, so the question is one that needs none.
		const waiting = get(deployment.port, '/v1/nothing');
		child.stdin.write('\n');
		assert.equal((await waiting).status, 404);
		await until('it answers again', async () => await versions() === 200);
	} finally {
		child.kill('SIGTERM');
		await new Promise(done => { child.on('close', done); });
	}
});

test('a socket that the configuration does not name is closed, and said', limit, async () => {
	const other = await freePort();
	daemon = await Daemon.start(deployment, { program: activator([`127.0.0.1:${other}`]) });
	assert.equal(daemon.messages(new RegExp(`^a socket for 127\\.0\\.0\\.1 port ${other} was inherited`)).length, 1);
	assert.equal(await versions(), 200);
});

test('a socket of another kind stops the start', limit, async () => {
	daemon = await Daemon.start(deployment, { program: activator([join(deployment.dir, 'unix')]), ready: false });
	assert.deepEqual(await daemon.ended, { code: 1, signal: null });
	assert.match(daemon.text(), /LISTEN_FDS: descriptor 3 is no listening TCP socket/);
});

test('sockets that are meant for another process are left alone', limit, async () => {
	daemon = await Daemon.start(deployment, { environment: { LISTEN_PID: '1', LISTEN_FDS: '1' } });
	assert.equal(await versions(), 200);
});
