// What pages of other origins may do, asked by a real Chromium: its preflights, its refusals.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { base, call, people, query } from '../harness/api.mjs';
import { launch, makeCertificate, openWindow, servePage } from './browser.mjs';
import { configOf, daemonOrigin, startDaemon, stopDaemon, until } from './daemon.mjs';

const port = Number(base.port) + 20;
const secure = port + 1;
const other = port + 2;
const ALLOWED = `http://gadget.localhost:${port}`;
const FOLDER = '<!doctype html><title>page</title><iframe sandbox="allow-scripts" srcdoc="<p>inside</p>"></iframe>';
const pages = [];
let browser;
let context;

before(async () => {
	// The second and third are listed under the scheme that the page does not have.
	await startDaemon(configOf('cors', {
		more: `cors_origins: ["${ALLOWED}", "https://down.localhost:${port}", "http://up.localhost:${secure}"]\n`,
	}), 'cors');
	pages.push(await servePage(port, FOLDER), await servePage(other), await servePage(secure, undefined, makeCertificate()));
	browser = await launch();
	context = await openWindow(browser);
}, { timeout: 120000 });

after(async () => {
	await browser?.close();
	await Promise.all(pages.map(page => page.close()));
	await stopDaemon();
}, { timeout: 60000 });

/** Runs in the page: what its script sees of an answer. */
async function inside({ url, init }) {
	try {
		const answer = await fetch(url, init);
		return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
	} catch (error) {
		return { error: String(error) };
	}
}

async function pageOf(origin) {
	const page = await context.newPage();
	await page.goto(`${origin}/some/page`);
	return page;
}

const fetchFrom = (frame, path, init) => frame.evaluate(inside, { url: `${daemonOrigin}${path}`, init });

const report = { wiki: 'enwiki', lang: 'en', category: 'trolling', respondents: [{ user: 'Some Body' }], details: 'From a page.' };

function posting(changes = {}) {
	return { method: 'POST', body: JSON.stringify(report), ...changes,
		headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID(), ...changes.headers } };
}

const countReports = async () => Number((await query('select count(*) from conduct.report'))[0][0]);

/** Chromium's own words on the wire for a page: preflights with their request headers. */
async function listen(page) {
	const session = await context.newCDPSession(page);
	const sent = new Map();
	const seen = [];
	session.on('Network.requestWillBeSent', ({ requestId, request }) => {
		if (request.method === 'OPTIONS') {
			sent.set(requestId, { method: request.method, headers: request.headers });
			seen.push(sent.get(requestId));
		}
	});
	session.on('Network.responseReceived', ({ requestId, response }) => {
		if (sent.has(requestId)) {
			Object.assign(sent.get(requestId), { status: response.status, answer: response.headers });
		}
	});
	await session.send('Network.enable');
	return seen;
}

/** Chromium's reason why the page or a frame in it gets no answer. */
async function whyClosed(where, path, init) {
	const session = await context.newCDPSession(where);
	let why;
	session.on('Network.loadingFailed', event => {
		why ??= event.corsErrorStatus?.corsError ?? event.errorText;
	});
	await session.send('Network.enable');
	const answer = await fetchFrom(where, path, init);
	assert.match(answer.error ?? '', /Failed to fetch/, `${path}: ${JSON.stringify(answer).slice(0, 300)}`);
	await until('the failure is told', () => why);
	await session.detach();
	return why;
}

const limit = { timeout: 180000 };

test('a page of a listed origin reads the policy, and sees the headers that are exposed', limit, async () => {
	const page = await pageOf(ALLOWED);
	const answer = await fetchFrom(page, '/v1/policy?wiki=enwiki&lang=en');
	assert.equal(answer.status, 200, JSON.stringify(answer));
	assert.equal(JSON.parse(answer.text).wiki, 'enwiki');
	assert.ok(answer.headers.etag);
	assert.ok(answer.headers['x-request-id']);
	const again = await fetchFrom(page, '/v1/policy?wiki=enwiki&lang=en',
		{ headers: { 'If-None-Match': answer.headers.etag, 'Api-User-Agent': 'test' } });
	assert.equal(again.status, 304);
	await page.close();
});

test('it reports, by the preflight that Chromium sends for a bearer, JSON and a key', limit, async () => {
	const page = await pageOf(ALLOWED);
	const seen = await listen(page);
	const answer = await fetchFrom(page, '/v1/reports',
		posting({ headers: { Authorization: `Bearer ${people.reporter.token}` } }));
	assert.equal(answer.status, 201, JSON.stringify(answer));
	assert.equal(answer.headers.location, '/v1/receipt');
	assert.match(JSON.parse(answer.text).receipt, /^[0-9A-Z-]+$/);
	const preflight = await until('the preflight is told', () => seen.find(one => one.answer));
	const asked = Object.fromEntries(Object.entries(preflight.headers).map(([name, value]) => [name.toLowerCase(), value]));
	assert.equal(asked['access-control-request-headers'], 'authorization,content-type,idempotency-key');
	assert.equal(asked['access-control-request-method'], 'POST');
	const answered = Object.fromEntries(Object.entries(preflight.answer).map(([name, value]) => [name.toLowerCase(), value]));
	assert.equal(preflight.status, 204);
	assert.equal(answered['access-control-allow-origin'], ALLOWED);
	assert.equal(answered['access-control-allow-credentials'], undefined);
	assert.equal(answered['access-control-max-age'], '7200');
	assert.match(answered.vary, /\bOrigin\b/);
	await page.close();
});

