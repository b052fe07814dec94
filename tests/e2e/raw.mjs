// Raw sockets against an HTTP server: bytes out, answers in. Takes the address from CONDUCTD_BASE or the
// stack of the suite, or starts the test server named by CONDUCTD_RAW_SERVER.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import net from 'node:net';
import { readFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const stack = process.env.CONDUCTD_STACK;
const file = stack && JSON.parse(readFileSync(`${stack}/people.json`, 'utf8'));
let base = process.env.CONDUCTD_BASE ?? file?.base;
export const isDaemon = Boolean(base);
// An account that the server knows.
export const token = file?.people.functionary.token ?? 'demo';
let server;

export async function start() {
	if (base) return;
	server = spawn(process.env.CONDUCTD_RAW_SERVER, [], { stdio: ['ignore', 'pipe', 'inherit'] });
	const [line] = await once(server.stdout, 'data');
	base = line.toString().trim();
}

export async function stop() {
	if (!server) return;
	server.kill('SIGTERM');
	const [code] = await once(server, 'exit');
	assert.equal(code, 0, 'the server drains and ends well');
}

export function host() {
	return new URL(base).host;
}

export function connect() {
	const url = new URL(base);
	const socket = net.connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port,
		allowHalfOpen: true });
	socket.on('error', () => {});
	return socket;
}

// Cuts answers off the bytes received and adds them to those there are; heads[i] says that request i
// was HEAD.
export function cut(bytes, heads = [], answers = []) {
	let at = 0;
	for (;;) {
		const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
		if (end < 0) break;
		const [line, ...lines] = bytes.toString('latin1', at, end).split('\r\n');
		const status = Number(line.split(' ')[1]);
		const headers = {};
		for (const header of lines) {
			const colon = header.indexOf(':');
			headers[header.slice(0, colon).toLowerCase()] = header.slice(colon + 1).trim();
		}
		if (status === 100) {
			at = end + 4;
			continue;
		}
		const has_body = status !== 204 && status !== 304 && !heads[answers.length];
		const length = has_body ? Number(headers['content-length'] ?? 0) : 0;
		const body = end + 4;
		if (bytes.length < body + length) break;
		answers.push({ line, status, headers, body: bytes.toString('utf8', body, body + length) });
		at = body + length;
	}
	return { answers, rest: bytes.subarray(at) };
}

// Sends bytes and resolves with everything that came when the server closed, or when `count`
// answers were complete.
export function exchange(bytes, { count = Infinity, heads, half = false, limit_ms = 20000 } = {}) {
	return new Promise((resolve, reject) => {
		const socket = connect();
		const pieces = [];
		const answers = [];
		let rest = Buffer.alloc(0);
		const timer = setTimeout(() => {
			socket.destroy();
			reject(new Error(`no end within ${limit_ms} ms; got ${answers.length} answers and ${rest.subarray(0, 500)}`));
		}, limit_ms);
		const finish = () => {
			clearTimeout(timer);
			socket.destroy();
			resolve({ answers, rest, all: Buffer.concat(pieces) });
		};
		socket.on('data', (piece) => {
			pieces.push(piece);
			({ rest } = cut(Buffer.concat([rest, piece]), heads, answers));
			if (answers.length >= count) finish();
		});
		socket.on('end', finish);
		socket.on('close', finish);
		socket.write(bytes);
		if (half) socket.end();
	});
}

const KEYS = ['type', 'title', 'status', 'detail', 'instance', 'errorKey', 'messageTranslations',
	'httpCode', 'httpReason'];

export function assertProblem(answer, status, key) {
	assert.equal(answer.status, status, `${answer.line} ${answer.body}`);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assertSafe(answer);
	const problem = JSON.parse(answer.body);
	for (const member of KEYS) assert.ok(member in problem, `${member} is missing`);
	assert.equal(problem.status, status);
	assert.equal(problem.httpCode, status);
	assert.ok(problem.messageTranslations.en.length > 0);
	if (key) assert.equal(problem.errorKey, key);
	return problem;
}

export function assertSafe(answer) {
	assert.equal(answer.headers['x-content-type-options'], 'nosniff');
	assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
	assert.ok(answer.headers['referrer-policy']);
	assert.ok(answer.headers['cache-control']);
	assert.match(answer.headers['x-request-id'], /^[0-9a-f-]{36}$/);
	assert.ok(!Number.isNaN(Date.parse(answer.headers.date)));
	assert.ok(!('server' in answer.headers));
}

// The answer must be the only one, and the connection closed behind it: nothing of what followed may
// be read as a request of its own. Then a new connection must work.
export async function refused(bytes, status, key) {
	const smuggled = Buffer.from(`GET /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n\r\n`);
	const { answers } = await exchange(Buffer.concat([Buffer.from(bytes, 'latin1'), smuggled]));
	assert.equal(answers.length, 1, `answers: ${answers.map((answer) => answer.line)}`);
	assert.equal(answers[0].headers.connection, 'close');
	const problem = assertProblem(answers[0], status, key);
	await works();
	return problem;
}

// One answer, and the connection goes on.
export async function answered(bytes, status, key) {
	const next = Buffer.from(`GET /v1/policy HTTP/1.1\r\nHost: ${host()}\r\n\r\n`);
	const { answers } = await exchange(Buffer.concat([Buffer.from(bytes, 'latin1'), next]), { count: 2 });
	assert.equal(answers.length, 2);
	assert.equal(answers[1].status, 200);
	return status >= 400 ? assertProblem(answers[0], status, key) : answers[0];
}

export async function works() {
	const { answers } = await exchange(`GET /v1/policy HTTP/1.1\r\nHost: ${host()}\r\nConnection: close\r\n\r\n`);
	assert.equal(answers.length, 1);
	assert.equal(answers[0].status, 200);
}

export function get(target = '/v1/policy', headers = '') {
	return `GET ${target} HTTP/1.1\r\nHost: ${host()}\r\n${headers}\r\n`;
}

export function post(body, headers = '', target = '/v1/reports') {
	const key = /idempotency-key/i.test(headers) ? '' : `Idempotency-Key: ${crypto.randomUUID()}\r\n`;
	const type = /content-type/i.test(headers) ? '' : 'Content-Type: application/json\r\n';
	return `POST ${target} HTTP/1.1\r\nHost: ${host()}\r\n${key}${type}${headers}` +
		`Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}
