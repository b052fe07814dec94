// The link to PostgreSQL over TLS: a server that proves its name is used, every other one is refused with
// words that say why, in the log and in /readyz.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync,
	writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import * as world from './world.mjs';

const { Daemon, Deployment, freePort, makeAuthority, makeCertificate, until } = world;
const limit = { timeout: 180000 };
const bin = readdirSync('/usr/lib/postgresql').sort((a, b) => b - a).map(version => `/usr/lib/postgresql/${version}/bin`)[0];
let dir, port, authority, foreign, deployment, daemon;

const isRoot = process.getuid() === 0;
const asServer = (...command) => execFileSync(isRoot ? 'runuser' : command[0],
	// A server that is started keeps these open: pipes would never end.
	isRoot ? ['-u', 'postgres', '--', ...command] : command.slice(1), { stdio: 'ignore', timeout: 30000 });
const ids = () => ['-u', '-g'].map(flag => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })));

function own(path) {
	if (isRoot) {
		chownSync(path, ...ids());
	}
}

/** The server's certificate and settings from the next connection on. */
function serve(pair, settings = 'ssl = on') {
	for (const [from, mode] of [['crt', 0o644], ['key', 0o600]]) {
		copyFileSync(`${pair}.${from}`, `${dir}/data/server.${from}`);
		chmodSync(`${dir}/data/server.${from}`, mode);
		own(`${dir}/data/server.${from}`);
	}
	writeFileSync(`${dir}/data/link.conf`, `${settings}\n`);
	own(`${dir}/data/link.conf`);
	asServer(`${bin}/pg_ctl`, '-D', `${dir}/data`, 'reload');
}

const psql = text => execFileSync('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', text,
	`host=${dir} port=${port} user=postgres dbname=link`], { encoding: 'utf8' }).trim();

before(async () => {
	dir = mkdtempSync(join(tmpdir(), 'conductd-link-'));
	chmodSync(dir, 0o755);
	own(dir);
	port = await freePort();
	asServer(`${bin}/initdb`, '-D', `${dir}/data`, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8');
	writeFileSync(`${dir}/data/link.conf`, '');
	own(`${dir}/data/link.conf`);
	appendFileSync(`${dir}/data/postgresql.conf`, `include 'link.conf'\n`);
	asServer(`${bin}/pg_ctl`, '-D', `${dir}/data`, '-l', `${dir}/log`, '-w', '-o',
		`-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${dir} -c max_connections=200`, 'start');
	mkdirSync(`${dir}/certificates`);
	authority = makeAuthority(`${dir}/certificates`, 'database');
	foreign = makeAuthority(`${dir}/certificates`, 'foreign');
	serve(makeCertificate(`${dir}/certificates`, 'server', authority));
	deployment = await Deployment.make('link', { server: `host=${dir} port=${port} user=postgres dbname=postgres` });
});

afterEach(stop);

after(async () => {
	deployment?.remove();
	try {
		asServer(`${bin}/pg_ctl`, '-D', `${dir}/data`, '-m', 'immediate', '-w', 'stop');
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
});

const verified = `sslmode=verify-full sslrootcert=`;
const link = (host, more) => ({ link: `host=${host} hostaddr=127.0.0.1 port=${port} dbname=link ${more}` });

async function start(settings) {
	deployment.write({ web: 1, ...settings });
	daemon = await Daemon.start(deployment, { ready: false });
}

async function stop() {
	const running = daemon;
	daemon = undefined;
	await running?.stop();
}

const encrypted = () => psql(`select distinct s.version from pg_stat_ssl s join pg_stat_activity a using (pid)
	where a.usename in ('conduct_web', 'conduct_worker')`);

test('a server that proves its name is used, every connection encrypted', limit, async () => {
	await start(link('localhost', `${verified}${authority}.crt`));
	await daemon.ready();
	assert.equal(encrypted(), 'TLSv1.3');
	await stop();
});

test('the least version is what the connection string says', limit, async () => {
	serve(`${dir}/certificates/server`, `ssl = on\nssl_max_protocol_version = 'TLSv1.2'`);
	await start(link('localhost', `${verified}${authority}.crt`));
	await daemon.ready();
	assert.equal(encrypted(), 'TLSv1.2');
	await stop();
	await start(link('localhost', `${verified}${authority}.crt ssl_min_protocol_version=TLSv1.3`));
	await refused(/SSL error: tlsv1 alert protocol version/);
	await stop();
	serve(`${dir}/certificates/server`);
});

/** The daemon is up and not ready; the database's check and the log say why, and nothing was sent. */
async function refused(pattern) {
	const check = await until(`readiness says ${pattern}`, async () => {
		const found = (await daemon.readiness()).checks.find(each => each.name === 'database');
		return found && !found.ok && pattern.test(found.detail) && found;
	}).catch(async error => {
		throw new Error(`${error.message}: ${JSON.stringify(await daemon.readiness())}`);
	});
	assert.match(check.detail, /^connection to server at "(localhost|127\.0\.0\.1|elsewhere)"/);
	assert.equal((await daemon.readiness()).status, 503);
	await until('the log says it', () => daemon.messages(/^database: connection lost$/)
		.some(line => pattern.test(line['error.message'])));
	assert.equal(psql(`select count(*) from pg_stat_activity where usename in ('conduct_web', 'conduct_worker')`), '0');
}

const cases = [
	['of another authority', () => [makeCertificate(`${dir}/certificates`, 'stranger', foreign)], 'localhost',
		() => `${authority}.crt`, /certificate verify failed/],
	['of another name', () => [makeCertificate(`${dir}/certificates`, 'named', authority, { names: 'DNS:database.invalid' })],
		'localhost', () => `${authority}.crt`, /server certificate for "database\.invalid" does not match host name "localhost"/],
	['that has expired', () => [makeCertificate(`${dir}/certificates`, 'late', authority, { days: '-1' })], 'localhost',
		() => `${authority}.crt`, /certificate verify failed/],
	['that speaks no TLS', () => [`${dir}/certificates/server`, 'ssl = off'], 'localhost', () => `${authority}.crt`,
		/server does not support SSL, but SSL was required/],
	['whose authority is in no file', () => [`${dir}/certificates/server`], 'localhost', () => '/nonexistent.crt',
		/root certificate file "\/nonexistent\.crt" does not exist/],
];
for (const [name, make, host, root, pattern] of cases) {
	test(`a server ${name} is refused`, limit, async () => {
		serve(...make());
		await start(link(host, `${verified}${root()}`));
		await refused(pattern);
		await stop();
	});
}

test('a server that changes to another certificate is left when the connections end, and used when it is back', limit, async () => {
	serve(`${dir}/certificates/server`);
	await start(link('localhost', `${verified}${authority}.crt`));
	await daemon.ready();
	serve(`${dir}/certificates/stranger`);
	psql(`select pg_terminate_backend(pid) from pg_stat_activity where usename in ('conduct_web', 'conduct_worker')`);
	await refused(/certificate verify failed/);
	serve(`${dir}/certificates/server`);
	await daemon.ready();
	await stop();
});

test('conductctl is as strict', limit, async () => {
	serve(`${dir}/certificates/stranger`);
	const database = `host=localhost hostaddr=127.0.0.1 port=${port} dbname=link user=conduct_migrate ${verified}${authority}.crt`;
	const answer = await world.ctl('--database', database, 'migrate');
	assert.notEqual(answer.code, 0);
	assert.match(answer.stderr, /certificate verify failed/);
	assert.ok(statSync(`${authority}.crt`).size > 0);
});
