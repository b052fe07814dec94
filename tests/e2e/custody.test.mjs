// The custody of files: what the history of a case says of who brought them, who read them and when they went; and
// what whoever brought them is told has arrived.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import http from 'node:http';
import test from 'node:test';
import { assertProblem, base, call, expectCall, people, query } from '../harness/api.mjs';
import { until } from '../harness/beside.mjs';
import { appeal, hear, matter, notice, pass, personOf, reported } from '../harness/cases.mjs';
import { seesNothing } from '../harness/grants.mjs';

const own = '/v1/receipt/attachments';
const paths = c => `/v1/cases/${c.id}/attachments`;
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');

async function add(who, path, bytes, name = 'canary-name.bin') {
	return (await expectCall(201, who, 'POST', path, { raw: bytes, headers: { 'Conduct-Filename': name } })).body;
}

const events = async (c, who = 'functionary') => (await expectCall(200, who, 'GET', `/v1/cases/${c.id}/events?limit=100`)).body.items;
const custody = async (c, who) => (await events(c, who)).filter(item => item.kind === 'file');
const opens = async (c, file, who, Range) => expectCall(Range ? 206 : 200, who, 'GET', `${paths(c)}/${file.id}`,
	{ headers: Range ? { Range } : {} });
const brief = ({ action, role, actor, party, facts }) => [action, role, actor, party, facts.attachment];

test('the history tells who brought a file, what it was, and who read it when', async () => {
	const c = await reported();
	const reporter = await c.party('reporter');
	const bytes = randomBytes(70000);
	const theirs = await add({ receipt: c.receipt }, own, bytes);
	const ours = await add('functionary', paths(c), Buffer.from('A log.'));
	await opens(c, theirs, 'functionary2');
	await c.act('functionary', 'claim');
	await opens(c, ours, 'functionary3');
	const all = await events(c);
	const files = all.filter(item => item.kind === 'file');
	assert.deepEqual(files.map(brief), [
		['add', 'reporter', null, reporter, theirs.id], ['add', 'handler', await personOf('functionary'), null, ours.id],
		['open', 'handler', await personOf('functionary2'), null, theirs.id],
		['open', 'handler', await personOf('functionary3'), null, ours.id],
	]);
	assert.deepEqual(files[0].facts, { attachment: theirs.id, source: 'upload', media_type: 'application/octet-stream', size: 70000,
		sha256: sha256(bytes) });
	assert.equal(files[0].at, theirs.at);
	// Each in its place among what moves the case.
	assert.deepEqual(all.map(item => item.action), ['submit', 'add', 'add', 'open', 'claim', 'open']);
	assert.ok(!JSON.stringify(all).includes('canary-name'), 'the name is in the list of files alone');
});

test('who asks for the head of a file, or has it already, opens nothing', async () => {
	const c = await reported();
	const file = await add({ receipt: c.receipt }, own, randomBytes(70000));
	const path = `${paths(c)}/${file.id}`;
	for (const Range of [undefined, 'bytes=0-9', 'bytes=99999-']) {
		const head = await expectCall(200, 'functionary', 'HEAD', path, { headers: Range ? { Range } : {} });
		assert.deepEqual(['content-length', 'etag', 'accept-ranges', 'content-type'].map(name => head.headers[name]),
			['70000', `"${file.id}"`, 'bytes', 'application/octet-stream']);
		assert.equal(head.headers['content-disposition'], undefined, 'its name would have to be opened');
	}
	for (const tag of [`"${file.id}"`, '*']) {
		const same = await expectCall(304, 'functionary', 'GET', path, { headers: { 'If-None-Match': tag } });
		assert.equal(same.headers.etag, `"${file.id}"`);
	}
	for (const options of [{}, { headers: { 'If-None-Match': `"${file.id}"` } }]) {
		assert.equal((await call('outsider', options.headers ? 'GET' : 'HEAD', path, options)).status, 404);
	}
	const count = async () => (await custody(c)).filter(item => item.action === 'open').length;
	assert.equal(await count(), 0);
	assert.deepEqual(await query(`select count(*)::int from conduct.attachment_read where case_id = '${c.id}'`), [['0']]);
	await expectCall(200, 'functionary', 'GET', path, { headers: { 'If-None-Match': '"another"' } });
	assert.equal(await count(), 1);
});

