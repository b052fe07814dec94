// No word of a request is ever written down: hostile requests carry canaries in every place, and no log
// line of the daemon or of PostgreSQL has one, nor an address, and each is a JSON object of the ECS.
import test from 'node:test';
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import net from 'node:net';
import { base, call, people, report, stack } from '../harness/api.mjs';
import { wholeLines } from '../harness/lines.mjs';

const COUNT = process.env.EFFORT === 'full' ? 10000 : 1000;
const TOGETHER = 16;
const ANSWER_MS = 20000;
const canary = `canary${randomBytes(12).toString('hex')}`;
const receiptLike = 'CANRY-74G2R-X9Q6H-8HWW1-S8Z6A-3696';

/** Sends bytes as they are; ends with the connection, or with the first answer. */
const send = bytes =>
	new Promise((resolve, reject) => {
		const socket = net.connect({ host: base.hostname, port: base.port }, () => socket.write(Buffer.from(bytes, 'latin1')));
		const limit = setTimeout(() => reject(new Error('no answer')), ANSWER_MS);
		const finish = () => {
			clearTimeout(limit);
			socket.destroy();
			resolve();
		};
		socket.on('data', finish).on('error', finish).on('close', finish);
	});

const head = (line, headers = '') => `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}`;
const withBody = (headers, body) => `${head('POST /v1/reports', headers)}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
const json = 'Content-Type: application/json\r\n';
const key = 'Idempotency-Key: ';

/** One hostile request each, with a canary in the place that the name says. */
const HOSTILE = {
	path: c => `${head(`GET /v1/${c}`)}\r\n`,
	'path of a case': c => `${head(`GET /v1/cases/${c}`)}\r\n`,
	'path with an encoded line': c => `${head(`GET /v1/policy%0a${c}`)}\r\n`,
	'address of a rule': c => `${head(`GET /v1/policy/rules/ucoc/3.1/${c}`)}\r\n`,
	query: c => `${head(`GET /v1/policy?wiki=${c}`)}\r\n`,
	'name of a parameter': c => `${head(`GET /v1/policy?${c}=1`)}\r\n`,
	'absolute form': c => `${head(`GET http://${c}.example/v1/policy`)}\r\n`,
	method: c => `${head(`${c.toUpperCase()} /v1/policy`)}\r\n`,
	version: c => `GET /v1/policy HTTP/${c}\r\n\r\n`,
	host: c => `GET /v1/policy HTTP/1.1\r\nHost: ${c}.example\r\nConnection: close\r\n\r\n`,
	bearer: c => `${head('GET /v1/me', `Authorization: Bearer ${c}.${c}.${c}\r\n`)}\r\n`,
	'bearer that is not base64': c => `${head('GET /v1/me', `Authorization: Bearer \x01${c}\r\n`)}\r\n`,
	receipt: () => `${head('GET /v1/receipt', `Authorization: Receipt ${receiptLike}\r\n`)}\r\n`,
	cookie: c => `${head('GET /v1/me', `Cookie: __Host-conductd=${c}\r\n`)}\r\n`,
	'request id': c => `${head('GET /v1/policy', `X-Request-Id: ${c}\r\n`)}\r\n`,
	'forwarded address': c => `${head('GET /v1/policy', `X-Forwarded-For: ${c}, 203.0.113.77\r\n`)}\r\n`,
	'name of a header': c => `${head('GET /v1/policy', `${c}: 1\r\n`)}\r\n`,
	'header with a bare line feed': c => `${head('GET /v1/policy', `X-A: b\n{"message":"${c}"}\r\n`)}\r\n`,
	'idempotency key': c => withBody(`${json}${key}"${c}\r\n`, '{}'),
	'content type': c => withBody(`Content-Type: text/${c}\r\n`, '{}'),
	origin: c => `${head('GET /v1/policy', `Origin: https://${c}.example\r\n`)}\r\n`,
	'user agent': c => `${head('GET /v1/policy', `User-Agent: ${c}\r\nReferer: http://${c}/\r\n`)}\r\n`,
	'accept language': c => `${head('GET /v1/policy', `Accept-Language: ${c}\r\n`)}\r\n`,
	etag: c => `${head('GET /v1/policy', `If-None-Match: "${c}"\r\n`)}\r\n`,
	'body that is no JSON': c => withBody(`${json}${key}${c}\r\n`, `{"${c}`),
	'member of a body': c => withBody(`${json}${key}${c}\r\n`, `{"${c}":1}`),
	'words of a body': c => withBody(`${json}${key}${c}\r\n`, JSON.stringify({ lane: 'emergency', harm_type: c, details: c })),
	'bytes that are no text': c => withBody(`${json}${key}${c}\r\n`, `{"details":"\xff\xfe${c}\x00"}`),
	'wiki of a report': c => withBody(`${json}${key}${c}\r\n`, JSON.stringify({ wiki: c, category: c, details: c })),
	'respondent of an emergency': c => withBody(json, JSON.stringify({ lane: 'emergency', harm_type: 'self_harm', details: c,
		respondents: [{ user: c }], contact: `${c}@example.org` })),
};

