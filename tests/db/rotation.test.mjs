// Another intake key takes over: step by step, on several hosts, while units are sealed and processes die;
// and what is told of keys that do not belong together.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { opener, readPublic, readVault, seededKey, seedSql } from '../harness/keyring.mjs';
import { Daemon, Deployment, conninfo, ctl, sql, until } from './daemon.mjs';

const seed = Number(process.env.CONDUCTD_SEED ?? Math.floor(Math.random() * 2 ** 31));
const n_units = 600;
let deployment, daemon;

before(async () => {
	deployment = await Deployment.make('rotation', { jobs: 'rotation: 1s' });
	daemon = await Daemon.start(deployment);
});

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

const file = name => join(deployment.dir, name);
const keys = (...args) => ctl('-c', deployment.file, '--database', conninfo('rotation'), 'keys', ...args);
const passphrase = () => readFileSync(deployment.vault('vault.passphrase'), 'utf8').trim();
const vault = () => readVault(deployment.vault('vault.key'), passphrase());
const states = () => sql('rotation', "select string_agg(key_id || ' ' || state, ', ' order by key_id) from keyring.vault_key");
const count = key => Number(sql('rotation', `select count(*) from keyring.stanza where key_id = ${key}`));

async function good(...args) {
	const done = await keys(...args);
	assert.equal(done.code, 0, done.stderr);
	return done.stdout;
}

async function reload() {
	const n = daemon.messages(/^(reloaded|kept what it had)$/).length;
	daemon.child.kill('SIGHUP');
	await until('everybody has reloaded', () => daemon.messages(/^(reloaded|kept what it had)$/).length >= n + 4);
}

/** Every stanza opens with the present key file, and a seeded one holds the key that was sealed. */
function checkAll() {
	const open = opener(vault());
	const rows = sql('rotation', `select unit_id, generation, key_id, encode(blob, 'hex') from keyring.stanza
		where kind = 'vault'`).split('\n').filter(Boolean).map(line => line.split('|'));
	for (const [unit, generation, key, blob] of rows) {
		const opened = open(unit, Number(generation), Number(key), Buffer.from(blob, 'hex'));
		if (seeded.has(unit)) {
			assert.deepEqual(opened, seededKey(unit, Number(generation)), unit);
		}
	}
	assert.equal(rows.filter(([unit]) => seeded.has(unit)).length, seeded.size, 'none is lost, none is doubled');
	return rows.length;
}

