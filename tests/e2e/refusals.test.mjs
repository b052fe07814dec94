// In which order a request is refused that is wrong in several ways, and what a refusal looks like.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assertProblem, call, people, reportBody, rowsOf } from '../harness/api.mjs';
import { acceptance, intake, matter, reported, turnDown, unknownId } from '../harness/cases.mjs';

const i18n = lang => JSON.parse(readFileSync(new URL(`../../api/i18n/${lang}.json`, import.meta.url), 'utf8'));
const key = () => randomUUID();
const report = (options = {}) => call('reporter', 'POST', '/v1/reports', { body: reportBody(), ...options });
const raw = (who, path, text, headers = {}) =>
	call(who, 'POST', path, { raw: Buffer.from(text), headers: { 'Content-Type': 'application/json', ...headers } });
const actPath = (id, action) => `/v1/cases/${id}/actions/${action}`;
const large = ' '.repeat(256 * 1024 + 1);
const { c: triage } = await intake.triage();
const pointers = answer =>
	assertProblem(answer, 422, 'conduct-invalid-body')
		.errors.map(error => error.pointer)
		.sort();

// Order -------------------------------------------------------------------------------------------

/** Pairs of neighbours in the order of refusal: a request that deserves both gets the first. */
const order = [
	['404 for the path before 405', 404, 'conduct-not-found', () => call(null, 'PUT', '/v1/nothing')],
	[
		'404 for the path before an unknown parameter',
		404,
		'conduct-not-found',
		() => call(null, 'GET', '/v1/nothing?x=1'),
	],
	[
		'405 before an unknown parameter (400)',
		405,
		'conduct-method-not-allowed',
		() => call(null, 'DELETE', '/v1/policy?x=1', { key: null }),
	],
	[
		'405 before 415',
		405,
		'conduct-method-not-allowed',
		() => raw(null, '/v1/policy', 'x', { 'Content-Type': 'text/plain' }),
	],
	[
		'400 (no key) before 413',
		400,
		'conduct-idempotency-key-missing',
		() =>
			call('functionary', 'POST', actPath(triage.id, 'claim'), {
				key: null,
				raw: Buffer.from(large),
				headers: { 'Content-Type': 'application/json' },
			}),
	],
	[
		'400 (parameter) before 413',
		400,
		'conduct-unknown-parameter',
		() => raw('functionary', `${actPath(triage.id, 'claim')}?x=1`, large),
	],
	[
		'413 before 415',
		413,
		'conduct-body-too-large',
		() => raw('functionary', actPath(triage.id, 'claim'), large, { 'Content-Type': 'text/plain' }),
	],
	['413 before 401', 413, 'conduct-body-too-large', () => raw(null, actPath(triage.id, 'claim'), large)],
	[
		'415 before 401',
		415,
		'conduct-content-type',
		() => raw(null, actPath(triage.id, 'claim'), '{}', { 'Content-Type': 'text/plain' }),
	],
	['400 (JSON) before 401', 400, 'conduct-malformed-json', () => raw(null, actPath(triage.id, 'claim'), '{')],
	[
		'401 before 428',
		401,
		'conduct-unauthorized',
		() => call(null, 'POST', actPath(triage.id, 'claim'), { body: {} }),
	],
	[
		'401 before 422',
		401,
		'conduct-unauthorized',
		() => call(null, 'POST', actPath(triage.id, 'acknowledge'), { body: { x: 1 } }),
	],
	['401 before 404', 401, 'conduct-unauthorized', () => call(null, 'GET', `/v1/cases/${unknownId()}`)],
	[
		'400 (JSON) before 401 on reports: the lane is read first',
		400,
		'conduct-malformed-json',
		() => raw({ authorization: 'Bearer x.y.z' }, '/v1/reports', '{"lane": "emergency"'),
	],
	[
		'400 (no key) before 401 on reports',
		400,
		'conduct-idempotency-key-missing',
		() => call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: reportBody(), key: null }),
	],
	[
		'401 before 422 on reports',
		401,
		'conduct-unauthorized',
		() => call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: { nonsense: true } }),
	],
	[
		'428 before 422 (shape)',
		428,
		'conduct-precondition-required',
		() => call('functionary', 'POST', actPath(triage.id, 'accept'), { body: { x: 1 } }),
	],
	[
		'428 before 404',
		428,
		'conduct-precondition-required',
		() => call('functionary', 'POST', actPath(unknownId(), 'claim'), { body: {} }),
	],
	[
		'422 (shape) before 404',
		422,
		'conduct-invalid-body',
		() => call('functionary', 'POST', actPath(unknownId(), 'claim'), { body: { x: 1 }, revision: 1 }),
	],
	[
		'422 (shape) before 403',
		422,
		'conduct-invalid-body',
		() => triage.tryAct('functionary', 'hand_back', { outcome: 'acted' }),
	],
	[
		'422 (shape) before 412',
		422,
		'conduct-invalid-body',
		() => triage.tryAct('functionary', 'accept', { x: 1 }, { revision: 99 }),
	],
	[
		'404 before 403',
		404,
		'conduct-not-found',
		() => triage.tryAct('outsider', 'hand_back', { outcome: 'referred', to_state: 'triage', reason: 'r' }),
	],
	['404 before 412', 404, 'conduct-not-found', () => triage.tryAct('outsider', 'claim', {}, { revision: 99 })],
	[
		'404 before 409',
		404,
		'conduct-not-found',
		() =>
			triage.tryAct('outsider', 'propose', {
				items: [{ kind: 'principle', text: 't' }],
				dispositions: [{ respondent: unknownId(), disposition: 'no_violation' }],
				reasons: 'r',
			}),
	],
	[
		'403 before 412',
		403,
		'conduct-forbidden',
		() =>
			triage.tryAct(
				'functionary',
				'hand_back',
				{ outcome: 'referred', to_state: 'triage', reason: 'r' },
				{ revision: 99 }
			),
	],
	[
		'403 before 422 (of the case)',
		403,
		'conduct-forbidden',
		() =>
			triage.tryAct('functionary', 'hand_back', {
				outcome: 'referred',
				to_state: 'triage',
				reason: 'r',
				proceedings: [unknownId()],
			}),
	],
	[
		'412 before 422 (of the case)',
		412,
		'conduct-precondition-failed',
		() => triage.tryAct('functionary', 'claim', { proceedings: [unknownId()] }, { revision: 99 }),
	],
	[
		'412 before 409',
		412,
		'conduct-precondition-failed',
		() => triage.tryAct('functionary', 'claim', {}, { revision: 99 }),
	],
	[
		'422 (of the case) before 409',
		422,
		'conduct-invalid-body',
		() => triage.tryAct('functionary', 'claim', { proceedings: [unknownId()] }),
	],
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
	assertProblem(
		await c.tryAct('functionary', 'claim', { x: 1 }, { key: own, revision: 1 }),
		422,
		'conduct-invalid-body'
	);
});

