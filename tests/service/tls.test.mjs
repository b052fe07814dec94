// TLS of the web processes: what is negotiated and what is not, sessions that another process resumes,
// certificates that are exchanged under way, and clients that do it wrong.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Daemon, all, ask, conductd, connect, get, install, isAnswered, last, makeAuthority, makeCertificate, makeSecure, openssl, request,
	sClient, secure, until } from './world.mjs';
import { spawnSync } from 'node:child_process';
import { wholeLines } from '../harness/lines.mjs';

const limit = { timeout: 180000 };
let deployment, daemon, authority;

before(async () => {
	deployment = await makeSecure('tls');
	({ authority } = deployment);
	daemon = await Daemon.start(deployment);
});

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

test('a request over TLS 1.3 and over 1.2 is answered, with HSTS', limit, async () => {
	for (const version of ['TLSv1.3', 'TLSv1.2']) {
		const answer = await ask(deployment.tls, authority, { minVersion: version, maxVersion: version });
		isAnswered(answer.text);
		assert.equal(answer.protocol, version);
		assert.match(answer.text, /\r\nStrict-Transport-Security: max-age=31536000\r\n/);
		assert.match(answer.cipher.standardName, /_(GCM_SHA(256|384)|CHACHA20_POLY1305_SHA256)$/);
	}
	const plain = await new Promise(done => {
		net.connect(deployment.port, '127.0.0.1').on('connect', function () {
			done(all(this));
			this.write(request('/v1/policy/versions', last));
		});
	});
	isAnswered(plain);
	assert.doesNotMatch(plain, /Strict-Transport-Security/);
});

const refused = [
	['TLS 1.0', '-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
	['TLS 1.1', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
	['RSA key exchange', '-tls1_2', '-cipher', 'kRSA:@SECLEVEL=0'],
	['CBC', '-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0'],
	['no encryption', '-tls1_2', '-cipher', 'NULL:@SECLEVEL=0'],
	['anonymous keys', '-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0'],
	['finite-field keys', '-tls1_2', '-cipher', 'DHE:@SECLEVEL=0'],
	['CCM', '-tls1_2', '-cipher', 'AESCCM:@SECLEVEL=0'],
	['a curve nobody needs', '-groups', 'P-521'],
	['a signature with SHA-1', '-tls1_2', '-sigalgs', 'ECDSA+SHA1', '-cipher', 'ALL:@SECLEVEL=0'],
	['another protocol', '-alpn', 'h2'],
];
for (const [name, ...args] of refused) {
	test(`${name} is refused`, limit, async () => {
		const { text, code } = await sClient(deployment.tls, args);
		assert.notEqual(code, 0, text);
		assert.match(text, /alert (protocol version|handshake failure|no application protocol)|alert number (40|70|120)/);
	});
}

test('the best of what a client offers is taken, and http/1.1', limit, async () => {
	for (const group of ['X25519', 'P-256']) {
		const { text } = await sClient(deployment.tls, ['-groups', group, '-alpn', 'http/1.1']);
		assert.match(text, /ALPN protocol: http\/1\.1/);
		assert.match(text, group === 'X25519' ? /Server Temp Key: X25519/ : /Server Temp Key: ECDH, prime256v1/);
	}
	const { text } = await sClient(deployment.tls, ['-tls1_2']);
	assert.match(text, /Compression: NONE/);
	assert.match(text, /Secure Renegotiation IS supported/);
});

test('a client cannot renegotiate', limit, async () => {
	const socket = await connect(deployment.tls, authority, { maxVersion: 'TLSv1.2' });
	const end = all(socket);
	const error = await new Promise(done => {
		socket.on('error', done);
		socket.on('close', () => done(undefined));
		socket.renegotiate({ rejectUnauthorized: false }, done);
	});
	socket.destroy();
	await end;
	assert.ok(error, 'a second handshake took place');
});

/** The process that answered, "web 1", as its log says. */
const answerer = ({ text }) => {
	const [, id] = /\r\nX-Request-Id: (\S+)\r\n/i.exec(text);
	return until(`the log knows the request ${id}`, () => {
		const line = wholeLines(daemon.text()).find(each => each.includes(`"http.request.id":"${id}"`));
		return line && JSON.parse(line)['process.name'];
	});
};

test('a session is resumed by every process, and by a generation that is reloaded once', limit, async () => {
	for (const version of ['TLSv1.2', 'TLSv1.3']) {
		const options = { minVersion: version, maxVersion: version };
		const given = await ask(deployment.tls, authority, options);
		const { sessions: [session] } = given;
		assert.ok(session, 'no ticket was given');
		const giver = await answerer(given);
		const resumers = new Set();
		// The kernel chooses the process; a hundred connections that one process takes all are one in 2⁹⁹.
		for (let i = 0; i < 100 && resumers.size < 2; i++) {
			const answer = await ask(deployment.tls, authority, { ...options, session });
			isAnswered(answer.text);
			const name = await answerer(answer);
			assert.equal(answer.isResumed, true, `${version}: the ticket of ${giver} is not taken by ${name}`);
			resumers.add(name);
		}
		assert.deepEqual([...resumers].sort(), ['web 1', 'web 2']);
		const before = daemon.messages(/^reloaded$/).length;
		daemon.child.kill('SIGHUP');
		await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= before + 4);
		assert.equal((await ask(deployment.tls, authority, { ...options, session })).isResumed, true);
	}
});

test('tickets of the key before last are worth nothing', limit, async () => {
	const { sessions: [session] } = await ask(deployment.tls, authority);
	for (let i = 0; i < 2; i++) {
		const before = daemon.messages(/^reloaded$/).length;
		daemon.child.kill('SIGHUP');
		await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= before + 4);
	}
	const answer = await ask(deployment.tls, authority, { session });
	isAnswered(answer.text);
	assert.equal(answer.isResumed, false);
});

