// The vault's files: made, kept, carried to another host, opened by shares; and a daemon without them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, Deployment, bootstrap, conductctl, conninfo, ctl, sql, until } from './daemon.mjs';

let deployment;

before(async () => {
	deployment = await Deployment.make('keys');
});

after(() => {
	deployment?.remove();
});

const file = name => ['vault.key', 'vault.passphrase'].includes(name) ? deployment.vault(name) : join(deployment.dir, name);
const read = name => readFileSync(file(name), 'utf8');
const asAdmin = (...args) => ctl('-c', deployment.file, '--database', conninfo('keys'), ...args);
const init = host => asAdmin('keys', 'init', '--host', host);
const sharesOf = text => text.split('\n').filter(line => line.startsWith('share'));

/** conductctl keys recover, with these lines on its standard input. */
function recover(lines) {
	return new Promise(done => {
		const child = execFile(conductctl, ['-c', deployment.file, 'keys', 'recover'],
			(error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }));
		child.stdin.end(lines.join('\n'));
	});
}

/** The keys anew, as on the first day; the database forgets the old. */
async function fresh() {
	sql('keys', 'delete from keyring.stanza; delete from keyring.vault_key; delete from keyring.vault_host');
	for (const name of ['vault.key', 'vault.pub', 'vault.passphrase']) {
		rmSync(file(name), { force: true });
	}
	const made = await init('tests');
	assert.equal(made.code, 0, made.stderr);
	return made;
}

const KEYLESS = /^conductctl: [1-9]\d* words and files have no key: restore schema keyring from the backup that was made with theirs\n/;
/** In order, but for the words of the days before, whose keys fresh() took. */
async function inOrder() {
	const { stdout, stderr } = await asAdmin('keys', 'status');
	assert.equal(stderr.replace(KEYLESS, ''), '', stdout);
	assert.equal(stdout.match(/in order/g).length, 3, stdout);
}

test('keys are made once, private, and known to the database', async () => {
	const made = await fresh();
	assert.match(made.stdout, /^kept .*index\.key\nmade .*vault\.passphrase\nmade .*vault\.key\n/);
	assert.match(made.stdout, /\ndatabase {3}intake key 1 is active\nmade .*vault\.pub\n$/);
	for (const [name, mode] of [['vault.key', 0o600], ['vault.passphrase', 0o600], ['vault.pub', 0o644]]) {
		assert.equal(statSync(file(name)).mode & 0o777, mode, name);
	}
	const [, id, key] = /^intake (\d+) ([0-9a-f]{64})$/m.exec(read('vault.pub'));
	assert.equal(sql('keys', "select key_id || ' ' || encode(public_key, 'hex') || ' ' || state from keyring.vault_key"),
		`${id} ${key} active`);
	assert.equal(sql('keys', 'select deployment_id from conduct.deployment'),
		/^deployment (.*)$/m.exec(read('vault.pub'))[1]);
	const before = read('vault.key');
	const again = await init('tests');
	assert.equal(again.code, 0, again.stderr);
	assert.equal(again.stdout.match(/^kept /gm).length, 3);
	assert.deepEqual(sharesOf(again.stdout), []);
	assert.equal(read('vault.key'), before);
	const status = await asAdmin('keys', 'status');
	assert.equal(status.code, 0, status.stdout + status.stderr);
	assert.match(status.stdout, /vault key .* in order: 1 intake key, signs the log as tests\n/);
});

test('what is interrupted is finished by the next run', async () => {
	await fresh();
	rmSync(file('vault.pub'));
	sql('keys', 'delete from keyring.vault_key');
	const again = await init('tests');
	assert.equal(again.code, 0, again.stderr);
	assert.match(again.stdout, /kept .*vault\.key\ndatabase .*\nmade .*vault\.pub\n/);
	assert.equal((await asAdmin('keys', 'status')).code, 0);
});

test('a deployment gets no second set of intake keys', async () => {
	await fresh();
	rmSync(file('vault.key'));
	const { code, stderr } = await init('tests');
	assert.equal(code, 1);
	assert.match(stderr, /vault\.key: there is no such file, and this deployment has its intake keys already: copy the file/);
});