test('a download is one event, however many parts it comes in', async () => {
	const c = await reported();
	const file = await add({ receipt: c.receipt }, own, randomBytes(200000));
	for (const range of ['bytes=0-99999', 'bytes=100000-', 'bytes=-5']) {
		await opens(c, file, 'functionary', range);
	}
	const count = async () => (await custody(c)).filter(item => item.action === 'open').length;
	assert.equal(await count(), 1);
	await opens(c, file, 'functionary2', 'bytes=100000-');
	assert.equal(await count(), 2, 'somebody else');
	await opens(c, file, 'functionary');
	assert.equal(await count(), 3, 'from its beginning');
	pass('2h');
	await opens(c, file, 'functionary', 'bytes=7-');
	assert.equal(await count(), 4, 'much later');
	const { items: [item] } = (await expectCall(200, 'functionary', 'GET', paths(c))).body;
	assert.equal(item.readings.length, 6, 'the file itself lists every part');
});

test('page by page the history is the same', async () => {
	const c = await reported();
	for (let i = 0; i < 3; i++) {
		const file = await add({ receipt: c.receipt }, own, Buffer.from(`${i}`));
		await opens(c, file, 'functionary');
	}
	await c.act('functionary', 'claim');
	const whole = await events(c);
	assert.equal(whole.length, 8);
	for (const limit of [1, 3]) {
		const pages = [];
		for (let path = `/v1/cases/${c.id}/events?limit=${limit}`; path;) {
			const { body } = await expectCall(200, 'functionary', 'GET', path);
			assert.ok(body.items.length <= limit);
			pages.push(...body.items);
			path = body.next && `/v1/cases/${c.id}/events?limit=${limit}&cursor=${encodeURIComponent(body.next)}`;
		}
		assert.deepEqual(pages, whole);
	}
});

test('who does not see the case sees no custody: recused, excluded, of another body, a party, nobody', async () => {
	const c = await reported({ exclude_handlers: [{ user: people.functionary5.user, reason: 'A friend of his.' }] });
	const file = await add({ receipt: c.receipt }, own, Buffer.from('A picture.'));
	await c.act('functionary', 'claim');
	await opens(c, file, 'functionary3');
	await c.act('functionary3', 'recuse', { kind: 'full', reason: 'We know each other.' }, { status: 204 });
	for (const who of ['functionary3', 'functionary5', 'outsider']) {
		await seesNothing(who, c);
		assertProblem(await call(who, 'GET', paths(c)), 404, 'conduct-not-found');
	}
	for (const [who, status] of [['reporter', 404], ['respondent', 404], [null, 401], [{ receipt: c.receipt }, 401]]) {
		const answer = await call(who, 'GET', `/v1/cases/${c.id}/events`);
		assert.equal(answer.status, status);
		assert.ok(!answer.text.includes(file.id));
	}
	// That they read it before stays.
	assert.deepEqual((await custody(c)).map(item => [item.action, item.actor]),
		[['add', null], ['open', await personOf('functionary3')]]);
});

test('what the panel of an appeal brings and reads is not told to who decided before', async () => {
	const { c } = await matter.resolved();
	const first = await add('functionary', paths(c), Buffer.from('Of the first instance.'));
	await opens(c, first, 'functionary2');
	const proceeding = await appeal(c);
	await hear(c, proceeding);
	const second = await add('arbitrator1', paths(c), Buffer.from('Of the panel.'));
	await opens(c, first, 'arbitrator1');
	await opens(c, second, 'arbitrator2');
	const panel = (await custody(c, 'arbitrator3')).map(item => [item.action, item.facts.attachment]);
	assert.deepEqual(panel, [['add', first.id], ['open', first.id], ['add', second.id], ['open', first.id], ['open', second.id]]);
	const history = await events(c);
	assert.deepEqual(history.filter(item => item.kind === 'file').map(item => [item.action, item.facts.attachment]),
		[['add', first.id], ['open', first.id]]);
	const { body: files } = await expectCall(200, 'functionary', 'GET', paths(c));
	assert.deepEqual(files.items.map(item => [item.id, item.readings.map(r => r.person)]), [[first.id, [await personOf('functionary2')]]]);
	const words = JSON.stringify([history, files]);
	for (const who of ['arbitrator1', 'arbitrator2']) {
		assert.ok(!words.includes(await personOf(who)), who);
	}
});

