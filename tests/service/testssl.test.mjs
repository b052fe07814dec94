// testssl.sh's own opinion of the TLS port: protocols, ciphers, keys, headers, the known attacks, and its list
// of clients. It calls nothing worse than information, but for what the test's certificate is to blame for.
// It takes more than a minute and runs with --effort=full (tests/service/run).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Daemon, makeSecure } from './world.mjs';

// A certificate of one day, of an authority that runs no service for revocation.
const ours = /^cert_(expirationStatus|revocation|notAfter|validityPeriod|trust|chain_of_trust)|^OCSP_|^DNS_CAArecord|^clientsimulation-(ie_6|ie_8|java_7)/;
let deployment, daemon;

before(async () => {
	deployment = await makeSecure('testssl');
	daemon = await Daemon.start(deployment);
});

after(async () => {
	await daemon?.stop();
	deployment?.remove();
});

test('testssl.sh finds nothing', { timeout: 400000 }, async () => {
	const file = `${deployment.dir}/testssl.json`;
	await new Promise(done => {
		execFile('testssl', ['--quiet', '--color', '0', '--warnings', 'batch', '--openssl', '/usr/bin/openssl', '--add-ca',
			`${deployment.authority}.crt`, '-oj', file, `localhost:${deployment.tls}`], { timeout: 390000 }, done);
	});
	const findings = JSON.parse(readFileSync(file, 'utf8'));
	assert.ok(findings.length > 30, `${findings.length} findings`);
	const bad = findings.filter(({ id, severity }) => !['OK', 'INFO', 'DEBUG', 'WARN'].includes(severity) && !ours.test(id));
	assert.deepEqual(bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`), []);
	for (const [id, pattern] of [['TLS1', /^not offered/], ['TLS1_1', /^not offered/], ['TLS1_2', /^offered/], ['TLS1_3', /^offered/],
		['HSTS_time', /365 days/]]) {
		assert.match(findings.find(each => each.id === id)?.finding ?? '', pattern, id);
	}
});