test('a deployment gets no second passphrase and no second index key', async () => {
	await fresh();
	const [index, before] = [read('index.key'), statSync(file('vault.key')).mtimeMs];
	rmSync(file('vault.passphrase'));
	const locked = await init('tests');
	assert.equal(locked.code, 1);
	assert.match(locked.stderr, /the passphrase of .*vault\.key is not here: copy it .* `conductctl keys recover`/);
	assert.equal(existsSync(file('vault.passphrase')), false);
	await fresh();
	rmSync(file('index.key'));
	const lost = await init('tests');
	assert.equal(lost.code, 1);
	assert.match(lost.stderr, /index\.key: there is no such file, and this deployment has its index key already: copy the file/);
	assert.equal(existsSync(file('index.key')), false);
	for (const [text, message] of [['0'.repeat(64), /index\.key:? +the index key is not that of the database.*: copy it/],
		['00', /index\.key:? +the file does not hold 64 hex digits: copy it/]]) {
		writeFileSync(file('index.key'), `${text}\n`, { mode: 0o600 });
		const other = await init('tests');
		assert.equal(other.code, 1);
		assert.match(other.stderr, message);
		const status = await asAdmin('keys', 'status');
		assert.equal(status.code, 1);
		assert.match(status.stdout + status.stderr, message);
	}
	writeFileSync(file('index.key'), index, { mode: 0o600 });
	assert.equal((await init('tests')).code, 0);
	assert.notEqual(statSync(file('vault.key')).mtimeMs, before);
});

test('who wants another index key says so', async () => {
	await fresh();
	rmSync(file('index.key'));
	const { code, stdout, stderr } = await asAdmin('keys', 'init', '--host', 'tests', '--new-index-key');
	assert.equal(code, 0, stderr);
	assert.match(stdout, /^made .*index\.key\n/);
	assert.equal((await asAdmin('keys', 'status')).code, 0);
	assert.equal((await init('tests')).code, 0);
});

test('shares that nobody has seen take nothing from those of before', async () => {
	const shares = sharesOf((await fresh()).stdout);
	const full = await new Promise(done => {
		const command = `exec "$0" -c "$1" --database "$2" keys escrow >/dev/full`;
		execFile('sh', ['-c', command, conductctl, deployment.file, conninfo('keys')],
			(error, stdout, stderr) => done({ code: error?.code ?? 0, stderr }));
	});
	assert.equal(full.code, 1);
	assert.match(full.stderr, /the escrow shares could not be printed: run `conductctl keys escrow`/);
	assert.equal((await recover(shares.slice(0, 3))).code, 0);
});

test('beside a database of another index key nothing is served', async () => {
	await fresh();
	const index = read('index.key');
	writeFileSync(file('index.key'), `${'0'.repeat(64)}\n`, { mode: 0o600 });
	const before = sql('keys', "select count(*) from conduct.content where kind = 'details'");
	const daemon = await Daemon.start(deployment, { ready: false });
	// Under indexes of its own not even who is accused would be kept out, also before anything was asked.
	const first = await Promise.all(Array.from({ length: 8 }, () => emergency(deployment.port)));
	assert.deepEqual(first.map(answer => answer.status), Array(8).fill(503));
	const check = await until('the database is asked', async () => (await daemon.checks()).index_key);
	assert.equal(check.ok, false);
	assert.match(check.detail, /the index key is not that of the database.*: copy index_key_file from another host or a backup/);
	await daemon.said(/^database: the server gets no call$/);
	assert.equal((await emergency(deployment.port)).status, 503);
	assert.equal(sql('keys', "select count(*) from conduct.content where kind = 'details'"), before);
	await daemon.stop();
	writeFileSync(file('index.key'), index, { mode: 0o600 });
});

test('words whose keys are gone are told', async () => {
	await fresh();
	const daemon = await Daemon.start(deployment);
	assert.equal((await emergency(deployment.port)).status, 201);
	await daemon.stop();
	await fresh();
	const { code, stderr } = await asAdmin('keys', 'status');
	assert.equal(code, 1);
	assert.match(stderr, KEYLESS);
});

test('another host has the same intake key and a signing key of its own', async () => {
	await fresh();
	const [first, firstKey] = [read('vault.pub'), read('vault.key')];
	const { code, stdout } = await init('second');
	assert.equal(code, 0);
	assert.match(stdout, /kept .*vault\.key, with a new log-signing key for second\n/);
	const [, intake, log] = /(deployment .*\nintake .*\n)(log .*\n)/.exec(read('vault.pub'));
	assert.ok(first.includes(intake));
	assert.match(log, /^log second [0-9a-f]{64}\n$/);
	assert.ok(!first.includes(log.split(' ')[2]));
	assert.notEqual(read('vault.key'), firstKey);
	await inOrder();
	assert.equal((await asAdmin('keys', 'init', '--host', 'a host')).code, 2);
});

