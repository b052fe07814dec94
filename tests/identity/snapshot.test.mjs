// Reported revisions are fetched while they are there, also from a wiki that makes trouble; what cannot be had
// is said so, and comes to an end.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import { call, expectCall, reportBody, sql, takeKeys } from '../harness/api.mjs';
import { FUNCTIONARIES } from '../harness/cases.mjs';
import { Daemon, conductctl, conductd, ownFile, postgres, readMetrics, stack, until, writeConfig } from '../fault/parts.mjs';
import { CONTACT, REVISION, Wiki, reply } from './wiki.mjs';

const limit = { timeout: 180000 };
const PRIVATE = 'http://10.0.0.1';
let wiki;
let daemon;
let config;
let handler;
let nth = 100;

function configure(rest = `${wiki.iss}/w/rest.php`) {
	const issuer = wiki.issuer({ keys: [ownFile(`${stack}/wiki.pub`, wiki.key.pem, 0o644)], more: `    rest: "${rest}"\n    wikis: [enwiki]\n` });
	return writeConfig('snapshot', text => `contact: ${CONTACT}\njobs: {snapshots: 1s}\n`
		+ text.replace(/issuers:\n(.*\n)*(?=processes)/, issuer), 'processes: {web: 1, drain: 20s}\n');
}

before(async () => {
	await postgres.start();
	// What other files reported is none of this wiki's.
	sql(`insert into conduct.snapshot (incident_id, case_id, state, wanted_at, next_at, ended_at)
		select incident_id, case_id, 'given_up', now(), now(), now() from conduct.incident on conflict do nothing`);
	sql(`update conduct.snapshot set state = 'given_up', ended_at = now() where state = 'waiting'`);
	wiki = await new Wiki().start();
	config = configure();
	daemon = new Daemon(config).start();
	await daemon.ready();
	handler = { authorization: `Bearer ${wiki.token({ id: 5901, name: 'Snapshot Handler' })}` };
	await expectCall(200, handler, 'GET', '/v1/me');
	const { status, stdout, stderr } = conductctl('-c', config, 'grant', '--person', 'Snapshot Handler', '--role', 'functionary',
		'--body', FUNCTIONARIES, '--until', '2099-01-01T00:00:00Z');
	assert.equal(status, 0, stdout + stderr);
});

after(async () => {
	await daemon?.kill();
	await wiki?.stop();
	postgres.stop();
});

/** A report about a revision; with a source, the wiki has it. */
async function reported(source, changes = {}) {
	const revision = nth += 1;
	if (source !== undefined) {
		wiki.sources.set(revision, source);
	}
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', { body: reportBody({ respondents: [{ user: 'Somebody' }], targets: [],
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'Talk:Here', revision }], ...changes }) });
	const [[id]] = sql(`select case_id from conduct.report where report_id = '${body.report}'`);
	return { id, revision, receipt: body.receipt };
}

const row = c => sql(`select state, n_tries, coalesce(attachment_id::text, ''), extract(epoch from next_at - now())::integer
	from conduct.snapshot where case_id = '${c.id}'`)[0] ?? [];
const stateOf = c => row(c)[0];
const become = (c, ...states) => until(() => `it is ${states} and not ${row(c)}\n${daemon.tail(3)}`, () => states.includes(stateOf(c)) && row(c), 20000);
const tried = (c, n) => until(() => `it was tried ${n} times and not ${row(c)}`, () => Number(row(c)[1]) >= n && row(c), 20000);
const hurry = c => sql(`update conduct.snapshot set next_at = now() - interval '1 minute' where case_id = '${c.id}' and state = 'waiting'`);
const requests = revision => wiki.requests.filter(one => one.path === `${REVISION}${revision}`);
const asked = c => requests(c.revision).length;
const shown = async c => (await expectCall(200, handler, 'GET', `/v1/cases/${c.id}`)).body.incidents[0].snapshot;

/** The documents that a case has as attachments. */
async function kept(c) {
	const { body } = await expectCall(200, handler, 'GET', `/v1/cases/${c.id}/attachments`);
	return Promise.all(body.items.filter(one => one.source === 'snapshot').map(async one =>
		JSON.parse((await expectCall(200, handler, 'GET', `/v1/cases/${c.id}/attachments/${one.id}`)).text)));
}

