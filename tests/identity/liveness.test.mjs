// Whether a token is still good, and whose it is, as the wiki says; and what happens when it does not.
import assert from 'node:assert/strict';
import test, { after, afterEach, before, beforeEach } from 'node:test';
import { assertProblem, call, reportBody, sql } from '../harness/api.mjs';
import { Daemon, get, ownFile, postgres, readMetrics, stack, until, writeConfig } from '../fault/parts.mjs';
import { CONTACT, REPORT, Wiki, makeKey, reply } from './wiki.mjs';

const limit = { timeout: 180000 };
const PROFILE = '/w/rest.php/oauth2/resource/profile';
let wiki;
let daemon;
let nth = 1000;

const newId = () => nth += 1;
const bearer = token => ({ authorization: `Bearer ${token}` });
const me = token => call(bearer(token), 'GET', '/v1/me');
/** On a connection of its own: a reload ends those that are kept. */
const meAnew = token => get('/v1/me', { headers: { Authorization: `Bearer ${token}` } });
const asked = () => wiki.asked(PROFILE).length;

function configure(options = {}, name = 'identity') {
	const keys = options.keys ?? [ownFile(`${stack}/wiki.pub`, wiki.key.pem, 0o644)];
	return writeConfig(name, text => `contact: ${CONTACT}\n`
		+ text.replace(/issuers:\n(.*\n)*(?=processes)/, wiki.issuer({ ...options, keys })), 'processes: {web: 1, drain: 20s}\n');
}

/** The wiki answers again and is asked again: whatever a test did to it is over. */
async function recovered() {
	wiki.profile = undefined;
	await until('the wiki is asked again', async () => (await meAnew(wiki.token({ id: newId(), name: 'Recovery' }))).status === 200, 40000);
}

before(async () => {
	await postgres.start();
	wiki = await new Wiki().start();
	daemon = new Daemon(configure()).start();
	await daemon.ready();
	await recovered();
});

beforeEach(() => { wiki.requests = []; });
afterEach(() => daemon?.check());

after(async () => {
	await daemon?.kill();
	await wiki?.stop();
	postgres.stop();
});

// Truth -------------------------------------------------------------------------------------------

test('an account is who the wiki says, and is asked about once for several requests', limit, async () => {
	const token = wiki.token({ id: newId(), name: 'Ada Lovelace' });
	for (let i = 0; i < 3; i++) {
		const answer = await me(token);
		assert.equal(answer.status, 200, answer.text);
		assert.equal(answer.body.user, 'Ada Lovelace');
	}
	assert.equal(asked(), 1);
	const [{ headers, method }] = wiki.asked(PROFILE);
	assert.equal(method, 'GET');
	assert.match(headers['user-agent'], /^conductd\/\S+ \(conduct-ops@example\.org\)$/);
	assert.equal(headers.authorization, `Bearer ${token}`);
	assert.equal(headers.cookie, undefined);
});

test('questions about one token travel together', limit, async () => {
	const token = wiki.token({ id: newId(), name: 'Many Windows' });
	const waiting = [];
	wiki.profile = (request, response) => waiting.push([request, response]);
	const answers = Array.from({ length: 20 }, () => me(token));
	await until('the wiki is asked', () => waiting.length > 0);
	wiki.profile = undefined;
	waiting.forEach(([request, response]) => wiki.truth(request, response));
	assert.deepEqual([...new Set((await Promise.all(answers)).map(one => one.status))], [200]);
	assert.equal(asked(), 1);
});

test('a revoked token is 401, and the refusal is remembered', limit, async () => {
	const token = wiki.token({ id: newId(), name: 'Gone', isKnown: false });
	assertProblem(await me(token), 401, 'conduct-unauthorized');
	assertProblem(await me(token), 401, 'conduct-unauthorized');
	assert.equal(asked(), 1);
});

test('what a key does not vouch for is refused without a word to the wiki', limit, async () => {
	const id = newId();
	const bad = [
		wiki.token({ id, name: 'A', key: makeKey() }),
		wiki.token({ id, name: 'A', claims: { exp: Date.now() / 1000 - 1 } }),
		wiki.token({ id, name: 'A', claims: { aud: 'another-client' } }),
		wiki.token({ id, name: 'A', claims: { iss: 'https://other.example' } }),
		wiki.token({ id, name: 'A', claims: { sxp: 1 } }),
		wiki.token({ id, name: 'A', claims: { sub: 'mw:local:testwiki:5' } }),
	];
	for (const token of bad) {
		assertProblem(await me(token), 401, 'conduct-unauthorized');
	}
	assert.equal(asked(), 0);
});