const seeded = new Set();
/** As web does: units sealed to the key of the public file. */
function sealUnits(n, pub = readPublic(file('vault.pub'))) {
	// As much at a time as an argument of psql may be long.
	for (let left = n; left > 0; left -= 200) {
		const text = seedSql(pub, Math.min(left, 200));
		sql('rotation', text);
		for (const [, unit] of text.matchAll(/\('([0-9a-f-]{36})', 'person'/g)) {
			seeded.add(unit);
		}
	}
}

const knows = key => until(`the host says that it has key ${key}`, () =>
	sql('rotation', `select ${key} = any (key_ids) from keyring.vault_host where host = 'tests'`) === 't');

/** The whole way to another active key; what happens meanwhile is the caller's. */
async function rotate() {
	const next = Number(sql('rotation', 'select max(key_id) + 1 from keyring.vault_key'));
	await good('rotate');
	await reload();
	await knows(next);
	await good('activate');
	await reload();
	return next;
}

const token = () => JSON.parse(readFileSync(file('people.json'), 'utf8')).reporter?.token
	?? JSON.parse(readFileSync(file('people.json'), 'utf8')).people.reporter.token;

async function report() {
	const answer = await fetch(`http://127.0.0.1:${deployment.port}/v1/reports`, {
		method: 'POST',
		headers: { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/json',
			'Idempotency-Key': randomUUID() },
		body: JSON.stringify({ wiki: 'enwiki', category: 'trolling', respondents: [{ user: 'Rene Respondent' }],
			details: 'Taunts.' }),
	});
	assert.equal(answer.status, 201, await answer.text());
}

test('a key is made, spread, activated; units follow it; the old one is destroyed', async () => {
	await knows(1);
	sealUnits(200);
	const before = sql('rotation', 'select string_agg(encode(blob, \'hex\'), \'\' order by unit_id) from keyring.stanza');
	assert.match(await good('rotate'), /^Intake key 2 is pending .*\n.*\nOn every other host, import a copy/);
	assert.equal(states(), '1 active, 2 pending');
	assert.match(await good('rotate'), /^Intake key 2 is pending/, 'a second run makes no third key');
	assert.equal(readPublic(file('vault.pub')).keyId, 1);
	const early = await keys('activate');
	assert.equal(early.code, 1);
	assert.match(early.stderr, /have not said that they have intake key 2: tests\. Import it there and reload/);
	await reload();
	await knows(2);
	assert.equal(count(2), 0, 'nothing moves before the new key is active');
	assert.match(await good('activate'), /^made .*vault\.pub\nIntake key 2 is active\./);
	assert.equal(states(), '1 decrypt_only, 2 active');
	await until('all is sealed to the new key', () => count(1) === 0);
	checkAll();
	assert.notEqual(sql('rotation', 'select string_agg(encode(blob, \'hex\'), \'\' order by unit_id) from keyring.stanza'), before);
	// This host's web processes have not been told yet: what they seal follows as well.
	sealUnits(3, { ...readPublic(file('vault.pub')), keyId: 1, key: Buffer.from(sql('rotation',
		"select encode(public_key, 'hex') from keyring.vault_key where key_id = 1"), 'hex') });
	await until('so has what was sealed late', () => count(1) === 0);
	await reload();
	assert.ok(await daemon.metric('conductd_rotation_units_total') >= seeded.size);
	assert.equal(await daemon.metric('conductd_rotation_stuck'), 0);
	await until('the host seals to it', () => sql('rotation', 'select seals_to from keyring.vault_host') === '2');
	const status = await good('status');
	assert.match(status, /\nkey 1 {6}decrypt_only 0 keys of units are sealed to it\nkey 2 {6}active {7}\d{3} keys of units/);
	assert.match(status, /\nhost tests seals to key 2 and opens 1, 2 \(said at /);

	const refused = await keys('destroy', '1');
	assert.match(refused.stderr, /intake key 1 is decrypt_only: only a retired key is destroyed/);
	assert.match((await keys('destroy', '2')).stderr, /intake key 2 is the active one: `conductctl keys rotate` makes another/);
	assert.match((await keys('activate', '--without', 'nobody')).stderr, /there is no host nobody/);
	assert.equal((await ctl('-c', deployment.file, 'demo', 'clock', '+2h')).code, 0);
	await until('the worker retires it', () => states() === '1 retired, 2 active');
	assert.match(await good('destroy', '1'), /^Intake key 1 is destroyed/);
	assert.match(await good('destroy', '1'), /^Intake key 1 is destroyed/, 'a second run finishes what the first did not');
	assert.deepEqual([...vault().keys.keys()], [2]);
	await reload();
	assert.throws(() => sealUnits(1, { ...readPublic(file('vault.pub')), keyId: 1 }), /stanza_key_fkey/);
	await until('the host says so', () => sql('rotation', "select key_ids from keyring.vault_host") === '{2}');
	assert.equal((await daemon.readiness()).status, 200);
});

test('a file whose pending key is not the database\'s is never sealed to', async () => {
	const vaultFile = deployment.vault('vault.key');
	const next = Number(sql('rotation', 'select max(key_id) + 1 from keyring.vault_key'));
	const [old, pub] = [readFileSync(vaultFile), readFileSync(file('vault.pub'))];
	await good('rotate');
	const other = readFileSync(vaultFile);
	// As when two hosts had made a key each, under one number.
	sql('rotation', `delete from keyring.vault_key where key_id = ${next}`);
	writeFileSync(vaultFile, old);
	await good('rotate');
	const own = readFileSync(vaultFile);
	writeFileSync(vaultFile, other);
	for (const command of ['rotate', 'activate', 'init']) {
		const { code, stderr } = await keys(command, ...command === 'init' ? ['--host', 'tests'] : []);
		assert.equal(code, 1, command);
		assert.match(stderr, new RegExp(`the database has another intake key ${next} than .*copy the right one`, 's'));
	}
	assert.deepEqual(readFileSync(file('vault.pub')), pub);
	writeFileSync(vaultFile, own);
	assert.match(await good('rotate'), new RegExp(`^Intake key ${next} is pending`));
	// Nothing came of it.
	sql('rotation', `delete from keyring.vault_key where key_id = ${next}`);
	writeFileSync(vaultFile, old);
});

test('a key that is sealed to again is not retired, and never destroyed', async () => {
	const old = readPublic(file('vault.pub'));
	await rotate();
	await until('all is sealed to the new key', () => count(2) === 0);
	assert.equal((await ctl('-c', deployment.file, 'demo', 'clock', '+2h')).code, 0);
	await until('it is retired', () => /2 retired/.test(states()));
	sealUnits(1, old);
	await until('and sealed again', () => count(2) === 0);
	checkAll();
});

test('another host imports the key, and keeps its own for the log', async () => {
	const twin = await deployment.twin();
	const own = { key: join(deployment.vaultDir, 'twin.key'), pub: join(deployment.dir, 'twin.pub') };
	copyFileSync(deployment.vault('vault.key'), own.key);
	writeFileSync(twin.file, readFileSync(twin.file, 'utf8').replace(deployment.vault('vault.key'), own.key)
		.replace(file('vault.pub'), own.pub));
	const there = (...args) => ctl('-c', twin.file, '--database', conninfo('rotation'), 'keys', ...args);
	assert.equal((await there('init', '--host', 'twin')).code, 0);
	const second = await Daemon.start(twin);
	await until('both have said what they have', () => sql('rotation', 'select count(*) from keyring.vault_host') === '2');
	const next = Number(sql('rotation', 'select max(key_id) + 1 from keyring.vault_key'));
	await good('rotate');
	await reload();
	await knows(next);
	assert.match((await keys('activate')).stderr, new RegExp(`have not said that they have intake key ${next}: twin\\.`));
	assert.match((await there('activate')).stderr, new RegExp(`lacks intake key ${next}: import it`));
	assert.match((await there('rotate')).stderr, new RegExp(`another host has made intake key ${next} already`));
	assert.match((await there('import', deployment.vault('vault.key'))).stdout, /has 1 more intake keys/);
	assert.equal(readVault(own.key, passphrase()).host, 'twin');
	second.child.kill('SIGHUP');
	await until('the twin has it', () => sql('rotation',
		`select ${next} = any (key_ids) from keyring.vault_host where host = 'twin'`) === 't');
	await good('activate');
	await reload();
	assert.equal((await there('activate')).code, 0);
	assert.equal(readPublic(own.pub).keyId, next);
	await second.stop();
	// It is gone for good: the next rotation goes on without it.
	await good('rotate');
	await reload();
	await knows(next + 1);
	assert.match((await keys('activate')).stderr, /: twin\./);
	await good('activate', '--without', 'twin');
	await reload();
	await until('all is sealed to the new key', () => count(next) === 0);
	checkAll();
});

test('the log goes on under another key of the host', async () => {
	const size = () => Number(sql('rotation', 'select max(size) from conduct.audit_checkpoint'));
	assert.match(await good('rotate', '--log'), /^made .*vault\.pub\ntests signs the log with another key\. Keep the old public key [0-9a-f]{64}:/);
	await reload();
	const from = size();
	await report();
	await until('a checkpoint is signed with it', () => size() > from);
	assert.equal((await daemon.readiness()).status, 200);
});

test('new escrow shares open the file, and old ones do not', async () => {
	const shares = (await good('escrow')).split('\n').filter(line => line.startsWith('share'));
	assert.equal(shares.length, 5);
	await reload();
	assert.equal((await daemon.checks()).vault.ok, true);
	checkAll();
});

test('processes die while units are sealed and rotated: every one of them opens', { timeout: 3600000 }, async t => {
	const n_kills = process.env.EFFORT === 'full' ? 200 : 8;
	const victims = ['worker', 'vault', 'web 1', 'backend'];
	let random = seed;
	const choose = n => (random = (random * 1103515245 + 12345) % 2 ** 31) % n;
	const old = readPublic(file('vault.pub'));
	const next = await rotate();
	for (let i = 0; i < n_kills; i++) {
		// To the old key, as a host that was not told would, so that there is always something to do.
		sealUnits(n_units, old);
		const goal = n_units - choose(n_units / 2);
		await until('the rotation goes on', () => count(old.keyId) < goal);
		const victim = victims[choose(victims.length)];
		if (victim === 'backend') {
			const pid = Number(sql('rotation', "select pid from pg_stat_activity where application_name = 'conductd worker' limit 1"));
			process.kill(pid, 'SIGKILL');
			await until('the server is back', () => {
				try {
					return sql('rotation', 'select 1') === '1';
				} catch {
					return false;
				}
			});
		} else {
			process.kill(daemon.pid(victim), 'SIGKILL');
		}
		sealUnits(5);
	}
	await until('all is sealed to the new key', () => count(old.keyId) === 0, 120000);
	const n = checkAll();
	assert.equal(count(next), n);
	await daemon.ready();
	await report();
	t.diagnostic(`note: rotation: seed ${seed}; ${n_kills} kills, ${n} keys of units, unreadable 0`);
});

const tell = [
	['a wrong passphrase', 'kill', () => writeFileSync(deployment.vault('vault.passphrase'), 'another passphrase\n'),
		/vault\.key: the passphrase does not open the file: give the right one, or let three holders of escrow shares/],
	['a missing file', 'kill', () => rmSync(deployment.vault('vault.key')), /vault\.key: there is no such file/],
	['a truncated file', 'HUP', () => writeFileSync(deployment.vault('vault.key'), readFileSync(deployment.vault('vault.key'), 'utf8').slice(0, -40)),
		/vault\.key: the file is damaged, or of another version: copy it from another host or a backup/],
	['a public file of another vault', 'HUP', () => writeFileSync(file('vault.pub'), readFileSync(file('vault.pub'), 'utf8')
		.replace(/^(intake \d+ )(.)/m, (all, head, digit) => head + (digit === '0' ? '1' : '0'))),
		/vault\.pub: the public file is not of this key file, or names a key that it lacks: copy the newer key file/],
];

for (const [name, how, spoil, message] of tell) {
	test(`${name}: an error that says what to do, reports go on, and nothing is lost`, async () => {
		const kept = [deployment.vault('vault.key'), deployment.vault('vault.passphrase'), file('vault.pub')]
			.map(path => [path, readFileSync(path)]);
		spoil();
		if (how === 'HUP') {
			await reload();
		} else {
			process.kill(daemon.pid('vault'), 'SIGKILL');
		}
		await daemon.said(message);
		await report();
		for (const [path, bytes] of kept) {
			writeFileSync(path, bytes, { mode: 0o600 });
		}
		if (how === 'HUP') {
			await reload();
		}
		await until('the vault is back', async () => (await daemon.checks()).vault?.ok);
		await report();
		await daemon.ready();
		checkAll();
	});
}

test('files older than the active key: what cannot be read is named, reports go on, a newer file heals it', async () => {
	const paths = [deployment.vault('vault.key'), file('vault.pub')];
	const older = paths.map(path => readFileSync(path));
	await rotate();
	const old = readPublic(file('vault.pub')).keyId - 1;
	await until('all is sealed to the new key', () => count(old) === 0);
	const newer = paths.map(path => readFileSync(path));
	paths.forEach((path, i) => writeFileSync(path, older[i]));
	await reload();
	const { keys: check } = await until('the check says so', async () => {
		const checks = await daemon.checks();
		return checks.keys?.ok === false && checks;
	});
	assert.match(check.detail, new RegExp(`^the vault lacks the intake keys ${old + 1} that units are sealed to, .* copy the newer key file`));
	await report();
	paths.forEach((path, i) => writeFileSync(path, newer[i]));
	await reload();
	await daemon.ready();
	checkAll();
});

test('a database restored from before the rotation gets the key from the vault', async () => {
	const { keyId } = readPublic(file('vault.pub'));
	sql('rotation', `delete from keyring.stanza where key_id = ${keyId}; delete from keyring.vault_key where key_id = ${keyId};
		update keyring.vault_key set state = 'active' where key_id = ${keyId - 1}`);
	seeded.clear();
	await daemon.said(/^the database lacked intake keys that the vault has/);
	await until('it is active again', () => states().endsWith(`${keyId - 1} decrypt_only, ${keyId} active`));
	await report();
	sealUnits(5);
	checkAll();
	await daemon.ready();
});
