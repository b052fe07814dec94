// Signing in on conductd's own pages: the chooser of the demo people, the cookie, what it is good for, and
// how it ends.
import test from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { assertProblem, call, moveClock, people, query, reportBody, stack } from '../harness/api.mjs';
import { Browser, LOGIN, SESSION, idOf, own, userOf } from './browser.mjs';

const sha = text => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The policy of a page names exactly the style and script that stand in it. */
function assertPolicy(page) {
	const policy = page.headers['content-security-policy'];
	assert.match(policy, /default-src 'none'/);
	assert.match(policy, /base-uri 'none'/);
	assert.match(policy, /frame-ancestors 'none'/);
	assert.doesNotMatch(policy, /unsafe|https?:|\*/);
	assert.match(page.headers['content-type'], /^text\/html; charset=utf-8$/);
	assert.equal(page.headers['cache-control'], 'no-store');
	assert.equal(page.headers['referrer-policy'], 'no-referrer');
	for (const [, style] of page.text.matchAll(/<style>([^<]*)<\/style>/g)) {
		assert.ok(policy.includes(`style-src ${sha(style)}`), policy);
	}
	for (const [, script] of page.text.matchAll(/<script>([^<]*)<\/script>/g)) {
		assert.ok(policy.includes(`script-src ${sha(script)}`), policy);
	}
	assert.doesNotMatch(page.text, /<(link|img|iframe|script src)|\sstyle="|\son[a-z]+="/);
}

test('the chooser names the demo people, in the reader\'s language and direction', async () => {
	const browser = new Browser();
	const { page } = await browser.begin('/console/');
	assertPolicy(page);
	assert.match(page.headers['content-security-policy'], /form-action 'self'/);
	for (const name of ['reporter', 'functionary', 'admin']) {
		assert.ok(page.text.includes(people[name].user), name);
	}
	assert.match(page.text, /<html lang="en" dir="ltr">/);
	const arabic = await browser.get('/v1/auth/start?lang=ar');
	assert.match(arabic.text, /<html lang="ar" dir="rtl">/);
	const german = await browser.get('/v1/auth/start', { headers: { 'Accept-Language': 'de-AT, en;q=0.5' } });
	assert.match(german.text, /<html lang="de" dir="ltr">/);
	assert.match(german.text, /Anmelden/);
	const other = await browser.get('/v1/auth/start?lang=tlh');
	assert.match(other.text, /<html lang="en"/);
});

