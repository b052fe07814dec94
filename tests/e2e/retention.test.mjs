// What must be forgotten is forgotten: on request and by time, not while something stands against it, not by
// halves, and with a log that goes on being verified.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { assertProblem, call, conninfo, expectCall, inDays, moveClock, ops, people, runTimers, sql, stack } from '../harness/api.mjs';
import { verifyBundle } from '../harness/audit.mjs';
import { decide, intake, matter, reported, turnDown } from '../harness/cases.mjs';
import { linesOf } from '../harness/lines.mjs';

const top = new URL('../../', import.meta.url).pathname;
const ctl = (...args) => [`${top}build-asan/conductctl`, ['-c', `${stack}/conductd.yaml`, ...args]];
const bundle = `${stack}/erasure.bundle`;
const WAIT_MS = 60000;

after(() => rmSync(bundle, { force: true }));

async function until(what, look) {
	const end = Date.now() + WAIT_MS;
	for (;;) {
		const found = await look();
		if (found) return found;
		assert.ok(Date.now() < end, `waited for: ${what}`);
	}
}

const logged = () => until('everything has its number', () => sql('select 1 from conduct.audit_pending limit 1').length === 0);

/** What the worker does every minute, now: until nothing is due. Returns what was done. */
async function erase() {
	const outcomes = [];
	for (;;) {
		await logged();
		const done = sql("select (conduct_api_1.retention_run()).body ->> 'outcome' from generate_series(1, 20)")
			.map(([outcome]) => outcome).filter(outcome => outcome !== 'none');
		assert.ok(!done.includes('failed'));
		outcomes.push(...done);
		if (done.length) continue;
		const [[soon]] = sql(`select (select count(*) from conduct.erasure_request where next_at < conduct.clock() + interval '2 min')
			+ (select count(*) from conduct.retention where next_at < conduct.clock() + interval '2 min')`);
		if (soon === '0') return outcomes;
		moveClock('61s');
	}
}

/** Time passes behind the worker's back: what is asked for by then is answered, so that nothing becomes overdue. */
async function pass(time) {
	await erase();
	moveClock(time);
	runTimers();
	return erase();
}

const ask = c => expectCall(202, { receipt: c.receipt }, 'POST', '/v1/receipt/erasure');
const erasureOf = async c => (await expectCall(200, { receipt: c.receipt }, 'GET', '/v1/receipt')).body.erasure;
const look = c => call({ receipt: c.receipt }, 'GET', '/v1/receipt');

