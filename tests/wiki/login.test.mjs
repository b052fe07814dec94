// The login, all of it, as people do it: Chromium, the wiki's own form, its question for consent, a cookie
// or a gadget's popup, and the end. And what other sites' pages make of a browser that is logged in.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { base, call, moveClock, query } from '../harness/api.mjs';
import { launch, openWindow, servePage } from './browser.mjs';
import { callWith, clients, configOf, daemonOrigin, issuerOf, passTime, startDaemon, stopDaemon, until } from './daemon.mjs';
import { configure, startWiki, stopWiki, visit, wikiDir } from './wiki.mjs';

const limit = { timeout: 180000 };
const COOKIE = '__Host-conductd';
const port = Number(base.port) + 20;
/** A wiki's page with a gadget: listed. To a browser another site than the daemon. */
const GADGET = `http://gadget.localhost:${port}`;
/** Listed nowhere; the second is the same site as the daemon, whose cookies it brings along. */
const EVIL = `http://evil.localhost:${port}`;
const NEIGHBOUR = `http://127.0.0.1:${port}`;
let site;
let browser;
let context;

before(async () => {
	await startWiki();
	configure({ clients });
	await startDaemon(configOf('login', { issuers: issuerOf({ keys: [`${wikiDir}/wiki.pub`] }),
		more: `cors_origins: ["${GADGET}"]\n` }), 'login');
	site = await servePage(port);
	browser = await launch();
}, { timeout: 120000 });

after(async () => {
	await browser?.close();
	await site?.close();
	await stopDaemon();
	await stopWiki();
}, { timeout: 60000 });

beforeEach(async () => { context = await openWindow(browser); });
afterEach(async () => {
	configure({ clients });
	await context.close();
});

async function fillIn(page, name) {
	await page.fill('#wpName1', name);
	await page.fill('#wpPassword1', `${name}-Pass!`);
	await page.click('#wpLoginAttempt');
}

/** Whether the wiki asks for consent anew: it forgets the one it had. */
async function askConsent(name) {
	await (await visit(name)).revoke('pages-client');
	configure({ clients: { ...clients, 'pages-client': { ...clients['pages-client'], ask: true } } });
}

/** Logs in to conductd's pages through the wiki; the page is then at /v1/me. */
async function logIn(name, { isAsked = false } = {}) {
	const page = await context.newPage();
	await page.goto(`${daemonOrigin}/v1/auth/start?return_to=/v1/me`);
	await fillIn(page, name);
	if (isAsked) {
		await page.click('input[name=allow]');
	}
	await page.waitForURL(`${daemonOrigin}/v1/me`);
	return page;
}

/** A page of the daemon's origin with scripts: what the API itself answers runs none. */
async function openOwnPage() {
	const page = await context.newPage();
	const address = `${daemonOrigin}/a-page-of-the-test`;
	await page.route(address, route => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>own</title>' }));
	await page.goto(address);
	return page;
}

/** What a page's script sees of an answer. */
const fetchFrom = (page, url, init) => page.evaluate(async ([address, options]) => {
	try {
		const answer = await fetch(address, options);
		return { status: answer.status, text: await answer.text() };
	} catch (error) {
		return { error: String(error) };
	}
}, [url, init]);

/** Asked for an address, Playwright leaves out what is marked Secure and came over plain loopback. */
const ownCookies = async () => (await context.cookies()).filter(one => one.domain === base.hostname);
const sessionCookie = async () => (await ownCookies()).find(one => one.name === COOKIE);
const withCookie = (value, method, path, headers = {}) =>
	call(null, method, path, { headers: { Cookie: `${COOKIE}=${value}`, ...headers } });
const countReports = async () => Number((await query('select count(*) from conduct.report'))[0][0]);
const report = JSON.stringify({ wiki: 'enwiki', lang: 'en', category: 'trolling', respondents: [{ user: 'Some Body' }],
	details: 'From a page.' });
const posting = (headers = {}) => ({ method: 'POST', body: report,
	headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID(), ...headers } });

test('start, the wiki\'s form, consent, callback, session, logout', limit, async () => {
	await askConsent('Bella Browser');
	const page = await logIn('Bella Browser', { isAsked: true });
	const shown = JSON.parse(await page.evaluate(() => document.body.innerText));
	assert.equal(shown.user, 'Bella Browser');
	const cookies = await ownCookies();
	assert.deepEqual(cookies.map(one => one.name), [COOKIE], 'the login\'s own cookie is gone');
	const [cookie] = cookies;
	assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path, cookie.domain, cookie.expires],
		[true, true, 'Lax', '/', '127.0.0.1', -1]);
	// Nothing of the wiki's token is in the browser.
	assert.ok(cookie.value.length < 100 && !cookie.value.includes('.'));
	assert.equal(await page.evaluate(() => document.cookie), '');
	assert.match((await fetchFrom(page, '/v1/me')).error, /Failed/, 'an answer of the API is no page');
	const own = await openOwnPage();
	assert.equal((await fetchFrom(own, '/v1/me')).status, 200);
	const sent = await fetchFrom(own, '/v1/reports', posting());
	assert.equal(sent.status, 201, sent.text);
	assert.equal((await withCookie(cookie.value, 'GET', '/v1/me')).status, 200);

	const out = await fetchFrom(own, '/v1/auth/logout', { method: 'POST' });
	assert.ok(out.status === 204 || out.status === 200, JSON.stringify(out));
	assert.equal(await sessionCookie(), undefined);
	assert.equal((await fetchFrom(own, '/v1/me')).status, 401);
	assert.equal((await withCookie(cookie.value, 'GET', '/v1/me')).status, 401);
});