test('three shares open the key file when its passphrase is lost', async () => {
	const shares = sharesOf((await fresh()).stdout);
	assert.equal(shares.length, 5);
	const pub = read('vault.pub');
	writeFileSync(file('vault.passphrase'), 'another passphrase\n', { mode: 0o600 });
	const wrong = await asAdmin('keys', 'status');
	assert.equal(wrong.code, 1);
	assert.match(wrong.stdout, /the passphrase does not open the file: .* `conductctl keys recover`/);
	for (const [lines, message] of [
		[shares.slice(0, 2), /3 different shares are needed/],
		[[shares[0], shares[1], shares[1]], /3 different shares are needed/],
		[[shares[0], shares[1], `${shares[2].slice(0, -1)}!`], /share 3 is mistyped/],
		[[], /3 different shares are needed/],
	]) {
		const { code, stderr } = await recover(lines);
		assert.equal(code, 1);
		assert.match(stderr, message);
	}
	const { code, stdout, stderr } = await recover([shares[4], '', shares[1].toLowerCase(), shares[3]]);
	assert.equal(code, 0, stderr);
	assert.match(stdout, /vault\.key opens with the present passphrase again/);
	assert.equal((await init('tests')).code, 0);
	assert.equal(read('vault.pub'), pub);
	await inOrder();
});

test('shares of another key file open nothing', async () => {
	const others = sharesOf((await fresh()).stdout);
	await fresh();
	const { code, stderr } = await recover(others.slice(0, 3));
	assert.equal(code, 1);
	assert.match(stderr, /these shares are of another key file/);
});

test('keys of another deployment are refused', async () => {
	await fresh();
	sql('postgres', 'create database keys_twin');
	assert.equal((await bootstrap('keys_twin')).code, 0);
	for (const command of [['init', '--host', 'tests'], ['status']]) {
		const { code, stderr } = await ctl('-c', deployment.file, '--database', conninfo('keys_twin'), 'keys', ...command);
		assert.equal(code, 1);
		assert.match(stderr, /the keys are those of another deployment than the database/);
	}
});

test('a credential of the service goes before the file', async () => {
	await fresh();
	const credentials = deployment.vault('credentials');
	cpSync(file('vault.passphrase'), join(credentials, 'vault.passphrase'));
	// As systemd leaves it that grants it by an access list.
	chmodSync(join(credentials, 'vault.passphrase'), 0o440);
	writeFileSync(file('vault.passphrase'), 'not this passphrase\n', { mode: 0o600 });
	const daemon = await Daemon.start(deployment, { environment: { CREDENTIALS_DIRECTORY: credentials } });
	assert.equal((await daemon.checks()).vault.ok, true);
	await daemon.stop();
});

