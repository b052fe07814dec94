// Hostile HTTP over raw sockets: each refusal has its status and problem body, closes where the
// stream cannot be trusted any more, and touches no later request.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, assertProblem, assertSafe, connect, cut, exchange, get, host, isDaemon, post,
	refused, start, stop, token, works } from './raw.mjs';

before(start);
after(stop);

const reports = (headers, body = '') =>
	`POST /v1/reports HTTP/1.1\r\nHost: ${host()}\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;

const bad = {
	'Content-Length with Transfer-Encoding': [400, () =>
		reports('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
	'Transfer-Encoding before Content-Length': [400, () =>
		reports('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n')],
	'Transfer-Encoding: chunked': [501, () => reports('Transfer-Encoding: chunked\r\n', '0\r\n\r\n')],
	'Transfer-Encoding: xchunked': [501, () => reports('Transfer-Encoding: xchunked\r\n')],
	'Transfer-Encoding: identity': [501, () => reports('Transfer-Encoding: identity\r\n')],
	'Transfer-Encoding in HTTP/1.0': [400, () =>
		`POST / HTTP/1.0\r\nHost: ${host()}\r\nTransfer-Encoding: chunked\r\n\r\n`],
	'two Content-Length that differ': [400, () => reports('Content-Length: 0\r\nContent-Length: 44\r\n')],
	'two Content-Length that agree': [400, () => reports('Content-Length: 0\r\nContent-Length: 0\r\n')],
	'Content-Length: +3': [400, () => reports('Content-Length: +3\r\n', '{} ')],
	'Content-Length: 3,3': [400, () => reports('Content-Length: 3,3\r\n', '{} ')],
	'Content-Length: 0x3': [400, () => reports('Content-Length: 0x3\r\n', '{} ')],
	'Content-Length of twenty digits': [400, () => reports('Content-Length: 18446744073709551619\r\n')],
	'space before the colon': [400, () => reports('Content-Length : 3\r\n', '{} ')],
	'bare LF after the request line': [400, () => `GET /v1/policy HTTP/1.1\nHost: ${host()}\r\n\r\n`],
	'bare LF in a header': [400, () => get('/v1/policy', 'A: b\nC: d\r\n')],
	'bare CR in a header': [400, () => get('/v1/policy', 'A: b\rC: d\r\n')],
	'NUL in a header value': [400, () => get('/v1/policy', 'A: b\0c\r\n')],
	'NUL in a header name': [400, () => get('/v1/policy', 'A\0: b\r\n')],
	'NUL in the target': [400, () => get('/v1/pol\0icy')],
	'folded header': [400, () => get('/v1/policy', 'A: b\r\n c\r\n')],
	'no Host': [400, () => 'GET /v1/policy HTTP/1.1\r\n\r\n'],
	'empty Host': [400, () => 'GET /v1/policy HTTP/1.1\r\nHost:\r\n\r\n'],
	'two Hosts': [400, () => get('/v1/policy', `Host: ${host()}\r\n`)],
	'two Authorization': [400, () => get('/v1/policy', 'Authorization: Bearer a\r\nAuthorization: Bearer a\r\n')],
	'two Idempotency-Key': [400, () =>
		reports('Idempotency-Key: 0123456789012345678901\r\nIdempotency-Key: 0123456789012345678901\r\n')],
	'65 headers': [431, () => get('/v1/policy', 'A: b\r\n'.repeat(64))],
	'head over 8 KiB': [431, () => get('/v1/policy', `A: ${'x'.repeat(8192)}\r\n`)],
	'target over 2 KiB': [414, () => get(`/v1/policy?wiki=${'x'.repeat(2048)}`)],
	'HTTP/0.9 without version': [400, () => 'GET /v1/policy\r\n'],
	'HTTP/0.9': [505, () => `GET /v1/policy HTTP/0.9\r\nHost: ${host()}\r\n\r\n`],
	'HTTP/1.9': [505, () => `GET /v1/policy HTTP/1.9\r\nHost: ${host()}\r\n\r\n`],
	'HTTP/2.0': [505, () => `GET /v1/policy HTTP/2.0\r\nHost: ${host()}\r\n\r\n`],
	'HTTP/2 preface': [505, () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
	'absolute-form of another host': [400, () => get('http://evil.example/v1/policy')],
	'double slash': [400, () => get('//v1/policy')],
	'encoded dot segments': [400, () => get('/v1/x/%2e%2e/policy')],
	'plain dot segments': [400, () => get('/v1/x/../policy')],
	'encoded NUL': [400, () => get('/v1/policy%00')],
	'encoded slash': [400, () => get('/v1%2fpolicy')],
	'overlong UTF-8': [400, () => get('/v1/%c0%ae%c0%ae/policy')],
	'overlong UTF-8 in the query': [400, () => get('/v1/policy?wiki=%c0%80')],
	'body on GET': [400, () => get('/v1/policy', 'Content-Length: 4\r\n') + 'body'],
	'unknown method': [501, () => `BREW /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n\r\n`],
	'unknown expectation': [417, () => reports('Expect: wonders\r\nContent-Length: 2\r\n', '{}')],
	'TLS hello': [400, () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
};

for (const [name, [status, bytes]] of Object.entries(bad)) {
	test(`${name} is refused with ${status} and closes`, () => refused(bytes(), status));
}

test('a foreign Host is refused with 421', async () => {
	const bytes = 'GET /v1/policy HTTP/1.1\r\nHost: evil.example\r\n\r\n';
	await answered(bytes, 421, 'conduct-foreign-host');
});

test('a Host that only begins like ours is refused', async () => {
	await answered('GET /v1/policy HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n', 421);
	await answered('GET /v1/policy HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n', 421);
});

test('absolute-form of our own host is served', async () => {
	const answer = await answered(get(`http://${host()}/v1/policy`), 200);
	assert.equal(answer.status, 200);
});

