// packaging/quickstart itself: what it refuses and how it says so, what a second run keeps and makes anew,
// and that it leaves nothing running.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { after } from 'node:test';
import { expectCall, reportBody, sql } from '../harness/api.mjs';
import { asked, build, get, isAlive, isListening, logs, port, postgres, readyz, run, stack, takePort, top, until } from './parts.mjs';

const limit = { timeout: 120000 };
const script = `${top}/packaging/quickstart`;
const second = `${logs}/second`;
const tools = `${logs}/tools`;

function quickstart(args, options = {}) {
	return spawnSync(options.script ?? script, args, { encoding: 'utf8', timeout: 100000, killSignal: 'SIGKILL', ...options });
}

const own = ['--no-walk', '--dir', asked, '--port', String(port), '--build', build];
const other = ['--no-walk', '--once', '--dir', second, '--port', String(port + 100), '--build', build];

after(() => {
	postgres.stop();
	rmSync(tools, { recursive: true, force: true });
	rmSync(second, { recursive: true, force: true });
});

/** A PATH with everything of this machine but some programs, and with programs of our own. */
function makePath(without, scripts) {
	rmSync(tools, { recursive: true, force: true });
	mkdirSync(tools, { mode: 0o755, recursive: true });
	for (const dir of ['/usr/bin', '/bin', '/usr/sbin', '/sbin']) {
		for (const name of readdirSync(dir)) {
			if (!without.includes(name) && !(name in scripts) && !existsSync(`${tools}/${name}`)) {
				try {
					symlinkSync(`${dir}/${name}`, `${tools}/${name}`);
				} catch (error) {
					assert.equal(error.code, 'EEXIST');
				}
			}
		}
	}
	for (const [name, text] of Object.entries(scripts)) {
		writeFileSync(`${tools}/${name}`, text);
		chmodSync(`${tools}/${name}`, 0o755);
	}
	return { env: { ...process.env, PATH: tools } };
}

// dpkg-query as the script asks it: the last argument is the package.
const lacksLibevent = '#!/bin/sh\nfor name; do :; done\n[ "$name" = libevent-dev ] && exit 1\necho installed\n';

test('--help says what the arguments are', limit, () => {
	const { status, stdout } = quickstart(['--help']);
	assert.equal(status, 0);
	for (const word of ['--once', '--no-walk', '--dir', '--port', '--build', 'people.json']) {
		assert.ok(stdout.includes(word), word);
	}
});

for (const [args, message] of [
	[['--wlak'], /^quickstart: unknown argument '--wlak'; --help lists the arguments$/m],
	[['now'], /^quickstart: unknown argument 'now'/m],
	[['--port', 'high'], /^quickstart: --port wants a number up to 65533, not 'high'/m],
	[['--port', '65534'], /^quickstart: --port wants a number up to 65533, not '65534'/m],
	[['--port'], /--port needs a number/],
	[['--dir'], /--dir needs a directory/],
	[['--build'], /--build needs a directory/],
]) {
	test(`arguments that are refused: ${args.join(' ')}`, limit, () => {
		const { status, stdout, stderr } = quickstart(args);
		assert.notEqual(status, 0);
		assert.match(stderr, message);
		assert.equal(stdout, '');
	});
}

test('a port that is taken is named, and nothing is made', limit, async () => {
	for (const number of [port + 100, port + 101, port + 102]) {
		const release = await takePort(number);
		try {
			const { status, stderr } = await new Promise(resolve => {
				const child = spawn(script, other);
				let text = '';
				child.stderr.setEncoding('utf8');
				child.stderr.on('data', piece => { text += piece; });
				child.once('exit', code => resolve({ status: code, stderr: text }));
			});
			assert.equal(status, 1);
			assert.match(stderr, new RegExp(`^quickstart: port ${number} on 127\\.0\\.0\\.1 is taken .*stop what listens there and try again$`, 'm'));
			assert.ok(!existsSync(second));
		} finally {
			await release();
		}
	}
});

test('without rights to install it says which package and what to do', limit, () => {
	const path = makePath(['sudo'], { 'dpkg-query': lacksLibevent });
	const account = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
	// Nobody may be unable to enter the checkout; what is asked for here comes before anything of it is used.
	const open = mkdtempSync(`${tmpdir()}/conductd-`);
	cpSync(tools, `${open}/tools`, { recursive: true, verbatimSymlinks: true });
	mkdirSync(`${open}/packaging`);
	cpSync(script, `${open}/packaging/quickstart`);
	spawnSync('chmod', ['-R', 'a+rX', open]);
	path.env.PATH = `${open}/tools`;
	const { status, stderr } = quickstart(other, { ...path, ...account, script: `${open}/packaging/quickstart`, cwd: '/' });
	rmSync(open, { recursive: true });
	assert.equal(status, 1, stderr);
	assert.match(stderr, /^quickstart: installing libevent-dev needs root: run this as root, or install sudo/m);
	assert.ok(!existsSync(second));
});