test('a process that is started again resumes what others gave', limit, async () => {
	const { sessions: [session] } = await ask(deployment.tls, authority);
	for (const title of ['web 1', 'web 2']) {
		const old = daemon.pid(title);
		process.kill(old, 'SIGKILL');
		await until('there is another', () => daemon.pid(title) && daemon.pid(title) !== old);
	}
	await daemon.ready();
	assert.equal((await ask(deployment.tls, authority, { session })).isResumed, true);
});

// Certificates under way ---------------------------------------------------------------------------

const serial = async () => (await ask(deployment.tls, authority)).certificate.serialNumber;
const serialOf = pair => openssl('x509', '-in', `${pair}.crt`, '-noout', '-serial').trim().replace('serial=', '');

test('HUP takes a new certificate; connections that are open go on with theirs', limit, async () => {
	const socket = await connect(deployment.tls, authority);
	const answer = all(socket);
	socket.write(request().slice(0, 20));
	const next = makeCertificate(deployment.dir, 'next', authority, { type: 'rsa' });
	install(next, deployment.pair);
	daemon.child.kill('SIGHUP');
	await until('it is served', async () => await serial() === serialOf(next));
	socket.write(request('/v1/policy/versions', last).slice(20));
	isAnswered(await answer);
	install(deployment.good, deployment.pair);
	daemon.child.kill('SIGHUP');
	await until('the old one is served again', async () => await serial() === serialOf(deployment.good));
});