test('whoever says no on the wiki is not logged in', limit, async () => {
	await askConsent('Rene Respondent');
	const page = await context.newPage();
	await page.goto(`${daemonOrigin}/v1/auth/start?return_to=/v1/me`);
	await fillIn(page, 'Rene Respondent');
	await page.waitForSelector('input[name=cancel]');
	const [answer] = await Promise.all([
		page.waitForResponse(response => response.url().startsWith(`${daemonOrigin}/v1/auth/callback`)),
		page.click('input[name=cancel]'),
	]);
	assert.equal(answer.status(), 403);
	assert.equal(await sessionCookie(), undefined);
});

test('a callback works once, and only in the browser that began', limit, async () => {
	// An attacker's own code, for somebody else's browser.
	const attacker = await visit('Rosa Reporter');
	await attacker.ask('GET', '/');
	const victim = await context.newPage();
	const [begun] = await Promise.all([
		victim.waitForRequest(request => request.url().includes('/oauth2/authorize')),
		victim.goto(`${daemonOrigin}/v1/auth/start?return_to=/v1/me`),
	]);
	const asked = new URL(begun.url()).searchParams;
	assert.equal(asked.get('code_challenge_method'), 'S256');
	assert.match(asked.get('state'), /^[A-Za-z0-9_-]{40,}$/);
	const { code } = await attacker.code('full-client');
	for (const state of ['', 'guess', asked.get('state').slice(0, -1)]) {
		const answer = await victim.goto(`${daemonOrigin}/v1/auth/callback?${new URLSearchParams({ code, state })}`);
		assert.equal(answer.status(), 400, `state "${state}"`);
	}
	const foreign = await openWindow(browser);
	const other = await foreign.newPage();
	const answer = await other.goto(`${daemonOrigin}/v1/auth/callback?${new URLSearchParams({ code, state: asked.get('state') })}`);
	assert.equal(answer.status(), 400);
	await foreign.close();
	assert.equal(await sessionCookie(), undefined);

	const page = await context.newPage();
	const callbacks = [];
	page.on('request', request => {
		if (request.url().startsWith(`${daemonOrigin}/v1/auth/callback`)) {
			callbacks.push(request.url());
		}
	});
	await page.goto(`${daemonOrigin}/v1/auth/start?return_to=/v1/me`);
	await fillIn(page, 'Bella Browser');
	await page.waitForURL(`${daemonOrigin}/v1/me`);
	const again = await page.goto(callbacks[0]);
	assert.equal(again.status(), 400);
	await page.goto(`${daemonOrigin}/v1/me`);
	assert.match(await page.evaluate(() => document.body.innerText), /Bella Browser/);
});

test('a login leads to our own paths, and to listed origins alone', limit, async () => {
	for (const path of ['//evil.example', 'https://evil.example/', '/\\evil.example', '/../x', EVIL, `${GADGET}/`,
		`${GADGET}.evil.example`, 'javascript:alert(1)', '']) {
		const answer = await call(null, 'GET', `/v1/auth/start?${new URLSearchParams({ return_to: path })}`);
		assert.equal(answer.status, 400, path);
		assert.equal(answer.headers.location, undefined);
	}
});

test('pages of other sites do nothing with a session, nor does a neighbour on the same host', limit, async () => {
	await logIn('Bella Browser');
	const cookie = await sessionCookie();
	const reports = await countReports();
	for (const origin of [EVIL, NEIGHBOUR, GADGET]) {
		const page = await context.newPage();
		await page.goto(`${origin}/`);
		for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
			await fetchFrom(page, `${daemonOrigin}/v1/reports`, { method: 'POST', mode: 'no-cors', credentials: 'include',
				headers: { 'Content-Type': type }, body: report });
		}
		assert.match((await fetchFrom(page, `${daemonOrigin}/v1/me`, { credentials: 'include' })).error ?? '', /Failed to fetch/);
		const [answer] = await Promise.all([
			page.waitForResponse(response => response.url() === `${daemonOrigin}/v1/auth/logout`),
			page.evaluate(action => {
				const form = document.createElement('form');
				Object.assign(form, { method: 'post', action });
				document.body.append(form);
				form.submit();
			}, `${daemonOrigin}/v1/auth/logout`),
		]);
		assert.ok(answer.status() !== 200 || origin !== NEIGHBOUR, 'a form of a neighbour');
		await page.close();
	}
	assert.equal(await countReports(), reports);
	assert.equal((await withCookie(cookie.value, 'GET', '/v1/me')).status, 200, 'nobody was logged out');
	// The same without a browser: unsafe methods need a word of the browser that it is our own page.
	for (const headers of [{}, { 'Sec-Fetch-Site': 'same-site' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'none' },
		{ Origin: NEIGHBOUR }, { Origin: 'null' }, { Origin: daemonOrigin, 'Sec-Fetch-Site': 'cross-site' }]) {
		assert.equal((await withCookie(cookie.value, 'POST', '/v1/auth/logout', headers)).status, 403, JSON.stringify(headers));
	}
	assert.equal((await withCookie(cookie.value, 'POST', '/v1/auth/logout', { Origin: daemonOrigin })).status, 204);
});