test('without apt-get it says what to install by hand', limit, () => {
	const { status, stderr } = quickstart(other, makePath(['sudo', 'apt-get'], { 'dpkg-query': lacksLibevent }));
	assert.equal(status, 1, stderr);
	assert.match(stderr, /^quickstart: apt-get is missing: this script is for Debian 12; install by hand: libevent-dev$/m);
	assert.ok(!existsSync(second));
});

test('when apt-get fails its words are shown', limit, () => {
	const no = '#!/bin/sh\necho "E: Unable to locate package libevent-dev" >&2\nexit 100\n';
	const sudo = '#!/bin/sh\nexec "$@"\n';
	const { status, stderr } = quickstart(other, makePath([], { 'dpkg-query': lacksLibevent, 'apt-get': no, sudo }));
	assert.equal(status, 1, stderr);
	assert.match(stderr, /E: Unable to locate package libevent-dev/);
	assert.match(stderr, /^quickstart: apt-get could not install: libevent-dev/m);
	assert.ok(!existsSync(second));
});

const mode = path => (statSync(path).mode & 0o777).toString(8);
const vaultFile = `${stack}-vault/vault.key`;
const read = name => readFileSync(`${stack}/${name}`, 'utf8');
const peopleOf = () => JSON.parse(read('people.json')).people;
const identifier = () => /Database system identifier:\s+(\d+)/.exec(
	run('/usr/lib/postgresql/15/bin/pg_controldata', [postgres.data]).stdout)[1];

const everybody = ['reporter', 'reporter2', 'respondent', 'witness', 'functionary', 'functionary2', 'functionary3',
	'functionary4', 'functionary5', 'functionary6', 'mediator', 'arbitrator1', 'arbitrator2', 'arbitrator3',
	'arbitrator4', 'arbitrator5', 'oversighter', 'steward', 'ts', 'u4c1', 'u4c2', 'u4c3', 'u4c4', 'u4c5', 'auditor',
	'admin', 'policy_maintainer', 'outsider'];

test('all the demo people are there, with token, sub and user name, for their owner alone', limit, () => {
	const people = peopleOf();
	assert.deepEqual(Object.keys(people).sort(), [...everybody].sort());
	const tokens = new Set();
	for (const [name, person] of Object.entries(people)) {
		assert.match(person.sub, /^\d+$/, name);
		assert.ok(person.user.length > 3, name);
		const [, claims] = person.token.split('.').map(part => Buffer.from(part, 'base64url').toString('utf8'));
		const { sub, iat, exp } = JSON.parse(claims);
		assert.equal(sub, person.sub);
		assert.equal(exp - iat, 12 * 3600);
		tokens.add(person.token);
	}
	assert.equal(tokens.size, everybody.length);
	assert.equal(mode(`${stack}/people.json`), '600');
	assert.equal(mode(`${stack}/demo-issuer.key`), '600');
	assert.equal(mode(`${stack}/private`), '700');
	for (const name of readdirSync(`${stack}/private`)) {
		assert.equal(mode(`${stack}/private/${name}`), name.endsWith('.pub') ? '644' : '600', name);
	}
	assert.equal(mode(`${stack}-vault`), '700');
	assert.equal(mode(vaultFile), '600');
});

test('a second run keeps cluster, keys and data, mints tokens anew, and stops what it started', limit, async () => {
	postgres.stop();
	const old = { index: read('private/index.key'), vault: readFileSync(vaultFile, 'utf8'), issuer: read('demo-issuer.key'), cluster: identifier(),
		people: peopleOf() };
	const child = spawn(script, own, { stdio: ['ignore', 'pipe', 'pipe'] });
	let said = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8');
		stream.on('data', text => { said += text; });
	}
	const ended = new Promise(resolve => { child.once('exit', (code, signal) => resolve({ code, signal })); });
	try {
		await until(() => `it serves\n${said}`, () => said.includes(`conductd serves on http://127.0.0.1:${port}`), 60000);
		assert.match(said, /the schema is current|applied api/);
		assert.doesNotMatch(said, /applied migrations/);
		assert.equal(read('private/index.key'), old.index);
		assert.equal(readFileSync(vaultFile, 'utf8'), old.vault);
		assert.equal(read('demo-issuer.key'), old.issuer);
		assert.equal(identifier(), old.cluster);
		const people = peopleOf();
		for (const name of everybody) {
			assert.notEqual(people[name].token, old.people[name].token, name);
			assert.equal(people[name].sub, old.people[name].sub);
			assert.equal((await get('/v1/me', { headers: { Authorization: `Bearer ${people[name].token}` } })).status, 200, name);
		}
		assert.deepEqual(sql("select current_setting('fsync'), current_setting('full_page_writes'),"
			+ " current_setting('synchronous_commit'), current_setting('password_encryption')"),
		[['on', 'on', 'on', 'scram-sha-256']]);
		assert.deepEqual(sql("select distinct auth_method from pg_hba_file_rules where type = 'host'"), [['scram-sha-256']]);

		const busy = quickstart(own);
		assert.equal(busy.status, 1);
		assert.match(busy.stderr, /^quickstart: port \d+ on 127\.0\.0\.1 is taken \(another quickstart\?\)/m);
		await expectCall(201, { authorization: `Bearer ${people.reporter.token}` }, 'POST', '/v1/reports',
			{ body: reportBody() });
	} finally {
		child.kill('SIGTERM');
	}
	const end = await ended;
	assert.ok(end.code === 143 || end.signal === 'SIGTERM', JSON.stringify(end));
	for (const number of [port, port + 1, port + 2]) {
		assert.equal(await isListening(number), false, `${number} is still served`);
	}
	assert.equal(postgres.pid(), undefined);
});