/** A report with words that occur nowhere else, and the conversation about it. */
async function told(name, changes = {}) {
	const c = await reported({ details: `canary-${name}-details`, identity: 'named', contact: `${name}@example.org`, ...changes });
	await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/messages', { body: { text: `canary-${name}-said` } });
	await c.act('functionary', 'claim');
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=reporter`, { body: { text: `canary-${name}-answer` } });
	return c;
}

/** Whether a case is as it was, erased, or something in between. */
function wholeness(id) {
	const [[words, parties, receipts, stanzas, erased]] = sql(`select
		(select count(*) from conduct.content c where c.body <> '' and c.unit_id in (select unit_id from conduct.case_file
			where case_id = '${id}' union select unit_id from conduct.report where case_id = '${id}')),
		(select count(*) from conduct.party where case_id = '${id}' and num_nonnulls(id_ix, name_ix) > 0),
		(select count(*) from conduct.receipt where case_id = '${id}'),
		(select count(*) from keyring.stanza s where s.unit_id in (select unit_id from conduct.case_file
			where case_id = '${id}' union select unit_id from conduct.report where case_id = '${id}')),
		(select count(*) from conduct.erasure where case_id = '${id}' and extent = 'text')`).map(row => row.map(Number));
	if (erased === 0) return words > 0 && parties > 0 && receipts > 0 ? 'whole' : `${words} ${parties} ${receipts} ${stanzas}`;
	return words + parties + receipts + stanzas === 0 ? 'erased' : `left: ${words} ${parties} ${receipts} ${stanzas}`;
}

/** Bytes of the database that are to be gone: of words and keys of a case, and of what the log kept of it. */
function bytesOf(id) {
	return sql(`with u as (select unit_id from conduct.case_file where case_id = '${id}' union select unit_id from conduct.report
			where case_id = '${id}')
		select encode(body, 'hex') from conduct.content where unit_id in (select unit_id from u) and kind <> 'name' and octet_length(body) > 12
		union select encode(blob, 'hex') from keyring.stanza where unit_id in (select unit_id from u)
		union select encode(p.salt, 'hex') from conduct.audit_payload p where p.case_id = '${id}' and unit_id is null
		union select encode(p.salt, 'hex') from conduct.audit_payload p where p.unit_id in (select unit_id from u)`).map(([hex]) => hex);
}

test('a request is answered, waits for what is open, and is done when nothing stands against it', async () => {
	const c = await told('asked');
	const { body: file } = await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/attachments', { raw: Buffer.from('canary-asked-file') });
	const { body } = await ask(c);
	assert.equal(body.state, 'asked');
	assert.equal(Date.parse(body.due_at) - Date.parse(body.requested_at), 30 * 86400e3);
	await erase();
	const waiting = await erasureOf(c);
	assert.deepEqual([waiting.state, waiting.answer, waiting.until], ['waiting', 'open', null]);
	assert.deepEqual((await ask(c)).body, waiting, 'asked again, it is the same request');
	await c.act('functionary', 'decline', turnDown());
	await pass('2d');
	const window = await erasureOf(c);
	assert.deepEqual([window.state, window.answer], ['waiting', 'window']);
	assert.ok(Date.parse(window.until) > Date.parse(window.requested_at));
	const before = await c.show();
	assert.equal(before.reports[0].details, 'canary-asked-details');
	await pass('31d');
	assertProblem(await look(c), 410, 'conduct-erased');
	assertProblem(await call({ receipt: c.receipt }, 'GET', '/v1/receipt/messages'), 410, 'conduct-erased');
	assertProblem(await call({ receipt: c.receipt }, 'POST', '/v1/receipt/erasure'), 410, 'conduct-erased');
	const now = await c.show();
	assert.equal(now.reports[0].details, null, 'words of the reporter are null');
	assert.deepEqual(now.parties.map(p => [p.role, p.user]), [['reporter', null], ['target', null], ['respondent', before.parties[2].user]]);
	const { body: messages } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/messages?channel=reporter`);
	assert.equal(messages.items[0].text, null, 'the list is there, what the reporter said is not');
	const { body: history } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/events`);
	assert.ok(history.items.length > 4);
	assert.deepEqual(history.items.filter(item => item.kind === 'file').map(item => [item.action, item.role, item.party, item.facts.attachment,
		item.facts.extent, item.facts.sha256]), [['add', 'reporter', now.parties[0].id, file.id, undefined, null],
		['erase', 'system', now.parties[0].id, file.id, 'party', undefined]], 'the history keeps that there was a file, and when it went');
	await expectCall(404, 'reporter', 'GET', `/v1/receipt?participation=${now.parties[0].id}`);
});

test('of a witness not even the name stays, and of a reporter not whom they feared', async () => {
	const c = await told('kept-out', { exclude_handlers: [{ user: 'Nobody of this wiki', reason: 'canary-kept-out-reason' }] });
	const { word } = await c.act('functionary', 'invite_witness', { name: 'canary-kept-out-witness', question: 'What did you see?' });
	const { body: { receipt } } = await expectCall(201, null, 'POST', '/v1/receipt/prove', { body: { word } });
	await expectCall(201, { receipt }, 'POST', '/v1/receipt/messages', { body: { text: 'canary-kept-out-seen' } });
	// What a reporter says of others is sealed with what the reporter tells, and goes with that key.
	const reasons = () => sql(`select u.kind, octet_length(c.body) > 0, count(s.blob) from conduct.recusal r
		join conduct.content c on c.content_id = r.reason_content join conduct.unit u on u.unit_id = c.unit_id
		left join keyring.stanza s on s.unit_id = c.unit_id and s.generation = c.generation and s.kind = 'vault'
		where r.case_id = '${c.id}' group by 1, 2`);
	assert.deepEqual(reasons(), [['report', 't', '1']]);
	const names = sql(`select name_content from conduct.party where case_id = '${c.id}' and role = 'witness'`);
	await c.act('functionary', 'decline', turnDown());
	for (const who of [c, { receipt }]) await ask(who);
	await pass('31d');
	assert.deepEqual([(await look(c)).status, (await look({ receipt })).status], [410, 410]);
	assert.deepEqual(reasons(), [['report', 'f', '0']]);
	assert.deepEqual(sql(`select octet_length(body) from conduct.content where content_id = '${names[0][0]}'`), [['0']]);
	const { body } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/messages?channel=witness`);
	assert.deepEqual(body.items.map(({ text }) => text), ['What did you see?', null]);
});

