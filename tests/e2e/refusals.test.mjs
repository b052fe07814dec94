// What is refused, with which answer, and in which order where a request is wrong in several ways.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertProblem, call, expectCall, people, query, reportBody, rowsOf } from '../harness/api.mjs';
import { acceptance, intake, matter, reported, turnDown, unknownId } from '../harness/cases.mjs';

const i18n = lang => JSON.parse(readFileSync(new URL(`../../api/i18n/${lang}.json`, import.meta.url), 'utf8'));
const key = () => randomUUID();
const report = (options = {}) => call('reporter', 'POST', '/v1/reports', { body: reportBody(), ...options });
const raw = (who, path, text, headers = {}) =>
	call(who, 'POST', path, { raw: Buffer.from(text), headers: { 'Content-Type': 'application/json', ...headers } });
const actPath = (id, action) => `/v1/cases/${id}/actions/${action}`;

// Order -------------------------------------------------------------------------------------------

const large = ' '.repeat(256 * 1024 + 1);
const { c: triage } = await intake.triage();

/** Pairs of neighbours in the order of refusal: a request that deserves both gets the first. */
const order = [
	['404 for the path before 405', 404, 'conduct-not-found', () => call(null, 'PUT', '/v1/nothing')],
	['404 for the path before an unknown parameter', 404, 'conduct-not-found', () => call(null, 'GET', '/v1/nothing?x=1')],
	['405 before an unknown parameter (400)', 405, 'conduct-method-not-allowed', () => call(null, 'DELETE', '/v1/policy?x=1', { key: null })],
	['405 before 415', 405, 'conduct-method-not-allowed', () => raw(null, '/v1/policy', 'x', { 'Content-Type': 'text/plain' })],
	['400 (no key) before 413', 400, 'conduct-idempotency-key-missing',
		() => call('functionary', 'POST', actPath(triage.id, 'claim'), { key: null, raw: Buffer.from(large), headers: { 'Content-Type': 'application/json' } })],
	['400 (parameter) before 413', 400, 'conduct-unknown-parameter', () => raw('functionary', `${actPath(triage.id, 'claim')}?x=1`, large)],
	['413 before 415', 413, 'conduct-body-too-large', () => raw('functionary', actPath(triage.id, 'claim'), large, { 'Content-Type': 'text/plain' })],
	['413 before 401', 413, 'conduct-body-too-large', () => raw(null, actPath(triage.id, 'claim'), large)],
	['415 before 401', 415, 'conduct-content-type', () => raw(null, actPath(triage.id, 'claim'), '{}', { 'Content-Type': 'text/plain' })],
	['400 (JSON) before 401', 400, 'conduct-malformed-json', () => raw(null, actPath(triage.id, 'claim'), '{')],
	['401 before 428', 401, 'conduct-unauthorized', () => call(null, 'POST', actPath(triage.id, 'claim'), { body: {} })],
	['401 before 422', 401, 'conduct-unauthorized', () => call(null, 'POST', actPath(triage.id, 'acknowledge'), { body: { x: 1 } })],
	['401 before 404', 401, 'conduct-unauthorized', () => call(null, 'GET', `/v1/cases/${unknownId()}`)],
	['400 (JSON) before 401 on reports: the lane is read first', 400, 'conduct-malformed-json',
		() => raw({ authorization: 'Bearer x.y.z' }, '/v1/reports', '{"lane": "emergency"')],
	['400 (no key) before 401 on reports', 400, 'conduct-idempotency-key-missing',
		() => call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: reportBody(), key: null })],
	['401 before 422 on reports', 401, 'conduct-unauthorized',
		() => call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: { nonsense: true } })],
	['428 before 422 (shape)', 428, 'conduct-precondition-required', () => call('functionary', 'POST', actPath(triage.id, 'accept'), { body: { x: 1 } })],
	['428 before 404', 428, 'conduct-precondition-required', () => call('functionary', 'POST', actPath(unknownId(), 'claim'), { body: {} })],
	['422 (shape) before 404', 422, 'conduct-invalid-body', () => call('functionary', 'POST', actPath(unknownId(), 'claim'), { body: { x: 1 }, revision: 1 })],
	['422 (shape) before 403', 422, 'conduct-invalid-body', () => triage.tryAct('functionary', 'hand_back', { outcome: 'acted' })],
	['422 (shape) before 412', 422, 'conduct-invalid-body', () => triage.tryAct('functionary', 'accept', { x: 1 }, { revision: 99 })],
	['404 before 403', 404, 'conduct-not-found', () => triage.tryAct('outsider', 'hand_back', { outcome: 'referred', to_state: 'triage', reason: 'r' })],
	['404 before 412', 404, 'conduct-not-found', () => triage.tryAct('outsider', 'claim', {}, { revision: 99 })],
	['404 before 409', 404, 'conduct-not-found', () => triage.tryAct('outsider', 'propose',
		{ items: [{ kind: 'principle', text: 't' }], dispositions: [{ respondent: unknownId(), disposition: 'no_violation' }], reasons: 'r' })],
	['403 before 412', 403, 'conduct-forbidden', () => triage.tryAct('functionary', 'hand_back',
		{ outcome: 'referred', to_state: 'triage', reason: 'r' }, { revision: 99 })],
	['403 before 422 (of the case)', 403, 'conduct-forbidden', () => triage.tryAct('functionary', 'hand_back',
		{ outcome: 'referred', to_state: 'triage', reason: 'r', proceedings: [unknownId()] })],
	['412 before 422 (of the case)', 412, 'conduct-precondition-failed', () => triage.tryAct('functionary', 'claim', { proceedings: [unknownId()] }, { revision: 99 })],
	['412 before 409', 412, 'conduct-precondition-failed', () => triage.tryAct('functionary', 'claim', {}, { revision: 99 })],
	['422 (of the case) before 409', 422, 'conduct-invalid-body', () => triage.tryAct('functionary', 'claim', { proceedings: [unknownId()] })],
	['409 at last', 409, 'conduct-transition-illegal', () => triage.tryAct('functionary', 'claim', {})],
];
for (const [title, status, errorKey, request] of order) {
	test(`order: ${title}`, async () => {
		const before = await rowsOf(triage.id);
		assertProblem(await request(), status, errorKey);
		assert.equal(await rowsOf(triage.id), before);
	});
}

