// The code of conduct as everybody may read it: per wiki, in chains of languages, cached, with its history.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { assertProblem, call, expectCall, people, query } from '../harness/api.mjs';

const get = (path, headers = {}) => expectCall(200, null, 'GET', path, { headers });
const policy = async (query_ = '', headers = {}) => (await get(`/v1/policy${query_}`, headers)).body;
const rule = (set, id) => set.rules.find(r => r.id === id);

test('without a wiki the base is shown, to everybody', async () => {
	const answer = await get('/v1/policy');
	const set = answer.body;
	assert.match(set.version, /^[0-9a-f]{64}$/);
	assert.ok(Number.isInteger(set.revision) && set.revision >= 1);
	assert.equal(set.wiki, null);
	assert.deepEqual(set.layers, ['base']);
	assert.equal(set.lang, 'en');
	for (const r of set.rules) {
		assert.match(r.id, /^(ucoc\/[23]\.[123]|procedure)\//);
		assert.ok(['expected', 'unacceptable'].includes(r.kind), r.id);
		assert.equal(r.kind === 'unacceptable', r.severity_floor !== null, r.id);
		for (const text of [r.title, r.text]) {
			assert.ok(text.text.length > 0);
			assert.deepEqual([text.lang, text.dir, text.fallback], ['en', 'ltr', false]);
		}
	}
	for (const section of ['2.1', '2.2', '3.1', '3.2', '3.3']) {
		assert.ok(
			set.rules.some(r => r.section === section),
			section
		);
	}
	assert.equal(rule(set, 'ucoc/3.1/doxing').severity_floor, 'S3');
	assert.equal(rule(set, 'ucoc/3.1/encouraging-harm').severity_floor, 'S4');
	assert.equal(rule(set, 'procedure/retaliation').severity_floor, 'S3');
	assert.equal(set.procedure.appeal_window, 30 * 86400);
	assert.ok(set.categories.some(category => category.irs === 'doxing'));
	assert.ok(set.categories.some(category => category.harm_type === 'self_harm'));
	assert.ok(set.sanctions.some(sanction => sanction.id === 'warning'));
	assert.deepEqual(await policy('', { Authorization: `Bearer ${people.functionary.token}` }), set, 'whoever asks');
	assert.deepEqual(await policy('', { Authorization: 'Bearer nonsense' }), set, 'credentials are not even read');
});

test('a wiki sees its layers, tightened', async () => {
	const [base, arabic] = [await policy(), await policy('?wiki=arwiki&lang=en')];
	assert.deepEqual(arabic.layers, ['base', 'region:mena', 'wiki:arwiki']);
	assert.equal(rule(base, 'ucoc/3.1/insults').severity_floor, 'S1');
	assert.equal(rule(arabic, 'ucoc/3.1/insults').severity_floor, 'S2');
	assert.ok(rule(arabic, 'ucoc/3.1/insults').notes.length > 0);
	for (const key of Object.keys(base.procedure)) {
		assert.ok(key in arabic.procedure, key);
	}
	// An overlay never takes time from a party nor gives it to a handler.
	for (const wiki of [
		'arwiki',
		'dewiki',
		'frwiki',
		'enwiki',
		'itwiki',
		'nowiki',
		'be_x_oldwiki',
		'simplewikiquote',
	]) {
		const { procedure, rules } = await policy(`?wiki=${wiki}`);
		for (const key of ['appeal_window', 'hearing', 'resume', 'object_informal', 'panel_named', 'join_appeal']) {
			assert.ok(procedure[key] >= base.procedure[key], `${wiki} ${key}`);
		}
		for (const key of ['acknowledge', 'claim', 'accept', 'decide_panel', 'hand_back', 'retention_words']) {
			assert.ok(procedure[key] <= base.procedure[key], `${wiki} ${key}`);
		}
		for (const r of base.rules) {
			assert.ok((rule({ rules }, r.id).severity_floor ?? '') >= (r.severity_floor ?? ''), `${wiki} ${r.id}`);
		}
	}
	assert.equal((await policy('?wiki=frwiki')).procedure.decide_panel, 60 * 86400);
});

test('the language of a wiki is that of its registry, not of its name', async () => {
	assert.equal((await policy('?wiki=arwiki')).lang, 'ar');
	assert.equal((await policy('?wiki=dewiki')).lang, 'de');
	for (const [wiki, lang] of [
		['nowiki', 'nb'],
		['be_x_oldwiki', 'be-tarask'],
	]) {
		const set = await policy(`?wiki=${wiki}`);
		assert.equal(set.wiki, wiki);
		// No translation is shipped: every text says that it is a fallback, and in which language.
		assert.ok(
			set.rules.every(r => (r.title.lang === 'en' ? r.title.fallback : true)),
			lang
		);
	}
});

test('texts come in the asked language, with its direction, and say what they are', async () => {
	const arabic = await policy('?wiki=enwiki&lang=ar');
	assert.equal(arabic.lang, 'ar');
	const title = rule(arabic, 'ucoc/3.1/doxing').title;
	assert.deepEqual([title.lang, title.dir, title.fallback, title.reviewed], ['ar', 'rtl', false, false]);
	assert.match(title.text, /[\u0600-\u06ff]/);
	const german = await policy('?lang=de');
	assert.deepEqual(
		[rule(german, 'ucoc/3.1/doxing').title.lang, rule(german, 'ucoc/3.1/doxing').title.dir],
		['de', 'ltr']
	);
	for (const r of [...arabic.rules, ...german.rules]) {
		assert.ok(['ar', 'de', 'en'].includes(r.text.lang));
		assert.equal(r.text.dir, r.text.lang === 'ar' ? 'rtl' : 'ltr');
	}
});

test('a chain of languages is gone through in order, English last', async () => {
	const title = async (query_, headers) => rule(await policy(query_, headers), 'ucoc/3.1/doxing').title;
	assert.equal((await title('?lang=pt-br|de|ar')).lang, 'de');
	assert.equal((await title('?lang=pt-br%7Car')).lang, 'ar');
	const english = await title('?lang=pt-br|pt|en');
	assert.deepEqual([english.lang, english.fallback], ['en', true]);
	assert.equal((await title('?lang=zz')).lang, 'en');
	assert.equal((await title('', { 'Accept-Language': 'fr;q=0.9, ar;q=0.1, de;q=0.8' })).lang, 'de');
	assert.equal((await title('', { 'Accept-Language': 'de-AT' })).lang, 'de');
	assert.equal((await title('', { 'Accept-Language': 'ar' })).dir, 'rtl');
	assert.equal((await title('?lang=de', { 'Accept-Language': 'ar' })).lang, 'de', 'the parameter wins');
	assert.equal((await title('', { 'Accept-Language': ';;q=,,x' })).lang, 'en');
	assert.equal((await get('/v1/policy')).headers.vary, 'Origin, Accept-Language');
});

test('the policy is public, has an ETag, and 304 answers who has it', async () => {
	const first = await get('/v1/policy?wiki=enwiki');
	assert.match(first.headers['cache-control'], /^public, max-age=\d+$/);
	assert.match(first.headers.etag, /^"[0-9a-f]+"$/);
	for (const tag of [first.headers.etag, `W/${first.headers.etag}`, `"x", ${first.headers.etag}`, '*']) {
		const again = await call(null, 'GET', '/v1/policy?wiki=enwiki', { headers: { 'If-None-Match': tag } });
		assert.equal(again.status, 304, tag);
		assert.equal(again.text, '');
		assert.equal(again.headers.etag, first.headers.etag);
	}
	await expectCall(200, null, 'GET', '/v1/policy?wiki=enwiki', { headers: { 'If-None-Match': '"x"' } });
	const german = await get('/v1/policy?wiki=enwiki&lang=de');
	assert.notEqual(german.headers.etag, first.headers.etag);
	await expectCall(200, null, 'GET', '/v1/policy?wiki=enwiki&lang=de', {
		headers: { 'If-None-Match': first.headers.etag },
	});
});

test('one rule is found by its id, slashes and all', async () => {
	const { body } = await get('/v1/policy/rules/ucoc/3.1/doxing?wiki=dewiki&lang=de');
	assert.equal(body.id, 'ucoc/3.1/doxing');
	assert.deepEqual(body.layers, ['base', ...body.layers.filter(layer => layer !== 'base')]);
	assert.equal(body.wiki, 'dewiki');
	assert.equal(body.title.lang, 'de');
	assert.ok(body.notes.length > 0, "the wiki's own words");
	const whole = rule(await policy('?wiki=dewiki&lang=de'), 'ucoc/3.1/doxing');
	assert.deepEqual(body.title, whole.title);
	assertProblem(await call(null, 'GET', '/v1/policy/rules/ucoc/9.9/nothing'), 404, 'conduct-not-found');
	assertProblem(await call(null, 'GET', '/v1/policy/rules/doxing'), 404, 'conduct-not-found');
	assertProblem(await call(null, 'GET', '/v1/policy/rules/ucoc/3.1/doxing?wiki=zzwiki'), 404);
});

test('an unknown wiki is 404, an unknown parameter 400', async () => {
	for (const wiki of ['zzwiki', 'EN', '', 'enwiki%27', 'a'.repeat(65)]) {
		assertProblem(await call(null, 'GET', `/v1/policy?wiki=${wiki}`), 404, 'conduct-unknown-wiki');
	}
	assertProblem(await call(null, 'GET', '/v1/policy?region=mena'), 400, 'conduct-unknown-parameter');
});

test('the history is public, and every version is there byte for byte', async () => {
	const { body, headers } = await get('/v1/policy/versions');
	assert.match(headers['cache-control'], /^public/);
	assert.equal(body.next, null);
	const present = await policy();
	assert.equal(body.items[0].version, present.version);
	for (const item of body.items) {
		const exact = await get(`/v1/policy/versions/${item.version}`);
		assert.equal(createHash('sha256').update(exact.text).digest('hex'), item.version, 'the version is the hash');
		assert.equal(exact.headers.etag, `"${item.version}"`);
		assert.match(exact.headers['cache-control'], /^public, max-age=31536000/);
		const again = await call(null, 'GET', `/v1/policy/versions/${item.version}`, {
			headers: { 'If-None-Match': exact.headers.etag },
		});
		assert.equal(again.status, 304);
	}
	const [[stored]] = await query(`select count(*) from conduct.policy_set`);
	assert.equal(body.items.length, Number(stored));
	for (const version of ['0'.repeat(64), 'x', present.version.toUpperCase(), present.version.slice(1)]) {
		assertProblem(await call(null, 'GET', `/v1/policy/versions/${version}`), 404, 'conduct-not-found');
	}
});

test('a report and its case are pinned to the published version', async () => {
	const present = await policy();
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', {
		body: {
			wiki: 'enwiki',
			category: 'spam',
			details: 'Links everywhere.',
			incidents: [{ venue: 'on_wiki', wiki: 'enwiki', from: '2019-01-01T00:00:00Z', to: '2019-01-02T00:00:00Z' }],
		},
	});
	assert.equal(body.procedure_version, present.version);
	const versions = (await get('/v1/policy/versions')).body.items;
	assert.equal(body.policy_version, versions.at(-1).version, 'before the first published set: that set');
});

test('the interface describes itself', async () => {
	const { body, headers } = await get('/v1/openapi.json');
	assert.match(body.openapi, /^3\.1/);
	assert.ok(body.paths['/v1/reports'].post);
	assert.match(headers['cache-control'], /^public/);
	assert.equal(
		(await call(null, 'GET', '/v1/openapi.json', { headers: { 'If-None-Match': headers.etag } })).status,
		304
	);
});