test('a login gives a cookie that no script, no other host and no plain link can use', async () => {
	const browser = new Browser();
	const { page, state } = await browser.begin('/console/?x=1#case');
	assert.match(page.headers['set-cookie'][0],
		/^__Host-conductd-login=[\w.-]+; Max-Age=600; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
	const answer = await browser.callback('functionary', state);
	assert.equal(answer.status, 303);
	assert.equal(answer.headers.location, '/console/?x=1#case');
	const lines = answer.headers['set-cookie'];
	assert.equal(lines.length, 2);
	assert.match(lines.find(line => line.startsWith(`${SESSION}=`)),
		/^__Host-conductd=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
	assert.match(lines.find(line => line.startsWith(LOGIN)), /=; Max-Age=0; /);
	assert.equal(await userOf(browser), people.functionary.user);
	const without = new Browser();
	await without.signIn('functionary');
	assert.equal((await without.signIn('reporter')).headers.location, '/');
});

test('the database holds neither the cookie nor whose it is', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const value = browser.cookies.get(SESSION);
	const rows = await query("select s::text, encode(s.sealed, 'escape') from conduct.session s");
	assert.ok(rows.length > 0);
	const all = rows.flat().join('\n');
	for (const secret of [value, Buffer.from(value, 'base64url').toString('hex'), people.reporter.user, people.reporter.token]) {
		assert.ok(!all.includes(secret));
	}
});

test('a session that somebody put into the browser is none, before and after a login', async () => {
	const browser = new Browser();
	const planted = 'A'.repeat(43);
	browser.cookies.set(SESSION, planted);
	assertProblem(await browser.get('/v1/me'), 401, 'conduct-unauthorized');
	assert.ok(!browser.cookies.has(SESSION), 'what does not hold is taken away');
	browser.cookies.set(SESSION, planted);
	await browser.signIn('reporter');
	const first = browser.cookies.get(SESSION);
	assert.notEqual(first, planted);
	// Whoever knows the session from before the next login has nothing of it.
	await browser.signIn('functionary');
	const attacker = new Browser();
	attacker.cookies.set(SESSION, first);
	assert.equal(await userOf(attacker), 401);
	assert.equal(await userOf(browser), people.functionary.user);
});

test('a callback is good in the browser that began it, with its own state', async () => {
	const mine = new Browser();
	const other = new Browser();
	const { state } = await mine.begin('/console/');
	const { state: foreign } = await other.begin('/console/');
	assert.notEqual(state, foreign);
	const changed = state.slice(0, -1) + (state.endsWith('A') ? 'Q' : 'A');
	for (const [browser, value] of [[new Browser(), state], [other, state], [mine, foreign], [mine, changed],
		[mine, ''], [mine, `${state}A`]]) {
		const answer = await browser.callback('reporter', value, { html: false });
		assertProblem(answer, 400, 'conduct-login-stale');
		assert.ok(!browser.cookies.has(SESSION));
	}
	// Where it leads to is bound as well.
	const [secret, time] = mine.cookies.get(LOGIN).split('.');
	const moved = new Browser();
	moved.cookies.set(LOGIN, `${secret}.${time}.${Buffer.from('/elsewhere').toString('base64url')}`);
	assertProblem(await moved.callback('reporter', state, { html: false }), 400, 'conduct-login-stale');
	const aged = new Browser();
	aged.cookies.set(LOGIN, `${secret}.${Number(time) - 601}.${Buffer.from('/console/').toString('base64url')}`);
	assertProblem(await aged.callback('reporter', state, { html: false }), 400, 'conduct-login-stale');
	const twice = await call(null, 'GET', `/v1/auth/callback?state=${state}&code=${idOf('reporter')}`, {
		headers: { Cookie: `${LOGIN}=${mine.cookies.get(LOGIN)}; ${LOGIN}=${other.cookies.get(LOGIN)}` } });
	assertProblem(twice, 400, 'conduct-login-stale');
	assert.equal((await mine.callback('reporter', state)).status, 303);
});

test('a login that the other side refuses, or for nobody, gives no session', async () => {
	const browser = new Browser();
	const { state } = await browser.begin('/');
	assertProblem(await browser.get(`/v1/auth/callback?state=${state}&error=access_denied&error_description=no&message=no`),
		403, 'conduct-login-denied');
	assertProblem(await browser.get(`/v1/auth/callback?state=${state}&code=999999999`), 403, 'conduct-login-denied');
	assertProblem(await browser.get(`/v1/auth/callback?state=${state}`), 400, 'conduct-bad-parameter');
	assertProblem(await browser.get(`/v1/auth/callback?state=${state}&code=${'9'.repeat(1600)}`), 400,
		'conduct-bad-parameter');
	assert.ok(!browser.cookies.has(SESSION));
	const page = await browser.get(`/v1/auth/callback?state=${state}&error=access_denied`, { html: true });
	assert.equal(page.status, 403);
	assertPolicy(page);
	assert.match(page.text, /did not confirm/);
	assert.ok(!page.text.includes('access_denied'));
});

test('a login leads to a path of our own and nowhere else', async () => {
	const browser = new Browser();
	const bad = ['//evil.example', '///evil.example', '/\\evil.example', '\\\\evil.example', '/\\/evil.example',
		'https://evil.example', 'https:evil.example', 'http://evil.example/', 'javascript:alert(1)', 'data:text/html,x',
		'evil.example', '', ' /', '/ ', '/%5cevil.example', '/%2fevil.example', '/.//evil.example', '/..//evil.example',
		'/a//b', '/../x', '/%09/evil.example', '/é', '/"x', "/'x", '/<x>', `${own}`, `${own}/`, 'https://en.wikipedia.org/',
		'https://en.wikipedia.org.evil.example', 'https://evil.example/https://en.wikipedia.org', 'https://en.wikipedia.org:443',
		'HTTPS://en.wikipedia.org', 'http://en.wikipedia.org', 'https://en.wikipedia.org@evil.example', 'null',
		`/${'a'.repeat(600)}`];
	for (const path of bad) {
		const answer = await browser.get(`/v1/auth/start?return_to=${encodeURIComponent(path)}`);
		assertProblem(answer, 400, 'conduct-bad-parameter');
		assert.equal(answer.headers['set-cookie'], undefined, path);
	}
	for (const path of ['/', '/console/', '/r', '/console/?stage=report&limit=5', '/console/#/case/1']) {
		assert.equal((await browser.signIn('reporter', path)).headers.location, path);
	}
	assertProblem(await browser.get('/v1/auth/start?return_to=/&return_to=//evil.example'), 400, 'conduct-unknown-parameter');
	assertProblem(await browser.get('/v1/auth/start?next=/'), 400, 'conduct-unknown-parameter');
});

test('an unsafe request counts when a page of our own makes it, and else not', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const send = headers => browser.post('/v1/reports', { from: null, body: reportBody(), headers });
	for (const headers of [{ Origin: own, 'Sec-Fetch-Site': 'same-origin' }, { Origin: own }, { 'Sec-Fetch-Site': 'same-origin' }]) {
		assert.equal((await send(headers)).status, 201, JSON.stringify(headers));
	}
	const foreign = [{}, { Origin: 'https://evil.example' }, { Origin: 'null' }, { Origin: '' }, { Origin: `${own}.evil.example` },
		{ Origin: own.replace('http:', 'https:') }, { Origin: own.replace(/\d$/, '') }, { Origin: `${own}/` },
		{ Origin: `${own} https://evil.example` }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' },
		{ 'Sec-Fetch-Site': 'none' }, { 'Sec-Fetch-Site': '' }, { 'Sec-Fetch-Site': 'same-origin, cross-site' },
		{ Origin: own, 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
		{ Referer: `${own}/console/` }, { Origin: 'https://en.wikipedia.org' }];
	for (const headers of foreign) {
		assertProblem(await send(headers), 403, 'conduct-cross-site');
		assertProblem(await browser.request('DELETE', '/v1/admin/grants/00000000-0000-0000-0000-000000000000',
			{ from: null, headers }), 403, 'conduct-cross-site');
	}
	// What a form of another site can send at all.
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
		const answer = await browser.post('/v1/reports', { from: 'https://evil.example', raw: JSON.stringify(reportBody()),
			headers: { 'Content-Type': type } });
		assertProblem(answer, 415);
	}
	// Reading is no act; what is read no other page sees.
	const read = await browser.get('/v1/me', { headers: { Origin: 'https://en.wikipedia.org', 'Sec-Fetch-Site': 'cross-site' } });
	assert.equal(read.headers['access-control-allow-origin'], undefined);
	assert.equal(read.headers['access-control-allow-credentials'], undefined);
});