test('order: 422 (shape) before the replay of a key', async () => {
	const { c } = await intake.received();
	const own = key();
	await c.act('functionary', 'claim', {}, { key: own, revision: 1 });
	assertProblem(await c.tryAct('functionary', 'claim', { x: 1 }, { key: own, revision: 1 }), 422, 'conduct-invalid-body');
});

test('order: 428 before the replay of a key', async () => {
	const { c } = await intake.received();
	const own = key();
	await c.act('functionary', 'claim', {}, { key: own, revision: 1 });
	assertProblem(await c.tryAct('functionary', 'claim', {}, { key: own, revision: null }), 428, 'conduct-precondition-required');
});

test('order: the replay of a key before 404: a recusal is answered again', async () => {
	const { c } = await intake.triage();
	const own = key();
	await c.act('functionary5', 'recuse', { kind: 'full' }, { key: own, status: 204 });
	await c.show('functionary5', 404);
	await c.act('functionary5', 'recuse', { kind: 'full' }, { key: own, status: 204 });
	assertProblem(await c.tryAct('functionary5', 'recuse', { kind: 'vote_only' }, { key: own }), 422, 'conduct-idempotency-key-reused');
	assertProblem(await c.tryAct('functionary5', 'recuse', { kind: 'full' }), 404, 'conduct-not-found');
});

test('order: the replay of a key before 412', async () => {
	const { c } = await intake.received();
	const own = key();
	const first = await c.tryAct('functionary', 'claim', {}, { key: own, revision: 1 });
	assert.equal(first.status, 200);
	const again = await c.tryAct('functionary', 'claim', {}, { key: own, revision: 1 });
	assert.equal(again.status, 200);
	assert.equal(again.headers.etag, '"2"');
	assert.equal(await c.revision(), 2, 'done once');
});

// Idempotency -------------------------------------------------------------------------------------

const countReports = async () => Number((await query('select count(*) from conduct.report'))[0][0]);

test('a report without a key is refused, and one with a malformed key', async () => {
	const before = await countReports();
	assertProblem(await report({ key: null }), 400, 'conduct-idempotency-key-missing');
	for (const bad of ['', 'short', 'x'.repeat(21), 'x'.repeat(129), '"'.padEnd(30, 'x'), `${'x'.repeat(29)}"`,
		`${'x'.repeat(29)}=`, `${'x'.repeat(15)} ${'x'.repeat(15)}`, '""', `"${'x'.repeat(21)}"`])
	{
		assertProblem(await report({ key: null, headers: { 'Idempotency-Key': bad } }), 400,
			bad === '' ? undefined : 'conduct-idempotency-key-malformed');
	}
	assert.equal(await countReports(), before);
});

test('a key may be quoted, a UUID, or 22 characters of base64url', async () => {
	for (const good of [key(), `"${key()}"`, randomBytes(16).toString('base64url'), randomBytes(16).toString('hex'), randomBytes(96).toString('base64url')]) {
		assert.equal((await report({ key: null, headers: { 'Idempotency-Key': good } })).status, 201);
	}
});

test('the same key and body get the same answer, receipt included', async () => {
	const before = await countReports();
	const body = reportBody();
	const own = key();
	const first = await report({ body, key: own });
	assert.equal(first.status, 201);
	assert.equal(first.headers.location, '/v1/receipt');
	for (const headers of [{ 'Idempotency-Key': own }, { 'Idempotency-Key': `"${own}"` }]) {
		const again = await report({ body, key: null, headers });
		assert.equal(again.status, 201);
		assert.deepEqual(again.body, first.body);
	}
	// Padding is no content.
	const padded = await raw('reporter', '/v1/reports', JSON.stringify(body).padEnd(4096, ' '), { 'Idempotency-Key': own });
	assert.deepEqual(padded.body, first.body);
	assert.equal(await countReports(), before + 1);
	await expectCall(200, { receipt: first.body.receipt }, 'GET', '/v1/receipt');
});

test('the same key with another body is refused', async () => {
	const own = key();
	const first = await report({ key: own });
	assert.equal(first.status, 201);
	const before = await countReports();
	assertProblem(await report({ key: own }), 422, 'conduct-idempotency-key-reused');
	assert.equal(await countReports(), before);
});

