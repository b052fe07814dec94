// What stands between clients and handlers: pages of other origins, proxies, budgets, many
// connections. A second daemon on the same database has the product's own limits.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertProblem, base, call, reportBody, stack } from '../harness/api.mjs';
import { endAll, processes, start, until } from '../harness/beside.mjs';

after(endAll);

/** A report on a connection of its own, so that it meets any of the web processes. */
const report = (daemon, { who = null, changes = {}, body = reportBody(changes), ...options } = {}) =>
	call(who, 'POST', '/v1/reports', { url: daemon.url, body, ...options,
		headers: { Connection: 'close', ...options.headers } });
const emergency = { lane: 'emergency', harm_type: 'self_harm' };

/** Runs again what an hour or a day that ended meanwhile has spoilt. */
async function within(ms, work) {
	for (;;) {
		const started = Math.floor(Date.now() / ms);
		try {
			return await work();
		} catch (error) {
			if (Math.floor(Date.now() / ms) === started) throw error;
		}
	}
}

// Before the first test: one that has ended would end the daemons as well.
const port = Number(base.port);
const limited = await start('limited', port + 5, text => text);
const proxied = await start('proxied', port + 7, text => `${text.replace(/^issuers:[\s\S]*/m, '')
	.replace(/^ops_listen: "127\.0\.0\.1:/m, 'ops_listen: "127.0.0.2:')}
issuers: []
public_url: "https://conduct.example.org"
trusted_proxies: ["127.0.0.1/32", "10.0.0.0/8"]
shared_networks: ["198.51.100.0/24"]
limits: {reports_network: 2, shared_factor: 3}
`);

// Pages of other origins --------------------------------------------------------------------------

const EXPOSED = 'ETag, Location, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy, Link, WWW-Authenticate';
const ALLOWED = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id, Api-User-Agent';
const wiki = 'https://en.wikipedia.org';

function assertReadable(answer, origin) {
	assert.equal(answer.headers['access-control-allow-origin'], origin, answer.text);
	assert.equal(answer.headers['access-control-expose-headers'], EXPOSED);
	assert.match(answer.headers.vary, /\bOrigin\b/);
	assert.equal(answer.headers['access-control-allow-credentials'], undefined);
}

function assertUnreadable(answer) {
	for (const name of Object.keys(answer.headers)) assert.doesNotMatch(name, /^access-control-/);
}

/** One request as bytes; the answer's status and headers. */
function raw(bytes, url = base) {
	return new Promise((resolve, reject) => {
		const socket = net.connect(url.port, url.hostname);
		let text = '';
		socket.setTimeout(20000, () => socket.destroy(new Error('no answer')));
		socket.on('data', piece => {
			text += piece.toString('latin1');
		});
		// What was answered counts, also when the connection was reset behind it.
		socket.on('error', error => text || reject(error));
		socket.on('close', () => {
			const [line, ...lines] = text.split('\r\n\r\n')[0].split('\r\n');
			const headers = {};
			for (const header of lines) {
				const name = header.slice(0, header.indexOf(':')).toLowerCase();
				const value = header.slice(header.indexOf(':') + 1).trim();
				headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
			}
			resolve({ status: Number(line.split(' ')[1]), headers, text });
		});
		socket.write(bytes, 'latin1');
	});
}

test('a page of a wiki reads the policy and reports, on desktop and mobile hosts', async () => {
	for (const origin of [wiki, 'https://en.m.wikipedia.org', 'https://www.wikidata.org', 'https://m.wikidata.org']) {
		const headers = { Origin: origin };
		const policy = await call(null, 'GET', '/v1/policy', { headers });
		assertReadable(policy, origin);
		const again = await call(null, 'GET', '/v1/policy', { headers: { ...headers, 'If-None-Match': policy.headers.etag } });
		assert.equal(again.status, 304);
		assertReadable(again, origin);
		const made = await call(null, 'POST', '/v1/reports', { body: reportBody(), headers });
		assert.equal(made.status, 201, made.text);
		assertReadable(made, origin);
	}
});