test('an emergency of a foreign page is taken, as nobody\'s', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const answer = await browser.post('/v1/reports', { from: 'https://evil.example',
		body: { wiki: 'enwiki', lane: 'emergency', harm_type: 'self_harm', details: 'Somebody is in danger.' } });
	assert.equal(answer.status, 201, answer.text);
});

test('a cookie that comes twice, or under another name, is nobody\'s', async () => {
	const browser = new Browser();
	await browser.signIn('functionary');
	const other = new Browser();
	await other.signIn('reporter');
	const [mine, theirs] = [browser.cookies.get(SESSION), other.cookies.get(SESSION)];
	const ask = Cookie => call(null, 'GET', '/v1/me', { headers: { Cookie } });
	assert.equal((await ask(`a=b; ${SESSION}=${mine}; c=d`)).body.user, people.functionary.user);
	for (const line of [`${SESSION}=${mine}; ${SESSION}=${theirs}`, `${SESSION}=${mine};${SESSION}=${mine}`,
		`__host-conductd=${mine}`, `conductd=${mine}`, `__Secure-conductd=${mine}`, ` x${SESSION}=${mine}`,
		`${SESSION}="${mine}"`, `${SESSION}=${mine}A`, `${SESSION}=`, `${SESSION}`, `${SESSION}=${mine.slice(1)}`,
		`${SESSION}=${'='.repeat(43)}`, `${LOGIN}=${mine}`]) {
		assertProblem(await ask(line), 401, 'conduct-unauthorized');
	}
});