test('a refused request does not spend its key', async () => {
	const own = key();
	assertProblem(await report({ body: reportBody({ wiki: 'nosuchwiki' }), key: own }), 422);
	assert.equal((await report({ key: own })).status, 201);
	const { c } = await intake.received();
	assertProblem(await c.tryAct('functionary', 'accept', await acceptance(c), { key: own }), 409);
	await c.act('functionary', 'claim', {}, { key: own });
});

test('a key belongs to its subject, its route and its case', async () => {
	const own = key();
	const body = reportBody();
	const one = await call('reporter', 'POST', '/v1/reports', { body, key: own });
	const other = await call('reporter2', 'POST', '/v1/reports', { body, key: own });
	const nobody = await call(null, 'POST', '/v1/reports', { body, key: own });
	assert.equal(new Set([one, other, nobody].map(answer => answer.body.report)).size, 3);
	const first = (await intake.received()).c;
	const second = (await intake.received()).c;
	await first.act('functionary', 'claim', {}, { key: own });
	await second.act('functionary', 'claim', {}, { key: own });
	await first.act('functionary', 'acknowledge', {}, { key: own });
	assert.equal(await second.stateOf(await second.proceeding('intake')), 'triage');
});

test('many requests at once with one key make one case', async () => {
	const before = await countReports();
	const body = reportBody();
	const own = key();
	const answers = await Promise.all(Array.from({ length: 24 }, () => report({ body, key: own })));
	const made = answers.filter(answer => answer.status === 201);
	assert.ok(made.length >= 1);
	assert.equal(new Set(made.map(answer => answer.body.receipt)).size, 1);
	for (const answer of answers.filter(other => other.status !== 201)) {
		assertProblem(answer, 409, 'conduct-idempotency-running');
	}
	assert.equal(await countReports(), before + 1);
});

test('many acts at once with one key move a case once', async () => {
	const { c } = await intake.received();
	const own = key();
	const answers = await Promise.all(Array.from({ length: 12 }, () => c.tryAct('functionary', 'claim', {}, { key: own, revision: 1 })));
	assert.ok(answers.some(answer => answer.status === 200));
	for (const answer of answers.filter(other => other.status !== 200)) {
		assert.ok([409, 503].includes(answer.status), answer.text);
	}
	assert.equal(await c.revision(), 2);
	const [[claims]] = await query(`select count(*) from conduct.event where case_id = '${c.id}' and action = 'claim'`);
	assert.equal(claims, '1');
});

test('many people at once with the same revision: one of them acts', async () => {
	const { c } = await intake.received();
	const answers = await Promise.all(['functionary', 'functionary2', 'functionary3', 'functionary4'].map(who =>
		c.tryAct(who, 'claim', {}, { revision: 1 })));
	assert.equal(answers.filter(answer => answer.status === 200).length, 1);
	for (const answer of answers.filter(other => other.status !== 200)) {
		assert.ok([412, 503].includes(answer.status), answer.text);
	}
	assert.equal(await c.revision(), 2);
});

test('acts, messages and parties\' acts are replayed too', async () => {
	const { c } = await intake.triage();
	const keys = [key(), key(), key()];
	const say = () => call({ receipt: c.receipt }, 'POST', '/v1/receipt/messages', { body: { text: 'One more thing.' }, key: keys[0] });
	const first = await say();
	assert.equal(first.status, 201, first.text);
	assert.deepEqual((await say()).body, first.body);
	const tell = () => call('functionary', 'POST', `/v1/cases/${c.id}/messages?channel=reporter`, { body: { text: 'Thank you.' }, key: keys[1] });
	const told = await tell();
	assert.equal(told.status, 201, told.text);
	assert.deepEqual((await tell()).body, told.body);
	const [[messages]] = await query(`select count(*) from conduct.message where case_id = '${c.id}'`);
	assert.equal(messages, '2');
	await c.party_act('reporter', 'withdraw', {}, { key: keys[2] });
	const revision = await c.revision();
	await c.party_act('reporter', 'withdraw', {}, { key: keys[2] });
	assert.equal(await c.revision(), revision);
});

test('the first of two people repeats the request and gets the same pending act', async () => {
	const { c } = await intake.triage();
	await c.act('functionary', 'set_severity', { severity: 'S3', reason: 'Grave.' });
	const own = key();
	const first = await c.act('functionary', 'decline', turnDown(), { key: own, status: 202 });
	const again = await c.act('functionary', 'decline', turnDown(), { key: own, status: 202 });
	assert.deepEqual(again, first);
	const [[pending]] = await query(`select count(*) from conduct.pending_act where case_id = '${c.id}'`);
	assert.equal(pending, '1');
});

// Preconditions -----------------------------------------------------------------------------------