/** What a party is told has arrived, and how many pages that took. */
async function arrived(who, { limit = 50, query = '' } = {}) {
	const items = [];
	let pages = 0;
	for (let cursor = ''; cursor !== null; pages++) {
		const { body } = await expectCall(200, who, 'GET', `${own}?limit=${limit}${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
		items.push(...body.items);
		cursor = body.next;
	}
	return { items, pages };
}

test('who reports by receipt sees which of their files have arrived', async () => {
	const c = await reported();
	const me = { receipt: c.receipt };
	assert.deepEqual((await arrived(me)).items, []);
	const sent = [randomBytes(70000), Buffer.from('GIF89a, a picture'), Buffer.from('Words.')];
	const told = [];
	for (const bytes of sent) {
		told.push(await add(me, own, bytes));
	}
	const { items } = await arrived(me);
	assert.deepEqual(items, told.map((file, i) => ({ ...file, sha256: sha256(sent[i]) })));
	assert.deepEqual(items.map(item => [item.media_type, item.size]), [['application/octet-stream', 70000], ['image/gif', 17], ['text/plain', 6]]);
	const paged = await arrived(me, { limit: 2 });
	assert.deepEqual([paged.items, paged.pages], [items, 2]);
	// The same by account.
	assert.deepEqual((await arrived('reporter', { query: `&participation=${await c.party('reporter')}` })).items, items);
});

test('what is cut before its end has not arrived, and nobody else\'s file is there', async () => {
	const { c } = await matter.review();
	const me = { receipt: c.receipt };
	const mine = await add(me, own, Buffer.from('Mine.'));
	await add('functionary', paths(c), Buffer.from('Of a handler.'));
	const respondent = await c.party('respondent');
	const theirs = `participation=${respondent}`;
	assertProblem(await call('respondent', 'GET', `${own}?${theirs}`), 404, 'conduct-not-found');
	await c.act('functionary', 'notify_respondent', notice(respondent));
	const answer = await add('respondent', `${own}?${theirs}`, Buffer.from('My side.'));
	assert.deepEqual((await arrived('respondent', { query: `&${theirs}` })).items.map(item => item.id), [answer.id]);
	assert.deepEqual((await arrived(me)).items.map(item => item.id), [mine.id]);
	assertProblem(await call('reporter', 'GET', `${own}?${theirs}`), 404, 'conduct-not-found');
	assertProblem(await call('functionary', 'GET', `${own}?participation=${await c.party('reporter')}`), 404, 'conduct-not-found');
	assertProblem(await call(null, 'GET', own), 401);
	const lost = http.request({ host: base.hostname, port: base.port, method: 'POST', path: own, headers: {
		Authorization: `Receipt ${c.receipt}`, 'Idempotency-Key': randomUUID(), 'Content-Length': 200000 } });
	lost.on('error', () => {});
	lost.write(randomBytes(100000));
	await until('some of it is there', async () => (await query(`select count(*) from conduct.attachment_chunk k
		join conduct.attachment_upload u using (attachment_id) where u.case_id = '${c.id}'`))[0][0] === '1');
	assert.equal((await arrived(me)).items.length, 1);
	lost.destroy();
	await until('it is forgotten', async () => (await query(`select count(*) from conduct.attachment_upload where case_id = '${c.id}'`))[0][0] === '0');
	assert.equal((await arrived(me)).items.length, 1);
});