const wrong = [
	['no key file', () => rmSync(file('vault.key')), /vault\.key: there is no such file: make it with `conductctl keys init`/],
	['a key file for others to read', () => chmodSync(file('vault.key'), 0o644), /vault\.key: the file must be readable by its owner alone/],
	['a damaged key file', () => writeFileSync(file('vault.key'), read('vault.key').replace(/keys ..../, 'keys 0000')),
		/vault\.key: the file is damaged/],
	['another passphrase', () => writeFileSync(file('vault.passphrase'), 'not this passphrase\n'), /the passphrase does not open the file/],
	['no passphrase', () => rmSync(file('vault.passphrase')), /vault: there is no passphrase for the vault's key file/],
	['no public file', () => rmSync(file('vault.pub')), /vault\.pub: there is no such file/],
	['a public file of other keys', () => writeFileSync(file('vault.pub'), read('vault.pub').replace(/log tests ./, match =>
		`log tests ${match.endsWith('0') ? '1' : '0'}`)), /vault\.pub: the public file is not of this key file/],
];

for (const [name, spoil, message] of wrong) {
	test(`with ${name} the daemon does not start, and says what to do`, async () => {
		await fresh();
		spoil();
		const daemon = await Daemon.start(deployment, { ready: false });
		assert.deepEqual(await daemon.ended, { code: 1, signal: null });
		assert.match(daemon.text(), message);
	});
}

test('on HUP the vault reads its keys again and keeps the old when the new are wrong', async () => {
	await fresh();
	const daemon = await Daemon.start(deployment);
	const key = read('vault.key');
	writeFileSync(file('vault.key'), 'nonsense\n');
	daemon.child.kill('SIGHUP');
	await daemon.said(/vault\.key: the file is damaged/);
	await daemon.said(/^kept what it had$/);
	assert.equal((await daemon.checks()).vault.ok, true);
	writeFileSync(file('vault.key'), key);
	await daemon.stop();
});

/** An emergency as soon as anybody listens: before any policy is loaded, and before the database was asked anything. */
function emergency(port) {
	return until('somebody listens', () => fetch(`http://127.0.0.1:${port}/v1/reports`, { method: 'POST',
		headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
		body: '{"lane":"emergency","harm_type":"physical_harm","details":"Somebody is in danger."}' }).catch(() => undefined));
}

test('an emergency in the moment that a daemon starts is taken', async () => {
	await fresh();
	const before = Number(sql('keys', 'select count(*) from conduct.report'));
	const daemon = await Daemon.start(deployment, { ready: false });
	const answer = await emergency(deployment.port);
	assert.equal(answer.status, 201, await answer.text());
	assert.equal(Number(sql('keys', 'select count(*) from conduct.report')), before + 1);
	await daemon.ready();
	await daemon.stop();
});

test('a daemon beside the database of another deployment is not ready, and stores nothing there', async () => {
	await fresh();
	const other = Object.assign(new Deployment(), deployment);
	other.database = 'keys_twin';
	other.file = file('twin.yaml');
	other.write();
	const daemon = await Daemon.start(other, { ready: false });
	// What it would seal nobody could open: it takes nothing.
	const first = await Promise.all(Array.from({ length: 8 }, () => emergency(other.port)));
	assert.deepEqual(first.map(answer => answer.status), Array(8).fill(503));
	const check = await until('the database is asked', async () => (await daemon.checks()).deployment);
	assert.equal(check.ok, false);
	assert.match(check.detail, /^the keys are those of another deployment than the database: name the right vault\.key_file/);
	await daemon.said(/^database: the server gets no call$/);
	assert.equal((await emergency(other.port)).status, 503);
	assert.equal(sql('keys_twin', 'select count(*) from conduct.content'), '0');
	assert.equal(sql('keys_twin', 'select count(*) from keyring.stanza'), '0');
	await daemon.stop();
});

test('the vault cannot be looked into and leaves no core', async () => {
	await fresh();
	const daemon = await Daemon.start(deployment);
	const status = readFileSync(`/proc/${daemon.pid('vault')}/status`, 'utf8');
	assert.match(status, /^Seccomp:\t2$/m);
	assert.match(status, /^NoNewPrivs:\t1$/m);
	assert.match(readFileSync(`/proc/${daemon.pid('vault')}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
	await daemon.stop();
});

test('web and worker are kept out of the directory of the vault, whatever their account may read', async () => {
	await fresh();
	const daemon = await Daemon.start(deployment);
	const status = title => readFileSync(`/proc/${daemon.pid(title)}/status`, 'utf8');
	for (const title of ['web 1', 'web 2', 'worker']) {
		assert.match(status(title), /^NoNewPrivs:\t1$/m);
	}
	// Of all that a web process reads anew, this is something that it would take from there.
	const other = deployment.vault('issuer.pub');
	cpSync(file('demo-issuer.pub'), other);
	const text = readFileSync(deployment.file, 'utf8');
	writeFileSync(deployment.file, text.replace(file('demo-issuer.pub'), other));
	daemon.child.kill('SIGHUP');
	await until('each says what it has come to', () => daemon.messages(/^(reloaded|kept what it had)$/).length === 4);
	assert.equal(daemon.messages(/^kept what it had$/).length, 2);
	assert.match(daemon.text(), /issuer\.pub: Permission denied/);
	writeFileSync(deployment.file, text);
	rmSync(other);
	await daemon.stop();
});

test('files that change do not lie on the way to those of the vault', async () => {
	await fresh();
	const text = readFileSync(deployment.file, 'utf8');
	const inside = deployment.vault('log.head');
	writeFileSync(deployment.file, text.replace(file('log.head'), inside));
	const daemon = await Daemon.start(deployment, { ready: false });
	assert.deepEqual(await daemon.ended, { code: 1, signal: null });
	assert.match(daemon.text(), /audit\.head_file: .* give vault\.key_file and vault\.passphrase_file a directory of their own/);
	writeFileSync(deployment.file, text);
});
