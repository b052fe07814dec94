// Accounts of a real wiki: who is accepted, for what, and for how long after the wiki has changed its mind.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, reportBody, sql } from '../harness/api.mjs';
import { configure, makeKey, requests, startWiki, stopWiki, visit, act, wikiDir } from './wiki.mjs';
import { callWith, clients, configOf, issuerOf, passTime, reload, startDaemon, stopDaemon, until } from './daemon.mjs';

const limit = { timeout: 180000 };
const POSITIVE_S = 300;
const PRIVILEGED_S = 60;
const key = `${wikiDir}/wiki.pub`;
let daemon;
let config;

before(async () => {
	await startWiki();
	configure({ clients });
	config = configOf('accounts', { issuers: issuerOf({ keys: [key] }) });
	daemon = await startDaemon(config, 'accounts');
}, { timeout: 120000 });

after(async () => {
	await stopDaemon();
	await stopWiki();
}, { timeout: 60000 });

const me = token => callWith(token, 'GET', '/v1/me');
const queue = token => callWith(token, 'GET', '/v1/cases');
const submit = (token, changes) => callWith(token, 'POST', '/v1/reports',
	{ body: reportBody({ respondents: [{ user: 'Some Body' }], ...changes }) });

async function tokenOf(name, client = 'full-client') {
	return (await visit(name)).token(client);
}

test('somebody who is logged in to the wiki reports, and reads who they are', limit, async () => {
	const token = await tokenOf('Rosa Reporter');
	const sent = await submit(token, { identity: 'named' });
	assert.equal(sent.status, 201, sent.text);
	assert.match(sent.body.receipt, /^[0-9A-Z-]+$/);
	const answer = await me(token);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.body.user, 'Rosa Reporter');
	const participations = await callWith(token, 'GET', '/v1/me/participations');
	assert.equal(participations.status, 200, participations.text);
	assert.match(requests('profile').agent, /conductd.*tests@conductd\.invalid/);
});

test('an account is the same person with every client and every token', limit, async () => {
	const people = () => sql('select count(*) from conduct.person_account')[0][0];
	const first = await me(await tokenOf('Rosa Reporter'));
	const before = people();
	assert.equal((await submit(await tokenOf('Rosa Reporter', 'report-client'), { identity: 'named' })).status, 201);
	assert.equal(people(), before);
	const second = await me(await tokenOf('Rosa Reporter'));
	assert.ok(first.body.person);
	assert.equal(second.body.person, first.body.person);
});

test('the newer subject names the same person, and one of another scope nobody', limit, async t => {
	t.after(() => configure({ newSubject: null }));
	const old = await me(await tokenOf('Rosa Reporter'));
	configure({ newSubject: 'mw:local:wiki' });
	const fresh = await me(await tokenOf('Rosa Reporter'));
	assert.equal(fresh.status, 200, fresh.text);
	assert.equal(fresh.body.person, old.body.person);
	configure({ newSubject: 'mw:local:other' });
	assertProblem(await me(await tokenOf('Rosa Reporter')), 401);
});

test('a report client reports, and reads no case', limit, async () => {
	const token = await tokenOf('Fatima Functionary', 'report-client');
	assert.equal((await submit(token)).status, 201);
	for (const path of ['/v1/cases', '/v1/cases/00000000-0000-4000-8000-000000000000', '/v1/admin/grants']) {
		assertProblem(await callWith(token, 'GET', path), 403);
	}
});

test('a token of a client that is not configured, and one that was changed, are nobody', limit, async () => {
	const foreign = await tokenOf('Rosa Reporter', 'foreign-client');
	const refused = await me(foreign);
	assertProblem(refused, 401);
	const token = await tokenOf('Rosa Reporter');
	const [header, body, signature] = token.split('.');
	const claims = { ...JSON.parse(Buffer.from(body, 'base64url')), sub: '1' };
	const forged = await me(`${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`);
	assertProblem(forged, 401);
	const same = ({ body: { instance, ...rest } }) => rest;
	assert.deepEqual(same(refused), same(forged));
	assert.equal((await submit(foreign)).status, 401);
});

