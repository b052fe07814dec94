// The double of the wiki's OAuth 2 itself: what the other tests of this suite lean on is so.
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { act, ask, claimsOf, configure, makeKey, pkce, profile, redeem, requests, startWiki, stopWiki, visit, Visitor, wikiDir,
	wikiOrigin } from './wiki.mjs';

const clients = {
	open: { callback: 'https://gadget.invalid/callback' },
	secret: { callback: 'https://pages.invalid/callback', secret: 'a secret & more' },
	asking: { callback: 'https://asking.invalid/callback', ask: true },
};

before(async () => {
	const general = await startWiki();
	assert.match(general.generator, /^MediaWiki 1\.39\./);
	configure({ clients });
});
after(stopWiki);

test('the wiki tells central ids of its accounts, and that a name is unknown', async () => {
	const answer = await ask('GET', `${wikiOrigin}/api.php?action=query&list=users&usprop=centralids&format=json&formatversion=2`
		+ `&ususers=${encodeURIComponent('Rene Respondent|Nobody Here')}`);
	const [known, unknown] = answer.body.query.users;
	assert.equal(known.centralids.local, known.userid, answer.text);
	assert.equal(unknown.missing, true, answer.text);
});

test('a token carries fractions as dates, one audience, no key id, and the wiki\'s signature', async () => {
	const visitor = await visit('Rosa Reporter');
	const token = await visitor.token('open');
	const [header, body, signature] = token.split('.');
	assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { typ: 'JWT', alg: 'RS256' });
	const key = createPublicKey(readFileSync(`${wikiDir}/wiki.pub`));
	assert.ok(verify('RSA-SHA256', Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url')));
	const claims = claimsOf(token);
	assert.equal(claims.iss, wikiOrigin);
	assert.equal(claims.aud, 'open');
	assert.match(body && Buffer.from(body, 'base64url').toString(), /"nbf":\d+\.\d+/);
	const answer = await profile(token);
	assert.equal(answer.status, 200, answer.text);
	assert.match(answer.headers['content-type'], /^text\/html/);
	assert.equal(String(answer.body.sub), claims.sub);
	assert.equal(answer.body.username, 'Rosa Reporter');
	assert.equal(answer.body.blocked, false);
});

test('a code works once, with its verifier, for its client', async () => {
	const visitor = await visit('Rosa Reporter');
	const first = await visitor.code('open');
	assert.equal((await redeem('open', { code: first.code, code_verifier: pkce().verifier })).status, 400);
	const second = await visitor.code('open');
	assert.equal((await redeem('secret', { code: second.code, code_verifier: second.verifier })).status, 400);
	const third = await visitor.code('open', { state: 'the state' });
	assert.equal(third.location.searchParams.get('state'), 'the state');
	const answers = await Promise.all([1, 2, 3].map(() => redeem('open', { code: third.code, code_verifier: third.verifier })));
	assert.deepEqual(answers.map(answer => answer.status).sort(), [200, 400, 400]);
});

test('a public client needs a challenge, a confidential one its secret, and both their callback', async () => {
	const visitor = await visit('Rosa Reporter');
	assert.equal((await visitor.authorize('open')).status, 400);
	assert.equal((await visitor.authorize('unknown')).status, 401);
	assert.equal((await visitor.authorize('secret', { redirect_uri: 'https://pages.invalid/other' })).status, 401);
	const redirect_uri = clients.secret.callback;
	for (const [change, status] of [[{ client_secret: 'guessed' }, 401], [{ redirect_uri: undefined }, 400], [{}, 200]]) {
		const { code, verifier } = await visitor.code('secret', { redirect_uri });
		const form = { code, code_verifier: verifier, redirect_uri, ...change };
		if (form.redirect_uri === undefined) {
			delete form.redirect_uri;
		}
		assert.equal((await redeem('secret', form)).status, status, JSON.stringify(change));
	}
});

test('nobody gets a code without a session, and consent can be refused', async () => {
	const { challenge } = pkce();
	const parameters = { code_challenge: challenge, code_challenge_method: 'S256', state: 's' };
	const stranger = await new Visitor().authorize('asking', parameters);
	assert.equal(stranger.status, 307);
	assert.match(stranger.headers.location, /Special:UserLogin/);
	const visitor = await visit('Rosa Reporter');
	const answer = await visitor.authorize('asking', parameters);
	assert.match(answer.headers.location, /Special:OAuthDouble/);
	const back = await visitor.authorize('asking', { ...parameters, approval_cancel: '1' });
	assert.equal(new URL(back.headers.location).searchParams.get('error'), 'access_denied');
});

test('revoking ends every token of the account at that client; refreshing ends the older one', async () => {
	const visitor = await visit('Rico Revoked');
	const other = await visitor.token('secret');
	const old = await visitor.tokens('open');
	assert.equal((await profile(old.access_token)).status, 200);
	const fresh = await redeem('open', { grant_type: 'refresh_token', refresh_token: old.refresh_token });
	assert.equal((await profile(old.access_token)).status, 401);
	assert.equal((await profile(fresh.body.access_token)).status, 200);
	await visitor.revoke('open');
	assert.equal((await profile(fresh.body.access_token)).status, 401);
	assert.equal((await profile(other)).status, 200);
});

test('blocked, hidden and renamed accounts look as they do on a wiki', async () => {
	const tokens = {};
	for (const name of ['Bruno Blocked', 'Hanna Hidden', 'Nora Newname']) {
		tokens[name] = await (await visit(name)).token('open');
	}
	act('block', 'Bruno Blocked');
	act('hide', 'Hanna Hidden');
	act('rename', 'Nora Newname', 'Nora Renamed');
	assert.equal((await profile(tokens['Bruno Blocked'])).body.blocked, true);
	const hidden = await profile(tokens['Hanna Hidden']);
	assert.deepEqual(hidden.body, { sub: hidden.body.sub, blocked: true });
	assert.equal((await profile(tokens['Nora Newname'])).body.username, 'Nora Renamed');
	act('unblock', 'Bruno Blocked');
	assert.equal((await profile(tokens['Bruno Blocked'])).body.blocked, false);
});

test('keys, subjects, lives and troubles are what a test sets', async () => {
	const visitor = await visit('Rosa Reporter');
	const old = await visitor.token('open');
	configure({ key: makeKey('second').private, oldKey: `${wikiDir}/wiki.key` });
	const fresh = await visitor.token('open');
	assert.deepEqual([(await profile(old)).status, (await profile(fresh)).status], [200, 200]);
	configure({ oldKey: null });
	assert.deepEqual([(await profile(old)).status, (await profile(fresh)).status], [401, 200]);
	configure({ newSubject: 'mw:CentralAuth:', ttl: 60 });
	const claims = claimsOf(await visitor.token('open'));
	assert.match(claims.sub, /^mw:CentralAuth::\d+$/);
	assert.ok(Math.abs(claims.exp - claims.iat - 60) < 0.001);
	const { n } = requests('profile');
	configure({ fault: { at: 'profile', status: 429, headers: { 'Retry-After': '7' }, body: 'slow down' } });
	const answer = await profile(fresh);
	assert.equal(answer.status, 429);
	assert.equal(answer.headers['retry-after'], '7');
	assert.equal(requests('profile').n, n + 1);
	configure({ fault: null });
	assert.equal((await profile(fresh)).status, 200);
});