test('both forms of sub are one account', limit, async () => {
	const id = newId();
	const old = await me(wiki.token({ id, name: 'Forms' }));
	const young = await me(wiki.token({ id, name: 'Forms', claims: { sub: `mw:CentralAuth:${id}` } }));
	assert.equal(old.body.person, young.body.person);
});

test('a renamed account stays who it is, under its new name', limit, async () => {
	const id = newId();
	const one = await me(wiki.token({ id, name: 'Old Name' }));
	const two = await me(wiki.token({ id, name: 'New Name' }));
	assert.equal(two.body.person, one.body.person);
	assert.equal(two.body.user, 'New Name');
});

test('a hidden account has no name and is known by its id, until the wiki shows it again', limit, async () => {
	const id = newId();
	const one = await me(wiki.token({ id, name: 'Soon Hidden' }));
	assert.deepEqual([one.body.user, one.body.user_hidden], ['Soon Hidden', false]);
	const two = await me(wiki.token({ id }));
	assert.equal(two.status, 200, two.text);
	assert.equal(two.body.person, one.body.person);
	assert.deepEqual([two.body.user, two.body.user_hidden], [null, true]);
	assert.doesNotMatch(two.text, /Soon Hidden/);
	const three = await me(wiki.token({ id, name: 'Shown Again' }));
	assert.deepEqual([three.body.user, three.body.user_hidden], ['Shown Again', false]);
	const never = await me(wiki.token({ id: newId(), username: null }));
	assert.equal(never.status, 200, never.text);
	assert.deepEqual([never.body.user, never.body.user_hidden], [null, true]);
});

test('what the wiki is asked shows in the metrics', limit, async () => {
	const before_ = await readMetrics();
	const token = wiki.token({ id: newId(), name: 'Counted' });
	assert.equal((await me(token)).status, 200);
	assert.equal((await me(wiki.token({ id: newId(), name: 'Refused', isKnown: false }))).status, 401);
	const after_ = await readMetrics();
	const grown = name => after_.get(name) - before_.get(name);
	assert.equal(grown('conductd_wiki_requests_total{call="profile",outcome="answered"}'), 1);
	assert.equal(grown('conductd_wiki_requests_total{call="profile",outcome="refused"}'), 1);
	assert.equal(grown('conductd_wiki_request_seconds_count{call="profile"}'), 2);
	assert.equal(after_.get('conductd_wiki_requests_in_flight{call="profile"}'), 0);
});

for (const [what, more] of [['a blocked', { blocked: true, name: 'Blocked One' }], ['a temporary', { name: '~2026-1234-5' }]]) {
	test(`${what} account reports and is a party, but holds no office`, limit, async () => {
		const token = wiki.token({ id: newId(), ...more });
		const report = await call(bearer(token), 'POST', '/v1/reports', { body: reportBody() });
		assert.equal(report.status, 201, report.text);
		assert.equal((await call(bearer(token), 'GET', '/v1/me/participations')).status, 200);
		assertProblem(await call(bearer(token), 'GET', '/v1/cases'), 403, 'conduct-forbidden');
		assertProblem(await call(bearer(token), 'POST', '/v1/admin/grants', { body: {} }), 403, 'conduct-forbidden');
	});
}

test('a token of a report client reports and reads nothing', limit, async () => {
	const token = wiki.token({ id: newId(), name: 'Gadget User', client: REPORT });
	assert.equal((await call(bearer(token), 'POST', '/v1/reports', { body: reportBody() })).status, 201);
	assertProblem(await me(token), 403, 'conduct-wrong-scope');
	assertProblem(await call(bearer(token), 'GET', '/v1/cases'), 403, 'conduct-wrong-scope');
});

test('a profile of somebody else than the token names is refused', limit, async () => {
	const token = wiki.token({ id: newId(), name: 'Two Faces', sub: String(newId()) });
	assertProblem(await me(token), 401, 'conduct-unauthorized');
});

// Trouble -----------------------------------------------------------------------------------------

/** A wiki in trouble: 503 for accounts, nothing stored, but never for an emergency. */
async function isAway(token) {
	const [[before_]] = sql('select count(*) from conduct.report');
	const answer = await me(token);
	assertProblem(answer, 503, 'conduct-unavailable');
	assert.ok(Number(answer.headers['retry-after']) >= 1);
	const report = await call(bearer(token), 'POST', '/v1/reports', { body: reportBody() });
	assert.equal(report.status, 503, 'a report was taken as somebody unknown');
	assert.deepEqual(sql('select count(*) from conduct.report'), [[before_]]);
}

const emergency = token => call(bearer(token), 'POST', '/v1/reports',
	{ body: { lane: 'emergency', harm_type: 'physical_harm', lang: 'en', details: 'Someone is in danger.' } });

