// Another intake key takes over while cases are reported, handled and read over HTTP, and while the daemon's
// processes, PostgreSQL's, and the postmaster itself are killed: every answer opens, and nothing is left under
// the old key.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { hangUp, sql } from '../harness/api.mjs';
import { verifyBundle } from '../harness/audit.mjs';
import { Daemon, ask, conductctl, conductctlLater, isFull, note, ownFile, postgres, randomFrom, stack, until, writeConfig } from './parts.mjs';
import { Words } from './words.mjs';

const BACK_MS = 30000;
const seed = Number(process.env.CONDUCTD_SEED ?? randomInt(2 ** 31));
const choose = randomFrom(seed);
const n_rotations = isFull ? 4 : 1;
const n_each = isFull ? 50 : 6;
const victims = ['worker', 'vault', 'web 1', 'web 2', 'backend', 'postmaster'];
const killed = Object.fromEntries(victims.map(victim => [victim, 0]));
const words = new Words({ seed, n_reporters: 2, n_handlers: 2, n_readers: 3 });
const file = `${stack}/private/vault.pub`;
let daemon;
let n_failed = 0;

before(async () => {
	await postgres.start();
	daemon = new Daemon(writeConfig('rotation', text => text, 'processes: {web: 2, drain: 20s}\njobs: {rotation: 2s}\n'),
		{ name: 'rotation' }).start();
	await daemon.ready();
});

after(async () => {
	words.is_over = true;
	await daemon.kill();
	postgres.stop();
});

const keys = (...args) => conductctlLater('-c', daemon.config, 'keys', ...args);
const count = async key => Number((await ask(`select count(*) from keyring.stanza where key_id = ${key}`))?.[0][0] ?? NaN);
const stateOf = key => sql(`select state from keyring.vault_key where key_id = ${key}`)[0]?.[0];

async function reload() {
	const count = () => daemon.lines().filter(line => /^(reloaded|kept what it had)$/.test(line.message)).length;
	const n = count();
	daemon.signal('SIGHUP');
	await until(() => `everybody has reloaded\n${daemon.tail()}`, () => count() >= n + 4);
}

/** A command of conductctl, as often as it takes while things die. */
async function insist(...args) {
	return until(() => `keys ${args.join(' ')} is done`, async () => {
		const { status, stdout, stderr } = await keys(...args);
		n_failed += status !== 0;
		assert.doesNotMatch(stderr, /lacks|another vault|damaged/);
		return status === 0 && stdout;
	}, 60000);
}

async function killBackend() {
	const rows = await ask(`select pid from pg_stat_activity where application_name like 'conductd %' and datname is not null`);
	const pid = Number(rows[choose(rows.length)][0]);
	process.kill(pid, 'SIGKILL');
	await until('PostgreSQL has noticed it', async () => (await ask(`select 1 from pg_stat_activity where pid = ${pid}`))?.length === 0);
}

async function killProcess(name) {
	const pid = daemon.children().get(name);
	process.kill(pid, 'SIGKILL');
	await until(`another ${name}`, () => {
		const now = daemon.children().get(name);
		return now && now !== pid;
	});
}

/** Kills one of them, and comes back when all is well again. */
async function kill(victim) {
	const end = words.beginFault();
	killed[victim]++;
	if (victim === 'postmaster') {
		await postgres.kill();
		await postgres.start();
	} else if (victim === 'backend') {
		await killBackend();
	} else {
		await killProcess(victim);
	}
	await until('PostgreSQL answers', () => ask('select 1'), BACK_MS);
	await daemon.ready(BACK_MS);
	end();
}

const knows = key => until(() => `the host says that it has key ${key}\n${daemon.tail()}`, async () =>
	(await ask(`select 1 from keyring.vault_host where ${key} = any (key_ids)`))?.length === 1, BACK_MS);

