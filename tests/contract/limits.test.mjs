// Budgets that are used up, at a daemon with the product's own limits; the proxy sees each refusal.
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertProblem, call, reportBody } from '../harness/api.mjs';

/** Asks until it is refused, at most n times. */
async function use(n, ask) {
	for (let i = 0; i < n; i++) {
		const answer = await ask();
		if (answer.status === 429) {
			return answer;
		}
	}
	assert.fail(`not refused in ${n} requests`);
}

// Twice and one: a window may end in the middle.
test('reports, receipts and credentials that do not hold have budgets', async () => {
	assertProblem(await use(21, () => call(null, 'POST', '/v1/reports', { body: reportBody() })), 429, 'conduct-report-limit');
	assertProblem(await use(61, () => call({ receipt: 'ABCDE-FGHJK-MNPQR-STVWX-YZ012-3' }, 'GET', '/v1/receipt')), 429,
		'conduct-too-many-requests');
	const answer = await use(121, () => call({ authorization: 'Bearer a.b.c' }, 'GET', '/v1/me'));
	assertProblem(answer, 429, 'conduct-too-many-requests');
	assert.ok(Number(answer.headers['retry-after']) >= 1);
});