const nonsense = [
	['no body', response => reply(response, 200, '')],
	['a page', response => reply(response, 200, '<!DOCTYPE html><title>Wiki</title>', 'text/html')],
	['half a document', response => reply(response, 200, '{"sub": "12", "username": "A')],
	['a list', response => reply(response, 200, [1])],
	['null', response => reply(response, 200, 'null')],
	['no sub', response => reply(response, 200, { username: 'A' })],
	['sub zero', response => reply(response, 200, { sub: '0', username: 'A' })],
	['sub of twenty digits', response => reply(response, 200, { sub: '1'.repeat(20), username: 'A' })],
	['sub of another scope', response => reply(response, 200, { sub: 'mw:local:x:5', username: 'A' })],
	['a name that is a number', (response, sub) => reply(response, 200, { sub, username: 5 })],
	['a name with a line feed', (response, sub) => reply(response, 200, { sub, username: 'A\nB' })],
	['a name of 300 bytes', (response, sub) => reply(response, 200, { sub, username: 'A'.repeat(300) })],
	['blocked as text', (response, sub) => reply(response, 200, { sub, username: 'A', blocked: 'no' })],
	['sub twice', (response, sub) => reply(response, 200, `{"sub": "1", "sub": "${sub}", "username": "A"}`)],
	['depth', response => reply(response, 200, `${'['.repeat(50000)}`)],
	['bytes that are no text', response => reply(response, 200, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('latin1'))],
	['an error that calls itself success', (response, sub) => reply(response, 200, { error: 'x', sub, username: 'A' })],
	['500', response => reply(response, 500, { error: 'internal' })],
	['403 of a proxy', response => reply(response, 403, '<h1>Forbidden</h1>', 'text/html')],
	['404', response => reply(response, 404, { error: 'x' })],
	['204', response => { response.writeHead(204); response.end(); }],
	['a redirect', response => reply(response, 302, '', 'text/plain', { Location: `${wiki.iss}/elsewhere` })],
	['four megabytes', (response, sub) => reply(response, 200, { sub, username: 'A', rights: ['x'.repeat(4 << 20)] })],
	['an end in the middle', response => { response.writeHead(200, { 'Content-Length': 100 }); response.write('{"sub"'); setImmediate(() => response.destroy()); }],
	['no HTTP at all', response => { response.socket.end('hello\r\n\r\n'); }],
];

test('an answer that cannot be believed is 503, never somebody and never nobody', limit, async () => {
	for (const [what, answer] of nonsense) {
		await recovered();
		const id = newId();
		const token = wiki.token({ id, name: 'A' });
		const before_ = asked();
		wiki.profile = (request, response) => answer(response, String(id));
		const got = await me(token);
		assert.equal(got.status, 503, `${what}: ${got.text}`);
		assert.equal(asked(), before_ + 1, what);
	}
	assert.equal(wiki.asked('/elsewhere').length, 0, 'a redirect was followed');
	await recovered();
});

test('a wiki that is down is 503 with Retry-After, and an emergency is taken as unverified', limit, async () => {
	const known = wiki.token({ id: newId(), name: 'Known Before' });
	assert.equal((await me(known)).status, 200);
	const token = wiki.token({ id: newId(), name: 'During' });
	const { port } = wiki;
	await wiki.stop();
	try {
		await isAway(token);
		const answer = await emergency(token);
		assert.equal(answer.status, 201, answer.text);
		assert.deepEqual(sql(`select is_unverified from conduct.report where report_id = '${answer.body.report}'`), [['t']]);
		assert.equal((await me(known)).status, 200, 'what was asked before is forgotten');
	} finally {
		await wiki.start(port);
	}
	await recovered();
});

test('a wiki that never answers keeps nobody for long, least of all an emergency', limit, async () => {
	wiki.profile = () => {};
	const token = wiki.token({ id: newId(), name: 'Patient' });
	const started = Date.now();
	let isOver = false;
	const other = me(wiki.token({ id: newId(), name: 'Patient' })).finally(() => { isOver = true; });
	assert.equal((await emergency(token)).status, 201);
	assert.ok(!isOver, 'an emergency waited as long as anybody');
	assertProblem(await other, 503, 'conduct-unavailable');
	// Sooner than a web process gives up waiting for the worker.
	assert.ok(Date.now() - started < 11000, `${Date.now() - started} ms`);
	await recovered();
});

test('a wiki that sends a byte now and then is as slow as one that sends none', limit, async () => {
	let timer;
	wiki.profile = (request, response) => {
		response.writeHead(200, { 'Content-Type': 'text/html' });
		timer = setInterval(() => response.write(' '), 200);
		response.on('close', () => clearInterval(timer));
	};
	const started = Date.now();
	assertProblem(await me(wiki.token({ id: newId(), name: 'Drip' })), 503, 'conduct-unavailable');
	assert.ok(Date.now() - started < 11000, `${Date.now() - started} ms`);
	clearInterval(timer);
	await recovered();
});