test('many requests with one token ask the wiki once for each web process at most', limit, async () => {
	const token = await tokenOf('Filip Functionary');
	const { n } = requests('profile');
	const answers = await Promise.all(Array.from({ length: 40 }, () => me(token)));
	assert.ok(answers.every(answer => answer.status === 200));
	const asked = requests('profile').n - n;
	assert.ok(asked >= 1 && asked <= 2, `asked ${asked} times`);
});

test('a token revoked before its first use is refused at once, and is nobody for a report', limit, async () => {
	const visitor = await visit('Rico Revoked');
	const token = await visitor.token('full-client');
	await visitor.revoke('full-client');
	assertProblem(await me(token), 401);
	const answer = await submit(token);
	assertProblem(answer, 401);
});

test('a revoked token ends within 60 s where cases are handled', limit, async () => {
	const visitor = await visit('Rico Revoked');
	const token = await visitor.token('full-client');
	assert.equal((await queue(token)).status, 403);
	await visitor.revoke('full-client');
	passTime(PRIVILEGED_S + 1);
	assertProblem(await queue(token), 401);
});

test('a revoked token ends within 300 s everywhere', limit, async () => {
	const visitor = await visit('Rico Revoked');
	const token = await visitor.token('full-client');
	assert.equal((await me(token)).status, 200);
	await visitor.revoke('full-client');
	passTime(POSITIVE_S + 1);
	assertProblem(await me(token), 401);
	assertProblem(await submit(token), 401);
});

test('what is remembered of a live token keeps the wiki from being asked again before', limit, async () => {
	const token = await tokenOf('Rosa Reporter');
	assert.equal((await me(token)).status, 200);
	// Both processes have seen it when a burst asks nothing more.
	await Promise.all(Array.from({ length: 20 }, () => me(token)));
	const { n } = requests('profile');
	passTime(POSITIVE_S - 30);
	assert.equal((await me(token)).status, 200);
	assert.ok(requests('profile').n - n <= 1);
});

test('an account that is blocked on the wiki still reports and reads', limit, async () => {
	const token = await tokenOf('Bruno Blocked');
	act('block', 'Bruno Blocked');
	assert.equal((await me(token)).status, 200);
	assert.equal((await submit(token)).status, 201);
});

test('a renamed account is the same person under its new name', limit, async () => {
	const token = await tokenOf('Nora Newname');
	const old = await me(token);
	assert.equal(old.body.user, 'Nora Newname');
	act('rename', 'Nora Newname', 'Nora Renamed');
	passTime(POSITIVE_S + 1);
	const fresh = await me(token);
	assert.equal(fresh.status, 200, fresh.text);
	assert.equal(fresh.body.user, 'Nora Renamed');
	assert.equal(fresh.body.person, old.body.person);
});

test('a hidden account is known by its id, and its name is shown no more', limit, async () => {
	const token = await tokenOf('Hanna Hidden');
	const before = await me(token);
	act('hide', 'Hanna Hidden');
	passTime(POSITIVE_S + 1);
	const answer = await me(token);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.body.person, before.body.person);
	assert.deepEqual([answer.body.user, answer.body.user_hidden], [null, true]);
	assert.doesNotMatch(answer.text, /Hanna/);
	assert.equal((await submit(token)).status, 201);
});

test('an account that was hidden before it was ever seen has no name here', limit, async () => {
	act('user', 'Hugo Hidden');
	const token = await tokenOf('Hugo Hidden');
	act('hide', 'Hugo Hidden');
	const answer = await me(token);
	assert.equal(answer.status, 200, answer.text);
	assert.ok(answer.body.person);
	assert.doesNotMatch(answer.text, /Hugo/);
	assert.equal((await submit(token)).status, 201);
});