test('Content-Encoding is refused with 415', () =>
	answered(post('{}', 'Content-Encoding: gzip\r\n'), 415, 'conduct-content-encoding'));

test('another content type is refused with 415', () =>
	answered(post('a=b', 'Content-Type: application/x-www-form-urlencoded\r\n'), 415, 'conduct-content-type'));

test('JSON in another character set is refused with 415', () =>
	answered(post('{}', 'Content-Type: application/json; charset=latin1\r\n'), 415));

test('an unknown path is 404', () => answered(get('/v1/nothing'), 404, 'conduct-not-found'));

test('a known path with another method is 405 and names the methods', async () => {
	const { answers } = await exchange(`DELETE /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n\r\n`, { count: 1 });
	assertProblem(answers[0], 405, 'conduct-method-not-allowed');
	assert.equal(answers[0].headers.allow, 'GET, HEAD, OPTIONS');
});

test('an unknown query parameter is 400', () =>
	answered(get('/v1/policy?colour=red'), 400, 'conduct-unknown-parameter'));

test('a query parameter that stands twice is 400', () =>
	answered(get('/v1/policy?lang=en&lang=de'), 400, 'conduct-unknown-parameter'));

test('OPTIONS is answered without credentials', async () => {
	const answer = await answered(`OPTIONS /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n\r\n`, 204);
	assert.equal(answer.status, 204);
	assert.match(answer.headers.allow, /GET/);
});

test('method override headers change nothing', async () => {
	const headers = 'X-HTTP-Method-Override: DELETE\r\nX-Method-Override: POST\r\n';
	assert.equal((await answered(get('/v1/policy', headers), 200)).status, 200);
});

test('Upgrade changes nothing', async () => {
	const headers = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
	assert.equal((await answered(get('/v1/policy', headers), 200)).status, 200);
});

test('X-Forwarded-For and X-Request-Id from outside are not believed', async () => {
	const headers = 'X-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nX-Request-Id: mine\r\n';
	const answer = await answered(get('/v1/policy', headers), 200);
	assertSafe(answer);
	assert.notEqual(answer.headers['x-request-id'], 'mine');
});

test('HTTP/1.0 is served once and closed, even when keep-alive is asked for', async () => {
	const { answers } = await exchange(
		`GET /v1/policy HTTP/1.0\r\nHost: ${host()}\r\nConnection: keep-alive\r\n\r\n${get()}`);
	assert.equal(answers.length, 1);
	assert.equal(answers[0].status, 200);
	assert.equal(answers[0].headers.connection, 'close');
});

