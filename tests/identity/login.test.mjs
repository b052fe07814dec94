// Signing in through a wiki that tells the truth, refuses, lies or is away; and what becomes of a session
// when its token is revoked. A session is in the database: another daemon, or the next, goes on with it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test, { after, afterEach, before } from 'node:test';
import { assertProblem, reportBody, sql } from '../harness/api.mjs';
import { Browser, LOGIN, SESSION, own, redeem, userOf, withBearer, wiki as gadget } from '../e2e/browser.mjs';
import { Daemon, ownFile, postgres, stack, until, writeConfig } from '../fault/parts.mjs';
import { CONTACT, FULL, REPORT, Wiki, reply } from './wiki.mjs';

const limit = { timeout: 180000 };
const SECRET = 'a secret of this test & = ?';
const TOKEN = '/w/rest.php/oauth2/access_token';

/** With the other half of OAuth: codes for whoever agreed, and tokens for codes. */
class LoginWiki extends Wiki {
	codes = new Map();
	bodies = [];
	exchange = undefined; // (request, response, form): instead of the truth

	issuer(options) {
		const secret = ownFile(`${stack}/login.secret`, `${SECRET}\n`);
		return super.issuer(options).replace(`{id: ${FULL}, scope: full}`,
			`{id: ${FULL}, scope: full, login: true, secret_file: "${secret}"}`)
			.replace('    profile:', `    authorize: "${this.iss}/w/rest.php/oauth2/authorize"\n    access_token: "${this.iss}${TOKEN}"\n    profile:`);
	}

	/** What the person's browser is sent back with. */
	agree(location, account) {
		const url = new URL(location);
		assert.equal(`${url.origin}${url.pathname}`, `${this.iss}/w/rest.php/oauth2/authorize`);
		const sent = Object.fromEntries(url.searchParams);
		assert.equal(sent.response_type, 'code');
		assert.equal(sent.client_id, FULL);
		assert.equal(sent.redirect_uri, `${own}/v1/auth/callback`);
		assert.equal(sent.code_challenge_method, 'S256');
		const code = `def5020${this.codes.size}${'0'.repeat(700)}`;
		this.codes.set(code, { challenge: sent.code_challenge, token: this.token(account) });
		return { code, state: sent.state };
	}

	answer(request, response) {
		if (request.url !== TOKEN) {
			super.answer(request, response);
			return;
		}
		let text = '';
		request.on('data', piece => { text += piece; });
		request.on('end', () => {
			const form = Object.fromEntries(new URLSearchParams(text));
			this.bodies.push(form);
			(this.exchange ?? this.give).call(this, request, response, form);
		});
	}

	give(request, response, form) {
		const one = this.codes.get(form.code);
		const challenge = createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
		if (form.grant_type !== 'authorization_code' || form.client_id !== FULL || form.client_secret !== SECRET
			|| form.redirect_uri !== `${own}/v1/auth/callback` || !one || one.isUsed || one.challenge !== challenge) {
			reply(response, 400, { error: 'invalid_grant', message: 'no' });
			return;
		}
		one.isUsed = true;
		reply(response, 200, { token_type: 'Bearer', expires_in: 3600, access_token: one.token, refresh_token: 'def50200' });
	}
}

let wiki;
let daemon;
let nth = 5000;

async function restart() {
	await daemon?.stop();
	const keys = [ownFile(`${stack}/wiki.pub`, wiki.key.pem, 0o644)];
	daemon = new Daemon(writeConfig('login', text => `contact: ${CONTACT}\npublic_url: "${own}"\n`
		+ text.replace(/issuers:\n(.*\n)*(?=processes)/, wiki.issuer({ keys })), 'processes: {web: 1, drain: 5s}\n')).start();
	await daemon.ready();
}

before(async () => {
	await postgres.start();
	wiki = await new LoginWiki().start();
	await restart();
});

afterEach(() => {
	wiki.exchange = undefined;
	wiki.profile = undefined;
	daemon?.check();
});

after(async () => {
	await daemon?.kill();
	await wiki?.stop();
	postgres.stop();
});

/** To the wiki and back; `returnTo` may be a gadget's origin. */
async function come(browser, account, returnTo = '/console/') {
	const away = await browser.get(`/v1/auth/start?return_to=${encodeURIComponent(returnTo)}`, { html: true });
	assert.equal(away.status, 303, away.text);
	const { code, state } = wiki.agree(away.headers.location, account);
	return { code, answer: await browser.get(`/v1/auth/callback?${new URLSearchParams({ code, state })}`) };
}

const person = name => ({ id: nth += 1, name });

test('a person signs in, and the client\'s secret and the verifier go to the wiki alone', limit, async () => {
	const browser = new Browser();
	const { code, answer } = await come(browser, person('Ada Lovelace'));
	assert.equal(answer.status, 303, answer.text);
	assert.equal(answer.headers.location, '/console/');
	assert.equal(await userOf(browser), 'Ada Lovelace');
	const form = wiki.bodies.at(-1);
	assert.equal(form.client_secret, SECRET);
	assert.equal(form.code, code);
	assert.match(form.code_verifier, /^[\w-]{43}$/);
	assert.ok(!JSON.stringify(answer.headers).includes(form.code_verifier));
});

