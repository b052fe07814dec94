// A wiki's gadget signs people in by a popup: a code by message, for the code a bearer, and for the bearer
// reports alone.
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertProblem, call, moveClock, reportBody, query } from '../harness/api.mjs';
import { Browser, SESSION, bearer, redeem, userOf, wiki, withBearer } from './browser.mjs';

const another = 'https://pt.wikipedia.org';

test('the popup hands its code to the very page that opened it, and sets no session', async () => {
	const browser = new Browser();
	const { page } = await browser.popup('reporter');
	assert.ok(!browser.cookies.has(SESSION));
	assert.match(page.headers['content-security-policy'], /script-src 'sha256-[A-Za-z0-9+/]{43}='/);
	assert.match(page.headers['content-security-policy'], /default-src 'none'/);
	assert.match(page.headers['content-security-policy'], /form-action 'none'/);
	assert.equal(page.headers['cache-control'], 'no-store');
	assert.equal(page.headers['x-frame-options'], 'DENY');
	assert.match(page.text, /postMessage\(\{code:d\.code\},d\.origin\)/);
	assert.doesNotMatch(page.text, /postMessage\([^)]*\*/);
	const mobile = await new Browser().popup('reporter', 'https://en.m.wikipedia.org');
	assert.equal((await redeem(mobile.code, 'https://en.m.wikipedia.org')).status, 200);
});

test('a code becomes a bearer once', async () => {
	const { code } = await new Browser().popup('reporter');
	const answer = await redeem(code);
	assert.equal(answer.status, 200, answer.text);
	assert.match(answer.body.token, /^cd_[\w-]{43}$/);
	assert.equal(answer.body.token_type, 'Bearer');
	assert.equal(answer.body.scope, 'report');
	assert.equal(answer.body.expires_in, 3600);
	assert.match(answer.body.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	assert.equal(answer.headers['access-control-allow-origin'], wiki);
	assert.equal(answer.headers['cache-control'], 'no-store');
	const { token } = answer.body;
	assert.equal((await withBearer(token, 'POST', '/v1/reports', { body: reportBody() })).status, 201);
	// Whoever comes second shows that the code is in two hands: neither keeps anything.
	assertProblem(await redeem(code), 401, 'conduct-unauthorized');
	assertProblem(await withBearer(token, 'POST', '/v1/reports', { body: reportBody() }), 401, 'conduct-unauthorized');
});

test('of many who come with one code at once, one gets a bearer at most', async () => {
	const { code } = await new Browser().popup('reporter');
	const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(code)));
	assert.ok(answers.filter(answer => answer.status === 200).length <= 1);
	for (const answer of answers.filter(({ status }) => status !== 200)) {
		assertProblem(answer, 401, 'conduct-unauthorized');
	}
	for (const { body, status } of answers) {
		if (status === 200) {
			assertProblem(await withBearer(body.token, 'POST', '/v1/reports', { body: reportBody() }), 401);
		}
	}
});

test('a code is good for its own page alone', async () => {
	const { code } = await new Browser().popup('reporter');
	assertProblem(await redeem(code, another), 401, 'conduct-unauthorized');
	assertProblem(await redeem(code), 401, 'conduct-unauthorized');
	const { code: second } = await new Browser().popup('reporter');
	for (const origin of [null, 'null', 'https://evil.example', 'https://en.wikipedia.org.evil.example',
		'https://evil-en.wikipedia.org', 'http://en.wikipedia.org', 'https://EN.wikipedia.org', 'https://en.wikipedia.org:443',
		'https://en.wikipedia.org/']) {
		const answer = await redeem(second, origin);
		assertProblem(answer, 403, 'conduct-foreign-origin');
		assert.equal(answer.headers['access-control-allow-origin'], undefined);
	}
	assert.equal((await redeem(second)).status, 200);
});

test('a code lasts sixty seconds, a bearer an hour', async () => {
	const { code } = await new Browser().popup('reporter');
	moveClock('60s');
	assertProblem(await redeem(code), 401, 'conduct-unauthorized');
	const { token } = await bearer('reporter');
	moveClock('3599s');
	assert.equal((await withBearer(token, 'POST', '/v1/reports', { body: reportBody() })).status, 201);
	moveClock('5s');
	assertProblem(await withBearer(token, 'POST', '/v1/reports', { body: reportBody() }), 401, 'conduct-unauthorized');
});

