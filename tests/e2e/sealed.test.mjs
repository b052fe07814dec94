// Words are sealed: nothing readable lies in the database, a word that was moved is not shown, and without
// the vault reports, the policy and a reporter's own channel go on while reading a case waits.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { act, assertProblem, call, expectCall, ops, people, query, report, sql, stack, takeKeys } from '../harness/api.mjs';

const canary = () => `canary${randomBytes(12).toString('hex')}`;
const log = () => readFileSync(`${stack}/conductd.log`, 'utf8');
const limit = { timeout: 180000 };

/** The vault of this stack's daemon: a child of the parent of whoever wrote its log. */
function vaultPid() {
	const pids = new Set([...log().matchAll(/"process\.name":"web \d+","process\.pid":(\d+)/g)].map(([, pid]) => pid));
	const parents = new Set();
	for (const pid of pids) {
		try {
			parents.add(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
		} catch {
			// It has ended.
		}
	}
	for (const parent of parents) {
		const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
		const found = children.find(pid => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('conductd: vault'));
		if (found) {
			return Number(found);
		}
	}
	throw new Error('there is no vault');
}

async function until(what, probe) {
	const started = Date.now();
	while (!await probe()) {
		assert.ok(Date.now() - started < 60000, what);
		await new Promise(resolve => setTimeout(resolve, 100));
	}
}

const stopped = new Set();
after(() => stopped.forEach(pid => process.kill(pid, 'SIGCONT')));

/** All rows of all tables, where a word would have to be. */
function tablesWith(word) {
	const hex = Buffer.from(word).toString('hex');
	return sql(`select c.oid::regclass from pg_class c where c.relkind = 'r'
		and c.relnamespace in ('conduct'::regnamespace, 'keyring'::regnamespace)`).flat().filter(table =>
		sql(`select 1 from ${table} r where r::text like '%${word}%' or r::text like '%${hex}%' limit 1`).length > 0);
}

test('no word and no name can be read in the database', limit, async () => {
	const words = { details: canary(), page: canary(), contact: canary(), exclude: canary(), reason: canary(),
		message: canary(), reply: canary(), withdrawn: canary() };
	const one = await report('reporter', { details: words.details, contact: words.contact,
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: words.page }],
		exclude_handlers: [{ user: words.exclude, reason: words.reason }] });
	await act('functionary', one.caseId, 'claim');
	await expectCall(201, { receipt: one.receipt }, 'POST', '/v1/receipt/messages', { body: { text: words.message } });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${one.caseId}/messages?channel=reporter`,
		{ body: { text: words.reply } });
	await expectCall(200, { receipt: one.receipt }, 'POST', '/v1/receipt/actions/withdraw', { body: { reason: words.withdrawn } });
	for (const word of [...Object.values(words), people.reporter.user, people.respondent.user]) {
		assert.deepEqual(tablesWith(word), [], word);
		assert.ok(!log().includes(word), 'nor in the log');
	}
	const shown = JSON.stringify((await expectCall(200, 'functionary', 'GET', `/v1/cases/${one.caseId}`)).body);
	assert.ok(shown.includes(words.details) && shown.includes(words.page), 'whoever may read it reads it');
	const { body } = await expectCall(200, { receipt: one.receipt }, 'GET', '/v1/receipt/messages');
	assert.deepEqual(body.items.map(({ text }) => text), [words.message, words.reply]);
});

test('the database takes nothing that is not sealed, and no word without its key', async () => {
	const [[unit]] = sql('select unit_id from conduct.unit limit 1');
	for (const body of ["'What happened.'", "'\\xc5d10101'", `'\\xc5d2010100000001${'78'.repeat(284)}'`]) {
		assert.throws(() => sql(`insert into conduct.content (content_id, unit_id, kind, body)
			values (gen_random_uuid(), '${unit}', 'details', ${body})`), /content_(body_is_an_envelope|generation_is_positive)/);
	}
	assert.throws(() => sql(`set role conduct_handler; select conduct_api_1.store_words('${unit}', array[gen_random_uuid()],
		array['text'], array['\\xc5d1010100000005${'78'.repeat(284)}'::bytea])`), /without the key/);
});

const past = text => `alter table conduct.content disable trigger all; ${text};
	do $$ declare v_name text; begin for v_name in select tgname from pg_trigger where tgrelid = 'conduct.content'::regclass
	loop execute format('alter table conduct.content enable always trigger %I', v_name); end loop; end $$`;

test('words that were swapped are not shown, and the operators are told which', limit, async () => {
	const one = await report('reporter', { details: canary(), harmed: canary() });
	await act('functionary', one.caseId, 'claim');
	const [[details, harmed]] = sql(`select details_content, harmed_content from conduct.report where case_id = '${one.caseId}'`);
	const swap = past(`update conduct.content c set body = o.body from conduct.content o
		where c.content_id in ('${details}', '${harmed}') and o.content_id in ('${details}', '${harmed}')
			and c.content_id <> o.content_id`);
	sql(swap);
	const answer = await call('functionary', 'GET', `/v1/cases/${one.caseId}`);
	sql(swap);
	assertProblem(answer, 500, 'conduct-damaged');
	assert.ok(!answer.text.includes(details) && !answer.text.includes(harmed), 'a reader is told nothing of it');
	const line = log().split('\n').find(text => text.includes('a sealed word does not open'));
	assert.ok(line?.includes(details) || line?.includes(harmed), 'the log names the word');
	await expectCall(200, 'functionary', 'GET', `/v1/cases/${one.caseId}`);
});

test('a word whose key is gone is missed, and not taken for an erased one', async () => {
	const details = canary();
	const one = await report('reporter', { details });
	const giveBack = takeKeys(`select unit_id from conduct.report where case_id = '${one.caseId}'`);
	const answer = await call('functionary', 'GET', `/v1/cases/${one.caseId}`);
	giveBack();
	assertProblem(answer, 500, 'conduct-damaged');
	const { body } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${one.caseId}`);
	assert.equal(body.reports[0].details, details);
});

