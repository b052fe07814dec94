// conductd behind nginx and behind HAProxy, with the configurations of packaging/proxy: what a proxy must
// pass on, and requests that two readers might cut differently. tests/proxy/run has started all three;
// CONDUCTD_PROXIES says on which ports.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { ANSWER_MS, HOST, ask, linesOf, logged, sizeOf } from './parts.mjs';

const dir = process.env.CONDUCTD_PROXY_DIR;
const proxies = JSON.parse(process.env.CONDUCTD_PROXIES);
const QUIET_MS = 1500;
/** Ids of some rules, which differ in what is answered. */
let rules;

const daemonLog = `${dir}/conductd.log`;

/** Sends bytes over TLS as they are; everything that comes until the end, or until nothing comes. */
function send(port, bytes) {
	return new Promise((resolve, reject) => {
		const pieces = [];
		const socket = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] },
			() => socket.write(Buffer.from(bytes, 'latin1')));
		const finish = () => {
			clearTimeout(limit);
			socket.destroy();
			resolve(Buffer.concat(pieces).toString('latin1'));
		};
		const limit = setTimeout(() => reject(new Error('no end')), ANSWER_MS);
		socket.setTimeout(QUIET_MS, finish);
		socket.on('data', piece => pieces.push(piece)).on('error', finish).on('close', finish);
	});
}