test('HEAD is GET without the body', async () => {
	const head = get().replace('GET', 'HEAD');
	const { answers, rest } = await exchange(head + get(), { count: 2, heads: [true] });
	assert.equal(answers[0].status, 200);
	assert.equal(answers[0].headers['content-length'], answers[1].headers['content-length']);
	assert.equal(answers[0].headers.etag, answers[1].headers.etag);
	assert.equal(rest.length, 0);
});

test('an unchanged ETag is answered with 304', async () => {
	const first = await answered(get(), 200);
	assert.match(first.headers['cache-control'], /^public/);
	const etag = first.headers.etag;
	for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
		const answer = await answered(get('/v1/policy', `If-None-Match: ${tag}\r\n`), 304);
		assert.equal(answer.status, 304);
		assert.equal(answer.headers.etag, etag);
	}
	assert.equal((await answered(get('/v1/policy', 'If-None-Match: "other"\r\n'), 200)).status, 200);
});

test('1,000 pipelined requests are answered in order', async () => {
	let bytes = '';
	for (let i = 0; i < 1000; i++) bytes += i % 2 ? get('/v1/nothing') : get();
	const { answers } = await exchange(bytes, { count: 1000 });
	answers.forEach((answer, i) => assert.equal(answer.status, i % 2 ? 404 : 200));
});

test('a request that comes byte by byte is served', async () => {
	const socket = connect();
	socket.setNoDelay(true);
	let got = Buffer.alloc(0);
	const answered_once = new Promise((resolve) => socket.on('data', (piece) => {
		got = Buffer.concat([got, piece]);
		if (cut(got).answers.length) resolve();
	}));
	for (const byte of get()) {
		socket.write(byte);
		await new Promise(setImmediate);
	}
	await answered_once;
	socket.destroy();
	assert.equal(cut(got).answers[0].status, 200);
});

test('a client that stops sending is still answered', async () => {
	const { answers } = await exchange(get(), { half: true });
	assert.equal(answers.length, 1);
	assert.equal(answers[0].status, 200);
});

test('Expect: 100-continue is answered before the body', async () => {
	const socket = connect();
	const body = '{"wiki":';
	socket.write(reports(`Idempotency-Key: 0123456789012345678901\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\nConnection: close\r\n`));
	const [piece] = await new Promise((resolve) => socket.once('data', (bytes) => resolve([bytes])));
	assert.equal(piece.toString(), 'HTTP/1.1 100 Continue\r\n\r\n');
	socket.write(body);
	const pieces = [];
	for await (const more of socket) pieces.push(more);
	assertProblem(cut(Buffer.concat(pieces)).answers[0], 400, 'conduct-malformed-json');
});

test('Expect: 100-continue of a body that is too large is refused at once', async () => {
	const { answers } = await exchange(
		reports('Idempotency-Key: 0123456789012345678901\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n'));
	assert.equal(answers.length, 1);
	assertProblem(answers[0], 413, 'conduct-body-too-large');
});

test('a body over 64 KiB is refused with 413 before it is read', () =>
	refused(reports('Idempotency-Key: 0123456789012345678901\r\nContent-Length: 65537\r\n'), 413,
		'conduct-body-too-large'));

test('a body of exactly 64 KiB is read', () => {
	const body = '{}'.padEnd(65536);
	return answered(post(body), 422);
});

test('a slow head is answered with 408', async () => {
	const { answers } = await exchange(`GET /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n`);
	assertProblem(answers[0], 408, 'conduct-timeout');
	assert.equal(answers[0].headers.connection, 'close');
});

test('a body that stops is answered with 408', async () => {
	const { answers } = await exchange(
		reports('Idempotency-Key: 0123456789012345678901\r\nContent-Length: 100\r\n', '{'));
	assertProblem(answers[0], 408, 'conduct-timeout');
});