test('whoever was a party is kept out of the case when that is forgotten', async () => {
	const c = await told('apart', { targets: [] });
	const own = await reported({ targets: [] }, 'functionary4');
	const { party } = await c.act('functionary', 'invite_witness', { user: people.functionary5.user, question: 'Were you there?' });
	const parties = [[c, 'functionary5', party], [own, 'functionary4', await own.party('reporter')]];
	await own.act('functionary', 'claim');
	for (const [a, who, id] of parties) {
		await a.act('functionary', 'decline', turnDown());
		await expectCall(202, who, 'POST', `/v1/receipt/erasure?participation=${id}`);
	}
	await pass('31d');
	for (const [a, who, id] of parties) {
		await expectCall(404, who, 'GET', `/v1/receipt?participation=${id}`);
		await expectCall(404, who, 'GET', `/v1/cases/${a.id}`);
		await a.show('functionary6');
	}
	// What is left of it says of nobody that they reported or saw something.
	assert.deepEqual(sql(`select source, reason_content, name_ix from conduct.recusal where case_id = '${own.id}'`), [['declared', '', '']]);
	await pass('91d');
	assert.deepEqual(sql(`select 1 from conduct.recusal where case_id in ('${c.id}', '${own.id}')`), []);
});

test('what a respondent says after an erasure can be erased as well', async () => {
	const { c } = await matter.heard();
	await decide(c);
	await pass('31d');
	const { who, query } = await c.as('respondent');
	const say = text => expectCall(201, who, 'POST', `/v1/receipt/messages${query}`, { body: { text } });
	const said = async () => (await expectCall(200, who, 'GET', `/v1/receipt/messages${query}`)).body.items
		.filter(({ from }) => from === 'party').map(({ text }) => text);
	const request = async () => (await expectCall(202, who, 'POST', `/v1/receipt/erasure${query}`)).body.state;
	assert.equal(await request(), 'asked');
	await erase();
	await say('One more word.');
	assert.deepEqual(await said(), [null, 'One more word.']);
	assert.equal(await request(), 'asked', 'what was done once is asked for again');
	await erase();
	assert.deepEqual(await said(), [null, null]);
	assert.equal((await expectCall(200, who, 'GET', `/v1/receipt${query}`)).body.erasure.state, 'erased');
});

test('after its time an erased receipt is as unknown as any other', async () => {
	const c = await told('unknown');
	await c.act('functionary', 'decline', turnDown());
	await ask(c);
	await pass('31d');
	assert.equal((await look(c)).status, 410);
	moveClock('91d');
	const [gone, never] = [await look(c), await call({ receipt: '00000-00000-00000-00000-00000-0000' }, 'GET', '/v1/receipt')];
	const bare = answer => answer.text.trimEnd().replace(/"instance":"[^"]*"/, '');
	assert.deepEqual([gone.status, bare(gone)], [404, bare(never)]);
});

test('a legal hold stops every erasure; an administrator places, lists and ends one without seeing the case', async () => {
	const c = await told('held');
	await c.act('functionary', 'decline', turnDown());
	await c.act('functionary', 'hold', { reason: 'A complaint to the police.', until: await inDays(400) }, { status: 422 });
	await c.act('functionary', 'hold', { reason: 'A complaint to the police.', until: await inDays(-1) }, { status: 422 });
	await c.act('functionary', 'hold', { reason: 'canary-held-reason', until: await inDays(150) });
	await ask(c);
	await pass('120d');
	assert.equal((await erasureOf(c)).answer, 'hold');
	assert.equal(wholeness(c.id), 'whole');
	const wish = { case: c.id, ground: 'court_order', until: await inDays(300) };
	for (const who of ['functionary', 'reporter', 'auditor']) await expectCall(403, who, 'POST', '/v1/admin/holds', { body: wish });
	const { body: hold } = await expectCall(201, 'admin', 'POST', '/v1/admin/holds', { body: wish });
	assert.deepEqual([hold.role, hold.ground, hold.ended_at], ['admin', 'court_order', null]);
	assertProblem(await call('admin', 'POST', '/v1/admin/holds', { body: { ...wish, case: hold.id } }), 422);
	const listed = await expectCall(200, 'admin', 'GET', '/v1/admin/holds?limit=2');
	assert.ok(!listed.text.includes(c.id) && !listed.text.includes('canary'), 'no case is told');
	assert.equal(listed.body.items[0].id, hold.id);
	await pass('60d');
	assert.equal(wholeness(c.id), 'whole', 'the first hold is over, the second is not');
	for (const who of ['functionary', null]) await expectCall(who ? 403 : 401, who, 'DELETE', `/v1/admin/holds/${hold.id}`);
	await expectCall(204, 'admin', 'DELETE', `/v1/admin/holds/${hold.id}`);
	await pass('2d');
	assert.equal((await look(c)).status, 410);
});