test('an origin that only looks like one is not echoed', async () => {
	for (const origin of ['null', 'https://en.wikipedia.org.evil.example', 'https://evil.wikipedia.org',
		'https://enwikipedia.org', 'http://en.wikipedia.org', 'https://en.wikipedia.org:443',
		'https://en.wikipedia.org.', 'https://EN.wikipedia.org', 'https://en.wikipedia.org/',
		'https://en.wikipedia.org, https://evil.example', 'https://en.m.wikipedia.org.evil.example',
		'https://en.wikipedia.org@evil.example', '*', 'https://*.wikipedia.org', `http://${base.host}`]) {
		const answer = await call(null, 'GET', '/v1/policy', { headers: { Origin: origin } });
		assert.equal(answer.status, 200, origin);
		assertUnreadable(answer);
		assert.match(answer.headers.vary, /\bOrigin\b/, 'caches keep them apart');
	}
});

test('refusals carry the headers too, also before there is a route', async () => {
	const headers = { Origin: wiki };
	const refusals = {
		'unknown parameter': [400, () => call(null, 'GET', '/v1/policy?x=1', { headers })],
		'unknown wiki': [404, () => call(null, 'GET', '/v1/policy?wiki=nosuchwiki', { headers })],
		'unknown path': [404, () => call(null, 'GET', '/v1/nowhere', { headers })],
		'another method': [405, () => call(null, 'PUT', '/v1/policy', { headers })],
		'no key': [400, () => call(null, 'POST', '/v1/reports', { headers, key: null, body: reportBody() })],
		'another type': [415, () => call(null, 'POST', '/v1/reports', { raw: Buffer.from('x'),
			headers: { ...headers, 'Content-Type': 'text/plain' } })],
		'invalid body': [422, () => call(null, 'POST', '/v1/reports', { headers, body: { x: 1 } })],
		'too large': [413, () => raw(`POST /v1/reports HTTP/1.1\r\nHost: ${base.host}\r\nOrigin: ${wiki}\r\n` +
			`Idempotency-Key: ${randomUUID()}\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n`)],
		'a token that does not hold': [401, () => call({ authorization: 'Bearer x' }, 'POST', '/v1/reports',
			{ headers, body: reportBody() })],
		'a foreign host': [421, () => raw(`GET /v1/policy HTTP/1.1\r\nHost: evil.example\r\nOrigin: ${wiki}\r\n` +
			'Connection: close\r\n\r\n')],
		'no host': [400, () => raw(`GET /v1/policy HTTP/1.1\r\nOrigin: ${wiki}\r\n\r\n`)],
		'a head too large': [431, () => raw(`GET /v1/policy HTTP/1.1\r\nHost: ${base.host}\r\nOrigin: ${wiki}\r\n` +
			`X: ${'x'.repeat(9000)}\r\n\r\n`)],
		'too many headers': [431, () => raw(`GET /v1/policy HTTP/1.1\r\nHost: ${base.host}\r\nOrigin: ${wiki}\r\n` +
			`${'X: y\r\n'.repeat(70)}\r\n`)],
	};
	for (const [what, [status, asked]] of Object.entries(refusals)) {
		const answer = await asked();
		assert.equal(answer.status, status, what);
		assertReadable(answer, wiki);
	}
});

test('a page reads no case, no receipt and nothing of an account', async () => {
	const headers = { Origin: wiki };
	for (const path of ['/v1/cases', '/v1/me', '/v1/receipt', '/v1/receipt/messages', '/v1/receipt/attachments', `/v1/cases/${randomUUID()}`]) {
		assertUnreadable(await call('functionary', 'GET', path, { headers }));
		const preflight = await call(null, 'OPTIONS', path,
			{ headers: { ...headers, 'Access-Control-Request-Method': 'GET' } });
		assert.equal(preflight.status, 204);
		assertUnreadable(preflight);
	}
});