test('a revision is kept byte for byte, once, and the wiki is told who asks', limit, async () => {
	const source = 'You are {{rude}}.\n\n— “Zoë” 😀 \t\u0001\u2028 </script>\n'.repeat(3000);
	const c = await reported(source);
	const [, , attachment] = await become(c, 'taken');
	wiki.sources.delete(c.revision);
	const [document, ...others] = await kept(c);
	assert.deepEqual(others, []);
	assert.equal(document.source, source);
	assert.deepEqual([document.wiki, document.revision, document.page.title, document.user.name, document.timestamp],
		['enwiki', c.revision, 'Talk:Here', 'Somebody', '2026-11-20T10:00:00Z']);
	assert.equal(document.url, `${wiki.iss}${REVISION}${c.revision}`);
	const snapshot = await shown(c);
	assert.deepEqual([snapshot.state, snapshot.attachment], ['taken', attachment]);
	const { body: { items } } = await expectCall(200, handler, 'GET', `/v1/cases/${c.id}/events`);
	assert.deepEqual(items.filter(one => one.kind === 'file').map(one => [one.action, one.role, one.party, one.facts.attachment, one.facts.source]),
		[['add', 'system', null, attachment, 'snapshot'], ['open', 'handler', null, attachment, undefined]]);
	assert.equal(asked(c), 1);
	const [{ headers, method }] = requests(c.revision);
	assert.equal(method, 'GET');
	assert.match(headers['user-agent'], /^conductd\/\S+ \(conduct-ops@example\.org\)$/);
	assert.equal(headers.authorization ?? headers.cookie, undefined);
});

test('what a report says of it in the database is sealed', limit, async () => {
	const word = `canary${nth}of${process.pid}`;
	const c = await reported(`${word} `.repeat(9000));
	await become(c, 'taken');
	const [[n, found]] = sql(`select count(*), count(*) filter (where position('${word}'::bytea in k.body) > 0)
		from conduct.attachment_chunk k where k.case_id = '${c.id}'`);
	assert.ok(Number(n) > 1, `${n} chunks`);
	assert.equal(found, '0');
});

test('by the database nobody can tell which revision it was', limit, async () => {
	const revision = 76543210987;
	wiki.sources.set(revision, 'what it said');
	const c = await reported(undefined, { incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'A', revision }] });
	await become(c, 'taken');
	assert.equal((await expectCall(200, handler, 'GET', `/v1/cases/${c.id}`)).body.incidents[0].revision, revision);
	const tables = sql(`select c.oid::regclass from pg_class c where c.relkind = 'r' and c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace)`);
	assert.ok(tables.length > 50);
	for (const [table] of tables) {
		assert.deepEqual(sql(`select count(*) from ${table} t where to_jsonb(t)::text like '%${revision}%'`), [['0']], table);
	}
});

test('one whose number does not open is tried again, and none waits for it', limit, async () => {
	wiki.revision = response => reply(response, 503, 'away', 'text/plain');
	const damaged = await reported('x');
	await tried(damaged, 1);
	const giveBack = takeKeys(`select unit_id from conduct.case_file where case_id = '${damaged.id}'`);
	wiki.revision = undefined;
	sql(`update conduct.snapshot set next_at = now() where state = 'waiting' and next_at < now() + interval '10 minutes'`);
	await become(await reported('beside'), 'taken');
	await tried(damaged, 2);
	await daemon.heard(/the number of a reported revision does not open/);
	giveBack();
	hurry(damaged);
	await become(damaged, 'taken');
});

test('two revisions of one report are two snapshots, and a page without one is none', limit, async () => {
	wiki.sources.set(7001, 'one');
	wiki.sources.set(7002, 'two');
	const c = await reported(undefined, { incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'A', revision: 7001 },
		{ venue: 'on_wiki', wiki: 'enwiki', page: 'B', revision: 7002 }, { venue: 'on_wiki', wiki: 'enwiki', page: 'C' }] });
	await until('both are there', () => sql(`select count(*) from conduct.snapshot where case_id = '${c.id}' and state = 'taken'`)[0][0] === '2', 20000);
	assert.deepEqual((await kept(c)).map(one => one.source).sort(), ['one', 'two']);
	assert.deepEqual(sql(`select count(*) from conduct.snapshot where case_id = '${c.id}'`), [['2']]);
});