test('while the wiki is away nobody is anybody, and nobody is anonymous; afterwards all is well', limit, async t => {
	const known = await tokenOf('Rosa Reporter');
	const unknown = await tokenOf('Filip Functionary');
	await Promise.all(Array.from({ length: 20 }, () => me(known)));
	const reports = sql('select count(*) from conduct.report')[0][0];
	await stopWiki();
	t.after(() => startWiki({ fresh: false }));
	for (const answer of [await me(unknown), await submit(unknown)]) {
		assertProblem(answer, 503);
		assert.match(answer.headers['retry-after'], /^\d+$/);
	}
	assert.equal(sql('select count(*) from conduct.report')[0][0], reports);
	assert.equal((await me(known)).status, 200, 'what was remembered holds');
	const emergency = await submit(unknown, { lane: 'emergency', harm_type: 'physical_harm', category: undefined });
	assert.equal(emergency.status, 201, emergency.text);
	await startWiki({ fresh: false });
	await until('the wiki is believed again', async () => {
		passTime(5);
		return (await me(unknown)).status === 200;
	}, 20000);
	assert.equal((await submit(unknown)).status, 201);
});

test('a wiki that is slow is away, too', limit, async t => {
	const token = await tokenOf('Filip Functionary');
	configure({ fault: { at: 'profile', delay: 9 } });
	t.after(() => configure({ fault: null }));
	assertProblem(await me(token), 503);
	configure({ fault: null });
	await until('the wiki is believed again', async () => {
		passTime(5);
		return (await me(token)).status === 200;
	}, 20000);
});

test('a key is replaced while tokens of both are good', limit, async () => {
	const old = await tokenOf('Rosa Reporter');
	assert.equal((await me(old)).status, 200);
	const next = makeKey('next');
	configOf('accounts', { issuers: issuerOf({ keys: [key, next.public] }) });
	await reload(daemon);
	configure({ key: next.private, oldKey: `${wikiDir}/wiki.key` });
	const fresh = await tokenOf('Rosa Reporter');
	const late = await visit('Filip Functionary');
	configure({ key: `${wikiDir}/wiki.key`, oldKey: next.private });
	const lateToken = await late.token('full-client');
	configure({ key: next.private, oldKey: `${wikiDir}/wiki.key` });
	for (const token of [old, fresh, lateToken]) {
		assert.equal((await me(token)).status, 200);
	}
	configOf('accounts', { issuers: issuerOf({ keys: [next.public] }) });
	await reload(daemon);
	assert.equal((await me(fresh)).status, 200);
	for (const token of [old, lateToken]) {
		assertProblem(await me(token), 401);
	}
	configure({ oldKey: null });
});

test('a HUP with a key that is none keeps what is in effect', limit, async () => {
	const token = await tokenOf('Rosa Reporter');
	const since = daemon.lines().length;
	configOf('accounts', { issuers: issuerOf({ keys: [`${wikiDir}/php.log`] }) });
	daemon.signal('SIGHUP');
	await daemon.heard(/reload refused/, since);
	assert.equal((await me(token)).status, 200);
});

test('without the wiki\'s key the profile alone decides', limit, async () => {
	configOf('accounts', { issuers: issuerOf({}) });
	await reload(daemon);
	const visitor = await visit('Rosa Reporter');
	const token = await visitor.token('full-client');
	const answer = await me(token);
	assert.equal(answer.status, 200, answer.text);
	assert.equal(answer.body.user, 'Rosa Reporter');
	assertProblem(await me(await tokenOf('Rosa Reporter', 'foreign-client')), 401);
	// Nothing of the claims is believed that the wiki did not sign.
	const [header, body, signature] = token.split('.');
	const claims = { ...JSON.parse(Buffer.from(body, 'base64url')), sub: '1' };
	assertProblem(await me(`${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`), 401);
	await visitor.revoke('full-client');
	passTime(POSITIVE_S + 1);
	assertProblem(await me(token), 401);
});
