// What these tests start: certificates made by openssl, a deployment that serves them, and clients.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { Deployment } from '../db/daemon.mjs';

export * from '../db/daemon.mjs';

export const isFull = process.env.EFFORT === 'full';

export function freePort() {
	return new Promise(done => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address();
			server.close(() => done(port));
		});
	});
}

export const openssl = (...args) => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });

const EC = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** An authority in a directory: dir/NAME.crt and .key. */
export function makeAuthority(dir, name, { days = '2' } = {}) {
	const at = join(dir, name);
	openssl('req', '-newkey', ...EC, '-nodes', '-subj', `/CN=${name}`, '-keyout', `${at}.key`, '-out', `${at}.csr`);
	writeFileSync(`${at}.ext`, 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n');
	openssl('x509', '-req', '-in', `${at}.csr`, '-signkey', `${at}.key`, '-days', days, '-extfile', `${at}.ext`, '-out', `${at}.crt`);
	return at;
}

/**
 * A certificate of that authority for localhost, also as 127.0.0.1: dir/NAME.crt and .key. Good for so many days,
 * or from one date until another, as openssl-ca(1) writes them.
 */
export function makeCertificate(dir, name, authority,
	{ type = 'ec', days = '1', from, until: end, names = 'DNS:localhost,IP:127.0.0.1' } = {}) {
	const at = join(dir, name);
	openssl('req', '-newkey', ...type === 'rsa' ? ['rsa:2048'] : EC, '-nodes', '-subj', `/CN=${name}`, '-keyout', `${at}.key`,
		'-out', `${at}.csr`);
	writeFileSync(`${at}.ext`, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
	if (from) {
		writeFileSync(`${at}.index`, '');
		writeFileSync(`${at}.cnf`, `[ca]\ndefault_ca=d\n[d]\ndatabase=${at}.index\nnew_certs_dir=${dir}\ndefault_md=sha256\n`
			+ 'policy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n');
		openssl('ca', '-batch', '-notext', '-config', `${at}.cnf`, '-cert', `${authority}.crt`, '-keyfile', `${authority}.key`, '-in',
			`${at}.csr`, '-startdate', from, '-enddate', end, '-extfile', `${at}.ext`, '-out', `${at}.crt`);
	} else {
		openssl('x509', '-req', '-in', `${at}.csr`, '-CA', `${authority}.crt`, '-CAkey', `${authority}.key`,
			'-CAcreateserial', '-days', days, '-extfile', `${at}.ext`, '-out', `${at}.crt`);
	}
	chmodSync(`${at}.key`, 0o600);
	return at;
}

export function install(from, to) {
	copyFileSync(`${from}.crt`, `${to}.crt`);
	copyFileSync(`${from}.key`, `${to}.key`);
	chmodSync(`${to}.key`, 0o600);
}

/** A deployment without issuers on plain and TLS ports: `tls` open to all, `proxied` to a client_ca. */
export async function makeSecure(database) {
	const deployment = await Deployment.make(database);
	const { dir } = deployment;
	deployment.authority = makeAuthority(dir, 'authority');
	deployment.foreign = makeAuthority(dir, 'foreign');
	deployment.good = makeCertificate(dir, 'good', deployment.authority);
	deployment.pair = join(dir, 'server');
	install(deployment.good, deployment.pair);
	deployment.tls = await freePort();
	deployment.proxied = await freePort();
	secure(deployment);
	return deployment;
}

/** Writes the configuration: the demo's with TLS in place of its issuers. */
export function secure(deployment, edit = text => text) {
	deployment.write();
	const text = readFileSync(deployment.file, 'utf8').replace(/issuers:\n(.*\n)*$/, '');
	const pair = `certificate: "${deployment.pair}.crt", key: "${deployment.pair}.key"`;
	writeFileSync(deployment.file, edit(`${text}issuers: []
tls:
  - {listen: "127.0.0.1:${deployment.tls}", ${pair}}
  - {listen: "127.0.0.1:${deployment.proxied}", ${pair}, client_ca: "${deployment.authority}.crt"}
`));
}

/** A TLS connection whose handshake is over; rejects with the error of one that failed. */
export function connect(port, authority, options = {}) {
	return new Promise((done, fail) => {
		const socket = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: readFileSync(`${authority}.crt`),
			...options }, () => done(socket));
		socket.sessions = [];
		socket.on('session', session => socket.sessions.push(session));
		socket.once('error', fail);
		socket.setTimeout(20000, () => socket.destroy(new Error('nothing came for 20 s')));
	});
}

/** Everything that comes until the end; settles also when the connection breaks. */
export function all(socket) {
	return new Promise(done => {
		const parts = [];
		socket.on('data', part => parts.push(part));
		socket.on('error', () => {});
		socket.on('close', () => done(Buffer.concat(parts).toString('latin1')));
	});
}

export const request = (path = '/v1/policy/versions', more = '') =>
	`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
export const last = 'Connection: close\r\n';

/** One request on a connection of its own: the answer's text, and the socket's facts. */
export async function ask(port, authority, options = {}) {
	const socket = await connect(port, authority, options);
	const answer = all(socket);
	socket.write(request('/v1/policy/versions', last));
	const facts = { protocol: socket.getProtocol(), cipher: socket.getCipher(), isResumed: socket.isSessionReused(),
		alpn: socket.alpnProtocol, certificate: socket.getPeerCertificate() };
	return { text: await answer, sessions: socket.sessions, ...facts };
}

/** openssl s_client, which says what is in `input`: its status and all it printed. */
export function sClient(port, args, input = '') {
	return new Promise(done => {
		const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: 'pipe' });
		let text = '';
		const end = setTimeout(() => child.kill('SIGKILL'), 20000);
		child.stdout.on('data', part => { text += part; });
		child.stderr.on('data', part => { text += part; });
		child.stdin.on('error', () => {});
		child.stdin.end(input);
		child.on('close', code => { clearTimeout(end); done({ code, text }); });
	});
}

export function isAnswered(text) {
	assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
}