test('a wiki that nobody is configured for is not asked, and waits', limit, async () => {
	const c = await reported('x', { wiki: 'dewiki', incidents: [{ venue: 'on_wiki', wiki: 'dewiki', page: 'A', revision: 7100 }] });
	await until('it is put off', () => Number(row(c)[3]) > 3000, 20000);
	assert.equal(stateOf(c), 'waiting');
	assert.equal(requests(7100).length, 0);
});

for (const [what, state, answer] of [
	['does not have', 'gone', undefined],
	['hides', 'hidden', response => reply(response, 403, { errorKey: 'rest-permission-denied-revision', httpCode: 403 })],
]) {
	test(`a revision that the wiki ${what} is ${state} when it says so again`, limit, async () => {
		wiki.revision = answer;
		const c = await reported();
		await tried(c, 1);
		assert.equal(stateOf(c), 'waiting');
		hurry(c);
		await become(c, state);
		wiki.revision = undefined;
		assert.deepEqual([(await shown(c)).state, await kept(c)], [state, []]);
	});
}

// Trouble -------------------------------------------------------------------------------------------

const revision = (id, more = {}) => ({ id, timestamp: '2026-11-20T10:00:00Z', page: { id: 7, key: 'A', title: 'A' }, source: 'x', ...more });
const large = bytes => response => reply(response, 200, `{"source":"${'x'.repeat(bytes)}"}`);
const trouble = [
	['garbage', (response, id) => reply(response, 200, `{"id": ${id}, "sour`)],
	['a page', response => reply(response, 200, '<!DOCTYPE html><title>Wiki</title>', 'text/html')],
	['another revision', (response, id) => reply(response, 200, revision(id + 1))],
	['no source', (response, id) => reply(response, 200, revision(id, { source: undefined }))],
	['a 404 of somebody else', response => reply(response, 404, '<h1>Not Found</h1>', 'text/html')],
	['a 403 of somebody else', response => reply(response, 403, { errorKey: 'rest-read-denied' })],
	['a redirect to a private address', (response, id) => reply(response, 302, '', 'text/plain', { Location: `${PRIVATE}${REVISION}${id}` })],
	['a redirect to itself', (response, id) => reply(response, 307, '', 'text/plain', { Location: `${wiki.iss}/elsewhere/${id}` })],
	['500', response => reply(response, 500, { errorKey: 'rest-nonexistent-revision' })],
	['an end in the middle', response => { response.writeHead(200, { 'Content-Length': 100 }); response.write('{"id"'); setImmediate(() => response.destroy()); }],
	['no HTTP at all', response => { response.socket.end('hello\r\n\r\n'); }],
	['nothing for too long', () => {}],
];

test('an answer that cannot be believed is asked for again, and nothing is kept of it', { timeout: 180000 }, async () => {
	for (const [what, answer] of trouble) {
		wiki.revision = answer;
		const c = await reported('the truth');
		const [state, n, , wait] = await tried(c, 1);
		assert.deepEqual([state, n], ['waiting', '1'], what);
		assert.ok(wait > 30 && wait <= 61, `${what}: again in ${wait} s`);
		assert.equal(asked(c), 1, what);
		wiki.revision = undefined;
		hurry(c);
		await become(c, 'taken');
		assert.deepEqual((await kept(c)).map(one => one.source), ['the truth'], what);
		sql(`update conduct.snapshot set next_at = now() where state = 'waiting' and next_at < now() + interval '10 minutes'`);
	}
	assert.equal(wiki.asked('/elsewhere').length, 0, 'a redirect was followed');
});