const bad = [
	['a certificate that is none', () => writeFileSync(`${deployment.pair}.crt`, 'none\n'),
		/^tls: .*server\.crt: not the PEM text of a certificate$/],
	['a certificate cut short', () => writeFileSync(`${deployment.pair}.crt`, readFileSync(`${deployment.good}.crt`, 'utf8').slice(0, 300)),
		/^tls: .*server\.crt: not the PEM text of a certificate$/],
	['a chain cut short', () => writeFileSync(`${deployment.pair}.crt`, readFileSync(`${deployment.good}.crt`, 'utf8')
		+ readFileSync(`${authority}.crt`, 'utf8').slice(0, 300)), /^tls: .*server\.crt: a certificate of the chain is broken$/],
	['a key that is none', () => writeFileSync(`${deployment.pair}.key`, 'none\n'),
		/^tls: .*server\.key: not the PEM text of a private key without passphrase$/],
	['a key with a passphrase', () => openssl('pkey', '-in', `${deployment.good}.key`, '-aes256', '-passout', 'pass:x', '-out',
		`${deployment.pair}.key`), /^tls: .*server\.key: not the PEM text of a private key without passphrase$/],
	['the key of another certificate', () => copyFileSync(`${authority}.key`, `${deployment.pair}.key`),
		/^tls: .*server\.key: does not belong to the certificate in .*server\.crt$/],
	['a key of another kind', () => openssl('genrsa', '-out', `${deployment.pair}.key`, '2048'),
		/^tls: .*server\.key: does not belong to the certificate in .*server\.crt$/],
	['a key that everybody may read', () => chmodSync(`${deployment.pair}.key`, 0o644),
		/^tls: .*server\.key: everybody may read it: set its mode to 0600$/],
	['a weak key', () => {
		openssl('req', '-x509', '-newkey', 'rsa:1024', '-nodes', '-days', '1', '-subj', '/CN=weak', '-keyout',
			`${deployment.pair}.key`, '-out', `${deployment.pair}.crt`);
	}, /^tls: .*server\.crt: ee key too small$/],
	['an expired certificate', () => install(makeCertificate(deployment.dir, 'expired', authority, { days: '-1' }), deployment.pair),
		/^tls: .*server\.crt: expired on \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: put a new one there and reload \(HUP\)$/],
	['a certificate that is not valid yet', () => install(makeCertificate(deployment.dir, 'early', authority,
		{ from: '20990101000000Z', until: '20991231000000Z' }), deployment.pair),
	/^tls: .*server\.crt: not valid before 2099-01-01 00:00:00 UTC: is this machine's clock right\?$/],
	['a key that is gone', () => rmSync(`${deployment.pair}.key`), /^tls: .*server\.key: No such file or directory$/],
	['client authorities that are none', () => secure(deployment, text => text.replace(/client_ca: "[^"]*"/,
		`client_ca: "${deployment.file}"`)), /^tls: .*conductd\.yaml: not the PEM text of certificates$/],
	['an expired authority of clients', () => {
		const late = makeAuthority(deployment.dir, 'late-authority', { days: '-1' });
		secure(deployment, text => text.replace(/client_ca: "[^"]*"/, `client_ca: "${late}.crt"`));
	}, /^tls: .*late-authority\.crt: expired on .* UTC: put a new one there and reload \(HUP\)$/],
	['another address', () => secure(deployment, text => text.replace(`:${deployment.tls}"`, ':65535"')),
		/^tls: addresses change with an upgrade \(USR2\) or a restart only$/],
];
for (const [name, spoil, message] of bad) {
	test(`HUP with ${name} is refused, says where, and the old one is served`, limit, async () => {
		const before = daemon.messages(/^reload refused/).length;
		spoil();
		daemon.child.kill('SIGHUP');
		await daemon.said(message);
		await until('the reload is over', () => daemon.messages(/^reload refused/).length > before);
		assert.equal(await serial(), serialOf(deployment.good));
		install(deployment.good, deployment.pair);
		secure(deployment);
	});
}

test('beside an authority of clients that has expired, one that has not is enough', limit, async () => {
	const late = makeAuthority(deployment.dir, 'late-authority', { days: '-1' });
	writeFileSync(`${deployment.dir}/both.crt`, readFileSync(`${late}.crt`, 'utf8') + readFileSync(`${authority}.crt`, 'utf8'));
	secure(deployment, text => text.replace(/client_ca: "[^"]*"/, `client_ca: "${deployment.dir}/both.crt"`));
	const before = daemon.messages(/^reloaded$/).length;
	daemon.child.kill('SIGHUP');
	await until('all have reloaded', () => daemon.messages(/^reloaded$/).length >= before + 4);
	const proxy = pairOf(makeCertificate(deployment.dir, 'proxy-of-both', authority));
	isAnswered((await ask(deployment.proxied, authority, proxy)).text);
	secure(deployment);
});

test('a demo issuer and TLS do not go together', limit, () => {
	writeFileSync(`${deployment.dir}/demo.yaml`, readFileSync(deployment.file, 'utf8').replace('issuers: []', `issuers:
  - {name: demo, demo: true, iss: "https://d.invalid", scope: d, clients: [{id: c, scope: full}],
     keys: ["${deployment.dir}/demo-issuer.pub"]}`));
	const end = spawnSync(conductd, ['-n', '-c', `${deployment.dir}/demo.yaml`], { encoding: 'utf8', timeout: 20000 });
	assert.equal(end.status, 1);
	assert.match(end.stderr, /a demo issuer is for this machine alone, and TLS is for others/);
});

// Clients with certificates ------------------------------------------------------------------------

const pairOf = at => ({ cert: readFileSync(`${at}.crt`), key: readFileSync(`${at}.key`) });

/** What a client gets that is refused: no answer. In TLS 1.3 it hears of it after its own handshake. */
async function isShutOut(options) {
	try {
		const { text } = await ask(deployment.proxied, authority, options);
		assert.equal(text, '');
	} catch (error) {
		assert.match(error.code ?? '', /^(ERR_SSL_|ECONNRESET|EPIPE)/);
	}
}

test('a proxy with a certificate is served, and resumed', limit, async () => {
	const proxy = pairOf(makeCertificate(deployment.dir, 'proxy', authority));
	const answer = await ask(deployment.proxied, authority, proxy);
	isAnswered(answer.text);
	const again = await ask(deployment.proxied, authority, { ...proxy, session: answer.sessions[0] });
	isAnswered(again.text);
	assert.equal(again.isResumed, true);
});

test('a client without, with a foreign or with an expired certificate is shut out', limit, async () => {
	const stranger = makeCertificate(deployment.dir, 'stranger', deployment.foreign);
	const late = makeCertificate(deployment.dir, 'late', authority, { days: '-1' });
	for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
		await isShutOut({ maxVersion });
		await isShutOut({ maxVersion, ...pairOf(stranger) });
		await isShutOut({ maxVersion, ...pairOf(late) });
	}
});

test('a session of the open address does not open the other', limit, async () => {
	for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
		const { sessions: [session] } = await ask(deployment.tls, authority, { maxVersion });
		assert.ok(session);
		await isShutOut({ maxVersion, session });
	}
});