test('Authorization counts before a cookie, also when it does not hold', async () => {
	const browser = new Browser();
	await browser.signIn('reporter');
	const headers = { Authorization: `Bearer ${people.functionary.token}` };
	assert.equal((await browser.get('/v1/me', { headers })).body.user, people.functionary.user);
	for (const Authorization of ['Bearer x', 'Bearer cd_x', 'Basic eDp5', 'Bearer']) {
		assertProblem(await browser.get('/v1/me', { headers: { Authorization } }), 401, 'conduct-unauthorized');
	}
	assertProblem(await browser.get('/v1/me', { headers: { Authorization: 'Receipt AAAAA' } }), 401);
	// The token's own act needs no page of ours.
	const answer = await browser.post('/v1/reports', { from: 'https://en.wikipedia.org', body: reportBody(), headers });
	assert.equal(answer.status, 201, answer.text);
});

test('a session ends after fifteen minutes without use, and after eight hours with it', async () => {
	const idle = new Browser();
	await idle.signIn('reporter');
	const busy = new Browser();
	await busy.signIn('functionary');
	moveClock('14min');
	assert.equal(await userOf(idle), people.reporter.user);
	assert.equal(await userOf(busy), people.functionary.user);
	moveClock('14min');
	assert.equal(await userOf(busy), people.functionary.user);
	moveClock('2min');
	assert.equal(await userOf(idle), 401);
	for (let minutes = 30; minutes < 480 - 12; minutes += 12) {
		moveClock('12min');
		assert.equal(await userOf(busy), people.functionary.user, `after ${minutes + 12} minutes`);
	}
	moveClock('12min');
	assert.equal(await userOf(busy), 401);
});

test('logout ends every session of the account, and needs a page of our own', async () => {
	const [here, there, other] = [new Browser(), new Browser(), new Browser()];
	await here.signIn('functionary');
	await there.signIn('functionary');
	await other.signIn('reporter');
	assertProblem(await here.post('/v1/auth/logout', { from: 'https://evil.example' }), 403, 'conduct-cross-site');
	assertProblem(await here.post('/v1/auth/logout', { from: null }), 403, 'conduct-cross-site');
	assertProblem(await here.get('/v1/auth/logout'), 405);
	const kept = here.cookies.get(SESSION);
	const answer = await here.post('/v1/auth/logout');
	assert.equal(answer.status, 204, answer.text);
	assert.ok(!here.cookies.has(SESSION));
	here.cookies.set(SESSION, kept);
	assert.equal(await userOf(here), 401);
	assert.equal(await userOf(there), 401);
	assert.equal(await userOf(other), people.reporter.user);
	assert.equal((await new Browser().post('/v1/auth/logout')).status, 204);
	const page = await other.post('/v1/auth/logout', { html: true });
	assert.equal(page.status, 303);
	assert.equal(page.headers.location, '/');
	assert.equal(await userOf(other), 401);
});

test('no log line has a cookie, a state or a code', async () => {
	const browser = new Browser();
	const { state } = await browser.begin('/canary-path');
	await browser.callback('reporter', state);
	const log = readFileSync(`${stack}/conductd.log`, 'utf8');
	assert.ok(log.includes('/v1/auth/callback'));
	for (const secret of [state, browser.cookies.get(SESSION), 'canary-path', `code=${idOf('reporter')}`]) {
		assert.ok(!log.includes(secret));
	}
});