/** Until a pass of the rotation is under way: fewer are sealed to the old key than a moment ago. */
async function isMoving(key) {
	let last = await count(key);
	await until(() => `keys move away from ${key}\n${daemon.tail()}`, async () => {
		const now = await count(key);
		const isLess = now < last;
		last = now;
		return isLess || words.wrong.length;
	}, BACK_MS);
	assert.deepEqual(words.wrong, []);
}

async function rotate(nth) {
	const old = Number(sql("select key_id from keyring.vault_key where state = 'active'")[0][0]);
	const next = old + 1;
	const order = Array.from({ length: n_each }, (_, i) => victims[(i + nth) % victims.length]);
	const take = () => order.splice(choose(order.length), 1)[0];
	await Promise.all([insist('rotate'), kill(take())]);
	await insist('rotate');
	await reload();
	await knows(next);
	const before = readFileSync(file, 'utf8');
	await Promise.all([insist('activate'), kill(take())]);
	await insist('activate');
	assert.equal(stateOf(next), 'active');
	// As on a host that has not been told: its web processes seal to the old key, so there is always something to do.
	const after = readFileSync(file, 'utf8');
	ownFile(file, before, 0o644);
	await reload();
	while (order.length) {
		await isMoving(old);
		await kill(take());
	}
	ownFile(file, after, 0o644);
	await reload();
	await until(() => `nothing is sealed to key ${old}\n${daemon.tail()}`, async () => await count(old) === 0, BACK_MS);
	return old;
}

for (let nth = 0; nth < n_rotations; nth++) {
	test(`a key takes over under load while things die (${nth + 1})`, { timeout: isFull ? 3600000 : 180000 }, async () => {
		words.start();
		try {
			await until(() => `cases can be read\n${daemon.tail()}`, () => words.cases.length > 20 * (nth + 1), BACK_MS);
			const old = await rotate(nth);
			const n = words.cases.length;
			await until(() => `and it goes on\n${daemon.tail()}`, () => words.cases.length > n + 5, BACK_MS);
			await words.stop();
			const status = await keys('status');
			assert.equal(status.status, 0, status.stdout + status.stderr);
			assert.match(status.stdout, new RegExp(`\\nkey ${old} +decrypt_only 0 keys of units are sealed to it\n`));
			assert.match(status.stdout, new RegExp(`\\nkey ${old + 1} +active +[1-9]\\d* keys of units`));
		} finally {
			words.is_over = true;
			await Promise.all(words.clients);
		}
	});
}

test('the log says of every key that it was sealed again, and both verifiers miss none', { timeout: isFull ? 900000 : 300000 }, async () => {
	await until(() => `everything has its number\n${daemon.tail()}`, async () =>
		(await ask('select 1 from conduct.audit_pending limit 1'))?.length === 0, 240000);
	const bundle = `${stack}/private/rotation.bundle`;
	rmSync(bundle, { force: true });
	const audit = (...args) => conductctl('-c', daemon.config, 'audit', ...args);
	assert.equal(audit('export', '--out', bundle).status, 0);
	const own = audit('verify', bundle);
	assert.equal(own.status, 0, own.stdout);
	assert.deepEqual((await verifyBundle(bundle, [audit('key').stdout.trim()])).faults, []);
	const [[n_gone]] = await ask("select count(*) from conduct.audit_payload where payload like 'gone stanza %'");
	assert.ok(Number(n_gone) > 0);
	rmSync(bundle);
});

test('at the end every word that was written is read', { timeout: isFull ? 3600000 : 120000 }, async () => {
	const counts = words.check();
	const n = await words.readAll();
	daemon.check();
	hangUp();
	await daemon.stop();
	const n_killed = Object.values(killed).reduce((a, b) => a + b);
	note(`rotation: seed ${seed}; ${n_rotations} rotations, ${n_killed} kills (${victims.map(victim => `${victim} ${killed[victim]}`).join(', ')}), `
		+ `${n_failed} commands of conductctl run again; ${counts.reports} reports, ${words.n_read} answers opened and as written, `
		+ `${n} of them at the end for every word, unreadable 0; ${words.n_away} reads answered 503 or by nobody, all in the time of a kill`);
});