// Clients that do it wrong -------------------------------------------------------------------------

const raw = (port, bytes, { half = false } = {}) => new Promise(done => {
	const socket = net.connect(port, '127.0.0.1', () => {
		const end = all(socket);
		socket.write(bytes);
		if (half) {
			socket.end();
		}
		done(end);
	});
	socket.setTimeout(30000, () => socket.destroy());
});

test('plain HTTP and garbage to the TLS port end the connection without an answer', limit, async () => {
	for (const bytes of [request(), Buffer.alloc(4096, 0xff), Buffer.from('1603010200', 'hex'),
		'\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10', '\r\n\r\n']) {
		assert.doesNotMatch(await raw(deployment.tls, bytes, { half: true }), /HTTP\//);
	}
	isAnswered((await ask(deployment.tls, authority)).text);
});

test('a handshake that goes nowhere is ended in time', limit, async () => {
	const started = Date.now();
	const half = raw(deployment.tls, Buffer.from('16030100c8010000c40303', 'hex'));
	const silent = raw(deployment.tls, '');
	assert.equal(await half, '');
	assert.equal(await silent, '');
	const took = Date.now() - started;
	assert.ok(took > 5000 && took < 20000, `${took} ms`);
});

test('TLS to the plain port is refused as the HTTP that it is not', limit, async () => {
	const { text, code } = await sClient(deployment.port, []);
	assert.notEqual(code, 0);
	assert.match(text, /wrong version number/);
});

test('a thousand requests at once over one connection are answered in order', limit, async () => {
	const socket = await connect(deployment.tls, authority);
	const answer = all(socket);
	const n = 1000;
	socket.write(Array.from({ length: n }, (_, i) => request('/v1/policy/versions', i === n - 1 ? last : '')).join(''));
	const text = await answer;
	assert.equal(text.match(/HTTP\/1\.1 200 OK\r\n/g)?.length, n);
	assert.equal(text.match(/Connection: close\r\n/g)?.length, 1);
});

test('answers that a client is slow to fetch come whole', limit, async () => {
	const answered = async () => Number(/status="2xx"\} (\d+)/.exec((await get(deployment.ops, '/metrics')).text)?.[1]);
	const n = 1000;
	for (const maxVersion of ['TLSv1.3', 'TLSv1.2']) {
		const start = await answered();
		const socket = await connect(deployment.tls, authority, { maxVersion });
		socket.pause();
		socket.write(Array.from({ length: n }, (_, i) => request('/v1/policy?lang=en', i === n - 1 ? last : '')).join(''));
		// Nothing more is answered: the network holds what it can.
		let before = start;
		await until('the server waits for its client', async () => {
			const now = await answered();
			const waits = now === before && now > start;
			before = now;
			return waits;
		});
		assert.ok(before < start + n, 'the network does not hold all of it');
		const end = all(socket);
		socket.resume();
		const text = await end;
		const parts = text.split('HTTP/1.1 200 OK\r\n').slice(1).map(part => part.slice(part.indexOf('\r\n\r\n') + 4));
		assert.equal(parts.length, n);
		assert.ok(parts[0].length > 16384 && JSON.parse(parts[0]), 'more than a record');
		assert.equal(parts.filter(part => part !== parts[0]).length, 0);
	}
});