test('a preflight is answered by the router, asks nobody who they are, and holds two hours', async () => {
	for (const authorization of [undefined, 'Bearer garbage', 'Basic eDp5']) {
		const answer = await call(authorization ? { authorization } : null, 'OPTIONS', '/v1/reports', { headers: {
			Origin: wiki,
			'Access-Control-Request-Method': 'POST',
			'Access-Control-Request-Headers': 'authorization,content-type,idempotency-key',
		} });
		assert.equal(answer.status, 204);
		assertReadable(answer, wiki);
		assert.equal(answer.headers['access-control-allow-methods'], 'POST');
		assert.equal(answer.headers['access-control-allow-headers'], ALLOWED);
		assert.equal(answer.headers['access-control-max-age'], '7200');
		assert.equal(answer.text, '');
	}
	const get = await call(null, 'OPTIONS', '/v1/policy',
		{ headers: { Origin: wiki, 'Access-Control-Request-Method': 'GET' } });
	assert.equal(get.headers['access-control-allow-methods'], 'GET, HEAD');
	for (const method of ['DELETE', 'PUT', 'post', 'TRACE']) {
		assertUnreadable(await call(null, 'OPTIONS', '/v1/reports',
			{ headers: { Origin: wiki, 'Access-Control-Request-Method': method } }));
	}
	assertUnreadable(await call(null, 'OPTIONS', '/v1/reports',
		{ headers: { Origin: 'null', 'Access-Control-Request-Method': 'POST' } }));
});

test('the operations port answers under the address that it was reached at, the public one does not', async () => {
	const host = proxied.ops.hostname;
	assert.equal(host, '127.0.0.2');
	const asked = (url, name) => raw(`GET /healthz HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`, url);
	for (const name of [host, `${host}:${proxied.ops.port}`, '127.0.0.1', '[::ffff:127.0.0.2]']) {
		assert.equal((await asked(proxied.ops, name)).status, 200, name);
	}
	for (const name of ['127.0.0.3', '127.0.0.02', '2130706434', `${host}.evil.example`, 'evil.example', '[::2]']) {
		assert.equal((await asked(proxied.ops, name)).status, 421, name);
	}
	for (const name of [host, 'conduct.example.org.evil.example', 'example.org']) {
		assert.equal((await asked(proxied.url, name)).status, 421, name);
	}
	assert.equal((await asked(proxied.url, 'conduct.example.org')).status, 404, 'where people are sent back to');
});

// Budgets -----------------------------------------------------------------------------------------

const counter = async (daemon, limit) =>
	Number(new RegExp(`^conductd_http_limited_total\\{limit="${limit}"\\} (\\d+)$`, 'm')
		.exec((await call(null, 'GET', '/metrics', { url: daemon.ops })).text)[1]);

function assertLimited(answer, name, quota, window) {
	const body = assertProblem(answer, 429, 'conduct-report-limit');
	const seconds = Number(answer.headers['retry-after']);
	assert.ok(seconds > 0 && seconds <= window, answer.headers['retry-after']);
	assert.equal(answer.headers['ratelimit-policy'], `"${name}";q=${quota};w=${window}`);
	assert.match(answer.headers.ratelimit, new RegExp(`^"${name}";r=0;t=\\d+$`));
	return body;
}

test('who has no account reports ten times an hour from a network, whichever process answers', () =>
	within(3600000, async () => {
		const same = { key: randomUUID(), body: reportBody() };
		const first = await report(limited, same);
		assert.equal(first.status, 201, first.text);
		const left = Number(/r=(\d+)/.exec(first.headers.ratelimit)[1]);
		assert.equal(first.headers['ratelimit-policy'], '"reports-network";q=10;w=3600');
		const again = await report(limited, same);
		assert.equal(again.status, 201, 'a stored key does not count again');
		for (let i = 0; i < left; i++) assert.equal((await report(limited)).status, 201);
		const before = await counter(limited, 'reports-network');
		for (let i = 0; i < 8; i++) assertLimited(await report(limited), 'reports-network', 10, 3600);
		assert.equal(await counter(limited, 'reports-network'), before + 8);
		assert.equal((await report(limited, same)).status, 201, 'what is stored is rendered again');
		const outside = { 'X-Forwarded-For': '203.0.113.9', Forwarded: 'for=203.0.113.9', 'X-Real-IP': '203.0.113.9' };
		assertLimited(await report(limited, { headers: outside }), 'reports-network', 10, 3600);
		for (let i = 0; i < 12; i++) {
			const helped = await report(limited, { changes: emergency, key: i % 2 ? null : undefined });
			assert.equal(helped.status, 201, helped.text);
			assert.equal(helped.headers.ratelimit, undefined);
		}
		assert.equal((await report(limited, { who: 'reporter' })).status, 201, 'an account has its own');
	}));

