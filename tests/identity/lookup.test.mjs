// Names in reports become accounts, also while the wiki makes trouble.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { call, reportBody, sql, takeKeys } from '../harness/api.mjs';
import { Daemon, ownFile, postgres, readMetrics, stack, until, writeConfig } from '../fault/parts.mjs';
import { CONTACT, Wiki, central, reply } from './wiki.mjs';

const limit = { timeout: 180000 };
let wiki;
let own; // a wiki of its own, outside the farm
let daemon;

function configure(more = '    wikis: [dewiki]\n') {
	const one = wiki.issuer({ keys: [ownFile(`${stack}/wiki.pub`, wiki.key.pem, 0o644)] });
	const two = own.issuer({ keys: [ownFile(`${stack}/own.pub`, own.key.pem, 0o644)], name: 'own', scope: 'local:dewiki', more });
	return writeConfig('identity', text => `contact: ${CONTACT}\njobs: {lookups: 1s, sweep: 1s, deadlines: 1s, audit: 1s}\n`
		+ text.replace(/issuers:\n(.*\n)*(?=processes)/, one + two.replace('issuers:\n', '')), 'processes: {web: 1, drain: 20s}\n');
}

before(async () => {
	await postgres.start();
	wiki = await new Wiki().start();
	own = await new Wiki().start();
	daemon = new Daemon(configure()).start();
	await daemon.ready();
});