test('a wiki that wants a pause gets it, for everything that is there', limit, async () => {
	wiki.revision = response => reply(response, 429, 'x', 'text/plain', { 'Retry-After': '900' });
	const c = await reported('later');
	const [, , , wait] = await tried(c, 1);
	assert.ok(wait > 850 && wait <= 901, `again in ${wait} s`);
	wiki.revision = undefined;
	hurry(c);
	await become(c, 'taken');
});

test('a source of 2 MiB is kept, and none that is larger', { timeout: 120000 }, async () => {
	const most = await reported('x'.repeat(2 << 20));
	await become(most, 'taken');
	assert.equal((await kept(most))[0].source.length, 2 << 20);
	const more = await reported('x'.repeat((2 << 20) + 1));
	await become(more, 'too_large');
	wiki.revision = large(7 << 20);
	const endless = await reported('x');
	await become(endless, 'too_large');
	wiki.revision = undefined;
	assert.deepEqual([await kept(more), await kept(endless)], [[], []]);
	assert.equal((await shown(more)).state, 'too_large');
});

test('after eight tries it is given up, and handlers see that', { timeout: 120000 }, async () => {
	wiki.revision = response => reply(response, 503, 'away', 'text/plain');
	const c = await reported('x');
	for (let n = 1; n <= 8; n++) {
		await tried(c, n);
		hurry(c);
	}
	wiki.revision = undefined;
	assert.deepEqual(row(c).slice(0, 2), ['given_up', '8']);
	assert.equal((await shown(c)).state, 'given_up');
	assert.equal(asked(c), 8);
});

// Never ---------------------------------------------------------------------------------------------

test('of sexual material with minors there is neither snapshot nor attachment', limit, async () => {
	const before_ = (await readMetrics()).get('conductd_snapshots_total{state="link_only"}');
	const never = [{ category: 'sexual-harassment' }, { category: 'other' }, { category: null }];
	for (const changes of never) {
		const c = await reported('x', { minor_at_risk: true, ...changes });
		await become(c, 'link_only');
		assert.equal(asked(c), 0);
		const answer = await call({ receipt: c.receipt }, 'POST', '/v1/receipt/attachments', { raw: Buffer.from('GIF89a'),
			headers: { 'Content-Type': 'application/octet-stream', 'Conduct-Filename': 'a.gif' } });
		assert.equal(answer.status, 409, answer.text);
		assert.deepEqual(sql(`select count(*) from conduct.attachment where case_id = '${c.id}'`), [['0']]);
	}
	for (const changes of [{ category: 'doxing', minor_at_risk: true }, { category: 'sexual-harassment' }]) {
		await become(await reported('x', changes), 'taken');
	}
	assert.equal((await readMetrics()).get('conductd_snapshots_total{state="link_only"}') - before_, never.length);
});

test('what was fetched shows in the metrics', limit, async () => {
	const metrics = await readMetrics();
	for (const state of ['taken', 'gone', 'hidden', 'too_large', 'given_up']) {
		assert.ok(metrics.get(`conductd_snapshots_total{state="${state}"}`) >= 1, state);
	}
	for (const outcome of ['answered', 'refused', 'unusable', 'late', 'unreachable']) {
		assert.ok(metrics.get(`conductd_wiki_requests_total{call="revision",outcome="${outcome}"}`) >= 1, outcome);
	}
});

test('another address is taken on a reload, and a wrong one is refused', limit, async () => {
	const other = await new Wiki().start();
	try {
		// In its place: a process that is confined sees no file that takes it.
		const give = rest => writeFileSync(config, readFileSync(config, 'utf8').replace(/rest: ".*"/, `rest: "${rest}"`));
		give(`${other.iss}/w/rest.php`);
		other.sources.set(nth + 1, 'from the other');
		daemon.signal('SIGHUP');
		await daemon.heard(/reloaded/);
		const c = await reported();
		await become(c, 'taken');
		assert.deepEqual((await kept(c)).map(one => one.source), ['from the other']);
		assert.equal(asked(c), 0);
		give('http://wiki.example/w/rest.php');
		const { status, stderr } = conductd('-n', '-c', config);
		assert.notEqual(status, 0);
		assert.match(stderr, /has a rest that is no address/);
	} finally {
		await other.stop();
	}
});

test('it ends in order', limit, () => daemon.stop());