test('a budget outlives the process that counted it', () =>
	within(3600000, async () => {
		for (let i = 0; i < 11; i++) await report(limited);
		const old = processes(limited, 'web');
		assert.equal(old.length, 2);
		for (const pid of old) process.kill(pid, 'SIGKILL');
		await until('both web processes are new and serve', async () =>
			processes(limited, 'web').filter(pid => !old.includes(pid)).length === 2 &&
			(await call(null, 'GET', '/readyz', { url: limited.ops })).status === 200);
		for (let i = 0; i < 6; i++) assertLimited(await report(limited), 'reports-network', 10, 3600);
	}));

test('an account reports fifty times a day, and what was refused does not count', () =>
	within(86400000, async () => {
		for (let i = 0; i < 5; i++) {
			assert.equal((await report(limited, { who: 'outsider', changes: { category: 'nonsense' } })).status, 422);
		}
		const first = await report(limited, { who: 'outsider' });
		assert.equal(first.headers['ratelimit-policy'], '"reports-account";q=50;w=86400');
		for (let left = Number(/r=(\d+)/.exec(first.headers.ratelimit)[1]); left > 0; left--) {
			assert.equal((await report(limited, { who: 'outsider' })).status, 201);
		}
		assertLimited(await report(limited, { who: 'outsider' }), 'reports-account', 50, 86400);
		assert.equal((await report(limited, { who: 'outsider', changes: emergency })).status, 201);
	}));

test('receipts are guessed and tokens tried a few times a minute', () =>
	within(60000, async () => {
		const guess = () => call({ receipt: 'ABCDE-FGHJK-MNPQR-STVWX-YZ012-3' }, 'GET', '/v1/receipt', { url: limited.url });
		const statuses = [];
		for (let i = 0; i < 32; i++) statuses.push((await guess()).status);
		assert.deepEqual([...new Set(statuses)], [404, 429]);
		assert.ok((await guess()).headers['retry-after'] <= 60);
		const forge = () => call({ authorization: 'Bearer a.b.c' }, 'GET', '/v1/me', { url: limited.url });
		statuses.length = 0;
		for (let i = 0; i < 62; i++) statuses.push((await forge()).status);
		assert.deepEqual([...new Set(statuses)], [401, 429]);
	}));

test('cookies are tried, and sessions ended, a few times a minute', () =>
	within(60000, async () => {
		const guess = () => ({ Cookie: `__Host-conductd=${randomBytes(32).toString('base64url')}`, 'Sec-Fetch-Site': 'same-origin' });
		for (const [network, method, path, status] of [[1, 'GET', '/v1/me', 401], [2, 'POST', '/v1/auth/logout', 204]]) {
			const address = `203.2.${network}.${Math.floor(Math.random() * 250)}`;
			const statuses = [];
			for (let i = 0; i < 62; i++) {
				statuses.push((await call(null, method, path, { url: proxied.url,
					headers: { ...guess(), 'X-Forwarded-For': address } })).status);
			}
			assert.deepEqual([...new Set(statuses)], [status, 429]);
			const helped = await from(address, { changes: emergency, headers: guess() });
			assert.equal(helped.status, 201, helped.text);
		}
	}));

test('no address, token or budget of anybody stands in the log', async () => {
	const log = readFileSync(limited.log, 'utf8');
	assert.ok(log.includes('"http.response.status_code":429'));
	assert.doesNotMatch(log, /203\.0\.113|127\.0\.0\.1|Bearer|ABCDE/);
});

