// testssl.sh's own opinion of the TLS port, with a certificate such as an operator has: of an intermediate of a
// private root that testssl.sh is told to trust. It grades by the SSL Labs Server Rating Guide, and names each
// finding. It takes some minutes and runs with --effort=full (tests/service/run).
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, install, makeAuthority, makeSecure, openssl } from './world.mjs';

const source = resolve(new URL('.', import.meta.url).pathname, '../..');
const LIMIT_MS = 1500000;

// What is not the server's: the name's DNS, and the openssl that asks.
const ours = new Set(['DNS_CAArecord', 'engine_problem']);
let deployment, daemon, findings;

/** dir/NAME.crt (its chain behind it) and .key, signed by `issuer`. */
function sign(dir, name, issuer, extensions, chain = '') {
	const at = join(dir, name);
	openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/O=Test/CN=${name}`,
		'-keyout', `${at}.key`, '-out', `${at}.csr`);
	writeFileSync(`${at}.ext`, `${extensions}\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n`
		+ 'crlDistributionPoints=URI:http://crl.conduct.invalid/ca.crl\n');
	openssl('x509', '-req', '-in', `${at}.csr`, '-CA', `${issuer}.crt`, '-CAkey', `${issuer}.key`, '-CAcreateserial', '-sha256',
		'-days', '90', '-extfile', `${at}.ext`, '-out', `${at}.crt`);
	writeFileSync(`${at}.crt`, readFileSync(`${at}.crt`, 'utf8') + chain);
	return at;
}

before(async () => {
	const testssl = execFileSync(`${source}/tests/service/fetch-testssl`, [`${source}/build/testssl`], { encoding: 'utf8', timeout: 120000 }).trim();
	deployment = await makeSecure('testssl');
	const { dir } = deployment;
	const root = makeAuthority(dir, 'root', { days: '730' });
	const middle = sign(dir, 'intermediate', root, 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign');
	const leaf = sign(dir, 'localhost', middle, 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
		+ 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost', readFileSync(`${middle}.crt`, 'utf8'));
	install(leaf, deployment.pair);
	daemon = await Daemon.start(deployment);
	const file = `${dir}/testssl.json`;
	const end = await new Promise(done => {
		execFile(`${testssl}/usr/bin/testssl`, ['--quiet', '--color', '0', '--warnings', 'batch', '--openssl', '/usr/bin/openssl',
			'--add-ca', `${root}.crt`, '--jsonfile', file, `localhost:${deployment.tls}`],
		{ timeout: LIMIT_MS, maxBuffer: 1 << 26, env: { ...process.env, TESTSSL_INSTALL_DIR: `${testssl}/etc/testssl` } },
		(error, stdout, stderr) => done(`${stdout.slice(-2000)}${stderr.slice(-2000)}`));
	});
	try {
		findings = JSON.parse(readFileSync(file, 'utf8'));
	} catch (error) {
		throw new Error(`${error.message}\n${end}`);
	}
}, { timeout: LIMIT_MS + 200000 });

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

const finding = id => findings.find(each => each.id === id)?.finding ?? `there is no finding ${id}`;

test('the chain is trusted, and protocols are what they should be', () => {
	assert.ok(findings.length > 100, `${findings.length} findings`);
	for (const [id, pattern] of [['cert_chain_of_trust', /^passed\./], ['cert_trust', /^Ok via SAN/], ['SSLv2', /^not offered/],
		['SSLv3', /^not offered/], ['TLS1', /^not offered/], ['TLS1_1', /^not offered/], ['TLS1_2', /^offered/], ['TLS1_3', /^offered/],
		['HSTS_time', /365 days/]]) {
		assert.match(finding(id), pattern, id);
	}
});

test('testssl.sh grades it A or better', t => {
	const reasons = findings.filter(({ id }) => /^grade_(cap|warn)_reason/.test(id)).map(each => each.finding);
	const scores = ['protocol_support', 'key_exchange', 'cipher_strength'].map(part => `${part} ${finding(`${part}_score`)}`);
	t.diagnostic(`note: testssl.sh's grade ${finding('overall_grade')} by ${finding('rating_doc')} (${finding('rating_spec')}): `
		+ `${scores.join(', ')}, in all ${finding('final_score')}`);
	assert.match(finding('overall_grade'), /^A\+?$/, reasons.join('; '));
});

test('testssl.sh finds nothing worse than information', () => {
	const bad = findings.filter(({ id, severity }) => !['OK', 'INFO', 'DEBUG'].includes(severity) && !ours.has(id));
	assert.deepEqual(bad.map(({ id, severity, finding: text }) => `${severity} ${id}: ${text}`), []);
});
