// What conductd says of the files that its configuration names, when it starts, when it is only asked (-n), and
// when it reloads; and of changes that a reload does not take.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Daemon, ask, conductd, freePort, get, install, isAnswered, makeAuthority, makeCertificate, makeSecure, openssl, secure, until }
	from './world.mjs';

const limit = { timeout: 180000 };
// The super-user reads what nobody may read; without these capabilities it is an account like others.
const mortal = process.getuid() === 0 ? ['setpriv', '--bounding-set', '-dac_override,-dac_read_search', '--'] : [];
let deployment, authority;

before(async () => {
	deployment = await makeSecure('files');
	({ authority } = deployment);
});

after(() => deployment?.remove());

function run(...args) {
	const line = [...mortal, conductd, ...args];
	const { status, stdout, stderr } = spawnSync(line[0], line.slice(1), { encoding: 'utf8', timeout: 20000 });
	return { status, lines: `${stdout}${stderr}`.split('\n').filter(Boolean) };
}

const check = () => run('-n', '-c', deployment.file);

/** As it was. */
function mend() {
	install(deployment.good, deployment.pair);
	secure(deployment);
}

test('-n says nothing where nothing is wrong', limit, () => {
	assert.deepEqual(check(), { status: 0, lines: [] });
});

const expire = () => install(makeCertificate(deployment.dir, 'expired', authority, { days: '-1' }), deployment.pair);
const expireClients = () => {
	const late = makeAuthority(deployment.dir, 'late-authority', { days: '-1' });
	secure(deployment, text => text.replace(/client_ca: "[^"]*"/, `client_ca: "${late}.crt"`));
};
const EXPIRED = /: expired on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: put a new one there and reload \(HUP\)$/;

const unusable = [
	['the key of another certificate', () => copyFileSync(`${authority}.key`, `${deployment.pair}.key`),
		/^tls: .*\/server\.key: does not belong to the certificate in .*\/server\.crt$/],
	['a key that its account may not read', () => chmodSync(`${deployment.pair}.key`, 0),
		/^tls: .*\/server\.key: Permission denied: let the daemon's account read it$/],
	['a key that is gone', () => rmSync(`${deployment.pair}.key`), /^tls: .*\/server\.key: No such file or directory$/],
	['a certificate that is gone', () => rmSync(`${deployment.pair}.crt`), /^tls: .*\/server\.crt: No such file or directory$/],
];
for (const [name, spoil, message] of unusable) {
	test(`-n and a start refuse ${name}`, limit, () => {
		spoil();
		const checked = check();
		assert.equal(checked.status, 1);
		assert.equal(checked.lines.length, 1);
		assert.match(checked.lines[0], message);
		const started = run('-c', deployment.file);
		assert.equal(started.status, 1);
		assert.ok(started.lines.some(line => message.test(JSON.parse(line).message)), started.lines.join('\n'));
		mend();
	});
}

// Clients refuse them, and come to no harm; the clock may be what is wrong. So it says so, and serves.
const dated = [
	['an expired certificate', expire, /^tls: .*\/server\.crt: expired on /],
	['a certificate that is not valid yet', () => install(makeCertificate(deployment.dir, 'early', authority,
		{ from: '20990101000000Z', until: '20991231000000Z' }), deployment.pair),
	/^tls: .*\/server\.crt: not valid before 2099-01-01 00:00:00 UTC: is this machine's clock right\?$/],
	['an expired authority of clients', expireClients, /^tls: .*\/late-authority\.crt: expired on /],
];
for (const [name, spoil, message] of dated) {
	test(`a start with ${name} warns and serves; -n warns`, limit, async () => {
		spoil();
		const checked = check();
		assert.equal(checked.status, 0);
		assert.match(checked.lines[0], message);
		const daemon = await Daemon.start(deployment);
		assert.equal(daemon.messages(message)[0]['log.level'], 'warn');
		assert.equal((await get(deployment.port, '/v1/policy/versions')).status, 200);
		await assert.rejects(ask(deployment.tls, authority).then(answer => {
			if (name.includes('clients')) throw Object.assign(new Error(answer.text.slice(0, 12)), { code: 'HTTP/1.1 200' });
		}), { code: /CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|HTTP\/1\.1 200/ });
		await daemon.stop();
		mend();
	});
}

const expiryOf = pair => Date.parse(openssl('x509', '-in', `${pair}.crt`, '-noout', '-enddate').replace('notAfter=', '')) / 1000;

test('the metrics say when certificates expire, and an expired one is in the way of no other change', limit, async () => {
	expire();
	const daemon = await Daemon.start(deployment);
	const metric = (name, port) => daemon.metric(`conductd_tls_${name}_expiry_timestamp_seconds{listen="127.0.0.1:${port}"}`);
	assert.equal(await metric('certificate', deployment.tls), expiryOf(`${deployment.dir}/expired`));
	assert.equal(await metric('client_ca', deployment.proxied), expiryOf(authority));
	assert.equal(await metric('client_ca', deployment.tls), undefined);
	let n = daemon.messages(/^reloaded$/).length;
	const reload = async () => {
		daemon.child.kill('SIGHUP');
		n += 4;
		await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= n);
	};
	await reload();
	assert.equal(daemon.messages(EXPIRED).at(-1)['log.level'], 'warn');
	mend();
	await reload();
	assert.equal(await metric('certificate', deployment.tls), expiryOf(deployment.good));
	isAnswered((await ask(deployment.tls, authority)).text);
	// The chain counts from its first end on.
	const short = makeAuthority(deployment.dir, 'short', { days: '1' });
	const long = makeCertificate(deployment.dir, 'long', short, { days: '90' });
	writeFileSync(`${deployment.pair}.crt`, readFileSync(`${long}.crt`, 'utf8') + readFileSync(`${short}.crt`, 'utf8'));
	copyFileSync(`${long}.key`, `${deployment.pair}.key`);
	await reload();
	assert.equal(await metric('certificate', deployment.tls), expiryOf(short));
	mend();
	await daemon.stop();
});

// Secrets, keys and passwords ----------------------------------------------------------------------

const issuer = text => text.replace('issuers: []', `contact: "ops@example.org"
public_url: "https://conduct.example.org"
issuers:
  - name: meta
    iss: "https://meta.example.org"
    scope: CentralAuth
    verify: profile-only
    profile: "https://meta.example.org/w/rest.php/oauth2/resource/profile"
    authorize: "https://meta.example.org/w/rest.php/oauth2/authorize"
    access_token: "https://meta.example.org/w/rest.php/oauth2/access_token"
    clients: [{id: full, scope: full, login: true, secret_file: "${deployment.dir}/secret"}]`);
const secretOf = content => () => {
	rmSync(`${deployment.dir}/secret`, { force: true, recursive: true });
	if (content !== undefined) writeFileSync(`${deployment.dir}/secret`, content, { mode: 0o600 });
	secure(deployment, issuer);
};
const about = why => new RegExp(`^issuer meta, secret_file of client full: .*/secret: ${why}$`);
const secrets = [
	['that is not there', secretOf(undefined), about('No such file or directory')],
	['that is empty', secretOf(''), about('the file is empty')],
	['that is too long', secretOf('x'.repeat(600)), about('too long for a secret')],
	['that its account may not read', () => { secretOf('s\n')(); chmodSync(`${deployment.dir}/secret`, 0); }, about("the daemon's account may not read it")],
	['that is a directory', () => { secretOf(undefined)(); mkdirSync(`${deployment.dir}/secret`); }, about('not a file')],
];
for (const [name, spoil, message] of secrets) {
	test(`-n and a start refuse a secret ${name}`, limit, () => {
		spoil();
		for (const said of [check(), run('-c', deployment.file)]) {
			assert.equal(said.status, 1);
			const messages = said.lines.map(line => line.startsWith('{') ? JSON.parse(line).message : line);
			assert.ok(messages.some(line => message.test(line)), messages.join('\n'));
		}
		mend();
	});
}

test('a secret that everybody may read is warned of, and one that is in order is not', limit, () => {
	secretOf('secret\n')();
	assert.deepEqual(check(), { status: 0, lines: [] });
	chmodSync(`${deployment.dir}/secret`, 0o644);
	const { status, lines } = check();
	assert.equal(status, 0);
	assert.match(lines.join('\n'), about('everybody may read it: set its mode to 0600'));
	mend();
});

const keyed = edit => () => secure(deployment, edit);
const named = [
	['an index key that is not there', keyed(text => text.replace('/index.key', '/none.key')),
		/^index_key_file: .*\/none\.key: there is no such file: make it with `conductctl keys init`, or copy it from another host/],
	['an index key that is none', keyed(text => text.replace('/index.key', '/conductd.yaml')), /^index_key_file: .*\/conductd\.yaml: the file /],
	['a key file of the vault that is not there', keyed(text => text.replace('/vault.key"', '/none.key"')),
		/^vault\.key_file: .*\/none\.key: there is no such file: /],
	['a passphrase that is not there', keyed(text => text.replace('/vault.passphrase"', '/none.passphrase"')),
		/^vault\.passphrase_file: .*: there is no passphrase for the vault's key file/],
	['another passphrase', keyed(text => {
		writeFileSync(`${deployment.dir}/other.passphrase`, 'not this passphrase\n', { mode: 0o600 });
		return text.replace(/passphrase_file: "[^"]*"/, `passphrase_file: "${deployment.dir}/other.passphrase"`);
	}), /^vault\.key_file: .*: the passphrase does not open the file/],
	['a public half that is not there', keyed(text => text.replace('/vault.pub"', '/none.pub"')),
		/^vault\.public_file: .*\/none\.pub: there is no such file/],
	['a policy that is not there', keyed(text => text.replace(/policy_path: .*/, 'policy_path: ["/nonexistent"]')), /\/nonexistent/],
	['a passfile that is not there', keyed(text => text.replace(/(user=conduct_web)/, '$1 passfile=/nonexistent')),
		/^database\.web, passfile: \/nonexistent: No such file or directory$/],
	['a passfile that libpq will not use', keyed(text => {
		writeFileSync(`${deployment.dir}/pgpass`, '*:*:*:*:x\n', { mode: 0o644 });
		return text.replace(/(user=conduct_worker)/, `$1 passfile=${deployment.dir}/pgpass`);
	}), /^database\.worker, passfile: .*\/pgpass: others may read it, so that libpq does not use it: set its mode to 0600$/],
	['a root of the database that is not there', keyed(text => text.replace(/(user=conduct_web)/, '$1 sslrootcert=/nonexistent')),
		/^database\.web, sslrootcert: \/nonexistent: No such file or directory$/],
	['a connection string that libpq does not read', keyed(text => text.replace(/(user=conduct_web)/, '$1 bogus=1')),
		/^database\.web: invalid connection option "bogus"$/],
];
for (const [name, spoil, message] of named) {
	test(`-n finds ${name}`, limit, () => {
		spoil();
		const { status, lines } = check();
		assert.equal(status, 1);
		assert.ok(lines.some(line => message.test(line)), lines.join('\n'));
		mend();
	});
}

test('-n says all that is wrong at once', limit, () => {
	secretOf(undefined)();
	secure(deployment, text => issuer(text).replace('/index.key', '/none.key').replace(/policy_path: .*/, 'policy_path: ["/nonexistent"]'));
	rmSync(`${deployment.pair}.key`);
	const { status, lines } = check();
	assert.equal(status, 1);
	for (const part of ['secret_file', 'index_key_file', '/nonexistent', 'server.key']) {
		assert.ok(lines.some(line => line.includes(part)), `${part}: ${lines.join('\n')}`);
	}
	mend();
});

// What a reload does not change --------------------------------------------------------------------

test('a reload names the keys that it does not change, each time, and takes the others', limit, async () => {
	const daemon = await Daemon.start(deployment);
	const other = await freePort();
	const reload = async edit => {
		const n = daemon.messages(/^reloaded$/).length;
		secure(deployment, edit);
		daemon.child.kill('SIGHUP');
		await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= n + 4);
	};
	const said = () => daemon.messages(/: changed, and taken with an upgrade \(USR2\) or a restart only$/).map(({ message }) => message.split(':')[0]);
	await reload(text => text.replace('listen: [', `listen: ["127.0.0.1:${other}", `).replace('web: 2', 'web: 3'));
	assert.deepEqual(said(), ['listen, processes.web']);
	await assert.rejects(get(other, '/v1/policy/versions'), { code: 'ECONNREFUSED' });
	await reload(text => text.replace('web: 2', 'web: 3'));
	assert.deepEqual(said().slice(1), ['processes.web']);
	await reload(text => text.replace('reads: 10000000', 'reads: 1000').replace('issuers: []', 'host_names: [conduct.example.org]\nissuers: []'));
	assert.equal(said().length, 2);
	const headers = { Host: 'conduct.example.org' };
	for (const port of [deployment.port, deployment.ops]) {
		assert.notEqual((await get(port, '/healthz', { headers })).status, 421, `port ${port}`);
	}
	await reload(text => text.replace(/index_key_file: .*/, 'index_key_file: "/nonexistent"').replace('ops_listen: "127.0.0.1', 'ops_listen: "127.0.0.2')
		.replace(/(user=conduct_worker)/, '$1 connect_timeout=9').replace('/log.head', '/other.head'));
	assert.deepEqual(said().slice(2), ['ops_listen, database.worker, index_key_file, audit.head_file']);
	await daemon.stop();
	mend();
});

test('a reload that names another key file of the vault, or passphrase, is refused: web and worker are not kept out of it', limit, async () => {
	const daemon = await Daemon.start(deployment);
	for (const [i, name] of ['vault.key', 'vault.passphrase'].entries()) {
		const other = `${deployment.dir}/other.${name}`;
		copyFileSync(deployment.vault(name), other);
		secure(deployment, text => text.replace(deployment.vault(name), other));
		daemon.child.kill('SIGHUP');
		await until(`${name} is refused`, () => daemon.messages(/^vault: key_file and passphrase_file change with an upgrade/).length > i
			&& daemon.messages(/^reload refused: /).length > i);
		rmSync(other);
	}
	assert.equal(daemon.messages(/^reloaded$/).length, 0);
	await daemon.stop();
	mend();
});