// Proxies -----------------------------------------------------------------------------------------

const from = (chain, options = {}) => report(proxied, { ...options, headers: { ...options.headers, 'X-Forwarded-For': chain } });

test('chains that a client began count for nothing, in whatever form', () =>
	within(3600000, async () => {
		const network = `203.1.${Math.floor(Math.random() * 250)}`;
		assert.equal((await from(`9.9.9.1, ${network}.1`)).status, 201);
		assert.equal((await from(`9.9.9.2, ${network}.2:4711, 10.2.3.4`)).status, 201);
		assert.equal((await from(`9.9.9.3, ::ffff:${network}.3`)).status, 429);
		assert.equal((await from([`9.9.9.4`, `${network}.4`])).status, 429, 'two lines are one chain');
		assert.equal((await from(`9.9.9.5, "[::ffff:${network}.5]:443", 10.0.0.1, 10.0.0.2`)).status, 429);
		assert.equal((await from(`${network}.6`, { changes: emergency })).status, 201);
	}));

test('an IPv6 network is 64 bits, and all its forms are one', () =>
	within(3600000, async () => {
		const prefix = `2001:db8:${Math.floor(Math.random() * 0xffff).toString(16)}:1`;
		assert.equal((await from(`${prefix}::1`)).status, 201);
		assert.equal((await from(`[${prefix.toUpperCase()}:0:0:0:2]:443`)).status, 201);
		assert.equal((await from(`${prefix}:ffff::3`)).status, 429);
		assert.equal((await from(`${prefix.replace(/1$/, '2')}::1`)).status, 201);
	}));

test('a shared network has more of its own', () =>
	within(3600000, async () => {
		let answer;
		for (let i = 0; i < 6; i++) {
			answer = await from(`198.51.100.${i + 1}`);
			if (i === 0) assert.equal(answer.headers['ratelimit-policy'], '"reports-network-shared";q=6;w=3600');
		}
		assertLimited(await from('198.51.100.9'), 'reports-network-shared', 6, 3600);
	}));

test('a request keeps the name that a trusted proxy gave it, and nobody else', async () => {
	const ask = (url, id) => call(null, 'GET', '/v1/nowhere', { url, headers: { 'X-Request-Id': id } });
	const named = await ask(proxied.url, 'edge-7.0001_abc');
	assert.equal(named.headers['x-request-id'], 'edge-7.0001_abc');
	assert.equal(named.body.instance, '#edge-7.0001_abc');
	for (const bad of ['short', 'a"b\\cdefgh', 'x'.repeat(65), 'spaces are none']) {
		assert.match((await ask(proxied.url, bad)).headers['x-request-id'], /^[0-9a-f-]{36}$/);
	}
	assert.match((await ask(base, 'edge-7.0001_abc')).headers['x-request-id'], /^[0-9a-f-]{36}$/);
});

test('the demo issuer is not served behind a proxy', () => {
	const file = `${stack}/demo-proxied.yaml`;
	writeFileSync(file, `${readFileSync(`${stack}/conductd.yaml`, 'utf8')}trusted_proxies: ["127.0.0.1"]\n`);
	assert.throws(() => execFileSync(`${stack}/conductd-proxied`, ['-n', '-c', file], { stdio: 'pipe' }),
		error => /demo issuer cannot be served behind a proxy/.test(`${error.stdout}${error.stderr}`));
});

// Many connections --------------------------------------------------------------------------------

/** Proportional memory of the daemon's processes, in KiB. */
function pss(daemon) {
	const pids = [daemon.child.pid, ...execFileSync('ps', ['-o', 'pid=', '--ppid', `${daemon.child.pid}`],
		{ encoding: 'utf8' }).split('\n').filter(Boolean).map(Number)];
	return pids.reduce((sum, pid) =>
		sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]), 0);
}