test('the text of a case goes by time, later while a sanction lasts; handlers find nothing any more', async () => {
	const { c } = await matter.heard();
	await decide(c);
	const blocked = (await matter.heard()).c;
	await decide(blocked, { sanction: 'page-ban', scope: { wiki: 'enwiki' }, until: await inDays(85) });
	await pass('31d');
	await pass('80d');
	assert.deepEqual([c, blocked].map(x => wholeness(x.id)), ['whole', 'whole']);
	await pass('15d');
	assert.deepEqual([c, blocked].map(x => wholeness(x.id)), ['erased', 'whole']);
	await expectCall(404, 'functionary', 'GET', `/v1/cases/${c.id}`);
	await pass('40d');
	assert.equal(wholeness(blocked.id), 'whole');
	await pass('15d');
	assert.equal(wholeness(blocked.id), 'erased');
	const left = sql(`select kind || ' ' || state from conduct.proceeding where case_id = '${c.id}' order by 1`);
	assert.deepEqual(left, [['intake accepted'], ['matter final']], 'the skeleton stays');
});

test('both verifiers go on, say how much is erased, and find what is rolled back or emptied behind the log', async () => {
	await logged();
	const found = async () => {
		rmSync(bundle, { force: true });
		execFileSync(...ctl('audit', 'export', '--out', bundle), { timeout: WAIT_MS });
		const own = await promisify(execFile)(...ctl('audit', 'verify', bundle), { timeout: WAIT_MS }).catch(error => error);
		assert.ok(own.code === undefined || own.code === 1, own.stderr);
		return { text: own.stdout, own: own.stdout.match(/^fault: .*$/gm) ?? [], other: (await verifyBundle(bundle, [key])).faults };
	};
	const key = execFileSync(...ctl('audit', 'key'), { encoding: 'utf8' }).trim();
	const [[size]] = sql('select count(*) from conduct.audit_leaf');
	await until('a signed head', async () => (await expectCall(200, null, 'GET', '/v1/audit/checkpoint')).body.size >= Number(size));
	const good = await found();
	assert.deepEqual([good.own, good.other], [[], []]);
	const [[erased]] = sql('select count(*) from conduct.audit_leaf l where not exists (select from conduct.audit_payload p where p.leaf_index = l.leaf_index)');
	assert.ok(Number(erased) > 10);
	assert.match(good.text, new RegExp(`\\(${erased} erased by [1-9]\\d* erasures\\)`));
	const tamper = async (table, how, undo) => {
		const past = text => `begin; alter table conduct.${table} disable trigger all; ${text}; alter table conduct.${table} enable trigger all;
			do $$ declare v record; begin for v in select tgname from pg_trigger where tgrelid = 'conduct.${table}'::regclass
			loop execute format('alter table conduct.${table} enable always trigger %I', v.tgname); end loop; end $$; commit`;
		sql(past(how));
		const faults = await found();
		sql(past(undo));
		assert.ok(faults.own.length && faults.other.length, how);
		return faults;
	};
	const [[party, at]] = sql(`select p.party_id, p.added_at from conduct.party p join conduct.erasure e on e.case_id = p.case_id
		and e.extent = 'text' limit 1`);
	await tamper('party', `update conduct.party set added_at = added_at - interval '1 day' where party_id = '${party}'`,
		`update conduct.party set added_at = '${at}' where party_id = '${party}'`);
	const [[leaf]] = sql('select max(leaf_index) from conduct.audit_payload');
	sql(`create table kept as select * from conduct.audit_payload where leaf_index = ${leaf}`);
	const emptied = await tamper('audit_payload', `delete from conduct.audit_payload where leaf_index = ${leaf}`,
		`insert into conduct.audit_payload select * from kept`);
	assert.match(emptied.own.join(), /1 entries were emptied, and no erasure names them/);
	sql('drop table kept');
	assert.deepEqual((await found()).own, []);
});