test('a wiki that has enough is left alone, and its Retry-After is passed on', limit, async () => {
	wiki.profile = (request, response) => reply(response, 429, { error: 'ratelimited' }, 'application/json', { 'Retry-After': '2' });
	const first = await me(wiki.token({ id: newId(), name: 'Hurry' }));
	assertProblem(first, 503, 'conduct-unavailable');
	assert.equal(first.headers['retry-after'], '2');
	const before_ = asked();
	for (let i = 0; i < 5; i++) {
		assert.equal((await me(wiki.token({ id: newId(), name: 'Hurry' }))).status, 503);
	}
	assert.equal(asked(), before_, 'it was asked all the same');
	await recovered();
});

test('while the worker is away accounts are 503, and back with it', limit, async () => {
	process.kill(daemon.children().get('worker'), 'SIGKILL');
	const answer = await until('the channel is gone', async () => {
		const one = await me(wiki.token({ id: newId(), name: 'Orphan' }));
		return one.status === 503 && one;
	});
	assertProblem(answer, 503, 'conduct-unavailable');
	await recovered();
});

// Keys --------------------------------------------------------------------------------------------

test('while a key is replaced both hold, and a reload forgets no session and no answer', limit, async () => {
	const old = wiki.key;
	const files = [ownFile(`${stack}/wiki.pub`, old.pem, 0o644)];
	const young = makeKey();
	const before_ = wiki.token({ id: newId(), name: 'Before' });
	assert.equal((await meAnew(before_)).status, 200);
	const next = () => wiki.token({ id: newId(), name: 'Next', key: young });
	assert.equal((await meAnew(next())).status, 401);

	files.push(ownFile(`${stack}/wiki-2.pub`, young.pem, 0o644));
	configure({ keys: files });
	daemon.signal('SIGHUP');
	await until('the new key holds', async () => (await meAnew(next())).status === 200);
	assert.equal((await meAnew(wiki.token({ id: newId(), name: 'Old Key' }))).status, 200);
	const count = asked();
	assert.equal((await meAnew(before_)).status, 200);
	assert.equal(asked(), count, 'the answer was forgotten by the reload');

	configure({ keys: [files[1]] });
	daemon.signal('SIGHUP');
	await until('the old key is gone', async () => (await meAnew(before_)).status === 401);
	wiki.key = young;
	assert.equal((await meAnew(next())).status, 200);
});

test('a question to the wiki is answered over reloads', limit, async () => {
	await recovered();
	const nReloaded = () => daemon.lines().filter(line => line.message === 'reloaded' && line['conductd.process'] === 'worker').length;
	const waiting = [];
	wiki.profile = (request, response) => waiting.push(() => wiki.truth(request, response));
	// Again where the reloads took longer than the wiki may.
	await until('a question outlasts two reloads', async () => {
		const answer = meAnew(wiki.token({ id: newId(), name: 'Long Asked' }));
		await until('the wiki is asked', () => waiting.length > 0);
		for (let i = 0; i < 2; i++) {
			const n = nReloaded();
			daemon.signal('SIGHUP');
			await until('the worker has reloaded', () => nReloaded() > n);
		}
		waiting.splice(0).forEach(tell => tell());
		return (await answer).status === 200;
	}, 30000);
	await recovered();
});

test('verify: profile-only believes the wiki alone, and takes the account from it', limit, async () => {
	configure({ keys: [], verify: 'profile-only' });
	daemon.signal('SIGHUP');
	const id = newId();
	// Nobody here knows this key; the wiki does.
	const made = () => wiki.token({ id: newId(), name: 'Profile Only', key: makeKey(), sub: String(id) });
	const one = await until('the mode is in use', async () => {
		const answer = await meAnew(made());
		return answer.status === 200 && answer;
	});
	assert.equal((await meAnew(made())).body.person, one.body.person, 'the identity is not the profile\'s');
	assert.equal((await meAnew(wiki.token({ id, name: 'Profile Only', isKnown: false }))).status, 401);
	// The claims are looked at all the same.
	assert.equal((await meAnew(wiki.token({ id, name: 'A', claims: { aud: 'another-client' } }))).status, 401);
	assert.equal((await meAnew(wiki.token({ id, name: 'A', claims: { exp: 1 } }))).status, 401);
	// Another token with the jti of a good one is another question.
	const jti = 'j'.repeat(40);
	assert.equal((await meAnew(wiki.token({ id, name: 'A', claims: { jti } }))).status, 200);
	assert.equal((await meAnew(wiki.token({ id, name: 'A', claims: { jti, iat: Date.now() / 1000 - 5 }, isKnown: false }))).status, 401);
});

test('it ends in order', limit, () => daemon.stop());
