// conductctl migrate: once, together, again, and what it refuses.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { bootstrap, conninfo, ctl, sql } from './daemon.mjs';

const migrate = database => ctl('--database', conninfo(database, 'conduct_migrate'), 'migrate');

test('twenty migrations at once apply every script once', async () => {
	sql('postgres', 'create database twenty');
	const runs = await Promise.all(Array.from({ length: 20 }, () => bootstrap('twenty')));
	for (const run of runs) {
		assert.equal(run.code, 0, run.stderr);
	}
	const applied = runs.flatMap(run => run.stdout.split('\n').filter(line => line.startsWith('applied ')));
	assert.equal(new Set(applied).size, applied.length, 'no script was applied twice');
	assert.equal(runs.filter(run => run.stdout === 'the schema is current\n').length, 19);
	assert.equal(sql('twenty', 'select count(*) from conduct_meta.script'), String(applied.length));
});

test('a second run as the migrate role finds nothing to do', async () => {
	const run = await migrate('twenty');
	assert.deepEqual([run.code, run.stdout], [0, 'the schema is current\n'], run.stderr);
});

test('a migration that was changed after it was applied is refused', async () => {
	sql('twenty', `update conduct_meta.script set sha256 = 'other' where name like 'migrations/0001%'`);
	const run = await migrate('twenty');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /migrations\/0001_\w+\.sql was changed after it was applied: migrations are frozen/);
	assert.equal(sql('twenty', `select sha256 from conduct_meta.script where name like 'migrations/0001%'`), 'other');
});

test('a database that is ahead of the program is refused', async () => {
	sql('postgres', 'create database ahead');
	await bootstrap('ahead');
	sql('ahead', `insert into conduct_meta.script values ('migrations/9999_later.sql', 'x')`);
	const run = await migrate('ahead');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /newer schema than this program/);
});

test('functions that differ are replaced, all in one transaction', async () => {
	sql('ahead', `delete from conduct_meta.script where name = 'migrations/9999_later.sql'`);
	sql('ahead', `update conduct_meta.script set sha256 = 'other' where name like 'api/99%'`);
	const run = await migrate('ahead');
	assert.equal(run.code, 0, run.stderr);
	assert.match(run.stdout, /applied api\/99_grants\.sql/);
	assert.equal((await migrate('ahead')).stdout, 'the schema is current\n');
});

test('a script that fails leaves nothing behind and is named', async () => {
	sql('postgres', 'create database half');
	await bootstrap('half');
	sql('half', `delete from conduct_meta.script where name = 'migrations/0002_case.sql'`);
	const before = sql('half', 'select count(*) from conduct_meta.script');
	const run = await migrate('half');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /^conductctl: migrations\/0002_case\.sql: ERROR: .*already exists/);
	assert.equal(sql('half', 'select count(*) from conduct_meta.script'), before);
});

test('the backup role dumps everything there is', async () => {
	const { stdout } = await promisify(execFile)('pg_dump', ['-d', conninfo('ahead', 'conduct_backup')], { maxBuffer: 1 << 26 });
	for (const table of ['conduct.content', 'conduct.deployment', 'keyring.stanza', 'keyring.vault_key']) {
		assert.ok(stdout.includes(`\nCOPY ${table} `), table);
	}
});

test('every trigger of ours fires always after a bootstrap', () => {
	assert.equal(sql('ahead', `select count(*) from pg_trigger t join pg_class c on c.oid = t.tgrelid
		where c.relnamespace = 'conduct'::regnamespace and t.tgenabled <> 'A'`), '0');
});

test('a database that was restored says what it lacks', async () => {
	sql('postgres', 'create database restored');
	const dump = await promisify(execFile)('pg_dump', ['-d', conninfo('ahead', 'conduct_backup')], { maxBuffer: 1 << 26 });
	execFileSync('psql', ['-Xq', '-v', 'ON_ERROR_STOP=1', '-d', conninfo('restored', 'postgres')],
		{ input: dump.stdout, stdio: ['pipe', 'ignore', 'pipe'] });
	const barred = await migrate('restored');
	assert.equal(barred.code, 1);
	assert.match(barred.stderr, /permission denied for database restored: run `conductctl migrate --bootstrap`/);
	const run = await ctl('--database', conninfo('restored', 'postgres'), 'migrate');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /^conductctl: \d+ triggers do not fire always, as after a restore: run `conductctl migrate --bootstrap`/);
	assert.equal((await bootstrap('restored')).code, 0);
	assert.equal((await migrate('restored')).stdout, 'the schema is current\n');
});

test('without a superuser bootstrap is refused', async () => {
	const run = await ctl('--database', conninfo('ahead', 'conduct_migrate'), 'migrate', '--bootstrap');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /^conductctl: bootstrap\.sql: ERROR: /);
});

test('a database that cannot be reached is said so', async () => {
	const run = await ctl('--database', 'host=/nonexistent dbname=x', 'migrate');
	assert.equal(run.code, 1);
	assert.match(run.stderr, /^conductctl: cannot reach the database: /);
});

test('commands are found by their words and refuse what they do not know', async () => {
	assert.equal((await ctl()).code, 2);
	for (const [words, said] of [[['nonsense'], 'there is no command nonsense; --help lists them'],
		[['keys', 'nonsense', 'x'], 'there is no command keys nonsense; --help lists them'],
		[['--loud'], '--loud is no option, or lacks its value; --help lists them'],
		[['--database'], '--database is no option, or lacks its value; --help lists them']]) {
		const run = await ctl(...words);
		assert.deepEqual([run.code, run.stderr], [2, `conductctl: ${said}\n`]);
	}
	assert.equal((await ctl('keys', '--help')).code, 0);
	assert.equal((await ctl('migrate', '--force')).code, 2);
	assert.equal((await ctl('keys')).code, 2);
	assert.match((await ctl('--help')).stdout, /migrate .*\n.*keys init/);
	for (const words of [['migrate'], ['keys', 'init'], ['policy', 'diff'], ['grant'], ['route']]) {
		const run = await ctl(...words, '--help');
		assert.equal(run.code, 0);
		assert.ok(run.stdout.startsWith(`usage: conductctl [-c FILE] [--database CONNINFO] ${words.join(' ')}`));
	}
});