test('a malformed redemption is refused before anything is looked up', async () => {
	for (const body of [{}, { code: 1 }, { code: null }, [], { code: 'x', more: 1 }]) {
		assertProblem(await call(null, 'POST', '/v1/auth/redeem', { body, headers: { Origin: wiki } }), 422, 'conduct-invalid-body');
	}
	for (const code of ['', 'x', 'A'.repeat(43), 'A'.repeat(4000), `${'A'.repeat(42)}é`]) {
		assertProblem(await redeem(code), 401, 'conduct-unauthorized');
	}
	assertProblem(await call(null, 'POST', '/v1/auth/redeem', { raw: 'code=x', headers: { Origin: wiki,
		'Content-Type': 'application/x-www-form-urlencoded' } }), 415);
});

test('a gadget\'s bearer reports, and reads no case', async () => {
	const { token } = await bearer('functionary');
	const made = await withBearer(token, 'POST', '/v1/reports', { body: reportBody() });
	assert.equal(made.status, 201, made.text);
	const [[caseId]] = await query(`select case_id from conduct.report where report_id = '${made.body.report}'`);
	for (const path of ['/v1/cases', `/v1/cases/${caseId}`, `/v1/cases/${caseId}/messages?channel=internal`, '/v1/me',
		'/v1/me/participations', '/v1/receipt', '/v1/bodies/enwiki-functionaries', '/v1/admin/grants']) {
		assertProblem(await withBearer(token, 'GET', path), 403, 'conduct-wrong-scope');
	}
	assertProblem(await withBearer(token, 'POST', `/v1/cases/${caseId}/actions/claim`, { body: {}, revision: 1 }), 403,
		'conduct-wrong-scope');
	assertProblem(await withBearer(token, 'GET', '/v1/me', { origin: null }), 401, 'conduct-unauthorized');
});

test('a bearer is bound to its page', async () => {
	const { token } = await bearer('reporter');
	for (const origin of [null, another, 'null', 'https://evil.example', 'https://en.m.wikipedia.org']) {
		assertProblem(await withBearer(token, 'POST', '/v1/reports', { body: reportBody(), origin }), 401, 'conduct-unauthorized');
	}
	assert.equal((await withBearer(token, 'POST', '/v1/reports', { body: reportBody() })).status, 201);
});

test('a secret of one kind is nothing as another', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const cookie = browser.cookies.get(SESSION);
	const { token, code } = await bearer('reporter');
	assertProblem(await redeem(cookie), 401);
	assertProblem(await withBearer(`cd_${cookie}`, 'POST', '/v1/reports', { body: reportBody() }), 401);
	assert.equal(typeof await userOf(browser), 'string', 'trying it as a code burns no session');
	for (const value of [code, token.slice(3), token]) {
		const other = new Browser();
		other.cookies.set(SESSION, value);
		assert.equal(await userOf(other), 401);
	}
});

test('logout of a gadget ends its bearer and nothing else; logout of a page ends both', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const [first, second] = [await bearer('reporter'), await bearer('reporter')];
	const stolen = new Browser();
	stolen.cookies.set(SESSION, first.token.slice(3));
	assert.equal((await stolen.post('/v1/auth/logout')).status, 204);
	assert.equal(typeof await userOf(browser), 'string', 'a bearer passed off as a cookie ends nobody\'s session');
	const out = await call({ authorization: `bearer ${first.token}` }, 'POST', '/v1/auth/logout', { headers: { Origin: wiki } });
	assert.equal(out.status, 204, out.text);
	assertProblem(await withBearer(first.token, 'POST', '/v1/reports', { body: reportBody() }), 401);
	assert.equal((await withBearer(second.token, 'POST', '/v1/reports', { body: reportBody() })).status, 201);
	assert.equal(typeof await userOf(browser), 'string');
	assert.equal((await browser.post('/v1/auth/logout')).status, 204);
	assertProblem(await withBearer(second.token, 'POST', '/v1/reports', { body: reportBody() }), 401);
});

test('a gadget may ask before it redeems', async () => {
	const answer = await call(null, 'OPTIONS', '/v1/auth/redeem', { headers: { Origin: wiki,
		'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' } });
	assert.equal(answer.status, 204);
	assert.equal(answer.headers['access-control-allow-origin'], wiki);
	assert.match(answer.headers['access-control-allow-methods'], /POST/);
	for (const path of ['/v1/auth/start', '/v1/auth/callback']) {
		const refused = await call(null, 'GET', path, { headers: { Origin: wiki } });
		assert.equal(refused.headers['access-control-allow-origin'], undefined, path);
	}
});
