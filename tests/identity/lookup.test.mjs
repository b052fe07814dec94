// Names in reports become accounts, also while the wiki makes trouble.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { call, reportBody, sql } from '../harness/api.mjs';
import { Daemon, ownFile, postgres, stack, until, writeConfig } from '../fault/parts.mjs';
import { CONTACT, Wiki, central, reply } from './wiki.mjs';

const limit = { timeout: 60000 };
let wiki;
let daemon;

before(async () => {
	await postgres.start();
	wiki = await new Wiki().start();
	const keys = [ownFile(`${stack}/wiki.pub`, wiki.key.pem, 0o644)];
	daemon = new Daemon(writeConfig('identity', text => `contact: ${CONTACT}\njobs: {lookups: 1s}\n`
		+ text.replace(/issuers:\n(.*\n)*(?=processes)/, wiki.issuer({ keys })), 'processes: {web: 1, drain: 20s}\n')).start();
	await daemon.ready();
});

after(async () => {
	await daemon?.kill();
	await wiki?.stop();
	postgres.stop();
});

async function submit(changes) {
	const answer = await call(null, 'POST', '/v1/reports', { body: reportBody({ targets: [], ...changes }) });
	assert.equal(answer.status, 201, answer.text);
	return answer.body.report;
}

const respondents = report => sql(`select y.kind, encode(y.id_ix, 'hex') from conduct.party y
	join conduct.report r on r.case_id = y.case_id where r.report_id = '${report}' and y.role = 'respondent' order by y.seq`);
const resolved = report => until('the names are known', () => {
	const rows = respondents(report);
	return rows.every(([, id]) => id !== '') && rows;
}, 15000);
const tried = report => until('they were asked for', () => Number(sql(`select count(*) from conduct.account_lookup l
	join conduct.report r on r.case_id = l.case_id where r.report_id = '${report}'`)[0][0]), 15000);

test('respondents become accounts: the same id for every spelling of a name', limit, async () => {
	wiki.users.set('Some Body', central(4711));
	wiki.users.set('~2026-77-1', central(4712));
	const one = await resolved(await submit({ respondents: [{ user: 'some_Body' }, { user: '~2026-77-1' }] }));
	assert.deepEqual(one.map(([kind]) => kind), ['account', 'temporary']);
	const two = await resolved(await submit({ respondents: [{ user: 'Some Body' }] }));
	assert.equal(two[0][1], one[0][1]);
	assert.match(wiki.asked('/w/api.php')[0].headers['user-agent'], /conduct-ops@example\.org/);
	// And it is the id by which the account itself is known.
	const token = wiki.token({ id: 4711, name: 'Some Body' });
	assert.equal((await call({ authorization: `Bearer ${token}` }, 'GET', '/v1/me')).status, 200);
	assert.deepEqual(sql(`select count(*) from conduct.person_account where id_ix = '\\x${one[0][1]}'`), [['1']]);
});

test('whoever the reporter excludes is known by id as well, under any later name', limit, async () => {
	wiki.users.set('Handler One', central(4720));
	const report = await submit({ exclude_handlers: [{ user: 'Handler One', reason: 'We have a history.' }] });
	await until('the handler is known', () => sql(`select count(*) from conduct.recusal u join conduct.report r
		on r.case_id = u.case_id where r.report_id = '${report}' and u.id_ix is not null`)[0][0] === '1', 15000);
	// Seen for the first time under another name: recused all the same.
	const token = wiki.token({ id: 4720, name: 'Handler Renamed' });
	const { body } = await call({ authorization: `Bearer ${token}` }, 'GET', '/v1/me');
	assert.deepEqual(sql(`select conduct_gate.is_recused(r.case_id, p.principal_id) from conduct.report r, conduct.person p
		where r.report_id = '${report}' and p.person_id = '${body.person}'`), [['t']]);
});

test('a name that nobody has, or that is not attached, stays open and is asked for again later', limit, async () => {
	wiki.users.set('Not Attached', { centralids: { CentralAuth: 4730 }, attachedlocal: { CentralAuth: false } });
	const report = await submit({ respondents: [{ user: 'No Such User' }, { user: 'Not Attached' }] });
	await tried(report);
	assert.deepEqual(respondents(report).map(([, id]) => id), ['', '']);
	assert.deepEqual(sql(`select n_tries, next_at > conduct.clock() + interval '50 minutes' from conduct.account_lookup l
		join conduct.report r on r.case_id = l.case_id where r.report_id = '${report}'`), [['1', 't'], ['1', 't']]);
	wiki.users.set('No Such User', central(4731));
	wiki.users.set('Not Attached', central(4732));
	sql(`update conduct.account_lookup set next_at = now() - interval '1 minute'`);
	await resolved(report);
});

test('a hundred names are asked for in pieces of fifty at most', limit, async () => {
	wiki.looked = [];
	wiki.api = (request, response) => reply(response, 503, 'away', 'text/plain');
	const reports = [];
	for (let i = 0; i < 12; i++) {
		const names = Array.from({ length: 10 }, (_, j) => `Crowd ${i} of ${j}`);
		names.forEach((name, j) => wiki.users.set(name, central(5000 + 10 * i + j)));
		reports.push(await submit({ respondents: names.map(user => ({ user })) }));
	}
	wiki.api = undefined;
	for (const report of reports) {
		await resolved(report);
	}
	assert.ok(Math.max(...wiki.looked.map(names => names.length)) <= 50);
	assert.ok(wiki.looked.flat().length >= 120);
});

const trouble = [
	['500', response => reply(response, 500, 'x')],
	['429', response => reply(response, 429, 'x', 'text/plain', { 'Retry-After': '1' })],
	['a page', response => reply(response, 200, '<html>')],
	['an error that calls itself success', response => reply(response, 200, { error: { code: 'readonly' } })],
	['fewer users than were asked for', response => reply(response, 200, { query: { users: [] } })],
	['the wrong users', response => reply(response, 200, { query: { users: [{ name: 'Other', ...central(1) }] } })],
	['a megabyte', response => reply(response, 200, { query: { users: ['x'.repeat(1 << 20)] } })],
	['nothing', response => response.destroy()],
];

for (const [what, answer] of trouble) {
	test(`a wiki that answers names with ${what} delays them and loses none`, limit, async () => {
		wiki.users.set(`In ${what}`, central(4740));
		wiki.users.set(`In ${what}`.replace(/^./, c => c.toUpperCase()), central(4740));
		let n = 0;
		wiki.api = (request, response) => { n += 1; answer(response); };
		const report = await submit({ respondents: [{ user: `In ${what}` }] });
		await until('it was asked', () => n > 0, 15000);
		assert.deepEqual(respondents(report).map(([, id]) => id), ['']);
		wiki.api = undefined;
		await resolved(report);
	});
}

test('it ends in order', limit, () => daemon.stop());
