// What conductctl tells as done is as durable as what the daemon answers: it waits for the standby, a wait that is
// cut short is a failure, and a second run, which finds everything done, waits for what the first did not.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { Daemon, Deployment, conductctl, conninfo, ctl, sql, until } from './daemon.mjs';

let deployment;

before(async () => {
	deployment = await Deployment.make('durable');
	const daemon = await Daemon.start(deployment);
	await until('the log has a checkpoint', () => sql('durable', 'select 1 from conduct.audit_checkpoint limit 1') === '1');
	assert.equal((await run('demo', 'grants')).code, 0);
	await daemon.stop();
	assert.equal((await run('audit', 'export', '--out', file('bundle'))).code, 0);
});

// What a failed test leaves closed would hold up the next one for ever.
afterEach(() => reopen());

after(() => {
	deployment?.remove();
});

const file = name => join(deployment.dir, name);
const asAdmin = () => ['-c', deployment.file, '--database', conninfo('durable')];
const run = (...args) => ctl(...asAdmin(), ...args);

/** Nobody has this name: from now on every commit is written here and waits for ever. */
function close() {
	sql('postgres', "alter system set synchronous_standby_names = 'nobody'");
	sql('postgres', 'select pg_reload_conf()');
}

function reopen() {
	sql('postgres', 'alter system reset synchronous_standby_names');
	sql('postgres', 'select pg_reload_conf()');
}

/** Starts it and comes back when its commit waits. */
async function runUntilItWaits(args, options = asAdmin()) {
	const running = { ended: undefined };
	execFile(conductctl, [...options, ...args], (error, stdout, stderr) => {
		running.ended = { code: error?.code ?? 0, stdout, stderr };
	});
	await until(`conductctl ${args.join(' ')} waits for the standby`, () => {
		assert.equal(running.ended, undefined, `it did not wait: ${JSON.stringify(running.ended)}`);
		return sql('postgres', "select 1 from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'conductctl' limit 1") === '1';
	});
	return running;
}

const end = (how, running) => until('it ends', () => {
	if (!running.ended) {
		sql('postgres', `select ${how}(pid) from pg_stat_activity where wait_event = 'SyncRep' and application_name = 'conductctl'`);
	}
	return running.ended;
});

const key = id => sql('durable', `select state from keyring.vault_key where key_id = ${id}`);

/** What is run, what it says when it is done, and what has to be so before and after a wait that was cut short. */
const commands = [
	{ args: ['migrate'], done: /the schema is current/ },
	{ args: ['policy', 'publish'], done: /in force already/ },
	{ args: ['keys', 'init', '--host', 'tests'], done: /intake key 1 is active/ },
	{ args: ['keys', 'rotate'], done: /Intake key 2 is pending/, then: () => assert.equal(key(2), 'pending') },
	{ args: ['keys', 'activate'], done: /Intake key 2 is active/,
		first: () => sql('durable', 'delete from keyring.vault_host'),
		then: () => assert.match(readFileSync(file('vault.pub'), 'utf8'), /^intake 1 /m, 'nothing seals to it yet') },
	{ args: ['keys', 'destroy', '1'], done: /Intake key 1 is destroyed/,
		first: () => {
			sql('durable', "delete from keyring.stanza where key_id = 1; update keyring.vault_key set state = 'retired' where key_id = 1");
			copyFileSync(deployment.vault('vault.key'), file('kept.key'));
		},
		then: () => assert.deepEqual(readFileSync(deployment.vault('vault.key')), readFileSync(file('kept.key')), 'its private half is there') },
	{ args: ['keys', 'import', 'FILE'], done: /has 0 more intake keys/,
		first: () => copyFileSync(deployment.vault('vault.key'), file('FILE')) },
	{ args: ['grant', '--person', 'Mina Mediator', '--role', 'functionary', '--body', 'enwiki-functionaries', '--until', '2030-01-01T00:00:00Z'], done: /granted/ },
	{ args: ['audit', 'adopt'], done: /^adopted the first/, first: () => rmSync(file('log.head')),
		then: () => assert.ok(!existsSync(file('log.head')), 'it follows nothing yet') },
	{ args: ['erase', 'replay', 'bundle'], done: /^erased again: 0/ },
	{ args: ['demo', 'clock', '+1s'], done: /^the clock says/ },
	{ args: ['demo', 'grants'], done: /have their roles/ },
];

for (const { args, done, first = () => {}, then = () => {} } of commands) {
	test(`${args.slice(0, 2).join(' ')}: done means done on the standby`, async () => {
		first();
		const whole = args.map(arg => ['FILE', 'bundle'].includes(arg) ? file(arg) : arg);
		for (const how of ['pg_cancel_backend', 'pg_terminate_backend']) {
			close();
			const cut = await end(how, await runUntilItWaits(whole));
			assert.equal(cut.code, 1);
			assert.match(cut.stderr, how === 'pg_cancel_backend' ? /done on this server, but no standby has confirmed it/
				: /terminat|closed the connection/);
			assert.doesNotMatch(cut.stdout, done);
			then();
		}
		const again = await runUntilItWaits(whole);
		then();
		reopen();
		const told = await until('it ends', () => again.ended);
		assert.equal(told.code, 0, told.stderr);
		assert.match(told.stdout, done);
	});
}

test('a role that hears no warnings is told as well', async () => {
	sql('postgres', 'alter role conduct_migrate set client_min_messages = error');
	close();
	const { code, stderr } = await end('pg_cancel_backend', await runUntilItWaits(['migrate'], ['-c', deployment.file]));
	reopen();
	sql('postgres', 'alter role conduct_migrate reset client_min_messages');
	assert.equal(code, 1);
	assert.match(stderr, /no standby has confirmed it/);
});