test('an upgrade ends nothing, and who took over ends with it', limit, async () => {
	postgres.stop();
	const child = spawn(script, own, { stdio: 'ignore' });
	const ended = new Promise(resolve => { child.once('exit', resolve); });
	const number = pattern => Number(pattern.exec(read('conductd.log'))?.[1]);
	let next;
	try {
		await until('it serves', async () => (await readyz()).status === 200, 60000);
		const old = number(/"all processes are ready".*"process\.pid":(\d+)/);
		process.kill(old, 'SIGUSR2');
		next = await until('another takes over', () => number(/"upgrade: process (\d+) serves/), 30000);
		await until('the old one has ended', () => !isAlive(old), 30000);
		// The script ends the database where it believes that the daemon has ended.
		await until('it is ready', async () => (await readyz()).status === 200);
		assert.equal(child.exitCode, null);
	} finally {
		child.kill('SIGTERM');
	}
	await ended;
	assert.ok(!isAlive(next), 'what took over runs on');
	assert.equal(postgres.pid(), undefined);
});

test('a second run after kill -9 of everything starts again', limit, async () => {
	await postgres.start();
	const [[n]] = sql('select count(*) from conduct.report');
	await postgres.kill();
	const { status, stdout, stderr } = quickstart([...own, '--once']);
	assert.equal(status, 0, `${stdout}\n${stderr}`);
	await postgres.start();
	assert.deepEqual(sql('select count(*) from conduct.report'), [[n]]);
});

test('a run on other ports finds what there is', limit, async () => {
	const [[n]] = sql('select count(*) from conduct.report');
	postgres.stop();
	const moved = own.map(word => (word === String(port) ? String(port + 20) : word));
	for (const args of [moved, own]) {
		const { status, stdout, stderr } = quickstart([...args, '--once']);
		assert.equal(status, 0, `${stdout}\n${stderr}`);
	}
	await postgres.start();
	assert.deepEqual(sql('select count(*) from conduct.report'), [[n]]);
});

test('whoever removed the state begins anew', limit, () => {
	const keys = [];
	for (const _ of 'ab') {
		rmSync(second, { recursive: true, force: true });
		const { status, stdout, stderr } = quickstart(other);
		assert.equal(status, 0, `${stdout}\n${stderr}`);
		assert.match(stdout, /applied migrations/);
		keys.push(readFileSync(`${second}/private/index.key`, 'utf8'));
	}
	assert.notEqual(keys[0], keys[1]);
});

test('a build that was set up without Check gets the tests when Check is there', limit, () => {
	const dir = mkdtempSync(`${tmpdir()}/conductd-build-`);
	try {
		const without = `${dir}/pkg-config`;
		writeFileSync(without, '#!/bin/sh\nfor word; do [ "$word" != check ] || exit 1; done\nexec pkg-config "$@"\n', { mode: 0o755 });
		const set_up = spawnSync('meson', ['setup', `${dir}/build`, top], { encoding: 'utf8', env: { ...process.env, PKG_CONFIG: without } });
		assert.equal(set_up.status, 0, set_up.stdout);
		const target = 'tests/unit/base/test_base_codec';
		assert.ok(!readFileSync(`${dir}/build/build.ninja`, 'utf8').includes(target));
		const { status, stdout, stderr } = spawnSync(`${top}/tests/harness/build`, ['sanitised', target],
			{ encoding: 'utf8', env: { ...process.env, CONDUCTD_BUILD: `${dir}/build` } });
		assert.equal(status, 0, stdout + stderr);
		assert.equal(spawnSync(`${dir}/build/${target}`).status, 0);
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});
