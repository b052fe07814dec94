// What bodies, parameters, cursors and texts may be.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, call, expectCall, query, reportBody } from '../harness/api.mjs';
import { intake, reported, unknownId } from '../harness/cases.mjs';

const report = (options = {}) => call('reporter', 'POST', '/v1/reports', { body: reportBody(), ...options });
const raw = (who, path, text, headers = {}) =>
	call(who, 'POST', path, { raw: Buffer.from(text), headers: { 'Content-Type': 'application/json', ...headers } });
const { c: triage } = await intake.triage();
const countReports = async () => Number((await query('select count(*) from conduct.report'))[0][0]);
const pointers = answer =>
	assertProblem(answer, 422, 'conduct-invalid-body')
		.errors.map(error => error.pointer)
		.sort();

// Bodies and parameters ---------------------------------------------------------------------------

test('members that nobody may set are refused, each by name', async () => {
	const before = await countReports();
	assert.deepEqual(
		pointers(
			await report({
				body: {
					...reportBody(),
					state: 'accepted',
					reporter_id: 7,
					severity: 'S4',
					is_admin: true,
					__proto__x: 1,
					'a/b~c': 1,
				},
			})
		),
		['/__proto__x', '/a~1b~0c', '/is_admin', '/reporter_id', '/severity', '/state']
	);
	assert.deepEqual(
		pointers(await report({ body: reportBody({ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', state: 'x' }] }) })),
		['/incidents/0/state']
	);
	assert.deepEqual(pointers(await report({ body: reportBody({ respondents: [{ user: 'A', id: 1 }] }) })), [
		'/respondents/0/id',
	]);
	assert.equal(await countReports(), before);
	assert.deepEqual(pointers(await triage.tryAct('functionary', 'claim', { state: 'accepted' })), ['/state']);
	assert.deepEqual(pointers(await triage.tryAct('functionary', 'assign', { person: unknownId(), role: 'admin' })), [
		'/role',
	]);
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
	'an end before its beginning': [
		{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', from: '2026-11-02T00:00:00Z', to: '2026-11-01T00:00:00Z' }] },
		'/incidents/0/to',
	],
	'a time that is none': [
		{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', from: 'yesterday' }] },
		'/incidents/0/from',
	],
	'a revision that is no number': [
		{ incidents: [{ venue: 'on_wiki', wiki: 'enwiki', revision: '12' }] },
		'/incidents/0/revision',
	],
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
	'more respondents than anybody names': [
		{ respondents: Array.from({ length: 21 }, (_, i) => ({ user: `U${i}` })) },
		'/respondents',
	],
};
for (const [title, [changes, pointer]] of Object.entries(wrongReports)) {
	test(`a report with ${title} is refused (422)`, async () => {
		const before = await countReports();
		assert.deepEqual(pointers(await report({ body: reportBody(changes) })), [pointer]);
		assert.equal(await countReports(), before);
	});
}

test('everything wrong in a report is told at once', async () => {
	assert.deepEqual(
		pointers(await report({ body: reportBody({ identity: 'x', privacy: 'y', publish_after: 'z' }) })),
		['/identity', '/privacy', '/publish_after']
	);
});

test('wiki may be null for what happened off wiki or at an event', async () => {
	for (const venue of ['off_wiki', 'event']) {
		const answer = await report({ body: reportBody({ wiki: null, incidents: [{ venue }] }) });
		assert.equal(answer.status, 201, answer.text);
	}
});

test('unknown, repeated and malformed parameters are refused (400)', async () => {
	for (const [who, path] of [
		[null, '/v1/policy?wiki=enwiki&x=1'],
		[null, '/v1/policy?wiki=enwiki&wiki=enwiki'],
		['functionary', '/v1/cases?order=asc'],
		['functionary', '/v1/cases?limit=5&limit=6'],
		['functionary', `/v1/cases/${triage.id}?full=1`],
		['functionary', '/v1/me?x'],
		['admin', '/v1/admin/grants?person=1'],
		[{ receipt: triage.receipt }, '/v1/receipt?case=1'],
		[null, '/v1/openapi.json?x=1'],
	]) {
		assertProblem(await call(who, 'GET', path), 400, 'conduct-unknown-parameter');
	}
	for (const filter of [
		'lane=fast',
		'assigned=you',
		'due_before=tomorrow',
		'wiki=EN',
		'state=Bad%20State',
		'body=%00x'.replace('%00', '%7f'),
	]) {
		assertProblem(await call('functionary', 'GET', `/v1/cases?${filter}`), 400);
	}
});

const lists = {
	'/v1/cases': 'functionary',
	[`/v1/cases/${triage.id}/events`]: 'functionary',
	[`/v1/cases/${triage.id}/messages?channel=internal`]: 'functionary',
	'/v1/admin/grants': 'admin',
	'/v1/receipt/messages': { receipt: triage.receipt },
	'/v1/receipt/attachments': { receipt: triage.receipt },
	[`/v1/cases/${triage.id}/attachments`]: 'functionary',
};
const and = (path, more) => `${path}${path.includes('?') ? '&' : '?'}${more}`;
for (const [path, who] of Object.entries(lists)) {
	test(`limits of ${path.replace(triage.id, '{id}')} go from 1 to 100`, async () => {
		for (const limit of ['0', '101', '-1', '+1', 'x', '', '01', '1e1', '1.0', '99999999999']) {
			assertProblem(
				await call(who, 'GET', and(path, `limit=${encodeURIComponent(limit)}`)),
				400,
				'conduct-bad-limit'
			);
		}
		for (const limit of ['1', '100']) {
			await expectCall(200, who, 'GET', and(path, `limit=${limit}`));
		}
	});
	test(`forged cursors of ${path.replace(triage.id, '{id}')} are refused`, async () => {
		const forged = [
			'x',
			'',
			'AAAA',
			'a'.repeat(1000),
			'..',
			'%2e',
			Buffer.from('{"offset":1}').toString('base64url'),
			Buffer.alloc(40, 1).toString('base64url'),
			Buffer.from('[1,"2026-01-01T00:00:00Z"]').toString('base64url'),
		];
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
			const linked = await expectCall(
				200,
				'functionary',
				'GET',
				`/v1/cases/${c.id}/messages${/<([^>]*)>/.exec(answer.headers.link)[1]}`
			);
			assert.deepEqual(linked.body.items.length > 0, true);
		} else {
			assert.equal(answer.headers.link, undefined);
		}
	} while (cursor);
	assert.deepEqual(read, texts);
	assert.equal(pages, 3);
	const changed = first.slice(0, -1) + (first.endsWith('A') ? 'B' : 'A');
	for (const [other, who, mark] of [
		[`/v1/cases/${c.id}/messages?channel=reporter`, 'functionary', first],
		[`/v1/cases/${triage.id}/messages?channel=internal`, 'functionary', first],
		['/v1/cases', 'functionary', first],
		[`/v1/cases/${c.id}/events`, 'functionary', first],
		[`/v1/cases/${c.id}/messages?channel=internal`, 'functionary', `${first}A`],
		[`/v1/cases/${c.id}/messages?channel=internal`, 'functionary', first.slice(0, -4)],
	]) {
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
		const { body } = await expectCall(
			200,
			'functionary',
			'GET',
			`/v1/cases?state=received&wiki=enwiki&limit=2${cursor ? `&cursor=${cursor}` : ''}`
		);
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
		assertProblem(
			await call('functionary', 'GET', `/v1/cases?state=triage&wiki=enwiki&limit=2&cursor=${body.next}`),
			400,
			'conduct-bad-cursor'
		);
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
	for (const text of [
		withDetails('"a\\u0000b"'),
		withDetails('"\\ud800"'),
		withDetails('"\\udc00 x"'),
		withDetails('"\\ud800\\ud800"'),
		withDetails('"x","details":"y"'),
		withDetails('"x"').replace('{', '\ufeff{'),
		`${withDetails('"x"')}{}`,
		withDetails('"\t"').replace('\\t', '\t'),
		'[1',
		'null',
		'"x"',
		'',
		withDetails("'x'"),
		withDetails('"x",'),
	]) {
		assertProblem(await raw('reporter', '/v1/reports', text), 400);
	}
	const invalid = Buffer.concat([
		Buffer.from(JSON.stringify(reportBody()).replace(/"details":"[^"]*"/, '"details":"A')),
		Buffer.from([0xc3, 0x28]),
		Buffer.from('"}'),
	]);
	assertProblem(
		await call('reporter', 'POST', '/v1/reports', {
			raw: invalid,
			headers: { 'Content-Type': 'application/json' },
		}),
		400,
		'conduct-malformed-json'
	);
	assert.equal(await countReports(), before);
});

test('surrogate pairs and escapes are text like any other', async () => {
	const answer = await raw(
		'reporter',
		'/v1/reports',
		JSON.stringify(reportBody()).replace(
			/"details":"[^"]*"/,
			'"details":"\\ud83d\\ude00 \\u00fc \\" \\\\ \'; drop table x; --"'
		)
	);
	assert.equal(answer.status, 201);
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${answer.body.report}'`);
	assert.equal(
		(await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}`)).body.reports[0].details,
		'😀 ü " \\ \'; drop table x; --'
	);
});