test('a code that the wiki knows nothing of, or has taken already, signs nobody in', limit, async () => {
	const browser = new Browser();
	const away = await browser.get('/v1/auth/start');
	const { code, state } = wiki.agree(away.headers.location, person('Twice'));
	assertProblem(await browser.get(`/v1/auth/callback?code=other&state=${state}`), 403, 'conduct-login-denied');
	const kept = browser.cookies.get(LOGIN);
	assert.equal((await browser.get(`/v1/auth/callback?code=${code}&state=${state}`)).status, 303);
	const other = new Browser();
	other.cookies.set(LOGIN, kept);
	assertProblem(await other.get(`/v1/auth/callback?code=${code}&state=${state}`), 403, 'conduct-login-denied');
	assert.ok(!other.cookies.has(SESSION));
});

test('a code that was made for another browser is worth nothing: its verifier is another', limit, async () => {
	const [victim, attacker] = [new Browser(), new Browser()];
	const theirs = wiki.agree((await attacker.get('/v1/auth/start')).headers.location, person('Attacker'));
	const mine = wiki.agree((await victim.get('/v1/auth/start')).headers.location, person('Victim'));
	assertProblem(await victim.get(`/v1/auth/callback?code=${theirs.code}&state=${theirs.state}`), 400, 'conduct-login-stale');
	assertProblem(await victim.get(`/v1/auth/callback?code=${theirs.code}&state=${mine.state}`), 403, 'conduct-login-denied');
	assert.ok(!victim.cookies.has(SESSION));
});

test('tokens that do not hold sign nobody in, wherever they come from', limit, async () => {
	const foreign = new LoginWiki();
	const id = nth += 1;
	const bad = [
		wiki.token({ id, name: 'Bad', claims: { exp: Date.now() / 1000 - 10 } }),
		wiki.token({ id, name: 'Bad', key: foreign.key }),
		wiki.token({ id, name: 'Bad', client: REPORT }),
		wiki.token({ id, name: 'Bad', client: 'somebody-else' }),
		wiki.token({ id, name: 'Bad', isKnown: false }),
		'a.b.c', 'x',
	];
	for (const token of bad) {
		wiki.exchange = (request, response) => reply(response, 200, { token_type: 'Bearer', access_token: token });
		const browser = new Browser();
		const { answer } = await come(browser, person('Bad'));
		assertProblem(answer, 403, 'conduct-login-denied');
		assert.ok(!browser.cookies.has(SESSION));
	}
});

test('a wiki that is away or talks nonsense signs nobody in, and the person may come again', limit, async () => {
	for (const [status, body] of [[500, {}], [503, 'x'], [429, {}], [200, '<html>'], [200, {}], [302, {}]]) {
		wiki.exchange = (request, response) => reply(response, status, body);
		const browser = new Browser();
		const { answer } = await come(browser, person('Patience'));
		assertProblem(answer, 503, 'conduct-unavailable');
		assert.ok(Number(answer.headers['retry-after']) > 0);
		assert.ok(!browser.cookies.has(SESSION));
	}
	wiki.exchange = undefined;
	await until('the wiki is asked again', async () => (await come(new Browser(), person('Patience'))).answer.status === 303, 30000);
});

test('a session goes on in the next daemon, until its token is revoked', limit, async () => {
	const browser = new Browser();
	const account = person('Grace Hopper');
	const { code } = await come(browser, account);
	const { token } = wiki.codes.get(code);
	await restart();
	assert.equal(await userOf(browser), 'Grace Hopper');
	// A wiki that is away makes nobody a stranger, and ends nothing.
	await restart();
	wiki.profile = (request, response) => reply(response, 500, {});
	const away = await browser.get('/v1/me');
	assertProblem(away, 503, 'conduct-unavailable');
	assert.ok(browser.cookies.has(SESSION));
	await restart();
	wiki.profile = undefined;
	assert.equal(await userOf(browser), 'Grace Hopper');
	const count = () => Number(sql("select count(*) from conduct.session where kind = 'cookie'")[0][0]);
	const before = count();
	wiki.revoke(token);
	await restart();
	assertProblem(await browser.get('/v1/me'), 401, 'conduct-unauthorized');
	assert.equal(count(), before - 1, 'the session is gone from the database');
	wiki.accounts.set(token, { sub: String(account.id), username: 'Grace Hopper', blocked: false });
	await restart();
	assertProblem(await browser.get('/v1/me'), 401, 'conduct-unauthorized');
});

test('a gadget signs people in as well, and its bearer ends with the token', limit, async () => {
	const browser = new Browser();
	const { code, answer } = await come(browser, person('Gadget User'), gadget);
	assert.equal(answer.status, 200, answer.text);
	assert.ok(!browser.cookies.has(SESSION));
	const { body } = await redeem(/data-code="([\w-]{43})"/.exec(answer.text)[1]);
	const send = () => withBearer(body.token, 'POST', '/v1/reports', { body: reportBody() });
	assert.equal((await send()).status, 201);
	assertProblem(await withBearer(body.token, 'GET', '/v1/cases'), 403, 'conduct-wrong-scope');
	wiki.revoke(wiki.codes.get(code).token);
	await restart();
	assertProblem(await send(), 401, 'conduct-unauthorized');
});