test('order: 428 before the replay of a key', async () => {
	const { c } = await intake.received();
	const own = key();
	await c.act('functionary', 'claim', {}, { key: own, revision: 1 });
	assertProblem(
		await c.tryAct('functionary', 'claim', {}, { key: own, revision: null }),
		428,
		'conduct-precondition-required'
	);
});

test('order: the replay of a key before 404: a recusal is answered again', async () => {
	const { c } = await intake.triage();
	const own = key();
	await c.act('functionary5', 'recuse', { kind: 'full' }, { key: own, status: 204 });
	await c.show('functionary5', 404);
	await c.act('functionary5', 'recuse', { kind: 'full' }, { key: own, status: 204 });
	assertProblem(
		await c.tryAct('functionary5', 'recuse', { kind: 'vote_only' }, { key: own }),
		422,
		'conduct-idempotency-key-reused'
	);
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
	for (const who of [
		'outsider',
		'arbitrator1',
		'steward',
		'admin',
		'auditor',
		'reporter',
		'respondent',
		'mediator',
		'ts',
	]) {
		await sameFor(who, [
			`/v1/cases/${unknownId()}`,
			`/v1/cases/${hidden}`,
			'/v1/cases/not-an-id',
			'/v1/cases/1%27%20or%201=1',
		]);
		await sameFor(who, [`/v1/cases/${unknownId()}/events`, `/v1/cases/${hidden}/events`]);
		await sameFor(who, [unknownId(), hidden, 'not-an-id'], id =>
			call(who, 'POST', actPath(id, 'acknowledge'), { body: {} })
		);
		await sameFor(who, [
			`/v1/cases/${unknownId()}/messages?channel=internal`,
			`/v1/cases/${hidden}/messages?channel=internal`,
		]);
	}
});