test('a case has its revision as ETag, and a moving act needs it', async () => {
	const { c } = await intake.received();
	const shown = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}`);
	assert.equal(shown.headers.etag, '"1"');
	assert.equal(shown.headers['cache-control'], 'no-store');
	const send = tag => call('functionary', 'POST', actPath(c.id, 'claim'), { body: {}, headers: tag === undefined ? {} : { 'If-Match': tag } });
	const before = await rowsOf(c.id);
	assertProblem(await send(undefined), 428, 'conduct-precondition-required');
	assertProblem(await send('*'), 428, 'conduct-precondition-required');
	for (const tag of ['"0"', '"2"', '"-1"', '"01"', '"1', '1', 'W/"1"', '"1", "2"', '"99999999999999999999"', '"x"', '""', '"1" ']) {
		if (tag !== '"1" ') {
			assertProblem(await send(tag), 412, 'conduct-precondition-failed');
		}
	}
	assert.equal(await rowsOf(c.id), before);
	const done = await send('"1"');
	assert.equal(done.status, 200);
	assert.equal(done.headers.etag, '"2"');
});

test('an act that moves nothing needs no If-Match, but a stale one holds it up', async () => {
	const { c } = await intake.triage();
	assertProblem(await c.tryAct('functionary', 'acknowledge', {}, { revision: 1 }), 412, 'conduct-precondition-failed');
	const done = await c.tryAct('functionary', 'acknowledge', {}, { revision: null });
	assert.equal(done.status, 200);
	assert.equal(done.headers.etag, '"2"');
});

test('a party\'s answers carry no ETag', async () => {
	const { c } = await intake.triage();
	const shown = await expectCall(200, { receipt: c.receipt }, 'GET', '/v1/receipt');
	assert.equal(shown.headers.etag, undefined);
	assert.ok(!('revision' in shown.body));
	assert.equal(shown.headers['cache-control'], 'no-store');
});

// Bodies and parameters ---------------------------------------------------------------------------

const pointers = answer => assertProblem(answer, 422, 'conduct-invalid-body').errors.map(error => error.pointer).sort();

test('members that nobody may set are refused, each by name', async () => {
	const before = await countReports();
	assert.deepEqual(pointers(await report({ body: { ...reportBody(), state: 'accepted', reporter_id: 7, severity: 'S4', is_admin: true, __proto__x: 1, 'a/b~c': 1 } })),
		['/__proto__x', '/a~1b~0c', '/is_admin', '/reporter_id', '/severity', '/state']);
	assert.deepEqual(pointers(await report({ body: reportBody({ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', state: 'x' }] }) })), ['/incidents/0/state']);
	assert.deepEqual(pointers(await report({ body: reportBody({ respondents: [{ user: 'A', id: 1 }] }) })), ['/respondents/0/id']);
	assert.equal(await countReports(), before);
	assert.deepEqual(pointers(await triage.tryAct('functionary', 'claim', { state: 'accepted' })), ['/state']);
	assert.deepEqual(pointers(await triage.tryAct('functionary', 'assign', { person: unknownId(), role: 'admin' })), ['/role']);
});

const wrongReports = {
	'no details': [{ details: undefined }, '/details'],
	'blank details': [{ details: ' \u200b\n' }, '/details'],
	'details that are no text': [{ details: { a: 1 } }, '/details'],
	'no category': [{ category: undefined }, '/category'],
	'an unknown category': [{ category: 'no-such-category' }, '/category'],
	'no wiki': [{ wiki: undefined }, '/wiki'],
	'an unknown wiki': [{ wiki: 'zzwiki' }, '/wiki'],
	'a wiki that is none': [{ wiki: 'en.wikipedia.org' }, '/wiki'],
	'wiki null for what happened on a wiki': [{ wiki: null }, '/wiki'],
	'an unknown wiki of an incident': [{ incidents: [{ venue: 'on_wiki', wiki: 'zzwiki' }] }, '/incidents/0/wiki'],
	'an unknown venue': [{ incidents: [{ venue: 'moon' }] }, '/incidents/0/venue'],
	'an end before its beginning': [{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', from: '2026-11-02T00:00:00Z', to: '2026-11-01T00:00:00Z' }] }, '/incidents/0/to'],
	'a time that is none': [{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', from: 'yesterday' }] }, '/incidents/0/from'],
	'a revision that is no number': [{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', revision: '12' }] }, '/incidents/0/revision'],
	'a respondent with two names': [{ respondents: [{ user: 'A', unknown: 'B' }] }, '/respondents/0'],
	'a respondent without any': [{ respondents: [{}] }, '/respondents/0'],
	'an unknown body as respondent': [{ respondents: [{ body: 'no-such-body' }] }, '/respondents/0/body'],
	'respondents that are no list': [{ respondents: { user: 'A' } }, '/respondents'],
	'an identity that is none': [{ identity: 'hidden' }, '/identity'],
	'a privacy level that is none': [{ privacy: 'secret' }, '/privacy'],
	'a lane that is none': [{ lane: 'fast' }, '/lane'],
	'a harm type that is none': [{ harm_type: 'sadness' }, '/harm_type'],
	'a language that is none': [{ lang: 'English please' }, '/lang'],
	'an exclusion without reason': [{ exclude_handlers: [{ user: 'A' }] }, '/exclude_handlers/0/reason'],
	'more respondents than anybody names': [{ respondents: Array.from({ length: 21 }, (_, i) => ({ user: `U${i}` })) }, '/respondents'],
};
for (const [title, [changes, pointer]] of Object.entries(wrongReports)) {
	test(`a report with ${title} is refused (422)`, async () => {
		const before = await countReports();
		assert.deepEqual(pointers(await report({ body: reportBody(changes) })), [pointer]);
		assert.equal(await countReports(), before);
	});
}

test('everything wrong in a report is told at once', async () => {
	assert.deepEqual(pointers(await report({ body: reportBody({ identity: 'x', privacy: 'y', publish_after: 'z' }) })), ['/identity', '/privacy', '/publish_after']);
});

test('wiki may be null for what happened off wiki or at an event', async () => {
	for (const venue of ['off_wiki', 'event']) {
		const answer = await report({ body: reportBody({ wiki: null, incidents: [{ venue }] }) });
		assert.equal(answer.status, 201, answer.text);
	}
});

test('unknown, repeated and malformed parameters are refused (400)', async () => {
	for (const [who, path] of [[null, '/v1/policy?wiki=enwiki&x=1'], [null, '/v1/policy?wiki=enwiki&wiki=enwiki'], ['functionary', '/v1/cases?order=asc'],
		['functionary', '/v1/cases?limit=5&limit=6'], ['functionary', `/v1/cases/${triage.id}?full=1`], ['functionary', '/v1/me?x'],
		['admin', '/v1/admin/grants?person=1'], [{ receipt: triage.receipt }, '/v1/receipt?case=1'], [null, '/v1/openapi.json?x=1']])
	{
		assertProblem(await call(who, 'GET', path), 400, 'conduct-unknown-parameter');
	}
	for (const filter of ['lane=fast', 'assigned=you', 'due_before=tomorrow', 'wiki=EN', 'state=Bad%20State', 'body=%00x'.replace('%00', '%7f')]) {
		assertProblem(await call('functionary', 'GET', `/v1/cases?${filter}`), 400);
	}
});

const lists = {
	'/v1/cases': 'functionary',
	[`/v1/cases/${triage.id}/events`]: 'functionary',
	[`/v1/cases/${triage.id}/messages?channel=internal`]: 'functionary',
	'/v1/admin/grants': 'admin',
	'/v1/receipt/messages': { receipt: triage.receipt },
};
const and = (path, more) => `${path}${path.includes('?') ? '&' : '?'}${more}`;
for (const [path, who] of Object.entries(lists)) {
	test(`limits of ${path.replace(triage.id, '{id}')} go from 1 to 100`, async () => {
		for (const limit of ['0', '101', '-1', '+1', 'x', '', '01', '1e1', '1.0', '99999999999']) {
			assertProblem(await call(who, 'GET', and(path, `limit=${encodeURIComponent(limit)}`)), 400, 'conduct-bad-limit');
		}
		for (const limit of ['1', '100']) {
			await expectCall(200, who, 'GET', and(path, `limit=${limit}`));
		}
	});
	test(`forged cursors of ${path.replace(triage.id, '{id}')} are refused`, async () => {
		const forged = ['x', '', 'AAAA', 'a'.repeat(1000), '..', '%2e', Buffer.from('{"offset":1}').toString('base64url'),
			Buffer.alloc(40, 1).toString('base64url'), Buffer.from('[1,"2026-01-01T00:00:00Z"]').toString('base64url')];
		for (const cursor of forged) {
			assertProblem(await call(who, 'GET', and(path, `cursor=${cursor}`)), 400, 'conduct-bad-cursor');
		}
	});
}

test('a list is read page by page, each row once, and its cursor holds for it alone', async () => {
	const { c } = await intake.triage();
	const texts = ['one', 'two', 'three', 'four', 'five'];
	for (const text of texts) {
		await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=internal`, { body: { text } });
	}
	const path = `/v1/cases/${c.id}/messages?channel=internal&limit=2`;
	const read = [];
	let cursor;
	let pages = 0;
	let first;
	do {
		const answer = await expectCall(200, 'functionary', 'GET', cursor ? `${path}&cursor=${cursor}` : path);
		read.push(...answer.body.items.map(item => item.text));
		cursor = answer.body.next;
		first ??= cursor;
		pages++;
		if (cursor) {
			assert.match(answer.headers.link, /^<\?.*cursor=[A-Za-z0-9_-]+>; rel="next"$/);
			const linked = await expectCall(200, 'functionary', 'GET',
				`/v1/cases/${c.id}/messages${/<([^>]*)>/.exec(answer.headers.link)[1]}`);
			assert.deepEqual(linked.body.items.length > 0, true);
		} else {
			assert.equal(answer.headers.link, undefined);
		}
	} while (cursor);
	assert.deepEqual(read, texts);
	assert.equal(pages, 3);
	const changed = first.slice(0, -1) + (first.endsWith('A') ? 'B' : 'A');
	for (const [other, who, mark] of [[`/v1/cases/${c.id}/messages?channel=reporter`, 'functionary', first],
		[`/v1/cases/${triage.id}/messages?channel=internal`, 'functionary', first], ['/v1/cases', 'functionary', first],
		[`/v1/cases/${c.id}/events`, 'functionary', first], [`/v1/cases/${c.id}/messages?channel=internal`, 'functionary', `${first}A`],
		[`/v1/cases/${c.id}/messages?channel=internal`, 'functionary', first.slice(0, -4)]])
	{
		assertProblem(await call(who, 'GET', and(other, `cursor=${mark}`)), 400, 'conduct-bad-cursor');
	}
	// A cursor only says where to go on; another place is no secret, but must be well-formed.
	const other = await call('functionary', 'GET', `${path}&cursor=${changed}`);
	assert.ok([200, 400].includes(other.status), other.text);
});