/** What was written since, by the daemon and by PostgreSQL. */
const daemonLog = `${stack}/conductd.log`;
const serverLogs = readdirSync(`${stack}/pg`).filter(name => name.endsWith('.log')).map(name => `${stack}/pg/${name}`);
assert.ok(serverLogs.length, 'PostgreSQL writes a log');
const since = new Map([daemonLog, ...serverLogs].map(file => [file, statSync(file).size]));
const written = file => readFileSync(file).subarray(since.get(file)).toString('utf8');

const ECS = ['@timestamp', 'log.level', 'message', 'ecs.version', 'process.name', 'process.pid'];
const ALLOWED = new Set([...ECS, 'http.request.id', 'http.request.method', 'http.response.status_code', 'url.path', 'event.duration']);

test(`${COUNT} hostile requests leave no word in a log`, async context => {
	const kinds = Object.values(HOSTILE);
	for (let i = 0; i < COUNT; i += TOGETHER) {
		await Promise.all(Array.from({ length: TOGETHER }, (_, j) => send(kinds[(i + j) % kinds.length](`${canary}${i + j}`))));
	}
	// What is right, too: its words, and the names and tokens of people.
	await report('reporter', { details: canary, harmed: canary, respondents: [{ user: people.respondent.user }] });
	const last = await call('functionary', 'GET', `/v1/cases?respondent=${canary}`);
	for (const until = Date.now() + ANSWER_MS; !written(daemonLog).includes(last.headers['x-request-id']); ) {
		assert.ok(Date.now() < until, 'the last line does not come');
		await new Promise(resolve => setTimeout(resolve, 20));
	}
	const lines = wholeLines(written(daemonLog));
	assert.ok(lines.length > COUNT / 2, `${lines.length} lines`);
	for (const line of lines) {
		const event = JSON.parse(line);
		for (const member of ECS) {
			assert.ok(member in event, `${member} is missing: ${line}`);
		}
		assert.equal(event['ecs.version'], '1.11.0');
		if (event.message === 'request') {
			assert.deepEqual(Object.keys(event).filter(name => !ALLOWED.has(name)), [], line);
			assert.match(String(event['url.path']), /^(-|\/[\w/{}.…-]*)$/, line);
		}
	}
	const everything = [daemonLog, ...serverLogs].map(written).join('\n');
	assert.doesNotMatch(everything, /canary/i);
	assert.doesNotMatch(everything, /CANRY/);
	assert.doesNotMatch(everything, /203\.0\.113\.77|127\.0\.0\.1|::1\b/);
	assert.doesNotMatch(everything, /Bearer|eyJ[\w-]{20}|\?\w+=/);
	for (const { token, user } of Object.values(people)) {
		assert.ok(!everything.includes(token.slice(0, 60).split('.')[1] ?? token) && !everything.includes(user), user);
	}
	context.diagnostic(`note: ${COUNT} requests of ${kinds.length} kinds, ${lines.length} lines`);
});