after(async () => {
	await daemon?.kill();
	await wiki?.stop();
	await own?.stop();
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

test('a name that does not open is put off, and no other one waits for it', limit, async () => {
	wiki.api = (request, response) => reply(response, 503, 'away', 'text/plain');
	wiki.users.set('Key Is Gone', central(4733));
	wiki.users.set('Behind It', central(4734));
	const damaged = await submit({ respondents: [{ user: 'Key Is Gone' }] });
	const giveBack = takeKeys(`select f.unit_id from conduct.case_file f join conduct.report r using (case_id) where r.report_id = '${damaged}'`);
	const behind = await submit({ respondents: [{ user: 'Behind It' }] });
	wiki.api = undefined;
	await resolved(behind);
	await tried(damaged);
	assert.deepEqual(respondents(damaged).map(([, id]) => id), ['']);
	await daemon.heard(/the name of somebody in a report does not open/);
	giveBack();
	sql(`update conduct.account_lookup set next_at = now() - interval '1 minute'`);
	await resolved(damaged);
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

// Wikis -------------------------------------------------------------------------------------------

const local = id => ({ centralids: { local: id }, attachedlocal: { local: true } });
const asked = one => one.looked.flat();

test('names are asked for at the wiki that the report is about, and mean its accounts', limit, async () => {
	wiki.users.set('Same Name', central(4801));
	own.users.set('Same Name', local(9));
	const [inFarm] = await resolved(await submit({ wiki: 'enwiki', respondents: [{ user: 'Same Name' }] }));
	const [onOwn] = await resolved(await submit({ wiki: 'dewiki', respondents: [{ user: 'Same Name' }] }));
	assert.notEqual(inFarm[1], onOwn[1]);
	assert.equal(asked(wiki).filter(name => name === 'Same Name').length, 1);
	assert.equal(asked(own).filter(name => name === 'Same Name').length, 1);
	// Each is the account that signs in there.
	for (const [one, id, index] of [[wiki, 4801, inFarm[1]], [own, 9, onOwn[1]]]) {
		assert.equal((await call({ authorization: `Bearer ${one.token({ id, name: 'Same Name' })}` }, 'GET', '/v1/me')).status, 200);
		assert.deepEqual(sql(`select count(*) from conduct.person_account where id_ix = '\\x${index}'`), [['1']]);
	}
});

test('whom a report excludes is out at once, by the name that they have on its wiki', limit, async () => {
	const { body } = await call({ authorization: `Bearer ${own.token({ id: 11, name: 'Own Handler' })}` }, 'GET', '/v1/me');
	const other = await call({ authorization: `Bearer ${wiki.token({ id: 4811, name: 'Own Handler' })}` }, 'GET', '/v1/me');
	const report = await submit({ wiki: 'dewiki', exclude_handlers: [{ user: 'Own Handler', reason: 'We have a history.' }] });
	const isRecused = person => sql(`select conduct_gate.is_recused(r.case_id, p.principal_id) from conduct.report r,
		conduct.person p where r.report_id = '${report}' and p.person_id = '${person}'`)[0][0];
	assert.equal(isRecused(body.person), 't');
	assert.equal(isRecused(other.body.person), 'f');
});

test('a wiki that is away delays its own names alone', limit, async () => {
	wiki.users.set('Not Delayed', central(4802));
	own.users.set('Delayed', local(10));
	let n = 0;
	own.api = (request, response) => { n += 1; reply(response, 503, 'away', 'text/plain'); };
	const delayed = await submit({ wiki: 'dewiki', respondents: [{ user: 'Delayed' }] });
	await until('it was asked', () => n > 0, 15000);
	await resolved(await submit({ wiki: 'enwiki', respondents: [{ user: 'Not Delayed' }] }));
	assert.deepEqual(respondents(delayed).map(([, id]) => id), ['']);
	own.api = undefined;
	await resolved(delayed);
	const metrics = await readMetrics();
	assert.ok(metrics.get('conductd_wiki_requests_total{call="names",outcome="unusable"}') >= 1);
	assert.ok(metrics.get('conductd_wiki_requests_total{call="names",outcome="answered"}') >= 1);
});

test('ids of a provider that the wiki does not have leave the name open and the log says so', limit, async () => {
	own.users.set('Elsewhere', central(4803));
	own.users.get('Elsewhere').centralids = { CentralAuth: 4803 };
	const report = await submit({ wiki: 'dewiki', respondents: [{ user: 'Elsewhere' }] });
	await until('the log says so', () => daemon.lines().some(line => /tells no ids of the provider/.test(JSON.stringify(line))), 15000);
	assert.deepEqual(respondents(report).map(([, id]) => id), ['']);
	configure('    wikis: [dewiki]\n    central_ids: CentralAuth\n');
	daemon.signal('SIGHUP');
	await resolved(report);
});

test('sessions that have ended are swept, with nobody signing in', limit, async () => {
	const swept = async what => (await readMetrics()).get(`conductd_swept_total{what="${what}"}`);
	const [sessions, keys] = [await swept('sessions'), await swept('keys')];
	sql(`insert into conduct.session values (sha256('ended'), 'cookie', sha256('x'), decode(repeat('00', 40), 'hex'), null, null,
		now() - interval '3 hours', null, now() - interval '2 hours', now() - interval '2 hours'),
		(sha256('code'), 'code', sha256('x'), decode(repeat('00', 40), 'hex'), 'https://aa.example', null,
		now() - interval '3 hours', null, now() - interval '179 minutes', now() - interval '179 minutes'),
		(sha256('lives'), 'cookie', sha256('x'), decode(repeat('00', 40), 'hex'), null, null,
		now(), null, now() + interval '2 minutes', now() + interval '1 hour')`);
	sql(`insert into conduct.idempotency (scope, body_mac, status, answer, at)
		values (sha256('old'), sha256('mac'), 201, '{}', now() - interval '25 hours')`);
	await until('they are gone', async () => await swept('sessions') === sessions + 2 && await swept('keys') === keys + 1, 15000);
	assert.deepEqual(sql(`select count(*) from conduct.session where id_ix = sha256('x')`), [['1']]);
	assert.deepEqual(sql(`select count(*) from conduct.idempotency where scope = sha256('old')`), [['0']]);
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

test('a reload that waits for a wiki keeps neither the log nor deadlines waiting', limit, async () => {
	let n = 0;
	wiki.api = () => { n += 1; };
	await submit({ respondents: [{ user: 'Never Told' }] });
	await until('the wiki is asked', () => n > 0, 15000);
	const runs = async () => {
		const metrics = await readMetrics();
		return ['audit', 'deadlines'].map(job => metrics.get(`conductd_job_runs_total{job="${job}"}`));
	};
	const reloaded = () => daemon.lines().filter(line => line.message === 'reloaded' && line['conductd.process'] === 'worker').length;
	const before_ = [await runs(), reloaded()];
	daemon.signal('SIGHUP');
	// Sooner than the worker gives the wiki up, and reloads.
	await until('both run', async () => (await runs()).every((count, i) => count > before_[0][i] + 1), 14000);
	wiki.api = undefined;
	await until('the worker has reloaded', () => reloaded() > before_[1], 30000);
});

test('it ends in order', limit, () => daemon.stop());