test('the queue is read page by page', async () => {
	for (let i = 0; i < 3; i++) {
		await intake.received();
	}
	const seen = new Set();
	let cursor;
	let pages = 0;
	do {
		const { body } = await expectCall(200, 'functionary', 'GET', `/v1/cases?state=received&wiki=enwiki&limit=2${cursor ? `&cursor=${cursor}` : ''}`);
		for (const item of body.items) {
			assert.ok(!seen.has(item.id), 'no case twice');
			assert.equal(item.state, 'received');
			seen.add(item.id);
		}
		cursor = body.next;
		pages++;
	} while (cursor && pages < 200);
	assert.ok(seen.size >= 3);
	if (pages > 1) {
		const { body } = await expectCall(200, 'functionary', 'GET', '/v1/cases?state=received&wiki=enwiki&limit=2');
		assertProblem(await call('functionary', 'GET', `/v1/cases?state=triage&wiki=enwiki&limit=2&cursor=${body.next}`), 400, 'conduct-bad-cursor');
	}
});

// Text --------------------------------------------------------------------------------------------

test('details hold 10,000 code points, whatever their bytes, and not one more', async () => {
	const full = '😀'.repeat(10000);
	const answer = await report({ body: reportBody({ details: full }) });
	assert.equal(answer.status, 201, answer.text.slice(0, 300));
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${answer.body.report}'`);
	const { body } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}`);
	assert.equal(body.reports[0].details, full);
	assert.deepEqual(pointers(await report({ body: reportBody({ details: `${full}x` }) })), ['/details']);
});

test('an emergency holds 4,000 code points, and not one more', async () => {
	const emergency = details => ({ lane: 'emergency', harm_type: 'physical_harm', details });
	assert.equal((await report({ body: emergency('ü'.repeat(4000)) })).status, 201);
	assert.deepEqual(pointers(await report({ body: emergency('ü'.repeat(4001)) })), ['/details']);
});

test('text is stored in normal form C', async () => {
	const c = await reported({ details: 'Ame\u0301lie, \u1100\u1161, A\u030A' });
	assert.equal((await c.show('functionary')).reports[0].details, 'Amélie, 가, Å');
});

test('a body may have 64 KiB, and not one byte more', async () => {
	const text = JSON.stringify(reportBody());
	const full = await raw('reporter', '/v1/reports', text.padEnd(65536, ' '));
	assert.equal(full.status, 201, full.text.slice(0, 300));
	assertProblem(await raw('reporter', '/v1/reports', text.padEnd(65537, ' ')), 413, 'conduct-body-too-large');
});

test('NUL, lone surrogates, repeated members and what is no JSON are refused (400)', async () => {
	const before = await countReports();
	const withDetails = literal => JSON.stringify(reportBody()).replace(/"details":"[^"]*"/, `"details":${literal}`);
	for (const text of [withDetails('"a\\u0000b"'), withDetails('"\\ud800"'), withDetails('"\\udc00 x"'), withDetails('"\\ud800\\ud800"'),
		withDetails('"x","details":"y"'), withDetails('"x"').replace('{', '\ufeff{'), `${withDetails('"x"')}{}`, withDetails('"\t"').replace('\\t', '\t'),
		'[1', 'null', '"x"', '', withDetails("'x'"), withDetails('"x",')])
	{
		assertProblem(await raw('reporter', '/v1/reports', text), 400);
	}
	const invalid = Buffer.concat([Buffer.from(JSON.stringify(reportBody()).replace(/"details":"[^"]*"/, '"details":"A')), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]);
	assertProblem(await call('reporter', 'POST', '/v1/reports', { raw: invalid, headers: { 'Content-Type': 'application/json' } }), 400, 'conduct-malformed-json');
	assert.equal(await countReports(), before);
});

test('surrogate pairs and escapes are text like any other', async () => {
	const answer = await raw('reporter', '/v1/reports', JSON.stringify(reportBody()).replace(/"details":"[^"]*"/, '"details":"\\ud83d\\ude00 \\u00fc \\" \\\\ \'; drop table x; --"'));
	assert.equal(answer.status, 201);
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${answer.body.report}'`);
	assert.equal((await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}`)).body.reports[0].details, '😀 ü " \\ \'; drop table x; --');
});

// Answers -----------------------------------------------------------------------------------------

test('a case that is absent and one that is hidden are the same 404, byte for byte', async () => {
	const sameFor = async (who, paths, send = path => call(who, 'GET', path)) => {
		const answers = await Promise.all(paths.map(path => send(path)));
		for (const answer of answers) {
			assertProblem(answer, 404, 'conduct-not-found');
			assert.equal(answer.text, answers[0].text);
			assert.deepEqual(Object.keys(answer.headers).sort(), Object.keys(answers[0].headers).sort());
		}
	};
	const hidden = (await matter.review()).c.id;
	for (const who of ['outsider', 'arbitrator1', 'steward', 'admin', 'auditor', 'reporter', 'respondent', 'mediator', 'ts']) {
		await sameFor(who, [`/v1/cases/${unknownId()}`, `/v1/cases/${hidden}`, '/v1/cases/not-an-id', '/v1/cases/1%27%20or%201=1']);
		await sameFor(who, [`/v1/cases/${unknownId()}/events`, `/v1/cases/${hidden}/events`]);
		await sameFor(who, [unknownId(), hidden, 'not-an-id'], id => call(who, 'POST', actPath(id, 'acknowledge'), { body: {} }));
		await sameFor(who, [`/v1/cases/${unknownId()}/messages?channel=internal`, `/v1/cases/${hidden}/messages?channel=internal`]);
	}
});

test('receipts and participations that are wrong are the same 404, byte for byte', async () => {
	const { c } = await matter.review();
	const near = c.receipt.replace(/.$/, last => (last === '0' ? '1' : '0'));
	const answers = await Promise.all([
		...['AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A', 'x', near, `${c.receipt}0`, c.receipt.slice(1), `' or 1=1`].map(receipt => call({ receipt }, 'GET', '/v1/receipt')),
		// Not notified yet: for the respondent nothing exists.
		call('respondent', 'GET', `/v1/receipt?participation=${await c.party('respondent')}`),
		call('witness', 'GET', `/v1/receipt?participation=${await c.party('reporter')}`),
		call('respondent', 'GET', `/v1/receipt?participation=${unknownId()}`),
		call('respondent', 'GET', '/v1/receipt?participation=1'),
	]);
	for (const answer of answers) {
		assertProblem(answer, 404, 'conduct-not-found');
		assert.equal(answer.text, answers[0].text);
	}
});