/** What holds without a vault, and what waits for it. */
async function withoutVault(one) {
	const emergency = { lane: 'emergency', harm_type: 'self_harm', wiki: 'enwiki', category: 'threat', details: canary() };
	await expectCall(201, null, 'POST', '/v1/reports', { body: emergency });
	const { receipt } = await report('reporter', { details: canary() });
	await expectCall(200, null, 'GET', '/v1/policy?wiki=enwiki');
	await expectCall(200, { receipt }, 'GET', '/v1/receipt');
	for (const text of ['while it is away', 'and again']) {
		await expectCall(201, { receipt }, 'POST', '/v1/receipt/messages', { body: { text } });
	}
	const { body } = await expectCall(200, { receipt }, 'GET', '/v1/receipt/messages');
	assert.deepEqual(body.items.map(({ text }) => text), ['while it is away', 'and again']);
	const key = randomBytes(16).toString('hex');
	for (const answer of [await call('functionary', 'GET', `/v1/cases/${one.caseId}`),
		await call('functionary', 'POST', `/v1/cases/${one.caseId}/messages?channel=reporter`, { body: { text: 'x' }, key })]) {
		assertProblem(answer, 503, 'conduct-vault-unavailable');
		assert.ok(Number(answer.headers['retry-after']) >= 1, 'it says when to come back');
	}
	return { receipt, key };
}

async function recovers(one, { receipt, key }) {
	await until('cases are read again', async () => (await call('functionary', 'GET', `/v1/cases/${one.caseId}`)).status === 200);
	// The same request, with the same key.
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${one.caseId}/messages?channel=reporter`, { body: { text: 'x' }, key });
	const [[caseId]] = await query(`select case_id from conduct.report order by submitted_at desc limit 1`);
	await expectCall(200, 'functionary', 'GET', `/v1/cases/${caseId}/messages?channel=reporter`);
	await expectCall(200, { receipt }, 'GET', '/v1/receipt/messages');
}

test('a vault that stands still', limit, async () => {
	const one = await report('reporter', { details: canary() });
	const pid = vaultPid();
	await expectCall(200, 'functionary', 'GET', `/v1/cases/${one.caseId}`);
	process.kill(pid, 'SIGSTOP');
	stopped.add(pid);
	const kept = await withoutVault(one);
	process.kill(pid, 'SIGCONT');
	stopped.delete(pid);
	await recovers(one, kept);
});

test('a vault that dies comes back', limit, async () => {
	const one = await report('reporter', { details: canary() });
	const pid = vaultPid();
	process.kill(pid, 'SIGKILL');
	await until('there is another vault', () => {
		try {
			return vaultPid() !== pid;
		} catch {
			return false;
		}
	});
	await until('cases are read again', async () => (await call('functionary', 'GET', `/v1/cases/${one.caseId}`)).status === 200);
	const metrics = (await call(null, 'GET', '/metrics', { url: ops })).text;
	assert.match(metrics, /^conductd_words_damaged_total [1-9]/m);
});
