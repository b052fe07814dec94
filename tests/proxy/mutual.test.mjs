// Where proxy and conductd are on two machines each shows the other a certificate: the lines for it in the examples
// of packaging/proxy, a conductd that serves nobody without, and proxies that give nothing to a stranger.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { HOST, ask, linesOf, logged, sizeOf } from './parts.mjs';

const dir = process.env.CONDUCTD_PROXY_DIR;
const { port, files, proxies } = JSON.parse(process.env.CONDUCTD_MUTUAL);
const log = `${dir}/conductd.log`;
const limit = { timeout: 180000 };
const pair = name => ({ cert: readFileSync(`${dir}/${name}.crt`), key: readFileSync(`${dir}/${name}.key`), ca: readFileSync(`${dir}/ca.crt`) });

/** Writes over conductd's files, which keep their owner and mode, and reloads it. */
async function give(contents) {
	const at = sizeOf(log);
	for (const [name, from] of Object.entries(contents)) writeFileSync(`${files}/${name}`, readFileSync(`${dir}/${from}`));
	process.kill(Number(readFileSync(`${dir}/conductd.pid`, 'utf8')), 'SIGHUP');
	const processes = new Set();
	await logged(() => {
		for (const line of linesOf(log, at)) if (/"message":"reloaded"/.test(line)) processes.add(JSON.parse(line)['conductd.process']
			+ JSON.parse(line)['conductd.number']);
		return processes.size >= 4;
	});
}

for (const [name, proxy] of Object.entries(proxies)) {
	test(`${name} shows its certificate, and passes on what it knows of the client`, limit, async () => {
		const at = sizeOf(log);
		const answer = await ask(proxy, '/v1/policy/versions', { headers: { 'X-Forwarded-For': '192.0.2.7' } });
		assert.equal(answer.status, 200, answer.text);
		await logged(() => linesOf(log, at).some(line => line.includes(`"http.request.id":"${answer.headers['x-request-id']}"`)));
		assert.equal((await ask(proxy, '/v1/reports', { method: 'POST', headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ lane: 'emergency', harm_type: 'physical_harm', details: 'Behind a proxy.' }) })).status, 201);
	});
}

test('who shows no certificate, or one of another authority, is not served', limit, async () => {
	const { status } = await ask(port, '/v1/policy/versions', { ...pair('ca-proxy'), headers: { Host: HOST } });
	assert.equal(status, 200);
	for (const options of [{}, pair('foreign-proxy')]) {
		await assert.rejects(ask(port, '/v1/policy/versions', options), { code: /^(ERR_SSL_|ECONNRESET|EPIPE)/ });
	}
});

const strangers = [
	['a server of another authority', { 'server.crt': 'foreign-server.crt', 'server.key': 'foreign-server.key' }],
	['a server that trusts another authority', { 'client-ca.crt': 'foreign.crt' }],
];
for (const [what, contents] of strangers) {
	test(`no proxy gives anything to ${what}`, limit, async () => {
		await give(contents);
		for (const [name, proxy] of Object.entries(proxies)) {
			// A connection that the proxy has kept is good for one more request, after which there are new ones alone. In
			// TLS 1.3 the proxy hears of it after its handshake; HAProxy then ends its client's connection, too.
			let outcome;
			await logged(async () => {
				outcome = await ask(proxy, '/v1/policy/versions').then(({ status }) => String(status), ({ code }) => code);
				return outcome !== '200';
			});
			assert.match(outcome, /^(50[23]|ECONNRESET)$/, name);
		}
		await give({ 'server.crt': 'ca-server.crt', 'server.key': 'ca-server.key', 'client-ca.crt': 'ca.crt' });
		for (const [name, proxy] of Object.entries(proxies)) {
			await logged(async () => (await ask(proxy, '/v1/policy/versions')).status === 200);
			assert.equal((await ask(proxy, '/v1/policy/versions')).status, 200, name);
		}
	});
}