test('refusals can be read as well', limit, async () => {
	const page = await pageOf(ALLOWED);
	const cases = [
		[400, '/v1/policy?wiki=enwiki&nonsense=1', {}],
		[404, '/v1/policy/rules/no.such.rule', {}],
		[400, '/v1/reports', posting({ body: '{"wiki":' })],
		[401, '/v1/reports', posting({ headers: { Authorization: 'Bearer a.b.c' } })],
		[413, '/v1/reports', posting({ body: JSON.stringify({ ...report, details: 'x'.repeat(70000) }) })],
		[415, '/v1/reports', posting({ headers: { 'Content-Type': 'text/plain' } })],
		[422, '/v1/reports', posting({ body: JSON.stringify({ ...report, wiki: 'nosuchwiki' }) })],
	];
	for (const [status, path, init] of cases) {
		const answer = await fetchFrom(page, path, init);
		assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer).slice(0, 500)}`);
		assert.equal(JSON.parse(answer.text).status, status);
	}
	await page.close();
});

test('look-alikes of a listed origin read nothing and report nothing', limit, async () => {
	const reports = await countReports();
	const alike = {
		suffix: `http://gadget.localhost.evil.localhost:${port}`,
		prefix: `http://evilgadget.localhost:${port}`,
		subdomain: `http://x.gadget.localhost:${port}`,
		parent: `http://localhost:${port}`,
		port: `http://gadget.localhost:${other}`,
		'scheme down': `http://down.localhost:${port}`,
		'scheme up': `https://up.localhost:${secure}`,
	};
	for (const [what, origin] of Object.entries(alike)) {
		const page = await pageOf(origin);
		assert.equal(await whyClosed(page, '/v1/policy?wiki=enwiki'), 'MissingAllowOriginHeader', what);
		assert.equal(await whyClosed(page, '/v1/reports', posting()), 'PreflightMissingAllowOriginHeader', what);
		await page.close();
	}
	assert.equal(await countReports(), reports);
});

test('a sandboxed frame, whose origin is null, reads nothing and reports nothing', limit, async () => {
	const page = await pageOf(ALLOWED);
	const reports = await countReports();
	const frame = page.frames().find(one => one !== page.mainFrame());
	await frame.waitForSelector('p');
	assert.equal(await frame.evaluate(() => self.origin), 'null');
	assert.equal(await whyClosed(frame, '/v1/policy?wiki=enwiki'), 'MissingAllowOriginHeader');
	assert.equal(await whyClosed(frame, '/v1/reports', posting()), 'PreflightMissingAllowOriginHeader');
	assert.equal(await countReports(), reports);
	await page.close();
});

test('routes without the flag refuse listed origins too, and nothing is done with credentials', limit, async () => {
	const page = await pageOf(ALLOWED);
	const bearer = { headers: { Authorization: `Bearer ${people.functionary.token}` } };
	const closed = 'PreflightMissingAllowOriginHeader';
	const refused = [
		[closed, '/v1/me', bearer],
		[closed, '/v1/cases?limit=1', bearer],
		[closed, '/v1/receipt', { headers: { Authorization: 'Receipt AAAAA-AAAAA' } }],
		[closed, `/v1/cases/${randomUUID()}/actions/claim`, posting({ body: '{}', headers: { ...bearer.headers, 'If-Match': '"1"' } })],
		['InvalidAllowCredentials', '/v1/policy?wiki=enwiki', { credentials: 'include' }],
		['HeaderDisallowedByPreflightResponse', '/v1/policy?wiki=enwiki', { headers: { 'X-Other': '1' } }],
		[closed, '/v1/reports', { ...posting(), method: 'PUT' }],
	];
	for (const [why, path, init] of refused) {
		assert.equal(await whyClosed(page, path, init), why, path);
	}
	await page.close();
});

test('the wikis of the policy are listed by themselves, on their desktop and mobile hosts', limit, async () => {
	const ask = origin => call(null, 'GET', '/v1/policy/versions', { headers: { Origin: origin } });
	for (const origin of ['https://en.wikipedia.org', 'https://en.m.wikipedia.org']) {
		assert.equal((await ask(origin)).headers['access-control-allow-origin'], origin);
	}
	for (const origin of ['http://en.wikipedia.org', 'https://en.wikipedia.org:8443', 'https://en.wikipedia.org.evil.example',
		'https://evil-en.wikipedia.org', 'https://en.wikipedia.organd', 'https://EN.wikipedia.org', 'https://en.wikipedia.org/', 'null']) {
		const answer = await ask(origin);
		assert.equal(answer.headers['access-control-allow-origin'], undefined, origin);
		assert.match(answer.headers.vary, /Origin/);
	}
});