/** Opens the popup from a page and collects what it is told. */
async function openPopup(page, returnTo) {
	const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(address => {
		window.messages = [];
		window.addEventListener('message', event => window.messages.push({ origin: event.origin, data: event.data }));
		window.open(address, '_blank', 'popup');
	}, `${daemonOrigin}/v1/auth/start?${new URLSearchParams({ return_to: returnTo })}`)]);
	return popup;
}

test('a gadget\'s popup gives its page a code, and the code a bearer that reports', limit, async () => {
	await logIn('Bella Browser');
	const page = await context.newPage();
	await page.goto(`${GADGET}/`);
	const popup = await openPopup(page, GADGET);
	const [message] = await until('the popup speaks', async () => {
		const messages = await page.evaluate(() => window.messages);
		return messages.length ? messages : undefined;
	});
	await until('the popup closes itself', () => popup.isClosed());
	assert.equal(message.origin, daemonOrigin);
	assert.deepEqual(Object.keys(message.data), ['code']);
	const redeeming = code => ({ method: 'POST', body: JSON.stringify({ code }), headers: { 'Content-Type': 'application/json' } });
	// Another origin that got hold of the code has nothing of it.
	for (const Origin of [EVIL, daemonOrigin, undefined]) {
		const stolen = await call(null, 'POST', '/v1/auth/redeem',
			{ body: { code: 'A'.repeat(43) }, headers: Origin ? { Origin } : {} });
		assert.ok([401, 403].includes(stolen.status), `${Origin}: ${stolen.text}`);
	}
	const answer = await fetchFrom(page, `${daemonOrigin}/v1/auth/redeem`, redeeming(message.data.code));
	assert.equal(answer.status, 200, JSON.stringify(answer));
	const { token, scope, expires_in } = JSON.parse(answer.text);
	assert.match(token, /^cd_[A-Za-z0-9_-]{40,}$/);
	assert.equal(scope, 'report');
	assert.ok(expires_in > 0 && expires_in <= 3600);

	const sent = await fetchFrom(page, `${daemonOrigin}/v1/reports`, posting({ Authorization: `Bearer ${token}` }));
	assert.equal(sent.status, 201, JSON.stringify(sent));
	assert.match((await fetchFrom(page, `${daemonOrigin}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).error, /Failed/);
	assert.equal((await callWith(token, 'GET', '/v1/cases', { headers: { Origin: GADGET } })).status, 403);
	for (const Origin of [EVIL, NEIGHBOUR, 'null']) {
		const other = await callWith(token, 'POST', '/v1/reports', { body: JSON.parse(report), headers: { Origin } });
		assert.ok([401, 403].includes(other.status), `${Origin}: ${other.text}`);
	}
	// A code that comes twice is in two hands: what it was exchanged for ends.
	assert.equal((await fetchFrom(page, `${daemonOrigin}/v1/auth/redeem`, redeeming(message.data.code))).status, 401);
	const late = await fetchFrom(page, `${daemonOrigin}/v1/reports`, posting({ Authorization: `Bearer ${token}` }));
	assert.equal(late.status, 401, JSON.stringify(late));
});

test('another page that opens the popup for a gadget hears nothing', limit, async () => {
	await logIn('Bella Browser');
	const page = await context.newPage();
	await page.goto(`${EVIL}/`);
	const popup = await openPopup(page, GADGET);
	await until('the popup has ended', () => popup.isClosed());
	assert.deepEqual(await page.evaluate(() => window.messages), []);
});

test('a session ends when the wiki takes its consent back, and when nobody uses it', limit, async t => {
	// A shifted clock is for demos: beside a real issuer the daemon is not ready with it.
	t.after(() => query('update conduct.clock_offset set shift_seconds = 0'));
	await logIn('Bella Browser');
	const first = (await sessionCookie()).value;
	assert.equal((await withCookie(first, 'GET', '/v1/me')).status, 200);
	moveClock('14min');
	assert.equal((await withCookie(first, 'GET', '/v1/me')).status, 200);
	moveClock('14min');
	assert.equal((await withCookie(first, 'GET', '/v1/me')).status, 200, 'use keeps it');
	moveClock('16min');
	assert.equal((await withCookie(first, 'GET', '/v1/me')).status, 401);

	await context.clearCookies();
	await logIn('Bella Browser');
	const second = (await sessionCookie()).value;
	assert.equal((await withCookie(second, 'GET', '/v1/me')).status, 200);
	await (await visit('Bella Browser')).revoke('pages-client');
	passTime(301);
	assert.equal((await withCookie(second, 'GET', '/v1/me')).status, 401);
});