test('whoever kills the worker finds each case whole or erased, and the next one goes on', async () => {
	const cases = [];
	for (let i = 0; i < 6; i++) {
		const { c } = await intake.declined();
		cases.push(c);
	}
	moveClock('31d');
	runTimers();
	await logged();
	const leader = () => JSON.parse(linesOf(`${stack}/conductd.log`)
		.filter(line => line.includes('this worker leads')).at(-1))['process.pid'];
	// It stands still until all are due, so that none is done before the first kill.
	process.kill(leader(), 'SIGSTOP');
	moveClock('91d');
	let kills = 0;
	let last;
	await until('all are erased', async () => {
		const states = cases.map(c => wholeness(c.id));
		assert.ok(states.every(state => ['whole', 'erased'].includes(state)), states.join(', '));
		const n = states.filter(state => state === 'erased').length;
		if (n < cases.length && leader() !== last && kills < 5) {
			last = leader();
			process.kill(last, 'SIGKILL');
			kills += 1;
		}
		return n === cases.length;
	});
	assert.ok(kills >= 1);
	const { text } = await call(null, 'GET', '/metrics', { url: ops });
	assert.match(text, /^conductd_erasures_total\{what="text"\} \d+$/m);
	assert.match(text, /^conductd_erasure_requests_overdue_total 0$/m);
});

test('nothing of what was erased is in the files of the database', async () => {
	const c = await told('heap');
	await c.act('functionary', 'decline', turnDown());
	await logged();
	const bytes = bytesOf(c.id);
	assert.ok(bytes.length > 5);
	const holding = () => sql(`checkpoint; with file as materialized (
			select pg_read_binary_file(pg_relation_filepath(c.oid), 0, 1000000000, true) as bytes from pg_class c
			where c.relkind in ('r', 't', 'i') and c.oid >= 16384)
		select hex from unnest('{${bytes.join(',')}}'::text[]) hex
		where exists (select from file where position(decode(hex, 'hex') in file.bytes) > 0)`);
	assert.equal(holding().length, bytes.length, 'what is looked for is found before');
	await pass('31d');
	await pass('91d');
	assert.equal(wholeness(c.id), 'erased');
	for (const table of ['conduct.content', 'keyring.stanza', 'conduct.receipt', 'conduct.audit_payload', 'conduct.idempotency',
		'conduct.audit_pending']) sql(`vacuum full ${table}`);
	assert.deepEqual(holding(), []);
});

test('a restored backup is made to forget again what the log says was erased', async () => {
	const c = await told('restored');
	await c.act('functionary', 'decline', turnDown());
	await ask(c);
	await logged();
	// What is restored is here the database of before, beside the present one.
	const dump = `${stack}/before.sql`;
	const tool = (name, ...args) => execFileSync(`/usr/lib/postgresql/15/bin/${name}`, args, { timeout: WAIT_MS, stdio: 'pipe' });
	const at = database => conninfo(database);
	tool('pg_dump', '--dbname', at('conduct'), '--file', dump);
	await pass('31d');
	assert.equal((await look(c)).status, 410);
	await logged();
	rmSync(bundle, { force: true });
	execFileSync(...ctl('audit', 'export', '--out', bundle), { timeout: WAIT_MS });
	sql('drop database if exists restored', 'postgres');
	sql('create database restored', 'postgres');
	try {
		tool('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '--dbname', at('restored'), '--file', dump);
		const words = () => sql(`select count(*) from conduct.content c join conduct.report r on r.unit_id = c.unit_id
			where r.case_id = '${c.id}' and c.body <> ''`, 'restored')[0][0];
		assert.notEqual(words(), '0');
		const migrate = at('restored').replace('user=postgres', 'user=conduct_migrate').replace('postgres.pass', 'conduct_migrate.pass');
		const replay = () => execFileSync(`${top}build-asan/conductctl`, ['--database', migrate, 'erase', 'replay', bundle],
			{ encoding: 'utf8', timeout: WAIT_MS });
		assert.match(replay(), /^erased again: [1-9]\d*; not in this database: 0$/m);
		assert.equal(words(), '0');
		assert.equal(sql(`select count(*) from conduct.receipt where case_id = '${c.id}'`, 'restored')[0][0], '0');
	} finally {
		sql('drop database if exists restored', 'postgres');
		rmSync(dump, { force: true });
	}
});
