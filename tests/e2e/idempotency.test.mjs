// A request sent again, at once or later, and one that rests on what has changed since.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { assertProblem, call, expectCall, query, reportBody, rowsOf } from '../harness/api.mjs';
import { acceptance, intake, turnDown } from '../harness/cases.mjs';

const key = () => randomUUID();
const report = (options = {}) => call('reporter', 'POST', '/v1/reports', { body: reportBody(), ...options });
const raw = (who, path, text, headers = {}) =>
	call(who, 'POST', path, { raw: Buffer.from(text), headers: { 'Content-Type': 'application/json', ...headers } });
const actPath = (id, action) => `/v1/cases/${id}/actions/${action}`;
const countReports = async () => Number((await query('select count(*) from conduct.report'))[0][0]);

// Idempotency -------------------------------------------------------------------------------------

test('a report without a key is refused, and one with a malformed key', async () => {
	const before = await countReports();
	assertProblem(await report({ key: null }), 400, 'conduct-idempotency-key-missing');
	for (const bad of [
		'',
		'short',
		'x'.repeat(21),
		'x'.repeat(129),
		'"'.padEnd(30, 'x'),
		`${'x'.repeat(29)}"`,
		`${'x'.repeat(29)}=`,
		`${'x'.repeat(15)} ${'x'.repeat(15)}`,
		'""',
		`"${'x'.repeat(21)}"`,
	]) {
		assertProblem(
			await report({ key: null, headers: { 'Idempotency-Key': bad } }),
			400,
			bad === '' ? undefined : 'conduct-idempotency-key-malformed'
		);
	}
	assert.equal(await countReports(), before);
});

test('a key may be quoted, a UUID, or 22 characters of base64url', async () => {
	for (const good of [
		key(),
		`"${key()}"`,
		randomBytes(16).toString('base64url'),
		randomBytes(16).toString('hex'),
		randomBytes(96).toString('base64url'),
	]) {
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
	const padded = await raw('reporter', '/v1/reports', JSON.stringify(body).padEnd(4096, ' '), {
		'Idempotency-Key': own,
	});
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

test('reports at once fare as each would alone: one refused, repeated or new', async () => {
	const before = await countReports();
	const [known, twice, spent] = [key(), key(), key()];
	const body = reportBody();
	const first = await report({ body, key: known });
	await report({ body, key: spent });
	const sent = [];
	for (let i = 0; i < 12; i++) {
		sent.push(['new', report({ body, key: key() })]);
		if (i % 4 === 1) {
			sent.push(['known', report({ body, key: known })]);
			sent.push(['twice', report({ body, key: twice })]);
			sent.push(['spent', report({ body: reportBody({ details: `Other words ${i}` }), key: spent })]);
			sent.push(['danger', call(null, 'POST', '/v1/reports', { key: key(),
				body: reportBody({ lane: 'emergency', harm_type: 'public_harm' }) })]);
		}
	}
	const answers = await Promise.all(sent.map(async ([what, answer]) => [what, await answer]));
	const of = what => answers.filter(([name]) => name === what).map(([, answer]) => answer);
	for (const answer of of('spent')) {
		assertProblem(answer, 422, 'conduct-idempotency-key-reused');
	}
	for (const answer of of('known')) {
		assert.deepEqual(answer.body, first.body);
	}
	for (const answer of of('twice')) {
		assert.equal(answer.status, 201);
		assert.deepEqual(answer.body, of('twice')[0].body);
	}
	assert.deepEqual(of('danger').map(answer => answer.body.lane ?? answer.body.state), ['escalated', 'escalated', 'escalated']);
	assert.deepEqual(of('new').map(answer => answer.status), Array(12).fill(201));
	assert.equal(new Set(of('new').map(answer => answer.body.receipt)).size, 12);
	// 2 before, 12 new, 3 emergencies, 1 of the key sent thrice.
	assert.equal(await countReports(), before + 18);
});

test('many acts at once with one key move a case once', async () => {
	const { c } = await intake.received();
	const own = key();
	const answers = await Promise.all(
		Array.from({ length: 12 }, () => c.tryAct('functionary', 'claim', {}, { key: own, revision: 1 }))
	);
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
	const answers = await Promise.all(
		['functionary', 'functionary2', 'functionary3', 'functionary4'].map(who =>
			c.tryAct(who, 'claim', {}, { revision: 1 })
		)
	);
	assert.equal(answers.filter(answer => answer.status === 200).length, 1);
	for (const answer of answers.filter(other => other.status !== 200)) {
		assert.ok([412, 503].includes(answer.status), answer.text);
	}
	assert.equal(await c.revision(), 2);
});

test("acts, messages and parties' acts are replayed too", async () => {
	const { c } = await intake.triage();
	const keys = [key(), key(), key()];
	const say = () =>
		call({ receipt: c.receipt }, 'POST', '/v1/receipt/messages', {
			body: { text: 'One more thing.' },
			key: keys[0],
		});
	const first = await say();
	assert.equal(first.status, 201, first.text);
	assert.deepEqual((await say()).body, first.body);
	const tell = () =>
		call('functionary', 'POST', `/v1/cases/${c.id}/messages?channel=reporter`, {
			body: { text: 'Thank you.' },
			key: keys[1],
		});
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
	const send = tag =>
		call('functionary', 'POST', actPath(c.id, 'claim'), {
			body: {},
			headers: tag === undefined ? {} : { 'If-Match': tag },
		});
	const before = await rowsOf(c.id);
	assertProblem(await send(undefined), 428, 'conduct-precondition-required');
	assertProblem(await send('*'), 428, 'conduct-precondition-required');
	for (const tag of [
		'"0"',
		'"2"',
		'"-1"',
		'"01"',
		'"1',
		'1',
		'W/"1"',
		'"1", "2"',
		'"99999999999999999999"',
		'"x"',
		'""',
		'"1" ',
	]) {
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
	assertProblem(
		await c.tryAct('functionary', 'acknowledge', {}, { revision: 1 }),
		412,
		'conduct-precondition-failed'
	);
	const done = await c.tryAct('functionary', 'acknowledge', {}, { revision: null });
	assert.equal(done.status, 200);
	assert.equal(done.headers.etag, '"2"');
});

test("a party's answers carry no ETag", async () => {
	const { c } = await intake.triage();
	const shown = await expectCall(200, { receipt: c.receipt }, 'GET', '/v1/receipt');
	assert.equal(shown.headers.etag, undefined);
	assert.ok(!('revision' in shown.body));
	assert.equal(shown.headers['cache-control'], 'no-store');
});
