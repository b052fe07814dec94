// What the tests behind proxies share: a client that speaks TLS to a proxy, and logs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';

export const ANSWER_MS = 30000;
export const HOST = 'conduct.example.org';

/** Lines of a log, without those that were there before. */
export { linesOf } from '../harness/lines.mjs';
export const sizeOf = file => readFileSync(file, 'utf8').length;

export function ask(port, path, { method = 'GET', headers = {}, body, agent, ...pair } = {}) {
	return new Promise((resolve, reject) => {
		const request = https.request({ host: '127.0.0.1', port, path, method, agent, rejectUnauthorized: false, ...pair, timeout: ANSWER_MS,
			headers: { Host: HOST, ...headers, ...(body ? { 'Content-Length': Buffer.byteLength(body) } : {}) } }, answer => {
			const pieces = [];
			answer.on('data', piece => pieces.push(piece));
			answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(pieces).toString() }));
		});
		request.on('timeout', () => request.destroy(new Error(`no answer for ${path}`))).on('error', reject).end(body);
	});
}

/** Waits for a line that is on its way to a file. */
export async function logged(isThere) {
	for (const until = Date.now() + ANSWER_MS; !await isThere(); ) {
		assert.ok(Date.now() < until, 'a line does not come');
		await new Promise(resolve => setTimeout(resolve, 20));
	}
}
