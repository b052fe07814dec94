// A synchronous standby of the stack's PostgreSQL, in a directory and on a port of its own, and a
// configuration that knows both servers. What the harness asks as superuser goes to the one that writes.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { Server, ownDirectory, ownFile, port, postgres, run, stack, until, writeConfig } from './parts.mjs';

const PG = '/usr/lib/postgresql/15/bin';
export const ports = { primary: port + 2, standby: port + 3 };
const file = `${stack}/conductd.yaml`;
const original = readFileSync(file, 'utf8');
const NAME = 'second';

/** One password file for both ports. */
function writePasswords() {
	const roles = ['postgres', 'conduct_migrate', 'conduct_web', 'conduct_worker'];
	const lines = roles.map(role => readFileSync(`${stack}/private/${role}.pass`, 'utf8').trim().split(':'));
	return ownFile(`${stack}/private/both.pass`, lines.map(line => `127.0.0.1:*:*:${line.slice(3).join(':')}\n`).join(''));
}

/** The configuration's database lines, for both servers. */
const withBoth = text => text.replace(/host=127\.0\.0\.1 port=\d+/g,
	`host=127.0.0.1,127.0.0.1 port=${ports.primary},${ports.standby} target_session_attrs=read-write`)
	.replace(/passfile=\S+?(?=")/g, `passfile=${stack}/private/both.pass`);

const one = (name, database = 'conduct') => `host=127.0.0.1 port=${ports[name]} dbname=${database} user=postgres `
	+ `passfile=${stack}/private/both.pass`;

export const standby = new Server(`${stack}/standby`);

/** Rows of one server, whichever writes. */
export function rowsOf(name, text) {
	const { status, stdout, stderr } = run(`${PG}/psql`, ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', one(name), '-c', text]);
	assert.equal(status, 0, stderr);
	return stdout.split('\n').filter(line => line !== '').map(line => line.split('|'));
}

/** A copy of a running server, as it is now. */
export function copy(from, directory, options = []) {
	ownDirectory(directory);
	const { status, stderr } = run(`${PG}/pg_basebackup`, ['-D', directory, '-d', one(from, 'postgres'), '-X', 'stream', '-c', 'fast',
		'--no-sync', ...options]);
	assert.equal(status, 0, stderr);
}

async function startAsStandby(server, name, of) {
	const conf = `${server.data}/postgresql.auto.conf`;
	const text = readFileSync(conf, 'utf8').replace(/^(port|synchronous_standby_names|primary_conninfo) = .*\n/gm, '');
	ownFile(conf, `${text}port = ${ports[name]}\nprimary_conninfo = '${one(of, 'postgres')} application_name=${NAME}'\n`);
	ownFile(`${server.data}/standby.signal`, '');
	await server.start();
}

/** Makes `server` a standby of `of`: a fresh copy. */
export async function follow(server, name, of) {
	copy(of, server.data);
	await startAsStandby(server, name, of);
}

/** Takes back what only the old primary has, and makes it a standby of the new one. */
export async function rewind() {
	// What is rewound to has to be on disk.
	rowsOf('standby', 'checkpoint');
	const { status, stderr } = run(`${PG}/pg_rewind`, ['-D', postgres.data, `--source-server=${one('standby', 'postgres')}`]);
	assert.equal(status, 0, stderr);
	await startAsStandby(postgres, 'primary', 'standby');
}

/** From now on a commit is one when the other server has it. */
export async function require(of) {
	rowsOf(of, `alter system set synchronous_standby_names = '${NAME}'`);
	rowsOf(of, 'select pg_reload_conf()');
	await until('the standby is synchronous', () => rowsOf(of, `select sync_state from pg_stat_replication
		where application_name = '${NAME}'`)[0]?.[0] === 'sync', 20000);
}

/** The daemon's configuration for the pair; the harness asks the pair as well. */
export function setUp(name) {
	writePasswords();
	ownFile(file, withBoth(original), 0o644);
	return writeConfig(name);
}

export function tearDown() {
	standby.stop('immediate');
	postgres.stop();
	// The stack's own server writes again, with all that it has seen.
	rmSync(`${postgres.data}/standby.signal`, { force: true });
	ownFile(file, original, 0o644);
	rmSync(standby.data, { recursive: true, force: true });
}