test('a body that trickles under 1 KB a second is answered with 408', async () => {
	// One byte at each tenth of a second never meets the idle limit; only the rate ends it.
	const socket = connect();
	socket.write(reports('Idempotency-Key: 0123456789012345678901\r\nContent-Length: 500\r\n', '{'));
	const trickle = setInterval(() => socket.write(' '), 100);
	const pieces = [];
	try {
		for await (const piece of socket) pieces.push(piece);
	} finally {
		clearInterval(trickle);
		socket.destroy();
	}
	assertProblem(cut(Buffer.concat(pieces)).answers[0], 408, 'conduct-timeout');
});

// It takes a minute: the unit suite has it, with the same connection code.
(isDaemon ? () => {} : test)('a reader that does not read is dropped', { timeout: 90000 }, async () => {
	const socket = connect();
	socket.pause();
	// Requests without end fill every buffer on the way; the server must let go, not hoard.
	const error = await new Promise((resolve) => {
		const push = (failure) => (failure ? resolve(failure) : socket.write(get().repeat(1000), push));
		push();
	});
	assert.match(error.code, /ECONNRESET|EPIPE/);
	socket.destroy();
	await works();
});

test('garbage never ends the server', async () => {
	let seed = 12345;
	for (let round = 0; round < 50; round++) {
		const bytes = Buffer.alloc(300);
		for (let i = 0; i < bytes.length; i++) {
			seed = (seed * 1103515245 + 12345) & 0x7fffffff;
			bytes[i] = seed >> 16;
		}
		const { answers } = await exchange(bytes, { half: true });
		assert.ok(answers.every((answer) => answer.status >= 400));
	}
	await works();
});

test('every 404 of a case has the same bytes', async () => {
	const ask = async (id) => {
		const { answers } = await exchange(get(`/v1/cases/${id}`, `Authorization: Bearer ${token}\r\n`), { count: 1 });
		assertProblem(answers[0], 404, 'conduct-not-found');
		return answers[0].body;
	};
	const bodies = [await ask('6b1d7b1e-4a53-4b57-9d2c-2f0f3a7f3c11'), await ask('x'), await ask("' or 1=1"
		.replaceAll(' ', '%20'))];
	assert.equal(new Set(bodies).size, 1);
});

test('a 404 of a case leaves on the 10 ms grid', async () => {
	const from = process.hrtime.bigint();
	await exchange(get('/v1/cases/x', `Authorization: Bearer ${token}\r\n`), { count: 1 });
	assert.ok(process.hrtime.bigint() - from >= 9_500_000n);
});

test('a case without credentials is 401 and says how', async () => {
	const { answers } = await exchange(get('/v1/cases/6b1d7b1e-4a53-4b57-9d2c-2f0f3a7f3c11'), { count: 1 });
	assertProblem(answers[0], 401, 'conduct-unauthorized');
	assert.equal(answers[0].headers['www-authenticate'], 'Bearer');
	assert.equal(answers[0].headers['cache-control'], 'no-store');
});

test('refusals keep their order: route, method, form, size, type, credentials', async () => {
	const action = '/v1/cases/6b1d7b1e-4a53-4b57-9d2c-2f0f3a7f3c11/actions/claim';
	await answered(post('nonsense', 'Content-Encoding: gzip\r\n', '/v1/nothing'), 404);
	await answered(post('nonsense', '', '/v1/policy'), 405);
	await answered(post('{}', 'Idempotency-Key: short\r\nContent-Encoding: gzip\r\n', action), 400,
		'conduct-idempotency-key-malformed');
	await answered(post('{}', 'Content-Encoding: gzip\r\n', action), 415);
	await answered(post('{', '', action), 400, 'conduct-malformed-json');
	await answered(post('{}', '', action), 401);
});

test('the answer speaks the language that is asked for, and English', async () => {
	const problem = await answered(get('/v1/nothing', 'Accept-Language: ar;q=0.5, de-AT;q=0.9, xx\r\n'), 404);
	assert.deepEqual(Object.keys(problem.messageTranslations), ['de', 'ar', 'en']);
});

test('no two answers have one request id', async () => {
	const { answers } = await exchange(get().repeat(100), { count: 100 });
	assert.equal(new Set(answers.map((answer) => answer.headers['x-request-id'])).size, 100);
});