/** Says something on a connection of its own, from an address of this machine; what comes until `isEnough`. */
function say(url, bytes, { localAddress = '127.0.0.1', isEnough = text => text.includes('\r\n\r\n') } = {}) {
	return new Promise(resolve => {
		const socket = net.connect({ port: url.port, host: url.hostname, localAddress }, () => socket.write(bytes));
		let text = '';
		const finish = () => resolve({ socket, text });
		socket.setTimeout(20000, finish);
		socket.on('data', piece => {
			text += piece.toString('latin1');
			if (isEnough(text)) finish();
		}).on('error', finish).on('close', finish);
	});
}

test('one network cannot have all connections, and an emergency has one there, too', async () => {
	const crowded = await start('crowded', port + 9, text => `${text.replace('web: 2', 'web: 1')}
limits: {network_connections: 3, shared_factor: 1}
`);
	const { url } = crowded;
	const post = body => `POST /v1/reports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
		+ `Idempotency-Key: "${randomUUID()}"\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
	const half = () => say(url, post(JSON.stringify(reportBody())).replace('\r\nContent-Type', '\r\nExpect: 100-continue\r\nContent-Type').slice(0, -40));
	const waiting = await Promise.all([1, 2, 3].map(() => say(url, 'HEAD /v1/policy HTTP/1.1\r\nHost: localhost\r\n\r\n')));
	const ended = Promise.race(waiting.map(({ socket }) => new Promise(resolve => socket.once('close', resolve))));
	const busy = [await half(), await half(), await half()];
	await ended;
	for (const { text } of busy) assert.match(text, /^HTTP\/1\.1 100 /);
	assert.match((await say(url, post(JSON.stringify(reportBody())))).text, /^HTTP\/1\.1 503 [^]*\r\nRetry-After: /);
	assert.match((await say(url, post(JSON.stringify(reportBody(emergency))))).text, /^HTTP\/1\.1 201 /);
	assert.match((await say(url, post(JSON.stringify(reportBody())), { localAddress: '127.0.1.1' })).text, /^HTTP\/1\.1 (201|401) /);
	for (let i = 0; i < 32; i++) busy.push(await half());
	const { text } = await say(url, post(JSON.stringify(reportBody(emergency))));
	assert.equal(text, '');
	assert.match((await call(null, 'GET', '/metrics', { url: crowded.ops })).text, /^conductd_http_crowded_total [1-9]/m);
	for (const { socket } of [...waiting, ...busy]) socket.destroy();
});

test('ten thousand idle connections take less than 256 MB, and everybody else is served', async t => {
	const descriptors = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1]);
	const wanted = process.env.EFFORT === 'full' ? Math.min(10000, descriptors - 200) : 500;
	const before = pss(limited);
	const sockets = [];
	const opened = [];
	for (let i = 0; i < wanted; i++) {
		const socket = net.connect(limited.url.port, limited.url.hostname);
		socket.on('error', () => {});
		opened.push(new Promise(resolve => socket.once('connect', resolve)));
		sockets.push(socket);
		if (i % 200 === 199) await Promise.all(opened);
	}
	await Promise.all(opened);
	// Every one has asked once and waits.
	await Promise.all(sockets.map(socket => new Promise(resolve => {
		let text = '';
		socket.on('data', piece => {
			text += piece.toString('latin1');
			if (text.includes('\r\n\r\n')) resolve();
		});
		socket.write('HEAD /v1/policy HTTP/1.1\r\nHost: localhost\r\n\r\n');
	})));
	await until('the metrics count them', async () =>
		Number(/^conductd_http_connections (\d+)$/m.exec(
			(await call(null, 'GET', '/metrics', { url: limited.ops })).text)[1]) >= wanted);
	const grown = (pss(limited) - before) / wanted;
	t.diagnostic(`note: ${wanted} idle connections: ${grown.toFixed(1)} KiB each, ${pss(limited) >> 10} MiB in all`);
	assert.ok(grown * 10000 + before < 256 * 1024, `${grown} KiB each`);
	assert.equal((await report(limited, { changes: emergency })).status, 201);
	for (const socket of sockets) socket.destroy();
});