const REPORT = JSON.stringify({ lane: 'emergency', harm_type: 'physical_harm', details: 'Behind a proxy.' });
const INNER = `GET /v1/smuggled HTTP/1.1\r\nHost: ${HOST}\r\nX-Inner: 1\r\n\r\n`;
const post = (headers, body) =>
	`POST /v1/reports HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
const chunked = body => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const te = header => post(`${header}\r\nContent-Length: ${chunked(REPORT).length}\r\n`, `${chunked(REPORT)}${INNER}`);

/** Requests that one reader may take for one and another for two. */
const VARIANTS = {
	'CL.TE': post(`Content-Length: ${5 + INNER.length}\r\nTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${INNER}`),
	'TE.CL': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`),
	'TE alone': post('Transfer-Encoding: chunked\r\n', `${chunked(REPORT)}${INNER}`),
	'TE with a space before the colon': te('Transfer-Encoding : chunked'),
	'TE with a tab': te('Transfer-Encoding:\tchunked'),
	'TE with a vertical tab': te('Transfer-Encoding: \x0bchunked'),
	'TE xchunked': te('Transfer-Encoding: xchunked'),
	'TE twice, the second unknown': te('Transfer-Encoding: chunked\r\nTransfer-Encoding: cow'),
	'TE identity, chunked': te('Transfer-Encoding: identity, chunked'),
	'TE quoted': te('Transfer-Encoding: "chunked"'),
	'TE in a folded line': te('Transfer-Encoding:\r\n chunked'),
	'TE behind a bare line feed': te('X-A: b\nTransfer-Encoding: chunked'),
	'TE behind a bare carriage return': te('X-A: b\rTransfer-Encoding: chunked'),
	'TE with an underscore': te('Transfer_Encoding: chunked'),
	'chunk size with a sign': post('Transfer-Encoding: chunked\r\n', `+5\r\nhello\r\n0\r\n\r\n${INNER}`),
	'chunk size too long for a word': post('Transfer-Encoding: chunked\r\n', `10000000000000005\r\nhello\r\n0\r\n\r\n${INNER}`),
	'chunk extension with a line feed': post('Transfer-Encoding: chunked\r\n', `5;\nhello\r\n0\r\n\r\n${INNER}`),
	'CL twice, the same': post(`Content-Length: ${REPORT.length}\r\nContent-Length: ${REPORT.length}\r\n`, `${REPORT}${INNER}`),
	'CL twice, different': post(`Content-Length: ${REPORT.length}\r\nContent-Length: ${REPORT.length + INNER.length}\r\n`, `${REPORT}${INNER}`),
	'CL list': post(`Content-Length: ${REPORT.length}, ${REPORT.length + INNER.length}\r\n`, `${REPORT}${INNER}`),
	'CL with a sign': post(`Content-Length: +${REPORT.length}\r\n`, `${REPORT}${INNER}`),
	'CL hexadecimal': post(`Content-Length: 0x${REPORT.length.toString(16)}\r\n`, `${REPORT}${INNER}`),
	'CL with a space before the colon': post(`Content-Length : ${REPORT.length + INNER.length}\r\nContent-Length: ${REPORT.length}\r\n`, `${REPORT}${INNER}`),
	'CL that is too large for a word': post('Content-Length: 18446744073709551617\r\n', `a${INNER}`),
	'CL on GET with a body': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
	'bare line feeds': `GET /v1/policy/versions HTTP/1.1\nHost: ${HOST}\n\n${INNER}`,
	'obs-fold in Host': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\n .evil\r\n\r\n${INNER}`,
	'space before the colon of Host': `GET /v1/policy/versions HTTP/1.1\r\nHost : ${HOST}\r\n\r\n${INNER}`,
	'two Hosts': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\nHost: evil.invalid\r\n\r\n${INNER}`,
	'absolute form of another host': `GET https://evil.invalid/v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
	'absolute form': `GET https://${HOST}/v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
	'a line break in the path': `GET /v1/policy%0d%0aHost:%20evil.invalid%0d%0a%0d%0a HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
	'NUL in a header': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\nX-A: a\x00b\r\n\r\n${INNER}`,
	'pipelined behind an error': `GET /v1/nowhere HTTP/1.1\r\nHost: ${HOST}\r\n\r\n${INNER}`,
	'pipelined behind a body too large': post('Content-Length: 70000\r\n', `${'x'.repeat(70000)}${INNER}`),
	'pipelined behind a refused body': post('Content-Length: 2\r\n', `{}${INNER}`),
	'upgrade to HTTP/2': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n${INNER}`,
	'Connection names a header that matters': `GET /v1/policy/versions HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close, X-Request-Id, X-Forwarded-For\r\n\r\n`,
	'Expect: 100-continue twice': post(`Content-Length: ${REPORT.length}\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n`, `${REPORT}${INNER}`),
};

/** Requests in conductd's log, in the order of arrival; without those of the operations port, where HAProxy asks whether it lives. */
const requestsOf = lines => lines.map(line => JSON.parse(line)).filter(line => line['http.request.id'] && line['process.name'] !== 'worker');
const idsOfDaemon = lines => requestsOf(lines).map(line => line['http.request.id']);
/** A head that is refused has no method yet, and the connection ends with it; so its id is conductd's own. */
const isRefusedHead = line => line['http.response.status_code'] === 400 && line['http.request.method'] === '-';

for (const [name, { port, log, position }] of Object.entries(proxies)) {
	const idsOfProxy = lines => lines.map(line => line.split(' ')[position]?.toLowerCase());

	/** Other people's requests go on meanwhile; each must get its own answer. */
	async function withOthers(work) {
		const agent = new https.Agent({ keepAlive: true, maxSockets: 4 });
		const wrong = [];
		let isOver = false;
		const other = async from => {
			for (let i = from; !isOver; i++) {
				const rule = rules[i % rules.length];
				const answer = await ask(port, `/v1/policy/rules/${rule}`, { agent });
				if (answer.status !== 200 || JSON.parse(answer.text).id !== rule) {
					wrong.push(`${rule}: ${answer.status} ${answer.text.slice(0, 200)}`);
				}
			}
		};
		const others = [0, 1, 2, 3].map(other);
		try {
			return await work();
		} finally {
			isOver = true;
			await Promise.all(others);
			agent.destroy();
			assert.deepEqual(wrong, []);
		}
	}

	test(`${name}: a policy, a report and its receipt go through`, async () => {
		rules = JSON.parse((await ask(port, '/v1/policy')).text).rules.slice(0, 5).map(rule => rule.id);
		assert.equal(rules.length, 5);
		const headers = { 'Content-Type': 'application/json' };
		const sent = await ask(port, '/v1/reports', { method: 'POST', headers, body: REPORT });
		assert.equal(sent.status, 201, sent.text);
		assert.match(sent.headers['strict-transport-security'], /max-age/);
		const { receipt } = JSON.parse(sent.text);
		const view = await ask(port, '/v1/receipt', { headers: { Authorization: `Receipt ${receipt}` } });
		assert.equal(view.status, 200, view.text);
	});

	test(`${name}: a file of ten MiB goes through, and no byte more`, async () => {
		const headers = { 'Content-Type': 'application/json' };
		const { receipt } = JSON.parse((await ask(port, '/v1/reports', { method: 'POST', headers, body: REPORT })).text);
		const bring = body => ask(port, '/v1/receipt/attachments', { method: 'POST', body, headers: { Authorization: `Receipt ${receipt}`,
			'Content-Type': 'application/octet-stream', 'Conduct-Filename': 'log.bin', 'Idempotency-Key': randomUUID() } });
		const taken = await bring(Buffer.alloc(10 << 20, 'x'));
		assert.equal(taken.status, 201, taken.text);
		assert.equal((await bring(Buffer.alloc((10 << 20) + 1, 'x')).catch(error => ({ status: error.code }))).status, 413);
	});

	test(`${name}: the request id is the proxy's, whatever the client says`, async () => {
		const [before, at] = [sizeOf(log), sizeOf(daemonLog)];
		const own = '01234567-89ab-cdef-0123-456789abcdef';
		const answer = await ask(port, '/v1/policy/versions', { headers: { 'X-Request-Id': own, 'X-Forwarded-For': '192.0.2.7' } });
		assert.equal(answer.status, 200);
		const id = answer.headers['x-request-id'];
		assert.notEqual(id, own);
		await logged(() => idsOfProxy(linesOf(log, before)).includes(id.toLowerCase()));
		await logged(() => idsOfDaemon(linesOf(daemonLog, at)).includes(id));
	});

	test(`${name}: no variant makes two requests of one, or answers somebody else`, async context => {
		const [before, at] = [sizeOf(log), sizeOf(daemonLog)];
		const statuses = {};
		await withOthers(async () => {
			for (const [variant, bytes] of Object.entries(VARIANTS)) {
				const answers = [...(await send(port, bytes)).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
				statuses[variant] = answers.join(' ') || 'closed';
			}
		});
		// The last of the log: a request of our own, whose line comes after all others.
		const last = (await ask(port, '/v1/policy/versions')).headers['x-request-id'];
		await logged(() => idsOfDaemon(linesOf(daemonLog, at)).includes(last));
		await logged(() => idsOfProxy(linesOf(log, before)).includes(last.toLowerCase()));
		const seen = idsOfDaemon(linesOf(daemonLog, at));
		assert.ok(seen.length > Object.keys(VARIANTS).length);
		const findStrange = () => {
			const passed = new Set(idsOfProxy(linesOf(log, before)));
			return requestsOf(linesOf(daemonLog, at)).filter(line => !passed.has(line['http.request.id'].toLowerCase()));
		};
		// A proxy of several threads writes its lines in no order: one may still be on its way.
		await logged(() => findStrange().every(isRefusedHead)).catch(() => {});
		const strange = findStrange();
		assert.deepEqual(strange.filter(line => !isRefusedHead(line)), [], 'conductd saw what the proxy did not');
		const refused = linesOf(log, before).filter(line => / 400 /.test(line)).map(line => idsOfProxy([line])[0]);
		assert.ok(strange.length <= refused.filter(id => !seen.includes(id)).length, 'a refused head is one that the proxy sent');
		assert.equal(new Set(seen).size, seen.length, 'conductd saw a request twice');
		assert.match(statuses['CL twice, different'], /^(400|closed)/);
		assert.match(statuses['CL list'], /^(400|closed)/);
		assert.doesNotMatch(statuses['CL.TE'], /^201/);
		context.diagnostic(`note: ${Object.keys(VARIANTS).length} variants, ${seen.length} requests: ${JSON.stringify(statuses)}`);
	});

	test(`${name}: plain HTTP is sent to HTTPS`, async () => {
		const answer = await new Promise((resolve, reject) => {
			http.get({ host: '127.0.0.1', port: proxies[name].plain, path: '/v1/policy?wiki=enwiki', headers: { Host: HOST }, agent: false },
				resolve).on('error', reject);
		});
		assert.equal(answer.statusCode, 301);
		assert.match(answer.headers.location, /^https:/);
		answer.resume();
	});
}