test('requests byte by byte, a record each, are answered', limit, async () => {
	const socket = await connect(deployment.tls, authority);
	socket.setNoDelay(true);
	const answer = all(socket);
	for (const byte of request('/v1/policy/versions', last)) {
		await new Promise(done => { socket.write(byte, done); });
	}
	isAnswered(await answer);
});

test('a large body comes whole', limit, async () => {
	const socket = await connect(deployment.tls, authority);
	const answer = all(socket);
	const body = JSON.stringify({ wiki: 'enwiki', details: 'x'.repeat(40000) });
	socket.write(`POST /v1/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
		+ `Idempotency-Key: 0123456789abcdef0123456789abcdef\r\n${last}Content-Length: ${body.length}\r\n\r\n`);
	for (let at = 0; at < body.length; at += 7001) {
		await new Promise(done => { socket.write(body.slice(at, at + 7001), done); });
	}
	assert.match(await answer, /^HTTP\/1\.1 (401|422) /);
});

test('a client that leaves in the middle of everything harms nobody', limit, async () => {
	await Promise.all(Array.from({ length: 50 }, async (_, i) => {
		const socket = await connect(deployment.tls, authority);
		const end = all(socket);
		socket.write(request().repeat(1 + i));
		socket.destroy();
		await end;
	}));
	isAnswered((await ask(deployment.tls, authority)).text);
	assert.deepEqual(daemon.messages(/started again/).length, 2, 'only the two that were killed above');
});

test('a connection that ends in order says so', limit, async () => {
	const { text, code } = await sClient(deployment.tls, ['-quiet', '-ign_eof', '-CAfile', `${authority}.crt`],
		request('/v1/policy/versions', last));
	assert.match(text, /HTTP\/1\.1 200 OK/);
	assert.doesNotMatch(text, /unexpected eof/);
	assert.equal(code, 0, text);
});

test('ops stays plain', limit, async () => {
	assert.equal((await get(deployment.ops, '/healthz')).status, 200);
});