test('a 409 names what the actor may do instead, and what stands in the way', async () => {
	const { c } = await intake.triage();
	const illegal = assertProblem(await c.tryAct('functionary', 'claim'), 409, 'conduct-transition-illegal');
	assert.deepEqual(illegal.allowed_actions, (await c.show('functionary')).allowed_actions);
	assert.ok(illegal.allowed_actions.includes('accept'));
	const guarded = assertProblem(await c.tryAct('functionary', 'accept', await acceptance(c, { severity: 'S1', rule: 'ucoc/3.1/doxing' })), 409, 'conduct-guard-severity-floor');
	assert.ok(guarded.allowed_actions.includes('accept'));
});

test('problems speak the languages that are asked for', async () => {
	const texts = Object.fromEntries(['en', 'ar', 'de'].map(lang => [lang, i18n(lang)['conduct-not-found']]));
	const ask = accept => call('functionary', 'GET', `/v1/cases/${unknownId()}`, { headers: accept ? { 'Accept-Language': accept } : {} });
	const english = assertProblem(await ask(), 404);
	assert.deepEqual(english.messageTranslations, { en: texts.en });
	const both = assertProblem(await ask('ar, de;q=0.5'), 404);
	assert.deepEqual(both.messageTranslations, { ar: texts.ar, de: texts.de, en: texts.en });
	assert.equal(both.detail, texts.en, 'detail stays English');
	assert.deepEqual(assertProblem(await ask('tlh, en;q=0.1'), 404).messageTranslations, { en: texts.en });
	assert.deepEqual(assertProblem(await ask(';;;,,\t*'), 404).messageTranslations, { en: texts.en });
	const counted = assertProblem(await report({ body: reportBody({ identity: 'x', privacy: 'y' }), headers: { 'Accept-Language': 'de' } }), 422);
	assert.doesNotMatch(counted.messageTranslations.de, /\$1|PLURAL|\{\{/);
	assert.match(counted.messageTranslations.de, /2/);
});

test('another method of a path is 405, with Allow', async () => {
	for (const [method, path, allowed] of [['PUT', '/v1/policy', ['GET', 'HEAD']], ['GET', '/v1/reports', ['POST']], ['DELETE', '/v1/reports', ['POST']],
		['PATCH', `/v1/cases/${triage.id}`, ['GET', 'HEAD']], ['POST', '/v1/me', ['GET', 'HEAD']], ['GET', actPath(triage.id, 'claim'), ['POST']],
		['DELETE', '/v1/admin/grants', ['GET', 'HEAD', 'POST']], ['POST', '/v1/cases', ['GET', 'HEAD']]])
	{
		const answer = await call('functionary', method, path, { body: method === 'POST' || method === 'PUT' || method === 'PATCH' ? {} : undefined });
		assertProblem(answer, 405, 'conduct-method-not-allowed');
		const told = answer.headers.allow.split(', ');
		for (const one of allowed) {
			assert.ok(told.includes(one), `${path}: ${answer.headers.allow}`);
		}
		assert.ok(!told.includes(method));
	}
});

test('another type of body is 415', async () => {
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'application/jsonp', 'text/json', 'application/json, text/plain']) {
		assertProblem(await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Type': type }), 415, 'conduct-content-type');
	}
	assertProblem(await call('reporter', 'POST', '/v1/reports', { raw: Buffer.from(JSON.stringify(reportBody())) }), 415, 'conduct-content-type');
	assertProblem(await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Encoding': 'gzip' }), 415, 'conduct-content-encoding');
	for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
		assert.equal((await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Type': type })).status, 201);
	}
});

test('credentials that do not hold are the same 401, whatever is wrong with them', async () => {
	const token = people.functionary.token;
	const [head, claims, signature] = token.split('.');
	const bad = ['Bearer x', 'Bearer x.y.z', `Bearer ${head}.${claims}.`, `Bearer ${head}.${claims}.${signature.slice(2)}AA`, `Bearer ${token}.x`, 'Basic YTpi',
		'Bearer', `Bearer ${people.reporter.token.split('.')[0]}.${claims}.${people.reporter.token.split('.')[2]}`];
	let first;
	for (const authorization of bad) {
		const answer = await call({ authorization }, 'GET', '/v1/me');
		const { instance, ...rest } = assertProblem(answer, 401, 'conduct-unauthorized');
		assert.ok(instance);
		assert.ok(answer.headers['www-authenticate']);
		first ??= rest;
		assert.deepEqual(rest, first);
	}
	assertProblem(await call({ receipt: triage.receipt }, 'GET', '/v1/me'), 401, 'conduct-unauthorized');
	assertProblem(await call({ receipt: triage.receipt }, 'GET', `/v1/cases/${triage.id}`), 401, 'conduct-unauthorized');
	assertProblem(await call(null, 'GET', '/v1/receipt'), 401, 'conduct-unauthorized');
	assertProblem(await call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: reportBody() }), 401, 'conduct-unauthorized');
});

test('who handles no cases reads no queue and no body (403)', async () => {
	for (const who of ['reporter', 'admin', 'auditor', 'policy_maintainer', 'mediator']) {
		assertProblem(await call(who, 'GET', '/v1/cases'), 403, 'conduct-forbidden');
		assertProblem(await call(who, 'GET', '/v1/bodies/enwiki-arbcom'), 403, 'conduct-forbidden');
	}
	for (const who of ['reporter', 'functionary', 'auditor']) {
		assertProblem(await call(who, 'GET', '/v1/admin/grants'), 403, 'conduct-forbidden');
	}
	assertProblem(await call('functionary', 'GET', '/v1/bodies/no-such-body'), 404, 'conduct-not-found');
});

test('the answers of reports and receipts are padded to steps of 4 KiB', async () => {
	const made = await report();
	assert.equal(Buffer.byteLength(made.text) % 4096, 0);
	const shown = await call({ receipt: made.body.receipt }, 'GET', '/v1/receipt');
	assert.equal(Buffer.byteLength(shown.text) % 4096, 0);
	assert.equal(Buffer.byteLength((await call({ receipt: made.body.receipt }, 'GET', '/v1/receipt/messages')).text) % 4096, 0);
});

test('a request id is made anew, whatever a stranger sends', async () => {
	const answer = await call(null, 'GET', '/v1/policy', { headers: { 'X-Request-Id': 'mine', 'X-Forwarded-For': '1.2.3.4' } });
	assert.match(answer.headers['x-request-id'], /^[0-9a-f-]{36}$/);
	const refused = await call(null, 'GET', '/v1/nothing');
	assert.ok(refused.body.instance.includes(refused.headers['x-request-id']));
});

test('HEAD is GET without a body', async () => {
	const get = await call(null, 'GET', '/v1/policy?wiki=enwiki');
	const head = await call(null, 'HEAD', '/v1/policy?wiki=enwiki');
	assert.equal(head.status, 200);
	assert.equal(head.text, '');
	assert.equal(head.headers.etag, get.headers.etag);
	assert.equal(head.headers['content-length'], get.headers['content-length']);
	assert.equal((await call('outsider', 'HEAD', `/v1/cases/${triage.id}`)).status, 404);
});

test('what only the case tells is 422, and changes nothing', async () => {
	const c = await reported({ respondents: [{ user: people.respondent.user }, { user: people.witness.user }] });
	await c.act('functionary', 'claim');
	const before = await rowsOf(c.id);
	const accepting = await acceptance(c);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'accept', { ...accepting, allegations: [{ ...accepting.allegations[0], rule: 'ucoc/9.9/nothing' }] })), ['/allegations/0/rule']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'accept', { ...accepting, allegations: [{ ...accepting.allegations[0], rule: 'ucoc/2.2/civility' }] })), ['/allegations/0/rule']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'accept', { ...accepting, allegations: [{ ...accepting.allegations[0], respondent: unknownId() }] })), ['/allegations/0/respondent']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'accept', { ...accepting, allegations: [{ ...accepting.allegations[0], incident: unknownId() }] })), ['/allegations/0/incident']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'assign', { person: unknownId() })), ['/person']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'escalate', { to: 'nowhere', reason: 'r' })), ['/to']);
	assert.equal(await rowsOf(c.id), before);
	await c.act('functionary', 'accept', accepting);
	const after = await rowsOf(c.id);
	// Two matters may be meant: the refusal lists them.
	const several = await c.tryAct('functionary', 'dismiss', turnDown());
	const problem = assertProblem(several, 422, 'conduct-ambiguous-proceedings');
	const matters = (await c.state()).filter(row => row[0] === 'matter').map(row => row[4]).sort();
	assert.deepEqual(problem.errors.map(error => error.detail).sort(), matters);
	assert.equal(await rowsOf(c.id), after);
});