test('receipts and participations that are wrong are the same 404, byte for byte', async () => {
	const { c } = await matter.review();
	const near = c.receipt.replace(/.$/, last => (last === '0' ? '1' : '0'));
	const answers = await Promise.all([
		...['AAAAA-AAAAA-AAAAA-AAAAA-AAAAA-A', 'x', near, `${c.receipt}0`, c.receipt.slice(1), `' or 1=1`].map(
			receipt => call({ receipt }, 'GET', '/v1/receipt')
		),
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
	const guarded = assertProblem(
		await c.tryAct('functionary', 'accept', await acceptance(c, { severity: 'S1', rule: 'ucoc/3.1/doxing' })),
		409,
		'conduct-guard-severity-floor'
	);
	assert.ok(guarded.allowed_actions.includes('accept'));
});

test('problems speak the languages that are asked for', async () => {
	const texts = Object.fromEntries(['en', 'ar', 'de'].map(lang => [lang, i18n(lang)['conduct-not-found']]));
	const ask = accept =>
		call('functionary', 'GET', `/v1/cases/${unknownId()}`, {
			headers: accept ? { 'Accept-Language': accept } : {},
		});
	const english = assertProblem(await ask(), 404);
	assert.deepEqual(english.messageTranslations, { en: texts.en });
	const both = assertProblem(await ask('ar, de;q=0.5'), 404);
	assert.deepEqual(both.messageTranslations, { ar: texts.ar, de: texts.de, en: texts.en });
	assert.equal(both.detail, texts.en, 'detail stays English');
	assert.deepEqual(assertProblem(await ask('tlh, en;q=0.1'), 404).messageTranslations, { en: texts.en });
	assert.deepEqual(assertProblem(await ask(';;;,,\t*'), 404).messageTranslations, { en: texts.en });
	const counted = assertProblem(
		await report({ body: reportBody({ identity: 'x', privacy: 'y' }), headers: { 'Accept-Language': 'de' } }),
		422
	);
	assert.doesNotMatch(counted.messageTranslations.de, /\$1|PLURAL|\{\{/);
	assert.match(counted.messageTranslations.de, /2/);
});

test('another method of a path is 405, with Allow', async () => {
	for (const [method, path, allowed] of [
		['PUT', '/v1/policy', ['GET', 'HEAD']],
		['GET', '/v1/reports', ['POST']],
		['DELETE', '/v1/reports', ['POST']],
		['PATCH', `/v1/cases/${triage.id}`, ['GET', 'HEAD']],
		['POST', '/v1/me', ['GET', 'HEAD']],
		['GET', actPath(triage.id, 'claim'), ['POST']],
		['PUT', '/v1/admin/grants', ['GET', 'HEAD', 'POST', 'DELETE']],
		['POST', '/v1/cases', ['GET', 'HEAD']],
	]) {
		const answer = await call('functionary', method, path, {
			body: method === 'POST' || method === 'PUT' || method === 'PATCH' ? {} : undefined,
		});
		assertProblem(answer, 405, 'conduct-method-not-allowed');
		const told = answer.headers.allow.split(', ');
		for (const one of allowed) {
			assert.ok(told.includes(one), `${path}: ${answer.headers.allow}`);
		}
		assert.ok(!told.includes(method));
	}
});

test('another type of body is 415', async () => {
	for (const type of [
		'text/plain',
		'application/x-www-form-urlencoded',
		'application/json; charset=latin1',
		'application/jsonp',
		'text/json',
		'application/json, text/plain',
	]) {
		assertProblem(
			await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Type': type }),
			415,
			'conduct-content-type'
		);
	}
	assertProblem(
		await call('reporter', 'POST', '/v1/reports', { raw: Buffer.from(JSON.stringify(reportBody())) }),
		415,
		'conduct-content-type'
	);
	assertProblem(
		await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Encoding': 'gzip' }),
		415,
		'conduct-content-encoding'
	);
	for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8']) {
		assert.equal(
			(await raw('reporter', '/v1/reports', JSON.stringify(reportBody()), { 'Content-Type': type })).status,
			201
		);
	}
});

test('credentials that do not hold are the same 401, whatever is wrong with them', async () => {
	const token = people.functionary.token;
	const [head, claims, signature] = token.split('.');
	const bad = [
		'Bearer x',
		'Bearer x.y.z',
		`Bearer ${head}.${claims}.`,
		`Bearer ${head}.${claims}.${signature.slice(2)}AA`,
		`Bearer ${token}.x`,
		'Basic YTpi',
		'Bearer',
		`Bearer ${people.reporter.token.split('.')[0]}.${claims}.${people.reporter.token.split('.')[2]}`,
	];
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
	assertProblem(
		await call({ receipt: triage.receipt }, 'GET', `/v1/cases/${triage.id}`),
		401,
		'conduct-unauthorized'
	);
	assertProblem(await call(null, 'GET', '/v1/receipt'), 401, 'conduct-unauthorized');
	assertProblem(
		await call({ authorization: 'Bearer x.y.z' }, 'POST', '/v1/reports', { body: reportBody() }),
		401,
		'conduct-unauthorized'
	);
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
	for (const list of ['messages', 'attachments']) {
		const { text } = await call({ receipt: made.body.receipt }, 'GET', `/v1/receipt/${list}`);
		assert.equal(Buffer.byteLength(text) % 4096, 0, list);
	}
});

test('a request id is made anew, whatever a stranger sends', async () => {
	const answer = await call(null, 'GET', '/v1/policy', {
		headers: { 'X-Request-Id': 'mine', 'X-Forwarded-For': '1.2.3.4' },
	});
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
	assert.deepEqual(
		pointers(
			await c.tryAct('functionary', 'accept', {
				...accepting,
				allegations: [{ ...accepting.allegations[0], rule: 'ucoc/9.9/nothing' }],
			})
		),
		['/allegations/0/rule']
	);
	assert.deepEqual(
		pointers(
			await c.tryAct('functionary', 'accept', {
				...accepting,
				allegations: [{ ...accepting.allegations[0], rule: 'ucoc/2.2/civility' }],
			})
		),
		['/allegations/0/rule']
	);
	assert.deepEqual(
		pointers(
			await c.tryAct('functionary', 'accept', {
				...accepting,
				allegations: [{ ...accepting.allegations[0], respondent: unknownId() }],
			})
		),
		['/allegations/0/respondent']
	);
	assert.deepEqual(
		pointers(
			await c.tryAct('functionary', 'accept', {
				...accepting,
				allegations: [{ ...accepting.allegations[0], incident: unknownId() }],
			})
		),
		['/allegations/0/incident']
	);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'assign', { person: unknownId() })), ['/person']);
	assert.deepEqual(pointers(await c.tryAct('functionary', 'escalate', { to: 'nowhere', reason: 'r' })), ['/to']);
	assert.equal(await rowsOf(c.id), before);
	await c.act('functionary', 'accept', accepting);
	const after = await rowsOf(c.id);
	// Two matters may be meant: the refusal lists them.
	const several = await c.tryAct('functionary', 'dismiss', turnDown());
	const problem = assertProblem(several, 422, 'conduct-ambiguous-proceedings');
	const matters = (await c.state())
		.filter(row => row[0] === 'matter')
		.map(row => row[4])
		.sort();
	assert.deepEqual(problem.errors.map(error => error.detail).sort(), matters);
	assert.equal(await rowsOf(c.id), after);
});
